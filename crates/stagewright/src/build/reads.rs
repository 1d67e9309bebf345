//! What an operation reads, as BuildKit numbers and keys it.

use super::{Input, Origin, StepId};
use crate::context::{Digest, Hasher, Selector, dedupe_selectors};

/// The inputs of an operation: each origin once, with everything that is read of it.
#[derive(Default)]
pub(super) struct Reads {
    inputs: Vec<Read>,
}

struct Read {
    origin: Origin,
    root: bool,
    by_content: bool,
    writable: bool,
    selectors: Vec<Selector>,
}

impl Reads {
    /// The file system that the step changes: only its history counts.
    pub(super) fn root(&mut self, step: StepId) {
        self.inputs.push(Read {
            origin: Origin::Step(step),
            root: true,
            by_content: false,
            writable: false,
            selectors: Vec::new(),
        });
    }

    /// A path that a RUN mounts; which input that is, is part of the key. The root of a mount takes in everything. Where the mount is of
    /// the very file system that the RUN changes, the two share an input, and its content counts (`getMountDeps`).
    pub(super) fn mount(&mut self, origin: Origin, path: &str, writable: bool) -> String {
        let selector = Selector {
            path: path.to_owned(),
            follow_links: true,
            ..Selector::default()
        };
        let index = self.find(origin);
        let input = &mut self.inputs[index];
        input.by_content = true;
        input.writable |= writable;
        input.selectors.push(selector);
        format!("input {index}")
    }

    /// A source that a COPY takes. From the file system that it changes, nothing is compared by content (`invalidSelectors`).
    pub(super) fn select(&mut self, origin: Origin, selector: Selector) -> String {
        let index = self.find(origin);
        if !self.inputs[index].root {
            self.inputs[index].by_content = true;
            self.inputs[index].selectors.push(selector);
        }
        format!("input {index}")
    }

    fn find(&mut self, origin: Origin) -> usize {
        if let Some(index) = self.inputs.iter().position(|read| read.origin == origin) {
            return index;
        }
        self.inputs.push(Read {
            origin,
            root: false,
            by_content: false,
            writable: false,
            selectors: Vec::new(),
        });
        self.inputs.len() - 1
    }

    pub(super) fn finish(self) -> Vec<Input> {
        let finish = |read: Read| {
            let mut paths: Vec<&str> = read
                .selectors
                .iter()
                .map(|selector| selector.path.as_str())
                .collect();
            paths.sort_unstable();
            paths.reverse();
            let mut hasher = Hasher::new();
            hasher.write(paths.join("\0").as_bytes());
            let whole = read.root
                || read.selectors.iter().any(|selector| {
                    *selector
                        == Selector {
                            follow_links: true,
                            ..plain("/")
                        }
                });
            Input {
                origin: read.origin,
                is_root: read.root,
                by_content: read.by_content,
                named: false,
                writable: read.writable,
                selector: hasher.finish(),
                selectors: if whole {
                    Vec::new()
                } else {
                    dedupe_selectors(read.selectors)
                },
            }
        };
        self.inputs.into_iter().map(finish).collect()
    }
}

/// The result of a step as the file system that the next one changes.
pub(super) fn history(step: StepId) -> Input {
    Input {
        origin: Origin::Step(step),
        is_root: true,
        by_content: false,
        named: false,
        writable: false,
        selector: Digest::of(""),
        selectors: Vec::new(),
    }
}

pub(super) fn plain(path: &str) -> Selector {
    Selector {
        path: path.to_owned(),
        ..Selector::default()
    }
}
