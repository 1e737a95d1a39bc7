//! Turns the compiler's name of a type declared in a function into the function's path.

/// Returns `rag::Store::search` from the `type_name` of a type declared in it.
pub(super) fn readable(raw: &str) -> String {
    let function = raw
        .rsplit_once("::__Here")
        .map_or(raw, |(function, _)| function);
    strip_generics(&unqualify(function)).replace("::{{closure}}", "")
}

/// Turns `<a::T as b::Tr>::f` and `a::<impl b::Tr for a::T>::f` into `a::T::f`.
fn unqualify(path: &str) -> String {
    if let Some(inner) = path.strip_prefix('<')
        && let Some(end) = closing(inner)
    {
        let (head, tail) = inner.split_at(end);
        let ty = head.split(" as ").next().unwrap_or(head);
        return format!("{ty}{}", tail.get(1..).unwrap_or_default());
    }
    if let Some(start) = path.find("<impl ")
        && let Some(inner) = path.get(start + "<impl ".len()..)
        && let Some(end) = closing(inner)
    {
        let (head, tail) = inner.split_at(end);
        let ty = head.rsplit(" for ").next().unwrap_or(head);
        return format!("{ty}{}", tail.get(1..).unwrap_or_default());
    }
    path.to_owned()
}

/// Returns where the bracket that was opened before `text` closes.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1_usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
        before = c;
    }
    None
}

fn strip_generics(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut depth = 0_usize;
    let mut before = ' ';
    for c in path.chars() {
        match c {
            '<' => {
                if depth == 0 && out.ends_with("::") {
                    out.truncate(out.len() - 2);
                }
                depth += 1;
            }
            '>' if before != '-' => depth = depth.saturating_sub(1),
            _ if depth == 0 => out.push(c),
            _ => {}
        }
        before = c;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn reads_as_module_type_and_name() {
        for (raw, wanted) in [
            ("rag::embed::__Here", "rag::embed"),
            ("rag::Store::search::__Here", "rag::Store::search"),
            ("rag::Store<T>::search::__Here", "rag::Store::search"),
            (
                "<rag::Store as rag::Search>::search::__Here",
                "rag::Store::search",
            ),
            (
                "<rag::Store<A, fn() -> B> as x::S<C>>::search::__Here",
                "rag::Store::search",
            ),
            (
                "rag::<impl rag::db::Store>::search::__Here",
                "rag::db::Store::search",
            ),
            (
                "rag::<impl x::S for rag::db::Store<T>>::f::__Here",
                "rag::db::Store::f",
            ),
            ("rag::main::{{closure}}::inner::__Here", "rag::main::inner"),
        ] {
            assert_eq!(readable(raw), wanted, "{raw}");
        }
    }
}
