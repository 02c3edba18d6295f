//! Keys of very many issues, small.

use std::collections::HashMap;

/// Keys in the order in which they came: `PAY-311` is `PAY` and 311, and `PAY` is kept once.
#[derive(Debug, Default)]
pub struct Keys {
    prefixes: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
    keys: Vec<(u32, u32)>,
}

/// The number of a key that has none: then the prefix is all of it.
const NONE: u32 = u32::MAX;

impl Keys {
    /// Adds a key behind the others.
    pub fn push(&mut self, key: &str) {
        let split = key.rsplit_once('-').and_then(|(prefix, number)| {
            let count: u32 = number.parse().ok().filter(|count| *count != NONE)?;
            (count.to_string() == number).then_some((prefix, count))
        });
        let (prefix, number) = split.unwrap_or((key, NONE));
        let prefix = match self.numbers.get(prefix) {
            Some(known) => *known,
            None => {
                let next = u32::try_from(self.prefixes.len()).expect("fewer than 2^32 keys");
                self.prefixes.push(prefix.into());
                self.numbers.insert(prefix.into(), next);
                next
            }
        };
        self.keys.push((prefix, number));
    }

    /// The key at this place.
    pub fn key(&self, place: usize) -> String {
        let (prefix, number) = self.keys[place];
        let prefix = &self.prefixes[prefix as usize];
        if number == NONE { prefix.to_string() } else { format!("{prefix}-{number}") }
    }

    /// The same keys in another order: that of the places they have now.
    pub fn sorted(self, places: impl Iterator<Item = usize>) -> Keys {
        let keys = places.map(|place| self.keys[place]).collect();
        Keys { keys, numbers: HashMap::new(), ..self }
    }

    /// What it takes of memory.
    pub fn bytes(&self) -> usize {
        let texts: usize =
            self.prefixes.iter().map(|prefix| prefix.len() + size_of::<Box<str>>()).sum();
        texts * 2 + size_of_val(&*self.keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_told_as_they_came() {
        let all =
            ["PAY-1", "PAY-07", "A-B-12", "odd", "", "-3", "PAY-4294967295", "PAY-4294967296"];
        let mut keys = Keys::default();
        for key in all {
            keys.push(key);
        }
        let told: Vec<String> = (0..all.len()).map(|place| keys.key(place)).collect();
        assert_eq!(told, all);
        let keys = keys.sorted([2, 0].into_iter());
        assert_eq!([keys.key(0), keys.key(1)], ["A-B-12", "PAY-1"]);
    }
}
