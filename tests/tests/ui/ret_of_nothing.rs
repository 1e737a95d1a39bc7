use llm_observe::observe;

#[observe(ret)]
fn f() {}

fn main() {}
