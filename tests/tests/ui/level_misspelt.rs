use llm_observe::observe;

#[observe(level = "wran")]
fn f() {}

fn main() {}
