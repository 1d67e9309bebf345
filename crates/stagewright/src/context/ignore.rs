//! `.dockerignore`: reading it, and what it leaves of a tree.

use super::error::ContextError;
use super::path;
use super::pattern::{Matched, PatternMatcher};
use super::tree::{Directory, Node};

use std::sync::Arc;

/// The longest line that BuildKit reads, in bytes without the line break (Go's `bufio.MaxScanTokenSize` less one).
const LONGEST_LINE: usize = 65_535;

/// An ignore file as BuildKit reads it.
///
/// Rules: `github.com/moby/patternmatcher` v0.6.1 (`ignorefile.go`, `patternmatcher.go`) and fsutil's `filter.go`.
///
/// ```
/// use stagewright::context::IgnoreFile;
///
/// let ignore = IgnoreFile::parse("node_modules\n*.log\n!keep.log\n")?;
/// assert!(ignore.ignores("node_modules/left-pad/index.js") && ignore.ignores("a.log"));
/// assert!(!ignore.ignores("keep.log"));
/// # Ok::<(), stagewright::context::ContextError>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct IgnoreFile {
    name: String,
    text: String,
    patterns: Vec<String>,
    matcher: PatternMatcher,
}

impl IgnoreFile {
    /// Reads the text of a `.dockerignore`.
    pub fn parse(text: &str) -> Result<Self, ContextError> {
        Self::named(".dockerignore", text)
    }

    /// Reads the text of an ignore file of any name, such as `Dockerfile.dockerignore`; messages name it.
    pub fn named(name: &str, text: &str) -> Result<Self, ContextError> {
        let patterns = read_all(name, text)?;
        let matcher =
            PatternMatcher::new(&patterns).map_err(|rejected| ContextError::BadIgnorePattern {
                file: name.to_owned(),
                pattern: rejected.0,
            })?;
        Ok(Self {
            name: name.to_owned(),
            text: text.to_owned(),
            patterns,
            matcher,
        })
    }

    /// The file's name, or path in the context: `.dockerignore` or `<Dockerfile>.dockerignore`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The text as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The patterns that count, cleaned, in their order.
    pub fn patterns(&self) -> &[String] {
        &self.patterns
    }

    /// Whether a path of the context (`/`-separated, relative) is left out, itself or with a directory above it.
    pub fn ignores(&self, file: &str) -> bool {
        let file = path::rooted(file);
        !file.is_empty() && self.matcher.matches(&file)
    }

    /// Whether a directory that is left out must still be walked, since an exception (`!`) may keep something below it.
    pub(crate) fn may_keep_below(&self, directory: &str) -> bool {
        self.matcher.may_keep_below(directory)
    }

    /// As [`Self::ignores`], told what matched the directory above. Without patterns nothing is left out.
    pub(crate) fn ignores_below(
        &self,
        file: &str,
        parent: Option<&Matched>,
    ) -> (bool, Option<Matched>) {
        if self.matcher.is_empty() {
            return (false, None);
        }
        let (ignored, matched) = self.matcher.matches_below(file, parent);
        (ignored, Some(matched))
    }

    /// What is left of a tree. `known` is an earlier answer of the same file for another tree: what did not change is taken from it.
    pub(crate) fn filter(
        &self,
        all: &Arc<Directory>,
        known: Option<(&Arc<Directory>, &Arc<Directory>)>,
    ) -> Arc<Directory> {
        if self.matcher.is_empty() {
            return Arc::clone(all);
        }
        self.filter_below("", all, None, known)
    }

    fn filter_below(
        &self,
        at: &str,
        all: &Arc<Directory>,
        parent: Option<&Matched>,
        known: Option<(&Arc<Directory>, &Arc<Directory>)>,
    ) -> Arc<Directory> {
        if let Some((before, left)) = known
            && Arc::ptr_eq(before, all)
        {
            return Arc::clone(left);
        }
        let mut kept = Vec::with_capacity(all.children().len());
        let mut whole = true;
        for (name, node) in all.children() {
            let file = path::join(at, name);
            let (ignored, matched) = self.ignores_below(&file, parent);
            let left = match node {
                Node::Directory(directory) if !ignored || self.may_keep_below(&file) => {
                    let known = known.and_then(|(before, left)| {
                        Some((before.directory(name)?, left.directory(name)?))
                    });
                    let below = self.filter_below(&file, directory, matched.as_ref(), known);
                    // A directory that is left out comes with the first thing kept below it.
                    (!ignored || !below.children().is_empty()).then(|| {
                        whole &= Arc::ptr_eq(&below, directory);
                        Node::Directory(below)
                    })
                }
                _ => (!ignored).then(|| node.clone()),
            };
            match left {
                Some(left) => kept.push((Arc::clone(name), left)),
                None => whole = false,
            }
        }
        if whole {
            return Arc::clone(all);
        }
        Arc::new(Directory::new(all.mode(), kept))
    }
}

/// Reads lines as `ignorefile.ReadAll` does.
fn read_all(name: &str, text: &str) -> Result<Vec<String>, ContextError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut patterns = Vec::new();
    for (index, line) in text.split('\n').enumerate() {
        if line.len() > LONGEST_LINE {
            return Err(ContextError::IgnoreLineTooLong {
                file: name.to_owned(),
                line: index + 1,
            });
        }
        // Only a `#` in the first column makes a comment.
        if line.starts_with('#') {
            continue;
        }
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        let (mark, body) = match line.strip_prefix('!') {
            Some(body) => ("!", body.trim()),
            None => ("", line),
        };
        let cleaned = if body.is_empty() {
            body.into()
        } else {
            path::clean(body)
        };
        let relative = match cleaned.strip_prefix('/') {
            Some(relative) if !relative.is_empty() => relative,
            _ => &cleaned,
        };
        patterns.push(format!("{mark}{relative}"));
    }
    Ok(patterns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_lines_as_buildkit_does() {
        let text = "\u{feff}/test1\n/test2\n/a/file/here\n\nlastfile\n# a comment\n ! /inverted/abs/path\n!\n! \n a/../b \r\n #not";
        assert_eq!(
            IgnoreFile::parse("\u{feff}/\n/x/\n #a").unwrap().patterns(),
            ["/", "x", "#a"]
        );
        assert_eq!(
            IgnoreFile::parse(text).unwrap_err().code(),
            "ignore-bad-pattern"
        );
        assert_eq!(
            read_all("", text).unwrap(),
            [
                "test1",
                "test2",
                "a/file/here",
                "lastfile",
                "!inverted/abs/path",
                "!",
                "!",
                "b",
                "#not"
            ]
        );
        assert_eq!(
            IgnoreFile::parse(&"a".repeat(65_536)).unwrap_err().code(),
            "ignore-line-too-long"
        );
    }
}
