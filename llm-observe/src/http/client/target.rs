//! Where a request goes: its site, and how it stands in a line.

use crate::http::{
    Http,
    exchange::Exchange,
    http_site::HttpSite,
    method::Method,
    sites::{OTHER, SCHEMES},
};

/// The event of requests that are sent.
pub(crate) const EVENT: &str = "http_call";

/// The longest path and query that a line has.
const LONGEST: usize = 4_096;

/// A request that is about to be sent, as its client has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target<'a> {
    pub(crate) method: &'a str,
    pub(crate) scheme: &'a str,
    /// Name or address, without port; empty where only the connection knows it.
    pub(crate) host: &'a str,
    pub(crate) port: Option<u16>,
    pub(crate) path: &'a str,
    pub(crate) query: Option<&'a str>,
    /// Bytes of its body, where they are known.
    pub(crate) bytes: Option<u64>,
}

impl Target<'_> {
    /// Returns the site of its method and host.
    pub(crate) fn site(&self, http: &Http) -> Option<&'static HttpSite> {
        let method = Method::of(self.method);
        let scheme = self.scheme();
        let name = match self.host {
            "" => String::new(),
            host => format!("{}:{}", host.to_ascii_lowercase(), self.port()),
        };
        http.hosts
            .site(&name, method, scheme, |name| site(method, scheme, name))
    }

    /// Returns what the record says of it. A URL is shown without user and password.
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
        if let Some(port) = self.port.filter(|port| *port != self.usual_port()) {
            url.push_str(&format!(":{port}"));
        }
        let query = self.query.map(|query| format!("?{query}"));
        let rest = self
            .path
            .chars()
            .chain(query.iter().flat_map(|q| q.chars()));
        url.extend(rest.take(LONGEST));
        url
    }

    fn scheme(&self) -> usize {
        let known = SCHEMES
            .iter()
            .position(|s| s.eq_ignore_ascii_case(self.scheme));
        known.unwrap_or_default()
    }

    fn usual_port(&self) -> u16 {
        if self.scheme.eq_ignore_ascii_case("https") {
            443
        } else {
            80
        }
    }

    fn port(&self) -> u16 {
        self.port.unwrap_or(self.usual_port())
    }
}

/// Returns the site of `name`, which is host and port, [`OTHER`], or empty.
fn site(method: Method, scheme: usize, name: &'static str) -> HttpSite {
    let method = method.as_str();
    let scheme = SCHEMES.get(scheme).copied().unwrap_or_default();
    let (host, port) = name.rsplit_once(':').unwrap_or((name, ""));
    let usual = if scheme == "https" { "443" } else { "80" };
    let shown = if port == usual { host } else { name };
    let function = format!("{method} {shown}").trim_end().to_owned();
    let labels = labels(method, scheme, host, port);
    let mut site = HttpSite::outgoing(EVENT, function.leak(), method, labels);
    site.site.fields = super::record::fields();
    // The call above decides whether a failure matters, and may send the request again. It is
    // reported from there.
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

/// Returns the label of a site's host; `None` for what stands for several, or for none.
pub(crate) fn address(site: &'static HttpSite) -> Option<&'static str> {
    let labels = site.labels().iter();
    let mut hosts = labels.filter(|(name, _)| *name == "server_address");
    let (_, host) = hosts.next()?;
    (host != OTHER).then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(scheme: &'static str, port: Option<u16>) -> Target<'static> {
        Target {
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
    fn a_usual_port_is_not_shown() {
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
    fn a_site_is_a_method_and_a_host() {
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
