//! What a tracker keeps of the thread of a failing call.

use std::{any::Any, fmt, sync::Arc};

/// What a tracker keeps of the thread of a failing call, such as its SDK's own scope.
#[derive(Clone)]
pub struct TrackerScope(Arc<dyn Any + Send + Sync>);

impl TrackerScope {
    /// Returns a scope with a value of the tracker's own.
    pub fn new(value: impl Any + Send + Sync) -> TrackerScope {
        TrackerScope(Arc::new(value))
    }

    /// Returns the value, when it is of that type.
    #[must_use]
    pub fn get<T: Any + Send + Sync>(&self) -> Option<&T> {
        self.0.downcast_ref()
    }
}

impl fmt::Debug for TrackerScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TrackerScope").finish_non_exhaustive()
    }
}
