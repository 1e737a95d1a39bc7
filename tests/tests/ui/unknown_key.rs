use llm_observe::observe;

#[observe(evnt = "embedding")]
fn f() {}

fn main() {}
