//! The one table of keys: name, how it is written, how it is read.

use proc_macro2::TokenStream;
use syn::{Expr, Ident, Pat, Token, parse::ParseStream, token};

use super::{
    alert::Alert,
    evaluate::Evaluate,
    field::{self, Sigil},
    parsed::{Args, Captured, Returned},
    stream_limits::StreamLimits,
    syntax::{self, WrittenKey, inside, parens},
    value::{self, Level},
};
use crate::errors::Errors;

/// One key of the attribute.
pub(crate) struct Key {
    pub(crate) name: &'static str,
    /// How it is written, for messages.
    pub(crate) example: &'static str,
    pub(crate) repeats: bool,
    pub(crate) parse: ParseKey,
}

type ParseKey = fn(WrittenKey<'_>, ParseStream<'_>, &mut Args, &mut Errors) -> syn::Result<()>;

const fn key(name: &'static str, example: &'static str, parse: ParseKey) -> Key {
    Key {
        name,
        example,
        repeats: false,
        parse,
    }
}

/// Every key, in the order of the documentation.
pub(crate) const KEYS: &[Key] = &[
    key("event", "event = \"embedding\"", |k, i, a, e| {
        a.event = value::event(k, i, e)?;
        Ok(())
    }),
    key("level", "level = \"debug\"", |k, i, a, e| {
        a.level = Level::after_eq(k, i, e)?;
        Ok(())
    }),
    key("name", "name = \"embed\"", |k, i, a, _| {
        a.name = Some(syntax::expr(k, i)?);
        Ok(())
    }),
    key("target", "target = \"rag::search\"", |k, i, a, _| {
        a.target = Some(syntax::expr(k, i)?);
        Ok(())
    }),
    key("parent", "parent = &request_span", |k, i, a, _| {
        a.parent = Some(syntax::expr(k, i)?);
        Ok(())
    }),
    key("follows_from", "follows_from = causes", |k, i, a, _| {
        a.follows_from = Some(syntax::expr(k, i)?);
        Ok(())
    }),
    key(
        "fields",
        "fields(user = %user.id, hits = |found| found.len())",
        |k, i, a, e| {
            a.fields = inside(parens(k, i)?, |i| field::fields(i, e))?;
            Ok(())
        },
    ),
    key("args", "args(k, ?filter, %id)", |k, i, a, e| {
        a.args = Some(if i.peek(token::Paren) {
            Captured::Just(inside(parens(k, i)?, |i| field::args(i, e))?)
        } else {
            Captured::All
        });
        Ok(())
    }),
    key("skip", "skip(prompt)", |k, i, a, _| {
        if i.peek(token::Paren) {
            a.skip = inside(parens(k, i)?, field::idents)?;
        } else {
            a.leave_out = true;
        }
        Ok(())
    }),
    key("skip_all", "skip_all", |_, _, a, _| {
        a.skip_all = true;
        Ok(())
    }),
    key("ret", "ret", |k, i, a, e| {
        let ret = returned(k, i, e)?;
        if ret.level.is_some() {
            e.at(
                k.span(),
                "the returned value is on the call's own line, whose level is `level`",
            );
        }
        a.ret = Some(ret);
        Ok(())
    }),
    key("err", "err", |k, i, a, e| {
        a.err = Some(returned(k, i, e)?);
        Ok(())
    }),
    key("alert_on_error", "alert_on_error", |k, i, a, _| {
        a.alert_on_error = Some(if i.peek(Token![=]) {
            value::boolean(k, i)?
        } else {
            true
        });
        Ok(())
    }),
    Key {
        repeats: true,
        ..key(
            "alert",
            "alert(on(error, slow), channel = \"ops\")",
            |k, i, a, e| {
                let alert = inside(parens(k, i)?, |i| Alert::parse(k, i, e))?;
                a.alerts.push(alert);
                Ok(())
            },
        )
    },
    key(
        "expected",
        "expected(FindError::NotFound(_))",
        |k, i, a, _| {
            a.expected = Some(inside(parens(k, i)?, pattern)?);
            Ok(())
        },
    ),
    key(
        "ok_if",
        "ok_if = |answer| answer.is_some()",
        |k, i, a, _| {
            a.ok_if = Some(value::closure(k, i)?);
            Ok(())
        },
    ),
    key(
        "error_if",
        "error_if = |hits| hits.is_empty()",
        |k, i, a, _| {
            a.error_if = Some(value::closure(k, i)?);
            Ok(())
        },
    ),
    key("report", "report = false", |k, i, a, _| {
        a.report = Some(value::boolean(k, i)?);
        Ok(())
    }),
    key("slow", "slow = \"2s\"", |k, i, a, e| {
        a.slow = value::duration(k, i, e)?;
        Ok(())
    }),
    key("stalled", "stalled = \"10s\"", |k, i, a, e| {
        a.stalled = value::duration(k, i, e)?;
        Ok(())
    }),
    key("timeout", "timeout = \"30s\"", |k, i, a, e| {
        if i.peek(token::Paren) {
            a.stream_limits = inside(parens(k, i)?, |i| StreamLimits::parse(i, e))?;
        } else {
            a.timeout = value::duration(k, i, e)?;
        }
        Ok(())
    }),
    key("sample", "sample = 0.01", |k, i, a, e| {
        a.sample = value::share(k, i, e)?;
        Ok(())
    }),
    key("items", "items = texts.len()", |k, i, a, _| {
        a.items = Some(syntax::expr(k, i)?);
        Ok(())
    }),
    key(
        "quality",
        "quality = |answer| answer.score",
        |k, i, a, _| {
            a.quality = Some(value::closure(k, i)?);
            Ok(())
        },
    ),
    key("min_quality", "min_quality = 0.7", |k, i, a, e| {
        a.min_quality = value::share(k, i, e)?;
        Ok(())
    }),
    Key {
        repeats: true,
        ..key(
            "evaluate",
            "evaluate(name = \"groundedness\", with = judge, share = 0.05)",
            |k, i, a, e| {
                let evaluate = inside(parens(k, i)?, |i| Evaluate::parse(k, i, e))?;
                a.evaluations.extend(evaluate);
                Ok(())
            },
        )
    },
    key("crate", "crate = my_facade::llm_observe", |k, i, a, _| {
        syntax::equals(k, i)?;
        a.krate = Some(i.call(syn::Path::parse_mod_style)?);
        Ok(())
    }),
    key("operation", "operation = chat", |k, i, a, e| {
        a.operation.parse_name(k, i, e)
    }),
    key("provider", "provider = \"openai\"", |k, i, a, _| {
        a.operation.parse_subject(k, i)
    }),
    key("model", "model = &request.model", |k, i, a, _| {
        a.operation.parse_subject(k, i)
    }),
    key("tool", "tool = &call.name", |k, i, a, _| {
        a.operation.parse_subject(k, i)
    }),
    key("agent", "agent = \"planner\"", |k, i, a, _| {
        a.operation.parse_subject(k, i)
    }),
    key("data_source", "data_source = \"handbook\"", |k, i, a, _| {
        a.operation.parse_subject(k, i)
    }),
    key("usage", "usage = |answer| answer.usage", |k, i, a, _| {
        a.operation.usage = Some(value::closure(k, i)?);
        Ok(())
    }),
    key("input", "input = &request.messages", |k, i, a, _| {
        a.operation.input = Some(syntax::expr(k, i)?);
        Ok(())
    }),
    key("output", "output = |answer| &answer.text", |k, i, a, _| {
        a.operation.output = Some(value::closure(k, i)?);
        Ok(())
    }),
    key("stream", "stream", |_, _, a, _| {
        a.stream = true;
        Ok(())
    }),
];

/// Returns the key of that name.
pub(crate) fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// Returns how `name` is written.
pub(crate) fn example(name: &str) -> &'static str {
    find(name).map_or("", |key| key.example)
}

/// Returns the error for an unknown key.
pub(crate) fn unknown(ident: &Ident, written: &str) -> syn::Error {
    let names = || KEYS.iter();
    let text = match llm_observe_config::suggest(written, names().map(|key| key.name)) {
        Some(near) => format!("unknown key `{written}`; did you mean `{near}`?"),
        None => {
            let all: Vec<_> = names().map(|key| key.name).collect();
            format!("unknown key `{written}`; the keys are {}", all.join(", "))
        }
    };
    syn::Error::new(ident.span(), text)
}

fn returned(
    key: WrittenKey<'_>,
    input: ParseStream<'_>,
    errors: &mut Errors,
) -> syn::Result<Returned> {
    let mut returned = Returned::default();
    if input.peek(token::Paren) {
        inside(parens(key, input)?, |content| {
            how_returned(content, &mut returned, errors)
        })?;
    }
    Ok(returned)
}

fn how_returned(
    content: ParseStream<'_>,
    returned: &mut Returned,
    errors: &mut Errors,
) -> syn::Result<()> {
    while !content.is_empty() {
        let key: Ident = content.parse()?;
        match key.to_string().as_str() {
            "level" => {
                returned.level = Level::after_eq(
                    WrittenKey {
                        ident: &key,
                        example: "level = \"debug\"",
                    },
                    content,
                    errors,
                )?
            }
            "Debug" => returned.sigil = Some(Sigil::Debug),
            "Display" => returned.sigil = Some(Sigil::Display),
            _ => errors.at(
                key.span(),
                "expected `level = \"...\"`, `Debug` or `Display`",
            ),
        }
        if !content.is_empty() {
            content.parse::<Token![,]>()?;
        }
    }
    Ok(())
}

/// Reads a pattern, with a guard or without.
fn pattern(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let tokens = input.fork().parse()?;
    Pat::parse_multi_with_leading_vert(input)?;
    if input.parse::<Option<Token![if]>>()?.is_some() {
        input.parse::<Expr>()?;
    }
    if input.is_empty() {
        return Ok(tokens);
    }
    let message = "`expected` takes one pattern; join several with `|`";
    Err(syn::Error::new(input.span(), message))
}
