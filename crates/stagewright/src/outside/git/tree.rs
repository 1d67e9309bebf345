//! A folder as it was at a commit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::blobs::Blobs;
use super::{Git, GitError, raw, run};
use crate::context::{
    Content, ContextError, DIRECTORY_MODE, Digest, Directory, File, IgnoreFile, Node,
};

/// One entry of a tree.
struct Tracked {
    mode: u32,
    object: String,
    size: u64,
    path: String,
}

const LINK: u32 = 0o120_000;
const SUBMODULE: u32 = 0o160_000;

impl Git {
    /// The files of the folder at a commit. What is the same today is taken from `today`.
    pub(super) fn tree(
        &self,
        commit: &str,
        revision: &str,
        today: &Arc<Directory>,
        dockerfile: &str,
        beside: Option<&IgnoreFile>,
    ) -> Result<Arc<Directory>, GitError> {
        let tracked = self.tracked(commit)?;
        if tracked.is_empty() && !self.prefix.is_empty() {
            return Err(GitError::PathMissing {
                path: self.folder.clone(),
                revision: revision.to_owned(),
            });
        }
        let changed = self.changed(commit)?;
        let mut blobs = Blobs::open(&self.folder, false)?;
        let found = match beside {
            Some(_) => None,
            None => ignore_file(&tracked, dockerfile, &mut blobs)?,
        };
        let ignore = beside.or(found.as_ref());
        let mut root = Building::default();
        for entry in tracked {
            let now = today.node(&entry.path);
            let left_out = ignore.is_some_and(|ignore| ignore.ignores(&entry.path));
            let same = !changed.contains(&entry.path) && entry.mode != SUBMODULE;
            let node = match now {
                Some(Node::File(file)) if same && matches!(file.content, Content::Record(_)) => {
                    Node::File(Arc::clone(file))
                }
                Some(Node::Symlink(target)) if same => Node::Symlink(Arc::clone(target)),
                // Only the files that say what is left out must be known.
                _ if left_out && !entry.path.ends_with(".dockerignore") => entry.unread(),
                _ => self.node(&entry, now, revision, &mut blobs)?,
            };
            root.put(&entry.path, node);
        }
        Ok(root.finish(Some(today)))
    }

    fn tracked(&self, commit: &str) -> Result<Vec<Tracked>, GitError> {
        let answer = run(&self.folder, ["ls-tree", "-r", "-z", "-l", commit])?;
        let records = answer.split(|byte| *byte == 0);
        records
            .filter(|record| !record.is_empty())
            .map(Tracked::read)
            .collect()
    }

    /// Paths of the folder that are not today what they were.
    fn changed(&self, commit: &str) -> Result<BTreeSet<String>, GitError> {
        let answer = run(
            &self.folder,
            [
                "diff",
                "--raw",
                "-z",
                "--no-renames",
                "--no-abbrev",
                "--no-ext-diff",
                "--relative",
                commit,
                "--",
                ".",
            ],
        )?;
        Ok(raw(&answer)?
            .into_iter()
            .flat_map(|told| told.paths)
            .collect())
    }

    fn node(
        &self,
        entry: &Tracked,
        today: Option<&Node>,
        revision: &str,
        blobs: &mut Blobs,
    ) -> Result<Node, GitError> {
        if entry.mode == SUBMODULE {
            let folder = self.folder.join(&entry.path);
            let empty = Directory::empty();
            let today = match today {
                Some(Node::Directory(today)) => today,
                _ => &empty,
            };
            // A clean checkout has an empty folder.
            let checked_out = std::fs::symlink_metadata(folder.join(".git")).is_ok();
            let below = if checked_out {
                Self::open(&folder)?.tree(&entry.object, revision, today, "", None)?
            } else {
                Directory::empty()
            };
            return Ok(Node::Directory(below));
        }
        if entry.mode == LINK {
            let target = blobs.read(&entry.object)?.ok_or_else(|| entry.absent())?;
            let target = String::from_utf8(target).map_err(|_| ContextError::NameNotUtf8 {
                path: entry.path.clone(),
            })?;
            return Ok(Node::Symlink(Arc::from(target)));
        }
        let runs = entry.mode & 0o100 != 0;
        let mode = match today {
            Some(Node::File(file)) if (file.mode & 0o100 != 0) == runs => file.mode,
            _ if runs => 0o755,
            _ => 0o644,
        };
        blobs
            .file(&entry.object, mode)?
            .ok_or_else(|| entry.absent())
    }
}

/// The ignore file that holds, by the rule of [`Context::ignore_file`](crate::Context::ignore_file).
fn ignore_file(
    tracked: &[Tracked],
    dockerfile: &str,
    blobs: &mut Blobs,
) -> Result<Option<IgnoreFile>, GitError> {
    let names = [
        format!("{dockerfile}.dockerignore"),
        ".dockerignore".to_owned(),
    ];
    for name in names {
        let found = tracked
            .iter()
            .find(|entry| entry.path == name && entry.mode != LINK && entry.mode != SUBMODULE);
        if let Some(entry) = found {
            let text = blobs.read(&entry.object)?.ok_or_else(|| entry.absent())?;
            let text = String::from_utf8_lossy(&text);
            return Ok(Some(IgnoreFile::named(&name, &text)?));
        }
    }
    Ok(None)
}

impl Tracked {
    /// `100644 blob OBJECT    SIZE<tab>PATH`.
    fn read(record: &[u8]) -> Result<Self, GitError> {
        let tab = record.iter().position(|byte| *byte == b'\t');
        let (head, path) = record.split_at(tab.unwrap_or(record.len()));
        let path = path.get(1..).unwrap_or_default();
        let path = std::str::from_utf8(path).map_err(|_| ContextError::NameNotUtf8 {
            path: String::from_utf8_lossy(path).into_owned(),
        })?;
        let head = String::from_utf8_lossy(head);
        let words: Vec<&str> = head.split_ascii_whitespace().collect();
        let [mode, _, object, size] = words.as_slice() else {
            return Err(GitError::failed(format!(
                "`{head}`, which is not understood"
            )));
        };
        Ok(Self {
            mode: u32::from_str_radix(mode, 8).map_err(GitError::failed)?,
            object: (*object).to_owned(),
            // A submodule has none.
            size: size.parse().unwrap_or_default(),
            path: path.to_owned(),
        })
    }

    fn unread(&self) -> Node {
        Node::File(Arc::new(File {
            size: self.size,
            mode: self.mode & 0o777,
            content: Content::Unread(Digest::of(&self.object)),
            stamp: None,
            text: None,
        }))
    }

    fn absent(&self) -> GitError {
        GitError::failed(format!("`{}` is not in the repository", self.path))
    }
}

/// A tree that is being made.
#[derive(Default)]
struct Building(BTreeMap<String, Part>);

enum Part {
    Folder(Building),
    Leaf(Node),
}

impl Building {
    fn put(&mut self, path: &str, node: Node) {
        match path.split_once('/') {
            None => {
                self.0.insert(path.to_owned(), Part::Leaf(node));
            }
            Some((folder, rest)) => {
                let part = self.0.entry(folder.to_owned());
                let part = part.or_insert_with(|| Part::Folder(Self::default()));
                if let Part::Folder(below) = part {
                    below.put(rest, node);
                }
            }
        }
    }

    /// Folders have the permissions that they have today.
    fn finish(self, today: Option<&Arc<Directory>>) -> Arc<Directory> {
        let children = self.0.into_iter().map(|(name, part)| {
            let node = match part {
                Part::Leaf(node) => node,
                Part::Folder(below) => {
                    let today = today.and_then(|today| today.directory(&name));
                    Node::Directory(below.finish(today))
                }
            };
            (Arc::from(name), node)
        });
        let mode = today.map_or(DIRECTORY_MODE, |today| today.mode());
        Arc::new(Directory::new(mode, children.collect()))
    }
}
