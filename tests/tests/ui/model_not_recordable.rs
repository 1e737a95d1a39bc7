use llm_observe::observe;

struct Model;

#[observe(operation = chat, model = &model)]
fn f(model: Model) {}

fn main() {}
