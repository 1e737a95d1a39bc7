//! Counts the steps that texts made to be slow take: as many for each byte of a long text as of one
//! half as long, and few.

use super::{Redactor, steps};

/// At most so many steps a byte. A step is a byte that one of the loops looks at, or an event.
const MOST: usize = 48;

const PIECES: &[&str] = &[
    "a",
    "=",
    ":",
    "sk-",
    "\"",
    "'",
    "1",
    "4111 ",
    "Q2hhcnMgYW5kIGRpZ2l0cyAxMjM0NTY3ODkw+/",
    "password",
    "password:",
    "password: ",
    "password=",
    "password=,",
    "password is ",
    "password for ",
    "token: ",
    "token=1,",
    "token 'a",
    "key:",
    "key=",
    "x_key=",
    "a:b@",
    "a@",
    "~",
    "(",
    ",",
    "\",",
    "{",
    "> ",
    "%41",
    "%25",
    "%",
    "\\u0041",
    "\\",
    "\u{200b}",
    "密码，",
    "&quot;",
    "&",
    "eyJ.",
    "eyJhbGciOiJIUzI1.",
    "-----BEGIN ",
    "-----BEGIN PRIVATE KEY ",
    "curl ",
    "curl -u ",
    "mysql -",
    "values (",
    "(password) values (",
    "name=",
    "name=password ",
    "cookie: ",
    "cookie: a=b",
    "authorization: ",
    "authorization: Digest a=",
    "digest username=",
    "identified ",
    "identified by",
    "secret: [",
    "secret: {",
    "secret: {a:",
    "secret: Some(",
    "secret:\n  ",
    "secret: |\n",
    "secrets:\n- a",
    "://",
    "://a:b",
    "a://b:c/",
    "Bearer ",
    "Basic aaaa",
    "hvs.",
    ".aaaaaaaaaaaaaaaa",
    "AKIA",
    "npm_",
    "glpat-",
    "ghp_abc-",
    "1234567:",
    "\u{1b}[31m",
    "<password>",
    "<password>a",
    "Password(\"",
    "Password {",
    "(\"password\", ",
    "[\"password\",",
    "{\"a\":\"b\",",
    "password:'null ",
    "password:\"none\\\" ",
    "password:\\\\\"",
    "token=\\\\",
    "?key=",
    "d=d=",
    "M.",
    "re_",
];

#[test]
fn every_text_is_done_with_in_a_few_steps_a_byte() {
    let redactor = Redactor::default();
    let mut slow = Vec::new();
    for piece in PIECES {
        let of = |len: usize| {
            let text = piece.repeat(len / piece.len());
            steps::of(|| drop(redactor.redact(&text))) / len
        };
        let (half, whole) = (of(128 * 1024), of(256 * 1024));
        if whole > MOST || whole > half + half / 4 + 2 {
            slow.push(format!("{piece:?}: {half}, then {whole} steps a byte"));
        }
    }
    assert!(slow.is_empty(), "{slow:#?}");
}
