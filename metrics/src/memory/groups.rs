//! Repositories or projects by small numbers, and the rows of each.

use std::collections::HashMap;

use store::dora::Place;

/// Places, numbered as they come.
#[derive(Debug, Default)]
pub struct Groups {
    places: Vec<Place>,
    numbers: HashMap<Place, usize>,
}

impl Groups {
    /// The number of a place; a new one if it has none.
    pub fn number(&mut self, place: Place) -> usize {
        *self.numbers.entry(place).or_insert_with(|| {
            self.places.push(place);
            self.places.len() - 1
        })
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.places.len()
    }

    /// What has this number.
    pub fn place(&self, number: usize) -> Place {
        self.places[number]
    }

    /// The numbers of those of `wanted` that have one, ascending.
    pub fn numbers(&self, wanted: impl Iterator<Item = Place>) -> Vec<usize> {
        let mut numbers: Vec<usize> =
            wanted.filter_map(|place| self.numbers.get(&place).copied()).collect();
        numbers.sort_unstable();
        numbers
    }

    /// What it takes of memory.
    pub fn bytes(&self) -> usize {
        self.places.len() * 4 * size_of::<Place>()
    }
}
