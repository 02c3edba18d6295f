//! How enums are spelled where they leave the program: in rows, in JSON and in gRPC.

/// The word read is none of the words that the enum knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{word:?} is no {noun}")]
pub struct UnknownWord {
    /// What was expected, for example `job state`.
    pub noun: &'static str,
    /// What was read.
    pub word: String,
}

/// A name as it is compared: without the space around it, and whatever its case. Upper case first,
/// because only that makes `ß` and `ss` the same.
pub fn folded(name: &str) -> String {
    name.trim().to_uppercase().to_lowercase()
}

/// A pattern that means the same in full case folding, which makes more than one letter of some: outside of
/// brackets `ß` stands for `ss` as well. Whatever is searched with it has to be searched folded, too.
pub(crate) fn unfolding(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let (mut is_escaped, mut brackets) = (false, 0_u32);
    for letter in pattern.chars() {
        let folded: String = letter.to_uppercase().flat_map(char::to_lowercase).collect();
        let is_plain = !is_escaped && brackets == 0;
        match letter {
            '[' if !is_escaped => brackets += 1,
            ']' if !is_escaped => brackets = brackets.saturating_sub(1),
            _ => {}
        }
        is_escaped = letter == '\\' && !is_escaped;
        if is_plain && folded.chars().count() > 1 {
            text.push_str(&format!("(?:{letter}|{folded})"));
        } else {
            text.push(letter);
        }
    }
    text
}

/// Gives an enum one spelling per variant, and reads it back.
macro_rules! words {
    ($noun:literal, $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        impl $name {
            /// Every variant, in the order of declaration.
            pub const ALL: &[$name] = &[$($name::$variant),+];

            /// The spelling used in rows, JSON and gRPC.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::text::UnknownWord;

            fn from_str(word: &str) -> Result<Self, Self::Err> {
                match word {
                    $($word => Ok($name::$variant),)+
                    _ => Err($crate::text::UnknownWord { noun: $noun, word: word.to_owned() }),
                }
            }
        }
    };
}

pub(crate) use words;

#[cfg(test)]
mod tests {
    use super::{folded, unfolding};

    #[test]
    fn a_letter_that_folds_to_several_stands_for_them_outside_of_brackets() {
        for (pattern, expected) in [
            ("^prod-[a-z]+$", "^prod-[a-z]+$"),
            ("^straße$", "^stra(?:ß|ss)e$"),
            ("[ß]ß", "[ß](?:ß|ss)"),
            (r"\[ß\]", r"\[(?:ß|ss)\]"),
            (r"\\ß", r"\\(?:ß|ss)"),
        ] {
            assert_eq!(unfolding(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn names_are_compared_whatever_their_case_and_the_space_around_them() {
        let same = [("In Progress", " in PROGRESS "), ("Straße", "STRASSE"), ("ΟΔΟΣ", "οδος")];
        for (one, other) in same {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("To Do"), folded("ToDo"));
    }
}
