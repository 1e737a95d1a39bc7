//! What is configured and has no effect: said at start, since nothing else would show it.
//!
//! Pure: from the configuration and the features of this build to messages.

use std::collections::BTreeSet;

use llm_observe_config::{ChannelKind, Config, Console, ConsoleTarget, Format, JsonNames};

/// The features of a build that parts of the configuration need.
#[derive(Clone, Copy, Debug)]
pub(super) struct Features {
    log: bool,
    metrics: bool,
    server: bool,
    http: bool,
    http_client: bool,
    genai: bool,
    /// That of any channel or tracker.
    delivery: bool,
}

/// Those of this build.
pub(super) const BUILT: Features = Features {
    log: cfg!(feature = "log"),
    metrics: cfg!(feature = "metrics"),
    server: cfg!(feature = "server"),
    http: cfg!(feature = "http"),
    http_client: cfg!(feature = "http-client"),
    genai: cfg!(feature = "genai"),
    delivery: cfg!(feature = "delivery"),
};

/// What is known of a program besides its configuration.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Outlets {
    /// Whether it has channels from code.
    pub(super) own_channels: bool,
    /// Whether anything is delivered.
    pub(super) running: bool,
    /// Whether `SLACK_WEBHOOK_URL` is set.
    pub(super) slack_variable: bool,
}

/// Returns a message for each part of `config` without effect. `tables` are those that its text has; a
/// configuration from code has none, and its tables count where they differ from the defaults.
pub(super) fn unused(
    config: &Config,
    tables: &BTreeSet<String>,
    outlets: Outlets,
    built: Features,
) -> Vec<String> {
    let mut all = Vec::new();
    let mut no_effect = |what: &str, why: &str| all.push(format!("{what} has no effect: {why}"));
    let default = Config::default();
    let given = |table: &str, differs: bool| differs || tables.contains(table);

    if given("log", config.log != default.log) && config.log.enabled && !built.log {
        no_effect("[log]", &feature("log"));
    }
    if !config.loggers.is_empty() {
        match (built.log, config.log.enabled) {
            (false, _) => no_effect("[loggers]", &feature("log")),
            (true, false) => no_effect("[loggers]", "[log] has `enabled = false`"),
            (true, true) => {}
        }
    }
    if built.log {
        of_lines(config, &mut no_effect);
    }
    let server = given("server", config.server != default.server) && config.server.listen.is_some();
    match (server, built.server, built.metrics) {
        (true, false, _) => no_effect("[server]", &feature("server")),
        (true, true, false) => no_effect("/metrics of [server]", &feature("metrics")),
        _ => {}
    }
    if given("metrics", config.metrics != default.metrics) && !built.metrics {
        no_effect("[metrics]", &feature("metrics"));
    }
    if given("traces", config.traces != default.traces) {
        no_effect("[traces]", "this version exports no traces");
    }
    if given("genai", config.genai != default.genai) && !built.genai {
        no_effect("[genai]", &feature("genai"));
    }
    if given("prices", !config.prices.is_empty()) && !built.genai {
        no_effect("[prices]", &feature("genai"));
    }
    let events = || config.events.iter().flatten();
    for (name, _) in events().filter(|(_, event)| event.objective.is_some()) {
        let what = format!("[events.{name}.objective]");
        no_effect(&what, "this version makes no rules of objectives");
    }
    for (name, _) in events().filter(|(_, event)| event.budget.is_some() && !built.genai) {
        no_effect(&format!("[events.{name}.budget]"), &feature("genai"));
    }
    let no_baggage = config.http.baggage.is_empty();
    match (built.http, built.http_client) {
        // Baggage has an effect on `continue_trace` too.
        (false, _) if no_baggage && given("http", config.http != default.http) => {
            no_effect("[http]", &feature("http"));
        }
        (true, false) if !config.http.propagate.is_empty() => {
            no_effect("[http] propagate", &feature("http-client"));
        }
        _ => {}
    }
    if config.trackers.logrocket.is_some() && !built.http {
        no_effect("[trackers.logrocket]", &feature("http"));
    }
    if !built.delivery {
        without_delivery(config, outlets, &mut no_effect);
    }
    let has_channel = outlets.own_channels || !config.channels.is_empty();
    if !has_channel {
        let heartbeat = config.alerts.heartbeat.is_some() && built.delivery;
        if given("alerts", config.alerts != default.alerts) && !heartbeat {
            no_effect("[alerts]", "there is no channel");
        }
        for (name, _) in events().filter(|(_, event)| event.alert_on_error) {
            let what = format!("alert_on_error of [events.{name}]");
            no_effect(&what, "there is no channel");
        }
    }
    let shares = events().any(|(_, event)| event.budget.is_some()) && built.genai && built.delivery;
    if given("outbox", config.outbox != default.outbox) && !outlets.running && !shares {
        no_effect("[outbox]", "there is no channel and no tracker");
    }
    all
}

/// Keys of `[log]` that say how lines look where there are none.
fn of_lines(config: &Config, no_effect: &mut impl FnMut(&str, &str)) {
    let log = &config.log;
    let console = log.console != Console::Never;
    for (key, given) in [
        ("console_format", log.console_format.is_some()),
        (
            "console_target",
            log.console_target != ConsoleTarget::default(),
        ),
    ] {
        if given && !console {
            no_effect(&format!("[log] {key}"), "`console` is \"never\"");
        }
    }
    let own = config.loggers.values().map(|own| own.resolve(log).format);
    let files = own.chain([log.format]).filter(|_| log.enabled);
    let shown = [log.console_format, Some(log.format)].into_iter().flatten();
    let mut formats = files.chain(shown.filter(|_| console));
    if log.json_names != JsonNames::default() && formats.all(|format| format != Format::Json) {
        no_effect("[log] json_names", "no lines are JSON");
    }
}

/// What the outlets say themselves where there are any.
fn without_delivery(config: &Config, outlets: Outlets, no_effect: &mut impl FnMut(&str, &str)) {
    for (name, channel) in &config.channels {
        let needed = match channel.kind {
            ChannelKind::Slack(_) => "slack",
            ChannelKind::Email(_) => "email",
            ChannelKind::Alertmanager(_) => "alertmanager",
            ChannelKind::Pagerduty(_) => "pagerduty",
            ChannelKind::Webhook(_) => "webhook",
        };
        no_effect(&format!("[channels.{name}]"), &feature(needed));
    }
    let trackers = &config.trackers;
    for (name, given) in [
        ("sentry", trackers.sentry.is_some()),
        ("rollbar", trackers.rollbar.is_some()),
        ("airbrake", trackers.airbrake.is_some()),
    ] {
        if given {
            no_effect(&format!("[trackers.{name}]"), &feature(name));
        }
    }
    if config.alerts.heartbeat.is_some() {
        no_effect("[alerts] heartbeat", "turn on the feature of a channel");
    }
    if outlets.slack_variable && config.channels.is_empty() {
        no_effect("SLACK_WEBHOOK_URL", &feature("slack"));
    }
}

fn feature(name: &str) -> String {
    format!("turn on the feature `{name}` of llm-observe")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Features = Features {
        log: true,
        metrics: true,
        server: true,
        http: true,
        http_client: true,
        genai: true,
        delivery: true,
    };

    const NONE: Features = Features {
        log: false,
        metrics: false,
        server: false,
        http: false,
        http_client: false,
        genai: false,
        delivery: false,
    };

    /// Returns what has no effect of a file.
    fn of(text: &str, built: Features) -> Vec<String> {
        let config = Config::parse(text, "test.toml".as_ref()).unwrap();
        let outlets = Outlets {
            running: built.delivery && text.contains("[channels."),
            ..Outlets::default()
        };
        let all = unused(&config, &llm_observe_config::tables(text), outlets, built);
        let what = |message: String| message.split(" has no effect").next().unwrap().to_owned();
        all.into_iter().map(what).collect()
    }

    #[test]
    fn every_table_says_so_without_its_feature() {
        // With its default values too: it is the table that has no effect.
        for (text, needs) in [
            ("[log]\ndir = \"logs\"", Features { log: true, ..NONE }),
            (
                "[loggers.errors]\nfile = \"e.log\"",
                Features { log: true, ..NONE },
            ),
            (
                "[metrics]\nmax_label_values = 100",
                Features {
                    metrics: true,
                    ..NONE
                },
            ),
            ("[http]\nsample = 1.0", Features { http: true, ..NONE }),
            (
                "[prices]\nfile = \"prices.json\"",
                Features {
                    genai: true,
                    ..NONE
                },
            ),
            (
                "[events.a.budget]\nusd = 1\nper = \"1d\"",
                Features {
                    genai: true,
                    ..NONE
                },
            ),
            (
                "[genai]\nconventions = \"latest\"",
                Features {
                    genai: true,
                    ..NONE
                },
            ),
            (
                "[trackers.logrocket]\napp = \"a/b\"",
                Features { http: true, ..NONE },
            ),
            (
                "[trackers.sentry]\ndsn = \"env:DSN\"",
                Features {
                    delivery: true,
                    ..NONE
                },
            ),
            (
                "[trackers.rollbar]\naccess_token = \"env:T\"",
                Features {
                    delivery: true,
                    ..NONE
                },
            ),
            (
                "[channels.ops]\nkind = \"slack\"\nwebhook = \"env:W\"",
                Features {
                    delivery: true,
                    ..NONE
                },
            ),
            (
                "[server]\nlisten = \"127.0.0.1:9464\"",
                Features {
                    server: true,
                    metrics: true,
                    ..NONE
                },
            ),
        ] {
            let table = text.split('\n').next().unwrap();
            let said = of(text, NONE);
            assert_eq!(said.len(), 1, "{said:?} of {table}");
            assert!(
                table.starts_with(said[0].trim_end_matches(']')),
                "{said:?} of {table}"
            );
            assert_eq!(of(text, needs), [""; 0], "{table}");
        }
    }

    #[test]
    fn what_this_version_does_not_do_says_so_in_every_build() {
        for (text, said) in [
            ("[traces]\nsample = 1.0", "[traces]"),
            ("[events.a.objective]\nsuccess = 99", "[events.a.objective]"),
        ] {
            assert_eq!(of(text, ALL), [said]);
            assert_eq!(of(text, NONE), [said]);
        }
    }

    #[test]
    fn parts_that_lack_another_part_say_so() {
        let enabled = Features { log: true, ..NONE };
        let loggers = "[log]\nenabled = false\n[loggers.errors]\nfile = \"e.log\"";
        assert_eq!(of(loggers, enabled), ["[loggers]"]);
        assert_eq!(
            of(
                "[http]\npropagate = [\"a\"]",
                Features { http: true, ..NONE }
            ),
            ["[http] propagate"]
        );
        assert_eq!(
            of(
                "[server]\nlisten = \"127.0.0.1:0\"",
                Features {
                    server: true,
                    ..NONE
                }
            ),
            ["/metrics of [server]"]
        );
        for (text, said) in [
            (
                "console = \"never\"\nconsole_format = \"json\"",
                ["[log] console_format"].as_slice(),
            ),
            (
                "console = \"never\"\nconsole_target = \"stdout\"",
                &["[log] console_target"],
            ),
            ("json_names = \"ecs\"", &["[log] json_names"]),
            ("json_names = \"ecs\"\nformat = \"json\"", &[]),
            ("json_names = \"otel\"\nconsole_format = \"json\"", &[]),
            (
                "json_names = \"ecs\"\n[loggers.a]\nfile = \"a\"\nformat = \"json\"",
                &[],
            ),
        ] {
            assert_eq!(of(&format!("[log]\n{text}"), ALL), said, "{text}");
        }
        assert_eq!(of("[alerts]\nrepeat = \"1h\"", ALL), ["[alerts]"]);
        assert_eq!(
            of("[events.a]\nalert_on_error = true", ALL),
            ["alert_on_error of [events.a]"]
        );
        assert_eq!(of("[outbox]\nmax_age = \"1h\"", ALL), ["[outbox]"]);
        assert_eq!(of("[alerts]\nheartbeat = \"env:H\"", ALL), [""; 0]);
    }

    #[test]
    fn nothing_is_said_of_what_is_off_or_has_effect() {
        assert_eq!(of("", NONE), [""; 0]);
        assert_eq!(of("[http]\nbaggage = [\"tenant\"]", NONE), [""; 0]);
        assert_eq!(
            of("[service]\nname = \"a\"\n[redact]\nkeys = [\"q\"]", NONE),
            [""; 0]
        );
        assert_eq!(
            of("[server]\nlisten = \"off\"\n[log]\nenabled = false", NONE),
            [""; 0]
        );
        let slack = "[channels.ops]\nkind = \"slack\"\nwebhook = \"env:W\"\n";
        let all = format!(
            "{slack}[alerts]\nrepeat = \"1h\"\n[outbox]\nmax_age = \"1h\"\n\
             [events.a]\nalert_on_error = true\n[http]\npropagate = [\"a\"]\n[metrics]\n[server]\n"
        );
        assert_eq!(of(&all, ALL), [""; 0]);
    }
}
