//! Wasted bytes as dive counts them, so that its users find their numbers again.
//!
//! The rule (`dive/filetree/efficiency.go` of dive 0.13): a path that stands in two or more layers is wasteful with all the bytes that it
//! takes in them. Folders count where they hold nothing in their layer. The white-out of a file counts as the file's path with no bytes,
//! that of a folder with the bytes it removes. So a file that a later layer removes is wasted, and a folder is not, unless it stood there
//! empty before. What is really hidden is counted in [`super::stack`].
//!
//! One thing is not followed: dive stops reading a layer at a white-out of what no lower layer has.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};

use super::entry::{Entries, EntryKind};
use super::stack::{META, WhiteOut, white_out};

/// A path in all layers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Occurrences {
    /// The layers it stands in, with the bytes it takes there.
    pub(crate) layers: Vec<(usize, u64)>,
}

impl Occurrences {
    /// Bytes in all layers.
    pub(crate) fn bytes(&self) -> u64 {
        self.layers.iter().map(|(_, bytes)| bytes).sum()
    }

    fn least(&self) -> u64 {
        self.layers
            .iter()
            .map(|(_, bytes)| *bytes)
            .min()
            .unwrap_or_default()
    }
}

/// Every path with the layers it stands in. `removed` has the bytes that each white-out removes ([`super::stack::Stacked`]).
pub(crate) fn occurrences<'e>(
    layers: &'e [Entries],
    removed: &[BTreeMap<&'e str, u64>],
) -> BTreeMap<Cow<'e, str>, Occurrences> {
    let mut all: BTreeMap<Cow<'_, str>, Occurrences> = BTreeMap::new();
    for (layer, (entries, removed)) in layers.iter().zip(removed).enumerate() {
        for (path, bytes) in leaves(entries) {
            let (path, bytes) = match white_out(path) {
                Some(WhiteOut::Path(hidden)) => {
                    let bytes = removed.get(path).copied().unwrap_or_default();
                    (Cow::Owned(hidden), bytes)
                }
                _ => (Cow::Borrowed(path), bytes),
            };
            all.entry(path).or_default().layers.push((layer, bytes));
        }
    }
    all
}

/// The least that the paths could take over what they take: 1 where nothing is there twice.
#[expect(clippy::cast_precision_loss, reason = "a ratio to a few digits")]
pub(crate) fn efficiency<'o>(all: impl Iterator<Item = &'o Occurrences>) -> f64 {
    let (least, bytes) = all.fold((0, 0), |(least, bytes): (u64, u64), one| {
        (
            least.saturating_add(one.least()),
            bytes.saturating_add(one.bytes()),
        )
    });
    if bytes == 0 {
        1.0
    } else {
        least as f64 / bytes as f64
    }
}

/// The paths under which a layer has nothing; of several entries of one path the last.
fn leaves(entries: &Entries) -> BTreeMap<&str, u64> {
    let (mut nodes, mut parents) = (BTreeMap::new(), HashSet::new());
    for entry in &entries.all {
        let path = &*entry.path;
        // Of what lies at or under such a name only the folder that it is in is known.
        let shown = match path.split('/').position(|part| part.starts_with(META)) {
            Some(0) => continue,
            Some(parts) => path
                .match_indices('/')
                .nth(parts - 1)
                .map_or(path, |(at, _)| &path[..at]),
            None => path,
        };
        let mut below = shown;
        while let Some(slash) = below.rfind('/') {
            below = &below[..slash];
            if !parents.insert(below) {
                break;
            }
        }
        if shown == path {
            let bytes = if entry.kind == EntryKind::File {
                entry.bytes
            } else {
                0
            };
            nodes.insert(path, bytes);
        } else {
            nodes.entry(shown).or_insert(0);
        }
    }
    nodes.retain(|path, _| !parents.contains(path));
    nodes
}
