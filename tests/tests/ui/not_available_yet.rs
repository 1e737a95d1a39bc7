use llm_observe::observe;

#[observe(operation = chat, stream)]
fn f() {}

fn main() {}
