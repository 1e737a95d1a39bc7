struct Answer {
    len: usize,
}

#[llm_observe::observe(quality = |answer| answer.len as f64 / text.len() as f64)]
async fn in_async(text: String) -> Answer {
    Answer { len: text.len() }
}

#[llm_observe::observe(quality = |answer| answer.len as f64 / text.len() as f64)]
fn in_sync(text: String) -> Answer {
    Answer { len: text.len() }
}

#[llm_observe::observe(ok_if = |answer| format!("{text}").len() == answer.len)]
async fn in_a_macro(text: String) -> Answer {
    Answer { len: text.len() }
}

/// What is copied is there at the end, too.
#[llm_observe::observe(quality = |answer| answer.len as f64 / text.len() as f64)]
async fn copied(text: &str) -> Answer {
    Answer { len: text.len() }
}

fn main() {}
