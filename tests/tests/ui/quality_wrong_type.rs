use llm_observe::observe;

#[observe(quality = |answer: &String| answer.clone())]
fn f() -> Result<String, std::io::Error> {
    Ok(String::new())
}

fn main() {}
