//! An agent: a model that may use tools, asked again until it answers.
//!
//! ```console
//! $ cargo run --example agent -- what is 17 '*' 23
//! $ cargo run --example agent -- --once          # asks a few questions, checks itself, and ends
//! ```
//!
//! `agent.rs` has the annotated functions: the agent over its chats and its tools. Tokens are counted once, by the
//! chat that took them. Without `OPENAI_BASE_URL` the model is local code that follows three rules; its tokens are
//! words, and it refuses every third request, as a busy server does.

mod agent;
mod local;
mod session;
mod tools;

#[path = "../container/notes.rs"]
mod notes;
#[path = "../shared/mod.rs"]
mod shared;

use std::{env, error::Error};

use self::{
    agent::{Agent, Model},
    local::Rules,
    shared::{observed, server::Server},
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let observer = llm_observe::init!()?;
    let model = match Server::from_env()? {
        Some(server) => {
            println!("asks {server}");
            Model::Server(Box::new(server))
        }
        None => {
            println!("asks local code that follows rules; its tokens are words");
            Model::Local(Rules::default())
        }
    };
    let agent = Agent { model };
    let question = arguments.join(" ");
    if question.is_empty() || question == "--once" {
        return session::run(&agent, &observer).await;
    }
    println!("{}", agent.solve(&question).await?.answer);
    observed::print_models(&observed::metrics(&observer)?);
    Ok(())
}
