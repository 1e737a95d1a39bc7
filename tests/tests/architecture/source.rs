//! Reads what one source file imports and which modules it declares.
//!
//! Beside `use` lines it finds paths in code (`crate::record::Record::new()`). What is compiled for
//! tests only (`#[cfg(test)]`) is left out. It knows nothing of other files.

use std::iter::Peekable;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// A path that a module names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Import {
    /// Its segments as written, such as `crate`, `record`, `Record`.
    pub(crate) path: Vec<String>,
    /// The name that a `use` gives it here; `None` for globs, `as _` and paths in code.
    pub(crate) binds: Option<String>,
    pub(crate) line: usize,
}

/// What a file, or an inline module in it, imports and declares.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) imports: Vec<Import>,
    pub(crate) modules: Vec<Declared>,
    /// The macros that `#[macro_export]` puts into the crate's root.
    pub(crate) macros: Vec<String>,
}

/// A module that is declared.
#[derive(Debug)]
pub(crate) struct Declared {
    pub(crate) name: String,
    /// The file that `#[path = "..."]` names.
    pub(crate) path: Option<String>,
    /// Its content where it is inline.
    pub(crate) inline: Option<Source>,
}

impl Source {
    /// Reads the text of a file.
    ///
    /// # Panics
    ///
    /// When its tokens are not Rust's.
    pub(crate) fn parse(text: &str) -> Source {
        let tokens = text.parse::<TokenStream>().expect("a file of Rust");
        let mut source = Source::default();
        source.read(tokens);
        source
    }

    fn read(&mut self, tokens: TokenStream) {
        let mut tokens = Tokens::new(tokens);
        let mut attributes = Vec::new();
        while let Some(token) = tokens.0.next() {
            match &token {
                TokenTree::Punct(punct) if punct.as_char() == '#' => {
                    match tokens.attribute() {
                        Some(attribute) => attributes.push(attribute),
                        // `#name::..` of `quote!` is no path of this crate.
                        None => drop(tokens.path(None)),
                    }
                    continue;
                }
                TokenTree::Punct(punct) if is_colon(punct) => {
                    // Behind `::` there is no path that starts here.
                    tokens.0.next();
                    tokens.path(None);
                }
                _ if attributes.iter().any(is_test) => tokens.skip_item(token),
                TokenTree::Ident(ident) if ident == "pub" => {
                    tokens
                        .0
                        .next_if(|next| is_group(next, Delimiter::Parenthesis));
                    continue;
                }
                TokenTree::Ident(ident) if ident == "use" => {
                    let tree: Vec<_> = tokens.until_semicolon().collect();
                    self.imports.extend(use_tree(&tree, &[]));
                }
                TokenTree::Ident(ident) if ident == "mod" => {
                    self.module(&mut tokens, &attributes);
                }
                TokenTree::Ident(ident) if ident == "macro_rules" => {
                    tokens.0.next();
                    let name = tokens.0.next().map(|name| name.to_string());
                    if attributes.iter().any(|a| a.to_string() == "macro_export") {
                        self.macros.extend(name);
                    }
                }
                TokenTree::Ident(ident) => {
                    let (line, path) = (ident.span().start().line, tokens.path(Some(&token)));
                    if path.len() > 1 {
                        let binds = None;
                        self.imports.push(Import { path, binds, line });
                    }
                }
                TokenTree::Group(group) => self.read(group.stream()),
                _ => {}
            }
            attributes.clear();
        }
    }

    fn module(&mut self, tokens: &mut Tokens, attributes: &[TokenStream]) {
        let Some(TokenTree::Ident(name)) = tokens.0.next() else {
            return;
        };
        let inline = match tokens.0.next() {
            Some(TokenTree::Group(group)) => {
                let mut source = Source::default();
                source.read(group.stream());
                Some(source)
            }
            _ => None,
        };
        self.modules.push(Declared {
            name: name.to_string(),
            path: attributes.iter().find_map(path_attribute),
            inline,
        });
    }
}

struct Tokens(Peekable<proc_macro2::token_stream::IntoIter>);

impl Tokens {
    fn new(tokens: TokenStream) -> Tokens {
        Tokens(tokens.into_iter().peekable())
    }

    /// Takes the brackets of an attribute, behind its `#` and `!`.
    fn attribute(&mut self) -> Option<TokenStream> {
        self.0
            .next_if(|next| matches!(next, TokenTree::Punct(p) if p.as_char() == '!'));
        match self.0.next_if(|next| is_group(next, Delimiter::Bracket)) {
            Some(TokenTree::Group(group)) => Some(group.stream()),
            _ => None,
        }
    }

    /// Takes the segments of a path, whose first may be taken already.
    fn path(&mut self, first: Option<&TokenTree>) -> Vec<String> {
        let mut path: Vec<_> = first.map(ToString::to_string).into_iter().collect();
        loop {
            if !path.is_empty() {
                let colon = |next: &TokenTree| matches!(next, TokenTree::Punct(p) if is_colon(p));
                if self.0.next_if(colon).is_none() {
                    return path;
                }
                self.0.next();
            }
            match self.0.next_if(|next| matches!(next, TokenTree::Ident(_))) {
                Some(segment) => path.push(segment.to_string()),
                None => return path,
            }
        }
    }

    fn until_semicolon(&mut self) -> impl Iterator<Item = TokenTree> {
        self.0
            .by_ref()
            .take_while(|token| !matches!(token, TokenTree::Punct(p) if p.as_char() == ';'))
    }

    /// Skips an item that starts with `first`: up to its `;`, or the braces that end it.
    fn skip_item(&mut self, first: TokenTree) {
        let mut next = Some(first);
        while let Some(token) = next {
            let semicolon = matches!(&token, TokenTree::Punct(p) if p.as_char() == ';');
            if semicolon || is_group(&token, Delimiter::Brace) {
                return;
            }
            next = self.0.next();
        }
    }
}

/// Returns the imports of one tree of a `use`, behind `prefix`.
fn use_tree(tokens: &[TokenTree], prefix: &[String]) -> Vec<Import> {
    let (mut path, mut line) = (prefix.to_vec(), 0);
    let (mut alias, mut glob) = (None, false);
    let mut tokens = tokens.iter();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "as" => {
                alias = tokens.next().map(ToString::to_string);
            }
            TokenTree::Ident(ident) => {
                line = ident.span().start().line;
                // `self` within braces is the module before them.
                if prefix.is_empty() || ident != "self" {
                    path.push(ident.to_string());
                }
            }
            TokenTree::Group(group) => {
                let inner: Vec<_> = group.stream().into_iter().collect();
                let comma = |t: &TokenTree| matches!(t, TokenTree::Punct(p) if p.as_char() == ',');
                return inner
                    .split(comma)
                    .filter(|tree| !tree.is_empty())
                    .flat_map(|tree| use_tree(tree, &path))
                    .collect();
            }
            TokenTree::Punct(punct) if punct.as_char() == '*' => {
                (glob, line) = (true, punct.span().start().line);
            }
            // `::name` is another crate.
            TokenTree::Punct(_) if path.is_empty() => return Vec::new(),
            _ => {}
        }
    }
    let name = alias.or_else(|| path.last().cloned());
    let binds = name.filter(|name| !glob && name != "_");
    vec![Import { path, binds, line }]
}

fn is_colon(punct: &proc_macro2::Punct) -> bool {
    punct.as_char() == ':' && punct.spacing() == Spacing::Joint
}

fn is_group(token: &TokenTree, delimiter: Delimiter) -> bool {
    matches!(token, TokenTree::Group(group) if group.delimiter() == delimiter)
}

/// Returns whether an attribute is `cfg(test)` or `cfg(all(.., test, ..))`.
fn is_test(attribute: &TokenStream) -> bool {
    let text = attribute.to_string().replace(' ', "");
    let condition = text.strip_prefix("cfg(").and_then(|t| t.strip_suffix(')'));
    condition.is_some_and(|condition| {
        let all = condition
            .strip_prefix("all(")
            .and_then(|t| t.strip_suffix(')'));
        condition == "test" || all.is_some_and(|all| all.split(',').any(|part| part == "test"))
    })
}

fn path_attribute(attribute: &TokenStream) -> Option<String> {
    let text = attribute.to_string();
    let value = text.strip_prefix("path")?.trim_start().strip_prefix('=')?;
    Some(value.trim().trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports(text: &str) -> Vec<String> {
        let show = |import: &Import| {
            let path = import.path.join("::");
            match &import.binds {
                Some(name) if import.path.last() != Some(name) => format!("{path} as {name}"),
                Some(_) => path,
                None => format!("({path})"),
            }
        };
        Source::parse(text).imports.iter().map(show).collect()
    }

    #[test]
    fn use_lines() {
        for (text, expected) in [
            ("use crate::a;", &["crate::a"][..]),
            ("pub use super::super::a::B;", &["super::super::a::B"]),
            ("pub(crate) use self::a::B as C;", &["self::a::B as C"]),
            ("use crate::a::B as _;", &["(crate::a::B)"]),
            ("use super::*;", &["(super)"]),
            ("use a::b;", &["a::b"]),
            ("use ::a::b;", &[]),
            (
                "use crate::{a, b::{self, C as D, e::*}, f::G,};",
                &[
                    "crate::a",
                    "crate::b",
                    "crate::b::C as D",
                    "(crate::b::e)",
                    "crate::f::G",
                ],
            ),
            ("use {crate::a, super::b};", &["crate::a", "super::b"]),
            ("#[cfg(unix)] use crate::a;", &["crate::a"]),
            ("fn f() { use crate::a::B; }", &["crate::a::B"]),
        ] {
            assert_eq!(imports(text), expected, "{text}");
        }
    }

    #[test]
    fn paths_in_code() {
        for (text, expected) in [
            ("fn f() { crate::a::b(1) }", &["(crate::a::b)"][..]),
            (
                "fn f(x: super::A<self::B>) {}",
                &["(super::A)", "(self::B)"],
            ),
            (
                "impl crate::T for S { type O = a::B; }",
                &["(crate::T)", "(a::B)"],
            ),
            ("m! { $crate::a::B }", &["(crate::a::B)"]),
            ("fn f() { ::a::b(); <T>::c::d(); }", &[]),
            ("fn f() { quote!(#a::b); }", &[]),
            ("fn f() { self.a; x.b(); let c: u8 = 1; }", &[]),
            ("pub(in crate::a) fn f() {}", &[]),
            (
                "/// [`crate::a`]\nfn f() { \"crate::b\"; 'c'; } // crate::d",
                &[],
            ),
        ] {
            assert_eq!(imports(text), expected, "{text}");
        }
    }

    #[test]
    fn code_of_tests_is_left_out() {
        for text in [
            "#[cfg(test)] mod tests { use crate::a; }",
            "#[cfg(test)] mod tests;",
            "#[cfg(test)] #[path = \"x.rs\"] pub(crate) mod tests;",
            "#[cfg(all(test, feature = \"x\"))] use crate::a;",
            "#[cfg(test)] pub(crate) fn f() -> crate::A { crate::b() }",
            "#[cfg(test)] const A: [u8; 2] = crate::b();",
        ] {
            let source = Source::parse(&format!("{text} use z::z;"));
            assert_eq!(source.imports.len(), 1, "{text}");
            assert!(source.modules.is_empty(), "{text}");
        }
        for text in [
            "#[cfg(any(test, feature = \"testing\"))] use crate::a;",
            "#[cfg(not(test))] use crate::a;",
        ] {
            assert_eq!(imports(text), ["crate::a"], "{text}");
        }
    }

    #[test]
    fn modules_with_their_files() {
        let text = "mod a; #[doc(hidden)] #[path = \"private.rs\"] pub mod b;\n\
                    mod c { use super::D; mod e; }";
        let modules = Source::parse(text).modules;
        let names: Vec<_> = modules
            .iter()
            .map(|m| (&*m.name, m.path.as_deref()))
            .collect();
        assert_eq!(names, [("a", None), ("b", Some("private.rs")), ("c", None)]);
        let inline = modules[2].inline.as_ref().unwrap();
        assert_eq!((inline.imports.len(), inline.modules.len()), (1, 1));
    }

    #[test]
    fn exported_macros_are_known() {
        let text = "#[macro_export]\nmacro_rules! a { () => { $crate::b::c() } }\n\
                    macro_rules! d { () => {} }";
        let source = Source::parse(text);
        assert_eq!(source.macros, ["a"]);
        assert_eq!(imports(text), ["(crate::b::c)"]);
    }

    #[test]
    fn lines_are_counted() {
        let lines: Vec<_> =
            Source::parse("//! x\nuse crate::{\n  a,\n  b::*,\n};\n\nfn f() { crate::c() }")
                .imports
                .iter()
                .map(|import| import.line)
                .collect();
        assert_eq!(lines, [3, 4, 7]);
    }
}
