//! What is particular to a system: memory that outlives the process, locks that end with it, who
//! may read a file. On Unix here in [`memory`] and [`unix`]; elsewhere [`portable`] does with what
//! the standard library has.

#[cfg(unix)]
mod memory;
#[cfg(not(unix))]
mod portable;
#[cfg(unix)]
mod unix;

#[cfg(unix)]
pub(crate) use self::{
    memory::{Birthmark, Map},
    unix::*,
};
#[cfg(not(unix))]
pub(crate) use portable::*;
