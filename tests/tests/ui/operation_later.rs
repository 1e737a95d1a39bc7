use llm_observe::observe;

#[observe(operation = chat, input = &question)]
fn f(question: String) -> String {
    question
}

fn main() {}
