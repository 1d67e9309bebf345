//! What is known of the files that a step leaves, and whether what two steps read is the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::build::{Copied, CopiedSource, Input, Origin, Remote, Step, StepId, StepKind};
use crate::context::{
    Certainty, Content, Covered, Covers, DEEPEST, DIRECTORY_MODE, Difference, DifferenceKind,
    Digest, Directory, File, Hasher, Node, Record, Selector, content_digest, depth, join, landing,
    list_differences, named_digest, rooted,
};

use super::store::Trees;

/// The files that a step leaves: what stood there before, and what steps that can be followed put on top.
#[derive(Clone, Debug)]
pub(super) struct Files {
    root: Root,
    tree: Arc<Directory>,
}

/// Files that nobody can list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// None at all.
    Scratch,
    /// Those of an image, a command or an archive; one digest stands for the same files.
    Known(Digest),
    /// Those that a step leaves that runs again.
    Open(StepId),
}

/// What a step reads of an input.
#[derive(Clone, Debug)]
pub(super) enum Read {
    /// Files that can all be listed; the digest is BuildKit's where the record says so.
    Listed {
        record: Record,
        tree: Arc<Directory>,
        selectors: Vec<Selector>,
    },
    /// Files that cannot all be listed.
    Rooted {
        root: Root,
        identity: Digest,
        tree: Arc<Directory>,
        selectors: Vec<Selector>,
    },
    /// Something written in the Dockerfile.
    Inline(Digest),
    /// A download.
    Remote(Remote),
    /// Something that is not there: the build fails.
    Missing(String),
}

/// Whether two reads bring the same.
#[derive(Clone, Debug)]
pub(super) enum Likeness {
    Same,
    Different(Vec<Difference>),
    Unsure(Unsure),
}

/// What it would take to know.
#[derive(Clone, Debug)]
pub(super) enum Unsure {
    Output(StepId),
    Image,
    Download(String),
    Unread(Vec<String>),
    Missing(String),
}

impl Files {
    pub(super) fn scratch() -> Self {
        Self {
            root: Root::Scratch,
            tree: Directory::empty(),
        }
    }

    /// Files of which only the origin is known.
    pub(super) fn of(root: Root) -> Self {
        Self {
            root,
            tree: Directory::empty(),
        }
    }

    /// Some of the files are now what only this says: the same definition on the same files brings the same.
    fn covered_by(&mut self, definition: Digest, others: impl IntoIterator<Item = Root>) {
        let mut hasher = Hasher::new();
        hasher.digest(definition);
        for root in std::iter::once(self.root).chain(others) {
            match root {
                Root::Scratch => hasher.write(b"scratch"),
                Root::Known(digest) => hasher.digest(digest),
                Root::Open(step) => {
                    self.root = Root::Open(step);
                    return;
                }
            };
        }
        self.root = Root::Known(hasher.finish());
    }

    /// What selectors take of these files.
    fn read(&self, selectors: &[Selector], named: bool) -> Read {
        let (tree, selectors) = (Arc::clone(&self.tree), selectors.to_vec());
        if self.root == Root::Scratch || named_files(&tree, &selectors) {
            return listed(tree, selectors, named);
        }
        let mut hasher = Hasher::new();
        match self.root {
            Root::Known(digest) => hasher.digest(digest),
            Root::Scratch | Root::Open(_) => hasher.write(b"open"),
        };
        for selector in &selectors {
            hasher.write(format!("{selector:?}").as_bytes());
            match selector.digest(&tree) {
                Ok(record) => hasher.digest(record.digest),
                Err(_) => hasher.write(b"absent"),
            };
        }
        if selectors.is_empty() {
            hasher.digest(tree.record().digest);
        }
        Read::Rooted {
            root: self.root,
            identity: hasher.finish(),
            tree,
            selectors,
        }
    }
}

/// Whether the selectors name files that were put there one by one: then what else there is does not matter.
fn named_files(tree: &Directory, selectors: &[Selector]) -> bool {
    !selectors.is_empty()
        && selectors.iter().all(|selector| {
            selector.include.is_empty()
                && selector.exclude.is_empty()
                && !selector.wildcard
                && matches!(
                    selector.covered(tree).as_deref(),
                    Ok([Covered {
                        what: Covers::Whole(Node::File(_)),
                        ..
                    }])
                )
        })
}

fn listed(tree: Arc<Directory>, selectors: Vec<Selector>, named: bool) -> Read {
    let record = if named {
        named_digest(&tree, &selectors)
    } else {
        content_digest(&tree, &selectors)
    };
    match record {
        Ok(record) => Read::Listed {
            record,
            tree,
            selectors,
        },
        Err(error) => Read::Missing(error.to_string()),
    }
}

/// What an input brings.
pub(super) fn read(input: &Input, trees: &Trees, results: &[Files]) -> Read {
    match &input.origin {
        Origin::Step(id) => results[id.0].read(&input.selectors, input.named),
        Origin::Context => listed(
            Arc::clone(&trees.main),
            input.selectors.clone(),
            input.named,
        ),
        Origin::NamedContext(name) => match trees.named.get(name) {
            Some(tree) => listed(Arc::clone(tree), input.selectors.clone(), input.named),
            None => Read::Inline(Digest::of(name)),
        },
        Origin::Inline(digest) => Read::Inline(*digest),
        Origin::Remote(remote) => Read::Remote(remote.clone()),
    }
}

impl Read {
    /// Whether this, read before, is the same as what is read now.
    pub(super) fn compare(&self, now: &Self) -> Likeness {
        match (self, now) {
            (_, Self::Missing(message)) | (Self::Missing(message), _) => {
                Likeness::Unsure(Unsure::Missing(message.clone()))
            }
            (Self::Inline(before), Self::Inline(now)) if before == now => Likeness::Same,
            (Self::Remote(before), Self::Remote(now)) => {
                if before.identity() == now.identity() {
                    Likeness::Same
                } else if before.pinned.is_some() && now.pinned.is_some() && !now.commit {
                    Likeness::Different(Vec::new())
                } else {
                    Likeness::Unsure(Unsure::Download(now.address.clone()))
                }
            }
            (
                Self::Listed {
                    record,
                    tree,
                    selectors,
                },
                Self::Listed {
                    record: record_now,
                    tree: tree_now,
                    selectors: selectors_now,
                },
            ) => {
                if record.digest == record_now.digest {
                    return Likeness::Same;
                }
                let differences = differences((tree, selectors), (tree_now, selectors_now));
                let unread = record.certainty.min(record_now.certainty) == Certainty::Unread
                    && differences
                        .iter()
                        .all(|one| one.kind == DifferenceKind::Unread);
                if unread {
                    return Likeness::Unsure(Unsure::Unread(
                        differences.into_iter().map(|one| one.path).collect(),
                    ));
                }
                Likeness::Different(differences)
            }
            (
                Self::Rooted {
                    root,
                    identity,
                    tree,
                    selectors,
                },
                Self::Rooted {
                    root: root_now,
                    identity: identity_now,
                    tree: tree_now,
                    selectors: selectors_now,
                },
            ) => {
                if let Root::Open(step) = root_now {
                    return Likeness::Unsure(Unsure::Output(*step));
                }
                if identity == identity_now {
                    return Likeness::Same;
                }
                if root == root_now && selectors == selectors_now {
                    let differences = differences((tree, selectors), (tree_now, selectors_now));
                    // A folder that a step makes may have been there all along.
                    let telling =
                        |one: &Difference| is_file(tree, &one.path) || is_file(tree_now, &one.path);
                    if differences.iter().any(telling) {
                        return Likeness::Different(
                            differences.into_iter().filter(telling).collect(),
                        );
                    }
                }
                Likeness::Unsure(Unsure::Image)
            }
            (Self::Rooted { .. }, Self::Listed { .. }) => Likeness::Unsure(Unsure::Image),
            (Self::Listed { .. }, Self::Rooted { root, .. }) => Likeness::Unsure(match root {
                Root::Open(step) => Unsure::Output(*step),
                _ => Unsure::Image,
            }),
            _ => Likeness::Different(Vec::new()),
        }
    }
}

fn is_file(tree: &Directory, path: &str) -> bool {
    tree.node(path)
        .is_some_and(|node| !matches!(node, Node::Directory(_)))
}

/// What differs between what selectors take of two trees. A file that a link leads to is told by its own name, unless it is the link
/// that is new, gone, or leads elsewhere.
fn differences(
    (tree, selectors): (&Arc<Directory>, &[Selector]),
    (tree_now, selectors_now): (&Arc<Directory>, &[Selector]),
) -> Vec<Difference> {
    let (before, now) = (covered(tree, selectors), covered(tree_now, selectors_now));
    let shown = |own: &BTreeMap<String, (String, Node)>,
                 other: &BTreeMap<String, (String, Node)>| {
        let shown = |(path, (place, node)): (&String, &(String, Node))| {
            let moved = other.get(path).is_some_and(|(other, _)| other != place);
            let behind = path != place && first_link(tree, path) == first_link(tree_now, path);
            let name = if behind && !moved { place } else { path };
            (name.clone(), node.clone())
        };
        own.iter().map(shown).collect::<BTreeMap<_, _>>()
    };
    list_differences(&shown(&before, &now), &shown(&now, &before))
}

/// Where the first link on a path leads.
fn first_link<'t>(tree: &'t Directory, path: &str) -> Option<&'t str> {
    let mut directory = tree;
    for part in path.split('/') {
        match directory.child(part)? {
            Node::Directory(below) => directory = below,
            Node::Symlink(target) => return Some(target),
            _ => return None,
        }
    }
    None
}

/// What selectors take of a tree: by the path that names it, where it lies.
fn covered(tree: &Arc<Directory>, selectors: &[Selector]) -> BTreeMap<String, (String, Node)> {
    let whole = [Selector::default()];
    let selectors = if selectors.is_empty() {
        &whole
    } else {
        selectors
    };
    let mut entries = BTreeMap::new();
    for one in selectors
        .iter()
        .flat_map(|selector| selector.covered(tree).unwrap_or_default())
    {
        let node = match one.what {
            Covers::Root(_) => Node::Directory(Arc::clone(tree)),
            Covers::Whole(node) => node.clone(),
            Covers::Header(directory) => {
                Node::Directory(Arc::new(Directory::new(directory.mode(), Vec::new())))
            }
            Covers::RootHeader => continue,
        };
        let bare = |path: &str| path.trim_start_matches('/').to_owned();
        entries.insert(bare(&one.path), (bare(&one.place), node));
    }
    entries
}

/// The files after a step.
pub(super) fn leave(step: &Step, trees: &Trees, results: &[Files], token: Root) -> Files {
    let input = |index: usize| match step.inputs.get(index).map(|input| &input.origin) {
        Some(Origin::Step(id)) => results[id.0].clone(),
        _ => Files::scratch(),
    };
    let stands_on = |index: usize| step.inputs.get(index).is_some_and(|input| input.is_root);
    match step.kind {
        StepKind::Base => match step.inputs.first().map(|input| &input.origin) {
            Some(Origin::NamedContext(name)) => Files {
                root: Root::Scratch,
                tree: trees
                    .named
                    .get(name)
                    .map_or_else(Directory::empty, Arc::clone),
            },
            _ => Files::of(Root::Known(step.definition)),
        },
        StepKind::Run => Files::of(token),
        StepKind::Config => input(0),
        StepKind::Workdir => {
            let mut files = input(0);
            let path = rooted(step.destination());
            if step.user_is_root() && depth(&path) <= DEEPEST {
                if files.tree.node(&path).is_none() {
                    let made = Directory::new(DIRECTORY_MODE, Vec::new());
                    files.tree = files
                        .tree
                        .with(&path, Some(Node::Directory(Arc::new(made))));
                }
            } else {
                files.covered_by(step.definition, []);
            }
            files
        }
        StepKind::Link => {
            let (mut files, copied) = (input(0), input(1));
            files.tree = merged(&files.tree, "", &copied.tree);
            if copied.root != Root::Scratch {
                files.covered_by(step.definition, [copied.root]);
            }
            files
        }
        StepKind::Copy | StepKind::Add => {
            let mut files = if stands_on(0) {
                input(0)
            } else {
                Files::scratch()
            };
            if let Some(copied) = &step.copied {
                for source in &copied.sources {
                    put(&mut files, step.definition, copied, source, trees, results);
                }
            }
            files
        }
    }
}

/// Puts what one source brings on top.
fn put(
    files: &mut Files,
    definition: Digest,
    copied: &Copied,
    source: &CopiedSource,
    trees: &Trees,
    results: &[Files],
) {
    let (origin, selector, unpack) = match source {
        CopiedSource::Inline { .. } if depth(&copied.destination) > DEEPEST => {
            return files.covered_by(definition, []);
        }
        CopiedSource::Inline { name, node } => {
            let target = target(&files.tree, copied, name);
            files.tree = files.tree.with(&target, Some(owned(node, copied)));
            return;
        }
        CopiedSource::Selected {
            origin,
            selector,
            unpack,
        } => (origin, selector, *unpack),
    };
    let (tree, root) = match origin {
        Origin::Context => (&trees.main, Root::Scratch),
        Origin::NamedContext(name) => match trees.named.get(name) {
            Some(tree) => (tree, Root::Scratch),
            None => return files.covered_by(Digest::of(name), []),
        },
        Origin::Step(id) => (&results[id.0].tree, results[id.0].root),
        Origin::Remote(remote) => {
            return files.covered_by(
                Digest::of(format!("{definition} {}", remote.identity())),
                [],
            );
        }
        Origin::Inline(digest) => return files.covered_by(*digest, []),
    };
    let Ok(covered) = selector.covered(tree) else {
        return files.covered_by(definition, [root]);
    };
    let archive = unpack && covered.iter().any(|one| looks_packed(&one.path));
    if archive || (root != Root::Scratch && !named_files(tree, std::slice::from_ref(selector))) {
        let taken = selector
            .digest(tree)
            .map_or(definition, |record| record.digest);
        let mut hasher = Hasher::new();
        hasher.digest(definition).digest(taken);
        return files.covered_by(hasher.finish(), [root]);
    }
    for one in covered {
        let relative = landing(&one);
        let destination = rooted(&copied.destination);
        match one.what {
            Covers::Root(directory) => {
                files.tree = merged(&files.tree, &destination, &owned_below(directory, copied));
            }
            Covers::Whole(Node::Directory(directory)) => {
                files.tree = merged(
                    &files.tree,
                    &join(&destination, &relative),
                    &owned_below(directory, copied),
                );
            }
            Covers::Whole(node) => {
                let place = if one.path == one.top {
                    target(&files.tree, copied, &relative)
                } else {
                    join(&destination, &relative)
                };
                files.tree = files.tree.with(&place, Some(owned(node, copied)));
            }
            Covers::Header(directory) => {
                let place = join(&destination, &relative);
                let mode = if relative.is_empty() {
                    DIRECTORY_MODE
                } else {
                    directory.mode()
                };
                if !place.is_empty() && files.tree.node(&place).is_none() {
                    let made = Node::Directory(Arc::new(Directory::new(mode, Vec::new())));
                    files.tree = files.tree.with(&place, Some(made));
                }
            }
            Covers::RootHeader => {}
        }
    }
}

/// Where a single file lands: in the destination if that is a folder, else as the destination (fsutil's `copy.go`).
fn target(tree: &Directory, copied: &Copied, name: &str) -> String {
    let destination = rooted(&copied.destination);
    let folder = copied.destination.ends_with('/')
        || matches!(tree.node(&destination), Some(Node::Directory(_)));
    if folder || destination.is_empty() {
        join(&destination, name)
    } else {
        destination
    }
}

/// A tree with another one laid over a folder of it.
fn merged(tree: &Arc<Directory>, at: &str, over: &Directory) -> Arc<Directory> {
    let below = if at.is_empty() {
        Some(tree)
    } else {
        match tree.node(at) {
            Some(Node::Directory(directory)) => Some(directory),
            _ => None,
        }
    };
    let mut result = match below {
        Some(below) => Arc::clone(below),
        None => Arc::new(Directory::new(DIRECTORY_MODE, over.children().to_vec())),
    };
    if below.is_some() {
        for (name, node) in over.children() {
            let node = match (result.child(name), node) {
                (Some(Node::Directory(below)), Node::Directory(over)) => {
                    Node::Directory(merged(below, "", over))
                }
                (_, node) => node.clone(),
            };
            result = result.with(name, Some(node));
        }
    }
    if at.is_empty() {
        result
    } else {
        tree.with(at, Some(Node::Directory(result)))
    }
}

/// An entry with the owner and the mode that the flags give it.
fn owned(node: &Node, copied: &Copied) -> Node {
    if copied.chown.is_empty() && copied.chmod.is_empty() {
        return node.clone();
    }
    match node {
        Node::File(file) => {
            let stands_for = format!("{} {} {}", file.record().digest, copied.chown, copied.chmod);
            Node::File(Arc::new(File {
                content: Content::Changed(Digest::of(stands_for)),
                stamp: None,
                ..File::clone(file)
            }))
        }
        Node::Directory(directory) => Node::Directory(Arc::new(owned_below(directory, copied))),
        other => other.clone(),
    }
}

fn owned_below(directory: &Directory, copied: &Copied) -> Directory {
    let children = directory
        .children()
        .iter()
        .map(|(name, node)| (Arc::clone(name), owned(node, copied)));
    Directory::new(directory.mode(), children.collect())
}

/// Whether an ADD unpacks a file: told by its name here, by its first bytes in BuildKit.
fn looks_packed(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let ending = name.rsplit('.').next().unwrap_or_default();
    matches!(
        ending,
        "tar" | "tgz" | "tbz" | "tbz2" | "txz" | "tzst" | "gz" | "bz2" | "xz" | "zst"
    )
}
