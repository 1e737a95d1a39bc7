//! Reads folders of Markdown, and cuts each document into chunks by heading and paragraph. Knows nothing
//! of embeddings, questions or the network.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::text::{fence, heading};

/// The longest chunk, in bytes. Longer paragraphs are cut between words.
const MAX_CHUNK: usize = 1_000;
/// The folder that ships with the example, and the repository's documents above it.
const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/rag_service/corpus");
const REPOSITORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const REPOSITORY_DOCUMENTS: [&str; 3] = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"];

/// One Markdown file.
#[derive(Debug, Clone)]
pub(crate) struct Document {
    /// The path relative to the folder that was read, with `/` as separator.
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A part of a document, small enough to embed and to quote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Chunk {
    pub(crate) path: String,
    /// The headings above it, outermost first: `Rate limits > Retrying`.
    pub(crate) heading: String,
    pub(crate) text: String,
}

impl Chunk {
    /// Returns the text to embed: with the headings, which often name the topic.
    pub(crate) fn passage(&self) -> String {
        format!("{}\n{}", self.heading, self.text)
    }
}

/// Why a document could not be read.
#[derive(Debug)]
pub(crate) struct CorpusError {
    path: PathBuf,
    source: io::Error,
}

impl fmt::Display for CorpusError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot read {}", self.path.display())
    }
}

impl std::error::Error for CorpusError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.source)
    }
}

/// Returns every `*.md` below `folder`, in the order of their paths.
///
/// # Errors
/// The folder or a document in it cannot be read, or is not UTF-8.
pub(crate) fn read(folder: &Path) -> Result<Vec<Document>, CorpusError> {
    let mut files = Vec::new();
    find_markdown(folder, &mut files)?;
    files.sort();
    files
        .iter()
        .map(|file| read_document(folder, file))
        .collect()
}

/// Returns the corpus that ships with the example and the repository's own documents.
///
/// # Errors
/// As for [`read`]. A missing document of the repository is skipped.
pub(crate) fn read_default() -> Result<Vec<Document>, CorpusError> {
    let mut documents = read(Path::new(SHIPPED))?;
    let repository = Path::new(REPOSITORY);
    for file in REPOSITORY_DOCUMENTS.map(|name| repository.join(name)) {
        if file.is_file() {
            documents.push(read_document(repository, &file)?);
        }
    }
    Ok(documents)
}

/// Cuts a document at its headings, and each section into chunks of whole paragraphs.
pub(crate) fn split(document: &Document) -> Vec<Chunk> {
    sections(&document.text)
        .into_iter()
        .flat_map(|section| {
            pack(&section.paragraphs)
                .into_iter()
                .map(move |text| Chunk {
                    path: document.path.clone(),
                    heading: section.heading.clone(),
                    text,
                })
        })
        .collect()
}

fn find_markdown(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), CorpusError> {
    let at = |path: &Path| {
        let path = path.to_path_buf();
        move |source| CorpusError { path, source }
    };
    for entry in std::fs::read_dir(folder).map_err(at(folder))? {
        let entry = entry.map_err(at(folder))?;
        let path = entry.path();
        // not the type of a link's target: a linked folder could contain itself
        if entry.file_type().map_err(at(&path))?.is_dir() {
            find_markdown(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "md") {
            found.push(path);
        }
    }
    Ok(())
}

fn read_document(folder: &Path, file: &Path) -> Result<Document, CorpusError> {
    let text = std::fs::read_to_string(file).map_err(|source| CorpusError {
        path: file.to_path_buf(),
        source,
    })?;
    let below = file.strip_prefix(folder).unwrap_or(file);
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    Ok(Document {
        path: parts.join("/"),
        text,
    })
}

#[derive(Default)]
struct Section {
    heading: String,
    paragraphs: Vec<String>,
}

fn sections(markdown: &str) -> Vec<Section> {
    let mut sections = vec![Section::default()];
    let mut headings: Vec<(usize, &str)> = Vec::new();
    let mut paragraph = String::new();
    let mut in_code = false;
    for line in markdown.lines() {
        in_code ^= fence(line);
        match heading(line).filter(|_| !in_code) {
            Some((level, title)) => {
                close(&mut sections, &mut paragraph);
                headings.retain(|(above, _)| *above < level);
                headings.push((level, title));
                sections.push(Section {
                    heading: path_of(&headings),
                    paragraphs: Vec::new(),
                });
            }
            None if line.trim().is_empty() && !in_code => close(&mut sections, &mut paragraph),
            None => {
                paragraph.push_str(line);
                paragraph.push('\n');
            }
        }
    }
    close(&mut sections, &mut paragraph);
    sections
}

fn path_of(headings: &[(usize, &str)]) -> String {
    headings
        .iter()
        .map(|(_, title)| *title)
        .collect::<Vec<_>>()
        .join(" > ")
}

fn close(sections: &mut [Section], paragraph: &mut String) {
    let text = std::mem::take(paragraph);
    if let Some(section) = sections.last_mut().filter(|_| !text.trim().is_empty()) {
        section.paragraphs.extend(cut(text.trim()));
    }
}

/// Joins paragraphs while the chunk stays within [`MAX_CHUNK`].
fn pack(paragraphs: &[String]) -> Vec<String> {
    let mut chunks: Vec<String> = Vec::new();
    for paragraph in paragraphs {
        match chunks.last_mut() {
            Some(chunk) if chunk.len() + paragraph.len() + 2 <= MAX_CHUNK => {
                chunk.push_str("\n\n");
                chunk.push_str(paragraph);
            }
            _ => chunks.push(paragraph.clone()),
        }
    }
    chunks
}

/// Returns a paragraph, in parts cut between words if it is longer than [`MAX_CHUNK`].
fn cut(paragraph: &str) -> Vec<String> {
    if paragraph.len() <= MAX_CHUNK {
        return vec![paragraph.to_owned()];
    }
    let mut parts = vec![String::new()];
    for word in paragraph.split_inclusive(char::is_whitespace) {
        match parts.last_mut() {
            Some(part) if part.len() + word.len() <= MAX_CHUNK => part.push_str(word),
            _ => parts.push(word.to_owned()),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(text: &str) -> Vec<(String, String)> {
        let document = Document {
            path: "a.md".into(),
            text: text.into(),
        };
        split(&document)
            .into_iter()
            .map(|chunk| (chunk.heading, chunk.text))
            .collect()
    }

    fn pair(heading: &str, text: &str) -> (String, String) {
        (heading.into(), text.into())
    }

    #[test]
    fn headings_nest_and_a_higher_one_closes_the_lower() {
        let text = "before\n# A\none\n## B\ntwo\n# C\nthree\n";
        let expected = [
            pair("", "before"),
            pair("A", "one"),
            pair("A > B", "two"),
            pair("C", "three"),
        ];
        assert_eq!(chunks(text), expected);
    }

    #[test]
    fn a_hash_in_a_code_fence_is_not_a_heading() {
        let text = "# A\n```sh\n# comment\n\nls\n```\n";
        assert_eq!(chunks(text), [pair("A", "```sh\n# comment\n\nls\n```")]);
    }

    #[test]
    fn short_paragraphs_share_a_chunk_and_long_ones_do_not() {
        let long = "word ".repeat(MAX_CHUNK / 5);
        let chunks = chunks(&format!("# A\none\n\ntwo\n\n{long}\n"));
        let lengths: Vec<usize> = chunks.iter().map(|(_, text)| text.len()).collect();
        assert_eq!(chunks.first(), Some(&pair("A", "one\n\ntwo")));
        assert_eq!(lengths.len(), 2);
    }

    #[test]
    fn a_paragraph_over_the_limit_is_cut_between_words_and_loses_none() {
        let words: Vec<String> = (0..600).map(|n| format!("wörd{n}")).collect();
        let chunks = chunks(&words.join(" "));
        assert!(chunks.len() > 3);
        assert!(chunks.iter().all(|(_, text)| text.len() <= MAX_CHUNK));
        let kept: Vec<_> = chunks
            .iter()
            .flat_map(|(_, text)| text.split_whitespace())
            .collect();
        assert_eq!(kept, words);
    }

    #[test]
    fn a_section_without_text_is_no_chunk() {
        assert_eq!(chunks("# A\n\n## B\n\n"), []);
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let error = read(Path::new("/nonexistent/folder")).expect_err("nothing to read");
        assert!(error.to_string().contains("/nonexistent/folder"));
    }

    #[test]
    fn the_shipped_corpus_is_read_and_splits() {
        let documents = read_default().expect("the corpus ships with the example");
        assert!(documents.len() >= 7);
        assert!(documents.iter().all(|document| !split(document).is_empty()));
    }
}
