//! Where a row stands in its list.

use std::fmt;
use std::str::FromStr;

use domain::ids::IntegrationId;
use uuid::Uuid;

/// The key of a row. Its text can be handed out and read back.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Key {
    pub(crate) integration: IntegrationId,
    /// The numbers of the key behind the connection, as many as the list has.
    pub(crate) numbers: [i64; 3],
    /// The last part of the key, where that is a text.
    pub(crate) text: String,
}

/// The text is no key of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no key of a list")]
pub struct NoKey;

impl Key {
    pub(crate) fn new(integration: IntegrationId, first: i64, second: i64, third: i64) -> Key {
        Key { integration, numbers: [first, second, third], text: String::new() }
    }

    pub(crate) fn with_text(integration: IntegrationId, numbers: [i64; 2], text: &str) -> Key {
        let [first, second] = numbers;
        Key { integration, numbers: [first, second, 0], text: text.to_owned() }
    }
}

/// Before every row.
impl Default for Key {
    fn default() -> Key {
        Key { integration: IntegrationId(Uuid::nil()), numbers: [i64::MIN; 3], text: String::new() }
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [first, second, third] = self.numbers;
        write!(f, "{}.{first}.{second}.{third}.{}", self.integration, self.text)
    }
}

impl FromStr for Key {
    type Err = NoKey;

    fn from_str(text: &str) -> Result<Key, NoKey> {
        let mut parts = text.splitn(5, '.');
        let mut next = || parts.next().ok_or(NoKey);
        let integration = next()?.parse().map_err(|_| NoKey)?;
        let mut numbers = [0; 3];
        for number in &mut numbers {
            *number = next()?.parse().map_err(|_| NoKey)?;
        }
        Ok(Key { integration, numbers, text: next()?.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_read_back() {
        let some = IntegrationId(Uuid::from_u128(7));
        for key in [Key::default(), Key::new(some, 1, -2, 3), Key::with_text(some, [1, 2], "v1.0.")]
        {
            assert_eq!(key.to_string().parse(), Ok(key));
        }
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for text in ["", "1.2.3.4.5", "00000000-0000-0000-0000-000000000007.1.2", "a.b.c.d.e"] {
            assert_eq!(text.parse::<Key>(), Err(NoKey), "{text:?}");
        }
    }
}
