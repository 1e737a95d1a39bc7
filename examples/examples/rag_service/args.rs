//! The command line.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;

/// The text of `--help`.
pub(crate) const HELP: &str = "\
Answers questions from a folder of Markdown, observed by llm-observe.

Usage: rag_service [--docs DIR] [--listen ADDR] [--once] [--break-embedding]

  --docs DIR         the folder; default: the example's corpus and this repository's documents
  --listen ADDR      where to serve POST /ask and GET /healthz; default 127.0.0.1:8080
  --once             ask a few questions, check what was observed, and end
  --break-embedding  embed questions at a port where nothing listens, to see errors and an alert
  --help             print this

Environment:
  OPENAI_BASE_URL    an OpenAI-compatible server to embed and answer with, for example
                     https://api.openai.com/v1; without it nothing leaves this machine
  OPENAI_API_KEY, OPENAI_EMBEDDING_MODEL, OPENAI_CHAT_MODEL
  SLACK_WEBHOOK_URL  where alerts go
  SENTRY_DSN         where errors go
  LLM_OBSERVE_CONFIG a file to use instead of the built-in llm-observe.toml
";

/// The parsed command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Args {
    pub(crate) docs: Option<PathBuf>,
    pub(crate) listen: String,
    pub(crate) once: bool,
    pub(crate) break_embedding: bool,
    pub(crate) help: bool,
}

impl Default for Args {
    fn default() -> Self {
        let listen = "127.0.0.1:8080".to_owned();
        Self {
            docs: None,
            listen,
            once: false,
            break_embedding: false,
            help: false,
        }
    }
}

/// Why the command line is invalid.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ArgsError {
    Unknown(OsString),
    Missing(&'static str),
}

impl fmt::Display for ArgsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(arg) => {
                write!(
                    f,
                    "unknown argument `{}`; --help lists all",
                    arg.to_string_lossy()
                )
            }
            Self::Missing(flag) => write!(f, "{flag} needs a value; --help shows which"),
        }
    }
}

impl std::error::Error for ArgsError {}

impl Args {
    /// Parses the arguments, without the program's name.
    ///
    /// # Errors
    /// An argument is unknown or lacks its value.
    pub(crate) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, ArgsError> {
        let mut parsed = Self::default();
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            match arg.to_str() {
                Some("--docs") => {
                    parsed.docs = Some(args.next().ok_or(ArgsError::Missing("--docs"))?.into());
                }
                Some("--listen") => {
                    let value = args.next().ok_or(ArgsError::Missing("--listen"))?;
                    parsed.listen = value.into_string().map_err(ArgsError::Unknown)?;
                }
                Some("--once") => parsed.once = true,
                Some("--break-embedding") => parsed.break_embedding = true,
                Some("--help" | "-h") => parsed.help = true,
                _ => return Err(ArgsError::Unknown(arg)),
            }
        }
        Ok(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Args, ArgsError> {
        Args::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn without_arguments_it_serves_on_loopback() {
        let args = parse("").expect("nothing is fine");
        assert_eq!(
            (args.listen.as_str(), args.once, args.docs),
            ("127.0.0.1:8080", false, None)
        );
    }

    #[test]
    fn every_argument_is_read() {
        let args = parse("--once --docs d --listen 127.0.0.1:0 --break-embedding").expect("fine");
        let listen = "127.0.0.1:0".to_owned();
        let docs = Some(PathBuf::from("d"));
        assert_eq!(
            args,
            Args {
                docs,
                listen,
                once: true,
                break_embedding: true,
                help: false
            }
        );
    }

    #[test]
    fn what_is_unknown_or_lacks_its_value_is_named() {
        assert_eq!(parse("--onec"), Err(ArgsError::Unknown("--onec".into())));
        assert_eq!(parse("--docs"), Err(ArgsError::Missing("--docs")));
    }
}
