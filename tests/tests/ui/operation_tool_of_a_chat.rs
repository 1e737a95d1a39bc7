use llm_observe::observe;

#[observe(operation = chat, tool = "lookup")]
fn f() {}

fn main() {}
