//! Issue keys in branch names, titles and commit messages.
//!
//! A pattern finds what looks like a key; only the keys of projects that the connection can see
//! decide. `UTF-8` is no issue unless somebody really owns project `UTF`.

use std::collections::HashMap;
use std::sync::LazyLock;

use regex::Regex;

/// Where a text comes from, which decides how freely a key may be spelled in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Place {
    /// A branch name: lower case is normal, and `_` or `-` may follow a key.
    Branch,
    /// A title: upper case only, because prose holds words such as `step-2`.
    Title,
    /// A commit message: upper case only.
    Message,
}

/// The keys of projects that may be named, each with the key of today.
#[derive(Debug, Clone, Default)]
pub struct KnownProjects {
    today: HashMap<String, String>,
}

impl KnownProjects {
    /// From pairs of a key, former or present, and the key of today.
    pub fn new(keys: impl IntoIterator<Item = (String, String)>) -> KnownProjects {
        let today = keys.into_iter().map(|(seen, today)| (seen.to_uppercase(), today)).collect();
        KnownProjects { today }
    }

    /// Every distinct issue key that `text` names, as it is spelled there but in upper case, in
    /// order of appearance.
    pub fn keys_in(&self, text: &str, place: Place) -> Vec<String> {
        // Without a limit to the word's length: counted repetitions of a class of all letters would
        // need many megabytes, and only words of known projects are taken anyway.
        static LOOKS_LIKE_A_KEY: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"(\p{L}[\p{L}\p{Nd}_]+)-([1-9][0-9]{0,8})")
                .expect("the pattern is a constant")
        });
        let mut keys: Vec<String> = Vec::new();
        let mut from = 0;
        while let Some(found) = LOOKS_LIKE_A_KEY.captures_at(text, from) {
            let whole = found.get(0).expect("group 0 is the match");
            from = whole.end();
            if !stands_alone(text, whole.range(), place) {
                continue;
            }
            let (project, number) = (&found[1], &found[2]);
            let Some(project) = self.known(project, place) else { continue };
            let key = format!("{project}-{number}");
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    /// The key of today of the project that `seen` names.
    pub fn today(&self, seen: &str) -> Option<&str> {
        self.today.get(seen).map(String::as_str)
    }

    /// The known project that `word` is, or ends in behind a `_`, in upper case.
    fn known(&self, word: &str, place: Place) -> Option<String> {
        let behind_underscores = word.match_indices('_').map(|(at, _)| &word[at + 1..]);
        std::iter::once(word).chain(behind_underscores).find_map(|candidate| {
            let upper = candidate.to_uppercase();
            let cased_well = place == Place::Branch || candidate == upper;
            (cased_well && self.today.contains_key(&upper)).then_some(upper)
        })
    }
}

/// Whether nothing that stands beside the match makes it part of a longer word or number.
fn stands_alone(text: &str, at: std::ops::Range<usize>, place: Place) -> bool {
    let before = text[..at.start].chars().next_back();
    if before.is_some_and(|c| c.is_alphanumeric() || c == '_') {
        return false;
    }
    let mut after = text[at.end..].chars();
    let (next, next_but_one) = (after.next(), after.next());
    match next {
        None => true,
        Some(c) if c.is_alphanumeric() => false,
        Some(_) if place == Place::Branch => true,
        Some('_') => false,
        Some('-' | '.') => !next_but_one.is_some_and(|c| c.is_ascii_digit()),
        Some(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn projects(keys: &[&str]) -> KnownProjects {
        KnownProjects::new(keys.iter().map(|key| ((*key).to_owned(), (*key).to_owned())))
    }

    #[test]
    fn keys_are_found_where_they_stand() {
        use Place::{Branch, Message, Title};
        let cases: &[(&str, Place, &[&str])] = &[
            ("feature/PAY-311-retry", Branch, &["PAY-311"]),
            ("feature/pay-311-retry", Branch, &["PAY-311"]),
            ("PAY-311_retry", Branch, &["PAY-311"]),
            ("PAY-311-2nd-try", Branch, &["PAY-311"]),
            ("feature_PAY-311", Branch, &["PAY-311"]),
            ("fix-PAY-311", Branch, &["PAY-311"]),
            ("PAY-311 Retry card capture", Title, &["PAY-311"]),
            ("pay-311 in prose", Title, &[]),
            ("PAY-1, OPS-2 and PAY-1 again", Title, &["PAY-1", "OPS-2"]),
            ("Refs: PAY-12.", Message, &["PAY-12"]),
            ("PAY-311-2 is a range", Title, &[]),
            ("PAY-2.8", Title, &[]),
            ("PAY-007", Title, &[]),
            ("XPAY-311A", Title, &[]),
            ("UTF-8 SHA-256 CVE-2024-3094 RFC-7231", Message, &[]),
            ("release-2.8", Branch, &[]),
            (
                "a_name_that_goes_on_and_on_until_it_is_longer_than_any_key_could_be_PAY-311",
                Branch,
                &["PAY-311"],
            ),
            ("", Branch, &[]),
        ];
        let known = projects(&["PAY", "OPS"]);
        for (text, place, expected) in cases {
            assert_eq!(known.keys_in(text, *place), *expected, "{text:?} as a {place:?}");
        }
    }

    #[test]
    fn only_the_list_of_projects_decides() {
        assert_eq!(projects(&["SHA"]).keys_in("SHA-256", Place::Title), ["SHA-256"]);
        assert_eq!(projects(&["PAY"]).keys_in("SHA-256", Place::Title), [""; 0]);
    }
}
