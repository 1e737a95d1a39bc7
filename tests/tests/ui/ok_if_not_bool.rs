use llm_observe::observe;

#[observe(ok_if = |n| n + 1)]
fn f() -> u8 {
    1
}

fn main() {}
