//! What a COPY, ADD or bind mount takes from the context.

use super::checksum::{Covered, Covers, Selector, content_digest, dedupe};
use super::digest::Digest;
use super::error::ContextError;
use super::tree::{Certainty, Node, Record};
use super::{Context, Entry, entry, glob, path};

/// The sources of one COPY or ADD.
///
/// ```
/// use stagewright::context::{Context, Sources};
///
/// let context = Context::builder().file("src/a.py", "1").file("src/b.md", "2").build()?;
/// let taken = context.matched(&Sources::new(["src/"]).exclude(["*.md"]))?;
/// assert_eq!(taken.iter().map(|one| one.relative.as_str()).collect::<Vec<_>>(), ["", "a.py"]);
/// # Ok::<(), stagewright::context::ContextError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    paths: Vec<String>,
    excludes: Vec<String>,
    parents: bool,
}

/// An entry that a COPY or ADD takes.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Match<'c> {
    /// Which of the sources took it, counted from 0.
    pub source: usize,
    /// The entry, with its path in the context.
    pub entry: Entry<'c>,
    /// Where it lands below the destination; empty for a folder whose contents land in the destination itself.
    pub relative: String,
    /// Whether the source itself is this one file. Then a destination without `/` at its end is the file's new name.
    pub named: bool,
}

/// The digest of what a source selects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContentDigest {
    /// The digest.
    pub digest: Digest,
    /// Whether BuildKit computes the same. If not, files were not read, or were said to change: then the digest only tells one state
    /// of this context from another.
    pub exact: bool,
}

impl From<Record> for ContentDigest {
    fn from(record: Record) -> Self {
        Self {
            digest: record.digest,
            exact: record.certainty == Certainty::Exact,
        }
    }
}

impl Sources {
    /// Sources as written, after expansion: files, folders, or patterns with `*`, `?` and `[…]`.
    pub fn new<P: Into<String>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self {
            paths: paths.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// The patterns of `--exclude`.
    #[must_use]
    pub fn exclude<P: Into<String>>(mut self, patterns: impl IntoIterator<Item = P>) -> Self {
        self.excludes.extend(patterns.into_iter().map(Into::into));
        self
    }

    /// Whether `--parents` is set: what is taken keeps its path, from the `/./` in the source on where it has one.
    #[must_use]
    pub fn parents(mut self, parents: bool) -> Self {
        self.parents = parents;
        self
    }

    /// How BuildKit selects each source (`frontend/dockerfile/dockerfile2llb/convert_copy.go`).
    pub(crate) fn selectors(&self) -> Vec<Selector> {
        let selector = |source: &String| {
            let (root, include, required) = if self.parents {
                let (root, pattern) = source.split_once("/./").unwrap_or(("/", source));
                let pattern = path::clean(&format!("/{pattern}")).into_owned();
                let plain = !glob::has_wildcards(root) && !glob::has_wildcards(&pattern);
                let required =
                    plain.then(|| path::clean(&format!("/{root}{pattern}")).into_owned());
                (
                    root,
                    vec![pattern[1..].to_owned()],
                    required.into_iter().collect(),
                )
            } else {
                (source.as_str(), Vec::new(), Vec::new())
            };
            let path = path::clean(&format!("/{root}")).into_owned();
            Selector {
                wildcard: glob::has_wildcards(&path),
                path,
                follow_links: true,
                include,
                exclude: self.excludes.clone(),
                required,
            }
        };
        self.paths.iter().map(selector).collect()
    }
}

fn below_top<'c>(covered: &'c Covered<'_>) -> &'c str {
    let rest = covered
        .path
        .strip_prefix(covered.top.as_str())
        .unwrap_or(&covered.path);
    rest.trim_start_matches('/')
}

/// Where an entry lands below the destination; empty for a folder whose contents land in the destination itself.
pub(crate) fn landing(covered: &Covered<'_>) -> String {
    let relative = below_top(covered);
    let folder =
        !matches!(covered.what, Covers::Whole(node) if !matches!(node, Node::Directory(_)));
    if relative.is_empty() && !folder {
        path::base(&covered.path)
    } else {
        relative
    }
    .to_owned()
}

impl Context {
    /// What a COPY or ADD takes from the context, in the order in which BuildKit hashes it; folders come before what they hold.
    ///
    /// An error where a source without wildcards is not there, or a pattern is malformed: the build would fail.
    pub fn matched(&self, sources: &Sources) -> Result<Vec<Match<'_>>, ContextError> {
        let mut matches = Vec::new();
        for (source, selector) in sources.selectors().iter().enumerate() {
            for covered in selector.covered(&self.sent)? {
                self.spread(source, &covered, &mut matches);
            }
        }
        Ok(matches)
    }

    /// The content key of a COPY or ADD: what BuildKit compares to tell whether what it takes has changed.
    pub fn content_digest(&self, sources: &Sources) -> Result<ContentDigest, ContextError> {
        Ok(content_digest(&self.sent, &dedupe(sources.selectors()))?.into())
    }

    /// Adds what one covered entry brings: itself, and for a whole folder everything in it.
    fn spread<'c>(&'c self, source: usize, covered: &Covered<'c>, matches: &mut Vec<Match<'c>>) {
        let path = covered.path.trim_start_matches('/');
        let relative = below_top(covered);
        let mut add = |path: &str, relative: &str, node: &'c Node| {
            let folder = matches!(node, Node::Directory(_) | Node::Unread);
            let named = relative.is_empty() && !folder;
            matches.push(Match {
                source,
                entry: entry(path, node),
                relative: if named { path::base(path) } else { relative }.to_owned(),
                named,
            });
        };
        match covered.what {
            Covers::Root(directory) => {
                directory.walk("", &mut |below, node| add(below, below, node));
            }
            Covers::Whole(node) => {
                add(path, relative, node);
                if let Node::Directory(directory) = node {
                    directory.walk("", &mut |below, node| {
                        add(&path::join(path, below), &path::join(relative, below), node);
                    });
                }
            }
            Covers::Header(_) => {
                // The header stands for the folder itself; what counts below it is covered entry by entry.
                if let Some(node) = super::checksum::resolve(&self.sent, &covered.path, false)
                    .ok()
                    .flatten()
                    && let Covers::Whole(node) = node.1
                {
                    add(path, relative, node);
                }
            }
            Covers::RootHeader => {}
        }
    }
}
