//! A function in its parts: attributes, signature, and the body as raw tokens.
//!
//! The body is never parsed: while it is half-typed the function still expands, so that an editor
//! goes on completing, and what is re-emitted keeps its own spans.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};
use syn::{
    Attribute, Signature, Token, Visibility,
    parse::{Parse, ParseStream, Parser},
};

/// A function, method or trait method.
#[derive(Clone)]
pub(crate) struct FnItem {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) defaultness: Option<Token![default]>,
    pub(crate) sig: Signature,
    pub(crate) body: Body,
}

/// What follows the signature.
#[derive(Clone)]
pub(crate) enum Body {
    /// `{ ... }`, without its inner attributes, and those.
    Block(Vec<Attribute>, Group),
    /// `;`, a trait method without a body.
    Missing(Token![;]),
}

impl Parse for FnItem {
    fn parse(input: ParseStream<'_>) -> syn::Result<FnItem> {
        Ok(FnItem {
            attrs: input.call(Attribute::parse_outer)?,
            vis: input.parse()?,
            defaultness: if input.peek(Token![default]) {
                input.parse()?
            } else {
                None
            },
            sig: input.parse()?,
            body: input.parse()?,
        })
    }
}

impl Parse for Body {
    fn parse(input: ParseStream<'_>) -> syn::Result<Body> {
        if input.peek(Token![;]) {
            return input.parse().map(Body::Missing);
        }
        let group = braces(input.parse()?);
        if group.delimiter() != Delimiter::Brace {
            return Err(syn::Error::new(
                group.span(),
                "expected the function's body",
            ));
        }
        if !has_inner_attributes(&group) {
            return Ok(Body::Block(Vec::new(), group));
        }
        split_inner_attributes(&group)
    }
}

impl ToTokens for FnItem {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let FnItem {
            attrs,
            vis,
            defaultness,
            sig,
            body,
        } = self;
        tokens.append_all(attrs);
        vis.to_tokens(tokens);
        defaultness.to_tokens(tokens);
        sig.to_tokens(tokens);
        match body {
            Body::Missing(semi) => semi.to_tokens(tokens),
            Body::Block(inner, group) if inner.is_empty() => group.to_tokens(tokens),
            Body::Block(inner, group) => {
                let mut content = TokenStream::new();
                content.append_all(inner);
                content.extend(group.stream());
                braces_of(group, content).to_tokens(tokens);
            }
        }
    }
}

/// Returns `content` in the braces of `group`.
pub(crate) fn braces_of(group: &Group, content: TokenStream) -> Group {
    let mut braces = Group::new(group.delimiter(), content);
    braces.set_span(group.span());
    braces
}

/// Returns the braces in the invisible group that a `$body:block` of `macro_rules!` leaves.
fn braces(token: TokenTree) -> Group {
    match token {
        TokenTree::Group(group) if group.delimiter() == Delimiter::None => {
            let inner = group.stream().into_iter().next();
            inner.map_or(group, braces)
        }
        TokenTree::Group(group) => group,
        other => Group::new(Delimiter::None, other.into()),
    }
}

fn has_inner_attributes(group: &Group) -> bool {
    let mut tokens = group.stream().into_iter();
    let is = |token: Option<TokenTree>, c| matches!(token, Some(TokenTree::Punct(p)) if p.as_char() == c);
    is(tokens.next(), '#') && is(tokens.next(), '!')
}

fn split_inner_attributes(group: &Group) -> syn::Result<Body> {
    let split = |input: ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_inner)?;
        let rest: TokenStream = input.parse()?;
        Ok(Body::Block(attrs, braces_of(group, rest)))
    };
    split.parse2(group.stream())
}
