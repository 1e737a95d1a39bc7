//! The configuration that is in force: the embedded file, or the one that `LLM_OBSERVE_CONFIG`
//! names, under the standard variables.

use std::{collections::BTreeSet, env, fs, path::Path};

use llm_observe_config::{Config, Secret, Subscriber};

use super::{Embedded, Installs};
use crate::{
    error::Error,
    kernel::service::{Service, UNKNOWN_HOST},
};

/// The configuration, and the identity of the service.
#[derive(Clone, Debug, Default)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) service: Service,
    /// The tables that the file has; none for a configuration from code.
    pub(crate) tables: BTreeSet<String>,
    /// Whether the configuration itself names a project of Sentry, not only `SENTRY_DSN`.
    pub(crate) own_sentry: bool,
    /// What the program may install by itself.
    pub(crate) installs: Installs,
}

/// Reads a variable; an empty one counts as unset.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.trim().is_empty())
}

impl Settings {
    /// Returns what is in force for a program with that embedded configuration.
    pub(crate) fn load(embedded: Option<Embedded>) -> Result<Settings, Error> {
        match variable("LLM_OBSERVE_CONFIG") {
            Some(path) => Settings::read(Path::new(&path), embedded),
            None => match embedded.and_then(|e| e.config) {
                Some((text, path)) => Settings::parse(text, Path::new(path), embedded),
                None => Ok(Settings::over(Config::default(), embedded)),
            },
        }
    }

    /// Returns what is in force under the configuration file at `path`.
    pub(crate) fn read(path: &Path, embedded: Option<Embedded>) -> Result<Settings, Error> {
        let text = fs::read_to_string(path).map_err(|e| {
            let what = format!("cannot read the configuration {}", path.display());
            Error::with(what, e)
        })?;
        Settings::parse(&text, path, embedded)
    }

    fn parse(text: &str, path: &Path, embedded: Option<Embedded>) -> Result<Settings, Error> {
        Ok(Settings {
            tables: llm_observe_config::tables(text),
            ..Settings::over(parse(text, path)?, embedded)
        })
    }

    /// Puts the standard variables over `config`.
    pub(crate) fn over(mut config: Config, embedded: Option<Embedded>) -> Settings {
        let own_sentry = config.trackers.sentry.is_some();
        use_sentry_variables(&mut config);
        let service = identify(&config, embedded);
        let installs = installs(&config, embedded);
        Settings {
            config,
            service,
            tables: BTreeSet::new(),
            own_sentry,
            installs,
        }
    }
}

/// Returns what the program may install by itself: where the configuration does not say, by its
/// dependencies.
fn installs(config: &Config, embedded: Option<Embedded>) -> Installs {
    let known = embedded.map(|e| e.installs).unwrap_or_default();
    Installs {
        subscriber: known.subscriber && config.log.subscriber == Subscriber::Auto,
        ..known
    }
}

pub(crate) fn parse(text: &str, path: &Path) -> Result<Config, Error> {
    Config::parse(text, path).map_err(|e| Error::with("the configuration has mistakes", e))
}

fn use_sentry_variables(config: &mut Config) {
    if variable("SENTRY_DSN").is_some() {
        let dsn = Secret::Env("SENTRY_DSN".to_owned());
        match &mut config.trackers.sentry {
            Some(sentry) => sentry.dsn = dsn,
            none => *none = Some(llm_observe_config::Sentry::new(dsn)),
        }
    }
}

fn identify(config: &Config, embedded: Option<Embedded>) -> Service {
    let resource = variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default();
    let of_resource = |keys: &[&str]| keys.iter().find_map(|key| attribute(&resource, key));
    let own = &config.service;
    let package = embedded.map(|e| e.package.to_owned());
    let version = embedded.map(|e| e.version.to_owned());
    Service {
        name: variable("OTEL_SERVICE_NAME")
            .or_else(|| of_resource(&["service.name"]))
            .or_else(|| own.name.clone())
            .or(package)
            .unwrap_or_else(|| "unknown_service".to_owned()),
        environment: variable("SENTRY_ENVIRONMENT")
            .or_else(|| of_resource(&["deployment.environment.name", "deployment.environment"]))
            .or_else(|| own.environment.clone())
            .unwrap_or_else(|| "production".to_owned()),
        release: variable("SENTRY_RELEASE")
            .or_else(|| of_resource(&["service.version"]))
            .or_else(|| own.release.clone())
            .or(version)
            .unwrap_or_default(),
        host: host(),
    }
}

/// Returns the value of `key` in `key=value,key=value`, percent-encoding left as it is.
fn attribute(list: &str, key: &str) -> Option<String> {
    let mut pairs = list.split(',').filter_map(|pair| pair.split_once('='));
    let value = pairs.find(|(k, _)| k.trim() == key)?.1.trim();
    (!value.is_empty()).then(|| value.to_owned())
}

fn host() -> String {
    variable("HOSTNAME")
        .or_else(|| fs::read_to_string("/proc/sys/kernel/hostname").ok())
        .map_or_else(|| UNKNOWN_HOST.to_owned(), |name| name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::attribute;

    #[test]
    fn resource_attributes_are_found_by_key() {
        let list = "service.name=rag, service.version = 1.2,broken,empty=";
        assert_eq!(attribute(list, "service.version").as_deref(), Some("1.2"));
        assert_eq!(attribute(list, "empty"), None);
        assert_eq!(attribute(list, "name"), None);
    }
}
