use llm_observe::observe;

#[observe(alert(on(error), severity = "critcal"))]
fn f() {}

fn main() {}
