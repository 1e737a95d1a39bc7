//! Costs of calls, beside those that the Python package genai-prices computes from the same data.

use std::{
    process::Command,
    time::{Duration, UNIX_EPOCH},
};

use llm_observe::{
    config,
    genai::{Cost, Prices, Usage},
};
use llm_observe_tests::peers;
use serde_json::Value;

const CASES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/genai_prices_cases.py");
const SEED: &str = "20261125";
const AT_LEAST: &str = "2000";

/// A call, and what it costs by the package.
struct Case {
    provider: String,
    model: String,
    usage: Usage,
    when: u64,
    usd: Option<f64>,
    /// Whether the package knows the model's name, without a prefix that was added to it.
    resolves: bool,
}

impl Case {
    fn read(line: &str) -> Case {
        let case: Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| case[key].as_str().unwrap().to_owned();
        let count = |n: usize| case["usage"][n].as_u64();
        Case {
            provider: text("provider"),
            model: text("model"),
            usage: Usage::new(count(0), count(1))
                .with_cache_read(count(2))
                .with_cache_creation(count(3))
                .with_reasoning(count(4)),
            when: case["when"].as_u64().unwrap(),
            usd: case["usd"].as_f64(),
            resolves: case["resolves"].as_bool().unwrap(),
        }
    }

    fn cost(&self, prices: &Prices) -> Cost {
        let when = UNIX_EPOCH + Duration::from_secs(self.when);
        prices.cost(Some(&self.provider), &self.model, &self.usage, when)
    }

    /// Returns a line about a cost that is not the package's.
    fn difference(&self, cost: Cost) -> Option<String> {
        let same = match (cost.usd(), self.usd) {
            (Some(ours), Some(theirs)) => (ours - theirs).abs() <= theirs.abs() * 1e-12,
            (ours, theirs) => ours == theirs,
        };
        (!same).then(|| {
            format!(
                "{} {} {:?} at {}: {cost:?}, theirs {:?}",
                self.provider, self.model, self.usage, self.when, self.usd
            )
        })
    }
}

#[test]
fn costs_are_those_of_the_python_package() {
    let Some(python) = peers::python("genai_prices", "genai-prices==0.2.1") else {
        return;
    };
    let ended = Command::new(python)
        .args([CASES, SEED, AT_LEAST])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{said}");
    let printed = String::from_utf8(ended.stdout).unwrap();
    let (about, cases) = printed.split_once('\n').unwrap();
    if !about.contains("\"0.2.1\"") {
        peers::skipped(&format!("genai-prices 0.2.1 is wanted, there is {about}"));
        return;
    }
    let cases: Vec<Case> = cases.lines().map(Case::read).collect();
    assert!(cases.len() >= 2_000);
    // Enough of each kind that an error in the cases shows.
    let priced = cases.iter().filter(|case| case.usd.is_some()).count();
    assert!(priced > 1_500 && cases.len() - priced > 200, "{priced}");

    let prices = Prices::load(&config::Prices::default());
    let (mut differences, mut named_otherwise) = (Vec::new(), 0);
    for (n, case) in cases.iter().enumerate() {
        let first = case.cost(&prices);
        if !case.resolves && first != Cost::Unpriced {
            // By another form of its name, which the package does not try.
            named_otherwise += 1;
            continue;
        }
        differences.extend(case.difference(first));
        // Those with tiers, dates and hours come first.
        if n < 450 || n % 10 == 0 {
            let when = UNIX_EPOCH + Duration::from_secs(case.when);
            prices.prepare(Some(&case.provider), &case.model, when);
            differences.extend(case.difference(case.cost(&prices)));
        }
    }
    assert_eq!(differences, [""; 0], "{} differ", differences.len());
    assert!(named_otherwise < 10, "{named_otherwise}");
    println!(
        "{} calls, {priced} of them priced, {named_otherwise} by another form of their name",
        cases.len()
    );
}
