use llm_observe::observe;

struct Refused;

#[observe(timeout = "30s")]
async fn f() -> Result<u8, Refused> {
    Ok(1)
}

fn main() {}
