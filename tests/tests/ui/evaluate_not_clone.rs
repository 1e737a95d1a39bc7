use llm_observe::observe;

struct Answer(String);

async fn judge(answer: Answer) -> f64 {
    answer.0.len() as f64
}

#[observe(evaluate(name = "groundedness", with = judge, share = 0.05))]
fn f() -> Answer {
    Answer(String::new())
}

fn main() {}
