//! The tree of a build context: immutable, shared between copies, each directory's digest worked out once.

use std::sync::{Arc, OnceLock};

use super::digest::{Digest, Hasher, Header};
use super::path;

/// One entry of a directory.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    File(Arc<File>),
    Directory(Arc<Directory>),
    /// Where a symbolic link leads, as it was made.
    Symlink(Arc<str>),
    Special(Special),
    /// A directory that is left out of the context and was never looked into.
    Unread,
}

/// A regular file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) size: u64,
    /// Permissions with the set-user-id, set-group-id and sticky bits.
    pub(crate) mode: u32,
    pub(crate) content: Content,
    /// What the file system said when the file was read.
    pub(crate) stamp: Option<Stamp>,
    pub(crate) text: Option<Arc<str>>,
}

/// What is known of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Read: BuildKit's record of the file.
    Record(Digest),
    /// Said to differ from what the file held before.
    Changed(Digest),
    /// Not read yet; the digest stands for the file as long as its stamp is the same.
    Unread(Digest),
}

/// What tells that a file on disk is still the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) inode: u64,
    pub(crate) device: u64,
    pub(crate) modified: i128,
    pub(crate) changed: i128,
}

/// A pipe, socket or device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Special {
    pub(crate) mode: u32,
    /// As in a tar header: `3` character device, `4` block device, `6` pipe, and `0` for a socket, which is sent as an empty file.
    pub(crate) flag: u8,
    pub(crate) device: (u64, u64),
}

/// How far a digest can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Certainty {
    /// Something it covers was not read: another digest may stand for the same content.
    Unread,
    /// Something it covers was said to change: the digest is none of BuildKit's, but differs from the one before.
    Changed,
    /// BuildKit computes the same.
    Exact,
}

/// A digest and how far it can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) digest: Digest,
    pub(crate) certainty: Certainty,
}

impl File {
    pub(crate) fn record(&self) -> Record {
        let (digest, certainty) = match self.content {
            Content::Record(digest) => (digest, Certainty::Exact),
            Content::Changed(digest) => (digest, Certainty::Changed),
            Content::Unread(digest) => (digest, Certainty::Unread),
        };
        Record { digest, certainty }
    }

    /// Whether two files have the same record; `None` where one of them was not read.
    pub(crate) fn same(&self, other: &Self) -> Option<bool> {
        if self.mode != other.mode || self.size != other.size {
            return Some(false);
        }
        match (self.content, other.content) {
            (one, two) if one == two => Some(true),
            (Content::Unread(_), Content::Record(_) | Content::Unread(_))
            | (Content::Record(_), Content::Unread(_)) => {
                (self.stamp.is_some() && self.stamp == other.stamp).then_some(true)
            }
            // Where someone said that it changed, it did.
            _ => Some(false),
        }
    }
}

impl Special {
    fn record(self) -> Record {
        let header = Header {
            mode: self.mode,
            size: 0,
            flag: self.flag,
            target: "",
            device: self.device,
        };
        Record::exact(header.start().finish())
    }
}

impl Record {
    pub(crate) fn exact(digest: Digest) -> Self {
        Self {
            digest,
            certainty: Certainty::Exact,
        }
    }
}

impl Node {
    /// Whether two entries are one and the same, by what they share.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::File(one), Self::File(two)) => Arc::ptr_eq(one, two),
            (Self::Directory(one), Self::Directory(two)) => Arc::ptr_eq(one, two),
            (Self::Symlink(one), Self::Symlink(two)) => one == two,
            (Self::Special(one), Self::Special(two)) => one == two,
            (Self::Unread, Self::Unread) => true,
            _ => false,
        }
    }

    /// The record of a file, or the digest of a directory with everything in it.
    pub(crate) fn record(&self) -> Record {
        match self {
            Self::File(file) => file.record(),
            Self::Directory(directory) => directory.record(),
            Self::Symlink(target) => {
                let header = Header {
                    mode: 0o777,
                    size: 0,
                    flag: b'2',
                    target,
                    device: (0, 0),
                };
                Record::exact(header.start().finish())
            }
            Self::Special(special) => special.record(),
            Self::Unread => Record {
                digest: Digest::of("unread directory"),
                certainty: Certainty::Unread,
            },
        }
    }
}

/// A directory: its mode and its entries, sorted by the bytes of their names.
#[derive(Debug)]
pub(crate) struct Directory {
    mode: u32,
    children: Vec<(Arc<str>, Node)>,
    /// What the file system said before the folder was read.
    stamp: Option<Stamp>,
    record: OnceLock<Record>,
    totals: OnceLock<Totals>,
}

/// What a directory holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) files: usize,
    pub(crate) bytes: u64,
    /// How many folders lie within one another, this one counted.
    pub(crate) depth: usize,
    /// Whether any file was not read.
    pub(crate) unread: bool,
}

/// How many folders may lie within one another. Far beyond any project; trees are walked by recursion.
pub(crate) const DEEPEST: usize = 500;

/// The mode of a directory that nobody gave one.
pub(crate) const DIRECTORY_MODE: u32 = 0o755;

impl Directory {
    /// `children` must be sorted by name, each name once.
    pub(crate) fn new(mode: u32, children: Vec<(Arc<str>, Node)>) -> Self {
        debug_assert!(children.is_sorted_by(|one, two| one.0 < two.0));
        Self {
            mode,
            children,
            stamp: None,
            record: OnceLock::new(),
            totals: OnceLock::new(),
        }
    }

    /// A directory that was read from disk.
    pub(crate) fn read(mode: u32, stamp: Stamp, children: Vec<(Arc<str>, Node)>) -> Self {
        Self {
            stamp: Some(stamp),
            ..Self::new(mode, children)
        }
    }

    /// The same directory, of whose entries more is known.
    pub(crate) fn holding(&self, children: Vec<(Arc<str>, Node)>) -> Self {
        Self {
            stamp: self.stamp,
            ..Self::new(self.mode, children)
        }
    }

    pub(crate) fn stamp(&self) -> Option<Stamp> {
        self.stamp
    }

    pub(crate) fn empty() -> Arc<Self> {
        Arc::new(Self::new(DIRECTORY_MODE, Vec::new()))
    }

    pub(crate) fn mode(&self) -> u32 {
        self.mode
    }

    pub(crate) fn children(&self) -> &[(Arc<str>, Node)] {
        &self.children
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Node> {
        let index = self.find(name).ok()?;
        Some(&self.children[index].1)
    }

    /// A child by its name, with its place among the children.
    pub(crate) fn entry(&self, name: &str) -> Option<(usize, &(Arc<str>, Node))> {
        let place = self.find(name).ok()?;
        Some((place, &self.children[place]))
    }

    pub(crate) fn directory(&self, name: &str) -> Option<&Arc<Self>> {
        match self.child(name)? {
            Node::Directory(directory) => Some(directory),
            _ => None,
        }
    }

    fn find(&self, name: &str) -> Result<usize, usize> {
        self.children
            .binary_search_by(|(child, _)| (**child).cmp(name))
    }

    /// The entry at a path below, no link followed; the path is clean and not empty.
    pub(crate) fn node(&self, file: &str) -> Option<&Node> {
        let mut parts = file.split('/');
        let mut node = self.child(parts.next()?)?;
        for part in parts {
            let Node::Directory(directory) = node else {
                return None;
            };
            node = directory.child(part)?;
        }
        Some(node)
    }

    /// The digest of the directory's own header, which holds its mode.
    pub(crate) fn header(&self) -> Digest {
        Header {
            mode: self.mode,
            size: 0,
            flag: b'5',
            target: "",
            device: (0, 0),
        }
        .start()
        .finish()
    }

    /// The digest of the directory with everything in it (`cache/contenthash/checksum.go`): its header, then each entry by name.
    pub(crate) fn record(&self) -> Record {
        *self.record.get_or_init(|| self.record_with(self.header()))
    }

    /// The digest of this directory as the root of a context, whose mode does not count.
    pub(crate) fn root_record(&self) -> Record {
        self.record_with(Digest::of(""))
    }

    fn record_with(&self, header: Digest) -> Record {
        let mut hasher = Hasher::new();
        let mut certainty = Certainty::Exact;
        hasher.write(b"\0").digest(header);
        for (name, node) in &self.children {
            let record = node.record();
            certainty = certainty.min(record.certainty);
            hasher
                .write(b"\0")
                .write(name.as_bytes())
                .digest(record.digest);
        }
        Record {
            digest: hasher.finish(),
            certainty,
        }
    }

    pub(crate) fn totals(&self) -> Totals {
        *self.totals.get_or_init(|| {
            let mut totals = Totals {
                depth: 1,
                ..Totals::default()
            };
            for (_, node) in &self.children {
                match node {
                    Node::File(file) => {
                        totals.files += 1;
                        totals.bytes += file.size;
                        totals.unread |= matches!(file.content, Content::Unread(_));
                    }
                    Node::Directory(directory) => {
                        let below = directory.totals();
                        totals.files += below.files;
                        totals.bytes += below.bytes;
                        totals.depth = totals.depth.max(below.depth + 1);
                        totals.unread |= below.unread;
                    }
                    _ => {}
                }
            }
            totals
        })
    }

    /// A copy with the entry at `file` put in (over whatever stands there) or, for `None`, taken away. Directories on the way are made;
    /// everything beside the way is shared.
    pub(crate) fn with(self: &Arc<Self>, file: &str, node: Option<Node>) -> Arc<Self> {
        let (name, rest) = file.split_once('/').unwrap_or((file, ""));
        let found = self.find(name);
        let node = if rest.is_empty() {
            node
        } else {
            match (found.ok().map(|index| &self.children[index].1), node) {
                (Some(Node::Directory(below)), node) => {
                    Some(Node::Directory(below.with(rest, node)))
                }
                // Nothing below can be taken away where there is no directory.
                (_, None) => return Arc::clone(self),
                (_, node) => Some(Node::Directory(Self::empty().with(rest, node))),
            }
        };
        let mut children = self.children.clone();
        match (found, node) {
            (Ok(index), Some(node)) => children[index].1 = node,
            (Ok(index), None) => {
                children.remove(index);
            }
            (Err(index), Some(node)) => children.insert(index, (Arc::from(name), node)),
            (Err(_), None) => return Arc::clone(self),
        }
        Arc::new(Self::new(self.mode, children))
    }

    /// A copy with another mode.
    pub(crate) fn with_mode(&self, mode: u32) -> Arc<Self> {
        Arc::new(Self::new(mode, self.children.clone()))
    }

    /// A copy of `after` in which each directory that this tree has too has the mode that it has here.
    pub(crate) fn carry_modes(self: &Arc<Self>, after: &Arc<Self>) -> Arc<Self> {
        if Arc::ptr_eq(self, after) {
            return Arc::clone(after);
        }
        let mut same = self.mode == after.mode;
        let children = after.children.iter().map(|(name, node)| {
            let carried = match (node, self.directory(name)) {
                (Node::Directory(below), Some(before)) => {
                    let carried = before.carry_modes(below);
                    same &= Arc::ptr_eq(&carried, below);
                    Node::Directory(carried)
                }
                _ => node.clone(),
            };
            (Arc::clone(name), carried)
        });
        let children = children.collect();
        if same {
            Arc::clone(after)
        } else {
            Arc::new(Self::new(self.mode, children))
        }
    }

    /// Whether any file below was not read.
    pub(crate) fn has_unread_files(&self) -> bool {
        self.totals().unread
    }

    /// Calls `visit` with the path of everything below, a directory before what it holds, names in the order of their bytes.
    pub(crate) fn walk<'t>(&'t self, at: &str, visit: &mut dyn FnMut(&str, &'t Node)) {
        for (name, node) in &self.children {
            let file = path::join(at, name);
            visit(&file, node);
            if let Node::Directory(directory) = node {
                directory.walk(&file, visit);
            }
        }
    }
}
