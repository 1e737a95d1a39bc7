use llm_observe::observe;

#[observe(expected(_))]
fn f() -> u8 {
    1
}

fn main() {}
