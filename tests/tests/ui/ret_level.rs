use llm_observe::observe;

#[observe(ret(level = "debug"))]
fn f() -> u8 {
    1
}

fn main() {}
