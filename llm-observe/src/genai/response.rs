//! The trait of whatever a model answers with, and its implementations for what may be around it.

use std::sync::Arc;

use super::{FinishReasons, Usage};

/// What a model's answer, or one chunk of its stream, says of itself.
///
/// All of it is optional. What is unknown is absent: `None`, never 0 and never an empty text. A chunk
/// states what it knows itself. Later chunks add to it or replace it, see [`Usage::updated`].
pub trait Response {
    /// Returns the model that answered, as the provider names it (`gen_ai.response.model`).
    fn model(&self) -> Option<&str> {
        None
    }

    /// Returns the provider's id of the answer (`gen_ai.response.id`).
    fn id(&self) -> Option<&str> {
        None
    }

    /// Returns why the model stopped, in the provider's own words, one reason for each choice that has
    /// ended (`gen_ai.response.finish_reasons`). In a stream this marks its regular end.
    fn finish_reasons(&self) -> FinishReasons<'_> {
        FinishReasons::none()
    }

    /// Returns the tokens that were used, as far as they are known here.
    fn usage(&self) -> Option<Usage> {
        None
    }

    /// Returns the cost in USD that the provider reports. It is not computed: where the provider says
    /// nothing, it is `None`.
    fn cost_usd(&self) -> Option<f64> {
        None
    }
}

/// Implements [`Response`] for pointers, by what they point to.
macro_rules! by_reference {
    ($($pointer:ty),+) => {$(
        impl<T: Response + ?Sized> Response for $pointer {
            fn model(&self) -> Option<&str> {
                (**self).model()
            }

            fn id(&self) -> Option<&str> {
                (**self).id()
            }

            fn finish_reasons(&self) -> FinishReasons<'_> {
                (**self).finish_reasons()
            }

            fn usage(&self) -> Option<Usage> {
                (**self).usage()
            }

            fn cost_usd(&self) -> Option<f64> {
                (**self).cost_usd()
            }
        }
    )+};
}

by_reference!(&T, Box<T>, Arc<T>);

/// `None` knows nothing.
impl<T: Response> Response for Option<T> {
    fn model(&self) -> Option<&str> {
        self.as_ref()?.model()
    }

    fn id(&self) -> Option<&str> {
        self.as_ref()?.id()
    }

    fn finish_reasons(&self) -> FinishReasons<'_> {
        self.as_ref()
            .map_or_else(FinishReasons::none, Response::finish_reasons)
    }

    fn usage(&self) -> Option<Usage> {
        self.as_ref()?.usage()
    }

    fn cost_usd(&self) -> Option<f64> {
        self.as_ref()?.cost_usd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Answer;

    impl Response for Answer {
        fn model(&self) -> Option<&str> {
            Some("m")
        }

        fn id(&self) -> Option<&str> {
            Some("1")
        }

        fn finish_reasons(&self) -> FinishReasons<'_> {
            "stop".into()
        }

        fn usage(&self) -> Option<Usage> {
            Some(Usage::new(3, 4))
        }

        fn cost_usd(&self) -> Option<f64> {
            Some(0.5)
        }
    }

    struct Silent;

    impl Response for Silent {}

    fn says_all(response: impl Response) {
        assert_eq!(response.model(), Some("m"));
        assert_eq!(response.id(), Some("1"));
        assert!(response.finish_reasons().iter().eq(["stop"]));
        assert_eq!(response.usage(), Some(Usage::new(3, 4)));
        assert_eq!(response.cost_usd(), Some(0.5));
    }

    fn says_nothing(response: impl Response) {
        assert_eq!(response.model(), None);
        assert_eq!(response.id(), None);
        assert!(response.finish_reasons().is_empty());
        assert_eq!(response.usage(), None);
        assert_eq!(response.cost_usd(), None);
    }

    #[test]
    fn what_is_around_an_answer_says_the_same() {
        says_all(Answer);
        says_all(&Answer);
        says_all(Box::new(Answer));
        says_all(Arc::new(Answer));
        says_all(Some(Answer));
        says_all(Box::new(Some(Arc::new(&Answer))));
        let boxed: Box<dyn Response + Send> = Box::new(Answer);
        says_all(boxed);
    }

    #[test]
    fn what_is_not_said_is_absent() {
        says_nothing(Silent);
        says_nothing(None::<Answer>);
        says_nothing(Some(Box::new(None::<Answer>)));
    }
}
