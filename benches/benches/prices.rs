//! What pricing a call costs: a call without a price and one with, each with a plan, against the table of
//! genai-prices asked for each call.

use std::{hint::black_box, time::SystemTime};

use llm_observe::{
    config,
    genai::{Prices, Usage},
};
use llm_observe_benches::{candidate, compare};

fn main() {
    let prices = Prices::load(&config::Prices::default());
    let usage = Usage::new(1_000, 100).with_cache_read(200);
    let now = SystemTime::now();
    for model in ["a-model-of-mine", "gpt-4o-2024-08-06"] {
        prices.prepare(Some("openai"), model, now);
    }
    prices.prepare(Some("google"), "gemini-2.5-pro", now);
    let cost = |provider: &'static str, model: &'static str| {
        let (prices, usage) = (&prices, &usage);
        move || {
            black_box(prices.cost(black_box(Some(provider)), black_box(model), usage, now));
        }
    };
    let calculator = genai_prices::Calculator::bundled();
    let theirs = genai_prices::Usage::from([
        (genai_prices::UsageKey::INPUT_TOKENS, 1_000.0),
        (genai_prices::UsageKey::OUTPUT_TOKENS, 100.0),
        (genai_prices::UsageKey::CACHE_READ_TOKENS, 200.0),
    ]);
    compare(
        "the cost of a call",
        15,
        100_000,
        vec![
            candidate("unpriced", cost("openai", "a-model-of-mine")),
            candidate("priced", cost("openai", "gpt-4o-2024-08-06")),
            candidate("priced, with tiers", cost("google", "gemini-2.5-pro")),
            candidate("genai-prices", || {
                let request = genai_prices::PriceRequest::new("gpt-4o-2024-08-06", &theirs)
                    .with_provider_id("openai")
                    .with_timestamp(now);
                let _ = black_box(calculator.calculate(&request));
            }),
        ],
    );
}
