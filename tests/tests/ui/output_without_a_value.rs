use llm_observe::observe;

#[observe(operation = chat, input = question, output = |answer| answer)]
fn f(question: &str) {
    assert!(!question.is_empty());
}

#[observe(input = question)]
fn g(question: &str) -> usize {
    question.len()
}

fn main() {}
