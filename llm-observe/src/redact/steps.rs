//! Counts the steps of loops in tests, so that linear time is a number and not a matter of timing.

/// Counts nothing outside tests.
#[cfg(not(test))]
#[inline(always)]
pub(super) const fn add(_: usize) {}

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Adds to the steps of this thread.
#[cfg(test)]
pub(super) fn add(steps: usize) {
    STEPS.set(STEPS.get() + steps);
}

/// Returns how many steps `f` took.
#[cfg(test)]
pub(super) fn of(f: impl FnOnce()) -> usize {
    let before = STEPS.get();
    f();
    STEPS.get() - before
}
