use llm_observe::observe;

#[observe]
fn f() -> u8 {
    "text"
}

fn main() {}
