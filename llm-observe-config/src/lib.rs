//! The schema of `llm-observe.toml`: its types with their defaults, its parser, and every rule.
//!
//! The macros check the file with it when a crate compiles. The runtime loads the file with it when a
//! program starts. So both accept and reject the same files. It does not know what the settings are
//! used for. It opens no socket and no file but the configuration and, on request, the secrets that
//! the configuration names. It logs nothing.
//!
//! ```
//! use std::path::Path;
//! use llm_observe_config::Config;
//!
//! let text = "[channels.ops]\nkind = \"slack\"\nwebhok = \"env:SLACK_WEBHOOK_URL\"\n";
//! let errors = Config::parse(text, Path::new("llm-observe.toml")).unwrap_err();
//! assert!(errors.to_string().contains(
//!     "llm-observe.toml:3:1: unknown key `webhok` in [channels.ops]; did you mean `webhook`?"
//! ));
//! ```
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::cast_possible_truncation
    )
)]

mod alerts;
mod channels;
mod choice;
mod config;
mod endpoint;
mod events;
mod find;
mod findings;
mod genai;
mod http;
mod log;
mod loggers;
mod manifest;
mod message;
mod named_tables;
mod names;
mod outbox;
mod outlets;
mod prices;
mod problem;
mod references;
mod rules;
mod secret;
mod section;
mod service;
mod suggest;
mod syntax;
mod trackers;
pub mod units;
mod value;
mod value_error;

pub use alerts::Alerts;
pub use channels::{
    Alertmanager, Channel, ChannelKind, Email, Pagerduty, Severity, Slack, Tls, Webhook,
};
pub use choice::UnknownWord;
pub use config::{Config, tables};
pub use endpoint::{BadEndpoint, Endpoint};
pub use events::{Budget, Event, Objective};
pub use find::{FILE_NAME, find};
pub use genai::{Conventions, Genai};
pub use http::{Http, Redact};
pub use log::{
    Console, ConsoleTarget, Format, JsonNames, Level, Log, Rotate, Subscriber, Timezone,
};
pub use loggers::Logger;
pub use manifest::dependencies;
pub use names::valid_event_name;
pub use outbox::Outbox;
pub use outlets::{Metrics, Server, Traces};
pub use prices::{Price, Prices};
pub use problem::{Errors, Problem};
pub use secret::{LiteralSecret, MissingSecret, Secret};
pub use service::{OnFailure, Service};
pub use suggest::suggest;
pub use trackers::{Airbrake, Logrocket, Rollbar, Sentry, Trackers};
