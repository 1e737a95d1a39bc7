//! `impl` blocks, traits and inline modules: each function in them, its own attribute over the
//! block's. Like a function's body, what is no function is never parsed.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt};
use syn::{
    Attribute, Token,
    parse::{ParseStream, Parser, discouraged::Speculative},
    parse2,
};

use crate::{
    args::{self, Args},
    errors::Errors,
    item::{Body, FnItem, braces_of},
    returns::Returns,
};

/// What a block's functions have in common.
pub(crate) struct BlockContext<'a> {
    pub(crate) args: &'a Args,
    /// Whether another macro on the block wants to see each `async fn` as it is.
    pub(crate) keeps_async: bool,
}

/// What is done with each function of a block.
pub(crate) type Observe<'a> = dyn FnMut(&BlockContext<'_>, FnItem, &mut Errors) -> TokenStream + 'a;

/// Returns `item` with each of its functions as `each` returns it, or `None` if it is no block.
pub(crate) fn block(
    item: &TokenStream,
    args: &Args,
    errors: &mut Errors,
    each: &mut Observe<'_>,
) -> Option<TokenStream> {
    let mut parse = |input: ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_outer)?;
        let Some((head, braces)) = head(input)? else {
            return Ok(None);
        };
        let context = BlockContext {
            args,
            keeps_async: attrs.iter().any(is_async_trait),
        };
        let content = members(&braces, &context, errors, each)?;
        let mut tokens = TokenStream::new();
        tokens.append_all(&attrs);
        tokens.extend(head);
        braces_of(&braces, content).to_tokens(&mut tokens);
        Ok(Some(tokens))
    };
    (&mut parse).parse2(item.clone()).ok().flatten()
}

/// Returns a block without the attributes of its functions: beside a mistake they would only
/// repeat it. What is no block is returned as it is.
pub(crate) fn without_own_attributes(item: TokenStream) -> TokenStream {
    let mut each =
        |_: &BlockContext<'_>, function: FnItem, _: &mut Errors| function.into_token_stream();
    if parse2::<FnItem>(item.clone()).is_ok() {
        return item;
    }
    block(&item, &Args::default(), &mut Errors::default(), &mut each).unwrap_or(item)
}

/// Returns whether the tokens, behind their attributes, are an `impl`, a trait or a module.
fn is_block(input: ParseStream<'_>) -> bool {
    let input = input.fork();
    let _ = input.call(Attribute::parse_outer);
    let _ = input.parse::<syn::Visibility>();
    let _ = input.parse::<Option<Token![unsafe]>>();
    input.peek(Token![impl]) || input.peek(Token![trait]) || input.peek(Token![mod])
}

/// Reads up to the braces of a block.
fn head(input: ParseStream<'_>) -> syn::Result<Option<(TokenStream, Group)>> {
    if !is_block(input) {
        return Ok(None);
    }
    let mut head = TokenStream::new();
    while !input.is_empty() {
        match input.parse()? {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                return Ok(Some((head, group)));
            }
            token => head.append(token),
        }
    }
    Ok(None)
}

fn is_async_trait(attr: &Attribute) -> bool {
    attr.path()
        .segments
        .last()
        .is_some_and(|last| last.ident == "async_trait")
}

fn members(
    braces: &Group,
    context: &BlockContext<'_>,
    errors: &mut Errors,
    each: &mut Observe<'_>,
) -> syn::Result<TokenStream> {
    let mut parse = |input: ParseStream<'_>| {
        let mut tokens = TokenStream::new();
        tokens.append_all(input.call(Attribute::parse_inner)?);
        while !input.is_empty() {
            tokens.extend(member(input, context, errors, each)?);
        }
        Ok(tokens)
    };
    (&mut parse).parse2(braces.stream())
}

fn member(
    input: ParseStream<'_>,
    context: &BlockContext<'_>,
    errors: &mut Errors,
    each: &mut Observe<'_>,
) -> syn::Result<TokenStream> {
    let ahead = input.fork();
    if let Ok(mut function) = ahead.parse::<FnItem>() {
        input.advance_to(&ahead);
        return Ok(observed(&mut function, context, errors, each));
    }
    let mut attrs = input.call(Attribute::parse_outer)?;
    let own = take_own(&mut attrs, errors);
    let mut tokens = TokenStream::new();
    tokens.append_all(&attrs);
    if let Some((head, braces)) = nested(input)? {
        tokens.extend(head);
        let args = own.unwrap_or_default().with_defaults(context.args);
        let keeps_async = attrs.iter().any(is_async_trait);
        let content = match args.leave_out {
            true => braces.stream(),
            false => members(
                &braces,
                &BlockContext {
                    args: &args,
                    keeps_async,
                },
                errors,
                each,
            )?,
        };
        braces_of(&braces, content).to_tokens(&mut tokens);
        return Ok(tokens);
    }
    tokens.extend(rest_of_item(input)?);
    Ok(tokens)
}

/// Reads the head and braces of a block in a block, or nothing.
fn nested(input: ParseStream<'_>) -> syn::Result<Option<(TokenStream, Group)>> {
    let ahead = input.fork();
    let found = head(&ahead)?;
    if found.is_some() {
        input.advance_to(&ahead);
    }
    Ok(found)
}

/// Reads an item that is none of ours: up to its `;`, or its braces if they end it.
fn rest_of_item(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let has_value = ["const", "static", "type", "use", "let"];
    let mut tokens = TokenStream::new();
    let mut needs_semicolon = false;
    while !input.is_empty() {
        let token: TokenTree = input.parse()?;
        let ends = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            TokenTree::Group(group) => group.delimiter() == Delimiter::Brace && !needs_semicolon,
            TokenTree::Ident(ident) => {
                needs_semicolon |= has_value.iter().any(|word| ident == word);
                false
            }
            TokenTree::Literal(_) => false,
        };
        tokens.append(token);
        if ends {
            break;
        }
    }
    Ok(tokens)
}

fn observed(
    function: &mut FnItem,
    context: &BlockContext<'_>,
    errors: &mut Errors,
    each: &mut Observe<'_>,
) -> TokenStream {
    let own = take_own(&mut function.attrs, errors);
    let is_own = own.is_some();
    let returns = Returns::of(&function.sig);
    let args = own
        .unwrap_or_default()
        .with_defaults(&context.args.applicable_to(&returns));
    let cannot = function.sig.constness.is_some() || matches!(function.body, Body::Missing(_));
    // What cannot be measured is left out, unless its own attribute asks for it.
    if args.leave_out || (cannot && !is_own) {
        return function.to_token_stream();
    }
    let context = BlockContext {
        args: &args,
        keeps_async: context.keeps_async,
    };
    each(&context, function.clone(), errors)
}

fn is_ours(attr: &Attribute) -> bool {
    attr.path()
        .segments
        .last()
        .is_some_and(|last| last.ident == "observe")
}

/// Removes the `#[observe(...)]` of a member and parses it.
fn take_own(attrs: &mut Vec<Attribute>, errors: &mut Errors) -> Option<Args> {
    let at = attrs.iter().position(is_ours)?;
    let attr = attrs.remove(at);
    let tokens = match &attr.meta {
        syn::Meta::List(list) => list.tokens.clone(),
        _ => TokenStream::new(),
    };
    Some(args::parse(tokens, errors))
}
