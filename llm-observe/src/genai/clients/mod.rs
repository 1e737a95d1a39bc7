//! [`Response`](super::Response) for the types of client crates, one file for each crate and version.

#[cfg(feature = "async-openai-0_43")]
mod async_openai_0_43;
#[cfg(feature = "genai-0_7")]
mod genai_0_7;
#[cfg(feature = "ollama-rs-0_3")]
mod ollama_rs_0_3;
#[cfg(feature = "rig-core-0_44")]
mod rig_core_0_44;
