use llm_observe::observe;

#[observe(alert(on(error), within = "1m"))]
fn f() {}

fn main() {}
