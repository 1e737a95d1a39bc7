//! The one error type of the crate: opaque, with context, keeping its source.

use std::{borrow::Cow, error, fmt, io};

/// An error in setting up or using an observer.
///
/// The text says where (which file, key, channel) and what to do; [`source`](error::Error::source)
/// keeps the cause.
pub struct Error {
    context: Cow<'static, str>,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

impl Error {
    /// Returns an error with that text and no cause.
    pub(crate) fn new(context: impl Into<Cow<'static, str>>) -> Error {
        Error {
            context: context.into(),
            source: None,
        }
    }

    /// Returns an error with that text, caused by `source`.
    pub(crate) fn with(
        context: impl Into<Cow<'static, str>>,
        source: impl Into<Box<dyn error::Error + Send + Sync>>,
    ) -> Error {
        Error {
            context: context.into(),
            source: Some(source.into()),
        }
    }
}

impl Error {
    /// Returns the kind of the system's error that caused it; `None` when none did: a mistake.
    pub(crate) fn io_kind(&self) -> Option<io::ErrorKind> {
        let mut source = error::Error::source(self);
        while let Some(error) = source {
            if let Some(io) = error.downcast_ref::<io::Error>() {
                return Some(io.kind());
            }
            source = error.source();
        }
        None
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.context)?;
        match &self.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

// The same as `Display`: this is what `fn main() -> Result<(), Error>` prints.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}
