use llm_observe::observe;

#[observe]
fn f(text: &str) -> usize {
    text.
}

fn main() {}
