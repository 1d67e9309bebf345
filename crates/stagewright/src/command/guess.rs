//! Commands of whose bytes only an order of magnitude is known, and things that lie in a folder under names that nobody knows.

use std::sync::Arc;

use super::{Invocation, Machine};
use crate::facts::tools::{Bytes, Guesses};
use crate::ledger::{Node, Part};
use crate::size::{Basis, Kind, Size};

/// Before the name of something that lies in its folder under another name: what an archive holds, what a build writes.
const SCATTERED: char = '…';

impl Machine<'_> {
    /// One of the orders of magnitude of `catalog/tools.toml`.
    pub(crate) fn guess(&self, which: impl Fn(&Guesses) -> &Bytes) -> (Size, Basis) {
        which(self.catalog.tools().guess()).sized()
    }

    /// A file of a size that is not known.
    pub(crate) fn put_file(&mut self, path: &str, kind: Kind, (size, basis): (Size, Basis)) {
        let path = self.absolute(path);
        self.put(&path, "", vec![Part::main(kind, size)], &basis);
    }

    /// Something at a path, under a label.
    pub(crate) fn put_guess(
        &mut self,
        path: &str,
        label: impl Into<Arc<str>>,
        kind: Kind,
        (size, basis): (Size, Basis),
    ) {
        let path = self.absolute(path);
        self.put(&path, label, vec![Part::main(kind, size)], &basis);
    }

    /// Packages in a folder by a list that is not there or cannot be read.
    pub(crate) fn unlisted(&mut self, folder: &str, index: usize) {
        let sized = self.guess(|guess| &guess.unlisted_packages);
        let name = format!("packages-{index}");
        self.scatter(
            folder,
            &name,
            "packages that no readable list names",
            Kind::Other,
            sized,
        );
    }

    /// Something in a folder whose name there is not known; `name` tells it from others.
    pub(crate) fn scatter(
        &mut self,
        folder: &str,
        name: &str,
        label: impl Into<Arc<str>>,
        kind: Kind,
        sized: (Size, Basis),
    ) {
        let folder = self.absolute(folder);
        let name = name.rsplit('/').next().unwrap_or(name);
        let path = format!("{}/{SCATTERED}{name}", folder.trim_end_matches('/'));
        self.put_guess(&path, label, kind, sized);
    }

    /// The scattered thing that an otherwise unknown path may belong to, and whether the path may be the whole of it.
    pub(super) fn scattered(&self, path: &str) -> Option<(Arc<str>, bool)> {
        let (folder, own) = path.rsplit_once('/')?;
        if self.tree.has(path) || own.is_empty() || own == "*" {
            return None;
        }
        let mut folder = folder;
        let mut child = own;
        let mut whole = true;
        loop {
            let start = format!("{folder}/{SCATTERED}");
            let found = self
                .tree
                .starting_with(&start)
                .map(|(key, _)| key)
                .find(|key| {
                    let name = &key[start.len()..];
                    !name.contains('/') && alike(name, child)
                })
                .cloned();
            if let Some(found) = found {
                return Some((found, whole));
            }
            whole = false;
            (folder, child) = folder.rsplit_once('/')?;
        }
    }

    /// Removes what a path that no node has may stand for. An archive holds one folder, called much like itself, as a rule.
    pub(super) fn remove_scattered(&mut self, path: &str) -> bool {
        let Some((key, whole)) = self.scattered(path) else {
            return false;
        };
        if whole {
            self.tree.remove(&key, self.layer, &mut self.effects);
        } else {
            self.lessen(&key);
        }
        true
    }

    /// Copies out of something scattered: the whole, or a part between nothing and all of it.
    pub(super) fn copy_scattered(&mut self, from: &str, to: &str) -> bool {
        let Some((key, whole)) = self.scattered(from) else {
            return false;
        };
        let Some(node) = self.tree.get(&key).cloned() else {
            return false;
        };
        let parts = node
            .parts
            .iter()
            .map(|part| Part {
                size: if whole {
                    part.size
                } else {
                    Size {
                        low: 0,
                        ..part.size
                    }
                },
                ..*part
            })
            .collect();
        let copy = Node {
            parts,
            layer: self.layer,
            ..node
        };
        self.tree.put(to, copy, &mut self.effects);
        true
    }

    /// Something that may be gone in part.
    fn lessen(&mut self, key: &str) {
        if let Some(node) = self.tree.get(key).cloned()
            && node.layer == self.layer
        {
            let mut node = node;
            node.lessen();
            self.tree.put(key, node, &mut self.effects);
        }
    }

    /// What a command does that runs code of the project, or of somebody else: it may read and write anything.
    pub(crate) fn runs_code(&mut self, invocation: &Invocation) {
        self.reads_anything(format!("`{}` runs code of the project", invocation.text));
        self.note(format!(
            "what `{}` writes is known to the build alone",
            invocation.text
        ));
    }

    /// A command that no model knows: named, and counted as anything from nothing to a lot.
    pub(crate) fn unmodelled(&mut self, invocation: &Invocation) {
        let text = invocation.text.clone();
        self.reads_anything(format!("`{}` is not modelled", invocation.program));
        let (size, basis) = self.catalog.tools().unmodelled();
        let path = format!("/…/{}-{}", invocation.program, invocation.index);
        self.put(
            &path,
            format!("`{}`", invocation.program),
            vec![Part::main(Kind::Other, size)],
            &basis,
        );
        if !self.facts.unmodelled.contains(&text) {
            self.facts.unmodelled.push(text);
        }
    }
}

/// Whether a folder may be what an archive of this name holds: the first letters agree, or one of the two is but a version.
fn alike(archive: &str, folder: &str) -> bool {
    let letters = |name: &str| -> String {
        name.chars()
            .filter(char::is_ascii_alphabetic)
            .take(3)
            .map(|c| c.to_ascii_lowercase())
            .collect()
    };
    let folder = folder.trim_end_matches('*');
    let version = |name: &str| {
        let rest = name.strip_prefix('v').unwrap_or(name);
        rest.is_empty() || rest.starts_with(|first: char| first.is_ascii_digit())
    };
    let (a, b) = (letters(archive), letters(folder));
    version(archive) || archive.starts_with(['$', '%']) || (a.len() == b.len() && a == b)
}
