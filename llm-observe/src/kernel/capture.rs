//! From the expressions of `fields(...)` and `args(...)` to a [`Value`].

use std::{borrow::Cow, fmt, rc::Rc, sync::Arc};

use super::{pool, user_text, value::Value};

/// What can be recorded as it is, without `%` (`Display`) or `?` (`Debug`).
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be recorded as a field as it is",
    label = "write `%` before it to record it with `Display`, or `?` with `Debug`"
)]
pub trait IntoValue {
    /// Returns the value; `None` records nothing.
    fn to_value(&self) -> Option<Value>;
}

macro_rules! into_value {
    ($($variant:ident($to:ty): $($from:ty)+;)+) => {$($(
        impl IntoValue for $from {
            fn to_value(&self) -> Option<Value> {
                Some(Value::$variant(<$to>::from(*self)))
            }
        }
    )+)+};
}

into_value! {
    I64(i64): i8 i16 i32 i64;
    U64(u64): u8 u16 u32 u64;
    F64(f64): f32 f64;
    Bool(bool): bool;
}

impl IntoValue for usize {
    fn to_value(&self) -> Option<Value> {
        Some(Value::U64(u64::try_from(*self).unwrap_or(u64::MAX)))
    }
}

impl IntoValue for isize {
    fn to_value(&self) -> Option<Value> {
        Some(Value::I64(i64::try_from(*self).unwrap_or(i64::MAX)))
    }
}

impl IntoValue for str {
    fn to_value(&self) -> Option<Value> {
        Some(Value::Str(pool::text(self)))
    }
}

impl IntoValue for String {
    fn to_value(&self) -> Option<Value> {
        Some(Value::Str(pool::text(self)))
    }
}

impl IntoValue for char {
    fn to_value(&self) -> Option<Value> {
        Some(Value::Str(pool::text(self.encode_utf8(&mut [0; 4]))))
    }
}

impl<T: IntoValue + ?Sized> IntoValue for &T {
    fn to_value(&self) -> Option<Value> {
        (**self).to_value()
    }
}

impl<T: IntoValue + ?Sized> IntoValue for &mut T {
    fn to_value(&self) -> Option<Value> {
        (**self).to_value()
    }
}

impl<T: IntoValue + ?Sized> IntoValue for Box<T> {
    fn to_value(&self) -> Option<Value> {
        (**self).to_value()
    }
}

impl<T: IntoValue + ?Sized> IntoValue for Arc<T> {
    fn to_value(&self) -> Option<Value> {
        (**self).to_value()
    }
}

impl<T: IntoValue + ?Sized> IntoValue for Rc<T> {
    fn to_value(&self) -> Option<Value> {
        (**self).to_value()
    }
}

impl<T: IntoValue + ToOwned + ?Sized> IntoValue for Cow<'_, T> {
    fn to_value(&self) -> Option<Value> {
        (**self).to_value()
    }
}

impl<T: IntoValue> IntoValue for Option<T> {
    fn to_value(&self) -> Option<Value> {
        self.as_ref().and_then(IntoValue::to_value)
    }
}

/// Returns `value` as it is.
pub fn value<T: IntoValue + ?Sized>(value: &T) -> Option<Value> {
    value.to_value()
}

/// Returns `value` as its `Display` text.
pub fn display<T: fmt::Display + ?Sized>(value: &T) -> Option<Value> {
    Some(Value::Str(user_text::display(value)))
}

/// Returns `value` as its `Debug` text.
pub fn debug<T: fmt::Debug + ?Sized>(value: &T) -> Option<Value> {
    Some(Value::Str(user_text::debug(value)))
}

/// What can count items.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no number of items",
    label = "`items` takes an integer, such as `texts.len()`"
)]
pub trait IntoCount {
    /// Returns the count; negative ones and `None` count as nothing recorded.
    fn into_count(self) -> Option<u64>;
}

macro_rules! into_count {
    ($($ty:ty)+) => {$(
        impl IntoCount for $ty {
            fn into_count(self) -> Option<u64> {
                u64::try_from(self).ok()
            }
        }
        impl IntoCount for &$ty {
            fn into_count(self) -> Option<u64> {
                u64::try_from(*self).ok()
            }
        }
    )+};
}

into_count!(u8 u16 u32 u64 usize i8 i16 i32 i64 isize);

impl<T: IntoCount> IntoCount for Option<T> {
    fn into_count(self) -> Option<u64> {
        self.and_then(IntoCount::into_count)
    }
}

/// Returns `n` as a number of items.
pub fn items<N: IntoCount>(n: N) -> Option<u64> {
    n.into_count()
}

/// Applies the closure of `items = |value| ...`.
pub fn count<T: ?Sized, N: IntoCount>(value: &T, f: impl FnOnce(&T) -> N) -> Option<u64> {
    f(value).into_count()
}

/// What can be a score.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no quality score",
    label = "`quality` takes a closure that returns `f64`, `f32` or an `Option` of one, from 0 to 1"
)]
pub trait IntoScore {
    /// Returns the score; `NaN` for none.
    fn into_score(self) -> f64;
}

impl IntoScore for f64 {
    fn into_score(self) -> f64 {
        self
    }
}

impl IntoScore for f32 {
    fn into_score(self) -> f64 {
        // As many decimals as it has: 0.7 is to be 0.7, and not below a `min_quality` of that.
        (f64::from(self) * 1e7).round() / 1e7
    }
}

impl<T: IntoScore> IntoScore for Option<T> {
    fn into_score(self) -> f64 {
        self.map_or(f64::NAN, IntoScore::into_score)
    }
}

/// Applies the closure of `quality`.
pub fn score<T: ?Sized, S: IntoScore>(value: &T, f: impl FnOnce(&T) -> S) -> f64 {
    f(value).into_score()
}

/// Applies the closure of a field that is taken from the returned value.
pub fn see<T: ?Sized, R>(value: &T, f: impl FnOnce(&T) -> R) -> R {
    f(value)
}

/// Applies the closure of `ok_if` or `error_if`.
pub fn check<T: ?Sized>(value: &T, f: impl FnOnce(&T) -> bool) -> bool {
    f(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::float_cmp, reason = "it is about the last digit")]
    fn a_score_in_single_precision_is_the_number_that_was_written() {
        for (single, double) in [(0.1_f32, 0.1), (0.7, 0.7), (0.0, 0.0), (1.0, 1.0)] {
            assert_eq!(score(&single, |n| *n), double);
        }
        assert!(score(&f32::NAN, |n| *n).is_nan());
    }
}
