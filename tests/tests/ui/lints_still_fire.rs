#![deny(warnings)]
use llm_observe::observe;

#[observe]
fn unused_function(unused_argument: u8) {}

#[observe]
async fn unused_async_function(unused_argument: String, mut needless: Vec<u8>) -> usize {
    let unused_variable = 1;
    needless.len()
}

#[observe]
fn must_use() -> Result<u8, String> {
    Ok(1)
}

#[observe]
async fn must_use_future() -> Result<u8, String> {
    must_use();
    Ok(1)
}

#[observe]
async fn unused_future() {
    must_use_future();
    must_use_future().await;
}

#[observe]
#[expect(dead_code)]
fn expected_to_be_dead() {}

#[observe]
fn parentheses() -> u8 {
    (1)
}

fn main() {
    drop(unused_future());
}
