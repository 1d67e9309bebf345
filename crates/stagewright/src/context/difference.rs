//! What differs between two trees, file by file.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use super::tree::{Directory, Node};
use super::{Context, path};

/// One path that differs between two contexts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// The path in the context.
    pub path: String,
    /// What differs.
    pub kind: DifferenceKind,
}

/// How a path differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DifferenceKind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// The file holds something else, or the link leads elsewhere.
    Content,
    /// The file's permissions are others.
    Mode,
    /// The folder's permissions are others. A builder that has seen the folder before does not notice.
    FolderMode,
    /// A file has become a folder, a folder a link, or the like.
    Kind,
    /// One of the two was never read: they may be the same.
    Unread,
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.kind {
            DifferenceKind::Added => "was added",
            DifferenceKind::Removed => "was removed",
            DifferenceKind::Content => "changed",
            DifferenceKind::Mode | DifferenceKind::FolderMode => "has other permissions",
            DifferenceKind::Kind => "is of another kind",
            DifferenceKind::Unread => "was not read and may have changed",
        };
        write!(formatter, "`{}` {what}", self.path)
    }
}

impl Context {
    /// What differs between this context and a later one, after the ignore files of both; sorted by path components. Parts that the
    /// two share are not looked at.
    pub fn differences(&self, after: &Self) -> Vec<Difference> {
        let mut found = Vec::new();
        directories("", self.tree(), after.tree(), &mut found);
        found
    }
}

/// What differs between two lists of entries, by their paths.
pub(crate) fn lists(
    before: &BTreeMap<String, Node>,
    after: &BTreeMap<String, Node>,
) -> Vec<Difference> {
    let mut found = Vec::new();
    for (path, old) in before {
        match after.get(path) {
            Some(new) => nodes(path, old, new, &mut found),
            None => alone(path, old, DifferenceKind::Removed, &mut found),
        }
    }
    for (path, new) in after.iter().filter(|(path, _)| !before.contains_key(*path)) {
        alone(path, new, DifferenceKind::Added, &mut found);
    }
    // A folder that came or went is told by what is in it.
    let all: Vec<String> = found.iter().map(|one| one.path.clone()).collect();
    found.retain(|one| {
        let below = format!("{}/", one.path);
        !matches!(one.kind, DifferenceKind::Added | DifferenceKind::Removed)
            || !all.iter().any(|other| other.starts_with(&below))
    });
    found
}

/// Adds what differs between two entries at one path.
fn nodes(at: &str, before: &Node, after: &Node, found: &mut Vec<Difference>) {
    let kind = match (before, after) {
        (Node::Directory(before), Node::Directory(after)) => {
            directories(at, before, after, found);
            (before.mode() != after.mode()).then_some(DifferenceKind::FolderMode)
        }
        (Node::File(before), Node::File(after)) if Arc::ptr_eq(before, after) => None,
        (Node::File(before), Node::File(after)) => match before.same(after) {
            Some(true) => None,
            _ if before.size == after.size && before.mode != after.mode => {
                Some(DifferenceKind::Mode)
            }
            Some(false) => Some(DifferenceKind::Content),
            None => Some(DifferenceKind::Unread),
        },
        (Node::Symlink(before), Node::Symlink(after)) => {
            (before != after).then_some(DifferenceKind::Content)
        }
        (Node::Special(before), Node::Special(after)) => {
            (before != after).then_some(DifferenceKind::Content)
        }
        (Node::Unread, Node::Unread | Node::Directory(_)) | (Node::Directory(_), Node::Unread) => {
            Some(DifferenceKind::Unread)
        }
        _ => Some(DifferenceKind::Kind),
    };
    if let Some(kind) = kind {
        found.push(Difference {
            path: at.to_owned(),
            kind,
        });
    }
}

fn directories(
    at: &str,
    before: &Arc<Directory>,
    after: &Arc<Directory>,
    found: &mut Vec<Difference>,
) {
    if Arc::ptr_eq(before, after) {
        return;
    }
    let (mut before, mut after) = (
        before.children().iter().peekable(),
        after.children().iter().peekable(),
    );
    loop {
        let order = match (before.peek(), after.peek()) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((one, _)), Some((two, _))) => one.cmp(two),
        };
        let old = if order.is_le() { before.next() } else { None };
        let new = if order.is_ge() { after.next() } else { None };
        match (old, new) {
            (Some((name, old)), Some((_, new))) => nodes(&path::join(at, name), old, new, found),
            (Some((name, old)), None) => {
                alone(&path::join(at, name), old, DifferenceKind::Removed, found);
            }
            (None, Some((name, new))) => {
                alone(&path::join(at, name), new, DifferenceKind::Added, found);
            }
            (None, None) => return,
        }
    }
}

/// A folder that came or went is told by its files, as a person would.
fn alone(at: &str, node: &Node, kind: DifferenceKind, found: &mut Vec<Difference>) {
    match node {
        Node::Directory(directory) if !directory.children().is_empty() => {
            for (name, node) in directory.children() {
                alone(&path::join(at, name), node, kind, found);
            }
        }
        _ => found.push(Difference {
            path: at.to_owned(),
            kind,
        }),
    }
}
