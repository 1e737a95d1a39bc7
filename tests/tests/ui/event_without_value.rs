use llm_observe::observe;

#[observe(event)]
fn f() {}

fn main() {}
