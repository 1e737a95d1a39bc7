use llm_observe::observe;

#[observe]
struct Store;

fn main() {}
