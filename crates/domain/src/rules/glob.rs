//! Names with gaps: `*` stands for any characters, or none.

use crate::text::folded;

/// What lies between the gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Glob(Vec<String>);

impl Glob {
    pub(super) fn read(written: &str) -> Glob {
        Glob(folded(written).split('*').map(str::to_owned).collect())
    }

    /// Whether it fits any name at all.
    pub(super) fn fits_all(&self) -> bool {
        self.0.len() > 1 && self.0.iter().all(String::is_empty)
    }

    /// Whether it fits a name, whatever its case.
    pub(super) fn fits(&self, name: &str) -> bool {
        let name = folded(name);
        let (first, rest) = self.0.split_first().expect("what is split has a first part");
        let Some((last, between)) = rest.split_last() else { return name == *first };
        let Some(mut left) = name.strip_prefix(first.as_str()) else { return false };
        for part in between {
            let Some((_, behind)) = left.split_once(part.as_str()) else { return false };
            left = behind;
        }
        left.ends_with(last.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Glob;

    #[test]
    fn a_gap_is_any_characters_or_none() {
        let cases = [
            ("ci-user", "CI-User", true),
            ("ci-user", "ci-user-2", false),
            ("renovate*", "renovate", true),
            ("renovate*", "Renovate-acme", true),
            ("renovate*", "my-renovate", false),
            ("*-bot", "acme-bot", true),
            ("*-bot", "bot", false),
            ("acme/pay-*", "acme/pay-api", true),
            ("acme/pay-*", "globex/pay-api", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("ab*ba", "aba", false),
            ("*", "anything", true),
        ];
        for (glob, name, expected) in cases {
            assert_eq!(Glob::read(glob).fits(name), expected, "{glob} {name}");
        }
    }
}
