//! Which loggers take a line.

use llm_observe_config::Logger;
use tracing::Level;

use crate::{kernel::outcome::Outcome, observer::tracing_level};

/// What a logger of its own takes: every criterion that is set must match.
#[derive(Clone, Debug, Default)]
pub(crate) struct Select {
    events: Vec<String>,
    outcomes: Vec<Outcome>,
    level: Option<Level>,
    targets: Vec<String>,
    /// What it takes does not go to the main file.
    pub(super) exclusive: bool,
}

impl Select {
    pub(crate) fn of(logger: &Logger) -> Select {
        Select {
            events: logger.events.clone(),
            outcomes: logger
                .outcomes
                .iter()
                .filter_map(|o| Outcome::from_name(o))
                .collect(),
            level: logger.level.map(tracing_level),
            targets: logger.targets.clone(),
            exclusive: logger.exclusive,
        }
    }

    pub(super) fn takes(&self, about: &About<'_>) -> bool {
        let in_list = |list: &[String], name: Option<&str>| {
            list.is_empty() || name.is_some_and(|name| list.iter().any(|n| n == name))
        };
        in_list(&self.events, about.event)
            && (self.outcomes.is_empty()
                || about
                    .outcome
                    .is_some_and(|outcome| self.outcomes.contains(&outcome)))
            && self.level.is_none_or(|least| about.level <= least)
            && (self.targets.is_empty()
                || self
                    .targets
                    .iter()
                    .any(|prefix| is_under(about.target, prefix)))
    }
}

/// Returns whether `target` is the module `prefix` or in it.
fn is_under(target: &str, prefix: &str) -> bool {
    target
        .strip_prefix(prefix)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// What loggers select by.
pub(super) struct About<'a> {
    pub(super) level: Level,
    pub(super) target: &'a str,
    pub(super) event: Option<&'a str>,
    pub(super) outcome: Option<Outcome>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about<'a>(event: &'a str, outcome: Outcome, level: Level) -> About<'a> {
        About {
            level,
            target: "rag::db",
            event: Some(event),
            outcome: Some(outcome),
        }
    }

    #[test]
    fn every_criterion_must_match() {
        let mut logger = Logger::new("x.log");
        logger.events = vec!["embedding".to_owned()];
        logger.outcomes = vec!["error".to_owned(), "panic".to_owned()];
        let select = Select::of(&logger);
        assert!(select.takes(&about("embedding", Outcome::Panic, Level::ERROR)));
        assert!(!select.takes(&about("embedding", Outcome::Ok, Level::INFO)));
        assert!(!select.takes(&about("query", Outcome::Error, Level::ERROR)));
    }

    #[test]
    fn a_target_takes_its_modules_and_no_namesakes() {
        assert!(is_under("rag::db", "rag"));
        assert!(is_under("rag", "rag"));
        assert!(!is_under("ragtime", "rag"));
    }
}
