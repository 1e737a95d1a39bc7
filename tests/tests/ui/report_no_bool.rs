use llm_observe::observe;

#[observe(report = "no")]
fn f() {}

fn main() {}
