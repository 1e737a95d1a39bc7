use llm_observe::observe;

#[observe(retries = 3)]
fn f() {}

fn main() {}
