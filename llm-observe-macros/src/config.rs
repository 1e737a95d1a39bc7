//! The `llm-observe.toml` of the crate that is being compiled, found and checked once a process.
//!
//! Its mistakes are shown at the first attribute only: one mistake is one error, however many
//! functions there are.

use std::{
    env, fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::SystemTime,
};

use llm_observe_config::Config;
use proc_macro2::{Span, TokenStream};
use quote::quote;

use crate::errors::Errors;

/// A checked file, or what is wrong with it.
pub(crate) struct File {
    pub(crate) path: PathBuf,
    pub(crate) config: Result<Config, String>,
}

/// What was last seen, for the attributes that follow.
struct Cached {
    folder: PathBuf,
    changed: Option<SystemTime>,
    file: Arc<File>,
    /// Whether an attribute has shown its mistakes, or has made the crate depend on it.
    used: bool,
}

static CACHED: Mutex<Option<Cached>> = Mutex::new(None);

/// What the attributes of a crate know of its configuration.
pub(crate) struct Loaded {
    pub(crate) file: Arc<File>,
    first: bool,
}

impl Loaded {
    /// Returns the configuration, where it has no mistakes.
    pub(crate) fn config(&self) -> Option<&Config> {
        self.file.config.as_ref().ok()
    }

    /// Returns an item that rebuilds the crate when the file changes: in the first expansion of a
    /// crate only, because each reads the file again.
    pub(crate) fn dependency(&self, runtime: &TokenStream) -> Option<TokenStream> {
        let path = self.file.path.to_str().filter(|_| self.first)?;
        Some(quote!(const _: &[u8] = #runtime::core::include_bytes!(#path);))
    }
}

/// Returns the configuration of the crate that is being compiled, if it has one, and adds the
/// file's mistakes to `errors` when no attribute has shown them.
pub(crate) fn load(errors: &mut Errors) -> Option<Loaded> {
    let loaded = find()?;
    if let (true, Err(text)) = (loaded.first, &loaded.file.config) {
        errors.at(Span::call_site(), text);
    }
    Some(loaded)
}

/// Returns the configuration of the crate that is being compiled, if it has one.
pub(crate) fn find() -> Option<Loaded> {
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    let mut seen = CACHED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(seen) = seen
        .as_mut()
        .filter(|seen| seen.folder == folder && is_current(seen))
    {
        let first = !std::mem::replace(&mut seen.used, true);
        return Some(Loaded {
            file: seen.file.clone(),
            first,
        });
    }
    let path = llm_observe_config::find(&folder)?;
    let file = Arc::new(read(path));
    let changed = changed(&file.path);
    *seen = Some(Cached {
        folder,
        changed,
        file: file.clone(),
        used: true,
    });
    Some(Loaded { file, first: true })
}

fn is_current(seen: &Cached) -> bool {
    seen.changed.is_some() && seen.changed == changed(&seen.file.path)
}

fn changed(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|m| m.modified()).ok()
}

fn read(path: PathBuf) -> File {
    let config = fs::read_to_string(&path)
        .map_err(|error| format!("cannot read {}: {error}", path.display()))
        .and_then(|text| Config::parse(&text, &path).map_err(|errors| errors.to_string()));
    File { path, config }
}
