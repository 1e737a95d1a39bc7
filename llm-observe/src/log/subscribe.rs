//! Our subscriber of `tracing`, installed at once or with the program's first event.
//!
//! A process has one subscriber, and who installs a second one gets an error;
//! `tracing_subscriber::fmt().init()` panics. Where the program may install its own after `init!()`, ours waits.
//! `tracing` asks every subscriber that exists, whether it is the process's own or not, about a callsite when it
//! is first reached, before the event is dispatched. So the first event of the program finds ours installed, and
//! none is lost. Until then the logger of `log` is not taken either: `fmt().init()` takes both.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, Ordering},
    },
    thread,
};

use tracing::{
    Dispatch, Event, Metadata, Subscriber, callsite, dispatcher,
    level_filters::LevelFilter,
    span,
    subscriber::{Interest, NoSubscriber},
};
use tracing_log::LogTracer;
use tracing_subscriber::{Registry, layer::SubscriberExt};

use super::{Layer, Lines, is_layer_made};
use crate::{kernel::fork_mutex::ForkMutex, spans, warn::warn};

/// How many rounds of the upkeep, one a second, both are left to a program without events.
const ROUNDS: u8 = 10;

/// Whose the program's subscriber is.
pub(super) enum Subscribed {
    Ours,
    /// One that was there before.
    Theirs,
    /// Nobody's yet.
    Pending(PendingSubscriber),
}

/// Installs a subscriber that writes to `lines`, unless the program has one; `later`: with the first event.
pub(super) fn subscribe(lines: &Arc<Lines>, later: bool) -> Subscribed {
    let ours = Dispatch::new(tracing_subscriber::registry().with(Layer::over(lines.clone())));
    if later && !has_subscriber() {
        let pending = PendingSubscriber::new(ours.clone(), Layer::over(lines.clone()));
        if let Some(pending) = pending {
            return Subscribed::Pending(pending);
        }
    }
    take_log();
    if dispatcher::set_global_default(ours).is_ok() {
        return Subscribed::Ours;
    }
    warn(
        "a tracing subscriber is installed already and is used as it is: add \
         `llm_observe::Observer::layer()` to it to have its events in the log files too",
    );
    Subscribed::Theirs
}

/// Makes the records of `log` events.
fn take_log() {
    // A program may have its own `log` logger. Its records then stay there.
    let _ = LogTracer::init();
}

/// Returns whether events of this thread come to anybody.
fn has_subscriber() -> bool {
    dispatcher::get_default(|dispatch| !dispatch.is::<NoSubscriber>())
}

const PENDING: u8 = 0;
const OURS: u8 = 1;
const THEIRS: u8 = 2;

/// Our subscriber while the program may still install its own.
pub(super) struct PendingSubscriber {
    state: Arc<State>,
    /// `None` when there is nothing left to decide.
    waiting: ForkMutex<Option<Waiting>>,
    rounds: AtomicU8,
}

struct Waiting {
    /// What `tracing` asks about callsites.
    watch: Dispatch,
    ours: Dispatch,
}

impl PendingSubscriber {
    /// Returns `None` when callsites are known already: their events would not be noticed.
    fn new(ours: Dispatch, layer: Layer) -> Option<PendingSubscriber> {
        let state = Arc::new(State::default());
        let watch = Dispatch::new(Watch {
            ours: ours.clone(),
            layer,
            state: state.clone(),
        });
        if state.known.load(Ordering::Acquire) {
            return None;
        }
        state.armed.store(true, Ordering::Release);
        Some(PendingSubscriber {
            state,
            waiting: ForkMutex::new(Some(Waiting { watch, ours })),
            rounds: AtomicU8::new(0),
        })
    }

    /// Finds out whether the program has installed a subscriber. On a thread that has none of its own.
    pub(super) fn look(&self) {
        self.state.look();
        let is_late = self.rounds.fetch_add(1, Ordering::Relaxed) >= ROUNDS;
        if is_late
            && let Some(waiting) = self.waiting.lock()
            && let Some(Waiting { ours, .. }) = &*waiting
        {
            // Nothing else would show that records of `log` are not taken.
            self.state.install(ours);
        }
        match self.state.whose() {
            PENDING => {}
            whose => self.settle(whose),
        }
    }

    /// Stops to wait. The program's subscriber is known by then, unless it had none.
    pub(super) fn end(&self) {
        self.state.look();
        self.settle(self.state.whose());
    }

    /// Gives up what is no longer needed, so that `tracing` asks nobody but the program's subscriber.
    fn settle(&self, whose: u8) {
        let waiting = self.waiting.lock().and_then(|mut waiting| waiting.take());
        let Some(Waiting { watch, ours }) = waiting else {
            return;
        };
        drop((watch, ours));
        callsite::rebuild_interest_cache();
        if whose == THEIRS && !is_layer_made() {
            warn(
                "a tracing subscriber was installed after init!() and is used as it is: add \
                 `llm_observe::Observer::layer()` to it to have its events in the log files too",
            );
        }
    }
}

/// Whose the subscriber is so far.
#[derive(Default)]
struct State {
    whose: AtomicU8,
    deciding: ForkMutex<()>,
    /// Whether callsites were known before.
    known: AtomicBool,
    armed: AtomicBool,
}

impl State {
    fn whose(&self) -> u8 {
        self.whose.load(Ordering::Acquire)
    }

    /// Decides, once. In a fork, where the lock may be another thread's for ever, without it.
    fn decide(&self, decide: impl FnOnce() -> u8) {
        let _deciding = self.deciding.lock();
        if self.whose() == PENDING {
            self.whose.store(decide(), Ordering::Release);
        }
    }

    fn look(&self) {
        self.decide(|| if has_subscriber() { THEIRS } else { PENDING });
    }

    /// Makes ours the program's subscriber, unless it has one.
    fn install(&self, ours: &Dispatch) {
        self.decide(|| {
            if dispatcher::set_global_default(ours.clone()).is_err() {
                return THEIRS;
            }
            spans::subscriber_is_ours();
            take_log();
            OURS
        });
    }
}

/// Never anybody's subscriber: exists, so that `tracing` asks it about callsites.
///
/// It keeps ours in existence too. With one subscriber alone `tracing` asks that of the thread instead.
struct Watch {
    ours: Dispatch,
    layer: Layer,
    state: Arc<State>,
}

impl Watch {
    /// Takes note of a callsite; one that is new is about to be used.
    fn reached(&self, metadata: &Metadata<'_>) {
        if metadata.is_span() || spans::is_described(metadata) {
            return;
        }
        if !self.state.armed.load(Ordering::Acquire) {
            self.state.known.store(true, Ordering::Release);
        } else if self.state.whose() == PENDING
            && (!is_own_thread() || metadata.target() == OWN_TARGET)
        {
            self.state.install(&self.ours);
        }
    }
}

/// The target of what an observer itself has to say in the program's log.
const OWN_TARGET: &str = "llm_observe";

/// Returns whether this is a thread of an observer: the libraries that it uses may have events.
fn is_own_thread() -> bool {
    let thread = thread::current();
    thread
        .name()
        .is_some_and(|name| name.starts_with("llm-observe"))
}

impl Subscriber for Watch {
    /// Returns what ours does, so that the two agree and `tracing` keeps it.
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.reached(metadata);
        <Layer as tracing_subscriber::Layer<Registry>>::register_callsite(&self.layer, metadata)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(LevelFilter::OFF)
    }

    fn enabled(&self, _: &Metadata<'_>) -> bool {
        false
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, _: &Event<'_>) {}
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}
