use llm_observe::observe;

#[observe(expected(std::fmt::Error))]
fn f() -> Result<u8, std::io::Error> {
    Ok(1)
}

fn main() {}
