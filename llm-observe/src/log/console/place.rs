//! Whether lines go to the console, and how they look there. Pure: from facts to a decision.

use std::{env, io::IsTerminal, path::Path};

use llm_observe_config::{Console, ConsoleTarget, Format, Log};

/// What is known of the process and its console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Whether the console is a terminal.
    pub(super) terminal: bool,
    /// Whether the process runs in a container.
    pub(super) container: bool,
    /// Whether there are log files: else the console is the only place for lines.
    pub(super) files: bool,
    /// Whether `NO_COLOR` is set (no-color.org).
    pub(super) no_colour: bool,
}

/// How lines are written to the console.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) format: Format,
    pub(super) coloured: bool,
}

impl Place {
    /// Returns what is known of this process.
    pub(super) fn here(target: ConsoleTarget, files: bool) -> Place {
        Place {
            terminal: match target {
                ConsoleTarget::Stderr => std::io::stderr().is_terminal(),
                ConsoleTarget::Stdout => std::io::stdout().is_terminal(),
            },
            container: is_container(
                std::process::id(),
                |name| env::var_os(name).is_some_and(|value| !value.is_empty()),
                |path| Path::new(path).exists(),
            ),
            files,
            no_colour: env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty()),
        }
    }

    /// Returns how lines look on the console; `None` where they do not go there.
    pub(super) fn look(self, log: &Log) -> Option<Look> {
        let shown = match log.console {
            Console::Always => true,
            Console::Never => false,
            Console::Auto => self.terminal || self.container || !self.files,
        };
        let usual = if self.terminal {
            Format::Text
        } else {
            log.format
        };
        let format = log.console_format.unwrap_or(usual);
        shown.then_some(Look {
            format,
            coloured: self.terminal && !self.no_colour && format == Format::Text,
        })
    }
}

/// Files that Docker and Podman put into their containers.
const FILES: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];

/// Variables of a process in a container: of Kubernetes, and of Podman, LXC and systemd-nspawn
/// (<https://systemd.io/CONTAINER_INTERFACE>).
const VARIABLES: [&str; 2] = ["KUBERNETES_SERVICE_HOST", "container"];

/// Returns whether one of the signs of a container is there. A service that is process 1 has a
/// namespace of its own.
fn is_container(
    process: u32,
    has_variable: impl Fn(&str) -> bool,
    exists: impl Fn(&str) -> bool,
) -> bool {
    process == 1 || VARIABLES.into_iter().any(has_variable) || FILES.into_iter().any(exists)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAEMON: Place = Place {
        terminal: false,
        container: false,
        files: true,
        no_colour: false,
    };
    const TERMINAL: Place = Place {
        terminal: true,
        ..DAEMON
    };
    const CONTAINER: Place = Place {
        container: true,
        ..DAEMON
    };
    const WITHOUT_FILES: Place = Place {
        files: false,
        ..DAEMON
    };

    fn log(console: Console) -> Log {
        let mut log = Log::default();
        log.console = console;
        log
    }

    #[test]
    fn auto_means_a_terminal_a_container_or_no_files() {
        let auto = log(Console::Auto);
        assert_eq!(DAEMON.look(&auto), None);
        for place in [TERMINAL, CONTAINER, WITHOUT_FILES] {
            assert!(place.look(&auto).is_some(), "{place:?}");
            assert_eq!(place.look(&log(Console::Never)), None, "{place:?}");
        }
        assert!(DAEMON.look(&log(Console::Always)).is_some());
    }

    #[test]
    fn a_terminal_has_coloured_text_and_a_pipe_the_format_of_the_files() {
        let mut log = log(Console::Always);
        let plain = |format| {
            Some(Look {
                format,
                coloured: false,
            })
        };
        let coloured = Some(Look {
            format: Format::Text,
            coloured: true,
        });
        for (format, of_pipe) in [(Format::Text, Format::Text), (Format::Json, Format::Json)] {
            log.format = format;
            assert_eq!(TERMINAL.look(&log), coloured);
            assert_eq!(CONTAINER.look(&log), plain(of_pipe));
        }
        let grey = Place {
            no_colour: true,
            ..TERMINAL
        };
        assert_eq!(grey.look(&log), plain(Format::Text));
    }

    #[test]
    fn console_format_holds_everywhere() {
        let mut log = log(Console::Always);
        log.console_format = Some(Format::Json);
        for place in [DAEMON, TERMINAL, CONTAINER, WITHOUT_FILES] {
            let look = place.look(&log).unwrap();
            assert_eq!((look.format, look.coloured), (Format::Json, false));
        }
        (log.format, log.console_format) = (Format::Json, Some(Format::Text));
        assert_eq!(CONTAINER.look(&log).unwrap().format, Format::Text);
        assert!(TERMINAL.look(&log).unwrap().coloured);
    }

    #[test]
    fn each_sign_of_a_container_counts_by_itself() {
        let none = |_: &str| false;
        assert!(!is_container(7, none, none));
        assert!(is_container(1, none, none));
        for name in ["KUBERNETES_SERVICE_HOST", "container"] {
            assert!(is_container(7, |variable| variable == name, none));
        }
        for name in ["/.dockerenv", "/run/.containerenv"] {
            assert!(is_container(7, none, |path| path == name));
        }
    }
}
