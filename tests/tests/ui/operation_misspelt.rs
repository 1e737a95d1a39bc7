use llm_observe::observe;

#[observe(operation = chatt, model = "gpt-4o")]
fn f() {}

fn main() {}
