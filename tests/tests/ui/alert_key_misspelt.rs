use llm_observe::observe;

#[observe(alert(on(error), chanel = "ops"))]
fn f() {}

fn main() {}
