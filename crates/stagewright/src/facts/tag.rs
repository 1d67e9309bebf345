//! What the tag of an official image says: version, variant and suite.

use super::distro;

/// A tag taken apart: `3.7.4-slim-buster` is version 3.7.4, variant `slim`, suite `buster`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tag<'t> {
    /// The numbers of the leading version, empty for `latest`, `slim`, `bookworm`.
    pub(crate) version: Vec<u32>,
    /// The words that name neither version nor suite, sorted: `alpine`, `slim`, `jre`, `fpm`.
    pub(crate) variant: Vec<&'t str>,
    /// The release of the distribution: a code name, or the number behind `alpine`.
    pub(crate) suite: Option<&'t str>,
}

/// Words that say which build is meant, not what is in it.
const MOVING: [&str; 6] = ["latest", "stable", "lts", "current", "mainline", "edge"];

impl<'t> Tag<'t> {
    /// Takes a tag apart. `family` matters for images that are a distribution themselves: `debian:12` names a suite.
    pub(crate) fn parse(family: &str, tag: &'t str) -> Self {
        let mut parsed = Self::default();
        for word in tag.split('-') {
            if parsed.version.is_empty() && word.starts_with(|first: char| first.is_ascii_digit()) {
                parsed.version = numbers(word);
                if is_preview(word) && !tag.contains("-rc") {
                    parsed.variant.push("rc");
                }
            } else if let Some(release) = word.strip_prefix("alpine") {
                parsed.variant.push("alpine");
                if !release.is_empty() {
                    parsed.suite = Some(release);
                }
            } else if distro::release_of(word).is_some() {
                parsed.suite = Some(word);
            } else if !MOVING.contains(&word) && !word.is_empty() {
                parsed.variant.push(word);
            }
        }
        if parsed.suite.is_none() {
            parsed.suite = distro::codename(family, &parsed.version);
        }
        parsed.variant.sort_unstable();
        parsed
    }

    /// How many leading numbers of the version make a release line: two while the first is small (Python 3.12, Go 1.22,
    /// PHP 8.3), else one (Node 22, Postgres 17).
    pub(crate) fn line_length(family: &str, version: &[u32]) -> usize {
        match version.first() {
            Some(_) if family == "php" => 2,
            Some(&first) if first > 4 => 1,
            _ => 2,
        }
    }
}

/// The tag of the same version in another variant: `3.7.4-buster` with the variant of `3.7-slim` is `3.7.4-slim-buster`. `None` where
/// the tag names no version.
pub(crate) fn in_variant(written: &str, of: &str) -> Option<String> {
    let is_suite = |word: &&str| distro::release_of(word).is_some();
    let mut words = written.split('-');
    let version = words
        .next()
        .filter(|word| word.starts_with(|first: char| first.is_ascii_digit()))?;
    let suite = words.find(is_suite);
    let mut tag = vec![version];
    // A release of Alpine is none of Debian, and an image moves to whatever release is current.
    let variant = of.split('-').skip(1).filter(|word| !is_suite(word));
    tag.extend(variant.map(|word| {
        if word.starts_with("alpine") {
            "alpine"
        } else {
            word
        }
    }));
    if !tag.contains(&"alpine") {
        tag.extend(suite);
    }
    Some(tag.join("-"))
}

/// `3.8.0b2`, `3.15.0rc1`: a build before the release, and no stand-in for one after it.
fn is_preview(word: &str) -> bool {
    let after = word.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    ["a", "b", "rc"].iter().any(|mark| {
        after
            .strip_prefix(mark)
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// The numbers of a version up to the first that is none: `3.8.0b2` is 3, 8, 0.
pub(crate) fn numbers(word: &str) -> Vec<u32> {
    let mut all = Vec::new();
    for part in word.split(['.', '_']) {
        let digits = part.len() - part.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        match part[..digits].parse() {
            Ok(number) => all.push(number),
            Err(_) => break,
        }
        if digits < part.len() {
            break;
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_tags_apart() {
        let tag = Tag::parse("python", "3.7.4-slim-buster");
        assert_eq!(
            (tag.version, tag.variant, tag.suite),
            (vec![3, 7, 4], vec!["slim"], Some("buster"))
        );
        let tag = Tag::parse("php", "8.2-fpm-alpine3.17");
        assert_eq!(
            (tag.version, tag.variant, tag.suite),
            (vec![8, 2], vec!["alpine", "fpm"], Some("3.17"))
        );
        assert_eq!(Tag::parse("python", "latest"), Tag::default());
        assert_eq!(Tag::parse("debian", "12-slim").suite, Some("bookworm"));
        assert_eq!(Tag::parse("ubuntu", "22.04").suite, Some("jammy"));
        let tag = Tag::parse("python", "3.8.0b2-slim");
        assert_eq!(
            (tag.version, tag.variant),
            (vec![3, 8, 0], vec!["rc", "slim"])
        );
        assert_eq!(Tag::parse("openjdk", "8u151-jre").variant, ["jre"]);
        assert_eq!(
            Tag::parse("python", "99999999999999").version,
            [0_u32; 0],
            "too large for a version"
        );
    }
}
