//! How much of a report is sent: as much as its tracker accepts. Larger reports are cut, since they
//! would be refused.

/// How much of each part of a report is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReportSize {
    /// Of the error's text and of each cause, in characters.
    pub(super) text: usize,
    /// Of each recorded value, in characters.
    pub(super) value: usize,
    /// Of a name: a function, a file, a type, in characters.
    pub(super) name: usize,
    /// How many causes.
    pub(super) causes: usize,
    /// How many recorded values.
    pub(super) fields: usize,
    /// How many frames, from the innermost on.
    pub(super) frames: usize,
    /// How many breadcrumbs: the latest.
    pub(super) breadcrumbs: usize,
}

impl ReportSize {
    /// The most that any tracker is sent.
    pub(super) const FULL: ReportSize = ReportSize {
        text: 8_000,
        value: 4_000,
        name: 200,
        causes: 20,
        fields: 100,
        frames: 100,
        breadcrumbs: 30,
    };

    fn halved(self) -> ReportSize {
        let half = |n: usize, least: usize| (n / 2).max(least);
        ReportSize {
            text: half(self.text, 100),
            value: half(self.value, 20),
            name: half(self.name, 40),
            causes: half(self.causes, 1),
            fields: half(self.fields, 4),
            frames: half(self.frames, 4),
            breadcrumbs: half(self.breadcrumbs, 0),
        }
    }
}

/// Returns what `encode` returns for the largest size whose result has at most `most` bytes.
pub(super) fn fit(most: usize, encode: impl Fn(ReportSize) -> Vec<u8>) -> Vec<u8> {
    let mut size = ReportSize::FULL;
    let mut bytes = encode(size);
    for _ in 0..8 {
        if bytes.len() <= most {
            break;
        }
        size = size.halved();
        bytes = encode(size);
    }
    bytes
}
