use llm_observe::observe;

struct Opaque;

#[observe(args)]
fn f(opaque: Opaque) {
    let _ = opaque;
}

fn main() {}
