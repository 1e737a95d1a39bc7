use llm_observe::observe;

#[observe(timeout = "30s")]
async fn f() -> u8 {
    1
}

fn main() {}
