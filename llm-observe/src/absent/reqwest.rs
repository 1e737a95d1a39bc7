//! The reqwest module when its feature is off: its errors are not known.

use super::fault::Fault;

pub(super) fn error<E: 'static>(_: &E) -> Option<Fault> {
    None
}
