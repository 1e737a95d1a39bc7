//! Everything that leaves the process, from the configuration: channels, trackers, the outbox.
//!
//! A channel or tracker without its secret is off, with a message on standard error: a service must
//! start on a machine without a webhook.

use std::{sync::Arc, time::Duration};

use llm_observe_config::{Channel as Configured, ChannelKind, Secret, Slack};

use super::{
    FlushReport, Part, SendTestResult, Settings,
    degraded::Attempt,
    own_outlets::{OwnOutlets, StartedOutlets},
    variable,
};
use crate::{
    alerts::{self, AlertOptions, AlertSink, Channel},
    breadcrumbs::Breadcrumbs,
    error::Error,
    kernel::{sink::Sink, stats::Stats},
    outbox::{Delivery, Destination, Outbox, OutboxOptions, Parcel, origin::Origin},
    own_thread::{deadline, left},
    redact::Redactor,
    trackers::{Tracker, TrackerSink},
    warn::warn,
};

/// The running outlets. They stop in this order, which is that of the data flow.
struct Outlets {
    alerts: Option<Arc<AlertSink>>,
    trackers: Option<Arc<TrackerSink>>,
    breadcrumbs: Option<Arc<Breadcrumbs>>,
    outbox: Outbox,
    /// The destinations' names.
    names: Vec<String>,
}

/// Starts what the configuration and the program name; `None` when they name nothing.
pub(crate) fn start(
    settings: &mut Settings,
    own: &mut OwnOutlets,
    redactor: &Arc<Redactor>,
    stats: &Arc<Stats>,
) -> Result<Option<StartedOutlets>, Error> {
    use_slack_variable(settings, own);
    let mut channels = std::mem::take(&mut own.channels);
    for (name, configured) in &settings.config.channels {
        keep(
            &format!("channel `{name}`"),
            channel(name, configured),
            &mut channels,
        );
    }
    let mut trackers = std::mem::take(&mut own.trackers);
    if let Some(tracker) = existing_sentry(settings) {
        trackers.push(tracker);
    } else if let Some(sentry) = &settings.config.trackers.sentry {
        let built = build::sentry(sentry, origin(settings));
        keep("tracker `sentry`", built, &mut trackers);
    }
    if let Some(rollbar) = &settings.config.trackers.rollbar {
        let built = build::rollbar(rollbar, origin(settings));
        keep("tracker `rollbar`", built, &mut trackers);
    }
    if let Some(airbrake) = &settings.config.trackers.airbrake {
        let built = build::airbrake(airbrake, origin(settings));
        keep("tracker `airbrake`", built, &mut trackers);
    }
    let heartbeat = heartbeat(settings, stats);
    if channels.is_empty() && trackers.is_empty() && heartbeat.is_none() {
        return Ok(None);
    }
    let names = channels
        .iter()
        .map(|c| c.name())
        .chain(trackers.iter().map(|t| t.name()));
    let names = names.map(str::to_owned).collect();
    let outbox = open(settings, &channels, &trackers, stats)?;
    if let Some(heartbeat) = heartbeat {
        outbox.spawn(heartbeat);
    }
    let alerts = match channels.is_empty() {
        true => None,
        false => {
            let options = AlertOptions {
                config: &settings.config,
                origin: origin(settings),
            };
            let alerts =
                AlertSink::start(options, channels, outbox.clone(), redactor.clone(), stats)?;
            Some(Arc::new(alerts))
        }
    };
    let trackers = match trackers.is_empty() {
        true => None,
        false => Some(Arc::new(TrackerSink::start(
            trackers,
            outbox.clone(),
            redactor.clone(),
            stats,
        )?)),
    };
    let outlets = Outlets {
        alerts,
        breadcrumbs: trackers.as_ref().map(|_| Arc::new(Breadcrumbs)),
        trackers,
        outbox,
        names,
    };
    Ok(Some(StartedOutlets {
        sinks: outlets.sinks(),
        no_folder: no_folder(&outlets.outbox),
        part: Box::new(outlets),
    }))
}

/// Returns why the outbox works in memory, if it does, and what tries its folder again.
fn no_folder(outbox: &Outbox) -> Option<(Error, Attempt)> {
    let error = outbox.take_no_folder()?;
    // Without a handle: the outbox stops with its part.
    let reopen = outbox.reopen();
    let attempt = move || {
        reopen()?;
        Ok("the outbox has its folder, and what waits is in it".to_owned())
    };
    Some((error, Box::new(attempt)))
}

/// With no channel configured and `SLACK_WEBHOOK_URL` set, alerts go there.
fn use_slack_variable(settings: &mut Settings, own: &OwnOutlets) {
    const NAME: &str = "SLACK_WEBHOOK_URL";
    let config = &mut settings.config;
    if config.channels.is_empty() && own.channels.is_empty() && variable(NAME).is_some() {
        let slack = Slack::new(Secret::Env(NAME.to_owned()));
        let channel = Configured::new(ChannelKind::Slack(slack));
        config.channels.insert("slack".to_owned(), channel);
    }
}

fn keep<T: ?Sized>(what: &str, built: Result<Arc<T>, Error>, kept: &mut Vec<Arc<T>>) {
    match built {
        Ok(built) => kept.push(built),
        Err(error) => warn(&format!("{what} is off: {error}")),
    }
}

fn channel(name: &str, configured: &Configured) -> Result<Arc<dyn Channel>, Error> {
    match &configured.kind {
        ChannelKind::Slack(slack) => build::slack(name, slack),
        ChannelKind::Alertmanager(alertmanager) => build::alertmanager(name, alertmanager),
        ChannelKind::Pagerduty(pagerduty) => build::pagerduty(name, pagerduty),
        ChannelKind::Webhook(webhook) => build::webhook(name, webhook),
        ChannelKind::Email(email) => build::email(name, email),
    }
}

fn open(
    settings: &Settings,
    channels: &[Arc<dyn Channel>],
    trackers: &[Arc<dyn Tracker>],
    stats: &Arc<Stats>,
) -> Result<Outbox, Error> {
    let config = &settings.config.outbox;
    let dir = Some(config.folder(&settings.config.log));
    let limits = OutboxOptions::new(dir, config.max_bytes, config.max_age);
    let channels = channels.iter().map(|c| c.clone() as Arc<dyn Destination>);
    let trackers = trackers.iter().map(|t| t.clone() as Arc<dyn Destination>);
    Outbox::open(limits, channels.chain(trackers).collect(), stats.clone())
}

impl Outlets {
    /// Returns the sinks of the outlets.
    fn sinks(&self) -> Vec<Arc<dyn Sink>> {
        let alerts = self.alerts.iter().map(|a| a.clone() as Arc<dyn Sink>);
        let trackers = self.trackers.iter().map(|t| t.clone() as Arc<dyn Sink>);
        // After the trackers: a call is no breadcrumb of its own report.
        let breadcrumbs = self.breadcrumbs.iter().map(|b| b.clone() as Arc<dyn Sink>);
        alerts.chain(trackers).chain(breadcrumbs).collect()
    }

    fn deliver(&self, limit: Duration, report: &mut FlushReport) {
        let delivered = self.outbox.flush(limit);
        report.delivered += delivered.delivered();
        report.kept += delivered.kept();
        report.unsaved += delivered.unsaved();
    }

    fn test(&self, parcel: Parcel, limit: Duration) -> Option<SendTestResult> {
        let destination = parcel.destination.clone();
        let answer = match self.outbox.deliver_now(parcel, limit)? {
            Delivery::Delivered => Ok(()),
            Delivery::Retry { reason, .. } | Delivery::Refused { reason } => Err(reason),
        };
        Some(SendTestResult {
            destination,
            answer,
        })
    }
}

impl Part for Outlets {
    fn flush(&self, limit: Duration, report: &mut FlushReport) {
        let deadline = deadline(limit);
        if let Some(alerts) = &self.alerts {
            alerts.flush(left(deadline) / 2);
        }
        if let Some(trackers) = &self.trackers {
            trackers.flush(left(deadline) / 2);
        }
        self.deliver(left(deadline), report);
    }

    fn stop(&self, limit: Duration, report: &mut FlushReport) {
        let deadline = deadline(limit);
        if let Some(alerts) = &self.alerts {
            alerts.close(left(deadline) / 2);
        }
        if let Some(trackers) = &self.trackers {
            trackers.close(left(deadline) / 2);
        }
        let time = left(deadline);
        self.deliver(time - time / 10, report);
        self.outbox.stop(left(deadline));
    }

    fn send_test(&self, limit: Duration) -> Vec<SendTestResult> {
        let parcels = self.names.iter().filter_map(|name| {
            let alert = self
                .alerts
                .as_ref()
                .and_then(|alerts| alerts.test_parcel(name));
            alert.or_else(|| self.trackers.as_ref()?.test_parcel(name))
        });
        parcels
            .filter_map(|parcel| self.test(parcel, limit))
            .collect()
    }
}

/// Returns the task of the dead man's switch, when there is one.
fn heartbeat(
    settings: &Settings,
    stats: &Stats,
) -> Option<impl Future<Output = ()> + Send + use<>> {
    let task = alerts::heartbeat::task(&settings.config.alerts, stats);
    task.unwrap_or_else(|error| {
        warn(&format!("the heartbeat is off: {error}"));
        None
    })
}

/// Returns the tracker over the program's own Sentry client, when there is one, or may be one, and the
/// configuration names no project. `SENTRY_DSN` then belongs to that client.
fn existing_sentry(settings: &Settings) -> Option<Arc<dyn Tracker>> {
    if settings.own_sentry {
        return None;
    }
    if let Some(tracker) = build::existing_client(origin(settings)) {
        warn("Sentry is initialised already and is used as it is");
        return Some(tracker);
    }
    let later = settings.installs.sentry && settings.config.trackers.sentry.is_none();
    later
        .then(|| build::later_client(origin(settings)))
        .flatten()
}

/// Returns the service that alerts and reports.
fn origin(settings: &Settings) -> Origin {
    let service = &settings.service;
    Origin {
        service: service.name.clone(),
        environment: service.environment.clone(),
        release: service.release.clone(),
        host: service.host.clone(),
    }
}

/// The constructors of all outlets; without its feature, one that names the feature.
mod build {
    /// Names the constructor of an outlet, or an error that names its feature.
    macro_rules! outlet {
        ($feature:literal, $name:ident, $path:path, ($($arg:ty),*) -> $built:ty) => {
            #[cfg(feature = $feature)]
            pub(super) use $path as $name;

            #[cfg(not(feature = $feature))]
            pub(super) fn $name($(_: $arg),*) -> Result<std::sync::Arc<$built>, super::Error> {
                let help = concat!("turn on the feature `", $feature, "` of llm-observe");
                Err(super::Error::new(help))
            }
        };
    }

    #[cfg(feature = "sentry")]
    pub(super) use trackers::sentry::existing_client;

    #[cfg(feature = "sentry")]
    pub(super) fn later_client(origin: Origin) -> Option<std::sync::Arc<dyn Tracker>> {
        Some(trackers::sentry::later_client(origin))
    }

    #[cfg(not(feature = "sentry"))]
    pub(super) fn later_client(_: Origin) -> Option<std::sync::Arc<dyn Tracker>> {
        None
    }

    #[cfg(not(feature = "sentry"))]
    pub(super) fn existing_client(_: Origin) -> Option<std::sync::Arc<dyn Tracker>> {
        None
    }

    #[allow(unused_imports, reason = "named only for outlets whose feature is off")]
    use llm_observe_config as config;

    #[allow(unused_imports, reason = "named only for outlets whose feature is off")]
    use super::{Channel, Origin, Tracker};
    #[allow(unused_imports, reason = "named only for outlets whose feature is on")]
    use crate::{alerts, trackers};

    outlet!("slack", slack, alerts::slack::channel, (&str, &config::Slack) -> dyn Channel);
    outlet!("email", email, alerts::email::channel, (&str, &config::Email) -> dyn Channel);
    outlet!("alertmanager", alertmanager, alerts::alertmanager::channel, (&str, &config::Alertmanager) -> dyn Channel);
    outlet!("pagerduty", pagerduty, alerts::pagerduty::channel, (&str, &config::Pagerduty) -> dyn Channel);
    outlet!("webhook", webhook, alerts::webhook::channel, (&str, &config::Webhook) -> dyn Channel);
    outlet!("sentry", sentry, trackers::sentry::tracker, (&config::Sentry, Origin) -> dyn Tracker);
    outlet!("rollbar", rollbar, trackers::rollbar::tracker, (&config::Rollbar, Origin) -> dyn Tracker);
    outlet!("airbrake", airbrake, trackers::airbrake::tracker, (&config::Airbrake, Origin) -> dyn Tracker);
}
