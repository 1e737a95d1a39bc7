//! What contradicts what: keys against each other, against the function, and against the
//! catalogue of `llm-observe.toml`.

use llm_observe_config::{Config, suggest};
use proc_macro2::{Span, TokenStream};
use syn::{Expr, FnArg, ext::IdentExt};

use crate::{
    args::{self, Args, Captured, When},
    errors::Errors,
    event,
    item::{Body, FnItem},
    normalize,
    returns::{Returns, Shape},
};

/// Reports the keys that contradict `function` or `config`.
pub(crate) fn function(
    args: &Args,
    function: &FnItem,
    config: Option<&Config>,
    errors: &mut Errors,
) {
    body(function, errors);
    keys(args, errors);
    operation(args, errors);
    stream(args, function, errors);
    returned(args, function, errors);
    names(args, function, errors);
    if let Some(config) = config {
        catalogue(args, function, config, errors);
        channels(args, config, errors);
    }
}

/// Reports the keys that make no sense on a single function.
pub(crate) fn alone(args: &Args, errors: &mut Errors) {
    if let (true, Some(span)) = (args.leave_out, args.span_of("skip")) {
        errors.at(span, "`skip` alone leaves a function of an observed block out; to leave arguments out write `skip(name)`");
    }
}

/// Reports the keys that cannot apply to every function of a block.
pub(crate) fn block(args: &Args, errors: &mut Errors) {
    for key in ["name", "args", "skip"] {
        if key == "args" && matches!(args.args, Some(Captured::All) | None) {
            continue;
        }
        if let Some(span) = args.span_of(key) {
            errors.at(
                span,
                format_args!("`{key}` belongs on one function, not on a block of them"),
            );
        }
    }
}

/// Reports why the item cannot be observed. Tokens that are no item at all are half-typed code,
/// which the compiler reports itself.
pub(crate) fn not_observable(item: &TokenStream, error: syn::Error, errors: &mut Errors) {
    match syn::parse2::<syn::Item>(item.clone()) {
        Ok(syn::Item::Fn(_)) => errors.add(error),
        Ok(_) => errors.at(
            Span::call_site(),
            "`#[observe]` goes on a function, an `impl` block, a trait or an inline module",
        ),
        Err(_) => {}
    }
}

fn body(function: &FnItem, errors: &mut Errors) {
    if let Some(token) = function.sig.constness {
        errors.on(
            token,
            "`#[observe]` cannot measure a `const fn`: it may run at compile time",
        );
    }
    if let Body::Missing(semi) = &function.body {
        let name = &function.sig.ident;
        errors.on(
            semi,
            format_args!(
                "`{name}` has no body to measure; put `#[observe]` on its implementations"
            ),
        );
    }
}

fn keys(args: &Args, errors: &mut Errors) {
    // Scores may come from anywhere in an operation.
    if args.evaluations.is_empty() && args.operation.name.is_none() {
        needs(args, "min_quality", "quality", errors);
    }
    excludes(args, "ok_if", "error_if", errors);
    excludes(args, "skip_all", "args", errors);
    for (trigger, span) in args.alerts.iter().flat_map(|alert| &alert.on) {
        // `slow`, `stalled` and `timeout` may come from the file or from a call below.
        if trigger.name == "low_quality" && args.min_quality.is_none() {
            errors.at(
                *span,
                "`on(low_quality)` never fires without `min_quality = 0.7`",
            );
        }
    }
}

/// Reports keys that say what an operation is about where there is none, or another one.
fn operation(args: &Args, errors: &mut Errors) {
    let Some(name) = args.operation.name else {
        // A mistake in `operation` itself is one error.
        if args.span_of("operation").is_none()
            && let Some((key, span)) = args::first_key(|key| args.span_of(key))
        {
            let example = args::example("operation");
            errors.at(
                span,
                format_args!("`{key}` needs `operation`, such as `{example}`"),
            );
        }
        return;
    };
    if let Some(span) = args.span_of("tool").filter(|_| name != "execute_tool") {
        errors.at(span, "`tool` names the tool of `operation = execute_tool`");
    }
    if let Some(span) = args.span_of("usage").filter(|_| name == "execute_tool") {
        errors.at(span, "`usage` counts tokens of a model, and a tool is none");
    }
}

fn needs(args: &Args, key: &str, other: &str, errors: &mut Errors) {
    if let (Some(span), None) = (args.span_of(key), args.span_of(other)) {
        let example = args::example(other);
        errors.at(
            span,
            format_args!("`{key}` needs `{other}`, such as `{example}`"),
        );
    }
}

fn excludes(args: &Args, key: &str, other: &str, errors: &mut Errors) {
    if let (Some(_), Some(span)) = (args.span_of(key), args.span_of(other)) {
        errors.at(
            span,
            format_args!("`{other}` contradicts `{key}`; keep one"),
        );
    }
}

/// Reports the keys that look at a returned value, which a stream is not, and limits that are none of a
/// stream.
fn stream(args: &Args, function: &FnItem, errors: &mut Errors) {
    if !args.stream {
        if let Some(span) = args.stream_limits.span {
            errors.at(
                span,
                "`timeout(...)` limits a stream: add `stream`, or write `timeout = \"30s\"`",
            );
        }
        return;
    }
    let no_value = [
        "ok_if", "error_if", "quality", "evaluate", "ret", "err", "expected",
    ];
    for (key, span) in no_value
        .iter()
        .filter_map(|key| Some((key, args.span_of(key)?)))
    {
        errors.at(
            span,
            format_args!("`{key}` looks at a returned value, and `stream` has none"),
        );
    }
    for field in &args.fields {
        if let When::End(value) = &field.when {
            errors.on(value, "a field of a returned value, and `stream` has none");
        }
    }
    if let Some(items @ Expr::Closure(_)) = &args.items {
        errors.on(
            items,
            "`items` looks at a returned value, and `stream` has none",
        );
    }
    if args.timeout.is_some()
        && let Some(span) = args.span_of("timeout")
    {
        errors.at(
            span,
            "a stream has three limits: `timeout(first = \"10s\", idle = \"20s\", total = \"2m\")`",
        );
    }
    let returns = Returns::of(&function.sig);
    if returns.is_empty()
        && let Some(span) = args.span_of("stream")
    {
        errors.at(span, "`stream` needs a function that returns a stream");
    }
}

fn returned(args: &Args, function: &FnItem, errors: &mut Errors) {
    if args.stream {
        return;
    }
    let returns = Returns::of(&function.sig);
    let fails = ["expected", "err"];
    let looks = [
        "ok_if", "error_if", "quality", "evaluate", "ret", "usage", "output",
    ];
    for (key, span) in fails
        .iter()
        .filter_map(|key| Some((key, args.span_of(key)?)))
    {
        if returns.cannot_fail() {
            errors.at(
                span,
                format_args!("`{key}` needs a function that returns a `Result`"),
            );
        }
    }
    for (key, span) in looks
        .iter()
        .filter_map(|key| Some((key, args.span_of(key)?)))
    {
        if returns.is_empty() {
            errors.at(
                span,
                format_args!("`{key}` needs a function that returns a value"),
            );
        }
    }
    if args.timeout.is_none() {
        return;
    }
    let Some(span) = args.span_of("timeout") else {
        return;
    };
    if matches!(returns.shape, Shape::Sync | Shape::Either) {
        errors.at(
            span,
            "`timeout` needs an async function: only a future can be dropped at the limit",
        );
    } else if returns.cannot_fail() {
        errors.at(
            span,
            "`timeout` needs a function that returns a `Result`, to return `Err(Elapsed)`",
        );
    }
}

fn names(args: &Args, function: &FnItem, errors: &mut Errors) {
    let known = parameters(function);
    let arguments = args.args.iter().flat_map(|captured| match captured {
        Captured::All => Vec::new(),
        Captured::Just(list) => list.iter().map(|arg| &arg.ident).collect(),
    });
    for ident in arguments.chain(&args.skip) {
        let written = ident.unraw().to_string();
        if written == "self" || known.contains(&written) {
            continue;
        }
        let text = match suggest(&written, known.iter().map(String::as_str)) {
            Some(near) => format!("no argument `{written}`; did you mean `{near}`?"),
            None if known.is_empty() => format!("no argument `{written}`: the function has none"),
            None => format!(
                "no argument `{written}`; the arguments are {}",
                known.join(", ")
            ),
        };
        errors.at(ident.span(), text);
    }
    for field in &args.fields {
        if let (When::End(value), true) = (&field.when, Returns::of(&function.sig).is_empty()) {
            errors.on(value, "there is no returned value to take a field from");
        }
    }
}

fn parameters(function: &FnItem) -> Vec<String> {
    let mut names = Vec::new();
    for arg in &function.sig.inputs {
        if let FnArg::Typed(arg) = arg {
            normalize::bound(&arg.pat, &mut names);
        }
    }
    names
        .iter()
        .map(|ident| ident.unraw().to_string())
        .collect()
}

fn catalogue(args: &Args, function: &FnItem, config: &Config, errors: &mut Errors) {
    let sig = &function.sig;
    let Some(events) = &config.events else { return };
    // What is wrong already may be why there is no event: one mistake is one error.
    let unmeasurable = sig.constness.is_some() || matches!(function.body, Body::Missing(_));
    if args.event.is_none() && (args.has_mistakes || unmeasurable) {
        return;
    }
    let (name, span) = match &args.event {
        Some(text) => (text.value(), text.span()),
        None => (event::default_name(&sig.ident), sig.ident.span()),
    };
    if events.contains_key(&name) {
        return;
    }
    let origin = if args.event.is_some() {
        ""
    } else {
        " (the function's name)"
    };
    let help = near(&name, events.keys());
    errors.at(
        span,
        format_args!("unknown event `{name}`{origin}: not in [events] of llm-observe.toml; {help}"),
    );
}

fn channels(args: &Args, config: &Config, errors: &mut Errors) {
    // Without any, channels may come from the program or from `SLACK_WEBHOOK_URL`.
    if config.channels.is_empty() {
        return;
    }
    for channel in args
        .alerts
        .iter()
        .filter_map(|alert| alert.channel.as_ref())
    {
        let name = channel.value();
        if !config.channels.contains_key(&name) {
            let help = near(&name, config.channels.keys());
            errors.on(
                channel,
                format_args!(
                    "unknown channel `{name}`: not in [channels] of llm-observe.toml; {help}"
                ),
            );
        }
    }
}

fn near<'a>(written: &str, allowed: impl Iterator<Item = &'a String> + Clone) -> String {
    match suggest(written, allowed.clone().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            let all: Vec<_> = allowed.map(String::as_str).collect();
            format!(
                "it has {}",
                if all.is_empty() {
                    "none".to_owned()
                } else {
                    all.join(", ")
                }
            )
        }
    }
}
