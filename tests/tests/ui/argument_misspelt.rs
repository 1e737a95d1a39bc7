use llm_observe::observe;

#[observe(args(txet))]
fn f(text: &str) -> usize {
    text.len()
}

fn main() {}
