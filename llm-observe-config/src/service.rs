//! `[service]`: the identity of the service.

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
}

impl Service {
    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut service = Self::default();
        section.optional("name", &mut service.name, value::text);
        section.optional("environment", &mut service.environment, value::text);
        section.optional("release", &mut service.release, value::text);
        service
    }
}
