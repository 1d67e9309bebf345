//! The file system that the layers make together, and what is paid for and not in it.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::entry::{Entries, Entry, EntryKind};

/// What the name of a white-out starts with (image-layer specification of OCI, "Whiteouts").
const WHITE_OUT: &str = ".wh.";
/// The white-out that empties the folder it lies in.
const OPAQUE: &str = ".wh..wh..opq";
/// Names that only the storage drivers of old knew, and the opaque white-out.
pub(crate) const META: &str = ".wh..wh.";

#[derive(Clone, Copy)]
struct Node {
    bytes: u64,
    folder: bool,
}

/// What the layers so far make together, by path.
#[derive(Default)]
struct Stack<'e> {
    nodes: BTreeMap<&'e str, Node>,
}

impl<'e> Stack<'e> {
    /// Removes everything under a path: its bytes.
    fn empty(&mut self, path: &str) -> u64 {
        let folder = if path.is_empty() {
            String::new()
        } else {
            format!("{path}/")
        };
        let inside = (Bound::Included(folder.as_str()), Bound::Unbounded);
        let gone: Vec<&str> = self
            .nodes
            .range::<str, _>(inside)
            .map(|(path, _)| *path)
            .take_while(|path| path.starts_with(&folder))
            .collect();
        gone.iter()
            .filter_map(|path| self.nodes.remove(path))
            .map(|node| node.bytes)
            .sum()
    }

    /// Removes a path and everything under it: its bytes, and whether it was a folder.
    fn remove(&mut self, path: &str) -> (u64, bool) {
        let under = self.empty(path);
        let node = self.nodes.remove(path);
        (
            under + node.map_or(0, |node| node.bytes),
            node.is_some_and(|node| node.folder),
        )
    }

    /// Puts an entry in its place: the bytes that it hides.
    fn put(&mut self, entry: &'e Entry) -> u64 {
        let folder = entry.kind == EntryKind::Folder;
        let node = Node {
            bytes: entry.bytes,
            folder,
        };
        match self.nodes.insert(&entry.path, node) {
            Some(old) if old.folder && !folder => self.empty(&entry.path),
            Some(old) => old.bytes,
            None => 0,
        }
    }
}

/// What every layer does to those below it.
#[derive(Debug, Default)]
pub(crate) struct Stacked<'e> {
    /// The bytes of lower layers, and of its own repeated entries, that a layer removes or replaces.
    pub(crate) hidden: Vec<u64>,
    /// The bytes that each white-out of a folder removes, by the path of the white-out; 0 for one of a file.
    pub(crate) removed: Vec<BTreeMap<&'e str, u64>>,
}

/// Puts the layers on one another.
pub(crate) fn stack(layers: &[Entries]) -> Stacked<'_> {
    let mut stack = Stack::default();
    let mut stacked = Stacked::default();
    for entries in layers {
        let (mut hidden, mut removed) = (0, BTreeMap::new());
        // White-outs are about lower layers alone, wherever they stand in the tar.
        for entry in &entries.all {
            match white_out(&entry.path) {
                Some(WhiteOut::Folder(folder)) => hidden += stack.empty(folder),
                Some(WhiteOut::Path(path)) => {
                    let (bytes, was_folder) = stack.remove(&path);
                    hidden += bytes;
                    removed.insert(&*entry.path, if was_folder { bytes } else { 0 });
                }
                _ => {}
            }
        }
        for entry in entries
            .all
            .iter()
            .filter(|entry| white_out(&entry.path).is_none())
        {
            hidden += stack.put(entry);
        }
        stacked.hidden.push(hidden);
        stacked.removed.push(removed);
    }
    stacked
}

/// What a name that starts with `.wh.` says.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WhiteOut<'e> {
    /// The path is removed.
    Path(String),
    /// What lower layers have in the folder is removed.
    Folder(&'e str),
    /// Something that only the storage drivers of old knew.
    Meta,
}

/// What a path says if it is a white-out.
pub(crate) fn white_out(path: &str) -> Option<WhiteOut<'_>> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let removed = name.strip_prefix(WHITE_OUT)?;
    Some(if name == OPAQUE {
        WhiteOut::Folder(folder)
    } else if name.starts_with(META) {
        WhiteOut::Meta
    } else if folder.is_empty() {
        WhiteOut::Path(removed.to_owned())
    } else {
        WhiteOut::Path(format!("{folder}/{removed}"))
    })
}
