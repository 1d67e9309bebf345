//! Image references: `python`, `docker.io/library/python:3.12`, `ghcr.io/a/b@sha256:…`.
//!
//! Read and normalized as `github.com/distribution/reference` does (`ParseNormalizedNamed`, v0.6.0), which `BuildKit` uses.

use crate::go;
use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

/// The registry that a reference without one means.
const DEFAULT_DOMAIN: &str = "docker.io";

/// An image reference.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ImageRef {
    /// The registry: `docker.io` if none is written.
    pub domain: String,
    /// The repository in the registry: `library/python` for `python`.
    pub path: String,
    /// The tag, if one is written.
    pub tag: Option<String>,
    /// The digest with its algorithm, if one is written.
    pub digest: Option<String>,
    /// Where the registry is written, if it is.
    pub domain_range: Option<Range<usize>>,
    /// Where the repository is written.
    pub path_range: Range<usize>,
    /// Where the tag is written, without its colon.
    pub tag_range: Option<Range<usize>>,
    /// Where the digest is written, without its `@`.
    pub digest_range: Option<Range<usize>>,
}

/// What kind of fault an [`ImageRefError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ImageRefErrorKind {
    /// The text has not the form of a reference.
    InvalidFormat,
    /// The repository has capital letters.
    Uppercase,
    /// The repository is longer than 255 characters.
    TooLong,
    /// The text is an image id: 64 hexadecimal digits.
    Identifier,
    /// The digest's algorithm is unknown, or its length is wrong for it.
    InvalidDigest,
}

/// Why a text is no image reference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageRefError {
    kind: ImageRefErrorKind,
    message: String,
}

impl ImageRefError {
    /// What kind of fault it is.
    pub const fn kind(&self) -> ImageRefErrorKind {
        self.kind
    }

    /// The stable name of the fault, in kebab case.
    pub const fn code(&self) -> &'static str {
        match self.kind {
            ImageRefErrorKind::InvalidFormat => "invalid-reference",
            ImageRefErrorKind::Uppercase => "uppercase-repository",
            ImageRefErrorKind::TooLong => "repository-too-long",
            ImageRefErrorKind::Identifier => "image-id",
            ImageRefErrorKind::InvalidDigest => "invalid-digest",
        }
    }

    /// The words of the library that `BuildKit` uses.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ImageRefError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ImageRefError {}

fn fault(kind: ImageRefErrorKind, message: impl Into<String>) -> ImageRefError {
    ImageRefError {
        kind,
        message: message.into(),
    }
}

fn invalid() -> ImageRefError {
    fault(ImageRefErrorKind::InvalidFormat, "invalid reference format")
}

impl ImageRef {
    /// Reads a reference; variables must have been expanded.
    pub fn parse(text: &str) -> Result<Self, ImageRefError> {
        if text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(fault(
                ImageRefErrorKind::Identifier,
                format!(
                    "invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
                ),
            ));
        }
        let (domain_range, domain, rest_at) = split_domain(text);
        let rest = &text[rest_at..];
        let official = domain == DEFAULT_DOMAIN && !rest.contains('/');
        let name = rest.find(':').map_or(rest, |colon| &rest[..colon]);
        if go::lower(name) != name {
            let prefix = if official { "library/" } else { "" };
            return Err(fault(
                ImageRefErrorKind::Uppercase,
                format!(
                    "invalid reference format: repository name ({prefix}{name}) must be lowercase"
                ),
            ));
        }
        // What remains must be `path[:tag][@digest]`. No part of a path holds a colon or an at sign.
        let path_len = rest.find([':', '@']).unwrap_or(rest.len());
        let (path, mut tail) = rest.split_at(path_len);
        let mut at = rest_at + path_len;
        let mut tag_range = None;
        if let Some(after) = tail.strip_prefix(':') {
            let len = after.find('@').unwrap_or(after.len());
            tag_range = Some(at + 1..at + 1 + len);
            tail = &after[len..];
            at += 1 + len;
        }
        let mut digest_range = None;
        if let Some(after) = tail.strip_prefix('@') {
            digest_range = Some(at + 1..at + 1 + after.len());
        }
        let tag = tag_range.clone().map(|range| &text[range]);
        let digest = digest_range.clone().map(|range| &text[range]);
        let is_valid = |domain: &str, tag: Option<&str>, digest: Option<&str>| {
            is_domain(domain)
                && path.split('/').all(is_path_component)
                && tag.is_none_or(is_tag)
                && digest.is_none_or(is_digest)
        };
        if !is_valid(domain, tag, digest) {
            // Capital letters beyond ASCII are at fault wherever they stand, if nothing else is (`reference.Parse`).
            let (domain, tag, digest) =
                (go::lower(domain), tag.map(go::lower), digest.map(go::lower));
            return Err(if is_valid(&domain, tag.as_deref(), digest.as_deref()) {
                fault(
                    ImageRefErrorKind::Uppercase,
                    "repository name must be lowercase",
                )
            } else {
                invalid()
            });
        }
        let path_at = rest_at..rest_at + path_len;
        let path: Cow<'_, str> = if official {
            format!("library/{path}").into()
        } else {
            path.into()
        };
        if path.len() > 255 {
            return Err(fault(
                ImageRefErrorKind::TooLong,
                "repository name must not be more than 255 characters",
            ));
        }
        if let Some(digest) = digest {
            check_digest(digest)?;
        }
        Ok(Self {
            domain: domain.to_owned(),
            path: path.into_owned(),
            tag: tag.map(str::to_owned),
            digest: digest.map(str::to_owned),
            domain_range,
            path_range: path_at,
            tag_range,
            digest_range,
        })
    }

    /// The repository as people write it: `python` for `docker.io/library/python`.
    pub fn familiar_name(&self) -> String {
        if self.domain != DEFAULT_DOMAIN {
            return format!("{}/{}", self.domain, self.path);
        }
        match self.path.strip_prefix("library/") {
            Some(name) if !name.contains('/') => name.to_owned(),
            _ => self.path.clone(),
        }
    }

    /// The reference as people write it: `python:3.12`.
    pub fn familiar(&self) -> String {
        self.with_suffix(self.familiar_name())
    }

    /// The tag that is pulled: the one written, or `latest` if there is neither tag nor digest.
    pub fn effective_tag(&self) -> Option<&str> {
        match (&self.tag, &self.digest) {
            (Some(tag), _) => Some(tag),
            (None, None) => Some("latest"),
            (None, Some(_)) => None,
        }
    }

    fn with_suffix(&self, mut name: String) -> String {
        for (sign, part) in [(':', &self.tag), ('@', &self.digest)] {
            if let Some(part) = part {
                name.push(sign);
                name.push_str(part);
            }
        }
        name
    }
}

/// The full form: `docker.io/library/python:3.12`.
impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.with_suffix(format!("{}/{}", self.domain, self.path)))
    }
}

impl std::str::FromStr for ImageRef {
    type Err = ImageRefError;

    fn from_str(text: &str) -> Result<Self, ImageRefError> {
        Self::parse(text)
    }
}

/// Where the registry is written, the registry meant, and where the rest begins (`splitDockerDomain`).
fn split_domain(text: &str) -> (Option<Range<usize>>, &str, usize) {
    let Some(slash) = text.find('/') else {
        return (None, DEFAULT_DOMAIN, 0);
    };
    let first = &text[..slash];
    let is_domain =
        first == "localhost" || first.contains(['.', ':']) || first.chars().any(char::is_uppercase);
    if !is_domain {
        return (None, DEFAULT_DOMAIN, 0);
    }
    let domain = if first == "index.docker.io" {
        DEFAULT_DOMAIN
    } else {
        first
    };
    (Some(0..slash), domain, slash + 1)
}

/// A host, and a port or none.
fn is_domain(text: &str) -> bool {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else {
            return false;
        };
        let hex = |b: u8| b.is_ascii_hexdigit() || b == b':';
        return !address.is_empty() && address.bytes().all(hex) && is_port(port);
    }
    let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
    let label = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.split('.').all(label) && is_port(port)
}

fn is_port(text: &str) -> bool {
    match text.strip_prefix(':') {
        Some(port) => !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()),
        None => text.is_empty(),
    }
}

/// Runs of lower-case letters and digits with separators between them: a period, one or two underscores, or dashes.
fn is_path_component(text: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        let start = at;
        while at < bytes.len() && alphanumeric(bytes[at]) {
            at += 1;
        }
        if at == start {
            return false;
        }
        if at == bytes.len() {
            return true;
        }
        let separator = at;
        while at < bytes.len() && !alphanumeric(bytes[at]) {
            at += 1;
        }
        let separator = &text[separator..at];
        if !matches!(separator, "." | "_" | "__") && !separator.trim_matches('-').is_empty() {
            return false;
        }
    }
}

/// `[\w][\w.-]{0,127}`.
fn is_tag(text: &str) -> bool {
    let word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    let mut bytes = text.bytes();
    text.len() <= 128
        && bytes.next().is_some_and(word)
        && bytes.all(|b| word(b) || matches!(b, b'.' | b'-'))
}

/// An algorithm of words with `-`, `_`, `+` or `.` between them, a colon, and at least 32 hexadecimal digits.
fn is_digest(text: &str) -> bool {
    let Some((algorithm, hex)) = text.split_once(':') else {
        return false;
    };
    let word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_alphabetic())
            && word.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    algorithm.split(['-', '_', '+', '.']).all(word)
        && hex.len() >= 32
        && hex.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The rules of `github.com/opencontainers/go-digest`.
fn check_digest(digest: &str) -> Result<(), ImageRefError> {
    let (algorithm, hex) = digest.split_once(':').unwrap_or((digest, ""));
    let fault = |message: &str| Err(fault(ImageRefErrorKind::InvalidDigest, message));
    let well_formed = algorithm
        .bytes()
        .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_+.".contains(&b));
    if !well_formed {
        return fault("invalid checksum digest format");
    }
    let len = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return fault("unsupported digest algorithm"),
    };
    if hex.len() != len {
        return fault("invalid checksum digest length");
    }
    if hex.bytes().any(|b| b.is_ascii_uppercase()) {
        return fault("invalid checksum digest format");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_and_normalizes() {
        let sha = format!("sha256:{}", "0123456789abcdef".repeat(4));
        let cases = [
            ("python", "docker.io/library/python", "python"),
            ("python:3.7", "docker.io/library/python:3.7", "python:3.7"),
            ("a/b", "docker.io/a/b", "a/b"),
            ("docker.io/python", "docker.io/library/python", "python"),
            ("index.docker.io/a/b:1", "docker.io/a/b:1", "a/b:1"),
            ("localhost/a", "localhost/a", "localhost/a"),
            ("host:5000/a/b:c", "host:5000/a/b:c", "host:5000/a/b:c"),
            ("[::1]:5000/a", "[::1]:5000/a", "[::1]:5000/a"),
            ("Foo/bar", "Foo/bar", "Foo/bar"),
            ("x/a__b.c--d", "docker.io/x/a__b.c--d", "x/a__b.c--d"),
        ];
        for (text, full, familiar) in cases {
            let image = ImageRef::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
            assert_eq!(image.to_string(), full);
            assert_eq!(image.familiar(), familiar);
            let pinned = format!("{text}@{sha}");
            let image = ImageRef::parse(&pinned).unwrap();
            assert_eq!(&pinned[image.digest_range.unwrap()], sha);
            assert_eq!(
                image.tag.as_deref(),
                image.tag_range.map(|range| &pinned[range])
            );
        }
        let image = ImageRef::parse("ghcr.io/a/b:1").unwrap();
        assert_eq!(
            (image.domain_range, image.path_range, image.tag_range),
            (Some(0..7), 8..11, Some(12..13))
        );
        assert_eq!(
            ImageRef::parse("a").unwrap().effective_tag(),
            Some("latest")
        );
    }

    #[test]
    fn refuses_what_is_none() {
        use ImageRefErrorKind as Kind;
        let long = "a".repeat(256);
        let id = "0123456789abcdef".repeat(4);
        let short = format!("a@sha256:{}", "0".repeat(63));
        let md5 = format!("a@md5:{}", "0".repeat(32));
        let cases = [
            ("", Kind::InvalidFormat),
            (":1", Kind::InvalidFormat),
            ("a:", Kind::InvalidFormat),
            ("a:-b", Kind::InvalidFormat),
            ("a@b", Kind::InvalidFormat),
            ("a..b", Kind::InvalidFormat),
            ("a___b", Kind::InvalidFormat),
            ("a/", Kind::InvalidFormat),
            ("-a/b", Kind::InvalidFormat),
            ("a b", Kind::InvalidFormat),
            ("host:x/a", Kind::InvalidFormat),
            ("Python:3", Kind::Uppercase),
            ("\u{130}a/b", Kind::Uppercase),
            ("a:\u{212a}", Kind::Uppercase),
            ("a/B", Kind::Uppercase),
            (&long, Kind::TooLong),
            (&id, Kind::Identifier),
            (&short, Kind::InvalidDigest),
            (&md5, Kind::InvalidDigest),
        ];
        for (text, kind) in cases {
            assert_eq!(
                ImageRef::parse(text).map_err(|error| error.kind()),
                Err(kind),
                "{text}"
            );
        }
        let error = ImageRef::parse("Python:3").unwrap_err();
        assert_eq!(
            error.message(),
            "invalid reference format: repository name (library/Python) must be lowercase"
        );
    }
}
