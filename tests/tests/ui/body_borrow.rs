use llm_observe::observe;

#[observe]
async fn f(text: String) -> usize {
    drop(text);
    text.len()
}

fn main() {}
