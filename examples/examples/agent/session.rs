//! A session of the program with itself: asks a few questions, and checks what was observed.

use std::error::Error;

use llm_observe::{Observer, genai};

use crate::{
    agent::{Agent, Model, Solved},
    shared::observed,
};

/// The last one makes a tool fail: the agent still has an answer.
const QUESTIONS: [&str; 3] = [
    "What is lost without a volume for the outbox?",
    "What is 17 * 23 ?",
    "What is 7 / 0 ?",
];

/// Runs the session.
///
/// # Errors
/// A question got no answer, or what was observed differs from what happened.
pub(crate) async fn run(agent: &Agent, observer: &Observer) -> Result<(), Box<dyn Error>> {
    let mut sum = Solved::default();
    let mut solved = 0;
    for question in QUESTIONS {
        let answer = agent.solve(question).await?;
        println!("\nQ: {question}\nA: {}", answer.answer);
        add(&mut sum, &answer);
        solved += 1;
    }
    let Solved {
        chats,
        retries,
        tools,
        failed_tools,
        ..
    } = sum;
    let expected = [
        ("agent", "ok", solved),
        ("chat", "ok", chats),
        ("chat", "error", retries),
        ("tool", "ok", tools),
        ("tool", "error", failed_tools),
    ];
    let mut differences = observed::differences(observer, &expected).await?;
    differences.extend(check(
        observer,
        &sum,
        matches!(agent.model, Model::Local(_)),
    )?);
    observed::print_models(&observed::metrics(observer)?);
    println!("\n{chats} chats, {retries} tried again, {tools} tools, {failed_tools} failed");
    match differences.is_empty() {
        true => Ok(()),
        false => Err(differences.join("; ").into()),
    }
}

fn add(sum: &mut Solved, one: &Solved) {
    sum.chats += one.chats;
    sum.retries += one.retries;
    sum.tools += one.tools;
    sum.failed_tools += one.failed_tools;
    sum.input += one.input;
    sum.output += one.output;
}

/// Checks that tokens are counted once, by the chats, and that each kind of operation has its line.
fn check(observer: &Observer, sum: &Solved, is_local: bool) -> Result<Vec<String>, Box<dyn Error>> {
    let metrics = observed::metrics(observer)?;
    let mut differences = Vec::new();
    let mut expect = |holds: bool, what: &str| {
        if !holds {
            differences.push(what.to_owned());
        }
    };
    for (kind, taken) in [("input", sum.input), ("output", sum.output)] {
        let counted = observed::tokens(&metrics, "chat", kind);
        expect(counted == f64::from(taken), "the tokens of the chats");
        let twice = observed::tokens(&metrics, "agent", kind);
        expect(
            twice == 0.0,
            "no tokens of the chats are counted for the agent",
        );
    }
    let mut lines = vec![["chat ok in ", " in="], ["agent ok in ", " in="]];
    if is_local {
        let spent = genai::budget("agent").map(|budget| budget.spent_usd());
        let cost = metrics.sum("llm_observe_cost_usd_total", &[("event", "chat")]);
        expect(
            cost > 0.0 && spent >= Some(cost * 0.999),
            "the chats use the agent's budget",
        );
        // Of all three kinds there was one.
        expect(sum.retries > 0 && sum.failed_tools == 1, "something failed");
        let errors = [("event", "chat"), ("class", "rate_limit")];
        let refused = metrics.sum("llm_observe_errors_total", &errors);
        expect(
            refused == f64::from(sum.retries),
            "what was refused has its class",
        );
        lines.push(["tool ok in ", "search"]);
        lines.push(["tool error in ", "division by zero"]);
    }
    for parts in lines {
        let found = observed::lines(observer, &parts);
        expect(!found.is_empty(), parts[0]);
        found.last().into_iter().for_each(|line| println!("{line}"));
    }
    Ok(differences)
}
