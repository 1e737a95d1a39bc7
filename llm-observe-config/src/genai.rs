//! `[genai]`: how operations of models are named.

use crate::choice::choices;
use crate::section::Section;
use crate::value;

/// `[genai]`.
#[non_exhaustive]
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Genai {
    /// The version of the OpenTelemetry GenAI conventions that attributes are named by.
    pub conventions: Conventions,
}

impl Genai {
    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut genai = Self::default();
        section.set("conventions", &mut genai.conventions, value::choice);
        genai
    }
}

choices! {
    /// A version of the OpenTelemetry GenAI conventions.
    #[non_exhaustive]
    pub enum Conventions {
        /// 1.41.1, the last that is released with all others.
        #[default]
        Released = "1.41",
        /// Those of the `semantic-conventions-genai` repository, which are not released and may change.
        Latest = "latest",
    }
}
