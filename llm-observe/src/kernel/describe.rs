//! From an error to its [`ErrorInfo`]: type, message, class and chain. Each text is taken once, and
//! none is longer than what is kept of it.

use std::error::Error;

use super::{classify, error_info::ErrorInfo, outcome::ErrorClass, pool::MOST_TEXT, user_text};

/// The longest chain of sources that is followed; a longer one is most likely a cycle.
const MAX_CHAIN: usize = 16;

/// Describes an error of type `type_name`.
pub(crate) fn error<'a>(type_name: &'static str, error: &'a (dyn Error + 'a)) -> ErrorInfo {
    let message = user_text::display(error);
    let class = classify::of_link(error, &message);
    with_sources(type_name, message, class, error)
}

/// Describes an error that is no more than a text.
pub(crate) fn text(type_name: &'static str, message: String) -> ErrorInfo {
    let class = classify::of_text(&message).unwrap_or(ErrorClass::Other);
    ErrorInfo::new(type_name, message, class)
}

/// Describes an error by its message and class, and by the chain of its sources. The nearest of them
/// that has a class gives its own to an error without one.
fn with_sources<'a>(
    type_name: &'static str,
    message: String,
    mut class: Option<ErrorClass>,
    error: &'a (dyn Error + 'a),
) -> ErrorInfo {
    let mut chain = Vec::new();
    let mut room = MOST_TEXT;
    let mut next = user_text::source(error);
    while chain.len() < MAX_CHAIN && room > 0 {
        let link = match next {
            Ok(Some(link)) => link,
            Ok(None) => break,
            Err(panic) => {
                chain.push(format!("<panicked in source: {panic}>"));
                break;
            }
        };
        let text = user_text::formatted(format_args!("{link}"), room);
        room = room.saturating_sub(text.len());
        class = class.or_else(|| classify::of_link(link, &text));
        chain.push(text);
        next = user_text::source(link);
    }
    let mut info = ErrorInfo::new(type_name, message, class.unwrap_or(ErrorClass::Other));
    info.chain = chain;
    info
}

#[cfg(test)]
mod tests {
    use std::{
        fmt, io,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use super::*;

    #[derive(Debug)]
    struct Counts {
        displayed: AtomicUsize,
        source: Option<Box<Counts>>,
    }

    impl fmt::Display for Counts {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.displayed.fetch_add(1, Ordering::Relaxed);
            f.write_str("counted")
        }
    }

    impl Error for Counts {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            self.source.as_ref().map(|source| &**source as _)
        }
    }

    #[test]
    fn each_text_is_taken_once() {
        let counts = |source| Counts {
            displayed: AtomicUsize::new(0),
            source,
        };
        let outer = counts(Some(Box::new(counts(None))));
        assert_eq!(error("Counts", &outer).chain, ["counted"]);
        let displayed = |counts: &Counts| counts.displayed.load(Ordering::Relaxed);
        assert_eq!(displayed(&outer), 1);
        assert_eq!(outer.source.as_deref().map(displayed), Some(1));
    }

    #[derive(Debug)]
    struct NoSource;

    impl fmt::Display for NoSource {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("no source")
        }
    }

    impl Error for NoSource {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            panic!("not there")
        }
    }

    #[test]
    fn a_source_that_panics_ends_the_chain() {
        let info = error("NoSource", &NoSource);
        assert_eq!(info.message, "no source");
        assert_eq!(info.chain, ["<panicked in source: not there>"]);
    }

    #[test]
    fn a_chain_that_is_its_own_source_ends() {
        #[derive(Debug)]
        struct Cycle;
        impl fmt::Display for Cycle {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&"x".repeat(10_000))
            }
        }
        impl Error for Cycle {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&Cycle)
            }
        }
        let chain = error("Cycle", &Cycle).chain;
        assert_eq!(chain.len(), 7);
        assert!(chain.iter().map(String::len).sum::<usize>() < MOST_TEXT + 100);
    }

    #[test]
    fn the_nearest_telling_source_decides() {
        let io = io::Error::from(io::ErrorKind::ConnectionRefused);
        let outer = crate::error::Error::with("embedding failed", io);
        assert_eq!(error("Error", &outer).class, ErrorClass::Connection);
    }
}
