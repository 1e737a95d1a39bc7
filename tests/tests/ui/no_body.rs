use llm_observe::observe;

trait Search {
    #[observe]
    fn search(&self) -> u8;
}

fn main() {}
