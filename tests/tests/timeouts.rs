//! `timeout` holds without an observer, and with one that only counts. One observer a process, so one
//! test.

use std::{
    future::pending,
    io,
    time::{Duration, Instant},
};

use llm_observe::{Observer, config::Config, observe};

#[observe(timeout = "20ms")]
async fn hangs() -> io::Result<()> {
    pending().await
}

#[observe(timeout = "1h")]
async fn has_time() -> io::Result<()> {
    hangs().await
}

#[observe(timeout = "20ms")]
fn boxed() -> std::pin::Pin<Box<dyn Future<Output = io::Result<()>>>> {
    Box::pin(async move { pending().await })
}

async fn ends() {
    let start = Instant::now();
    for ended in [hangs().await, has_time().await, boxed().await] {
        assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_limit_holds_whoever_observes() {
    // A call that starts before there is an observer, and is polled inside of one that has one.
    let early = {
        let mut early = Box::pin(hangs());
        assert!(futures_util::poll!(&mut early).is_pending());
        early
    };
    ends().await;
    let text = "[log]\nenabled = false\nconsole = \"never\"\n[server]\nlisten = \"off\"\n";
    let config = Config::parse(text, "test.toml".as_ref()).unwrap();
    let observer = Observer::builder().config(config).install().unwrap();
    ends().await;
    assert!(around(early).await.is_ok());
    let metrics = observer.metrics().unwrap();
    for (function, outcome, count) in [
        ("hangs", "timeout", 2),
        ("has_time", "timeout", 0),
        ("has_time", "error", 1),
        ("boxed", "timeout", 1),
        ("around", "ok", 1),
    ] {
        let series = format!(
            "llm_observe_calls_total{{event=\"{function}\",function=\"timeouts::{function}\",outcome=\"{outcome}\"}} {count}"
        );
        assert!(metrics.contains(&series), "no {series} in\n{metrics}");
    }
}

#[observe(timeout = "1h")]
async fn around(early: impl Future<Output = io::Result<()>>) -> io::Result<()> {
    assert!(early.await.is_err());
    Ok(())
}
