//! Pages that were rendered once, until the clock is advanced.

use std::collections::HashMap;
use std::sync::{Arc, RwLock};

use crate::request::Answer;

const BYTES_MAX: usize = 512 << 20;

/// Answers by everything that decides them.
#[derive(Debug, Default)]
pub struct Cache(RwLock<Pages>);

#[derive(Debug, Default)]
struct Pages {
    answers: HashMap<Vec<u8>, Arc<Answer>>,
    bytes: usize,
}

impl Cache {
    /// The answer that was kept.
    pub fn get(&self, key: &[u8]) -> Option<Arc<Answer>> {
        self.0.read().expect("nobody panics with the lock").answers.get(key).cloned()
    }

    /// Keeps a good answer; starts over when memory runs full.
    pub fn put(&self, key: &[u8], answer: &Arc<Answer>) {
        if answer.status != 200 {
            return;
        }
        let mut pages = self.0.write().expect("nobody panics with the lock");
        if pages.bytes > BYTES_MAX {
            *pages = Pages::default();
        }
        pages.bytes += key.len() + answer.body.len();
        pages.answers.insert(key.to_owned(), answer.clone());
    }

    /// Forgets everything.
    pub fn clear(&self) {
        *self.0.write().expect("nobody panics with the lock") = Pages::default();
    }
}
