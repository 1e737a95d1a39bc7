//! The `baggage` header (W3C Baggage): values that travel with a trace from service to service. Pure.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, CONTROLS, percent_decode, utf8_percent_encode};

/// The longest header that is read or written, and the most members in it: what a participant must
/// support at least (W3C Baggage, section 3.3.2).
pub(crate) const MAX_BYTES: usize = 8_192;
const MAX_MEMBERS: usize = 64;

/// The longest value that is taken from a header, decoded, and that the program can give.
pub(crate) const MAX_VALUE: usize = 256;

/// What is no `baggage-octet`, and the percent sign (section 3.3.1).
const ESCAPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'%')
    .add(b',')
    .add(b';')
    .add(b'\\');

/// Returns the values of those `keys` that the header has. Of several with one key the last counts.
///
/// A member that is invalid or longer than [`MAX_VALUE`] is left out, and so is a header that is
/// longer than [`MAX_BYTES`]. Properties of members are not kept.
pub(crate) fn parse(header: &[u8], keys: &[&'static str]) -> Vec<(&'static str, String)> {
    let mut found: Vec<(&'static str, String)> = Vec::new();
    if header.len() > MAX_BYTES || keys.is_empty() {
        return found;
    }
    let members = header.split(|byte| *byte == b',').take(MAX_MEMBERS);
    for (key, value) in members.filter_map(|member| known_member(member, keys)) {
        match found.iter_mut().find(|(known, _)| *known == key) {
            Some((_, before)) => *before = value,
            None => found.push((key, value)),
        }
    }
    found
}

/// Returns the key and the decoded value of a member; `None` for other keys and invalid values.
fn known_member(member: &[u8], keys: &[&'static str]) -> Option<(&'static str, String)> {
    let pair = member.split(|byte| *byte == b';').next()?;
    let equals = pair.iter().position(|byte| *byte == b'=')?;
    let (key, value) = pair.split_at_checked(equals)?;
    let (key, value) = (key.trim_ascii(), value.get(1..)?.trim_ascii());
    let known = keys.iter().find(|known| known.as_bytes() == key)?;
    let is_octet = |byte: &u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\\');
    if value.is_empty() || !value.iter().all(is_octet) {
        return None;
    }
    // What is no UTF-8 is replaced, as section 3.3.1.3 says.
    let value = percent_decode(value).decode_utf8_lossy();
    (value.len() <= MAX_VALUE).then(|| (*known, Cow::into_owned(value)))
}

/// Returns the header with `members`; `None` without any. What would go beyond the limits of a header
/// is left out.
pub(crate) fn format<'a>(members: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let mut header = String::new();
    for (key, value) in members.take(MAX_MEMBERS) {
        let before = header.len();
        if before > 0 {
            header.push(',');
        }
        header.push_str(key);
        header.push('=');
        header.extend(utf8_percent_encode(value, ESCAPED));
        if header.len() > MAX_BYTES {
            header.truncate(before);
        }
    }
    (!header.is_empty()).then_some(header)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KEYS: &[&str] = &["tenant", "user.id"];

    fn parsed(header: impl AsRef<[u8]>) -> Vec<(&'static str, String)> {
        parse(header.as_ref(), KEYS)
    }

    #[test]
    fn named_keys_are_read_and_others_are_not() {
        let header = "userId=alice, tenant = acme%20%C3%BC%2C1 ;prop=1;x , user.id=u-1,TENANT=no";
        let expected = [
            ("tenant", "acme ü,1".to_owned()),
            ("user.id", "u-1".to_owned()),
        ];
        assert_eq!(parsed(header), expected);
        assert_eq!(parse(header.as_bytes(), &[]), []);
        assert_eq!(parsed("tenant=a,tenant=b"), [("tenant", "b".to_owned())]);
        assert_eq!(parsed("tenant=a=b"), [("tenant", "a=b".to_owned())]);
    }

    #[test]
    fn invalid_members_are_left_out_alone() {
        let longest = "v".repeat(MAX_VALUE);
        for bad in [
            "tenant",
            "tenant=",
            "tenant=a b",
            "tenant=\"a\"",
            "tenant=a\\b",
            "tenant=a\u{7f}",
            "tenant=ä",
            "=a",
            ";",
            &format!("tenant={longest}v"),
        ] {
            let header = format!("{bad},user.id=u-1");
            assert_eq!(parsed(header), [("user.id", "u-1".to_owned())], "{bad:?}");
        }
        assert_eq!(parsed(format!("tenant={longest}")), [("tenant", longest)]);
        assert_eq!(
            parsed("tenant=a%ff%zz"),
            [("tenant", "a\u{fffd}%zz".to_owned())]
        );
    }

    #[test]
    fn the_limits_of_a_header_hold_in_both_directions() {
        let many = "a=1,".repeat(MAX_MEMBERS) + "tenant=late";
        assert_eq!(parsed(many), []);
        let long = format!("a={},tenant=acme", "v".repeat(MAX_BYTES));
        assert_eq!(parsed(long), []);

        let value = "é".repeat(MAX_VALUE / 2);
        let keys: Vec<String> = (0..100).map(|n| format!("key{n}")).collect();
        let header = format(keys.iter().map(|key| (key.as_str(), value.as_str()))).unwrap();
        assert!(header.len() <= MAX_BYTES, "{}", header.len());
        // Each of the 128 letters takes 6 bytes.
        assert_eq!(header.split(',').count(), 10);
        assert_eq!(format([].into_iter()), None);
    }

    proptest! {
        #[test]
        fn a_written_value_is_read_back(tenant in "\\PC{1,60}", user in "(?s).{1,60}") {
            let members = [("tenant", tenant.as_str()), ("user.id", user.as_str())];
            let header = format(members.into_iter()).unwrap();
            prop_assert!(header.bytes().all(|byte| byte.is_ascii_graphic()), "{}", header);
            let expected = [("tenant", tenant.clone()), ("user.id", user.clone())];
            prop_assert_eq!(parsed(&header), expected);
        }

        #[test]
        fn any_input_is_safe_and_bounded(header: Vec<u8>, tail in "(tenant|user.id|x)=[ -~]{0,300}") {
            let whole = [&header[..], b",", tail.as_bytes()].concat();
            for (key, value) in parsed(&whole) {
                prop_assert!(KEYS.contains(&key) && value.len() <= MAX_VALUE && !value.is_empty());
            }
        }
    }
}
