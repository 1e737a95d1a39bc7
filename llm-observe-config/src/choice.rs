//! Closed sets of words (`"text"` or `"json"`) as enums, and the error for an unknown word.

use std::fmt;

use crate::message::listed;
use crate::suggest::suggest;

/// An enum whose values are words of a fixed list.
pub(crate) trait Choice: Copy + 'static {
    /// The words, each with its value, in the order in which messages list them.
    const ALL: &'static [(&'static str, Self)];

    /// Returns the value written as `word`.
    fn from_word(word: &str) -> Result<Self, UnknownWord> {
        let found = Self::ALL.iter().find(|(text, _)| *text == word);
        found
            .map(|(_, value)| *value)
            .ok_or_else(|| UnknownWord::among(word, Self::ALL.iter().map(|(text, _)| *text)))
    }
}

/// The error for an unknown word.
///
/// It names the allowed words. It never shows the unknown word, which may be a misplaced secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownWord {
    allowed: Vec<&'static str>,
    near: Option<&'static str>,
}

impl UnknownWord {
    /// Builds the error for `wrong`, with the nearest of `allowed` as its suggestion.
    pub(crate) fn among(wrong: &str, allowed: impl Iterator<Item = &'static str>) -> Self {
        let allowed: Vec<_> = allowed.collect();
        let near = suggest(wrong, allowed.iter().copied());
        Self { allowed, near }
    }

    /// Returns what is wrong, with the allowed words.
    pub(crate) fn message(&self) -> String {
        format!("must be one of {}", listed(&self.allowed))
    }

    /// Returns the allowed word nearest to the one given, if any is near.
    pub fn suggestion(&self) -> Option<&'static str> {
        self.near
    }
}

impl fmt::Display for UnknownWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())?;
        match self.near {
            Some(near) => write!(f, "; did you mean `{near}`?"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for UnknownWord {}

/// Defines an enum with its words, `as_str`, `Display` and `FromStr`.
macro_rules! choices {
    (
        $(#[$meta:meta])*
        pub enum $name:ident { $($(#[$inner:meta])* $variant:ident = $text:literal,)+ }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$inner])* $variant,)+ }

        impl $crate::choice::Choice for $name {
            const ALL: &'static [(&'static str, Self)] = &[$(($text, Self::$variant),)+];
        }

        impl $name {
            /// Returns the word that `llm-observe.toml` uses for it.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::choice::UnknownWord;

            fn from_str(word: &str) -> Result<Self, $crate::choice::UnknownWord> {
                <Self as $crate::choice::Choice>::from_word(word)
            }
        }
    };
}
pub(crate) use choices;
