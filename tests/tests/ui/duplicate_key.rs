use llm_observe::observe;

#[observe(slow = "2s", slow = "3s")]
fn f() {}

fn main() {}
