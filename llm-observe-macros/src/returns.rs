//! What a signature says about the end of a call: a return, a future, or never.

use proc_macro2::Span;
use syn::{
    GenericArgument, PathArguments, ReturnType, Signature, Type, TypeImplTrait, TypeParamBound,
    TypePath,
    visit_mut::{self, VisitMut},
};

/// How the call ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// By returning.
    Sync,
    /// When the future of an `async fn` is done.
    Async,
    /// When the returned `impl Future` is done.
    Future,
    /// When the returned boxed future is done.
    Boxed,
    /// By returning, or when the returned boxed future is done: the type's name does not tell.
    Either,
}

/// What a function returns.
pub(crate) struct Returns {
    pub(crate) shape: Shape,
    /// The type in the end: a future's output where it returns a future. `None`: not written.
    pub(crate) output: Option<Type>,
}

impl Returns {
    pub(crate) fn of(sig: &Signature) -> Returns {
        let written = match &sig.output {
            ReturnType::Default => Type::Tuple(syn::parse_quote!(())),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        if sig.asyncness.is_some() {
            return Returns {
                shape: Shape::Async,
                output: Some(written),
            };
        }
        match future(&written) {
            Some((shape, output)) => Returns { shape, output },
            None => Returns {
                shape: match peel(&written) {
                    Type::Path(path) if !is_known(path, "Result") => Shape::Either,
                    _ => Shape::Sync,
                },
                output: Some(written),
            },
        }
    }

    /// Returns whether the output is `()` or `!`.
    pub(crate) fn is_empty(&self) -> bool {
        self.output.as_ref().is_some_and(|ty| match peel(ty) {
            Type::Tuple(tuple) => tuple.elems.is_empty(),
            Type::Never(_) => true,
            _ => false,
        })
    }

    /// Returns whether the output is `!`.
    pub(crate) fn is_never(&self) -> bool {
        self.output
            .as_ref()
            .is_some_and(|ty| matches!(peel(ty), Type::Never(_)))
    }

    /// Returns whether the output cannot be a `Result`. It looks at the text only: an alias or a
    /// generic may be one, a type that is written out as a function is none.
    pub(crate) fn cannot_fail(&self) -> bool {
        self.output.as_ref().is_some_and(|ty| match peel(ty) {
            Type::Path(path) => NOT_RESULTS.iter().any(|name| is_known(path, name)),
            Type::ImplTrait(ty) => ty.bounds.iter().any(is_function),
            Type::Macro(_) | Type::Infer(_) | Type::Verbatim(_) => false,
            _ => true,
        })
    }
}

/// Returns whether a type is written as a `Result`.
pub(crate) fn is_result(ty: &Type) -> bool {
    matches!(peel(ty), Type::Path(path) if is_known(path, "Result"))
}

fn is_known(path: &TypePath, name: &str) -> bool {
    path.path.segments.last().is_some_and(|s| s.ident == name)
}

/// Returns whether the bound is that of a function or closure, such as `Fn(&str) -> bool`: only
/// those are written with parentheses.
fn is_function(bound: &TypeParamBound) -> bool {
    let TypeParamBound::Trait(bound) = bound else {
        return false;
    };
    let last = bound.path.segments.last();
    last.is_some_and(|last| matches!(last.arguments, PathArguments::Parenthesized(_)))
}

/// Names of types that are not a `Result`.
const NOT_RESULTS: [&str; 19] = [
    "bool", "char", "u8", "u16", "u32", "u64", "u128", "usize", "i8", "i16", "i32", "i64", "i128",
    "isize", "f32", "f64", "String", "Vec", "Option",
];

/// Returns the type without the invisible groups that `macro_rules!` leaves, and parentheses.
pub(crate) fn peel(ty: &Type) -> &Type {
    match ty {
        Type::Group(group) => peel(&group.elem),
        Type::Paren(paren) => peel(&paren.elem),
        _ => ty,
    }
}

fn future(ty: &Type) -> Option<(Shape, Option<Type>)> {
    match peel(ty) {
        Type::ImplTrait(ty) if ty.bounds.iter().all(is_of_observed) => {
            output_of(ty.bounds.iter()).map(|output| (Shape::Future, output))
        }
        Type::Path(path) => {
            let last = path.path.segments.last()?;
            match last.ident.to_string().as_str() {
                // What else they stand for, such as their output, is the type's affair.
                "BoxFuture" | "LocalBoxFuture" => Some((Shape::Boxed, None)),
                "Pin" => boxed(peel(first_type(&last.arguments)?)),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Returns whether an observed future has that bound wherever the future itself has it.
fn is_of_observed(bound: &TypeParamBound) -> bool {
    const KEPT: [&str; 4] = ["Future", "Send", "Sync", "Unpin"];
    let TypeParamBound::Trait(bound) = bound else {
        return true;
    };
    let last = bound.path.segments.last();
    last.is_some_and(|last| KEPT.iter().any(|kept| last.ident == kept)) || bound.maybe.is_some()
}

fn boxed(ty: &Type) -> Option<(Shape, Option<Type>)> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|s| s.ident == "Box")?;
    let Type::TraitObject(object) = peel(first_type(&last.arguments)?) else {
        return None;
    };
    output_of(object.bounds.iter()).map(|output| (Shape::Boxed, output))
}

fn first_type(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Returns the `Output` of a `Future` among the bounds, if there is one: `Some(None)` when it is
/// not written.
fn output_of<'a>(mut bounds: impl Iterator<Item = &'a TypeParamBound>) -> Option<Option<Type>> {
    bounds.find_map(|bound| {
        let TypeParamBound::Trait(bound) = bound else {
            return None;
        };
        let last = bound.path.segments.last().filter(|s| s.ident == "Future")?;
        let PathArguments::AngleBracketed(arguments) = &last.arguments else {
            return Some(None);
        };
        Some(arguments.args.iter().find_map(|argument| match argument {
            GenericArgument::AssocType(assoc) if assoc.ident == "Output" => Some(assoc.ty.clone()),
            _ => None,
        }))
    })
}

/// Returns whether the type has the type of a function or closure in it that has no name, such as
/// `impl Fn(&str) -> bool`.
pub(crate) fn has_closure(ty: &Type) -> bool {
    struct Find(bool);
    impl VisitMut for Find {
        fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
            self.0 |= ty.bounds.iter().any(is_function);
            visit_mut::visit_type_impl_trait_mut(self, ty);
        }
    }
    let mut find = Find(false);
    find.visit_type_mut(&mut ty.clone());
    find.0
}

/// Replaces each `impl Trait` by `_`, and returns whether there was one.
pub(crate) fn infer_impls(ty: &mut Type) -> bool {
    struct Infer(bool);
    impl VisitMut for Infer {
        fn visit_type_mut(&mut self, ty: &mut Type) {
            if matches!(ty, Type::ImplTrait(_)) {
                self.0 = true;
                *ty = syn::parse_quote!(_);
            } else {
                visit_mut::visit_type_mut(self, ty);
            }
        }
    }
    let mut infer = Infer(false);
    infer.visit_type_mut(ty);
    infer.0
}

/// Gives each `impl` keyword this crate's edition, 2024: there it captures every lifetime, as the
/// return type of an `async fn` does in every edition.
pub(crate) fn capture_all(ty: &mut Type) {
    struct Respan;
    impl VisitMut for Respan {
        fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
            let span = Span::mixed_site().located_at(ty.impl_token.span);
            ty.impl_token = syn::Token![impl](span);
            visit_mut::visit_type_impl_trait_mut(self, ty);
        }
    }
    Respan.visit_type_mut(ty);
}
