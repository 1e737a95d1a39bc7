//! The files under rings, and how those that dead processes left are found.

#[cfg(feature = "read")]
mod count;
mod file;
mod names;
mod orphans;
mod own;

#[cfg(feature = "read")]
pub(crate) use self::count::waiting_lines;
pub(crate) use self::{
    file::Spool,
    names::numbers_in_use,
    orphans::{Orphans, orphans, remove_empty},
};
#[cfg(test)]
pub(crate) use self::{file::words_of, names::spools_of};
