//! `parent` and `follows_from` of a call: spans of `tracing` that it belongs under or comes from.

use tracing::span::Id;

/// The spans a call is linked to.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// `Some(None)`: a root.
    parent: Option<Option<Id>>,
    follows_from: Vec<Id>,
}

impl Links {
    /// Returns no links.
    #[must_use]
    pub fn new() -> Links {
        Links::default()
    }

    /// Puts the call under that span, or makes it a root with `None`.
    #[must_use]
    pub fn parent(mut self, parent: impl Into<Option<Id>>) -> Links {
        self.parent = Some(parent.into());
        self
    }

    /// Links the call to the spans that it follows from.
    #[must_use]
    pub fn follows_from(
        mut self,
        causes: impl IntoIterator<Item = impl Into<Option<Id>>>,
    ) -> Links {
        self.follows_from
            .extend(causes.into_iter().filter_map(Into::into));
        self
    }

    /// Returns the parent, where one was given.
    pub(crate) fn explicit_parent(&self) -> Option<Option<Id>> {
        self.parent.clone()
    }

    /// Records on `span` what it follows from.
    pub(crate) fn mark(&self, span: &tracing::Span) {
        for cause in &self.follows_from {
            span.follows_from(cause);
        }
    }

    /// Returns whether the call is to be under another span than the one it is made in.
    pub(crate) fn leads_away(&self) -> bool {
        self.parent
            .as_ref()
            .is_some_and(|parent| *parent != tracing::Span::current().id())
    }
}
