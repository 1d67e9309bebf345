//! What was worked out of the tables already: the same packages are asked for again and again, within a file and across files.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// Answers by question. What is answered hangs on the question alone, so that it does not matter who asked first.
#[derive(Debug)]
pub(crate) struct Memo<K, V>(Mutex<BTreeMap<K, V>>);

/// As many answers are kept, against files that ask for ever other things.
const MOST: usize = 10_000;

impl<K: Ord, V: Clone> Memo<K, V> {
    pub(crate) fn new() -> Self {
        Self(Mutex::default())
    }

    /// The answer to a question, worked out where nobody asked before. No lock is held meanwhile.
    pub(crate) fn get(&self, question: K, work_out: impl FnOnce(&K) -> V) -> V {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = lock().get(&question) {
            return known.clone();
        }
        let answer = work_out(&question);
        let mut known = lock();
        if known.len() < MOST {
            known.insert(question, answer.clone());
        }
        answer
    }
}
