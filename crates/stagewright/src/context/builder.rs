//! Contexts made in memory.

use std::sync::Arc;

use super::digest::file_record;
use super::error::ContextError;
use super::tree::{Content, Directory, File, Node};
use super::{Context, path};

/// The longest text that is kept, in bytes.
pub(crate) const LONGEST_TEXT: usize = 1 << 20;

/// Makes a [`Context`] in memory. Paths are cleaned; one that climbs out of the context stays at its root. A later entry replaces an
/// earlier one at the same path, and folders on the way are made with mode 0755.
#[derive(Clone, Debug)]
pub struct ContextBuilder {
    root: Arc<Directory>,
    dockerfile: String,
    too_deep: Option<String>,
}

impl Default for ContextBuilder {
    fn default() -> Self {
        Self {
            root: Directory::empty(),
            dockerfile: "Dockerfile".to_owned(),
            too_deep: None,
        }
    }
}

impl ContextBuilder {
    /// Adds a file with mode 0644.
    #[must_use]
    pub fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        self.file_with_mode(path, content, 0o644)
    }

    /// Adds a file with these permissions (12 bits).
    #[must_use]
    pub fn file_with_mode(self, path: &str, content: impl AsRef<[u8]>, mode: u32) -> Self {
        self.with(path, file_node(content.as_ref(), mode & 0o7777))
    }

    /// Adds a file of which only the size is known. Two such files count as the same if path and size are.
    #[must_use]
    pub fn sized_file(self, path: &str, size: u64) -> Self {
        let file = File {
            size,
            mode: 0o644,
            content: Content::Unread(super::Digest::of(format!("{size} bytes at {path}"))),
            stamp: None,
            text: None,
        };
        self.with(path, Node::File(Arc::new(file)))
    }

    /// Adds a folder with mode 0755, or keeps the one that is there.
    #[must_use]
    pub fn directory(self, path: &str) -> Self {
        self.directory_with_mode(path, super::DIRECTORY_MODE)
    }

    /// Adds a folder with these permissions (12 bits), or changes those of the one that is there.
    #[must_use]
    pub fn directory_with_mode(self, path: &str, mode: u32) -> Self {
        let rooted = path::rooted(path);
        let directory = match self.root.node(&rooted) {
            Some(Node::Directory(directory)) => directory.with_mode(mode & 0o7777),
            _ => Arc::new(Directory::new(mode & 0o7777, Vec::new())),
        };
        self.with(path, Node::Directory(directory))
    }

    /// Adds a symbolic link.
    #[must_use]
    pub fn symlink(self, path: &str, target: &str) -> Self {
        self.with(path, Node::Symlink(Arc::from(target)))
    }

    /// Adds a `.dockerignore`.
    #[must_use]
    pub fn ignore(self, text: &str) -> Self {
        self.file(".dockerignore", text)
    }

    /// Says where the Dockerfile is in the context: `<Dockerfile>.dockerignore` beside it wins over `.dockerignore`.
    #[must_use]
    pub fn dockerfile_name(mut self, path: &str) -> Self {
        self.dockerfile = path::rooted(path);
        self
    }

    /// The context; an error where the ignore file is one that BuildKit rejects, or a path names too many folders.
    pub fn build(self) -> Result<Context, ContextError> {
        ContextError::check_depth(self.too_deep.as_deref().unwrap_or_default())?;
        Context::from_tree(self.root, &self.dockerfile, None, None)
    }

    fn with(mut self, path: &str, node: Node) -> Self {
        let path = path::rooted(path);
        if ContextError::check_depth(&path).is_err() {
            self.too_deep = Some(path);
        } else if !path.is_empty() {
            self.root = self.root.with(&path, Some(node));
        }
        self
    }
}

/// A file whose content is at hand.
pub(crate) fn file_node(content: &[u8], mode: u32) -> Node {
    let text = (content.len() <= LONGEST_TEXT)
        .then(|| std::str::from_utf8(content).ok())
        .flatten();
    Node::File(Arc::new(File {
        size: content.len() as u64,
        mode,
        content: Content::Record(file_record(mode, content)),
        stamp: None,
        text: text.map(Arc::from),
    }))
}
