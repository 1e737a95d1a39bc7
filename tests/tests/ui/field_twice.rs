use llm_observe::observe;

#[observe(fields(n = 1, n = 2))]
fn f() {}

fn main() {}
