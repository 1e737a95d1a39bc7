use llm_observe::observe;

#[observe(timeout = "30s")]
fn f() -> Result<(), std::io::Error> {
    Ok(())
}

fn main() {}
