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
    use super::folded;

    #[test]
    fn names_are_compared_whatever_their_case_and_the_space_around_them() {
        let same = [("In Progress", " in PROGRESS "), ("Straße", "STRASSE"), ("ΟΔΟΣ", "οδος")];
        for (one, other) in same {
            assert_eq!(folded(one), folded(other), "{one} {other}");
        }
        assert_ne!(folded("To Do"), folded("ToDo"));
    }
}
