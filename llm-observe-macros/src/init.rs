//! `init!()`: the checked text of `llm-observe.toml` and the crate's own name, as a value.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{
    Path, Token,
    parse::{ParseStream, Parser},
};

use crate::{config, errors::Errors, installs, runtime};

/// Returns what `init!(input)` expands to.
pub(crate) fn init(input: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let krate = errors.take(krate.parse2(input)).flatten();
    let runtime = runtime::path(krate.as_ref());
    let file = config::find().map(|loaded| loaded.file);
    if let Some(Err(text)) = file.as_ref().map(|file| &file.config) {
        errors.at(Span::call_site(), text);
    }
    let start = start(&runtime, file.as_ref().and_then(|file| file.path.to_str()));
    let errors = errors.to_tokens();
    // The value stays beside a mistake, so that what uses it is no second one.
    if errors.is_empty() {
        start
    } else {
        quote!({ #errors #start })
    }
}

fn start(runtime: &TokenStream, path: Option<&str>) -> TokenStream {
    let config = match path {
        Some(path) => quote!(#runtime::Option::Some((#runtime::core::include_str!(#path), #path))),
        None => quote!(#runtime::Option::None),
    };
    let installs = installs::installs(runtime);
    quote! {
        #runtime::init(#runtime::Embedded {
            config: #config,
            package: #runtime::core::env!("CARGO_PKG_NAME"),
            version: #runtime::core::env!("CARGO_PKG_VERSION"),
            module: #runtime::core::module_path!(),
            installs: #installs,
        })
    }
}

fn krate(input: ParseStream<'_>) -> syn::Result<Option<Path>> {
    if input.is_empty() {
        return Ok(None);
    }
    let wrong = |span| syn::Error::new(span, "`init!` takes nothing, or `crate = path`");
    input
        .parse::<Token![crate]>()
        .map_err(|e| wrong(e.span()))?;
    input.parse::<Token![=]>().map_err(|e| wrong(e.span()))?;
    let path = input.call(Path::parse_mod_style)?;
    input.parse::<Option<Token![,]>>()?;
    if input.is_empty() {
        Ok(Some(path))
    } else {
        Err(wrong(input.span()))
    }
}
