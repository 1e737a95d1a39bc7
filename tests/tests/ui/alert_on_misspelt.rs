use llm_observe::observe;

#[observe(alert(on(eror)))]
fn f() {}

fn main() {}
