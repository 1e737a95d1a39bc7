use llm_observe::observe;

struct Store;

#[observe]
impl Store {
    #[observe(slow = "2")]
    fn f(&self) {}

    #[observe(timeout = "2s")]
    fn g(&self) {}
}

fn main() {}
