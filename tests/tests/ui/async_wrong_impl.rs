use std::fmt::Display;

#[llm_observe::observe]
async fn f() -> impl Display {
    ("",)
}

#[llm_observe::observe]
async fn nested() -> Result<impl Display, String> {
    Ok(("",))
}

#[llm_observe::observe]
fn sync() -> impl Display {
    ("",)
}

fn main() {}
