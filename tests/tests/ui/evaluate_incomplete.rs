use llm_observe::observe;

async fn judge(_: u8) -> f64 {
    1.0
}

#[observe(evaluate(with = judge))]
fn f() -> u8 {
    1
}

#[observe(evaluate(name = "a", with = judge, share = 5, shares = 1.0))]
fn g() -> u8 {
    1
}

#[observe(evaluate(name = "a", with = judge, share = 0.5))]
fn nothing() {}

fn main() {}
