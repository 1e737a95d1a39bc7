use llm_observe::observe;

#[observe(event = embedding)]
fn f() {}

fn main() {}
