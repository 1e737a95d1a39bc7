use llm_observe::observe;

#[observe(ok_if = true)]
fn f() -> u8 {
    1
}

fn main() {}
