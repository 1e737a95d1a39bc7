use llm_observe::observe;

#[observe]
async fn f(n: u8) -> Result<u8, std::io::Error> {
    if n > 1 {
        return "text";
    }
    Ok(n)
}

fn main() {}
