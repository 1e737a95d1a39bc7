//! The pages that a message links to.

use llm_observe_config::Config;

use super::notice::Notice;

/// The pages of other systems, from the configuration.
#[derive(Debug)]
pub(super) struct AlertLinks {
    dashboard: Option<String>,
    /// With `{trace_id}` in it.
    trace: Option<String>,
    /// The organisation's pages in Sentry.
    sentry: Option<String>,
}

impl AlertLinks {
    pub(super) fn new(config: &Config) -> AlertLinks {
        let sentry = config.trackers.sentry.as_ref();
        AlertLinks {
            dashboard: config.alerts.dashboard.clone(),
            trace: config.alerts.trace_url.clone(),
            sentry: sentry.and_then(|sentry| sentry.url.clone()),
        }
    }

    /// Adds the pages to `notice`; those of a trace only when it has one.
    pub(super) fn add(&self, notice: Notice) -> Notice {
        let id = Some(&notice.trace_id).filter(|id| !id.is_empty());
        Notice {
            dashboard: self.dashboard.clone(),
            trace_url: self
                .trace
                .as_ref()
                .zip(id)
                .map(|(url, id)| url.replace("{trace_id}", id)),
            sentry_url: self
                .sentry
                .as_ref()
                .zip(id)
                .map(|(url, id)| issues(url, id)),
            ..notice
        }
    }
}

/// Returns Sentry's search for issues with an event of that trace, by its property `trace`.
fn issues(organisation: &str, id: &str) -> String {
    let base = organisation.trim_end_matches('/');
    format!("{base}/issues/?query=trace%3A{id}")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::alerts::NoticeStatus;

    fn linked(text: &str, trace_id: &str) -> Vec<(&'static str, String)> {
        let config = Config::parse(text, Path::new("llm-observe.toml")).unwrap();
        let notice = Notice {
            trace_id: trace_id.into(),
            ..Notice::empty(NoticeStatus::Firing, 0)
        };
        let notice = AlertLinks::new(&config).add(notice);
        notice
            .links()
            .map(|(label, url)| (label, url.to_owned()))
            .collect()
    }

    #[test]
    fn only_configured_pages_are_linked() {
        assert_eq!(linked("", "4bf9"), []);
        let all = "[alerts]\ndashboard = \"https://g.example/d/rag\"\n\
                   trace_url = \"https://t.example/?id={trace_id}&x=1\"\n\
                   [trackers.sentry]\ndsn = \"env:SENTRY_DSN\"\nurl = \"https://acme.sentry.io/\"\n";
        let wanted = [
            ("Trace", "https://t.example/?id=4bf9&x=1".to_owned()),
            (
                "Sentry",
                "https://acme.sentry.io/issues/?query=trace%3A4bf9".to_owned(),
            ),
            ("Dashboard", "https://g.example/d/rag".to_owned()),
        ];
        assert_eq!(linked(all, "4bf9"), wanted);
        assert_eq!(
            linked(all, ""),
            [wanted[2].clone()],
            "a digest has no trace"
        );
    }
}
