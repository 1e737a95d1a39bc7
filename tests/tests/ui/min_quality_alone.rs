use llm_observe::observe;

#[observe(min_quality = 0.5)]
fn f() -> u8 {
    1
}

fn main() {}
