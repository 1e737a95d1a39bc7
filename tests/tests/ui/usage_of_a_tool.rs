use llm_observe::observe;

#[observe(operation = execute_tool, usage = |_| None)]
fn f() -> u8 {
    1
}

fn main() {}
