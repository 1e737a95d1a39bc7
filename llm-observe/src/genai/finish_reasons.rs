//! Why a model stopped: a short list of texts, usually one.

use std::borrow::Cow;

/// Why a model stopped, in the provider's own words: one reason for each choice, at most
/// [`MAX`](FinishReasons::MAX) of them.
///
/// One reason takes no memory of its own.
///
/// ```
/// use llm_observe::genai::FinishReasons;
///
/// let one = FinishReasons::from("end_turn");
/// assert!(one.iter().eq(["end_turn"]));
///
/// let choices = [Some("stop"), None, Some("length")];
/// let several: FinishReasons = choices.into_iter().flatten().collect();
/// assert_eq!(several.len(), 2);
///
/// assert!(FinishReasons::none().is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FinishReasons<'a> {
    first: Option<Cow<'a, str>>,
    others: Vec<Cow<'a, str>>,
}

impl<'a> FinishReasons<'a> {
    /// The most reasons that are kept. Further ones are ignored.
    pub const MAX: usize = 4;

    /// Returns the list without any reason.
    #[must_use]
    pub const fn none() -> FinishReasons<'a> {
        FinishReasons {
            first: None,
            others: Vec::new(),
        }
    }

    /// Returns whether there is no reason.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// Returns the number of reasons.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    /// Iterates over the reasons.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.first.iter().chain(&self.others).map(AsRef::as_ref)
    }
}

impl<'a> From<&'a str> for FinishReasons<'a> {
    fn from(reason: &'a str) -> Self {
        Cow::Borrowed(reason).into()
    }
}

impl From<String> for FinishReasons<'_> {
    fn from(reason: String) -> Self {
        Cow::<'_, str>::Owned(reason).into()
    }
}

impl<'a> From<Cow<'a, str>> for FinishReasons<'a> {
    fn from(reason: Cow<'a, str>) -> Self {
        Some(reason).into()
    }
}

impl<'a, R: Into<Cow<'a, str>>> From<Option<R>> for FinishReasons<'a> {
    fn from(reason: Option<R>) -> Self {
        FinishReasons {
            first: reason.map(Into::into),
            others: Vec::new(),
        }
    }
}

impl<'a, R: Into<Cow<'a, str>>> FromIterator<R> for FinishReasons<'a> {
    fn from_iter<I: IntoIterator<Item = R>>(reasons: I) -> Self {
        let mut reasons = reasons.into_iter().take(FinishReasons::MAX).map(Into::into);
        FinishReasons {
            first: reasons.next(),
            others: reasons.collect(),
        }
    }
}

impl<'a> IntoIterator for FinishReasons<'a> {
    type Item = Cow<'a, str>;
    type IntoIter =
        std::iter::Chain<std::option::IntoIter<Cow<'a, str>>, std::vec::IntoIter<Cow<'a, str>>>;

    fn into_iter(self) -> Self::IntoIter {
        self.first.into_iter().chain(self.others)
    }
}

#[cfg(test)]
mod tests {
    use super::FinishReasons;

    #[test]
    fn the_number_is_bounded() {
        let many: FinishReasons<'_> = std::iter::repeat_n("stop", 1_000).collect();
        assert_eq!(many.len(), FinishReasons::MAX);
        assert_eq!(many.iter().count(), FinishReasons::MAX);
        assert_eq!(many.into_iter().count(), FinishReasons::MAX);
    }

    #[test]
    fn none_one_and_several() {
        assert_eq!(FinishReasons::none().iter().next(), None);
        assert_eq!(
            None::<&str>
                .into_iter()
                .collect::<FinishReasons<'_>>()
                .len(),
            0
        );
        let one = FinishReasons::from("stop");
        assert!(one.iter().eq(["stop"]) && !one.is_empty());
        assert_eq!(one.others.capacity(), 0);
        assert_eq!(FinishReasons::from("stop".to_owned()), one);
        let several: FinishReasons<'_> = ["stop".to_owned(), "length".to_owned()]
            .into_iter()
            .collect();
        assert!(several.into_iter().eq(["stop", "length"]));
    }
}
