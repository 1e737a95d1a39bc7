//! Where a request is sent: its site, and its URL in a line.

use super::{fields, state::ClientState};
use crate::http::{
    exchange::Exchange,
    http_site::HttpSite,
    method::Method,
    sites::{OTHER, SCHEMES},
};

/// The event of sent requests.
pub(crate) const EVENT: &str = "http_call";

/// The longest path and query in a line, in characters.
const MAX_PATH: usize = 4_096;

/// The target of a request, as its client has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RequestTarget<'a> {
    pub(crate) method: &'a str,
    pub(crate) scheme: &'a str,
    /// Name or address without the port; empty where only the connection knows it.
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    /// Bytes of the request's body, where the length is known.
    pub(crate) bytes: Option<u64>,
}

impl RequestTarget<'_> {
    /// Returns the site of the method and host.
    pub(crate) fn site(&self, state: &ClientState) -> Option<&'static HttpSite> {
        let method = Method::of(self.method);
        let scheme = self.scheme();
        let name = match self.host {
            "" => String::new(),
            host => format!("{}:{}", host.to_ascii_lowercase(), self.port()),
        };
        state
            .hosts
            .site(&name, method, scheme, |name| site(method, scheme, name))
    }

    /// Returns a new exchange of `site`. The URL has neither user nor password.
    pub(crate) fn exchange(&self, site: &'static HttpSite) -> Exchange {
        let method = Method::of(self.method);
        Exchange {
            site: Some(site),
            target: self.url(),
            method: method.is_other().then(|| self.method.to_owned()),
            request_bytes: self.bytes,
            ..Exchange::default()
        }
    }

    fn url(&self) -> String {
        let mut url = match self.host {
            "" => String::new(),
            host => format!("{}://{host}", self.scheme),
        };
        if let Some(port) = self.port.filter(|port| *port != self.default_port()) {
            url.push_str(&format!(":{port}"));
        }
        let query = self.query.map(|query| format!("?{query}"));
        let rest = self
            .path
            .chars()
            .chain(query.iter().flat_map(|q| q.chars()));
        url.extend(rest.take(MAX_PATH));
        url
    }

    fn scheme(&self) -> usize {
        let index = SCHEMES
            .iter()
            .position(|s| s.eq_ignore_ascii_case(self.scheme));
        index.unwrap_or_default()
    }

    fn default_port(&self) -> u16 {
        if self.scheme.eq_ignore_ascii_case("https") {
            443
        } else {
            80
        }
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(self.default_port())
    }
}

/// Returns a new site of `name`: host and port, [`OTHER`], or empty.
fn site(method: Method, scheme: usize, name: &'static str) -> HttpSite {
    let method = method.as_str();
    let scheme = SCHEMES.get(scheme).copied().unwrap_or_default();
    let (host, port) = name.rsplit_once(':').unwrap_or((name, ""));
    let default_port = if scheme == "https" { "443" } else { "80" };
    let shown = if port == default_port { host } else { name };
    let function = format!("{method} {shown}").trim_end().to_owned();
    let labels = labels(method, scheme, host, port);
    let mut site = HttpSite::outgoing(EVENT, function.leak(), method, labels);
    site.site.fields = fields::span_fields();
    // The calling function decides whether a failure matters: it may send the request again. A
    // failure that it returns is reported there.
    site.site.report = false;
    site.site.err_level = Some(tracing::Level::WARN);
    site
}

fn labels(method: &str, scheme: &str, host: &str, port: &str) -> Vec<(&'static str, String)> {
    let labels = [
        ("http_request_method", method),
        ("server_address", host),
        ("server_port", port),
        ("url_scheme", scheme),
    ];
    let known = labels.into_iter().filter(|(_, value)| !value.is_empty());
    known
        .map(|(name, value)| (name, value.to_owned()))
        .collect()
}

/// Returns the host of a site; `None` for a site of several hosts, or of none.
pub(crate) fn server_address(site: &'static HttpSite) -> Option<&'static str> {
    let labels = site.labels().iter();
    let mut hosts = labels.filter(|(name, _)| *name == "server_address");
    let (_, host) = hosts.next()?;
    (host != OTHER).then_some(host)
}

/// Returns the labels of a site that say where it is.
pub(crate) fn server_labels(site: &'static HttpSite) -> Vec<(&'static str, String)> {
    let labels = site.labels().iter();
    labels
        .filter(|(name, _)| name.starts_with("server_"))
        .cloned()
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(scheme: &'static str, port: Option<u16>) -> RequestTarget<'static> {
        RequestTarget {
            method: "GET",
            scheme,
            host: "Example.org",
            port,
            path: "/a",
            query: Some("b=c"),
            bytes: None,
        }
    }

    #[test]
    fn a_default_port_is_not_shown() {
        assert_eq!(
            target("https", Some(443)).url(),
            "https://Example.org/a?b=c"
        );
        assert_eq!(target("https", None).url(), "https://Example.org/a?b=c");
        assert_eq!(
            target("http", Some(8080)).url(),
            "http://Example.org:8080/a?b=c"
        );
    }

    #[test]
    fn each_method_and_host_has_a_site() {
        let port = |name| {
            let site = site(Method::of("POST"), 1, name);
            let port = site
                .labels()
                .iter()
                .find(|(name, _)| *name == "server_port");
            (
                site.site.function().to_owned(),
                port.map(|(_, port)| port.clone()),
            )
        };
        let some = |port: &str| Some(port.to_owned());
        assert_eq!(
            port("api.org:443"),
            ("POST api.org".to_owned(), some("443"))
        );
        assert_eq!(
            port("api.org:8443"),
            ("POST api.org:8443".to_owned(), some("8443"))
        );
        assert_eq!(port("[::1]:80"), ("POST [::1]:80".to_owned(), some("80")));
        assert_eq!(port(OTHER), ("POST _other".to_owned(), None));
        assert_eq!(port(""), ("POST".to_owned(), None));
    }
}
