use llm_observe::observe;

#[observe(slow = 2)]
fn f() {}

fn main() {}
