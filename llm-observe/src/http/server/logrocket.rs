//! Validates links to LogRocket sessions in the request header `X-LogRocket-URL`.
//!
//! LogRocket takes no errors from servers. Its browser SDK knows the URL of the session that it
//! records, and a page can send that URL with its requests (docs.logrocket.com, "New Relic"). The
//! header comes from outside, so a link is passed on only if it leads to the configured application.
//! This module must not know what carries the link.

/// The prefix of all links to sessions.
const HOST: &str = "https://app.logrocket.com/";

/// The longest header that is read, in bytes. Links of the SDK have about 110.
const MAX_HEADER: usize = 512;

/// Returns the link in an `X-LogRocket-URL` header, if it leads to a session of `app`
/// (`organisation/application`; `None` accepts any application).
///
/// Of the query only `t=DIGITS` is kept, the time in the session. The fragment is removed.
pub(crate) fn session_link(header: &str, app: Option<&str>) -> Option<String> {
    if header.len() > MAX_HEADER {
        return None;
    }
    let (address, _fragment) = header.split_once('#').unwrap_or((header, ""));
    let (address, query) = address.split_once('?').unwrap_or((address, ""));
    let session = match app {
        Some(app) => address
            .strip_prefix(HOST)?
            .strip_prefix(app)?
            .strip_prefix('/')?,
        None => after_app(address.strip_prefix(HOST)?)?,
    };
    if !session.split('/').all(is_plain) {
        return None;
    }
    Some(match moment(query) {
        Some(moment) => format!("{address}?t={moment}"),
        None => address.to_owned(),
    })
}

/// Returns the part of a path after organisation and application.
fn after_app(path: &str) -> Option<&str> {
    let (organisation, rest) = path.split_once('/')?;
    let (application, rest) = rest.split_once('/')?;
    (is_plain(organisation) && is_plain(application)).then_some(rest)
}

/// Returns whether browsers leave this segment of a path unchanged: it has only unreserved characters
/// of RFC 3986, and is neither `.` nor `..`, which would lead to another application.
fn is_plain(part: &str) -> bool {
    let unreserved = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b'~');
    !matches!(part, "" | "." | "..") && part.bytes().all(unreserved)
}

/// Returns the digits of `t` in a query.
fn moment(query: &str) -> Option<&str> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    let digits = |text: &str| {
        (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    pairs
        .filter(|(name, _)| *name == "t")
        .map(|(_, value)| value)
        .find(|value| digits(value))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINK: &str = "https://app.logrocket.com/acme/shop/s/6-0199a1b2-c3d4/0";

    fn of_shop(header: &str) -> Option<String> {
        session_link(header, Some("acme/shop"))
    }

    #[test]
    fn a_link_to_the_application_is_passed_on() {
        assert_eq!(of_shop(LINK).as_deref(), Some(LINK));
        assert_eq!(session_link(LINK, None).as_deref(), Some(LINK));
    }

    #[test]
    fn only_the_time_is_kept_of_the_query() {
        let moment = format!("{LINK}?t=1795418646123");
        for query in [
            "?t=1795418646123",
            "?a=b&t=1795418646123&token=x#part",
            "?t=x&t=1795418646123",
        ] {
            assert_eq!(of_shop(&format!("{LINK}{query}")), Some(moment.clone()));
        }
        for query in ["?token=secret", "?t=", "?t=12<script>", "#t=12", "?", "?t"] {
            assert_eq!(
                of_shop(&format!("{LINK}{query}")).as_deref(),
                Some(LINK),
                "{query}"
            );
        }
    }

    #[test]
    fn links_to_other_places_are_refused() {
        for bad in [
            "",
            "null",
            "http://app.logrocket.com/acme/shop/s/1",
            "https://app.logrocket.com.evil.example/acme/shop/s/1",
            "https://app.logrocket.com:443/acme/shop/s/1",
            "https://app.logrocket.com@evil.example/acme/shop/s/1",
            "https://user:pw@app.logrocket.com/acme/shop/s/1",
            "https://evil.example/https://app.logrocket.com/acme/shop/s/1",
            "https://APP.logrocket.com/acme/shop/s/1",
            "https:/app.logrocket.com/acme/shop/s/1",
            "https:\\\\app.logrocket.com\\acme\\shop\\s",
            "https://app.logrocket.com/acme/shop",
            "https://app.logrocket.com/acme/shop/",
            "https://app.logrocket.com/acme/shop//s",
            "https://app.logrocket.com/acme/shop/s/1/",
            "https://app.logrocket.com/acme/shopping/s/1",
            "https://app.logrocket.com/other/shop/s/1",
            "https://app.logrocket.com/acme/shop/../../other/s/1",
            "https://app.logrocket.com/acme/shop/%2e%2e/s",
            "https://app.logrocket.com/acme/shop/s/\u{e4}",
            "https://app.logrocket.com/acme/shop/s/<!channel>",
            "https://app.logrocket.com/acme/shop/s/1\r\nX-Other: 1",
            " https://app.logrocket.com/acme/shop/s/1",
            "https://app.logrocket.com/acme/shop/s/1 ",
        ] {
            assert_eq!(of_shop(bad), None, "{bad:?}");
        }
        assert_eq!(of_shop(&format!("{LINK}/{}", "x".repeat(MAX_HEADER))), None);
        for bad in [
            "https://app.logrocket.com/../shop/s",
            "https://app.logrocket.com/s",
        ] {
            assert_eq!(session_link(bad, None), None, "{bad:?}");
        }
    }

    proptest! {
        /// Every accepted header yields a plain link to the application.
        #[test]
        fn only_plain_links_come_out(
            start in prop::sample::select(vec!["", "https://app.logrocket.com/", LINK]),
            rest in "([a-z0-9./@:\\\\?#&=%<> \u{1}\u{e4}]|(acme/shop/)|(t=1)){0,40}",
            any in any::<String>(),
        ) {
            for header in [format!("{start}{rest}"), format!("{start}{any}")] {
                let Some(link) = of_shop(&header) else { continue };
                prop_assert!(link.len() <= MAX_HEADER);
                let session = link.strip_prefix("https://app.logrocket.com/acme/shop/");
                prop_assert!(session.is_some(), "{link:?}");
                let plain = |c: char| c.is_ascii_alphanumeric() || "/-._~?=".contains(c);
                prop_assert!(link.starts_with(HOST) && session.unwrap().chars().all(plain), "{link:?}");
                prop_assert!(!link.split('/').any(|part| part == ".." || part == "."), "{link:?}");
                prop_assert_eq!(of_shop(&link), Some(link.clone()), "a link is one as it is");
            }
        }

        /// A browser parses the link to the same URL.
        #[cfg(feature = "delivery")]
        #[test]
        fn a_browser_reads_the_same(rest in "[a-z0-9./\\\\?#&=%~-]{1,40}") {
            let header = format!("https://app.logrocket.com/acme/shop/{rest}");
            if let Some(link) = of_shop(&header) {
                let read: url::Url = link.parse().unwrap();
                prop_assert_eq!(read.as_str(), &link);
                prop_assert_eq!(read.host_str(), Some("app.logrocket.com"));
                prop_assert!(read.path().starts_with("/acme/shop/"));
            }
        }
    }
}
