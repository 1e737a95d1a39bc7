//! A dead man's switch: a URL that is called while the process lives, for services such as
//! healthchecks.io. When the calls stop, the service alerts.

use std::{future::Future, time::Duration};

use llm_observe_config as config;

use crate::{
    error::Error,
    kernel::{metrics_table as names, stats::Stats},
    outbox::http::{HttpClient, HttpRequest},
};

/// Returns the task that calls `alerts.heartbeat`; `None` when none is configured.
///
/// A failed call is counted (`llm_observe_heartbeats_total`) and not retried: the next one is due
/// soon.
///
/// # Errors
///
/// When the URL cannot be read.
pub(crate) fn task(
    alerts: &config::Alerts,
    stats: &Stats,
) -> Result<Option<impl Future<Output = ()> + Send + use<>>, Error> {
    let Some(secret) = &alerts.heartbeat else {
        return Ok(None);
    };
    let url = secret
        .read()
        .map_err(|e| Error::with("alerts.heartbeat", e))?;
    Ok(Some(beat(
        url,
        alerts.heartbeat_every,
        HttpClient::new()?,
        stats,
    )))
}

fn beat(
    url: String,
    every: Duration,
    http: HttpClient,
    stats: &Stats,
) -> impl Future<Output = ()> + Send + use<> {
    let count = |result| stats.counter(names::HEARTBEATS, &[("result", result)]);
    let (delivered, failed) = (count("delivered"), count("failed"));
    async move {
        loop {
            let request = HttpRequest::get(&url).timeout(every.min(Duration::from_secs(20)));
            match http.send(request).await {
                Ok(reply) if reply.status < 300 => delivered.add(1),
                _ => failed.add(1),
            }
            tokio::time::sleep(every).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread, time::Instant};

    use super::*;
    use crate::{
        listener::{Listener, Reply},
        outbox::{Outbox, OutboxOptions},
    };

    #[test]
    fn it_calls_for_as_long_as_the_outbox_lives() {
        let listener = Listener::start(Reply::status(200, "OK"))
            .script([Reply::Close, Reply::status(500, "")]);
        let stats = Arc::<Stats>::default();
        let outbox = Outbox::open(OutboxOptions::default(), Vec::new(), stats.clone()).unwrap();
        outbox.spawn(beat(
            listener.url("/uuid"),
            Duration::from_millis(50),
            HttpClient::new().unwrap(),
            &stats,
        ));
        let calls = listener.wait_for(5);
        assert_eq!(calls[4].line, "GET /uuid HTTP/1.1");
        let count = |result| {
            stats
                .counter(names::HEARTBEATS, &[("result", result)])
                .get()
        };
        let start = Instant::now();
        // The two scripted failures; on a busy machine more may time out.
        while count("failed") < 2 || count("delivered") < 2 {
            assert!(start.elapsed() < Duration::from_secs(20));
            thread::yield_now();
        }
        drop(outbox);
        let made = listener.requests().len();
        thread::sleep(Duration::from_millis(120));
        assert!(listener.requests().len() <= made + 1, "it goes on");
        assert!(task(&config::Alerts::default(), &stats).unwrap().is_none());
    }
}
