//! What the service knows, and which note is nearest to a question.

use std::collections::HashSet;

const NOTES: [&str; 4] = [
    "A container writes its lines to standard output, where the runtime collects them.",
    "At SIGTERM a service stops taking requests, finishes those that it has, and hands on what waits.",
    "Without a volume for the outbox, alerts and reports that wait for their destination are lost with the container.",
    "A readiness probe takes a container out of rotation, and a liveness probe restarts it.",
];

/// Returns the note that has the most words of `question`.
pub(crate) fn nearest(question: &str) -> &'static str {
    let asked = words(question);
    let shared = |note: &&'static str| words(note).intersection(&asked).count();
    // Of several, the first.
    NOTES
        .into_iter()
        .rev()
        .max_by_key(shared)
        .unwrap_or_default()
}

fn words(text: &str) -> HashSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 2)
        .map(str::to_lowercase)
        .collect()
}
