use llm_observe::observe;

#[observe(operation = "chat")]
fn f() {}

fn main() {}
