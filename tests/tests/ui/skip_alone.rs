use llm_observe::observe;

#[observe(skip)]
fn f() {}

fn main() {}
