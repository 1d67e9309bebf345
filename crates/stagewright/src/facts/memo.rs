//! What was worked out of the tables already: the same packages are asked for again and again, within a file and across files.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// Answers by question. What is answered hangs on the question alone, so that it does not matter who asked first.
#[derive(Debug)]
pub(crate) struct Memo<K, V> {
    known: Mutex<HashMap<K, V>>,
    /// As many answers are kept, against files that ask for ever other things.
    most: usize,
}

impl<K: Eq + Hash, V: Clone> Memo<K, V> {
    /// For small answers.
    pub(crate) fn new() -> Self {
        Self::of(10_000)
    }

    /// For answers of which no more than `most` are to be kept.
    pub(crate) fn of(most: usize) -> Self {
        Self {
            known: Mutex::default(),
            most,
        }
    }

    /// The answer to a question, worked out where nobody asked before. No lock is held meanwhile.
    pub(crate) fn get(&self, question: K, work_out: impl FnOnce(&K) -> V) -> V {
        let lock = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&question) {
            return known.clone();
        }
        let answer = work_out(&question);
        let mut known = lock();
        if known.len() < self.most {
            known.insert(question, answer.clone());
        }
        answer
    }
}
