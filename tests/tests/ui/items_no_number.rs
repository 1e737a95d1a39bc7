use llm_observe::observe;

#[observe(items = text)]
fn f(text: &str) -> usize {
    text.len()
}

fn main() {}
