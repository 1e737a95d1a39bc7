use llm_observe::observe;

#[observe(sample = 1.5)]
fn f() {}

fn main() {}
