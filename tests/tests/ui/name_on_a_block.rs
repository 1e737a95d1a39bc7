use llm_observe::observe;

struct Store;

#[observe(name = "x")]
impl Store {
    fn f(&self) {}
}

fn main() {}
