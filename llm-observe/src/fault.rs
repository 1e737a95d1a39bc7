//! Why a part does not work: plain data, for the message and the metric that say so.

use std::io::ErrorKind;

use crate::error::Error;

/// Why a part does not work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault {
    pub(crate) reason: Reason,
    /// What is wrong, with the place and the remedy.
    pub(crate) text: String,
}

/// The kinds of reasons: values of a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The address is another program's.
    PortInUse,
    /// This user may not.
    PermissionDenied,
    /// The disk is full, or a quota exhausted.
    NoSpace,
    /// The file system is read-only.
    ReadOnly,
    /// Another process has it.
    InUse,
    /// A folder is not there and cannot be created.
    NotFound,
    /// Anything else.
    Other,
}

impl Reason {
    /// Returns the reason for an error of the system.
    pub(crate) fn of(kind: ErrorKind) -> Reason {
        match kind {
            ErrorKind::AddrInUse => Reason::PortInUse,
            ErrorKind::PermissionDenied => Reason::PermissionDenied,
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Reason::NoSpace,
            ErrorKind::ReadOnlyFilesystem => Reason::ReadOnly,
            ErrorKind::ResourceBusy => Reason::InUse,
            ErrorKind::NotFound => Reason::NotFound,
            _ => Reason::Other,
        }
    }

    /// Returns the value of the label.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Reason::PortInUse => "port_in_use",
            Reason::PermissionDenied => "permission_denied",
            Reason::NoSpace => "no_space",
            Reason::ReadOnly => "read_only",
            Reason::InUse => "in_use",
            Reason::NotFound => "not_found",
            Reason::Other => "other",
        }
    }
}

impl From<&Error> for Fault {
    fn from(error: &Error) -> Fault {
        Fault {
            reason: error.io_kind().map_or(Reason::Other, Reason::of),
            text: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_reason_is_that_of_the_systems_error() {
        let inner = io::Error::from(ErrorKind::ReadOnlyFilesystem);
        let error = Error::with("cannot write", Error::with("the folder", inner));
        let fault = Fault::from(&error);
        assert_eq!(fault.reason, Reason::ReadOnly);
        assert!(fault.text.starts_with("cannot write: the folder: "));
        let mistake = Error::new("a mistake");
        assert_eq!(mistake.io_kind(), None);
        assert_eq!(Fault::from(&mistake).reason, Reason::Other);
    }
}
