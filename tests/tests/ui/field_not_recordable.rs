use llm_observe::observe;

#[observe(fields(all = all))]
fn f(all: &[u8]) -> usize {
    all.len()
}

fn main() {}
