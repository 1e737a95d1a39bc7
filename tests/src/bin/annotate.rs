//! Puts `#[observe]` on every function of a crate's sources, for `tests/annotate-crates.sh`: the
//! text is otherwise left as it is.
//!
//!     annotate FOLDER    prints how many functions it annotated

use std::{env, error::Error, fs, path::Path};

use proc_macro2::Span;
use quote::ToTokens;
use syn::{
    Attribute, ImplItemFn, ItemFn, Signature, TraitItemFn,
    visit::{self, Visit},
};

/// Written so that it means the same in each crate and module.
const ATTRIBUTE: &str = "#[::llm_observe::observe] ";

fn main() -> Result<(), Box<dyn Error>> {
    let folder = env::args().nth(1).ok_or("annotate FOLDER")?;
    println!("{}", annotate_all(Path::new(&folder))?);
    Ok(())
}

fn annotate_all(folder: &Path) -> Result<usize, Box<dyn Error>> {
    let mut count = 0;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            count += annotate_all(&path)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            count += annotate(&path)?;
        }
    }
    Ok(count)
}

fn annotate(path: &Path) -> Result<usize, Box<dyn Error>> {
    let mut text = fs::read_to_string(path)?;
    // Files that are included as expressions, or need a newer parser.
    let Ok(file) = syn::parse_file(&text) else {
        return Ok(0);
    };
    let mut found = Functions::default();
    found.visit_file(&file);
    let mut places: Vec<usize> = found.starts.iter().map(|s| s.byte_range().start).collect();
    places.sort_unstable();
    for place in places.iter().rev() {
        text.insert_str(*place, ATTRIBUTE);
    }
    fs::write(path, text)?;
    Ok(places.len())
}

/// Where the functions begin, behind their attributes.
#[derive(Default)]
struct Functions {
    starts: Vec<Span>,
}

impl Functions {
    fn add(&mut self, attrs: &[Attribute], sig: &Signature, bare: &impl ToTokens) {
        let is_test = |attr: &Attribute| {
            let last = attr.path().segments.last();
            last.is_some_and(|last| last.ident == "test" || last.ident == "bench")
        };
        // What runs at compile time cannot be measured, and a test is no part of the crate.
        if sig.constness.is_none() && !attrs.iter().any(is_test) {
            let first = bare.to_token_stream().into_iter().next();
            self.starts.extend(first.map(|token| token.span()));
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, f: &'ast ItemFn) {
        let mut bare = f.clone();
        bare.attrs.clear();
        self.add(&f.attrs, &f.sig, &bare);
        visit::visit_item_fn(self, f);
    }

    fn visit_impl_item_fn(&mut self, f: &'ast ImplItemFn) {
        let mut bare = f.clone();
        bare.attrs.clear();
        self.add(&f.attrs, &f.sig, &bare);
        visit::visit_impl_item_fn(self, f);
    }

    fn visit_trait_item_fn(&mut self, f: &'ast TraitItemFn) {
        let mut bare = f.clone();
        bare.attrs.clear();
        if f.default.is_some() {
            self.add(&f.attrs, &f.sig, &bare);
        }
        visit::visit_trait_item_fn(self, f);
    }
}
