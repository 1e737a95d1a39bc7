use llm_observe::observe;

#[observe(ok_if = |n| *n > 1, error_if = |n| *n > 2)]
fn f() -> u8 {
    1
}

fn main() {}
