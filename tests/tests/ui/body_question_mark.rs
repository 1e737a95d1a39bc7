use llm_observe::observe;

#[observe]
async fn f(text: &str) -> Result<u8, std::fmt::Error> {
    Ok(text.parse::<u8>()?)
}

fn main() {}
