//! Errors of services and bodies, as errors with their causes.
//!
//! A `tower` service or a body may have any error type, and not all are `Error`s: `Box<dyn Error>`
//! is none. So they are recognised by type: boxed errors, and those of the libraries whose
//! features are on. Anything else has its `Display` text alone.

#[cfg(feature = "axum")]
mod axum;
mod downcast;
#[cfg(feature = "http-client")]
mod hyper;
#[cfg(feature = "reqwest-middleware")]
mod reqwest;

use std::{any::Any, error::Error, io};

/// Returns a value as the error that it is, or that it holds.
type AsError = fn(&dyn Any) -> Option<&(dyn Error + 'static)>;

const KNOWN: &[AsError] = &[
    boxed,
    downcast::own::<io::Error>,
    #[cfg(feature = "axum")]
    axum::inner,
    #[cfg(feature = "http-client")]
    hyper::as_error,
    #[cfg(feature = "reqwest-middleware")]
    reqwest::as_error,
];

/// Returns the name of an error's type.
type TypeNamed = fn(&(dyn Error + 'static)) -> Option<&'static str>;

const NAMED: &[TypeNamed] = &[
    downcast::named::<io::Error>,
    #[cfg(feature = "http-client")]
    hyper::named,
    #[cfg(feature = "reqwest-middleware")]
    reqwest::named,
];

/// Returns the error that `any` is or holds.
pub(super) fn as_error(any: &dyn Any) -> Option<&(dyn Error + 'static)> {
    KNOWN.iter().find_map(|as_error| as_error(any))
}

/// Returns the name of a type that is known; of another one `dyn Error`, since it was erased.
pub(super) fn type_name_of(error: &(dyn Error + 'static)) -> &'static str {
    let known = NAMED.iter().find_map(|named| named(error));
    known.unwrap_or("dyn core::error::Error")
}

fn boxed(any: &dyn Any) -> Option<&(dyn Error + 'static)> {
    if let Some(error) = any.downcast_ref::<Box<dyn Error + Send + Sync>>() {
        return Some(&**error);
    }
    if let Some(error) = any.downcast_ref::<Box<dyn Error + Send>>() {
        return Some(&**error);
    }
    let error = any.downcast_ref::<Box<dyn Error>>()?;
    Some(&**error)
}
