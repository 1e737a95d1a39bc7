//! Recognises requests to models, their operation and their provider by method, host and path. Pure.

use crate::genai::request::ModelCall;

/// A request to a model, in the terms of the OpenTelemetry GenAI conventions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ModelRequest {
    /// `gen_ai.operation.name`.
    pub(crate) operation: &'static str,
    /// `gen_ai.provider.name`.
    pub(crate) provider: &'static str,
}

/// Suffixes of paths, longer ones first, each with its operation and with the provider that defined
/// the API.
const PATHS: &[(&str, &str, &str)] = &[
    ("/chat/completions", "chat", "openai"),
    ("/completions", "text_completion", "openai"),
    ("/embeddings", "embeddings", "openai"),
    // Other services have paths that end in `/responses` too.
    ("/v1/responses", "chat", "openai"),
    ("/openai/responses", "chat", "openai"),
    ("/v1/messages", "chat", "anthropic"),
];

/// Providers by host. Each entry includes the names below it.
const HOSTS: &[(&str, &str)] = &[
    ("openai.azure.com", "azure.ai.openai"),
    ("services.ai.azure.com", "azure.ai.inference"),
    ("models.ai.azure.com", "azure.ai.inference"),
    ("openai.com", "openai"),
    ("anthropic.com", "anthropic"),
    ("cohere.com", "cohere"),
    ("cohere.ai", "cohere"),
    ("deepseek.com", "deepseek"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("googleapis.com", "gcp.vertex_ai"),
    ("groq.com", "groq"),
    ("mistral.ai", "mistral_ai"),
    ("perplexity.ai", "perplexity"),
    ("x.ai", "x_ai"),
];

impl ModelRequest {
    /// Returns it as a request that is under way; `None` without an observer.
    pub(crate) fn call(self) -> Option<ModelCall> {
        ModelCall::new(self.operation, self.provider)
    }

    /// Returns the request to a model that a POST to the path of a known API is.
    ///
    /// On an unknown host the provider is the one that defined the API. The conventions recommend that
    /// where nothing better is known.
    pub(crate) fn of(method: &str, host: &str, path: &str) -> Option<ModelRequest> {
        if method != "POST" {
            return None;
        }
        let path = path.strip_suffix('/').unwrap_or(path);
        let (_, operation, api) = PATHS.iter().find(|(end, ..)| path.ends_with(end))?;
        let provider = provider(host).unwrap_or(api);
        Some(ModelRequest {
            operation,
            provider,
        })
    }
}

fn provider(host: &str) -> Option<&'static str> {
    // Anybody can have a server below `amazonaws.com`.
    if host.starts_with("bedrock") && is_under(host, "amazonaws.com") {
        return Some("aws.bedrock");
    }
    let known = HOSTS.iter().find(|(name, _)| is_under(host, name))?;
    Some(known.1)
}

/// Returns whether `host` is `name` or a name below it.
fn is_under(host: &str, name: &str) -> bool {
    let head = host.len().checked_sub(name.len());
    let parts = head.and_then(|head| host.split_at_checked(head));
    parts.is_some_and(|(under, same)| {
        same.eq_ignore_ascii_case(name) && (under.is_empty() || under.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::ModelRequest;

    #[test]
    fn requests_to_models_are_recognised_by_path_and_host() {
        for (host, path, wanted) in [
            (
                "api.openai.com",
                "/v1/chat/completions",
                Some(("chat", "openai")),
            ),
            (
                "API.OpenAI.com",
                "/v1/embeddings/",
                Some(("embeddings", "openai")),
            ),
            (
                "localhost",
                "/v1/completions",
                Some(("text_completion", "openai")),
            ),
            (
                "api.anthropic.com",
                "/v1/messages",
                Some(("chat", "anthropic")),
            ),
            (
                "proxy.internal",
                "/anthropic/v1/messages",
                Some(("chat", "anthropic")),
            ),
            (
                "api.groq.com",
                "/openai/v1/chat/completions",
                Some(("chat", "groq")),
            ),
            (
                "me.openai.azure.com",
                "/openai/deployments/x/chat/completions",
                Some(("chat", "azure.ai.openai")),
            ),
            ("api.openai.com", "/v1/responses", Some(("chat", "openai"))),
            (
                "bedrock-runtime.us-west-2.amazonaws.com",
                "/openai/v1/chat/completions",
                Some(("chat", "aws.bedrock")),
            ),
            (
                "me.elb.amazonaws.com",
                "/v1/embeddings",
                Some(("embeddings", "openai")),
            ),
            (
                "evilopenai.com",
                "/v1/embeddings",
                Some(("embeddings", "openai")),
            ),
            (
                "notgroq.com",
                "/v1/embeddings",
                Some(("embeddings", "openai")),
            ),
            ("forms.example.org", "/api/responses", None),
            ("chat.example.org", "/messages", None),
            ("api.openai.com", "/v1/models", None),
            ("api.openai.com", "/v1/mycompletions", None),
        ] {
            let wanted = wanted.map(|(operation, provider)| ModelRequest {
                operation,
                provider,
            });
            assert_eq!(ModelRequest::of("POST", host, path), wanted, "{host}{path}");
        }
        assert_eq!(
            ModelRequest::of("GET", "api.openai.com", "/v1/responses"),
            None
        );
    }
}
