use llm_observe::observe;

#[observe(alert(on(error), after = 0))]
fn f() {}

fn main() {}
