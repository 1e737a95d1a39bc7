//! The passes as functions over tokens: what they print, and that no input makes them panic.

mod expansion;
mod inputs;
