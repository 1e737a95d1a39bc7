use llm_observe::observe;

#[observe]
const fn f() -> u8 {
    1
}

fn main() {}
