use llm_observe::observe;

#[observe(slow = "0s")]
fn f() {}

fn main() {}
