//! The content key of a COPY, ADD or bind mount: which entries count, and their digest (`cache/contenthash/checksum.go` and
//! `solver/llbsolver/ops/{file,opsutils/contenthash}.go` of BuildKit v0.32.2, to the bit).
//!
//! Paths in this module start with `/`, the root is the empty path, as in BuildKit's records.

use super::digest::{Digest, Hasher};
use super::error::ContextError;
use super::pattern::{Matched, PatternMatcher};
use super::tree::{Certainty, Directory, Node, Record};
use super::{glob, path};

/// One source of a COPY, ADD or bind mount.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Selector {
    pub(crate) path: String,
    /// Whether `*`, `?` and `[…]` in the path are wildcards.
    pub(crate) wildcard: bool,
    /// Whether a source that is a symbolic link stands for what it leads to.
    pub(crate) follow_links: bool,
    pub(crate) include: Vec<String>,
    pub(crate) exclude: Vec<String>,
    /// Paths that must be there.
    pub(crate) required: Vec<String>,
}

/// An entry that counts.
#[derive(Clone, Debug)]
pub(crate) struct Covered<'t> {
    /// The path as the source names it: links on the way are not resolved.
    pub(crate) path: String,
    /// The path at which it lies.
    pub(crate) place: String,
    /// The source, or what its wildcards matched, that led here.
    pub(crate) top: String,
    pub(crate) what: Covers<'t>,
}

/// How much of an entry counts.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Covers<'t> {
    /// The root with everything in it.
    Root(&'t Directory),
    /// The entry, a directory with everything in it.
    Whole(&'t Node),
    /// Only the directory itself.
    Header(&'t Directory),
    /// The header of the root, which is always the same.
    RootHeader,
}

impl Covers<'_> {
    fn record(self) -> Record {
        match self {
            Self::Root(root) => root.root_record(),
            Self::Whole(node) => node.record(),
            Self::Header(directory) => Record::exact(directory.header()),
            Self::RootHeader => Record::exact(Digest::of("")),
        }
    }
}

impl Selector {
    fn filtered(&self) -> bool {
        self.wildcard || !self.include.is_empty() || !self.exclude.is_empty()
    }

    fn full_path(&self) -> String {
        path::clean(&format!("/{}", self.path)).into_owned()
    }

    /// The entries that count, in the order in which they are hashed.
    pub(crate) fn covered<'t>(
        &self,
        root: &'t Directory,
    ) -> Result<Vec<Covered<'t>>, ContextError> {
        let full = self.full_path();
        if self.filtered() {
            return Ok(self.included(root)?.1);
        }
        let at = key(&full);
        let (place, what) = lookup(root, at, self.follow_links)?;
        Ok(vec![Covered {
            path: at.to_owned(),
            place,
            top: at.to_owned(),
            what,
        }])
    }

    /// Why a source without a pattern cannot be found. A pattern may fit nothing.
    pub(crate) fn missing(&self, root: &Directory) -> Option<ContextError> {
        if self.filtered() {
            return None;
        }
        lookup(root, key(&self.full_path()), self.follow_links).err()
    }

    /// The digest of what the source selects.
    pub(crate) fn digest(&self, root: &Directory) -> Result<Record, ContextError> {
        let full = self.full_path();
        if !self.filtered() {
            return Ok(lookup(root, key(&full), self.follow_links)?.1.record());
        }
        let (prefix, covered) = self.included(root)?;
        match &covered[..] {
            [] => return Ok(Record::exact(Digest::of(""))),
            [only] if path::base(&full) == path::base(&only.path) => return Ok(only.what.record()),
            _ => {}
        }
        let mut hasher = Hasher::new();
        let mut certainty = Certainty::Exact;
        for entry in &covered {
            let name = entry.path.strip_prefix(&prefix).unwrap_or(&entry.path);
            let record = entry.what.record();
            certainty = certainty.min(record.certainty);
            let name = if name.is_empty() {
                "\0".to_owned()
            } else {
                name.replace('/', "\0")
            };
            hasher.write(name.as_bytes()).digest(record.digest);
        }
        Ok(Record {
            digest: hasher.finish(),
            certainty,
        })
    }

    /// Walks below the part of the path that has no wildcards; gives that part and what counts.
    fn included<'t>(
        &self,
        root: &'t Directory,
    ) -> Result<(String, Vec<Covered<'t>>), ContextError> {
        let full = self.full_path();
        let ends_in_separator = full.ends_with('/');
        let pattern = key(&full);
        let include = matcher(&self.include)?;
        let exclude = matcher(&self.exclude)?;

        let (prefix, follow) = if self.wildcard {
            let plain = before_wildcards(pattern);
            (plain, plain.len() < pattern.len())
        } else {
            (pattern, false)
        };
        let Some((resolved, start)) = resolve(root, prefix, follow)? else {
            return self.require(prefix, Vec::new());
        };
        let mut walk = Vec::new();
        match start {
            Covers::Root(root) => {
                walk.push((String::new(), Covers::Root(root)));
                walk.push((String::new(), Covers::RootHeader));
                below("", root, &mut walk);
            }
            Covers::Whole(node) => push(resolved.clone(), node, &mut walk),
            Covers::Header(_) | Covers::RootHeader => unreachable!("a lookup gives whole entries"),
        }

        let mut covered: Vec<Covered<'t>> = Vec::new();
        let mut parents: Vec<Parent<'t>> = Vec::new();
        let mut top: Option<String> = (!self.wildcard).then(|| pattern.to_owned());
        for (place, what) in walk {
            let file = match place.strip_prefix(resolved.as_str()) {
                Some(rest) => format!("{prefix}{rest}"),
                None => place.clone(),
            };
            while parents
                .last()
                .is_some_and(|last| !is_below(&file, &last.entry.path))
            {
                parents.pop();
            }
            let is_header = matches!(what, Covers::Header(_) | Covers::RootHeader);
            if is_header && file == pattern && ends_in_separator {
                continue;
            }
            if self.wildcard && !top.as_deref().is_some_and(|top| is_below(&file, top)) {
                if !glob::matches(pattern, &file)? {
                    continue;
                }
                top = Some(file.clone());
            }
            let top = top.as_deref().unwrap_or_default();
            let candidate = if file == top {
                ""
            } else {
                file.get(top.len() + 1..).unwrap_or_default()
            };
            let mut info = Infos::default();
            let wanted = wants(
                candidate,
                include.as_ref(),
                exclude.as_ref(),
                parents.last().map(|parent| &parent.infos),
                &mut info,
            );
            if !wanted && !is_header {
                continue;
            }
            let follows = parents.is_empty() && self.follow_links;
            // Of directories only headers count here: some of what they hold may be left out.
            let whole_directory =
                matches!(what, Covers::Root(_) | Covers::Whole(Node::Directory(_)));
            let (place, what) = match what {
                Covers::Whole(Node::Symlink(_)) if follows && wanted => lookup(root, &file, true)?,
                what => (place, what),
            };
            let entry = Covered {
                what,
                place,
                top: top.to_owned(),
                path: file,
            };
            let counts = wanted && !whole_directory;
            if counts {
                for parent in &mut parents {
                    if !std::mem::replace(&mut parent.counted, true) {
                        covered.push(parent.entry.clone());
                    }
                }
                covered.push(entry.clone());
            }
            if is_header {
                parents.push(Parent {
                    entry,
                    counted: counts,
                    infos: info,
                });
            }
        }
        self.require(prefix, covered)
    }

    fn require<'t>(
        &self,
        prefix: &str,
        covered: Vec<Covered<'t>>,
    ) -> Result<(String, Vec<Covered<'t>>), ContextError> {
        for required in &self.required {
            if !covered
                .iter()
                .any(|entry| entry.path.starts_with(required.as_str()))
            {
                return Err(ContextError::MissingSource {
                    path: required.trim_start_matches('/').to_owned(),
                });
            }
        }
        Ok((prefix.to_owned(), covered))
    }
}

/// The content key of several sources of one input: the digest of their digests.
pub(crate) fn content_digest(
    root: &Directory,
    selectors: &[Selector],
) -> Result<Record, ContextError> {
    let whole = [Selector::default()];
    let selectors = if selectors.is_empty() {
        &whole[..]
    } else {
        selectors
    };
    let mut hasher = Hasher::new();
    let mut certainty = Certainty::Exact;
    for (index, selector) in selectors.iter().enumerate() {
        let record = selector.digest(root)?;
        certainty = certainty.min(record.certainty);
        if index > 0 {
            hasher.write(b"\0");
        }
        hasher.digest(record.digest);
    }
    Ok(Record {
        digest: hasher.finish(),
        certainty,
    })
}

/// Sorts the sources of one input and drops plain ones that lie below another.
pub(crate) fn dedupe(selectors: Vec<Selector>) -> Vec<Selector> {
    let (filtered, plain): (Vec<_>, Vec<_>) = selectors.into_iter().partition(Selector::filtered);
    let mut kept: Vec<Selector> = Vec::new();
    for (index, selector) in plain.iter().enumerate() {
        let covers = |other: &Selector| {
            let above = other.path.trim_end_matches('/');
            other.follow_links == selector.follow_links
                && selector
                    .path
                    .strip_prefix(above)
                    .is_some_and(|rest| rest.starts_with('/'))
        };
        let below_another = plain
            .iter()
            .any(|other| other.path != selector.path && covers(other));
        if !below_another && !plain[..index].contains(selector) {
            kept.push(selector.clone());
        }
    }
    kept.sort_by(|one, two| (one.follow_links, &one.path).cmp(&(two.follow_links, &two.path)));
    kept.extend(filtered);
    kept.sort_by(|one, two| one.path.cmp(&two.path));
    kept
}

/// A directory on the way to the entry at hand.
struct Parent<'t> {
    entry: Covered<'t>,
    counted: bool,
    infos: Infos,
}

#[derive(Default)]
struct Infos {
    include: Option<Matched>,
    exclude: Option<Matched>,
}

fn wants(
    candidate: &str,
    include: Option<&PatternMatcher>,
    exclude: Option<&PatternMatcher>,
    parent: Option<&Infos>,
    info: &mut Infos,
) -> bool {
    if let Some(include) = include {
        let (matched, each) =
            include.matches_below(candidate, parent.and_then(|infos| infos.include.as_ref()));
        info.include = Some(each);
        if !matched {
            return false;
        }
    }
    if let Some(exclude) = exclude {
        let (matched, each) =
            exclude.matches_below(candidate, parent.and_then(|infos| infos.exclude.as_ref()));
        info.exclude = Some(each);
        return !matched;
    }
    true
}

fn matcher(patterns: &[String]) -> Result<Option<PatternMatcher>, ContextError> {
    if patterns.is_empty() {
        return Ok(None);
    }
    let matcher = PatternMatcher::new(patterns).map_err(|rejected| ContextError::BadPattern {
        pattern: rejected.0,
    })?;
    Ok((!matcher.is_empty()).then_some(matcher))
}

/// The root is the empty path.
fn key(full: &str) -> &str {
    if full == "/" { "" } else { full }
}

fn is_below(file: &str, directory: &str) -> bool {
    file.strip_prefix(directory)
        .is_some_and(|rest| rest.starts_with('/'))
}

/// The leading components without wildcards.
fn before_wildcards(pattern: &str) -> &str {
    let mut end = 0;
    for part in pattern.split_inclusive('/') {
        if glob::has_wildcards(part) {
            break;
        }
        end += part.len();
    }
    pattern[..end].trim_end_matches('/')
}

/// An entry and everything below it, each directory as a whole and then by its header.
fn push<'t>(file: String, node: &'t Node, walk: &mut Vec<(String, Covers<'t>)>) {
    if let Node::Directory(directory) = node {
        walk.push((file.clone(), Covers::Whole(node)));
        walk.push((file.clone(), Covers::Header(directory)));
        below(&file, directory, walk);
    } else {
        walk.push((file, Covers::Whole(node)));
    }
}

fn below<'t>(at: &str, directory: &'t Directory, walk: &mut Vec<(String, Covers<'t>)>) {
    for (name, node) in directory.children() {
        push(format!("{at}/{name}"), node, walk);
    }
}

/// The entry at a path; an error where there is none.
fn lookup<'t>(
    root: &'t Directory,
    at: &str,
    follow: bool,
) -> Result<(String, Covers<'t>), ContextError> {
    resolve(root, at, follow)?.ok_or_else(|| ContextError::MissingSource {
        path: at.trim_start_matches('/').to_owned(),
    })
}

/// As many links as BuildKit follows.
const MOST_LINKS: usize = 255;

/// Finds a path, following links on the way and, where asked, at its end (`getFollowLinks`). Links never leave the root.
pub(crate) fn resolve<'t>(
    root: &'t Directory,
    at: &str,
    follow: bool,
) -> Result<Option<(String, Covers<'t>)>, ContextError> {
    let direct = |at: &str| match at {
        "" => Some(Covers::Root(root)),
        _ => root.node(&at[1..]).map(Covers::Whole),
    };
    let is_link = |covers: &Covers<'t>| matches!(covers, Covers::Whole(Node::Symlink(_)));
    match direct(at) {
        Some(found) if !follow || !is_link(&found) => return Ok(Some((at.to_owned(), found))),
        _ => {}
    }
    let mut current = String::new();
    let mut remaining = at.trim_end_matches('/').to_owned();
    let mut links = 0;
    let mut found = direct("");
    while !remaining.is_empty() {
        let (part, rest) = match remaining.split_once('/') {
            Some((part, rest)) => (part.to_owned(), rest.to_owned()),
            None => (std::mem::take(&mut remaining), String::new()),
        };
        remaining = rest;
        let next = key(&path::clean(&format!("{current}/{part}"))).to_owned();
        found = direct(&next);
        let Some(Covers::Whole(Node::Symlink(target))) = found else {
            current = next;
            continue;
        };
        if !follow && remaining.is_empty() {
            current = next;
            break;
        }
        links += 1;
        if links > MOST_LINKS {
            return Err(ContextError::TooManyLinks {
                path: at.trim_start_matches('/').to_owned(),
            });
        }
        remaining = format!("{target}/{remaining}");
        if target.starts_with('/') {
            current.clear();
        }
    }
    Ok(found.map(|found| (current, found)))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::context::Context;

    fn tree(entries: &Value) -> Context {
        let mut builder = Context::builder();
        for entry in entries.as_array().unwrap() {
            let (path, data) = (entry[0].as_str().unwrap(), entry[2].as_str().unwrap());
            let mode = u32::try_from(entry[3].as_u64().unwrap()).unwrap();
            builder = match entry[1].as_str().unwrap() {
                "dir" => builder.directory_with_mode(path, mode),
                "link" => builder.symlink(path, data),
                _ => builder.file_with_mode(path, data, mode),
            };
        }
        builder.build().unwrap()
    }

    /// `checksum_cases.json` holds random trees and sources with what `contenthash.Checksum` of BuildKit v0.32.2 answers.
    #[test]
    fn digests_are_buildkits() {
        let cases: Value = serde_json::from_str(include_str!("checksum_cases.json")).unwrap();
        let mut compared = 0;
        for case in cases.as_array().unwrap() {
            let context = tree(&case["tree"]);
            for query in case["queries"].as_array().unwrap() {
                let list = |key: &str| -> Vec<String> {
                    query.get(key).map_or_else(Vec::new, |list| {
                        let items = list.as_array().unwrap().iter();
                        items
                            .map(|item| item.as_str().unwrap().to_owned())
                            .collect()
                    })
                };
                let selector = Selector {
                    path: query["path"].as_str().unwrap().to_owned(),
                    wildcard: query["wildcard"] == true,
                    follow_links: query["follow"] == true,
                    include: list("include"),
                    exclude: list("exclude"),
                    required: Vec::new(),
                };
                let found = match selector.digest(context.tree()) {
                    Ok(record) => record.digest.to_string(),
                    Err(_) => "error".to_owned(),
                };
                assert_eq!(
                    found,
                    query["digest"].as_str().unwrap(),
                    "{query} of {}",
                    case["tree"]
                );
                compared += 1;
            }
        }
        assert!(compared >= 2_000, "{compared}");
    }

    #[test]
    fn a_file_and_a_folder() {
        // The constants of BuildKit's own tests for these trees (`cache/contenthash/checksum_test.go`).
        let digest = |context: Context, path: &str| {
            let selector = Selector {
                path: path.to_owned(),
                ..Selector::default()
            };
            selector.digest(context.tree()).unwrap().digest.to_string()
        };
        let file = Context::builder().file("foo", "data0").build().unwrap();
        assert_eq!(
            digest(file, "foo"),
            "sha256:cd8e75bca50f2d695f220d0cb0997d8ead387e4f926e8669a92d7f104cc9885b"
        );
        let folder = Context::builder()
            .directory("d0")
            .file("d0/abc", "data0")
            .symlink("d0/def", "abc")
            .symlink("d0/ghi", "nosuchfile")
            .build()
            .unwrap();
        assert_eq!(
            digest(folder, "d0"),
            "sha256:d47454417d2c554067fbefe5f5719edc49f3cfe969c36b62e34a187a4da0cc9a"
        );
    }
}
