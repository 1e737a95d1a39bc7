//! Every rule of `llm-observe.toml`: one mistake, one problem, with its position and its whole text.

use std::path::Path;
use std::time::Duration;

use llm_observe_config::{
    ChannelKind, Config, Endpoint, Errors, Format, Level, OnFailure, Rotate, Secret, Severity, Tls,
};

const PATH: &str = "llm-observe.toml";

fn parse(text: &str) -> Result<Config, Errors> {
    Config::parse(text, Path::new(PATH))
}

fn right(text: &str) -> Config {
    parse(text).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Asserts that `text` has exactly these problems, in this order.
#[track_caller]
fn wrong(text: &str, problems: &[&str]) {
    let errors = parse(text).expect_err(text).to_string();
    let prefix = format!("{PATH}:");
    let errors: Vec<_> = errors
        .lines()
        .map(|line| line.strip_prefix(&prefix).unwrap())
        .collect();
    assert_eq!(errors, problems, "{text}");
}

/// Asserts that `[table]` with one line has exactly this problem, on that line.
#[track_caller]
fn wrong_line(table: &str, line: &str, problem: &str) {
    let name = line.split_once(' ').unwrap().0;
    let column = line.find("= ").unwrap() + 3;
    let problem = format!("2:{column}: `{name}` in [{table}] {problem}");
    wrong(&format!("[{table}]\n{line}\n"), &[&problem]);
}

#[test]
fn nothing_is_the_default() {
    assert_eq!(right(""), Config::default());
    assert_eq!(right("\u{feff}# nothing\r\n"), Config::default());
}

#[test]
fn service() {
    let set = right("[service]\non_failure = \"exit\"\n").service;
    assert_eq!(set.on_failure, OnFailure::Exit);
    wrong_line(
        "service",
        "on_failure = \"exits\"",
        "must be one of `degrade`, `exit`; did you mean `exit`?",
    );
}

#[test]
fn the_example_of_the_design() {
    let config = right(
        r#"
[service]
name = "rag-service"
environment = "production"
[log]
dir = "logs"
format = "json"
max_bytes = "10MB"
rotate = "daily"
max_age = "14d"
max_total_bytes = "1GB"
compress = true
mode = "0640"
buffer_bytes = "1MiB"
max_wait = "250ms"
[loggers.errors]
file = "errors.log"
outcomes = ["error", "panic", "timeout"]
[loggers.embedding]
file = "embedding.log"
events = ["embedding"]
level = "debug"
max_bytes = "1MB"
buffer_bytes = "128KiB"
[events.embedding]
description = "Text to vector"
slow = "2s"
alert_on_error = true
channels = ["ops"]
objective = { success = 99.5, latency = "800ms", percentile = 95 }
[events."vector.search"]
objective = { success = 99, latency = "1s" }
[channels.ops]
kind = "slack"
webhook = "env:SLACK_WEBHOOK_URL"
severities = ["error", "critical"]
[alerts]
group_wait = "2s"
[trackers.sentry]
dsn = "env:SENTRY_DSN"
[server]
listen = "off"
[traces]
otlp = "http://localhost:4318"
[prices]
file = "prices.json"
"my-model" = { input = 0.5, output = 1, cache_read = 0.05, cache_creation = 0.6 }
"#,
    );
    assert_eq!(config.service.name.as_deref(), Some("rag-service"));
    assert_eq!(
        (config.log.format, config.log.rotate),
        (Format::Json, Rotate::Daily)
    );
    assert_eq!((config.log.max_bytes, config.log.mode), (10_000_000, 0o640));
    assert_eq!(
        (config.log.buffer_bytes, config.log.max_wait),
        (1 << 20, Duration::from_millis(250))
    );
    let embedding = config.loggers["embedding"].resolve(&config.log);
    assert_eq!(embedding.buffer_bytes, 128 << 10);
    assert_eq!(
        (embedding.file.as_str(), embedding.max_bytes),
        ("embedding.log", 1_000_000)
    );
    assert_eq!(
        (embedding.level, embedding.format),
        (Level::Debug, Format::Json)
    );
    let events = config.events.unwrap();
    assert_eq!(events["embedding"].slow, Some(Duration::from_secs(2)));
    let objective = events["vector.search"].objective.clone().unwrap();
    assert_eq!(
        (objective.success, objective.percentile),
        (99.0, Some(99.0))
    );
    let ops = &config.channels["ops"];
    assert_eq!(ops.severities, [Severity::Error, Severity::Critical]);
    let ChannelKind::Slack(slack) = &ops.kind else {
        panic!("{ops:?}")
    };
    assert_eq!(slack.webhook, Secret::Env("SLACK_WEBHOOK_URL".into()));
    assert_eq!(config.server.listen, None);
    assert_eq!(
        config.traces.otlp,
        Some(Endpoint::Url("http://localhost:4318".into()))
    );
    assert_eq!(config.prices.file, Some("prices.json".into()));
    let price = config.prices.models["my-model"];
    assert_eq!((price.input, price.output), (0.5, 1.0));
    assert_eq!(
        (price.cache_read, price.cache_creation),
        (Some(0.05), Some(0.6))
    );
    assert_eq!(config.prices.models.len(), 1);
}

#[test]
fn an_empty_catalogue_is_a_catalogue() {
    assert_eq!(
        right("[events]\n").events.map(|events| events.len()),
        Some(0)
    );
    assert_eq!(right("").events, None);
}

#[test]
fn the_port_follows_the_encryption() {
    let text =
        "[channels.m]\nkind = \"email\"\nhost = \"h\"\nfrom = \"a@b\"\nto = [\"Ops <c@d>\"]\n";
    for (line, tls, port) in [
        ("", Tls::Starttls, 587),
        ("tls = \"tls\"", Tls::Tls, 465),
        ("tls = \"none\"\nport = 2525", Tls::None, 2525),
    ] {
        let config = right(&format!("{text}{line}\n"));
        let ChannelKind::Email(email) = &config.channels["m"].kind else {
            panic!("{config:?}")
        };
        assert_eq!((email.tls, email.port), (tls, port));
    }
}

#[test]
fn unknown_keys_and_tables() {
    wrong(
        "[channels.ops]\nkind = \"slack\"\nwebhok = \"env:A\"\n",
        &["3:1: unknown key `webhok` in [channels.ops]; did you mean `webhook`?"],
    );
    wrong(
        "[servce]\nname = \"x\"\n",
        &["1:2: unknown table `servce`; did you mean `service`?"],
    );
    wrong(
        "level = \"info\"\n",
        &[
            "1:1: unknown key `level` outside of any table; known here: `service`, `log`, `loggers`, \
         `events`, `channels`, `alerts`, `trackers`, `server`, `metrics`, `traces`, `http`, `redact`, \
         `outbox`, `genai`, `prices`",
        ],
    );
    wrong(
        "[traces]\nfoo = 1\n",
        &["2:1: unknown key `foo` in [traces]; known here: `otlp`, `sample`"],
    );
    wrong(
        "[traces]\nsk-proj-0123456789abcdef = 1\n",
        &["2:1: unknown key in [traces]; known here: `otlp`, `sample`"],
    );
    wrong(
        "[trackers.bugsnag]\nkey = 1\n",
        &[
            "1:11: unknown table `bugsnag` in [trackers]; known here: `sentry`, `rollbar`, `airbrake`, \
         `logrocket`",
        ],
    );
    wrong(
        "[events.a.objectiv]\nsuccess = 99\n",
        &["1:11: unknown table `objectiv` in [events.a]; did you mean `objective`?"],
    );
}

#[test]
fn a_dot_in_a_name_needs_quotes() {
    wrong(
        "[events.rag.query]\nslow = \"2s\"\n[loggers.a]\nfile = \"a.log\"\nevents = [\"rag.query\"]\n",
        &[
            "1:13: [events.rag.query] needs quotes around a name with a dot; write [events.\"rag.query\"]",
        ],
    );
    wrong(
        "[prices]\ngpt-4.1 = { input = 1, output = 2 }\n",
        &[
            "2:7: [prices.gpt-4.1] needs quotes around a name with a dot; write [prices.\"gpt-4.1\"]",
        ],
    );
}

#[test]
fn wrong_types() {
    wrong(
        "log = 3\n",
        &["1:1: `log` must be a table, not an integer; write [log] and its keys below"],
    );
    wrong(
        "[loggers]\nfive = 3\n",
        &[
            "2:1: `five` in [loggers] must be a table, not an integer; write [loggers.five] and its keys below",
        ],
    );
    for (line, problem) in [
        (
            "dir = 3",
            "must be a string, not an integer; write it in quotes, or leave the key out",
        ),
        (
            "dir = \"\"",
            "is empty; write it in quotes, or leave the key out",
        ),
        (
            "dir = \"a\\nb\"",
            "holds a control character; write it in one line",
        ),
        (
            "dir = \"env:A\"",
            "is not a secret; write the value itself: only secrets and URLs are read from elsewhere",
        ),
        (
            "max_bytes = 10000000",
            "must be a size in quotes, not an integer; write \"10MB\", \"64KiB\" or \"1GB\"",
        ),
        (
            "compress = \"yes\"",
            "must be true or false, not a string; write true or false, without quotes",
        ),
        (
            "rotate = true",
            "must be a word in quotes, not a boolean; write \"never\" or \"hourly\" or \"daily\"",
        ),
        (
            "backups = \"5\"",
            "must be a whole number from 1 to 10000, not a string; write it without quotes",
        ),
        (
            "backups = 1.5",
            "must be a whole number from 1 to 10000, not a number; write it without quotes",
        ),
    ] {
        wrong_line("log", line, problem);
    }
    wrong_line(
        "alerts",
        "default_channels = \"ops\"",
        "must be a list, not a string; write it in brackets, such as [\"a\", \"b\"]",
    );
}

#[test]
fn log_ranges_and_words() {
    for (line, problem) in [
        (
            "format = \"jsn\"",
            "must be one of `text`, `json`; did you mean `json`?",
        ),
        (
            "level = \"warning\"",
            "must be one of `trace`, `debug`, `info`, `warn`, `error`; did you mean `warn`?",
        ),
        (
            "console = \"sometimes\"",
            "must be one of `auto`, `always`, `never`",
        ),
        (
            "console_format = \"jsn\"",
            "must be one of `text`, `json`; did you mean `json`?",
        ),
        (
            "console_target = \"out\"",
            "must be one of `stderr`, `stdout`",
        ),
        (
            "json_names = \"elastic\"",
            "must be one of `default`, `otel`, `ecs`",
        ),
        (
            "subscriber = \"theirs\"",
            "must be one of `auto`, `own`, `program`",
        ),
        ("timezone = \"Berlin\"", "must be one of `utc`, `local`"),
        ("backups = 0", "must be a whole number from 1 to 10000"),
        ("backups = -1", "must be a whole number from 1 to 10000"),
        ("max_bytes = \"999B\"", "must be at least 1KB"),
        (
            "max_bytes = \"10mb\"",
            "has an unknown unit; write `MB` right after the number",
        ),
        ("max_value_bytes = \"1B\"", "must be at least 16B"),
        ("buffer_bytes = \"63KiB\"", "must be at least 64KiB"),
        ("buffer_bytes = \"2GiB\"", "must be at most 1GiB"),
        ("max_wait = \"61s\"", "must be at most 1m"),
        (
            "max_age = \"0s\"",
            "must be above 0; write a longer one, or leave the key out",
        ),
        (
            "max_total_bytes = \"1MB\"",
            "must be at least `max_bytes`; `max_bytes` is \"10MB\" here",
        ),
    ] {
        wrong_line("log", line, problem);
    }
    wrong(
        "[log]\nmax_total_bytes = \"20MB\"\n[loggers.a]\nfile = \"a.log\"\nmax_bytes = \"30MB\"\n",
        &[
            "5:13: `max_bytes` in [loggers.a] must be at most `max_total_bytes`; `max_bytes` is \"30MB\" here",
        ],
    );
}

#[test]
fn permission_bits() {
    let help = "write them in octal and in quotes, from \"0600\" to \"0777\"";
    wrong_line(
        "log",
        "mode = 600",
        &format!("must be permission bits in quotes, not an integer; {help}"),
    );
    for mode in ["0888", "1600", "rw", "+600", "00600", ""] {
        let problem = format!("is not the permission bits of a file; {help}");
        wrong_line("log", &format!("mode = \"{mode}\""), &problem);
    }
    wrong_line(
        "log",
        "mode = \"0400\"",
        &format!("must let the owner read and write; {help}"),
    );
    assert_eq!(right("[log]\nmode = \"0777\"\n").log.mode, 0o777);
    assert_eq!(right("[log]\nmode = \"644\"\n").log.mode, 0o644);
}

#[test]
fn log_files() {
    let path = "must be a file's name without a path; write the name alone, such as \"app.log\"; \
                `dir` in [log] is the folder";
    for name in [
        "../x.log",
        "/x.log",
        "a/b.log",
        "a\\\\b.log",
        "..",
        "a..log",
    ] {
        wrong_line("log", &format!("file = \"{name}\""), path);
    }
    wrong(
        "[loggers.a]\nlevel = \"warn\"\n",
        &["1:10: [loggers.a] has no `file`; write `file = \"NAME.log\"`"],
    );
    wrong(
        "[loggers.a]\nfile = \"app.log\"\n",
        &["2:8: [loggers.a] writes the same file as [log]; give each its own `file`"],
    );
    wrong(
        "[loggers.b]\nfile = \"x.log\"\n[loggers.a]\nfile = \"X.log\"\n",
        &["4:8: [loggers.a] writes the same file as [loggers.b]; give each its own `file`"],
    );
    wrong(
        "[loggers.a]\nfile = \"app.log.1\"\n",
        &[
            "2:8: `file` in [loggers.a] looks like a rotated file of [log]; write a name that does not begin \
         with the other and a number",
        ],
    );
}

#[test]
fn what_loggers_select() {
    wrong(
        "[loggers.a]\nfile = \"a.log\"\noutcomes = [\"error\", \"timeot\", 3]\n",
        &[
            "3:22: `outcomes` in [loggers.a] must be one of `ok`, `error`, `timeout`, `cancelled`, `panic`; \
         did you mean `timeout`?",
            "3:32: `outcomes` in [loggers.a] must be a string, not an integer; write it in quotes, or leave \
         the key out",
        ],
    );
    let logger = "[loggers.a]\nfile = \"a.log\"\nevents = [\"embeding\"]\n";
    right(logger);
    wrong(
        &format!("{logger}[events.embedding]\n"),
        &[
            "3:11: `events` in [loggers.a] names an unknown event `embeding`; did you mean `embedding`?",
        ],
    );
    wrong(
        &format!("{logger}[events]\n"),
        &[
            "3:11: `events` in [loggers.a] names an unknown event `embeding`; write [events.embeding] for it",
        ],
    );
    wrong(
        "[loggers.\"a b\"]\nfile = \"a.log\"\n",
        &[
            "1:10: `a b` in [loggers] is not a name; write up to 64 letters, digits, `_`, `-` and `.`",
        ],
    );
}

#[test]
fn events() {
    let name = "is not an event's name; write small letters, digits, `_` and `.`, a letter first, such as \
                `vector.search`";
    wrong(
        "[events.Bad]\n",
        &[&format!("1:9: `Bad` in [events] {name}")],
    );
    for (line, problem) in [
        (
            "slow = \"2\"",
            "has no unit; write \"250ms\", \"2s\", \"1m30s\", \"4h\" or \"14d\"",
        ),
        (
            "runbook = \"docs/x\"",
            "is not the address of a web page, without user and password; write \"https://HOST/PAGE\"",
        ),
        (
            "sample = 2",
            "is not a share; write a number from 0 to 1, such as 0.25 for a quarter",
        ),
        (
            "severity = \"crit\"",
            "must be one of `info`, `warning`, `error`, `critical`; did you mean `critical`?",
        ),
    ] {
        wrong_line("events.a", line, problem);
    }
    wrong(
        "[events.a]\nchannels = [\"op\"]\n[channels.ops]\nkind = \"slack\"\n",
        &[
            "2:13: `channels` in [events.a] names an unknown channel `op`; did you mean `ops`?",
            "3:11: [channels.ops] has no `webhook`; write `webhook = \"env:SLACK_WEBHOOK_URL\"`",
        ],
    );
    wrong(
        "[events.a]
channels = [\"xoxb-123-456-789-abc\"]
",
        &["2:13: `channels` in [events.a] names an unknown channel; write [channels.NAME] for it"],
    );
}

#[test]
fn objectives() {
    for success in ["0", "100", "-1", "nan", "inf"] {
        wrong_line(
            "events.a.objective",
            &format!("success = {success}"),
            "must be above 0 and below 100 per cent; write a number, such as 99.5",
        );
    }
    wrong(
        "[events.a]\nobjective = { latency = \"1s\" }\n",
        &["2:1: [events.a.objective] has no `success`; write `success = 99.5`"],
    );
    wrong(
        "[events.a]\nobjective = { success = 99, percentile = 99 }\n",
        &[
            "2:42: `percentile` in [events.a.objective] needs a `latency`; write `latency = \"800ms\"` beside it",
        ],
    );
}

#[test]
fn budgets() {
    let config = right("[events.a]\nbudget = { usd = 50, per = \"1d\" }\n");
    let budget = config.events.unwrap()["a"].budget.clone().unwrap();
    assert_eq!((budget.usd, budget.period_text()), (50.0, "1d".to_owned()));
    for usd in ["0", "-1.0", "nan", "inf"] {
        wrong_line(
            "events.a.budget",
            &format!("usd = {usd}\nper = \"1d\""),
            "must be an amount above 0; write US dollars, such as 50.0",
        );
    }
    wrong(
        "[events.a]\nbudget = { usd = 1 }\n[events.b]\nbudget = { per = \"59s\", eur = 1 }\n",
        &[
            "2:1: [events.a.budget] has no `per`; write `per = \"1d\"`",
            "4:1: [events.b.budget] has no `usd`; write `usd = 50.0`",
            "4:18: `per` in [events.b.budget] must be from 1m to 366d; write \"1d\" for a day",
            "4:25: unknown key `eur` in [events.b.budget]; known here: `usd`, `per`",
        ],
    );
}

#[test]
fn channels() {
    wrong(
        "[channels.a]\nkind = \"slak\"\nwebhook = 1\n",
        &[
            "2:8: `kind` in [channels.a] must be one of `slack`, `email`, `alertmanager`, `pagerduty`, `webhook`; \
         did you mean `slack`?",
        ],
    );
    wrong(
        "[channels.a]\n",
        &["1:11: [channels.a] has no `kind`; write `kind = \"slack\"`"],
    );
    wrong(
        "[channels.a]\nkind = \"slack\"\nwebhook = \"https://hooks.slack.com/x\"\nmax_per_minute = 0\n",
        &[
            "3:11: `webhook` in [channels.a] must not hold the secret itself; write \"env:NAME\" or \"file:PATH\", \
         and keep the secret there",
            "4:18: `max_per_minute` in [channels.a] must be a whole number from 1 to 10000",
        ],
    );
    wrong(
        "[channels.a]\nkind = \"webhook\"\nurl = \"env:my var\"\n",
        &[
            "3:7: `url` in [channels.a] does not name an environment variable; write \"env:NAME\", the name of \
         letters, digits and `_`",
        ],
    );
    wrong(
        "[channels.a]\nkind = \"alertmanager\"\nurl = \"http://u:p@am:9093\"\nlabels = { \"a-b\" = \"x\", b = 3 }\n",
        &[
            "3:7: `url` in [channels.a] must not hold a user, a password or a query; write \"env:NAME\" or \
         \"file:PATH\", and keep the URL there",
            "4:12: `a-b` in [channels.a.labels] is not a label's name; write letters, digits and `_`, no digit first",
            "4:29: `b` in [channels.a.labels] must be a string, not an integer; write it in quotes, or leave the \
         key out",
        ],
    );
    wrong(
        "[alerts]\ndefault_channels = [\"ops\"]\n",
        &[
            "2:21: `default_channels` in [alerts] names an unknown channel `ops`; write [channels.ops] for it",
        ],
    );
}

#[test]
fn email() {
    let start = "[channels.a]\nkind = \"email\"\n";
    wrong(
        start,
        &[
            "1:11: [channels.a] has no `from`; write `from = \"service@example.org\"`",
            "1:11: [channels.a] has no `host`; write `host = \"smtp.example.org\"`",
            "1:11: [channels.a] has no `to`; write `to = [\"ops@example.org\"]`",
        ],
    );
    wrong(
        &format!(
            "{start}host = \"smtp.example.org:25\"\nfrom = \"x\"\nto = []\npassword = \"env:A\"\n"
        ),
        &[
            "3:8: `host` in [channels.a] is not a host's name; write \"smtp.example.org\", and the port as `port`",
            "4:8: `from` in [channels.a] is not an e-mail address; write \"ops@example.org\" or \"Ops <ops@example.org>\"",
            "6:12: `password` in [channels.a] needs a `username`; write `username = \"NAME\"`",
        ],
    );
    wrong(
        &format!("{start}host = \"h\"\nfrom = \"a@b\"\nto = []\nusername = \"u\"\n"),
        &[
            "5:6: `to` in [channels.a] is empty; write at least one address, such as [\"ops@example.org\"]",
            "6:12: `username` in [channels.a] needs a `password`; write `password = \"env:NAME\"`",
        ],
    );
}

#[test]
fn alerts_and_trackers() {
    wrong_line(
        "alerts",
        "quiet_hours = \"22-7\"",
        "is not a span of hours; write the start and the end, such as \"22:00-07:00\"",
    );
    wrong_line(
        "alerts",
        "group_wait = \"2 s\"",
        "has an unknown unit; write `s` right after the number",
    );
    wrong(
        "[trackers.airbrake]\nproject_id = 0\n",
        &[
            "1:11: [trackers.airbrake] has no `project_key`; write `project_key = \"env:AIRBRAKE_PROJECT_KEY\"`",
            "2:14: `project_id` in [trackers.airbrake] must be a whole number of 1 or more",
        ],
    );
    wrong_line(
        "trackers.logrocket",
        "app = \"x\"",
        "is not a LogRocket application; write \"organisation/application\"",
    );
}

#[test]
fn outlets() {
    let listen = "is not a socket address; write \"127.0.0.1:9464\", \"0.0.0.0:9464\", \"[::1]:9464\" or \"off\"";
    wrong_line("server", "listen = \"localhost:9464\"", listen);
    wrong_line("server", "listen = \":9464\"", listen);
    let public = "can be reached from other machines, so a token is needed; add `token = \"env:LLM_OBSERVE_TOKEN\"`, or listen on 127.0.0.1";
    for address in ["0.0.0.0:9464", "[::]:9464", "10.0.0.7:9464"] {
        wrong_line("server", &format!("listen = \"{address}\""), public);
    }
    for address in ["127.0.0.1:0", "127.1.2.3:1", "[::1]:9464", "off"] {
        right(&format!("[server]\nlisten = \"{address}\"\n"));
    }
    let served = right("[server]\nlisten = \"0.0.0.0:9464\"\ntoken = \"env:TOKEN\"\n").server;
    assert_eq!(served.token, Some(Secret::Env("TOKEN".into())));
    // One mistake is one problem.
    let literal = "must not hold the secret itself; write \"env:NAME\" or \"file:PATH\", and keep the secret there";
    wrong(
        "[server]\nlisten = \"0.0.0.0:9464\"\ntoken = \"hunter2\"\n",
        &[&format!("3:9: `token` in [server] {literal}")],
    );
    wrong_line(
        "metrics",
        "extra_buckets = [1, 0.5]",
        "must be in rising order; write each bound once, the smallest first",
    );
    wrong_line(
        "metrics",
        "duration_buckets = []",
        "is empty; write bounds in seconds, such as [0.1, 1, 10], or leave the key out",
    );
    wrong_line(
        "traces",
        "otlp = \"localhost:4317\"",
        "is not a URL; write \"http://HOST:PORT\", \"https://HOST\" or \"env:NAME\"",
    );
    wrong_line(
        "traces",
        "sample = nan",
        "is not a share; write a number from 0 to 1, such as 0.25 for a quarter",
    );
    wrong_line("outbox", "max_bytes = \"1KB\"", "must be at least 64KiB");
}

#[test]
fn hosts_that_get_the_trace() {
    let config = right("[http]\npropagate = [\"API.internal\", \"*.example.org\", \"::1\"]\n");
    assert_eq!(
        config.http.propagate,
        ["api.internal", "*.example.org", "::1"]
    );
    for host in [
        "*",
        "*.",
        "a.*.b",
        "https://api.internal",
        "api.internal:80",
        "a b",
        "user@a",
        ".a",
        "a/b",
    ] {
        wrong(
            &format!("[http]\npropagate = [\"{host}\"]\n"),
            &[
                "2:14: `propagate` in [http] must hold names of hosts, without scheme and port; write \
              \"api.internal\", or \"*.example.org\" for all names under it",
            ],
        );
    }
}

#[test]
fn keys_of_baggage() {
    let config = right("[http]\nbaggage = [\"tenant\", \"user.id\"]\n");
    assert_eq!(config.http.baggage, ["tenant", "user.id"]);
    for key in ["a b", "a=b", "a,b", "ä", &"k".repeat(65)] {
        wrong(
            &format!("[http]\nbaggage = [\"{key}\"]\n"),
            &[
                "2:12: `baggage` in [http] must hold keys of baggage; write up to 64 letters, digits, `_`, \
              `-` and `.`, such as \"tenant\"",
            ],
        );
    }
}

#[test]
fn http_and_prices() {
    right(
        "[http]\nalert_on = [\"5xx\", \"429\", \"slow\"]\nignore = [\"/healthz\", \"/s/*\"]\nheaders = [\"x-request-id\"]\n",
    );
    wrong(
        "[http]\nalert_on = [\"200\"]\nignore = [\"healthz\", \"/a*b\"]\nheaders = [\"a b\"]\n",
        &[
            "2:13: `alert_on` in [http] must hold outcomes of requests; write \"5xx\", \"429\", \"slow\", \"timeout\", \
         \"cancelled\" or \"panic\"",
            "3:11: `ignore` in [http] must hold paths of requests; write \"/healthz\", or \"/static/*\" for all below",
            "3:22: `ignore` in [http] must hold paths of requests; write \"/healthz\", or \"/static/*\" for all below",
            "4:12: `headers` in [http] must hold names of headers; write \"x-request-id\"",
        ],
    );
    wrong(
        "[prices]\nm = { input = -1, output = \"2\" }\nn = { input = inf, output = nan }\n",
        &[
            "2:15: `input` in [prices.m] must be a price of 0 or more; write US dollars per million tokens, such as 0.5",
            "2:28: `output` in [prices.m] must be a number, not a string; write US dollars per million tokens, such as 0.5",
            "3:15: `input` in [prices.n] must be a price of 0 or more; write US dollars per million tokens, such as 0.5",
            "3:29: `output` in [prices.n] must be a price of 0 or more; write US dollars per million tokens, such as 0.5",
        ],
    );
}

#[test]
fn conventions_of_genai() {
    use llm_observe_config::Conventions;
    assert_eq!(right("").genai.conventions, Conventions::Released);
    let latest = right("[genai]\nconventions = \"latest\"\n");
    assert_eq!(latest.genai.conventions, Conventions::Latest);
    wrong(
        "[genai]\nconventions = \"1.42\"\nconvention = 1\n",
        &[
            "2:15: `conventions` in [genai] must be one of `1.41`, `latest`; did you mean `1.41`?",
            "3:1: unknown key `convention` in [genai]; did you mean `conventions`?",
        ],
    );
}

#[test]
fn a_price_file_and_prices_of_models() {
    assert!(right("[prices]\n").prices.is_empty());
    assert!(!right("[prices]\nfile = \"p.json\"\n").prices.is_empty());
    wrong(
        "[prices]\nfile = 1\nflie = \"p.json\"\nm = 2\n",
        &[
            "2:8: `file` in [prices] must be a string, not an integer; write it in quotes, or leave the key out",
            "3:1: unknown key `flie` in [prices]; did you mean `file`?",
            "4:1: `m` in [prices] must be a table, not an integer; write [prices.m] and its keys below",
        ],
    );
    wrong(
        "[prices]\nm = { input = 1, output = 2, cache_raed = 0.1, cache_creation = -0.1 }\n",
        &[
            "2:30: unknown key `cache_raed` in [prices.m]; did you mean `cache_read`?",
            "2:65: `cache_creation` in [prices.m] must be a price of 0 or more; write US dollars per million tokens, such as 0.5",
        ],
    );
}

#[test]
fn syntax() {
    wrong(
        "[log]\nfile = \"x\"\nfile = \"y\"\n[log\n",
        &[
            "3:1: duplicate key; write each key and each table once",
            "4:5: unclosed table, expected `]`",
        ],
    );
}

#[test]
fn a_file_that_is_not_there() {
    let errors = Config::load(Path::new("/nonexistent/llm-observe.toml")).unwrap_err();
    let text = errors.to_string();
    assert!(
        text.starts_with("/nonexistent/llm-observe.toml: cannot be read: "),
        "{text}"
    );
}

#[test]
fn links_to_other_systems() {
    let config = right(
        "[alerts]\ntrace_url = \"https://tempo.example/trace/{trace_id}?x=1\"\n\
         [trackers.sentry]\ndsn = \"env:D\"\nurl = \"https://acme.sentry.io\"\n",
    );
    let trace = config.alerts.trace_url.as_deref();
    assert_eq!(trace, Some("https://tempo.example/trace/{trace_id}?x=1"));
    let sentry = config.trackers.sentry.unwrap();
    assert_eq!(sentry.url.as_deref(), Some("https://acme.sentry.io"));
    wrong_line(
        "alerts",
        "trace_url = \"https://tempo.example/trace/\"",
        "does not say where the trace's id belongs; write \"https://HOST/trace/{trace_id}\"",
    );
    for url in [
        "tempo.example/{trace_id}",
        "https://user:pw@tempo.example/{trace_id}",
        "https://{trace_id}.example/",
        "https://tempo.example/{trace_id}/{span_id}",
    ] {
        wrong_line(
            "alerts",
            &format!("trace_url = \"{url}\""),
            "is not the address of a web page, without user and password; write \
             \"https://HOST/trace/{trace_id}\"",
        );
    }
    wrong(
        "[trackers.sentry]\ndsn = \"env:D\"\nurl = \"https://acme.sentry.io/?a=1\"\n",
        &[
            "3:7: `url` in [trackers.sentry] must not hold a query; write \"https://HOST\" or \
             \"https://HOST/PATH\"",
        ],
    );
}
