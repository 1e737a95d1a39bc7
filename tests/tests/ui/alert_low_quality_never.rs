use llm_observe::observe;

#[observe(alert(on(low_quality)))]
fn f() {}

fn main() {}
