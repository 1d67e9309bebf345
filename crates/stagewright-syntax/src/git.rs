//! Git references: `https://github.com/a/b.git#v1:docs`, `git@host:a/b.git?tag=v1`.
//!
//! Read as `BuildKit` does (`dfgitutil/git_ref.go`, `util/gitutil/git_url.go` and `util/sshutil/scpurl.go` at v0.32.2).

use crate::go;
use crate::url::{Part, Url, clean, lossy, unescape};
use std::fmt;
use std::ops::Range;

/// Parameters of a query that are looked at; one with more is not looked at at all (`net/url`).
const MAX_PARAMETERS: usize = 10_000;

/// A reference to a git repository.
///
/// Ranges are in bytes of the text that was read.
///
/// ```
/// use stagewright_syntax::git::GitRef;
///
/// let git = GitRef::parse("https://github.com/a/b.git?submodules=false#v1:docs").unwrap();
/// assert_eq!(git.remote, "https://github.com/a/b.git");
/// assert_eq!(git.reference.unwrap().value, "v1");
/// assert_eq!(git.subdir.unwrap().value, "docs");
/// assert_eq!(git.submodules, Some(false));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GitRef {
    /// The address that git is given, without query and fragment.
    pub remote: String,
    /// Where the address is written.
    pub remote_range: Range<usize>,
    /// A branch, tag or commit: from the fragment, or from `ref`, `tag` (`refs/tags/…`) or `branch` (`refs/heads/…`) of the query.
    pub reference: Option<GitPart>,
    /// The commit that must be found: `checksum` or `commit` of the query. Of both, `BuildKit` takes one by chance; this takes `commit`.
    pub checksum: Option<GitPart>,
    /// The folder of the repository that is taken: behind the colon of the fragment, or `subdir` of the query.
    pub subdir: Option<GitPart>,
    /// `keep-git-dir`: whether the folder `.git` is kept.
    pub keep_git_dir: Option<bool>,
    /// `submodules`: whether they are fetched; they are if nothing is said.
    pub submodules: Option<bool>,
    /// `mtime`: `checkout` or `commit`.
    pub mtime: Option<GitPart>,
    /// `fetch-by-commit`: the commit is fetched as it is named, without asking which reference it belongs to.
    pub fetch_by_commit: bool,
    /// The text might as well be a local path (`github.com/a/b`), and is one to `ADD`.
    pub like_local: bool,
    /// The connection is not encrypted (`http`, `git`).
    pub unencrypted: bool,
}

/// A part of a git reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitPart {
    /// What it means: percent escapes decoded, a prefix such as `refs/tags/` put before it.
    pub value: String,
    /// Where it is written.
    pub range: Range<usize>,
}

/// What kind of fault a [`GitRefError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum GitRefErrorKind {
    /// The text is no git reference; it may be a path or another address.
    NotGit,
    /// A parameter of the query is unknown, has no value, several values, or one that it cannot have.
    InvalidParameter,
    /// Two parts name different references or folders.
    Conflict,
}

/// Why a text is no git reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitRefError {
    kind: GitRefErrorKind,
    message: String,
    range: Range<usize>,
}

impl GitRefError {
    /// What kind of fault it is.
    pub const fn kind(&self) -> GitRefErrorKind {
        self.kind
    }

    /// The stable name of the fault, in kebab case.
    pub const fn code(&self) -> &'static str {
        match self.kind {
            GitRefErrorKind::NotGit => "not-git",
            GitRefErrorKind::InvalidParameter => "invalid-git-parameter",
            GitRefErrorKind::Conflict => "git-conflict",
        }
    }

    /// `BuildKit`'s words, except for [`GitRefErrorKind::NotGit`], of which it says nothing.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where the fault stands.
    pub const fn range(&self) -> &Range<usize> {
        &self.range
    }
}

impl fmt::Display for GitRefError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for GitRefError {}

/// Where the parts of an address stand.
struct Split<'a> {
    text: &'a str,
    /// Up to the first `?` or `#`.
    head: usize,
    query: Option<Range<usize>>,
    fragment: Range<usize>,
}

impl<'a> Split<'a> {
    fn of(text: &'a str) -> Self {
        let hash = text.find('#').unwrap_or(text.len());
        let head = text[..hash].find('?').unwrap_or(hash);
        Self {
            text,
            head,
            query: (head < hash).then_some(head + 1..hash),
            fragment: (hash + 1).min(text.len())..text.len(),
        }
    }

    fn query(&self) -> Option<&'a str> {
        Some(&self.text[self.query.clone()?])
    }
}

/// One parameter of a query.
struct Parameter {
    key: String,
    value: String,
    /// Of the value.
    range: Range<usize>,
}

impl GitRef {
    /// Reads a reference (`ParseGitRef`); variables must have been expanded.
    pub fn parse(text: &str) -> Result<Self, GitRefError> {
        Self::address(text)
            .ok_or_else(|| GitRefError {
                kind: GitRefErrorKind::NotGit,
                message: "not a git reference".to_owned(),
                range: 0..text.len(),
            })
            .and_then(|(git, parameters)| git.with(parameters))
    }

    /// The address with its fragment, and the query's parameters; nothing if the text is no reference.
    fn address(text: &str) -> Option<(Self, Vec<Parameter>)> {
        if text.starts_with("./") || text.starts_with("../") {
            return None;
        }
        let split = Split::of(text);
        let head = &text[..split.head];
        let parameters = |strict| read_query(&split, strict);
        let like_local = text.starts_with("github.com/");
        let digits = head.bytes().take_while(u8::is_ascii_alphanumeric).count();
        let (remote, unencrypted, parameters) = if like_local || has_scheme(&text[digits..], digits)
        {
            let url = Url::parse(head, split.query())?;
            let scheme = url.scheme.as_str();
            let http = matches!(scheme, "http" | "https");
            if !like_local
                && (!http && !matches!(scheme, "ssh" | "git")
                    || http && !url.path.ends_with(b".git"))
            {
                return None;
            }
            let unencrypted = matches!(scheme, "http" | "git");
            (url.write(), unencrypted, parameters(false)?)
        } else {
            if !is_scp_style(head) || text.contains('\n') {
                return None;
            }
            (head.to_owned(), false, parameters(true)?)
        };
        let scp_style = !like_local && !has_scheme(&text[digits..], digits);
        let (reference, subdir) = read_fragment(&split, scp_style)?;
        let git = Self {
            remote,
            remote_range: 0..split.head,
            reference,
            checksum: None,
            subdir,
            keep_git_dir: None,
            submodules: None,
            mtime: None,
            fetch_by_commit: false,
            like_local,
            unencrypted,
        };
        Some((git, parameters))
    }

    /// Adds what the query says (`loadQuery`). `BuildKit` goes through it in an order of chance; this goes by name, so that of several
    /// faults it reports one and the same.
    fn with(mut self, mut parameters: Vec<Parameter>) -> Result<Self, GitRefError> {
        parameters.sort_by(|a, b| a.key.cmp(&b.key));
        if let Some(pair) = parameters
            .windows(2)
            .find(|pair| pair[0].key == pair[1].key)
        {
            let message = format!("query {} has multiple values", go::quote(&pair[1].key));
            return Err(invalid(&pair[1], message));
        }
        let (mut tag, mut branch) = (None, None);
        for parameter in parameters {
            let key = parameter.key.as_str();
            let switch = matches!(key, "keep-git-dir" | "submodules" | "fetch-by-commit");
            if parameter.value.is_empty() && !switch {
                let message = format!("query {} has no value", go::quote(key));
                return Err(invalid(&parameter, message));
            }
            match key {
                "ref" => set(&mut self.reference, "ref", parameter.part())?,
                "subdir" => set(&mut self.subdir, "subdir", parameter.part())?,
                "tag" => tag = Some(parameter.part()),
                "branch" => branch = Some(parameter.part()),
                "checksum" | "commit" => self.checksum = Some(parameter.part()),
                "keep-git-dir" => self.keep_git_dir = Some(parameter.switch()?),
                "submodules" => self.submodules = Some(parameter.switch()?),
                "fetch-by-commit" => self.fetch_by_commit = parameter.switch()?,
                "mtime" if matches!(parameter.value.as_str(), "checkout" | "commit") => {
                    self.mtime = Some(parameter.part());
                }
                "mtime" => {
                    let message = format!(
                        "invalid mtime value: {} (must be \"checkout\" or \"commit\")",
                        go::quote(&parameter.value)
                    );
                    return Err(invalid(&parameter, message));
                }
                _ => {
                    let message = format!("unexpected query {}", go::quote(key));
                    return Err(invalid(&parameter, message));
                }
            }
        }
        let conflicting = tag.is_some();
        if let Some(tag) = tag {
            set(&mut self.reference, "ref", tag.below("refs/tags/"))?;
        }
        if let Some(branch) = branch {
            if conflicting {
                return Err(GitRefError {
                    kind: GitRefErrorKind::Conflict,
                    message: "branch conflicts with tag".to_owned(),
                    range: branch.range,
                });
            }
            set(&mut self.reference, "ref", branch.below("refs/heads/"))?;
        }
        Ok(self)
    }
}

/// The address that git is given.
impl fmt::Display for GitRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.remote)
    }
}

impl std::str::FromStr for GitRef {
    type Err = GitRefError;

    fn from_str(text: &str) -> Result<Self, GitRefError> {
        Self::parse(text)
    }
}

impl Parameter {
    fn part(self) -> GitPart {
        GitPart {
            value: self.value,
            range: self.range,
        }
    }

    /// `strconv.ParseBool`; nothing means yes.
    fn switch(&self) -> Result<bool, GitRefError> {
        let value = self.value.as_str();
        let read = if value.is_empty() {
            Some(true)
        } else {
            go::parse_bool(value)
        };
        read.ok_or_else(|| {
            let message = format!("invalid {} value: {}", self.key, go::quote(value));
            invalid(self, message)
        })
    }
}

impl GitPart {
    fn below(mut self, prefix: &str) -> Self {
        if !self.value.starts_with(prefix) {
            self.value.insert_str(0, prefix);
        }
        self
    }
}

fn invalid(parameter: &Parameter, message: String) -> GitRefError {
    GitRefError {
        kind: GitRefErrorKind::InvalidParameter,
        message,
        range: parameter.range.clone(),
    }
}

/// Sets what may be said once, or twice alike.
fn set(place: &mut Option<GitPart>, name: &str, part: GitPart) -> Result<(), GitRefError> {
    if let Some(before) = place.as_ref().filter(|before| before.value != part.value) {
        let (before, now) = (go::quote(&before.value), go::quote(&part.value));
        return Err(GitRefError {
            kind: GitRefErrorKind::Conflict,
            message: format!("{name} conflicts: {before} vs {now}"),
            range: part.range,
        });
    }
    *place = Some(part);
    Ok(())
}

/// `^[a-zA-Z0-9]+://`
fn has_scheme(rest: &str, letters: usize) -> bool {
    letters > 0 && rest.starts_with("://")
}

/// `user@host:path`, as far as the first `?` or `#`.
fn is_scp_style(head: &str) -> bool {
    let part = |text: &str, more: &[u8]| {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || more.contains(&b);
        !text.is_empty() && text.bytes().all(allowed)
    };
    head.split_once('@').is_some_and(|(user, rest)| {
        part(user, b"_")
            && rest
                .split_once(':')
                .is_some_and(|(host, _)| part(host, b"."))
    })
}

/// `url.ParseQuery`: parameters that cannot be read are left out, or spoil everything (`strict`).
fn read_query(split: &Split<'_>, strict: bool) -> Option<Vec<Parameter>> {
    let mut found = Vec::new();
    let Some(range) = split.query.clone() else {
        return Some(found);
    };
    let query = &split.text[range.clone()];
    if query.bytes().filter(|&b| b == b'&').count() >= MAX_PARAMETERS {
        return (!strict).then_some(found);
    }
    let mut at = range.start;
    for piece in query.split('&') {
        let start = at;
        at += piece.len() + 1;
        let (key, value) = piece.split_once('=').unwrap_or((piece, ""));
        let read = |text| unescape(text, Part::Query).map(|bytes| lossy(&bytes));
        let pair = if piece.contains(';') {
            None
        } else {
            read(key).zip(read(value))
        };
        match pair {
            _ if piece.is_empty() => {}
            Some((key, value)) => found.push(Parameter {
                range: start + piece.len() - piece.split_once('=').map_or(0, |(_, v)| v.len())
                    ..start + piece.len(),
                key,
                value,
            }),
            None if strict => return None,
            None => {}
        }
    }
    Some(found)
}

/// `parseOpts`: the reference and the folder of a fragment. Addresses have percent escapes in them, the form of scp has not.
fn read_fragment(split: &Split<'_>, raw: bool) -> Option<(Option<GitPart>, Option<GitPart>)> {
    let range = split.fragment.clone();
    let written = &split.text[range.clone()];
    let read = |text| {
        if raw {
            Some(String::from(text))
        } else {
            unescape(text, Part::Fragment).map(|bytes| lossy(&bytes))
        }
    };
    // A colon may be escaped, and still divides.
    let escaped = |text: &str| text.find("%3A").into_iter().chain(text.find("%3a")).min();
    let colon = written.find(':').map(|at| (at, 1));
    let escaped = escaped(written).filter(|_| !raw).map(|at| (at, 3));
    let (at, len) = colon
        .into_iter()
        .chain(escaped)
        .min()
        .unwrap_or((written.len(), 0));
    let part = |value: String, range| (!value.is_empty()).then_some(GitPart { value, range });
    // Escapes are checked in the whole fragment, so both halves must be read.
    let (reference, subdir) = (read(&written[..at])?, read(&written[at + len..])?);
    Some((
        part(reference, range.start..range.start + at),
        part(clean(&subdir), range.start + at + len..range.end),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Dockerfile, View};

    /// Parts with the text at their places.
    fn parts(text: &str) -> Vec<(&'static str, String, &str)> {
        let git = GitRef::parse(text).unwrap();
        let parts = [
            ("ref", git.reference),
            ("checksum", git.checksum),
            ("subdir", git.subdir),
            ("mtime", git.mtime),
        ];
        let parts = parts.into_iter().filter_map(|(name, part)| {
            let part = part?;
            Some((name, part.value, &text[part.range]))
        });
        parts.collect()
    }

    #[test]
    fn parts_have_places() {
        let part = |name, value: &str, at| (name, value.to_owned(), at);
        assert_eq!(
            parts("https://a.b/c.git#v%31:/d/../e"),
            [part("ref", "v1", "v%31"), part("subdir", "e", "/d/../e")]
        );
        // Only addresses have percent escapes outside of their query.
        assert_eq!(
            parts("git@a.b:c?&&commit=x+y&mtime=commit#%3A:d"),
            [
                part("ref", "%3A", "%3A"),
                part("checksum", "x y", "x+y"),
                part("subdir", "d", "d"),
                part("mtime", "commit", "commit"),
            ]
        );
        assert_eq!(
            parts("https://a.b/c.git?branch=x#%3Ad"),
            [part("ref", "refs/heads/x", "x"), part("subdir", "d", "d")]
        );
    }

    #[test]
    fn places_lie_in_the_dockerfile() {
        let text = "FROM a\nADD \\\n  https://a.b/c.git?subdir=d#v1 /e\n";
        let file = Dockerfile::parse(text);
        let View::Add(add) = file.instruction(1).view() else {
            panic!()
        };
        let git = GitRef::parse(&add.sources[0].text).unwrap();
        let at = |range: Range<usize>| &text[add.sources[0].text.part(range).unwrap().range()];
        assert_eq!(at(git.remote_range), "https://a.b/c.git");
        assert_eq!(at(git.reference.unwrap().range), "v1");
        assert_eq!(at(git.subdir.unwrap().range), "d");
    }

    #[test]
    fn faults_have_kinds_and_places() {
        let cases = [
            ("x", GitRefErrorKind::NotGit, "x"),
            ("./a@b:c", GitRefErrorKind::NotGit, "./a@b:c"),
            ("git@a:b?x=yz", GitRefErrorKind::InvalidParameter, "yz"),
            (
                "git@a:b?submodules=2",
                GitRefErrorKind::InvalidParameter,
                "2",
            ),
            (
                "git@a:b?ref=1&ref=2",
                GitRefErrorKind::InvalidParameter,
                "2",
            ),
            ("git@a:b?ref=1#2", GitRefErrorKind::Conflict, "1"),
            ("git@a:b?tag=1&branch=23", GitRefErrorKind::Conflict, "23"),
        ];
        for (text, kind, at) in cases {
            let error = GitRef::parse(text).unwrap_err();
            assert_eq!(
                (error.kind(), &text[error.range().clone()]),
                (kind, at),
                "{text}"
            );
        }
    }
}
