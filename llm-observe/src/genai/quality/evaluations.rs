//! Evaluators: a share of results is scored in the background, on a thread of ours with a tokio runtime of
//! its own. Nothing of it reaches the caller: what does not fit is counted and dropped.

use std::{
    cell::Cell,
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, Condvar, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use tokio::{
    runtime::Builder,
    sync::{Semaphore, mpsc},
    time,
};

use super::{
    evaluated::{Evaluated, EvaluatorOutput},
    recorder::QualityRecorder,
};
use crate::{
    genai::state::GenAiState,
    kernel::{
        dispatch,
        extra::AfterCall,
        fork_mutex::is_fork,
        propagation::{InCurrentCall, in_current_call},
        scope::CallScope,
    },
    own_thread::{OwnThread, deadline, left},
};

/// How many evaluations may wait.
const MOST_WAITING: usize = 64;

/// How many may run at a time.
const MOST_RUNNING: usize = 4;

/// How long one may take.
const TIME_LIMIT: Duration = Duration::from_secs(60);

/// Why an evaluation is lost: too many wait.
const QUEUE_FULL: &str = "queue_full";

thread_local! {
    /// Whether the thread runs evaluators, whose own calls are not evaluated: that might have no end.
    static EVALUATES: Cell<bool> = const { Cell::new(false) };
}

/// An evaluator that runs.
type Evaluating = Pin<Box<dyn Future<Output = Evaluated> + Send>>;

/// An evaluation with the record of its result, in the place of the call that it is of.
struct Evaluation {
    work: InCurrentCall<Pin<Box<dyn Future<Output = ()> + Send>>>,
    /// Counts it as pending until it is dropped.
    pending: Pending,
}

/// The evaluations of one observer.
pub(crate) struct Evaluations {
    recorder: Arc<QualityRecorder>,
    /// Made with the first one; `None` where there is no thread left.
    queue: OnceLock<Option<mpsc::Sender<Evaluation>>>,
    pending: Arc<PendingCount>,
    time_limit: Duration,
}

#[derive(Debug, Default)]
struct PendingCount {
    count: Mutex<usize>,
    changed: Condvar,
}

struct Pending(Arc<PendingCount>);

impl Pending {
    fn new(count: &Arc<PendingCount>) -> Pending {
        count.change(|n| n.saturating_add(1));
        Pending(count.clone())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.change(|n| n.saturating_sub(1));
    }
}

impl PendingCount {
    fn change(&self, change: impl FnOnce(usize) -> usize) {
        let mut count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count = change(*count);
        self.changed.notify_all();
    }
}

/// Evaluates a share of the results of a call with `with`, in the background. `value` makes what the
/// evaluator gets; it is called for those that are evaluated alone.
pub fn evaluate<T, F, O>(
    call: &mut CallScope,
    name: &'static str,
    share: f64,
    value: impl FnOnce() -> T,
    with: impl FnOnce(T) -> F + Send + Sync + 'static,
) where
    T: Send + 'static,
    F: Future<Output = O> + Send + 'static,
    O: EvaluatorOutput + 'static,
{
    let evaluates = EVALUATES.try_with(Cell::get).unwrap_or(true);
    if evaluates || !call.is_ok() || fastrand::f64() >= share {
        return;
    }
    let has_room = dispatch::with_extension(|_, state: &GenAiState| state.evaluations.has_room());
    match has_room {
        None => return,
        Some(true) => {}
        // Counted in the place of the call.
        Some(false) => return call.after(in_place(move |all| all.recorder.lost(name, QUEUE_FULL))),
    }
    // Behind a mutex, since a value may be `Send` and not `Sync`.
    let value = Mutex::new(value());
    call.after(in_place(move |all| {
        let future: Evaluating = Box::pin(async move {
            let value = value.into_inner().unwrap_or_else(PoisonError::into_inner);
            with(value).await.scores(name)
        });
        all.add(name, future);
    }));
}

fn in_place(f: impl FnOnce(&Evaluations) + Send + Sync + 'static) -> AfterCall {
    AfterCall(Box::new(|| {
        dispatch::with_extension(|_, state: &GenAiState| f(&state.evaluations));
    }))
}

impl Evaluations {
    pub(crate) fn new(recorder: Arc<QualityRecorder>) -> Evaluations {
        Evaluations {
            recorder,
            queue: OnceLock::new(),
            pending: Arc::default(),
            time_limit: TIME_LIMIT,
        }
    }

    /// Waits until none is left, at most `limit`. Returns whether none is.
    pub(crate) fn wait(&self, limit: Duration) -> bool {
        let end = deadline(limit);
        let mut count = self
            .pending
            .count
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while *count > 0 {
            let left = left(end);
            if left.is_zero() {
                return false;
            }
            let waited = self.pending.changed.wait_timeout(count, left);
            count = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        true
    }

    fn has_room(&self) -> bool {
        let queue = self.queue.get().and_then(Option::as_ref);
        queue.is_none_or(|queue| queue.capacity() > 0)
    }

    /// Adds one of the call in whose place the thread is.
    fn add(&self, name: &'static str, future: Evaluating) {
        // A fork has the queue, and no thread that empties it.
        let queue = (!is_fork()).then(|| self.queue.get_or_init(|| self.start()).as_ref());
        let Some(queue) = queue.flatten() else {
            return self.recorder.lost(name, "no_thread");
        };
        let (recorder, limit) = (self.recorder.clone(), self.time_limit);
        let evaluation = Evaluation {
            work: in_current_call(Box::pin(evaluate_within(limit, name, future, recorder))),
            pending: Pending::new(&self.pending),
        };
        if queue.try_send(evaluation).is_err() {
            self.recorder.lost(name, QUEUE_FULL);
        }
    }

    fn start(&self) -> Option<mpsc::Sender<Evaluation>> {
        let (sender, receiver) = mpsc::channel(MOST_WAITING);
        // It ends with the observer, which has the sender. Nobody waits for it.
        let thread = OwnThread::start("llm-observe-eval", move || run(receiver));
        thread.ok().map(|_| sender)
    }
}

/// Runs evaluations until the observer is gone.
fn run(mut queue: mpsc::Receiver<Evaluation>) {
    let _ = EVALUATES.try_with(|evaluates| evaluates.set(true));
    let Ok(runtime) = Builder::new_current_thread().enable_all().build() else {
        return;
    };
    let places = Arc::new(Semaphore::new(MOST_RUNNING));
    runtime.block_on(async {
        while let Ok(place) = places.clone().acquire_owned().await {
            let Some(evaluation) = queue.recv().await else {
                return;
            };
            tokio::spawn(async move {
                evaluation.work.await;
                drop((evaluation.pending, place));
            });
        }
    });
    // One that blocks is not waited for.
    runtime.shutdown_background();
}

/// Runs an evaluator, and records what it finds. In the place of the call that it is of.
async fn evaluate_within(
    limit: Duration,
    name: &'static str,
    evaluating: Evaluating,
    recorder: Arc<QualityRecorder>,
) {
    // The observer may have gone while it waited.
    if !dispatch::is_on() {
        return;
    }
    // A task of its own: its panic ends there.
    let mut task = tokio::spawn(in_current_call(evaluating));
    let result = time::timeout(limit, &mut task).await;
    task.abort();
    if !dispatch::is_on() {
        return;
    }
    let (reason, kind, message) = match result {
        Ok(Ok(Ok(scores))) => return scores.iter().for_each(|score| recorder.record(score)),
        Ok(Ok(Err((kind, message)))) => ("error", kind, message),
        Ok(Err(_)) => ("panic", "panic", String::new()),
        Err(_) => ("time_limit", "timeout", String::new()),
    };
    recorder.lost(name, reason);
    recorder.failed(name, kind, message);
}

impl fmt::Debug for Evaluations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluations").finish_non_exhaustive()
    }
}
