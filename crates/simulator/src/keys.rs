//! Issue keys in branch names, titles and commit messages, found by hand: the truth must not lean
//! on the code that it judges.

/// Where a text comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A branch name: any case counts, and `_` or `-` may follow.
    Branch,
    /// A title or a message: upper case only.
    Prose,
}

/// What looks like an issue key in `text`, in upper case. The caller knows which of them exist.
pub fn candidates(text: &str, place: Place) -> Vec<String> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    for (dash, _) in text.match_indices('-') {
        let Some(number) = number_after(bytes, dash, place) else { continue };
        let mut start = dash;
        while start > 0 && is_word(bytes[start - 1]) {
            start -= 1;
        }
        if start > 0 && !bytes[start - 1].is_ascii() {
            continue;
        }
        let word = &text[start..dash];
        let behind_underscores = word.match_indices('_').map(|(at, _)| &word[at + 1..]);
        for project in std::iter::once(word).chain(behind_underscores) {
            let starts_well = project.starts_with(|c: char| c.is_ascii_alphabetic());
            let cased_well = place == Place::Branch || project == project.to_ascii_uppercase();
            if starts_well && cased_well && project.len() > 1 {
                found.push(format!("{}-{number}", project.to_ascii_uppercase()));
            }
        }
    }
    found
}

fn number_after(bytes: &[u8], dash: usize, place: Place) -> Option<&str> {
    let mut end = dash + 1;
    while bytes.get(end).is_some_and(u8::is_ascii_digit) {
        end += 1;
    }
    let number = std::str::from_utf8(&bytes[dash + 1..end]).ok()?;
    if number.is_empty() || number.starts_with('0') || number.len() > 9 {
        return None;
    }
    let goes_on = match (bytes.get(end), bytes.get(end + 1)) {
        (Some(next), _) if next.is_ascii_alphanumeric() || !next.is_ascii() => true,
        (Some(b'_'), _) => place == Place::Prose,
        (Some(b'-' | b'.'), Some(digit)) => place == Place::Prose && digit.is_ascii_digit(),
        _ => false,
    };
    (!goes_on).then_some(number)
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_found_and_words_are_not() {
        let cases: &[(&str, Place, &[&str])] = &[
            ("feature/pay-311-retry", Place::Branch, &["PAY-311"]),
            ("feature/PAY-311_retry", Place::Branch, &["PAY-311"]),
            ("PAY-311-2nd-try", Place::Branch, &["PAY-311"]),
            ("feature_PAY-311", Place::Branch, &["FEATURE_PAY-311", "PAY-311"]),
            ("PAY-311 Retry (#412)", Place::Prose, &["PAY-311"]),
            ("pay-311 retry", Place::Prose, &[]),
            ("CVE-2024-3094", Place::Prose, &[]),
            ("PAY-2.8 and PAY-007", Place::Prose, &[]),
            ("XPAY-311A", Place::Prose, &[]),
            ("Fixes PAY-12, OPS-7.", Place::Prose, &["PAY-12", "OPS-7"]),
        ];
        for (text, place, expected) in cases {
            assert_eq!(candidates(text, *place), *expected, "{text:?}");
        }
    }
}
