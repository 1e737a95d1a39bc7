use llm_observe::observe;

#[observe(quality = |a, b| 0.5)]
fn f() -> u8 {
    1
}

fn main() {}
