#[llm_observe::observe]
#[track_caller]
fn tail() -> Result<u8, String> {
    "text"
}

#[llm_observe::observe]
#[track_caller]
fn guarded(early: bool) -> u8 {
    if early {
        return "text";
    }
    1
}

#[llm_observe::observe]
fn closure() -> Option<impl Fn(&str) -> usize> {
    Some(move |s: u8| 1)
}

type Alias = Vec<u8>;

#[llm_observe::observe]
fn alias() -> Alias {
    "text"
}

fn main() {}
