//! What the sources of `ADD` and `COPY` name.

use crate::git::{GitRef, GitRefError, GitRefErrorKind};
use crate::url::{Url, lossy};
use std::ops::Range;

/// What a source of `ADD` names. Heredocs are told apart before ([`Source::heredoc`](super::Source::heredoc)).
///
/// `BuildKit` asks for a git reference first, then for an address, and takes the rest as a path (`dispatchCopy` in
/// `dockerfile2llb/convert_copy.go` at v0.32.2); ranges are in bytes of the text that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceKind<'t> {
    /// A path or a pattern.
    Path(&'t str),
    /// A file to download.
    Http(Download<'t>),
    /// A git repository.
    Git(Box<GitRef>),
}

/// A file to download.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Download<'t> {
    /// The whole address.
    pub address: &'t str,
    /// What the file is called: the last part of the address's path, or `__unnamed__`.
    pub name: String,
    /// Where the host is written, with its port and what stands before an `@`.
    pub host_range: Range<usize>,
    /// Where the path is written.
    pub path_range: Range<usize>,
    /// Where the query is written, without its `?`.
    pub query_range: Option<Range<usize>>,
    /// Where the fragment is written, without its `#`.
    pub fragment_range: Option<Range<usize>>,
}

impl<'t> SourceKind<'t> {
    /// Reads a source; variables must have been expanded. The error is that of a git reference with a fault in its query.
    pub fn parse(text: &'t str) -> Result<Self, GitRefError> {
        match GitRef::parse(text) {
            Ok(git) if !git.like_local => return Ok(Self::Git(Box::new(git))),
            Err(error) if error.kind() != GitRefErrorKind::NotGit => return Err(error),
            _ => {}
        }
        // Unlike the schemes of git, these are compared to the letter (`isHTTPSource`).
        let scheme = ["http://", "https://"]
            .into_iter()
            .find(|scheme| text.starts_with(scheme));
        Ok(match scheme {
            Some(scheme) => Self::Http(Download::read(text, scheme.len())),
            None => Self::Path(text),
        })
    }
}

impl<'t> Download<'t> {
    fn read(address: &'t str, host: usize) -> Self {
        let find = |from: usize, to: usize, sign: char| {
            address[from..to].find(sign).map_or(to, |at| from + at)
        };
        let hash = find(0, address.len(), '#');
        let question = find(0, hash, '?');
        let path = find(host.min(question), question, '/');
        let after = |at: usize, end: usize| (at < end).then(|| at + 1..end);
        let query_range = after(question, hash);
        let fragment_range = after(hash, address.len());
        let query = query_range.clone().map(|range| &address[range]);
        // An address with a broken fragment cannot be read either (`url.Parse`).
        let fragment = fragment_range.clone().map_or("", |range| &address[range]);
        let fragment = crate::url::unescape(fragment, crate::url::Part::Fragment);
        let url = fragment.and_then(|_| Url::parse(&address[..question], query));
        Self {
            name: url.map_or_else(unnamed, |url| base_name(&url.path)),
            address,
            host_range: host.min(path)..path,
            path_range: path..question,
            query_range,
            fragment_range,
        }
    }
}

fn unnamed() -> String {
    "__unnamed__".to_owned()
}

/// `path.Base`, where it names a file.
fn base_name(path: &[u8]) -> String {
    let end = path.iter().rposition(|&b| b != b'/').map_or(0, |at| at + 1);
    let start = path[..end].iter().rposition(|&b| b == b'/');
    match &path[start.map_or(0, |at| at + 1)..end] {
        b"" | b"." => unnamed(),
        name => lossy(name),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_told_apart() {
        for text in [
            "https://a.b/x.git#v1:sub",
            "HTTPS://a.b/x.git",
            "git@a.b:x/y.git",
            "ssh://git@a.b/x",
            "git://a.b/x",
        ] {
            assert!(
                matches!(SourceKind::parse(text), Ok(SourceKind::Git(_))),
                "{text}"
            );
        }
        for text in [
            "github.com/x/y",
            "github.com/x/y.git#v1",
            "./x.git",
            "HTTPS://a.b/x.tgz",
            "ftp://a.b/x.git",
            "a b@c:d",
            "x.tgz",
            "",
        ] {
            assert_eq!(SourceKind::parse(text), Ok(SourceKind::Path(text)));
        }
        let error = SourceKind::parse("github.com/x/y?z=1").unwrap_err();
        assert_eq!(error.message(), "unexpected query \"z\"");
    }

    #[test]
    fn downloads_have_names_and_places() {
        let names = [
            ("https://a.b/x.tgz", "x.tgz"),
            ("https://a.b/x/?y=z#w", "x"),
            ("https://a.b/%78%2e", "x."),
            ("https://a.b/c%2Fd", "d"),
            ("https://a.b", "__unnamed__"),
            ("https://a.b/%zz/x", "__unnamed__"),
            ("https://a.b/x#%", "__unnamed__"),
            ("https://", "__unnamed__"),
            ("https://?x", "__unnamed__"),
        ];
        for (text, name) in names {
            let Ok(SourceKind::Http(download)) = SourceKind::parse(text) else {
                panic!("{text}")
            };
            assert_eq!(download.name, name, "{text}");
        }
        let text = "https://u@a.b:1/x/y?z#w";
        let Ok(SourceKind::Http(download)) = SourceKind::parse(text) else {
            panic!()
        };
        assert_eq!(&text[download.host_range], "u@a.b:1");
        assert_eq!(&text[download.path_range], "/x/y");
        assert_eq!(download.query_range.map(|range| &text[range]), Some("z"));
        assert_eq!(download.fragment_range.map(|range| &text[range]), Some("w"));
    }
}
