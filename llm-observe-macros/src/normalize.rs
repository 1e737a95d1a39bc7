//! One shape of parameters: each either captured as it is or bound again inside the body, so that
//! all of them live as long, and are dropped in the same order, as without the attribute.
//!
//! A closure or an async block captures only what its body mentions, and drops it in the order of
//! mention. So the body begins by mentioning every parameter that may need dropping, the last
//! first. Patterns and `mut` move from the signature to a `let` in the body.

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::{
    Attribute, FnArg, GenericArgument, Ident, Pat, PatIdent, PatType, PathArguments, Receiver,
    ReceiverKind, Signature, Token, Type,
};

/// What the body has to begin with, and the names it can see.
#[derive(Default)]
pub(crate) struct Prologue {
    pub(crate) tokens: TokenStream,
    pub(crate) names: Vec<Binding>,
}

impl Prologue {
    /// The names alone, where the body stands in the function itself and sees its parameters.
    pub(crate) fn of_signature(sig: &Signature, body: &Group) -> Prologue {
        Prologue {
            tokens: TokenStream::new(),
            ..normalize(&mut sig.clone(), body)
        }
    }
}

/// A variable that the parameters bind.
pub(crate) struct Binding {
    pub(crate) ident: Ident,
    /// Whether the type, as written, is a number, a truth value or text.
    pub(crate) plain: bool,
    /// `#[cfg]` of its parameter.
    pub(crate) cfgs: Vec<Attribute>,
}

/// Rewrites the parameters of `sig` and returns what its body begins with.
pub(crate) fn normalize(sig: &mut Signature, body: &Group) -> Prologue {
    let mut params: Vec<Param> = sig
        .inputs
        .iter_mut()
        .enumerate()
        .map(|(at, arg)| Param::new(at, arg, body))
        .collect();
    let first_bound = params.iter().position(|p| p.droppable && p.is_bound());
    if let Some(first) = first_bound {
        params
            .iter_mut()
            .skip(first + 1)
            .filter(|p| p.droppable)
            .for_each(Param::rebind);
    }
    let mentions: TokenStream = params.iter().rev().filter_map(Param::mention).collect();
    let lets: TokenStream = params.iter().flat_map(|p| p.lets.iter().cloned()).collect();
    let names = params.into_iter().flat_map(|p| p.names).collect();
    Prologue {
        tokens: quote!(#mentions #lets),
        names,
    }
}

/// One parameter.
struct Param {
    /// The variable that holds it outside the body, if there is one to speak of.
    holder: Option<Ident>,
    droppable: bool,
    cfgs: Vec<Attribute>,
    lets: Vec<TokenStream>,
    names: Vec<Binding>,
    /// Whether it is moved into the body by one of the `lets`.
    moved: bool,
}

impl Param {
    fn new(at: usize, arg: &mut FnArg, body: &Group) -> Param {
        match arg {
            FnArg::Receiver(receiver) => Param::receiver(receiver),
            FnArg::Typed(arg) => Param::typed(at, arg, body),
        }
    }

    fn receiver(receiver: &Receiver) -> Param {
        let droppable = match &receiver.kind {
            ReceiverKind::Value => true,
            ReceiverKind::Typed(_, ty) => may_drop(ty),
            _ => false,
        };
        let this = receiver.self_token;
        Param::held(
            Ident::new("self", this.span),
            droppable,
            cfgs(&receiver.attrs),
        )
    }

    fn held(holder: Ident, droppable: bool, cfgs: Vec<Attribute>) -> Param {
        let holder = Some(holder);
        Param {
            holder,
            droppable,
            cfgs,
            lets: Vec::new(),
            names: Vec::new(),
            moved: false,
        }
    }

    fn typed(at: usize, arg: &mut PatType, body: &Group) -> Param {
        let droppable = may_drop(&arg.ty);
        let cfgs = cfgs(&arg.attrs);
        match &*arg.pat {
            Pat::Ident(PatIdent {
                by_ref: None,
                subpat: None,
                ident,
                mutability,
                ..
            }) => {
                let (ident, is_mut) = (ident.clone(), mutability.is_some());
                let mut param = Param::held(ident.clone(), droppable, cfgs);
                param
                    .names
                    .push(param.name(ident.clone(), is_plain(&arg.ty)));
                if is_mut || (droppable && !mentions(body.stream(), &ident.to_string())) {
                    param.bind_again(arg, &ident);
                }
                param
            }
            Pat::Wild(_) if !droppable => Param {
                holder: None,
                ..Param::held(ident_of(at), false, cfgs)
            },
            Pat::Wild(_) => {
                let holder = ident_of(at);
                arg.pat = pattern(&holder);
                Param::held(holder, true, cfgs)
            }
            _ => Param::destructured(at, arg, droppable, cfgs),
        }
    }

    fn destructured(at: usize, arg: &mut PatType, droppable: bool, cfgs: Vec<Attribute>) -> Param {
        let holder = ident_of(at);
        let mut param = Param::held(holder.clone(), droppable, cfgs);
        let mut idents = Vec::new();
        bound(&arg.pat, &mut idents);
        param.names = idents
            .into_iter()
            .map(|ident| param.name(ident, false))
            .collect();
        let old = std::mem::replace(&mut arg.pat, pattern(&holder));
        let attrs = lint_attrs(arg);
        let cfgs = &param.cfgs;
        param
            .lets
            .push(quote!(#(#cfgs)* #(#attrs)* let #old = #holder;));
        param
    }

    /// Moves `mut` and lint attributes from the signature to a `let` of the same name.
    fn bind_again(&mut self, arg: &mut PatType, ident: &Ident) {
        let old = arg.pat.clone();
        let holder = Ident::new(&ident.to_string(), ident.span());
        arg.pat = pattern(&holder);
        let attrs = lint_attrs(arg);
        let cfgs = &self.cfgs;
        let equals = Token![=](Span::mixed_site());
        self.lets
            .push(quote!(#(#cfgs)* #(#attrs)* let #old #equals #holder;));
        self.moved = true;
    }

    /// Moves the whole into the body, so that it is dropped there, before earlier parameters.
    fn rebind(&mut self) {
        if self.moved {
            return;
        }
        let (Some(holder), cfgs) = (&self.holder, &self.cfgs) else {
            return;
        };
        if holder != "self" {
            self.lets
                .insert(0, quote!(#(#cfgs)* let #holder = #holder;));
            self.moved = true;
        }
    }

    fn is_bound(&self) -> bool {
        !self.lets.is_empty()
    }

    fn mention(&self) -> Option<TokenStream> {
        let holder = self
            .holder
            .as_ref()
            .filter(|_| self.droppable && !self.moved)?;
        let cfgs = &self.cfgs;
        Some(quote!(#(#cfgs)* let _ = &#holder;))
    }

    fn name(&self, ident: Ident, plain: bool) -> Binding {
        Binding {
            ident,
            plain,
            cfgs: self.cfgs.clone(),
        }
    }
}

fn ident_of(at: usize) -> Ident {
    format_ident!("__arg{at}", span = Span::mixed_site())
}

fn pattern(ident: &Ident) -> Box<Pat> {
    Box::new(syn::parse_quote!(#ident))
}

fn cfgs(attrs: &[Attribute]) -> Vec<Attribute> {
    attrs
        .iter()
        .filter(|attr| attr.path().is_ident("cfg"))
        .cloned()
        .collect()
}

/// Takes the attributes that belong to the binding, not to the parameter.
fn lint_attrs(arg: &mut PatType) -> Vec<Attribute> {
    let (cfgs, lints) = arg
        .attrs
        .drain(..)
        .partition(|attr| attr.path().is_ident("cfg"));
    arg.attrs = cfgs;
    lints
}

/// Returns whether the body has that identifier anywhere, in a format string too.
fn mentions(body: TokenStream, name: &str) -> bool {
    body.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Literal(literal) => literal.to_string().contains(name),
        TokenTree::Punct(_) => false,
    })
}

/// Collects the variables of a pattern.
pub(crate) fn bound(pat: &Pat, out: &mut Vec<Ident>) {
    match pat {
        Pat::Ident(p) => {
            out.push(p.ident.clone());
            if let Some((_, inner)) = &p.subpat {
                bound(inner, out);
            }
        }
        Pat::Or(p) => p.cases.iter().take(1).for_each(|p| bound(p, out)),
        Pat::Paren(p) => bound(&p.pat, out),
        Pat::Reference(p) => bound(&p.pat, out),
        Pat::Slice(p) => p.elems.iter().for_each(|p| bound(p, out)),
        Pat::Struct(p) => p.fields.iter().for_each(|f| bound(&f.pat, out)),
        Pat::Tuple(p) => p.elems.iter().for_each(|p| bound(p, out)),
        Pat::TupleStruct(p) => p.elems.iter().for_each(|p| bound(p, out)),
        Pat::Type(p) => bound(&p.pat, out),
        _ => {}
    }
}

const NUMBERS: [&str; 16] = [
    "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
    "isize", "f32", "f64",
];

/// Returns whether a value of that type may have something to drop, as far as its text tells.
fn may_drop(ty: &Type) -> bool {
    match ty {
        Type::Reference(_) | Type::Ptr(_) | Type::FnPtr(_) | Type::Never(_) => false,
        Type::Group(ty) => may_drop(&ty.elem),
        Type::Paren(ty) => may_drop(&ty.elem),
        Type::Array(ty) => may_drop(&ty.elem),
        Type::Tuple(ty) => ty.elems.iter().any(may_drop),
        Type::Path(path) => {
            let Some(last) = path.path.segments.last() else {
                return true;
            };
            match &last.arguments {
                PathArguments::None => !NUMBERS.iter().any(|n| last.ident == n),
                PathArguments::AngleBracketed(args) if last.ident == "Pin" => args
                    .args
                    .iter()
                    .any(|a| !matches!(a, GenericArgument::Type(t) if !may_drop(t))),
                _ => true,
            }
        }
        _ => true,
    }
}

/// Returns whether the type is a number, a truth value or text, by its text.
fn is_plain(ty: &Type) -> bool {
    match ty {
        Type::Group(ty) => is_plain(&ty.elem),
        Type::Paren(ty) => is_plain(&ty.elem),
        Type::Reference(ty) => is_plain(&ty.elem),
        Type::Path(path) => path.path.segments.last().is_some_and(|last| {
            last.arguments.is_empty()
                && (NUMBERS.iter().any(|n| last.ident == n && *n != "char")
                    || last.ident == "str"
                    || last.ident == "String")
        }),
        _ => false,
    }
}
