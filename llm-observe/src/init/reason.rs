//! Why a part does not work, as a label's value: from the system's error that caused it.

use std::io::ErrorKind;

use crate::error::Error;

/// Why a part does not work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
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
    /// Returns the reason for an error.
    pub(super) fn of(error: &Error) -> Reason {
        match error.io_kind() {
            Some(ErrorKind::AddrInUse) => Reason::PortInUse,
            Some(ErrorKind::PermissionDenied) => Reason::PermissionDenied,
            Some(ErrorKind::StorageFull | ErrorKind::QuotaExceeded) => Reason::NoSpace,
            Some(ErrorKind::ReadOnlyFilesystem) => Reason::ReadOnly,
            Some(ErrorKind::ResourceBusy) => Reason::InUse,
            Some(ErrorKind::NotFound) => Reason::NotFound,
            _ => Reason::Other,
        }
    }

    /// Returns the value of the label.
    pub(super) const fn as_str(self) -> &'static str {
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

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn the_reason_is_that_of_the_systems_error() {
        let inner = io::Error::from(ErrorKind::ReadOnlyFilesystem);
        let error = Error::with("cannot write", Error::with("the folder", inner));
        assert_eq!(Reason::of(&error), Reason::ReadOnly);
        let mistake = Error::new("a mistake");
        assert_eq!(mistake.io_kind(), None);
        assert_eq!(Reason::of(&mistake), Reason::Other);
    }
}
