use llm_observe::observe;

#[observe(operation = chat, usage = |_| None)]
fn f() {}

fn main() {}
