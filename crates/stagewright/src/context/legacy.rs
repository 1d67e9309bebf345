//! What the builder before BuildKit compares of the sources of a COPY or ADD: the path, the mode and the content of every file, folders
//! with theirs; for a link what it leads to.
//!
//! Rules: `builder/dockerfile/copy.go` (`calcCopyInfo`, `walkSource`) and `builder/remotecontext/archive.go` (`Hash`) of moby at
//! v20.10.24. The digest is none of that builder's: it tells whether two are alike.

use super::checksum::{Covers, Selector, resolve};
use super::digest::Hasher;
use super::error::ContextError;
use super::path;
use super::tree::{Certainty, Directory, Node, Record};

/// The digest of what the sources select.
pub(crate) fn named_digest(
    root: &Directory,
    selectors: &[Selector],
) -> Result<Record, ContextError> {
    let mut sum = Sum {
        root,
        hasher: Hasher::new(),
        certainty: Certainty::Exact,
    };
    for selector in selectors {
        for covered in selector.covered(root)? {
            match covered.what {
                Covers::Root(directory) => sum.below("", directory),
                Covers::Whole(node) => sum.add(covered.place.trim_start_matches('/'), node),
                Covers::Header(directory) => {
                    sum.folder(covered.place.trim_start_matches('/'), directory);
                }
                Covers::RootHeader => {}
            }
        }
        sum.hasher.write(b"\0");
    }
    Ok(Record {
        digest: sum.hasher.finish(),
        certainty: sum.certainty,
    })
}

struct Sum<'t> {
    root: &'t Directory,
    hasher: Hasher,
    certainty: Certainty,
}

impl Sum<'_> {
    fn add(&mut self, at: &str, node: &Node) {
        match node {
            Node::Directory(directory) => {
                self.folder(at, directory);
                self.below(at, directory);
            }
            Node::Symlink(_) => match resolve(self.root, &format!("/{at}"), true) {
                Ok(Some((place, Covers::Whole(Node::Directory(directory))))) => {
                    self.folder(&place, directory);
                }
                Ok(Some((place, Covers::Whole(node)))) => self.record(&place, node.record()),
                _ => self.name(at),
            },
            node => self.record(at, node.record()),
        }
    }

    fn below(&mut self, at: &str, directory: &Directory) {
        for (name, node) in directory.children() {
            self.add(&path::join(at, name), node);
        }
    }

    fn folder(&mut self, at: &str, directory: &Directory) {
        self.record(at, Record::exact(directory.header()));
    }

    fn record(&mut self, at: &str, record: Record) {
        self.name(at);
        self.hasher.digest(record.digest);
        self.certainty = self.certainty.min(record.certainty);
    }

    fn name(&mut self, at: &str) {
        self.hasher.write(at.as_bytes()).write(b"\0");
    }
}
