//! What depends on the system: memory that outlives the process, locks that end with it, file
//! permissions. [`memory`] and [`unix`] are for Unix; [`portable`] makes do with the standard
//! library elsewhere.

#[cfg(unix)]
mod memory;
#[cfg(not(unix))]
mod portable;
mod types;
#[cfg(unix)]
mod unix;

pub(crate) use types::{FileId, LockMode};

#[cfg(unix)]
pub(crate) use self::{
    memory::{ForkGuard, Mapping},
    unix::*,
};
#[cfg(not(unix))]
pub(crate) use portable::*;
