//! What a single value may be. Each function parses one value, or returns an error that names what is
//! expected and what to write. An error never repeats the value.

use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use toml::de::DeValue;

use crate::choice::Choice;
use crate::endpoint::{BadEndpoint, Endpoint, check_link};
use crate::secret::{LiteralSecret, Secret};
use crate::syntax::Value;
use crate::units;
use crate::value_error::ValueError;

/// Returns the string of `value`, whatever it is.
fn string<'v>(value: &'v Value<'_>, expected: &str, help: &str) -> Result<&'v str, ValueError> {
    let text = value.get_ref().as_str();
    text.ok_or_else(|| ValueError::wrong_type(expected, value, help))
}

/// A string that is not empty, in one line.
pub(crate) fn raw_text(value: &Value<'_>) -> Result<String, ValueError> {
    let help = "write it in quotes, or leave the key out";
    let text = string(value, "a string", help)?;
    if text.trim().is_empty() {
        return Err(ValueError::new("is empty", help));
    }
    if text.chars().any(char::is_control) {
        return Err(ValueError::new(
            "holds a control character",
            "write it in one line",
        ));
    }
    Ok(text.to_owned())
}

/// As [`raw_text`], and not the place of a secret, which would be taken literally.
pub(crate) fn text(value: &Value<'_>) -> Result<String, ValueError> {
    let text = raw_text(value)?;
    if text.starts_with("env:") || text.starts_with("file:") {
        let help = "write the value itself: only secrets and URLs are read from elsewhere";
        return Err(ValueError::new("is not a secret", help));
    }
    Ok(text)
}

/// `true` or `false`.
pub(crate) fn boolean(value: &Value<'_>) -> Result<bool, ValueError> {
    let wrong = || {
        ValueError::wrong_type(
            "true or false",
            value,
            "write true or false, without quotes",
        )
    };
    value.get_ref().as_bool().ok_or_else(wrong)
}

/// One word of a fixed list.
pub(crate) fn choice<T: Choice>(value: &Value<'_>) -> Result<T, ValueError> {
    let words: Vec<_> = T::ALL
        .iter()
        .map(|(word, _)| format!("\"{word}\""))
        .collect();
    let help = format!("write {}", words.join(" or "));
    let word = string(value, "a word in quotes", &help)?;
    Ok(T::from_word(word)?)
}

const DURATION_HELP: &str = "write \"250ms\", \"2s\", \"1m30s\", \"4h\" or \"14d\"";

/// A duration, maybe none.
pub(crate) fn duration(value: &Value<'_>) -> Result<Duration, ValueError> {
    Ok(units::duration(string(
        value,
        "a duration in quotes",
        DURATION_HELP,
    )?)?)
}

/// A duration above none.
pub(crate) fn some_duration(value: &Value<'_>) -> Result<Duration, ValueError> {
    let duration = duration(value)?;
    if duration.is_zero() {
        return Err(ValueError::new(
            "must be above 0",
            "write a longer one, or leave the key out",
        ));
    }
    Ok(duration)
}

/// A duration of at most `most`.
pub(crate) fn duration_up_to(
    most: Duration,
) -> impl Fn(&Value<'_>) -> Result<Duration, ValueError> {
    move |value| {
        let duration = duration(value)?;
        if duration > most {
            let most = units::duration_text(most);
            return Err(ValueError::bare(format!("must be at most {most}")));
        }
        Ok(duration)
    }
}

/// A size within these bounds.
pub(crate) fn size_within(
    bounds: RangeInclusive<u64>,
) -> impl Fn(&Value<'_>) -> Result<u64, ValueError> {
    move |value| {
        let size = size(*bounds.start())(value)?;
        if size > *bounds.end() {
            let most = units::size_text(*bounds.end());
            return Err(ValueError::bare(format!("must be at most {most}")));
        }
        Ok(size)
    }
}

/// A size of at least `least` bytes.
pub(crate) fn size(least: u64) -> impl Fn(&Value<'_>) -> Result<u64, ValueError> {
    move |value| {
        let help = "write \"10MB\", \"64KiB\" or \"1GB\"";
        let size = units::size(string(value, "a size in quotes", help)?)?;
        if size < least {
            return Err(ValueError::bare(format!(
                "must be at least {}",
                units::size_text(least)
            )));
        }
        Ok(size)
    }
}

/// A whole number from `least` to `most`.
pub(crate) fn whole<T: TryFrom<u64>>(
    least: u64,
    most: u64,
) -> impl Fn(&Value<'_>) -> Result<T, ValueError> {
    move |value| {
        let expected = match most {
            u64::MAX => format!("a whole number of {least} or more"),
            _ => format!("a whole number from {least} to {most}"),
        };
        let Some(number) = value.get_ref().as_integer() else {
            return Err(ValueError::wrong_type(
                &expected,
                value,
                "write it without quotes",
            ));
        };
        let number = u64::from_str_radix(number.as_str(), number.radix()).ok();
        let number = number.filter(|number| (least..=most).contains(number));
        let number = number.and_then(|number| T::try_from(number).ok());
        number.ok_or_else(|| ValueError::bare(format!("must be {expected}")))
    }
}

/// A number, with or without a point. It may be infinite or none at all.
fn number(value: &Value<'_>, expected: &str, help: &str) -> Result<f64, ValueError> {
    let parsed = match value.get_ref() {
        DeValue::Float(float) => float.as_str().parse().ok(),
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str().parse().ok(),
        _ => None,
    };
    parsed.ok_or_else(|| ValueError::wrong_type(expected, value, help))
}

/// A share, 0 to 1.
pub(crate) fn share(value: &Value<'_>) -> Result<f64, ValueError> {
    let help = "write a number from 0 to 1, such as 0.25 for a quarter";
    Ok(units::share(number(value, "a number", help)?)?)
}

/// Per cent, above 0 and below 100.
pub(crate) fn percent(value: &Value<'_>) -> Result<f64, ValueError> {
    let help = "write a number, such as 99.5";
    let percent = number(value, "a number", help)?;
    if percent > 0.0 && percent < 100.0 {
        return Ok(percent);
    }
    Err(ValueError::new(
        "must be above 0 and below 100 per cent",
        help,
    ))
}

/// A price, finite and not negative.
pub(crate) fn price(value: &Value<'_>) -> Result<f64, ValueError> {
    let help = "write US dollars per million tokens, such as 0.5";
    let price = number(value, "a number", help)?;
    if price.is_finite() && price >= 0.0 {
        return Ok(price.abs());
    }
    Err(ValueError::new("must be a price of 0 or more", help))
}

/// An amount of money, finite and above 0.
pub(crate) fn amount(value: &Value<'_>) -> Result<f64, ValueError> {
    let help = "write US dollars, such as 50.0";
    let amount = number(value, "a number", help)?;
    if amount.is_finite() && amount > 0.0 {
        return Ok(amount);
    }
    Err(ValueError::new("must be an amount above 0", help))
}

/// The length of the periods of a budget.
pub(crate) fn period(value: &Value<'_>) -> Result<Duration, ValueError> {
    const LEAST: Duration = Duration::from_secs(60);
    const MOST: Duration = Duration::from_secs(366 * 24 * 3600);
    let period = duration(value)?;
    if (LEAST..=MOST).contains(&period) {
        return Ok(period);
    }
    let (least, most) = (units::duration_text(LEAST), units::duration_text(MOST));
    Err(ValueError::new(
        format!("must be from {least} to {most}"),
        "write \"1d\" for a day",
    ))
}

/// The upper bound of a histogram's bucket, in seconds.
pub(crate) fn bucket(value: &Value<'_>) -> Result<f64, ValueError> {
    let help = "write seconds, such as 0.25";
    let bound = number(value, "a list of numbers", help)?;
    if bound.is_finite() && bound > 0.0 {
        return Ok(bound);
    }
    Err(ValueError::new("must hold finite numbers above 0", help))
}

/// Where a secret is.
pub(crate) fn secret(value: &Value<'_>) -> Result<Secret, ValueError> {
    let help = "write \"env:NAME\" or \"file:PATH\", and keep the secret there";
    let text = string(value, "the place of a secret", help)?;
    text.parse()
        .map_err(|error: LiteralSecret| ValueError::new(error.message(), error.help()))
}

/// An address, or where it is.
pub(crate) fn endpoint(value: &Value<'_>) -> Result<Endpoint, ValueError> {
    let text = string(
        value,
        "a URL in quotes",
        "write \"https://HOST\" or \"env:NAME\"",
    )?;
    text.parse()
        .map_err(|error: BadEndpoint| ValueError::new(error.message(), error.help()))
}

/// The address of a web page, for people to open.
pub(crate) fn link(value: &Value<'_>) -> Result<String, ValueError> {
    let help = "write \"https://HOST/PAGE\"";
    let text = string(value, "a URL in quotes", help)?;
    if check_link(text).is_err() {
        return Err(ValueError::new(
            "is not the address of a web page, without user and password",
            help,
        ));
    }
    Ok(text.to_owned())
}

/// The address of web pages, to which a path is added.
pub(crate) fn base_link(value: &Value<'_>) -> Result<String, ValueError> {
    let text = link(value)?;
    match text.contains(['?', '#']) {
        true => Err(ValueError::new(
            "must not hold a query",
            "write \"https://HOST\" or \"https://HOST/PATH\"",
        )),
        false => Ok(text),
    }
}

/// The address of a trace's page, with `{trace_id}` where its id belongs.
pub(crate) fn trace_link(value: &Value<'_>) -> Result<String, ValueError> {
    let help = "write \"https://HOST/trace/{trace_id}\"";
    let text = string(value, "a URL in quotes", help)?;
    let filled = text.replace("{trace_id}", "0");
    if filled == text {
        return Err(ValueError::new(
            "does not say where the trace's id belongs",
            help,
        ));
    }
    let host = text.split('/').nth(2).unwrap_or_default();
    if check_link(&filled).is_err() || host.contains('{') || filled.contains(['{', '}']) {
        return Err(ValueError::new(
            "is not the address of a web page, without user and password",
            help,
        ));
    }
    Ok(text.to_owned())
}

/// A path of the file system.
pub(crate) fn path(value: &Value<'_>) -> Result<PathBuf, ValueError> {
    text(value).map(PathBuf::from)
}

/// The permission bits of a file, in octal.
pub(crate) fn mode(value: &Value<'_>) -> Result<u32, ValueError> {
    let help = "write them in octal and in quotes, from \"0600\" to \"0777\"";
    let text = string(value, "permission bits in quotes", help)?;
    let digits = (3..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let bits = u32::from_str_radix(text, 8)
        .ok()
        .filter(|bits| *bits <= 0o777);
    let Some(bits) = bits.filter(|_| digits) else {
        return Err(ValueError::new(
            "is not the permission bits of a file",
            help,
        ));
    };
    if bits & 0o600 != 0o600 {
        return Err(ValueError::new("must let the owner read and write", help));
    }
    Ok(bits)
}
