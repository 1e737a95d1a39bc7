//! What an evaluator may return.

use std::{any::type_name, fmt::Display};

use super::Score;

/// What an evaluator has found, or the type and the text of its error.
pub(crate) type Evaluated = Result<Vec<Score>, (&'static str, String)>;

/// What the function of `evaluate` may return: a number, a [`Score`], or an `Option`, a `Vec` or a `Result`
/// of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no result of an evaluator",
    label = "the function of `evaluate` is async and returns `f64`, `Score`, or an `Option`, `Vec` or `Result` of one"
)]
pub trait EvaluatorOutput {
    /// Returns the scores; a number is one by the name that the attribute has.
    #[doc(hidden)]
    fn scores(self, name: &str) -> Evaluated;
}

impl EvaluatorOutput for f64 {
    fn scores(self, name: &str) -> Evaluated {
        Ok(vec![Score::new(name, self)])
    }
}

impl EvaluatorOutput for f32 {
    fn scores(self, name: &str) -> Evaluated {
        f64::from(self).scores(name)
    }
}

impl EvaluatorOutput for Score {
    fn scores(self, _: &str) -> Evaluated {
        Ok(vec![self])
    }
}

impl<T: EvaluatorOutput> EvaluatorOutput for Option<T> {
    fn scores(self, name: &str) -> Evaluated {
        self.map_or(Ok(Vec::new()), |output| output.scores(name))
    }
}

impl<T: EvaluatorOutput> EvaluatorOutput for Vec<T> {
    fn scores(self, name: &str) -> Evaluated {
        let mut all = Vec::new();
        for output in self {
            all.extend(output.scores(name)?);
        }
        Ok(all)
    }
}

impl<T: EvaluatorOutput, E: Display> EvaluatorOutput for Result<T, E> {
    fn scores(self, name: &str) -> Evaluated {
        match self {
            Ok(output) => output.scores(name),
            Err(error) => Err((type_name::<E>(), crate::kernel::user_text::display(&error))),
        }
    }
}
