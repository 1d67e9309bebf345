//! Which layer holds which bytes, and why.
//!
//! A [`Tree`] is the file system of a stage as far as it is known: sized nodes by path, each with the layer that holds its bytes. What
//! a step adds is in its layer; what a later step removes is only hidden, since layers never shrink.

mod access;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

pub use self::access::Access;
use crate::size::{Basis, Kind, Size};

/// A layer of a stage, counted from 0 at the stage's first own layer over all stages it builds on.
pub type LayerIndex = usize;

/// What a part of a node is to the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Role {
    /// What the application runs.
    Main,
    /// Test suites shipped with a package.
    Tests,
    /// Documentation and examples shipped with a package.
    Docs,
    /// Symbols of native code, which debuggers read.
    Symbols,
}

/// Some of a node's bytes, all of one kind and one role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What they are made of.
    pub kind: Kind,
    /// What they are for.
    pub role: Role,
    /// How many.
    pub size: Size,
}

impl Part {
    /// Bytes that the application needs.
    pub fn main(kind: Kind, size: Size) -> Self {
        Self {
            kind,
            role: Role::Main,
            size,
        }
    }
}

/// Where the content of a node comes from, for commands that read it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// A file of the build context, by its path there.
    Context(Arc<str>),
    /// A text in the Dockerfile.
    Inline(Arc<str>),
    /// A command made it; its content is not known.
    Made,
}

/// A file, or a folder whose inside is not itemised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its bytes.
    pub parts: Arc<[Part]>,
    /// The layer that holds them.
    pub layer: LayerIndex,
    /// What it is, in a few words (`flask 1.1.1`, `package lists`); empty for a plain file.
    pub label: Arc<str>,
    /// Where its content comes from.
    pub origin: Origin,
    /// To whom it belongs, and what may be done with it.
    pub access: Access,
    /// Where its size comes from.
    pub basis: Basis,
}

impl Node {
    /// The node's bytes.
    pub fn size(&self) -> Size {
        // The parts of one thing come from one source: their errors go together.
        self.parts
            .iter()
            .fold(Size::ZERO, |sum, part| sum.plus(part.size))
    }

    /// Makes it anything between nothing and what it is.
    pub(crate) fn lessen(&mut self) {
        let lessened = self.parts.iter().map(|part| Part {
            size: Size {
                low: 0,
                ..part.size
            },
            ..*part
        });
        self.parts = lessened.collect();
    }
}

/// What a step did to the layers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Effects {
    /// Bytes of lower layers that the step hides or replaces: paid for and never seen again.
    pub hidden: Size,
    /// Bytes of lower layers that the step stores a second time, because it changes their owner or mode.
    pub copied_up: Size,
}

/// The file system of a stage, as far as it is known.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    nodes: BTreeMap<Arc<str>, Node>,
}

impl FromIterator<(Arc<str>, Node)> for Tree {
    fn from_iter<T: IntoIterator<Item = (Arc<str>, Node)>>(nodes: T) -> Self {
        let nodes = nodes.into_iter().collect();
        Self { nodes }
    }
}

impl Tree {
    /// Puts a node at a path; what lies there in a lower layer is hidden.
    pub fn put(&mut self, path: impl Into<Arc<str>>, node: Node, effects: &mut Effects) {
        let layer = node.layer;
        if let Some(old) = self.nodes.insert(path.into(), node)
            && old.layer != layer
        {
            effects.hidden = effects.hidden.plus(old.size());
        }
    }

    /// The node at exactly this path.
    pub fn get(&self, path: &str) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// Everything at and under a path, in order of the paths.
    pub fn under<'a>(
        &'a self,
        path: &'a str,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Node)> + 'a {
        let path = path.trim_end_matches('/');
        self.nodes
            .range::<str, _>((Bound::Included(path), Bound::Unbounded))
            .take_while(move |(other, _)| other.starts_with(path))
            .filter(move |(other, _)| is_under(other, path))
    }

    /// Everything whose path starts with a text, in order of the paths.
    pub(crate) fn starting_with<'a>(
        &'a self,
        start: &'a str,
    ) -> impl Iterator<Item = (&'a Arc<str>, &'a Node)> + 'a {
        self.nodes
            .range::<str, _>((Bound::Included(start), Bound::Unbounded))
            .take_while(move |(path, _)| path.starts_with(start))
    }

    /// Whether anything known lies at or under a path.
    pub fn has(&self, path: &str) -> bool {
        self.under(path).next().is_some()
    }

    /// Whether the path lies inside a node whose inside is not itemised.
    pub fn inside(&self, path: &str) -> Option<(&Arc<str>, &Node)> {
        let mut end = path.len();
        while let Some(slash) = path[..end].rfind('/') {
            end = slash;
            if let Some((key, node)) = self.nodes.get_key_value(&path[..end.max(1)]) {
                return Some((key, node));
            }
            if end == 0 {
                break;
            }
        }
        None
    }

    /// Removes everything at and under a path. Bytes of the same layer are freed, those of lower layers only hidden.
    pub fn remove(&mut self, path: &str, layer: LayerIndex, effects: &mut Effects) {
        self.remove_where(path, layer, effects, |_, _| true);
    }

    /// Removes those nodes at and under a path that the test names.
    pub fn remove_where(
        &mut self,
        path: &str,
        layer: LayerIndex,
        effects: &mut Effects,
        mut test: impl FnMut(&str, &Node) -> bool,
    ) {
        let gone: Vec<_> = self
            .under(path)
            .filter(|(key, node)| test(key, node))
            .map(|(key, _)| Arc::clone(key))
            .collect();
        for key in gone {
            if let Some(node) = self.nodes.remove(&key)
                && node.layer != layer
            {
                effects.hidden = effects.hidden.plus(node.size());
            }
        }
    }

    /// Removes those parts that the test names from the nodes at and under a path. Parts in a lower layer keep their bytes there; a later
    /// copy of this tree no longer takes them.
    pub fn strip(
        &mut self,
        path: &str,
        layer: LayerIndex,
        effects: &mut Effects,
        test: impl Fn(&Part) -> bool,
    ) {
        let keys: Vec<_> = self.under(path).map(|(key, _)| Arc::clone(key)).collect();
        for key in keys {
            let Some(node) = self.nodes.get_mut(&key) else {
                continue;
            };
            if node.layer != layer {
                let stripped = node
                    .parts
                    .iter()
                    .filter(|part| test(part))
                    .fold(Size::ZERO, |sum, part| sum.plus(part.size));
                effects.hidden = effects.hidden.plus(stripped);
            }
            if node.parts.iter().any(&test) {
                node.parts = node
                    .parts
                    .iter()
                    .copied()
                    .filter(|part| !test(part))
                    .collect();
            }
        }
    }

    /// Changes owner or mode of the nodes at `keys`, as `change` says (`None` where it cannot tell): what is in a lower layer is stored
    /// again in this one as a whole, as overlay file systems do, but where nothing changes.
    pub fn copy_up(
        &mut self,
        keys: &[Arc<str>],
        layer: LayerIndex,
        effects: &mut Effects,
        change: impl Fn(&Access) -> Option<Access>,
    ) {
        for key in keys {
            let Some(node) = self.nodes.get_mut(key) else {
                continue;
            };
            let access = change(&node.access);
            if access.as_ref() == Some(&node.access) {
                continue;
            }
            if node.layer != layer {
                effects.copied_up = effects.copied_up.plus(node.size());
                effects.hidden = effects.hidden.plus(node.size());
                node.layer = layer;
            }
            if let Some(access) = access {
                node.access = access;
            }
        }
    }

    /// What a copy of `from` to `to` holds: the nodes with their new paths, in this layer.
    pub fn copied(&self, from: &str, to: &str, layer: LayerIndex) -> Vec<(Arc<str>, Node)> {
        let (from, to) = (from.trim_end_matches('/'), to.trim_end_matches('/'));
        let moved = |key: &Arc<str>| {
            if from == to {
                return Arc::clone(key);
            }
            [to, &key[from.len()..]].concat().into()
        };
        self.under(from)
            .map(|(key, node)| {
                let node = Node {
                    layer,
                    ..node.clone()
                };
                (moved(key), node)
            })
            .collect()
    }

    /// Everything a layer holds, in order of the paths.
    pub fn layer(&self, layer: LayerIndex) -> impl Iterator<Item = (&Arc<str>, &Node)> {
        self.nodes
            .iter()
            .filter(move |(_, node)| node.layer == layer)
    }

    /// All nodes, in order of the paths.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Node)> {
        self.nodes.iter()
    }
}

fn is_under(path: &str, folder: &str) -> bool {
    path.len() == folder.len()
        || folder.is_empty()
        || path.as_bytes().get(folder.len()) == Some(&b'/')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(bytes: u64, layer: LayerIndex) -> Node {
        Node {
            parts: [Part::main(Kind::Other, Size::exact(bytes))].into(),
            layer,
            label: Arc::from(""),
            origin: Origin::Made,
            access: Access::default(),
            basis: Basis::new("test"),
        }
    }

    fn held(tree: &Tree, layer: LayerIndex) -> u64 {
        tree.layer(layer)
            .map(|(_, node)| node.size().expected)
            .sum()
    }

    #[test]
    fn removal_frees_the_own_layer_and_hides_lower_ones() {
        let (mut tree, mut effects) = (Tree::default(), Effects::default());
        tree.put("/a/x", node(10, 0), &mut effects);
        tree.put("/a/y", node(5, 1), &mut effects);
        tree.put("/ab", node(7, 0), &mut effects);
        tree.remove("/a", 1, &mut effects);
        assert_eq!(effects.hidden, Size::exact(10));
        assert_eq!(
            (held(&tree, 0), held(&tree, 1)),
            (7, 0),
            "a neighbour whose name starts alike stays"
        );
    }

    #[test]
    fn a_new_owner_stores_the_bytes_again() {
        let (mut tree, mut effects) = (Tree::default(), Effects::default());
        tree.put("/app/x", node(10, 0), &mut effects);
        let keys = [Arc::from("/app/x")];
        tree.copy_up(&keys, 1, &mut effects, |access| Some(access.owned("root")));
        assert_eq!(held(&tree, 1), 0, "it is root's already");
        for layer in [1, 2] {
            tree.copy_up(&keys, layer, &mut effects, |access| {
                Some(access.owned("app:app"))
            });
        }
        assert_eq!((held(&tree, 1), effects.copied_up), (10, Size::exact(10)));
    }

    #[test]
    fn replacing_hides_and_copying_moves() {
        let (mut tree, mut effects) = (Tree::default(), Effects::default());
        tree.put("/v/lib/a", node(10, 0), &mut effects);
        tree.put("/v/lib/a", node(4, 1), &mut effects);
        assert_eq!(effects.hidden, Size::exact(10));
        let copied = tree.copied("/v/", "/opt/v", 3);
        assert_eq!(&*copied[0].0, "/opt/v/lib/a");
        assert_eq!(copied[0].1.size(), Size::exact(4));
        assert!(tree.inside("/v/lib/a/deep/er").is_some() && tree.inside("/v/lib").is_none());
    }
}
