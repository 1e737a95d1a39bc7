use llm_observe::observe;

#[observe]
fn f(n: u8) -> u8 {
    if n > 1 {
        return "text";
    }
    n
}

fn main() {}
