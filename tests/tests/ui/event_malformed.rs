use llm_observe::observe;

#[observe(event = "Embed Text")]
fn f() {}

fn main() {}
