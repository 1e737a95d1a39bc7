//! The folder of budgets without the feature of any channel or tracker: there is none.

use std::{fs::File, io, path::Path};

use super::account::Account;
use crate::error::Error;

/// Never made.
#[derive(Debug)]
pub(super) enum Store {}

impl Store {
    pub(super) fn open(_: &Path, _: u64) -> Result<(Store, Account), Error> {
        Err(Error::new(
            "this build has no outbox: turn on the feature of a channel or tracker",
        ))
    }

    pub(super) fn write(&self, _: &Account) -> io::Result<()> {
        match *self {}
    }

    pub(super) fn others(&self, _: u64) -> Account {
        match *self {}
    }

    pub(super) fn lock_alerts(&self) -> io::Result<Option<File>> {
        match *self {}
    }
}
