use llm_observe::observe;

#[observe(provider = "openai", model = "gpt-4o")]
fn f() {}

fn main() {}
