//! Secrets: the file names their location. They are read when needed, and never shown.

use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::path::PathBuf;
use std::str::FromStr;

/// The longest secret in bytes. A longer file is the wrong file.
const LONGEST: u64 = 64 * 1024;

/// The location of a secret: `env:NAME` or `file:PATH`. It never holds the secret itself.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Secret {
    /// The environment variable of this name.
    Env(String),
    /// The file at this path, without its trailing newline.
    File(PathBuf),
}

impl Secret {
    /// Reads the secret, without trailing newlines.
    ///
    /// # Errors
    ///
    /// When the variable or the file is missing, empty, longer than 64 KiB or not UTF-8. The error
    /// names it, and never shows what is in it.
    pub fn read(&self) -> Result<String, MissingSecret> {
        let value = match self {
            Self::Env(name) => variable(name),
            Self::File(path) => contents(path),
        };
        let value = value.map_err(|cause| self.missing(cause))?;
        let value = value.trim_end_matches(['\n', '\r']);
        if value.is_empty() {
            return Err(self.missing(Cause::Empty));
        }
        Ok(value.to_owned())
    }

    fn missing(&self, cause: Cause) -> MissingSecret {
        let secret = self.clone();
        MissingSecret { secret, cause }
    }
}

fn variable(name: &str) -> Result<String, Cause> {
    // `var_os` panics on names that cannot be a variable's.
    if !valid_variable(name) {
        return Err(Cause::Unset);
    }
    let value = std::env::var_os(name).ok_or(Cause::Unset)?;
    value.into_string().map_err(|_| Cause::NotUtf8)
}

fn contents(path: &PathBuf) -> Result<String, Cause> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(Cause::Unreadable)?;
    file.take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(Cause::Unreadable)?;
    if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > LONGEST {
        return Err(Cause::TooLong);
    }
    String::from_utf8(bytes).map_err(|_| Cause::NotUtf8)
}

fn valid_variable(name: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !name.starts_with(|c: char| c.is_ascii_digit()) && !name.is_empty() && name.chars().all(word)
}

impl FromStr for Secret {
    type Err = LiteralSecret;

    fn from_str(text: &str) -> Result<Self, LiteralSecret> {
        if let Some(name) = text.strip_prefix("env:") {
            let valid = valid_variable(name).then(|| Self::Env(name.to_owned()));
            return valid.ok_or(LiteralSecret::VARIABLE);
        }
        match text.strip_prefix("file:") {
            Some("") => Err(LiteralSecret::PATH),
            Some(path) if path.contains('\0') => Err(LiteralSecret::PATH),
            Some(path) => Ok(Self::File(PathBuf::from(path))),
            None => Err(LiteralSecret::LITERAL),
        }
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{}", path.display()),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The error for a text that is not the location of a secret. It never shows the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LiteralSecret {
    message: &'static str,
    help: &'static str,
}

impl LiteralSecret {
    const LITERAL: Self = Self {
        message: "must not hold the secret itself",
        help: "write \"env:NAME\" or \"file:PATH\", and keep the secret there",
    };
    const VARIABLE: Self = Self {
        message: "does not name an environment variable",
        help: "write \"env:NAME\", the name of letters, digits and `_`",
    };
    const PATH: Self = Self {
        message: "does not name a file",
        help: "write \"file:PATH\"",
    };

    /// Returns what is wrong.
    pub const fn message(&self) -> &'static str {
        self.message
    }

    /// Returns what to write.
    pub const fn help(&self) -> &'static str {
        self.help
    }
}

impl fmt::Display for LiteralSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}; {}", self.message, self.help)
    }
}

impl std::error::Error for LiteralSecret {}

/// The error for a secret that cannot be read from its location.
#[derive(Debug)]
pub struct MissingSecret {
    secret: Secret,
    cause: Cause,
}

#[derive(Debug)]
enum Cause {
    Unset,
    Empty,
    NotUtf8,
    TooLong,
    Unreadable(io::Error),
}

impl MissingSecret {
    /// Returns the secret that is missing.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }
}

impl fmt::Display for MissingSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.secret {
            Secret::Env(name) => write!(f, "environment variable {name} ")?,
            Secret::File(path) => write!(f, "secret file {} ", path.display())?,
        }
        f.write_str(match self.cause {
            Cause::Unset => "is not set; set it to the secret",
            Cause::Empty => "is empty; put the secret there",
            Cause::NotUtf8 => "is not UTF-8; put the secret there as text",
            Cause::TooLong => "is longer than 64 KiB; name the file of the secret alone",
            Cause::Unreadable(_) => "cannot be read; check its path and its permissions",
        })
    }
}

impl std::error::Error for MissingSecret {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.cause {
            Cause::Unreadable(error) => Some(error),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;
    use std::path::Path;

    struct TempFile(PathBuf);

    impl TempFile {
        fn new(name: &str, bytes: &[u8]) -> Self {
            let name = format!("llm-observe-config-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(name);
            std::fs::write(&path, bytes).unwrap();
            Self(path)
        }

        fn secret(&self) -> Secret {
            Secret::File(self.0.clone())
        }
    }

    impl Drop for TempFile {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }

    #[test]
    fn says_where_a_secret_is() {
        assert_eq!("env:A_1".parse(), Ok(Secret::Env("A_1".into())));
        assert_eq!(
            "file:/run/x".parse(),
            Ok(Secret::File(Path::new("/run/x").into()))
        );
        let secret: Secret = "file:/run/x".parse().unwrap();
        assert_eq!(format!("{secret} {secret:?}"), "file:/run/x file:/run/x");
    }

    #[test]
    fn a_literal_is_refused_and_not_shown() {
        for text in [
            "hunter2", "", "env:", "env:a b", "env:1A", "env:A=B", "file:", "ENV:A",
        ] {
            let error = text.parse::<Secret>().unwrap_err().to_string();
            assert!(text.len() < 6 || !error.contains(text), "{error}");
            assert!(error.contains("; write \""), "{error}");
        }
    }

    #[test]
    fn reads_a_file_without_its_trailing_newline() {
        let file = TempFile::new("newline", b" s3cret \r\n");
        assert_eq!(file.secret().read().unwrap(), " s3cret ");
    }

    #[test]
    fn reads_a_variable() {
        // Cargo sets it for every test; setting one here would race with the other tests.
        let folder = Secret::Env("CARGO_MANIFEST_DIR".into()).read().unwrap();
        assert_eq!(folder, env!("CARGO_MANIFEST_DIR"));
    }

    #[test]
    fn says_why_a_secret_is_missing() {
        let unset = Secret::Env("LLM_OBSERVE_SURELY_UNSET".into())
            .read()
            .unwrap_err();
        let message =
            "environment variable LLM_OBSERVE_SURELY_UNSET is not set; set it to the secret";
        assert_eq!(unset.to_string(), message);
        assert!(Secret::Env("A=B\0".into()).read().is_err());

        let absent = Secret::File("/nonexistent/x".into()).read().unwrap_err();
        assert_eq!(
            absent.to_string(),
            "secret file /nonexistent/x cannot be read; check its path and its permissions"
        );
        assert!(absent.source().is_some());

        let why = |name, bytes: &[u8]| {
            let error = TempFile::new(name, bytes).secret().read().unwrap_err();
            error.to_string()
        };
        assert!(why("empty", b"\n").ends_with("is empty; put the secret there"));
        assert!(why("binary", b"\xff").contains("is not UTF-8"));
        assert!(why("long", &[b'x'; 65_537]).contains("is longer than 64 KiB"));
    }
}
