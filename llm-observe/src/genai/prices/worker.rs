//! The thread that decodes the table, and then works out the prices of each model that calls name.

use std::{
    io,
    sync::{
        Arc,
        mpsc::{self, Receiver, SyncSender},
    },
    thread,
    time::SystemTime,
};

use super::KnownPrices;
use crate::kernel::fork_mutex::is_fork;

/// How many models may wait for the thread. Further ones come with their next call.
const MOST_WAITING: usize = 64;

/// The thread. It ends after the models that wait when this is dropped.
pub(super) struct Worker(SyncSender<Wanted>);

/// A model that was called, and when.
struct Wanted {
    provider: Option<String>,
    model: String,
    when: SystemTime,
}

impl Worker {
    pub(super) fn start(known: Arc<KnownPrices>) -> io::Result<Worker> {
        let (sender, wanted) = mpsc::sync_channel(MOST_WAITING);
        thread::Builder::new()
            .name("llm-observe-prices".to_owned())
            .spawn(move || run(&known, &wanted))?;
        Ok(Worker(sender))
    }

    /// Has the thread work out the prices of a model, unless too many wait. In a fork there is no thread.
    pub(super) fn want(&self, provider: Option<&str>, model: &str, when: SystemTime) {
        if is_fork() {
            return;
        }
        let wanted = Wanted {
            provider: provider.map(str::to_owned),
            model: model.to_owned(),
            when,
        };
        // Full: the next call of this model asks again.
        let _ = self.0.try_send(wanted);
    }
}

fn run(known: &KnownPrices, wanted: &Receiver<Wanted>) {
    known.load();
    for Wanted {
        provider,
        model,
        when,
    } in wanted
    {
        known.learn(provider.as_deref(), &model, when);
    }
}
