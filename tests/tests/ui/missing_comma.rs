use llm_observe::observe;

#[observe(ret err)]
fn f() -> u8 {
    1
}

fn main() {}
