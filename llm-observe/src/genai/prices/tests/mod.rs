//! Costs from the bundled table, from files and from the configuration.

mod files;

use std::{
    fs,
    sync::{Arc, OnceLock},
    thread,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use llm_observe_config::Config;
use proptest::prelude::*;

use super::*;
use crate::kernel::stats::Number;

/// The labels of the table's metric.
fn info(prices: &Prices) -> Vec<(String, String, i64)> {
    let made = prices.known.stats.made_after(0);
    let infos = made
        .iter()
        .filter(|(key, _)| key.metric.name == PRICE_TABLE.name);
    let value = |number: &Number| match number {
        Number::Gauge(gauge) => gauge.get(),
        Number::Counter(_) => 0,
    };
    infos
        .map(|(key, number)| {
            (
                key.labels[0].1.clone(),
                key.labels[1].1.clone(),
                value(number),
            )
        })
        .collect()
}

/// 2026-11-02, a Monday, at noon.
const NOON: u64 = 1_793_620_800;

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

/// The bundled table, without a configuration.
fn bundled() -> &'static Prices {
    static PRICES: OnceLock<Prices> = OnceLock::new();
    PRICES.get_or_init(|| Prices::load(&config::Prices::default()))
}

fn configured(text: &str) -> Prices {
    let config = Config::parse(text, "llm-observe.toml".as_ref()).unwrap();
    Prices::load(&config.prices)
}

/// The cost of a call before its model has a plan, and after; they are the same.
fn cost_of(prices: &Prices, provider: &str, model: &str, usage: &Usage, when: SystemTime) -> Cost {
    let provider = Some(provider).filter(|provider| !provider.is_empty());
    let known = &prices.known;
    let first = known.asked(provider, model, usage, when).unwrap();
    prices.prepare(provider, model, when);
    let then = prices.cost(provider, model, usage, when);
    match (first.usd(), then.usd()) {
        (Some(first), Some(then)) => assert!((first - then).abs() <= first * 1e-12, "{model}"),
        _ => assert_eq!(first, then, "{model}"),
    }
    assert_eq!(first.source(), then.source());
    then
}

fn usd(provider: &str, model: &str, usage: &Usage) -> Option<f64> {
    cost_of(bundled(), provider, model, usage, at(NOON)).usd()
}

#[test]
fn names_as_people_and_gateways_write_them_have_their_price() {
    let usage = Usage::new(1_000_000, 0);
    for (provider, model, expected) in [
        ("openai", "gpt-4o", 2.5),
        ("openai", "gpt-4o-2024-08-06", 2.5),
        ("openai", "openai/gpt-4o-2024-08-06", 2.5),
        ("OpenAI", "GPT-4o", 2.5),
        ("", "gpt-4o", 2.5),
        ("", "openai/gpt-4o-2024-08-06", 2.5),
        ("litellm", "openai/gpt-4o", 2.5),
        ("azure", "gpt-4o", 2.5),
        ("azure.ai.openai", "gpt-4o", 2.5),
        ("anthropic", "claude-3-5-sonnet-20241022", 3.0),
        ("anthropic", "anthropic/claude-3-5-sonnet-20241022", 3.0),
        (
            "anthropic",
            "anthropic.claude-3-5-sonnet-20241022-v2:0",
            3.0,
        ),
        ("", "anthropic.claude-3-5-sonnet-20241022-v2:0", 3.0),
        (
            "aws.bedrock",
            "anthropic.claude-3-5-sonnet-20241022-v2:0",
            3.0,
        ),
        (
            "aws.bedrock",
            "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
            3.0,
        ),
        ("gcp.gemini", "models/gemini-1.5-flash", 0.15),
        ("", "models/gemini-1.5-flash", 0.15),
        (
            "gcp.vertex_ai",
            "publishers/anthropic/models/claude-3-5-sonnet@20240620",
            3.0,
        ),
        ("mistral_ai", "mistral-large-2407", 2.0),
        ("openrouter", "anthropic/claude-sonnet-4", 3.0),
    ] {
        assert_eq!(
            usd(provider, model, &usage),
            Some(expected),
            "{provider} {model}"
        );
    }
    for (provider, model) in [
        ("gcp.gen_ai", "gemini-2.5-pro"),
        ("google", "publishers/google/models/gemini-2.5-pro"),
        ("x_ai", "grok-4"),
    ] {
        assert!(
            usd(provider, model, &usage).is_some_and(|usd| usd > 0.0),
            "{model}"
        );
    }
}

#[test]
fn what_has_no_price_is_unpriced_and_not_free() {
    let usage = Usage::new(1_000, 100);
    for (provider, model) in [
        ("azure", "my-deployment"),
        ("openai", "a-model-of-mine"),
        ("openai", ""),
        ("", ""),
        ("", "a-model-of-mine"),
        ("vllm", "openai/gpt-4o"),
        ("ollama", "llama3"),
        // Prices of seconds, of characters and of pages.
        ("openai", "whisper-1"),
        ("openai", "tts-1"),
        ("mistral", "mistral-ocr-latest"),
    ] {
        assert_eq!(usd(provider, model, &usage), None, "{provider} {model}");
    }
    let long = "gpt-4o-".repeat(1_500);
    assert_eq!(
        bundled().cost(Some("openai"), &long, &usage, at(NOON)),
        Cost::Unpriced
    );
    assert_eq!(
        bundled().cost(Some(&long), "gpt-4o", &usage, at(NOON)),
        Cost::Unpriced
    );
}

#[test]
fn a_free_model_costs_0() {
    let free = usd(
        "openrouter",
        "google/gemma-3-27b-it:free",
        &Usage::new(1_000, 100),
    );
    assert_eq!(free, Some(0.0));
}

#[test]
fn counts_that_are_not_known() {
    let chat = |usage| usd("openai", "gpt-4o", &usage);
    assert_eq!(chat(Usage::new(1_000, None)), None);
    assert_eq!(chat(Usage::new(None, 100)), None);
    assert_eq!(chat(Usage::default()), None);
    assert_eq!(chat(Usage::new(1_000, 100)), Some(0.0035));
    assert_eq!(chat(Usage::new(1_000, 100).with_cache_read(1_001)), None);
    // Embeddings have no output.
    let embeddings = |usage| usd("openai", "text-embedding-3-small", &usage);
    assert_eq!(embeddings(Usage::new(1_000, None)), Some(0.00002));
    assert_eq!(embeddings(Usage::new(None, None)), None);
}

#[test]
fn tiers_begin_above_their_size() {
    let gemini = |input| usd("google", "gemini-2.5-pro", &Usage::new(input, 0)).unwrap();
    assert_eq!(gemini(200_000), 0.25);
    assert_eq!(gemini(200_001), 200_001.0 * 2.5 / 1e6);
    assert!(gemini(u64::MAX) > 1e12);
}

#[test]
fn prices_have_their_days_and_hours() {
    let deepseek = |day: u64, hour: u64, minute: u64| {
        let when = at(day * 86_400 + hour * 3_600 + minute * 60);
        cost_of(
            bundled(),
            "deepseek",
            "deepseek-reasoner",
            &Usage::new(1_000_000, 0),
            when,
        )
        .usd()
    };
    // 2025-06-01, off peak until 00:30 and from 16:30.
    let (peak, off) = (deepseek(20_240, 12, 0), deepseek(20_240, 20, 0));
    assert_eq!(deepseek(20_240, 0, 29), off);
    assert_eq!(deepseek(20_240, 0, 30), peak);
    assert_eq!(deepseek(20_240, 16, 29), peak);
    assert_eq!(deepseek(20_240, 16, 30), off);
    assert!(peak > off, "{peak:?} {off:?}");
    // o3 became cheaper on 2025-06-10.
    let o3 = |second: u64| {
        cost_of(
            bundled(),
            "openai",
            "o3",
            &Usage::new(1_000_000, 0),
            at(second),
        )
        .usd()
    };
    assert_eq!(
        (o3(1_749_513_599), o3(1_749_513_600)),
        (Some(10.0), Some(2.0))
    );
}

#[test]
fn clocks_that_jump_are_taken() {
    let usage = Usage::new(1_000, 100);
    let far = [at(1 << 40), at(1 << 55), at(i64::MAX as u64)];
    let before = UNIX_EPOCH - Duration::from_millis(1);
    let long_before = UNIX_EPOCH - Duration::from_secs(1 << 55);
    for when in far.into_iter().chain([before, long_before, UNIX_EPOCH]) {
        let cost = cost_of(bundled(), "openai", "gpt-4o", &usage, when);
        assert!(cost.usd().is_some_and(|usd| usd > 0.0), "{when:?}");
    }
}

#[test]
fn the_configuration_goes_before_the_table() {
    let prices = configured(
        "[prices]\n\"my-model\" = { input = 0.5, output = 1.5, cache_read = 0.05, cache_creation = 0.6 }\n\
         \"gpt-4o\" = { input = 1, output = 0 }\n\"free\" = { input = 0, output = 0 }\n",
    );
    let cost = |provider, model, usage: Usage| cost_of(&prices, provider, model, &usage, at(NOON));
    let all = Usage::new(1_000_000, 100_000)
        .with_cache_read(100_000)
        .with_cache_creation(200_000);
    let expected = 0.7 * 0.5 + 0.1 * 0.05 + 0.2 * 0.6 + 0.1 * 1.5;
    let mine = cost("anything", "my-model", all);
    assert!((mine.usd().unwrap() - expected).abs() < 1e-12);
    assert_eq!(mine.source(), Some("override"));
    // Named as the table names it.
    let dated = cost(
        "openai",
        "openai/gpt-4o-2024-08-06",
        Usage::new(1_000_000, 5),
    );
    assert_eq!((dated.usd(), dated.source()), (Some(1.0), Some("override")));
    assert_eq!(cost("x", "free", Usage::default()).usd(), Some(0.0));
    assert_eq!(
        cost("openai", "gpt-4.1", Usage::new(1, 1)).source(),
        Some("table")
    );
    assert_eq!(cost("x", "my-model-2", all), Cost::Unpriced);
}

#[test]
fn the_date_is_that_of_the_version_in_use() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.lock");
    let Ok(lock) = fs::read_to_string(root) else {
        // The package alone, without its repository.
        return;
    };
    let version = "name = \"genai-prices\"\nversion = \"0.2.1\"";
    assert!(
        lock.contains(version),
        "look up the day of the new version: BUNDLED_DATE"
    );
}

#[test]
fn nobody_waits_for_the_table() {
    // The thread that would decode it is not started.
    let prices = Prices::on_use(&config::Prices::default(), Arc::default());
    let usage = Usage::new(1, 1);
    let cost = prices
        .known
        .asked(Some("openai"), "gpt-4o", &usage, at(NOON));
    assert_eq!((cost, prices.table()), (None, None));
    // In a test, its first cost decodes it.
    assert!(
        prices
            .cost(Some("openai"), "gpt-4o", &usage, at(NOON))
            .usd()
            .is_some()
    );
    assert_eq!(info(&prices).len(), 1);
}

#[test]
fn the_thread_learns_the_models_that_are_called() {
    let prices = Prices::load(&config::Prices::default());
    let usage = Usage::new(1_000, 100);
    let learnt = |model: &str| {
        let cost = prices.cost(Some("openai"), model, &usage, at(NOON));
        let known = prices.known.cache.read(Some("openai"), model, |_| ());
        (cost, known.is_some())
    };
    let until = Instant::now() + Duration::from_secs(60);
    for (model, usd) in [("gpt-4o", Some(0.0035)), ("unknown", None)] {
        while !learnt(model).1 {
            assert!(Instant::now() < until);
            thread::yield_now();
        }
        assert_eq!(learnt(model).0.usd(), usd);
    }
}

#[test]
fn a_flood_of_names_leaves_what_is_called_priced() {
    let prices = Prices::load(&config::Prices::default());
    let usage = Usage::new(1_000, 100);
    for n in 0..3_000 {
        let name = format!("gpt-4o{n}-{}", "x".repeat(n % 300));
        let _ = prices.cost(Some("openai"), &name, &usage, at(NOON));
    }
    let cost = prices.cost(Some("openai"), "gpt-4o", &usage, at(NOON));
    assert_eq!(cost.usd(), Some(0.0035));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_call_has_a_finite_cost_or_none(
        provider in prop_oneof![Just("openai".to_owned()), Just("google".to_owned()), ".{0,40}"],
        model in prop_oneof![Just("gpt-4o".to_owned()), Just("gemini-2.5-pro".to_owned()), ".{0,300}"],
        counts in prop::collection::vec(prop::option::of(any::<u64>()), 5),
        when in any::<i64>(),
    ) {
        let usage = Usage::new(counts[0], counts[1])
            .with_cache_read(counts[2])
            .with_cache_creation(counts[3])
            .with_reasoning(counts[4]);
        let since = Duration::from_secs(when.unsigned_abs() >> 8);
        let when = match when < 0 {
            true => UNIX_EPOCH - since,
            false => UNIX_EPOCH + since,
        };
        let cost = bundled().cost(Some(&provider), &model, &usage, when);
        if let Some(usd) = cost.usd() {
            prop_assert!(usd.is_finite() && usd >= 0.0);
        }
    }
}
