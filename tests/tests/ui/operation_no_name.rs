use llm_observe::observe;

#[observe(operation = 3)]
fn f() {}

fn main() {}
