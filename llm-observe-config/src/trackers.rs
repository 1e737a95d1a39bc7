//! `[trackers.*]`: where errors are reported.

use crate::endpoint::Endpoint;
use crate::names;
use crate::secret::Secret;
use crate::section::Section;
use crate::value;

/// The error trackers in use.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trackers {
    /// Sentry.
    pub sentry: Option<Sentry>,
    /// Rollbar.
    pub rollbar: Option<Rollbar>,
    /// Airbrake, or what speaks its protocol.
    pub airbrake: Option<Airbrake>,
    /// LogRocket, whose sessions are linked.
    pub logrocket: Option<Logrocket>,
}

/// Sentry.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Sentry {
    /// The project's DSN.
    pub dsn: Secret,
    /// Another environment than `service.environment`.
    pub environment: Option<String>,
    /// Another release than `service.release`.
    pub release: Option<String>,
    /// The share of errors that are reported, 0 to 1. Default: 1.
    pub sample_rate: f64,
    /// The organisation's pages, such as `https://ORG.sentry.io`, for alerts to link to: the DSN
    /// does not name it. Default: none.
    pub url: Option<String>,
}

impl Sentry {
    /// Returns the tracker of one project, to which every error is reported.
    pub fn new(dsn: Secret) -> Self {
        Self {
            dsn,
            environment: None,
            release: None,
            sample_rate: 1.0,
            url: None,
        }
    }
}

/// Rollbar.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Rollbar {
    /// The project's access token for server items.
    pub access_token: Secret,
    /// Another base URL than Rollbar's own.
    pub url: Option<Endpoint>,
}

impl Rollbar {
    /// Returns the tracker of one project at Rollbar's own address.
    pub fn new(access_token: Secret) -> Self {
        let url = None;
        Self { access_token, url }
    }
}

/// Airbrake, or what speaks its protocol.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Airbrake {
    /// The project's number.
    pub project_id: u64,
    /// The project's key.
    pub project_key: Secret,
    /// Another base URL than Airbrake's own.
    pub url: Option<Endpoint>,
}

impl Airbrake {
    /// Returns the tracker of one project at Airbrake's own address.
    pub fn new(project_id: u64, project_key: Secret) -> Self {
        Self {
            project_id,
            project_key,
            url: None,
        }
    }
}

/// LogRocket, whose sessions are linked.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Logrocket {
    /// The application, as `organisation/application`.
    pub app: String,
}

impl Logrocket {
    /// Returns the link to the sessions of `app`, written `organisation/application`.
    pub fn new(app: impl Into<String>) -> Self {
        Self { app: app.into() }
    }
}

impl Trackers {
    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        Self {
            sentry: section.table("sentry", Sentry::read).flatten(),
            rollbar: section.table("rollbar", Rollbar::read).flatten(),
            airbrake: section.table("airbrake", Airbrake::read).flatten(),
            logrocket: section.table("logrocket", Logrocket::read).flatten(),
        }
    }
}

impl Sentry {
    fn read(section: &Section<'_, '_>) -> Option<Self> {
        let dsn = section.required("dsn", "\"env:SENTRY_DSN\"", value::secret);
        let (mut environment, mut release, mut sample_rate) = (None, None, 1.0);
        let mut url = None;
        section.optional("environment", &mut environment, value::text);
        section.optional("release", &mut release, value::text);
        section.set("sample_rate", &mut sample_rate, value::share);
        section.optional("url", &mut url, value::base_link);
        dsn.map(|dsn| Self {
            dsn,
            environment,
            release,
            sample_rate,
            url,
        })
    }
}

impl Rollbar {
    fn read(section: &Section<'_, '_>) -> Option<Self> {
        let mut url = None;
        let token = section.required(
            "access_token",
            "\"env:ROLLBAR_ACCESS_TOKEN\"",
            value::secret,
        );
        section.optional("url", &mut url, value::endpoint);
        token.map(|access_token| Self { access_token, url })
    }
}

impl Airbrake {
    fn read(section: &Section<'_, '_>) -> Option<Self> {
        let mut url = None;
        let id = section.required("project_id", "123456", value::whole(1, u64::MAX));
        let key = section.required("project_key", "\"env:AIRBRAKE_PROJECT_KEY\"", value::secret);
        section.optional("url", &mut url, value::endpoint);
        id.zip(key).map(|(project_id, project_key)| Self {
            project_id,
            project_key,
            url,
        })
    }
}

impl Logrocket {
    fn read(section: &Section<'_, '_>) -> Option<Self> {
        let app = section.required("app", "\"organisation/application\"", names::logrocket_app);
        app.map(Self::new)
    }
}
