//! Why lines for the console are missing, and how many. Plain data.

/// Why lines for the console were lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Loss {
    /// The queue was full.
    Overflow,
    /// The line is longer than the queue may be.
    TooLong,
    /// Nobody reads the pipe any more.
    Closed,
    /// Writing failed otherwise.
    Failed,
    /// They waited when the program ended.
    Shutdown,
    /// A forked process has no thread that writes.
    Fork,
}

impl Loss {
    pub(super) const ALL: [Loss; 6] = [
        Loss::Overflow,
        Loss::TooLong,
        Loss::Closed,
        Loss::Failed,
        Loss::Shutdown,
        Loss::Fork,
    ];

    /// Returns the reason as a label.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Loss::Overflow => "overflow",
            Loss::TooLong => "too_long",
            Loss::Closed => "closed",
            Loss::Failed => "failed",
            Loss::Shutdown => "shutdown",
            Loss::Fork => "fork",
        }
    }
}

/// How many lines are missing at one place, for each reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Missing([u64; Loss::ALL.len()]);

impl Missing {
    pub(super) fn add(&mut self, loss: Loss, lines: u64) {
        if let Some(count) = self.0.get_mut(loss as usize) {
            *count += lines;
        }
    }

    pub(super) fn merge(&mut self, other: &Missing) {
        other.each().for_each(|(loss, lines)| self.add(loss, lines));
    }

    /// Iterates over the reasons that there are, with their numbers of lines.
    pub(super) fn each(&self) -> impl Iterator<Item = (Loss, u64)> {
        let all = Loss::ALL.into_iter().zip(self.0);
        all.filter(|(_, lines)| *lines > 0)
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    pub(super) fn is_none(&self) -> bool {
        self.each().next().is_none()
    }
}

/// Returns how many lines end in `bytes`.
pub(super) fn count_lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}
