use llm_observe::observe;

#[observe(operation = chat, usage = |n| *n)]
fn f() -> u64 {
    1
}

fn main() {}
