use llm_observe::observe;

#[observe(alert(channel = "ops"))]
fn f() {}

fn main() {}
