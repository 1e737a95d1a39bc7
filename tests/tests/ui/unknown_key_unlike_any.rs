use llm_observe::observe;

#[observe(zzz = 3)]
fn f() {}

fn main() {}
