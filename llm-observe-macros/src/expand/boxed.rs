//! A body that is one `Box::pin(async move { .. })` and nothing else, as `#[async_trait]` writes
//! it: the future is observed inside its box, so that there is no second one.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;

use crate::item::braces_of;

/// `Box::pin(async move { .. })`, in parts.
pub(crate) struct OnlyStatement {
    /// `Box::pin`, by any path.
    path: TokenStream,
    parens: Group,
    /// `async`, or `async move`.
    head: TokenStream,
    block: Group,
}

impl OnlyStatement {
    /// Returns the statement with what `observe` makes of the async block.
    pub(crate) fn replace(
        self,
        observe: impl FnOnce(TokenStream, Group) -> TokenStream,
    ) -> TokenStream {
        let OnlyStatement {
            mut path,
            parens,
            head,
            block,
        } = self;
        braces_of(&parens, observe(head, block)).to_tokens(&mut path);
        path
    }
}

/// Returns the parts of `body` if it is such a statement.
pub(crate) fn only_statement(body: &TokenStream) -> Option<OnlyStatement> {
    let mut path: Vec<TokenTree> = body.clone().into_iter().collect();
    let TokenTree::Group(parens) = path.pop()? else {
        return None;
    };
    let is_path = path.iter().all(|token| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    });
    let mut words = path.iter().rev().filter_map(|token| match token {
        TokenTree::Ident(ident) => Some(ident.to_string()),
        _ => None,
    });
    if parens.delimiter() != Delimiter::Parenthesis || !is_path {
        return None;
    }
    if words.next()? != "pin" || words.next()? != "Box" {
        return None;
    }
    let (head, block) = async_block(parens.stream())?;
    Some(OnlyStatement {
        path: path.into_iter().collect(),
        parens,
        head,
        block,
    })
}

fn async_block(argument: TokenStream) -> Option<(TokenStream, Group)> {
    let mut tokens: Vec<TokenTree> = argument.into_iter().collect();
    if matches!(tokens.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == ',') {
        tokens.pop();
    }
    let TokenTree::Group(block) = tokens.pop()? else {
        return None;
    };
    let words: Vec<String> = tokens.iter().map(ToString::to_string).collect();
    let is_head = matches!(
        words.iter().map(String::as_str).collect::<Vec<_>>()[..],
        ["async"] | ["async", "move"]
    );
    (is_head && block.delimiter() == Delimiter::Brace)
        .then(|| (tokens.into_iter().collect(), block))
}
