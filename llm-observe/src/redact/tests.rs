use std::{borrow::Cow, sync::mpsc, thread, time::Duration};

use proptest::prelude::*;

use super::*;

fn redact(text: &str) -> String {
    Redactor::default().redact(text).into_owned()
}

/// Asserts that nothing of `secret` is left of `text`, and that the rest still is.
#[track_caller]
fn gone(text: &str, secret: &str) {
    let out = redact(text);
    assert!(text.contains(secret), "{text}");
    assert!(!out.contains(secret), "{text} became {out}");
    assert_eq!(redact(&out), out, "redacting again changes {out}");
}

#[track_caller]
fn kept(text: &str) {
    assert!(
        matches!(Redactor::default().redact(text), Cow::Borrowed(_)),
        "{text} became {}",
        redact(text)
    );
}

#[test]
fn keys_of_known_shapes_go() {
    for secret in [
        "sk-abcdefghijklmnopqrstuvwxyz123456",
        "sk-proj-Ab1_cdEFghIJklMNopQRstUV",
        "sk-ant-api03-AbCdEfGhIjKlMnOpQrSt",
        "AIzaSyA1234567890abcdefghijklmnopqrstuv",
        "AKIAIOSFODNN7EXAMPLE",
        "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "github_pat_11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz",
        "xoxb-123456789012-123456789012-abcdefGHIJKL",
        "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
    ] {
        gone(secret, secret);
        gone(&format!("invalid key {secret}."), secret);
        gone(&format!("{{\"body\":\"a\\n{secret}\"}}"), secret);
        gone(&format!("at x?q=%20{secret}&y=1"), secret);
        gone(&format!("OPENAI_{secret}"), secret);
    }
}

#[test]
fn values_behind_telling_names_go() {
    for (text, secret) in [
        ("password=hunter2", "hunter2"),
        ("db.password: hunter2, user: me", "hunter2"),
        ("{\"password\":\"hun\\\"ter2\",\"a\":1}", "ter2"),
        ("{\\\"api_key\\\": \\\"abc def\\\"}", "abc def"),
        ("Config { password: Some(\"hunter2\") }", "hunter2"),
        ("PASSWORD => 'hunter2'", "hunter2"),
        ("openai_api_key=abc", "abc"),
        ("X-Api-Key: abc123", "abc123"),
        ("clientSecret = abc123", "abc123"),
        (
            "aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            "wJalrXUtnFEMI/K7MDENG",
        ),
        ("access_token=abcdef", "abcdef"),
        ("run --token abcdef --verbose", "abcdef"),
        ("run --api-key=abcdef", "abcdef"),
        ("Authorization: Bearer abc", "Bearer abc"),
        ("authorization: Token abcdef", "abcdef"),
        (
            "{\"authorization\": \"Basic dXNlcjpwYXNz\"}",
            "dXNlcjpwYXNz",
        ),
        ("sent Bearer abcdefgh12345678", "abcdefgh12345678"),
        ("Basic dXNlcjpwYXNz failed", "dXNlcjpwYXNz"),
        ("Cookie: sid=abc; theme=dark", "abc"),
        ("db_pwd=abc", "=abc"),
    ] {
        if secret == "Bearer abc" {
            assert_eq!(redact(text), "Authorization: Bearer [redacted]");
        } else {
            gone(text, secret);
        }
    }
}

#[test]
fn credentials_in_urls_go() {
    for (url, wanted) in [
        ("https://user:pw@host/p", "https://REDACTED:REDACTED@host/p"),
        (
            "https://abc123@o1.ingest.sentry.io/42",
            "https://REDACTED@o1.ingest.sentry.io/42",
        ),
        (
            "postgres://u:p@ss@db:5432/x",
            "postgres://REDACTED:REDACTED@db:5432/x",
        ),
        (
            "postgres://u:p/ss@db:5432/x",
            "postgres://REDACTED:REDACTED@db:5432/x",
        ),
        ("https://h/v1?key=abc&q=1", "https://h/v1?key=REDACTED&q=1"),
        ("/v1?q=1&api-key=abc#f", "/v1?q=1&api-key=REDACTED#f"),
        (
            "https://s3/x?X-Amz-Signature=ab&X-Amz-Credential=c%2Fd&X-Amz-Date=1",
            "https://s3/x?X-Amz-Signature=REDACTED&X-Amz-Credential=REDACTED&X-Amz-Date=1",
        ),
        (
            "https://b/x?sv=1&sig=ab%3D",
            "https://b/x?sv=1&sig=REDACTED",
        ),
        (
            "https://hooks.slack.com/services/T0/B0/xyz",
            "https://hooks.slack.com/REDACTED",
        ),
        (
            "see hooks.slack.com/services/T0/B0/xyz now",
            "see hooks.slack.com/REDACTED now",
        ),
        (
            "https://discord.com/api/webhooks/1/abc",
            "https://discord.com/api/webhooks/REDACTED",
        ),
        (
            "https://x.io/cb#access_token=abc",
            "https://x.io/cb#access_token=[redacted]",
        ),
    ] {
        assert_eq!(Redactor::default().redact_url(url), wanted);
        assert_eq!(redact(&redact(url)), redact(url));
    }
}

#[test]
fn what_a_url_encodes_goes_too() {
    for (url, wanted) in [
        ("/cb?password=hunter,2;x'y&q=1", "/cb?password=REDACTED&q=1"),
        ("/cb?api%5Fkey=abc&q=%20", "/cb?api%5Fkey=REDACTED&q=%20"),
        ("/cb?t%6Fken=abc", "/cb?t%6Fken=REDACTED"),
        ("/cb?user[password]=abc", "/cb?user[password]=REDACTED"),
        (
            "/cb?user%5Bpassword%5D=abc#f",
            "/cb?user%5Bpassword%5D=REDACTED#f",
        ),
        ("/cb?next=%2Fx%3Ftoken%3Dabc&q=1", "/cb?next=REDACTED&q=1"),
        (
            "/cb?body=%7B%22password%22%3A%22abc%22%7D",
            "/cb?body=REDACTED",
        ),
        (
            "https://h/x?to=https%3A%2F%2Fme%3Apw%40h%2F",
            "https://h/x?to=REDACTED",
        ),
        (
            "/x/ghp%5Fabcdefghijklmnopqrstuvwxyz0123456789/y",
            "/x/REDACTED/y",
        ),
        (
            "https://me:pw@h/%20?key=a,b",
            "https://REDACTED:REDACTED@h/%20?key=REDACTED",
        ),
    ] {
        let redactor = Redactor::default();
        assert_eq!(redactor.redact_url(url), wanted, "{url}");
        assert_eq!(redactor.redact_url(wanted), wanted);
    }
    for url in [
        "/a%20b?q=a%26b,c&n=%",
        "/%zz?%=%ff&x",
        "/?max_tokens=5",
        "",
        "?",
    ] {
        let redactor = Redactor::default();
        let clean = redactor.redact_url(url);
        assert!(matches!(clean, Cow::Borrowed(_)), "{url} became {clean}");
    }
}

#[test]
fn of_a_header_that_is_secret_all_goes() {
    for (name, value, wanted) in [
        ("x-api-key", "first, second", "[redacted]"),
        ("x-auth-token", "a'b;c", "[redacted]"),
        (
            "authorization",
            "Bearer abc, Bearer def",
            "Bearer [redacted]",
        ),
        (
            "authorization",
            "Digest username=\"me\", response=\"6629fae4\"",
            "Digest [redacted]",
        ),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=fe5f80",
            "[redacted]",
        ),
        ("authorization", "hunter2", "[redacted]"),
        ("cookie", "a=b; c=d", "[redacted]"),
        ("x-note", "password=abc", "password=[redacted]"),
        ("x-tenant", "acme, password", "acme, password"),
        ("x-token", "17", "17"),
    ] {
        assert_eq!(Redactor::default().redact_header(name, value), wanted);
    }
}

#[test]
fn private_keys_and_cards_go() {
    let pem = "-----BEGIN RSA PRIVATE KEY-----\nMIIEabc\n-----END RSA PRIVATE KEY-----";
    assert_eq!(redact(&format!("key {pem} end")), "key [redacted] end");
    gone("-----BEGIN PRIVATE KEY-----\\nMIIEabc cut off", "MIIEabc");
    for card in [
        "4111111111111111",
        "4111 1111 1111 1111",
        "5500-0000-0000-0004",
        "378282246310005",
        "3782 822463 10005",
    ] {
        gone(&format!("paid with {card}, thanks"), card);
    }
}

#[test]
fn ordinary_text_stays() {
    for text in [
        "token_count=123 max_tokens: 4096 prompt_tokens=7 token=42 time_to_first_token=12ms",
        "\"usage\":{\"total_tokens\":4111111,\"token\":17}",
        "embedding ok in 12.3ms rag::embed model=text-embedding-3-small trace_id=4bf92f3577b34da6a3ce929d0e0e4736",
        "the password was wrong; the secret of success is a token of trust",
        "basic authentication failed, bearer token expired",
        "sk-learn-contrib-tools and task-12345678901234567890 and disk-full",
        "https://example.com:8080/a@b?page=2&order=asc",
        "cache key=abc monkey=banana author=me keyboard: de",
        "0.4111111111111111 1732345678901234567 4111111111111112",
        "-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
        "token::Kind::Word at src/lib.rs:12:5",
        "password=null secret: None token=[redacted]",
        "ünïcödé ключ=значение 密码",
        "",
    ] {
        kept(text);
    }
}

/// Each shape, and the text that is most like it and no secret.
#[test]
fn each_shape_goes_and_its_near_miss_stays() {
    for (secret, near) in [
        ("sk-abcdefghijklmnop", "sk-abcdefghijklmno"),
        ("sk-proj-Ab1_cdEFghIJ", "sk-proj-plan-one"),
        ("sk-ant-api03-AbCdEfGhIjKl", "sk-ant-hill-in-it"),
        (
            "AIzaSyA1234567890abcdefghijklmnopq",
            "AIzaSyA1234567890abcdef",
        ),
        ("GOCSPX-abcdefghijklmnop", "GOCSPX-abcdef"),
        ("AKIAIOSFODNN7EXAMPLE", "AKIAIOSFODNN7EXAMPL"),
        ("ASIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLEX"),
        ("ghp_abcdefghijklmnopqrst", "graphp_abcdefghijklmnopqrst"),
        ("github_pat_11ABCDEFG0abcdefghijkl", "github_pat_11ABCDEFG0"),
        ("xoxb-1234567890", "xoxb-123456789"),
        ("xapp-1-A012345678", "xapps-1-A012345678"),
        (
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0",
        ),
        ("Bearer abcdefgh12345678", "Bearer authentication"),
        ("Basic dXNlcjpwYXNz", "Basic aGVsbG8="),
        ("password=hunter2", "passwords=2"),
        ("password: hunter2", "password policy"),
        ("?api_key=abc", "?api_keys=2"),
        ("?key=abc", "?keyword=abc"),
        ("?token=abc", "?token=17"),
        ("&X-Goog-Signature=abc", "&X-Goog-Date=abc"),
        (
            "https://k3y@o1.ingest.sentry.io/42",
            "https://o1.ingest.sentry.io/42",
        ),
        ("https://user:pw@host/p", "https://host:8080/user:pw@p"),
        (
            "https://hooks.slack.com/services/T0/B0/x",
            "https://slack.com/services/T0/B0/x",
        ),
        (
            "https://hooks.slack.com/services/T0/B0/x",
            "https://myhooks.slack.com/services/T0/B0/x",
        ),
        (
            "-----BEGIN EC PRIVATE KEY-----\nMIIE\n",
            "-----BEGIN PUBLIC KEY-----\nMIIE\n",
        ),
        ("4111111111111111", "4111111111111112"),
        ("378282246310005", "37828224631000"),
        ("token=abcdef", "token_count=123"),
    ] {
        let out = redact(secret);
        assert!(
            out.contains("[redacted]") || out.contains("REDACTED"),
            "{secret}"
        );
        kept(near);
    }
}

#[test]
fn a_function_of_the_users_that_panics_lets_nothing_through_and_nothing_out() {
    let redactor = Redactor::default().custom(|text| match text.contains("patient") {
        true => panic!("no rule for {text}"),
        false => None,
    });
    assert_eq!(redactor.redact("patient 17"), "[redacted]");
    assert_eq!(redactor.redact("page 17"), "page 17");
}

#[test]
fn the_configuration_adds_names_and_patterns() {
    let mut config = config::Redact::default();
    config.patterns = vec![r"MRN-\d+".into(), r"x*".into()];
    config.keys = vec!["patient_id".into()];
    let redactor = Redactor::new(&config).unwrap();
    assert_eq!(
        redactor.redact("MRN-77 patientId=9 other=1"),
        "[redacted] patientId=[redacted] other=1"
    );
    let shouting = redactor.custom(|text| text.contains("other").then(|| text.to_uppercase()));
    assert_eq!(shouting.redact("other MRN-1"), "OTHER [REDACTED]");
    config.patterns = vec!["(".into()];
    let error = Redactor::new(&config).unwrap_err().to_string();
    assert!(
        error.starts_with("redact.patterns: `(` is no regular expression"),
        "{error}"
    );
}

/// Texts made to be slow: everything that looks ahead, over and over. A step that looked through
/// the rest of such a text at each place would take hours for one.
#[test]
fn hostile_text_is_done_with_in_one_pass() {
    const LENGTH: usize = 1_000_000;
    for piece in [
        "password:\"",
        "://a:b",
        "-----BEGIN PRIVATE KEY ",
        "eyJ.",
        "4111 ",
        "\\",
        "sk-",
        "Some(",
        "token=\\\\",
        "?key=",
        "a://b:c/",
    ] {
        let text = piece.repeat(LENGTH / piece.len());
        let (done, ended) = mpsc::channel();
        thread::spawn(move || {
            drop(Redactor::default().redact(&text));
            let _ = done.send(());
        });
        let ended = ended.recv_timeout(Duration::from_secs(120));
        assert!(ended.is_ok(), "{piece} goes on and on");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn any_text_is_taken_and_twice_is_as_once(text in "(\\PC|[=:\"'\\\\@?&/. -]|sk-|eyJ|password|Bearer |://|-----BEGIN PRIVATE KEY-----|token|[0-9]{4}|sk-aB3dE5fG7hI9jK1lM|password: |secret=|Some\\(|\\n|%3D|%22|\\{|\\[|api_key|cookie: |authorization: |a1b2c3d4 |required|[redacted]|<password>|</|curl -u |a:b1@x.io|IDENTIFIED BY |, |\n  - | is |\u{200b}|\\u0041){0,30}") {
        let once = redact(&text);
        prop_assert_eq!(redact(&once), once);
    }

    #[test]
    fn a_key_goes_wherever_it_stands(before in "[a-z \"'=,;:(){}\\[\\]]{0,30}", after in "[ \"',;)}\\]\n][a-z ]{0,30}", key in "[A-Za-z0-9]{24}") {
        let secret = format!("sk-proj-{key}");
        let out = redact(&format!("{before}{secret}{after}"));
        prop_assert!(!out.contains(&key), "{}", out);
    }
}
