//! `[genai]`: how operations of models are named.

use crate::choice::choices;
use crate::section::Section;
use crate::value;

/// `[genai]`.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq)]
pub struct Genai {
    /// The version of the OpenTelemetry GenAI conventions that attributes are named by.
    pub conventions: Conventions,
    /// Which content of messages is recorded. Default: none.
    pub capture: Capture,
    /// How many bytes of each message are recorded, 1 byte to 1 MiB. Default: 8 KiB.
    pub capture_max_bytes: u64,
    /// Whether tokens and costs are counted by tenant too. Default: false.
    pub tenant_label: bool,
}

impl Default for Genai {
    fn default() -> Self {
        Self {
            conventions: Conventions::default(),
            capture: Capture::default(),
            capture_max_bytes: 8 << 10,
            tenant_label: false,
        }
    }
}

impl Genai {
    pub(crate) fn read(section: &Section<'_, '_>) -> Self {
        let mut genai = Self::default();
        section.set("conventions", &mut genai.conventions, value::choice);
        section.set("capture", &mut genai.capture, value::choice);
        let size = value::size_within(1..=1 << 20);
        section.set("capture_max_bytes", &mut genai.capture_max_bytes, size);
        section.set("tenant_label", &mut genai.tenant_label, value::boolean);
        genai
    }
}

choices! {
    /// Which content of messages is recorded.
    #[non_exhaustive]
    pub enum Capture {
        /// None.
        #[default]
        None = "none",
        /// What models are sent.
        Input = "input",
        /// What they answer.
        Output = "output",
        /// Both.
        Both = "both",
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
