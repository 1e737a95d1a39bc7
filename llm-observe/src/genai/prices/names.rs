//! The names that a provider and a model may have in the table, the given ones first.
//!
//! genai-prices matches most dated and prefixed names itself. What it does not match is tried again in
//! other forms: those that the OpenTelemetry conventions, gateways and clouds write. A form is only tried
//! where the prefix says nothing else than the provider does, since a wrong price is worse than none.
//! Pure: knows no table.

use std::iter;

/// A provider and a model as the table may name them. Without a provider, the model alone decides.
pub(super) type Name<'n> = (Option<&'n str>, &'n str);

/// `gen_ai.provider.name` of the conventions 1.41.1, where genai-prices has another name and does not know
/// theirs, or takes it for another provider.
const PROVIDERS: [(&str, &str); 5] = [
    ("azure.ai.inference", "azure"),
    ("azure.ai.openai", "azure"),
    ("gcp.gen_ai", "google"),
    ("mistral_ai", "mistral"),
    ("x_ai", "x-ai"),
];

/// Parts of paths that name no provider: `models/gemini-1.5-flash`,
/// `publishers/anthropic/models/claude-3-5-sonnet@20240620`.
const PATHS: [&str; 2] = ["models", "publishers"];

/// How often a model's name is tried without its first part.
const MOST_PARTS: usize = 8;

/// Returns the forms to try, in order.
///
/// `known` returns the table's id of a provider's name.
pub(super) fn forms<'n>(
    provider: Option<&'n str>,
    model: &'n str,
    known: impl Fn(&str) -> Option<&'n str>,
) -> Vec<Name<'n>> {
    let provider = provider.map(|provider| {
        let mut names = PROVIDERS.iter();
        let renamed = names.find(|(theirs, _)| *theirs == provider);
        renamed.map_or(provider, |(_, ours)| ours)
    });
    let mut forms = vec![(provider, model)];
    let mut left = model;
    for _ in 0..MOST_PARTS {
        let Some((part, rest)) = left.split_once('/') else {
            break;
        };
        let path = PATHS.contains(&part);
        // The last part of a path such as `projects/P/locations/L/publishers/google/models/M` decides.
        if !path && known(part).is_none() && !model.contains("/models/") {
            break;
        }
        let of = provider.or(if path { None } else { known(part) });
        forms.push((of, rest));
        left = rest;
    }
    if let Some(vendor) = bedrock_vendor(model) {
        let same = |provider: &str| known(provider) == known(vendor) && known(vendor).is_some();
        if provider.is_none_or(same) {
            forms.push((Some("aws"), model));
        }
    }
    forms.retain(|(_, model)| !model.is_empty());
    forms
}

/// Returns who made a model with a name as Amazon Bedrock writes them, such as
/// `anthropic.claude-3-5-sonnet-20241022-v2:0`, with or without a region before it.
fn bedrock_vendor(model: &str) -> Option<&str> {
    let (name, version) = model.rsplit_once(':')?;
    let version = version.bytes().all(|byte| byte.is_ascii_digit());
    let mut parts = name.split('.');
    let first = parts.next().filter(|_| version)?;
    let region = iter::once("global").chain(["us", "us-gov", "eu", "apac", "jp", "au", "ca"]);
    let vendor = match region.into_iter().any(|region| region == first) {
        true => parts.next()?,
        false => first,
    };
    parts.next().map(|_| vendor)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: [&str; 4] = ["openai", "anthropic", "google", "azure"];

    fn of<'n>(provider: &'n str, model: &'n str) -> Vec<Name<'n>> {
        let provider = Some(provider).filter(|provider| !provider.is_empty());
        forms(provider, model, |name| {
            KNOWN.into_iter().find(|id| *id == name)
        })
    }

    #[test]
    fn the_given_names_come_first() {
        assert_eq!(of("openai", "gpt-4o"), [(Some("openai"), "gpt-4o")]);
        assert_eq!(of("", "gpt-4o"), [(None, "gpt-4o")]);
        assert_eq!(of("azure.ai.openai", "a"), [(Some("azure"), "a")]);
    }

    #[test]
    fn prefixes_that_name_a_provider_or_a_path_are_left_out() {
        let openai = [
            (Some("openai"), "openai/gpt-4o"),
            (Some("openai"), "gpt-4o"),
        ];
        assert_eq!(of("openai", "openai/gpt-4o"), openai);
        assert_eq!(of("", "openai/gpt-4o")[1..], openai[1..]);
        assert_eq!(
            of("google", "models/g").last(),
            Some(&(Some("google"), "g"))
        );
        assert_eq!(of("", "models/g").last(), Some(&(None, "g")));
        for path in [
            "publishers/google/models/g",
            "projects/p/locations/l/publishers/google/models/g",
        ] {
            assert_eq!(
                of("google", path).last(),
                Some(&(Some("google"), "g")),
                "{path}"
            );
        }
    }

    #[test]
    fn other_prefixes_stay() {
        assert_eq!(of("openai", "mine/gpt-4o").len(), 1);
        assert_eq!(of("", "/gpt-4o").len(), 1);
        assert_eq!(of("openai", "openai/").len(), 1);
        let many = "openai/".repeat(1_000);
        assert!(of("openai", &many).len() <= MOST_PARTS + 1);
    }

    #[test]
    fn names_of_bedrock_are_looked_up_there() {
        for model in [
            "anthropic.claude-3-5-sonnet-20241022-v2:0",
            "us.anthropic.claude-3-5-sonnet-20241022-v2:0",
        ] {
            assert_eq!(of("anthropic", model).last(), Some(&(Some("aws"), model)));
            assert_eq!(of("", model).last(), Some(&(Some("aws"), model)));
            assert_eq!(of("openai", model).len(), 1);
        }
        for model in [
            "gpt-4.1",
            "gpt-4.1:free",
            "llama3.1:8b",
            "us.:0",
            ":0",
            "a:",
        ] {
            assert_eq!(of("", model).len(), 1, "{model}");
        }
    }
}
