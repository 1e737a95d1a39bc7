//! The outlets when no feature has one: nothing leaves the process.

use std::{sync::Arc, time::Duration};

use super::{FlushReport, Part, Settings};
use crate::{
    error::Error,
    kernel::{sink::Sink, stats::Stats},
    redact::Redactor,
};

#[derive(Default)]
pub(crate) struct Own(());

pub(crate) struct Outlets(());

pub(crate) fn start(
    _: &mut Settings,
    _: Own,
    _: &Arc<Redactor>,
    _: &Arc<Stats>,
) -> Result<Option<Outlets>, Error> {
    Ok(None)
}

impl Outlets {
    pub(crate) fn sinks(&self) -> Vec<Arc<dyn Sink>> {
        Vec::new()
    }
}

impl Part for Outlets {
    fn flush(&self, _: Duration, _: &mut FlushReport) {}
}
