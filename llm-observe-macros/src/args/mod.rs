//! What is written in the parentheses of `#[observe(...)]`: parsed, each value checked by itself.
//!
//! It knows nothing of the function. What contradicts the function is found in `check`.

mod alert;
mod evaluate;
mod field;
mod keys;
mod operation;
mod parse;
mod parsed;
mod stream_limits;
mod syntax;
mod value;

pub(crate) use self::{
    alert::Alert,
    evaluate::Evaluate,
    field::{Field, Sigil, When},
    keys::example,
    operation::first_key,
    parse::parse,
    parsed::{Args, Captured},
    value::{Level, Nanos},
};
