use llm_observe::observe;

async fn judge(_: u8) -> &'static str {
    "good"
}

fn not_async(_: u8) -> f64 {
    1.0
}

async fn of_text(_: String) -> f64 {
    1.0
}

#[observe(evaluate(name = "a", with = judge, share = 0.5))]
fn f() -> u8 {
    1
}

#[observe(evaluate(name = "a", with = not_async, share = 0.5))]
fn g() -> u8 {
    1
}

#[observe(evaluate(name = "a", with = of_text, share = 0.5))]
fn h() -> u8 {
    1
}

#[observe(evaluate(name = "a", with = of_text, share = 0.5, of = |n| n.to_string()))]
fn works() -> u8 {
    1
}

fn main() {}
