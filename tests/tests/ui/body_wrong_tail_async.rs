use llm_observe::observe;

#[observe]
async fn f() -> u8 {
    "text"
}

fn main() {}
