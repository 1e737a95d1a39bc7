//! Words and sentences of plain Markdown, for the embedder and the extractive answer. English only, by
//! rules: a short list of stop words and a few endings.

use std::collections::BTreeSet;

const STOP_WORDS: [&str; 76] = [
    "about", "after", "all", "also", "an", "and", "any", "are", "as", "at", "be", "been", "before",
    "but", "by", "can", "could", "did", "do", "does", "for", "from", "get", "goes", "had", "has",
    "have", "how", "if", "in", "into", "is", "it", "its", "may", "me", "my", "no", "not", "of",
    "on", "one", "only", "or", "our", "out", "should", "so", "some", "such", "than", "that", "the",
    "their", "them", "then", "there", "these", "they", "this", "to", "up", "was", "we", "were",
    "what", "when", "where", "which", "who", "why", "will", "with", "would", "you", "your",
];

/// Returns the stems of all words except stop words and single letters.
pub(crate) fn content_words(text: &str) -> BTreeSet<String> {
    words(text)
        .filter(|word| word.chars().count() > 1 && !STOP_WORDS.contains(&word.as_str()))
        .map(|word| stem(&word))
        .collect()
}

/// Returns the words in lower case, in order. Digits count as letters.
pub(crate) fn words(text: &str) -> impl Iterator<Item = String> + '_ {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
}

/// Cuts the common English endings, so that "rotated" and "rotation" are one word.
///
/// Not a full stemmer: it may join words that only look similar, and ignores irregular forms.
pub(crate) fn stem(word: &str) -> String {
    let singular = match word.strip_suffix("ies") {
        Some(rest) if rest.len() > 1 => format!("{rest}y"),
        _ => cut_plural(word).to_owned(),
    };
    let root = ["ing", "ion", "ed", "ly"]
        .iter()
        .find_map(|ending| singular.strip_suffix(ending).filter(|rest| rest.len() > 3))
        .map_or(singular.as_str(), undouble);
    root.strip_suffix('e')
        .filter(|rest| rest.len() > 2)
        .unwrap_or(root)
        .to_owned()
}

/// Returns the sentences of the prose, without list markers and emphasis. Code blocks, tables and
/// headings are skipped, because they cannot be quoted as sentences.
pub(crate) fn sentences(markdown: &str) -> Vec<String> {
    paragraphs(markdown)
        .iter()
        .flat_map(|paragraph| cut_sentences(paragraph))
        .collect()
}

/// Returns whether a line opens or closes a fenced code block.
pub(crate) fn fence(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("```") || line.starts_with("~~~")
}

/// Returns level and title of an ATX heading (CommonMark 0.31, section 4.2).
pub(crate) fn heading(line: &str) -> Option<(usize, &str)> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    let title = title
        .strip_prefix(' ')?
        .trim()
        .trim_end_matches('#')
        .trim_end();
    ((1..=6).contains(&level) && !title.is_empty()).then_some((level, title))
}

fn cut_plural(word: &str) -> &str {
    word.strip_suffix('s')
        .filter(|rest| rest.len() > 2 && !rest.ends_with(['s', 'u', 'i']))
        .unwrap_or(word)
}

/// "embedd" of "embedding" becomes "embed"; "call" keeps both letters.
fn undouble(root: &str) -> &str {
    let mut back = root.chars().rev();
    match (back.next(), back.next()) {
        (Some(last), Some(before)) if last == before && !"lsz".contains(last) => {
            root.strip_suffix(last).unwrap_or(root)
        }
        _ => root,
    }
}

/// Joins the lines of each paragraph. Each list item is a paragraph.
fn paragraphs(markdown: &str) -> Vec<String> {
    let mut paragraphs = vec![String::new()];
    let mut in_code = false;
    for line in markdown.lines() {
        let is_fence = fence(line);
        in_code ^= is_fence;
        let line = line.trim();
        let skip = in_code || is_fence || line.starts_with('|') || heading(line).is_some();
        let item = list_item(line);
        if skip || line.is_empty() || item.is_some() {
            paragraphs.push(String::new());
        }
        if let Some(paragraph) = paragraphs.last_mut().filter(|_| !skip) {
            paragraph.push_str(item.unwrap_or(line));
            paragraph.push(' ');
        }
    }
    paragraphs
}

fn list_item(line: &str) -> Option<&str> {
    let digits = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = (digits.len() < line.len())
        .then(|| digits.strip_prefix(". "))
        .flatten();
    line.strip_prefix("- ")
        .or_else(|| line.strip_prefix("* "))
        .or(numbered)
}

fn cut_sentences(paragraph: &str) -> Vec<String> {
    let plain = paragraph.replace("**", "").replace('`', "");
    let mut sentences = Vec::new();
    let mut rest = plain.trim();
    while let Some(end) = sentence_end(rest) {
        let (sentence, after) = rest.split_at(end);
        sentences.push(sentence.to_owned());
        rest = after.trim_start();
    }
    if !rest.is_empty() {
        sentences.push(rest.to_owned());
    }
    sentences
}

/// Returns the index after the first full stop, question mark or exclamation mark that is followed by a
/// space and no lower-case letter: "e.g. this" and "v1.2" do not end a sentence.
fn sentence_end(text: &str) -> Option<usize> {
    text.match_indices(['.', '?', '!']).find_map(|(at, mark)| {
        let end = at + mark.len();
        let after = text.get(end..)?.strip_prefix(' ')?;
        (!after.trim_start().starts_with(char::is_lowercase)).then_some(end)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_one_word_share_a_stem() {
        for (left, right) in [
            ("rotated", "rotation"),
            ("rotates", "rotate"),
            ("embedding", "embed"),
            ("retries", "retry"),
            ("services", "service"),
            ("calls", "called"),
            ("limits", "limiting"),
        ] {
            assert_eq!(stem(left), stem(right), "{left} and {right}");
        }
        assert_ne!(stem("process"), stem("proces"));
        assert_eq!(stem("status"), "status");
    }

    #[test]
    fn content_words_leave_the_small_ones_out() {
        let words = content_words("What is the limit of a request?");
        assert_eq!(words.into_iter().collect::<Vec<_>>(), ["limit", "request"]);
    }

    #[test]
    fn sentences_end_where_the_next_begins() {
        let text =
            "Wait, e.g. for 2.5 s. Then retry! **Never** at once.\n\n- `A` list\n  item\n- B";
        let expected = [
            "Wait, e.g. for 2.5 s.",
            "Then retry!",
            "Never at once.",
            "A list item",
            "B",
        ];
        assert_eq!(sentences(text), expected);
    }

    #[test]
    fn code_tables_and_headings_are_no_sentences() {
        assert_eq!(
            sentences("# T\n```\nlet x;\n```\n| a | b |\nProse.\n"),
            ["Prose."]
        );
    }

    #[test]
    fn headings_have_a_level_and_a_title() {
        assert_eq!(heading("## Rate limits ##"), Some((2, "Rate limits")));
        assert_eq!(heading("#hashtag"), None);
        assert_eq!(heading("####### seven"), None);
    }
}
