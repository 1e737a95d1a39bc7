//! The event of a function whose attribute names none.

use llm_observe_config::valid_event_name;
use syn::{Ident, ext::IdentExt};

/// Returns the default event of `function`: its name in the form of an event's name, or `call` when
/// nothing of the name is left.
pub(crate) fn default_name(function: &Ident) -> String {
    let name = function.unraw().to_string().to_lowercase();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    let name: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if valid_event_name(&name) {
        name
    } else {
        "call".to_owned()
    }
}
