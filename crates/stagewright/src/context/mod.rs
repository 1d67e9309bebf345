//! The build context: the files that BuildKit's client sends, before and after `.dockerignore`.

mod builder;
mod checksum;
mod difference;
mod digest;
mod error;
mod glob;
mod ignore;
mod legacy;
mod path;
mod pattern;
mod sources;
mod tree;

use std::sync::Arc;

pub use builder::ContextBuilder;
pub use difference::{Difference, DifferenceKind};
pub use digest::Digest;
pub use error::ContextError;
pub use ignore::IgnoreFile;
pub use sources::{ContentDigest, Match, Sources};

pub use crate::outside::DirectoryOptions;

pub(crate) use {
    builder::{LONGEST_TEXT, file_node},
    checksum::{Covered, Covers, Selector, content_digest, dedupe as dedupe_selectors},
    difference::lists as list_differences,
    digest::{Hasher, Header, file_record},
    legacy::named_digest,
    path::{base as base_name, depth, join, rooted},
    pattern::Matched as PatternsMatched,
    sources::landing,
    tree::{
        Certainty, Content, DEEPEST, DIRECTORY_MODE, Directory, File, Node, Record, Special, Stamp,
    },
};

use crate::change::{Change, FileChange};

/// The build context of one build: an immutable tree of files, with what `.dockerignore` leaves of it.
///
/// Paths are relative to the root of the context, `/`-separated, without `./` in front. A copy is cheap; so is a context after a change,
/// which shares everything that did not change.
///
/// ```
/// use stagewright::Context;
///
/// let context = Context::builder()
///     .file("main.py", "print(1)\n")
///     .file("notes.md", "later\n")
///     .ignore("*.md\n")
///     .build()?;
/// assert_eq!(context.files().map(|entry| entry.path).collect::<Vec<_>>(), [".dockerignore", "main.py"]);
/// assert_eq!(context.ignored(), ["notes.md"]);
/// # Ok::<(), stagewright::context::ContextError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Context {
    /// Everything there is.
    all: Arc<Directory>,
    /// What is left after the ignore file.
    sent: Arc<Directory>,
    ignore: Option<Arc<IgnoreFile>>,
    /// The Dockerfile's path in the context, which decides about the ignore file; empty if it is not in there.
    dockerfile: Arc<str>,
    /// The ignore file that stands beside a Dockerfile outside.
    beside: Option<Arc<IgnoreFile>>,
    /// Where the context was read from, if it was.
    pub(crate) origin: Option<Arc<ReadFrom>>,
    /// Whether files are known by their digests alone, and never were at hand.
    pub(crate) digests_only: bool,
}

/// Where a context was read from.
#[derive(Debug)]
pub(crate) struct ReadFrom {
    pub(crate) folder: std::path::PathBuf,
    /// When the reading began, in nanoseconds since 1970.
    pub(crate) at: i128,
}

/// One entry of a context.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry<'c> {
    /// The path in the context.
    pub path: String,
    /// What stands there.
    pub kind: EntryKind<'c>,
}

/// What an entry is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EntryKind<'c> {
    /// A regular file.
    File {
        /// Its size in bytes.
        size: u64,
        /// Its permissions, 12 bits.
        mode: u32,
    },
    /// A folder.
    Directory {
        /// Its permissions, 12 bits.
        mode: u32,
    },
    /// A symbolic link. It is copied as a link, unless a COPY names it.
    Symlink {
        /// Where it leads.
        target: &'c str,
    },
    /// A pipe, socket or device.
    Other,
}

impl Entry<'_> {
    /// The bytes of a file; 0 for anything else.
    pub fn size(&self) -> u64 {
        match self.kind {
            EntryKind::File { size, .. } => size,
            _ => 0,
        }
    }
}

fn entry<'c>(path: &str, node: &'c Node) -> Entry<'c> {
    let kind = match node {
        Node::File(file) => EntryKind::File {
            size: file.size,
            mode: file.mode,
        },
        Node::Directory(directory) => EntryKind::Directory {
            mode: directory.mode(),
        },
        Node::Symlink(target) => EntryKind::Symlink { target },
        Node::Special(_) => EntryKind::Other,
        Node::Unread => EntryKind::Directory {
            mode: DIRECTORY_MODE,
        },
    };
    Entry {
        path: path.to_owned(),
        kind,
    }
}

impl Context {
    /// A context made in memory, file by file.
    pub fn builder() -> ContextBuilder {
        ContextBuilder::default()
    }

    /// A context without any file.
    pub fn empty() -> Self {
        Self::from_tree(Directory::empty(), "Dockerfile", None, None)
            .expect("no ignore file, no error")
    }

    /// A context from a whole tree; the ignore file is found in it, unless one stands beside a Dockerfile outside.
    pub(crate) fn from_tree(
        all: Arc<Directory>,
        dockerfile: &str,
        beside: Option<Arc<IgnoreFile>>,
        origin: Option<Arc<ReadFrom>>,
    ) -> Result<Self, ContextError> {
        let ignore = match &beside {
            Some(beside) => Some(Arc::clone(beside)),
            None => find_ignore_file(&all, dockerfile, None)?.map(Arc::new),
        };
        let sent = match &ignore {
            Some(ignore) => ignore.filter(&all, None),
            None => Arc::clone(&all),
        };
        Ok(Self {
            all,
            sent,
            ignore,
            dockerfile: Arc::from(dockerfile),
            beside,
            origin,
            digests_only: false,
        })
    }

    /// A context of which only digests are known, and already what the ignore file leaves.
    pub(crate) fn of_parts(
        all: Arc<Directory>,
        sent: Arc<Directory>,
        ignore: Option<IgnoreFile>,
        dockerfile: &str,
    ) -> Self {
        let ignore = ignore.map(Arc::new);
        let outside = dockerfile.is_empty();
        let beside = ignore
            .clone()
            .filter(|ignore| outside && ignore.name() != DEFAULT_IGNORE_FILE);
        Self {
            all,
            sent,
            ignore,
            dockerfile: Arc::from(dockerfile),
            beside,
            origin: None,
            digests_only: true,
        }
    }

    /// The same ignore file over a part of what is sent.
    pub(crate) fn with_tree(&self, sent: Arc<Directory>) -> Self {
        Self::of_parts(
            Arc::clone(&sent),
            sent,
            self.ignore.as_deref().cloned(),
            &self.dockerfile,
        )
    }

    /// The files that are sent, sorted by the bytes of their path components.
    pub fn files(&self) -> impl Iterator<Item = Entry<'_>> {
        self.entries()
            .into_iter()
            .filter(|entry| matches!(entry.kind, EntryKind::File { .. }))
    }

    /// Everything that is sent, a folder before what it holds.
    pub fn entries(&self) -> Vec<Entry<'_>> {
        let mut entries = Vec::new();
        self.sent
            .walk("", &mut |path, node| entries.push(entry(path, node)));
        entries
    }

    /// What stands at a path of the context after the ignore file; links are not followed.
    pub fn entry(&self, path: &str) -> Option<Entry<'_>> {
        let path = path::rooted(path);
        let node = self.sent.node(&path)?;
        Some(entry(&path, node))
    }

    /// The text of a file, whether it is ignored or not. Only small files that tools read are kept as text: requirement, lock and
    /// project files, Dockerfiles, ignore files, and sources up to a bound.
    pub fn text(&self, path: &str) -> Option<&str> {
        match self.all.node(&path::rooted(path))? {
            Node::File(file) => file.text.as_deref(),
            _ => None,
        }
    }

    /// Whether anything is at a path, ignored or not; something may be where nobody looked.
    pub(crate) fn holds(&self, path: &str) -> bool {
        let path = path::rooted(path);
        let mut directory = &self.all;
        let mut parts = path.split('/').filter(|part| !part.is_empty());
        while let Some(part) = parts.next() {
            match directory.child(part) {
                None => return false,
                Some(Node::Directory(below)) => directory = below,
                Some(Node::Unread) => return true,
                Some(_) => return parts.next().is_none(),
            }
        }
        true
    }

    /// The number of files that are sent.
    pub fn file_count(&self) -> usize {
        self.sent.totals().files
    }

    /// The bytes of all files that are sent.
    pub fn size(&self) -> u64 {
        self.sent.totals().bytes
    }

    /// The ignore file that holds: `<Dockerfile>.dockerignore` beside the Dockerfile where there is one, else `.dockerignore`.
    pub fn ignore_file(&self) -> Option<&IgnoreFile> {
        self.ignore.as_deref()
    }

    /// The Dockerfile's path in the context, by which the ignore file is chosen; empty if it is not in there.
    pub fn dockerfile_name(&self) -> &str {
        &self.dockerfile
    }

    /// The ignore file beside a Dockerfile that is not in the context.
    pub(crate) fn beside(&self) -> Option<&Arc<IgnoreFile>> {
        self.beside.as_ref()
    }

    /// Whether the ignore file leaves a path out, be it there or not.
    pub fn is_ignored(&self, path: &str) -> bool {
        self.ignore
            .as_ref()
            .is_some_and(|ignore| ignore.ignores(path))
    }

    /// What the ignore file leaves out: files, and folders of which nothing is sent.
    pub fn ignored(&self) -> Vec<String> {
        let mut left_out = Vec::new();
        missing("", &self.all, Some(&self.sent), &mut left_out);
        left_out
    }

    /// The digest of the whole context, as `COPY . /` hashes it.
    pub fn digest(&self) -> ContentDigest {
        self.sent.root_record().into()
    }

    /// The context after a change. The ignore file is read again where it is written; where it is only said to be edited, it leaves out
    /// what it left out before.
    pub fn with_change(&self, change: &Change) -> Result<Self, ContextError> {
        let mut all = Arc::clone(&self.all);
        for (path, change) in change.file_changes() {
            let path = path::rooted(path);
            ContextError::check_depth(&path)?;
            all = if path.is_empty() {
                edited_below(&all)
            } else {
                changed(&all, &path, change)
            };
        }
        let ignore = match &self.beside {
            Some(beside) => Some((**beside).clone()),
            None => find_ignore_file(&all, &self.dockerfile, self.ignore.as_deref())?,
        };
        let (ignore, known) = match (ignore, &self.ignore) {
            (Some(now), Some(before)) if now.patterns() == before.patterns() => {
                (Some(Arc::new(now)), true)
            }
            (now, _) => (now.map(Arc::new), false),
        };
        let sent = match &ignore {
            Some(ignore) => ignore.filter(&all, known.then_some((&self.all, &self.sent))),
            None => Arc::clone(&all),
        };
        Ok(Self {
            all,
            sent,
            ignore,
            dockerfile: Arc::clone(&self.dockerfile),
            beside: self.beside.clone(),
            origin: self.origin.clone(),
            digests_only: self.digests_only,
        })
    }

    /// The same files with another `.dockerignore`.
    pub fn with_ignore(&self, text: &str) -> Result<Self, ContextError> {
        self.with_change(&Change::none().file(".dockerignore", FileChange::Written(text.into())))
    }

    /// The digest of what selectors take of the context.
    pub(crate) fn content_of(&self, selectors: &[Selector]) -> Result<Record, ContextError> {
        content_digest(&self.sent, selectors)
    }

    /// The tree that is sent.
    pub(crate) fn tree(&self) -> &Arc<Directory> {
        &self.sent
    }

    /// When the folder was read, in nanoseconds since 1970.
    pub(crate) fn read_at(&self) -> Option<i128> {
        self.origin.as_ref().map(|origin| origin.at)
    }

    /// The tree before the ignore file.
    pub(crate) fn everything(&self) -> &Arc<Directory> {
        &self.all
    }
}

/// The ignore file at the root of a context.
const DEFAULT_IGNORE_FILE: &str = ".dockerignore";

/// The ignore file of a Dockerfile (`frontend/dockerui/config.go`): `<Dockerfile>.dockerignore` beside it wins over `.dockerignore` at
/// the root. Links are followed, as the client does. One of which it is only said that it was edited leaves out what it left out before.
fn find_ignore_file(
    all: &Directory,
    dockerfile: &str,
    before: Option<&IgnoreFile>,
) -> Result<Option<IgnoreFile>, ContextError> {
    for name in [
        format!("{dockerfile}.dockerignore"),
        DEFAULT_IGNORE_FILE.to_owned(),
    ] {
        let Some((_, checksum::Covers::Whole(Node::File(file)))) =
            checksum::resolve(all, &format!("/{name}"), true)?
        else {
            continue;
        };
        if let Some(text) = &file.text {
            return IgnoreFile::named(&name, text).map(Some);
        }
        if let Some(before) = before.filter(|before| before.name() == name) {
            return Ok(Some(before.clone()));
        }
    }
    Ok(None)
}

/// The paths of `all` of which nothing is in `sent`.
fn missing(at: &str, all: &Directory, sent: Option<&Directory>, found: &mut Vec<String>) {
    for (name, node) in all.children() {
        let path = path::join(at, name);
        match (node, sent.and_then(|sent| sent.child(name))) {
            (Node::Directory(all), Some(Node::Directory(sent))) => {
                missing(&path, all, Some(sent), found);
            }
            (_, None) => found.push(path),
            (_, Some(_)) => {}
        }
    }
}

fn changed(all: &Arc<Directory>, path: &str, change: &FileChange) -> Arc<Directory> {
    let before = all.node(path);
    let node = match (change, before) {
        (FileChange::Removed, _) => None,
        (FileChange::Written(bytes), before) => {
            let mode = match before {
                Some(Node::File(file)) => file.mode,
                _ => 0o644,
            };
            Some(builder::file_node(bytes, mode))
        }
        (FileChange::Mode(mode), Some(Node::File(file))) => {
            Some(Node::File(Arc::new(with_mode(file, mode & 0o7777))))
        }
        (FileChange::Mode(mode), Some(Node::Directory(directory))) => {
            Some(Node::Directory(directory.with_mode(mode & 0o7777)))
        }
        (FileChange::Mode(_), _) => return Arc::clone(all),
        (FileChange::Edited, Some(Node::Directory(directory))) => {
            Some(Node::Directory(edited_below(directory)))
        }
        (FileChange::Edited, Some(Node::File(file))) => Some(Node::File(Arc::new(edited(file)))),
        (FileChange::Edited, Some(Node::Symlink(target))) => Some(Node::Symlink(Arc::from(
            format!("{target} (changed)").as_str(),
        ))),
        (FileChange::Edited, Some(node @ (Node::Special(_) | Node::Unread))) => Some(node.clone()),
        (FileChange::Edited, None) => Some(Node::File(Arc::new(File {
            size: 0,
            mode: 0o644,
            content: Content::Changed(Digest::of(format!("added {path}"))),
            stamp: None,
            text: None,
        }))),
    };
    all.with(path, node)
}

/// A file whose content is another one; nobody said which.
fn edited(file: &File) -> File {
    File {
        content: Content::Changed(Digest::of(format!("edited {}", file.record().digest))),
        stamp: None,
        text: None,
        ..file.clone()
    }
}

/// A file with another mode. Its record can be worked out only where its content is at hand.
fn with_mode(file: &File, mode: u32) -> File {
    let content = match &file.text {
        _ if file.mode == mode => file.content,
        Some(text) => Content::Record(file_record(mode, text.as_bytes())),
        None => Content::Changed(Digest::of(format!("mode {mode} {}", file.record().digest))),
    };
    File {
        mode,
        content,
        ..file.clone()
    }
}

fn edited_below(directory: &Arc<Directory>) -> Arc<Directory> {
    let children = directory.children().iter().map(|(name, node)| {
        let node = match node {
            Node::File(file) => Node::File(Arc::new(edited(file))),
            Node::Directory(directory) => Node::Directory(edited_below(directory)),
            node => node.clone(),
        };
        (Arc::clone(name), node)
    });
    Arc::new(Directory::new(directory.mode(), children.collect()))
}
