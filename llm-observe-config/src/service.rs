//! `[service]`: the identity of the service.

use crate::choice::choices;
use crate::section::Section;
use crate::value;

/// The service's identity in log lines, reports and metrics.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Service {
    /// The service's name; `OTEL_SERVICE_NAME` overrides it. Default: the package's name.
    pub name: Option<String>,
    /// The deployment environment, such as `production`; `SENTRY_ENVIRONMENT` overrides it.
    pub environment: Option<String>,
    /// The release; `SENTRY_RELEASE` overrides it. Default: the package's version.
    pub release: Option<String>,
    /// What `init!()` does when a part cannot start: a port is in use, a log folder cannot be
    /// written. A mistake in the configuration is an error whatever this says. Default: degrade.
    pub on_failure: OnFailure,
}

choices! {
    /// What happens when a part cannot start.
    pub enum OnFailure {
        /// The service starts without the part, which is tried again until it works.
        #[default]
        Degrade = "degrade",
        /// `init!()` returns the error.
        Exit = "exit",
    }
}

impl Service {
    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut service = Self::default();
        section.optional("name", &mut service.name, value::text);
        section.optional("environment", &mut service.environment, value::text);
        section.optional("release", &mut service.release, value::text);
        section.set("on_failure", &mut service.on_failure, value::choice);
        service
    }
}
