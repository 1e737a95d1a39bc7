use llm_observe::observe;

#[observe(evnt = "x", slow = "2", alert(on(eror), severity = "bad"), sample = 2, args(b))]
fn f(a: u8) -> u8 {
    a
}

fn main() {}
