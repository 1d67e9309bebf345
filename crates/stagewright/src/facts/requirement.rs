//! One requirement as PEP 508 writes it: name, extras, versions or a URL, and a marker.
//!
//! An own reader: `pep508_rs` would bring 51 crates for URLs, regular expressions and Unicode tables. Versions are `pep440_rs`'s.

use std::str::FromStr as _;

use pep440_rs::{Operator, Version, VersionSpecifiers};
use serde::Serialize;

use super::marker::{self, Interpreter};
use super::wheel::normalize_name;

/// A package that a requirement file asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Requirement {
    /// The name as PEP 503 normalizes it; empty for a folder or an archive whose name the file does not tell.
    pub name: String,
    /// The version, where exactly one is allowed (`==` without `*`, `===`).
    pub version: Option<String>,
    /// The versions allowed, as written: `>=1.0,<2`.
    pub versions: String,
    /// Extras, normalized, in the order written.
    pub extras: Vec<String>,
    /// Where it comes from if not from the package index: a URL, a path, a repository.
    pub source: Option<String>,
    /// `-e`: installed in place, nothing is copied.
    pub editable: bool,
    /// The marker as written.
    pub marker: Option<String>,
    /// Whether the marker holds for the Python that was asked about, on Linux x86-64. True without a marker.
    pub applies: bool,
    /// Allowed hashes, `sha256:…`.
    pub hashes: Vec<String>,
    /// The file it stands in, as it was included.
    pub file: String,
    /// The first line of it, 1-based.
    pub line: u32,
}

impl Requirement {
    /// Whether a version satisfies the versions allowed.
    pub fn allows(&self, version: &str) -> bool {
        match (
            VersionSpecifiers::from_str(&self.versions),
            Version::from_str(version),
        ) {
            (Ok(allowed), Ok(version)) => allowed.contains(&version),
            _ => false,
        }
    }
}

/// Reads what stands before the options of a line.
pub(crate) fn read(text: &str, interpreter: Interpreter) -> Result<Requirement, String> {
    let text = text.trim();
    let mut requirement = Requirement {
        name: String::new(),
        version: None,
        versions: String::new(),
        extras: Vec::new(),
        source: None,
        editable: false,
        marker: None,
        applies: true,
        hashes: Vec::new(),
        file: String::new(),
        line: 0,
    };
    if is_place(text) {
        return place(text, requirement, interpreter);
    }
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.'))
        .unwrap_or(text.len());
    let name = &text[..end];
    let edges = |c: char| c.is_ascii_alphanumeric();
    if !name.starts_with(edges) || !name.ends_with(edges) {
        return Err(format!(
            "`{}` does not start with the name of a package",
            excerpt(text)
        ));
    }
    requirement.name = normalize_name(name);
    let mut rest = text[end..].trim_start();
    if let Some(inside) = rest.strip_prefix('[') {
        let (extras, after) = inside
            .split_once(']')
            .ok_or("`[` of the extras has no `]`")?;
        requirement.extras = self::extras(extras)?;
        rest = after.trim_start();
    }
    if let Some(url) = rest.strip_prefix('@') {
        // A marker after a URL stands behind white space, for `;` may be part of it.
        let (url, marker) = match url.trim_start().split_once(|c: char| c.is_whitespace()) {
            Some((url, rest)) => (url, rest.trim_start().strip_prefix(';')),
            None => (url.trim_start(), None),
        };
        if url.is_empty() {
            return Err("`@` is not followed by a URL".to_owned());
        }
        requirement.source = Some(url.to_owned());
        return with_marker(requirement, marker, interpreter);
    }
    let (versions, marker) = match rest.split_once(';') {
        Some((versions, marker)) => (versions, Some(marker)),
        None => (rest, None),
    };
    let versions = versions.trim();
    let versions = match versions.strip_prefix('(') {
        Some(inside) => inside
            .strip_suffix(')')
            .ok_or("`(` of the versions has no `)`")?
            .trim(),
        None => versions,
    };
    let versions = versions.strip_suffix(',').unwrap_or(versions);
    let allowed = VersionSpecifiers::from_str(versions)
        .map_err(|_| format!("`{}` does not say which versions", excerpt(versions)))?;
    if let [one] = &allowed[..] {
        let exact = matches!(one.operator(), Operator::Equal | Operator::ExactEqual);
        requirement.version = exact.then(|| one.version().to_string());
    }
    versions.clone_into(&mut requirement.versions);
    with_marker(requirement, marker, interpreter)
}

/// A folder, an archive or a URL in the place of a name.
fn place(
    text: &str,
    mut requirement: Requirement,
    interpreter: Interpreter,
) -> Result<Requirement, String> {
    let (source, marker) = match text.split_once(" ;") {
        Some((source, marker)) => (source.trim_end(), Some(marker)),
        None => (text, None),
    };
    let (path, fragment) = source.split_once('#').unwrap_or((source, ""));
    let egg = fragment
        .split('&')
        .find_map(|part| part.strip_prefix("egg="));
    let file = path
        .trim_end_matches('/')
        .rsplit('/')
        .next()
        .unwrap_or_default();
    if let Some(egg) = egg {
        let (name, rest) = egg.split_once('[').unwrap_or((egg, ""));
        requirement.name = normalize_name(name);
        requirement.extras = extras(rest.strip_suffix(']').unwrap_or(rest))?;
    } else if let Some(wheel) = file.strip_suffix(".whl") {
        // name-version(-build)?-python-abi-platform
        let mut parts = wheel.split('-');
        requirement.name = normalize_name(parts.next().unwrap_or_default());
        requirement.version = parts.next().map(str::to_owned);
    }
    requirement.source = Some(source.to_owned());
    with_marker(requirement, marker, interpreter)
}

/// What pip takes for a path or a URL rather than a name.
fn is_place(text: &str) -> bool {
    let word = text.split([' ', ';', '@', '[']).next().unwrap_or_default();
    let archive = [".whl", ".tar.gz", ".zip", ".tar.bz2", ".tgz"];
    let url = text.find("://").is_some_and(|at| {
        text[..at]
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    });
    url || word.starts_with('.')
        || word.starts_with('/')
        || archive.iter().any(|end| word.ends_with(end))
        || (word.contains('/') && !text.contains(" @ "))
}

fn with_marker(
    mut requirement: Requirement,
    marker: Option<&str>,
    interpreter: Interpreter,
) -> Result<Requirement, String> {
    if let Some(marker) = marker {
        requirement.applies = marker::applies(marker, interpreter)?;
        requirement.marker = Some(marker.trim().to_owned());
    }
    Ok(requirement)
}

fn extras(list: &str) -> Result<Vec<String>, String> {
    let names = list
        .split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty());
    names
        .map(|name| {
            let plain = name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
            if plain {
                Ok(normalize_name(name))
            } else {
                Err(format!("`{}` is no extra", excerpt(name)))
            }
        })
        .collect()
}

/// The start of a text that may be long or hold control characters, for a message.
pub(crate) fn excerpt(text: &str) -> String {
    let mut short: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_37(text: &str) -> Result<Requirement, String> {
        read(text, Interpreter { python: (3, 7) })
    }

    #[test]
    fn names_versions_extras_markers() {
        let one = on_37("Flask-Admin==1.5.3").expect("valid");
        assert_eq!(
            (one.name.as_str(), one.version.as_deref()),
            ("flask-admin", Some("1.5.3"))
        );
        let one = on_37("uvicorn[standard, Watch] >= 0.20 , < 1 ; python_version < '3.8'")
            .expect("valid");
        assert_eq!(
            (one.extras, one.applies, one.version),
            (vec!["standard".to_owned(), "watch".to_owned()], true, None)
        );
        let one = on_37("zope.interface (>=5,<6)").expect("valid");
        assert_eq!(
            (one.name.as_str(), one.versions.as_str()),
            ("zope-interface", ">=5,<6")
        );
        assert!(one.allows("5.4.0") && !one.allows("6.0") && !one.allows("nonsense"));
        assert!(!on_37("x; python_version >= '3.8'").expect("valid").applies);
        assert_eq!(on_37("x==1.*").expect("valid").version, None);
        assert_eq!(on_37("x~=1.4.2").expect("valid").version, None);
        assert_eq!(
            on_37("torch==2.1.0+cpu").expect("valid").version.as_deref(),
            Some("2.1.0+cpu")
        );
    }

    #[test]
    fn places() {
        let one =
            on_37("app @ https://example.invalid/app-1.0.tar.gz ; os_name == 'nt'").expect("valid");
        assert_eq!((one.name.as_str(), one.applies), ("app", false));
        assert_eq!(
            one.source.as_deref(),
            Some("https://example.invalid/app-1.0.tar.gz")
        );
        let one =
            on_37("git+https://example.invalid/x.git@main#egg=Some_Thing[extra]&subdirectory=a")
                .expect("valid");
        assert_eq!(
            (one.name.as_str(), one.extras),
            ("some-thing", vec!["extra".to_owned()])
        );
        let one = on_37("./wheels/numpy-1.26.0-cp312-cp312-linux_x86_64.whl").expect("valid");
        assert_eq!(
            (one.name.as_str(), one.version.as_deref()),
            ("numpy", Some("1.26.0"))
        );
        assert_eq!(on_37(".").expect("valid").source.as_deref(), Some("."));
        assert_eq!(on_37("libs/own").expect("valid").name, "");
    }

    #[test]
    fn what_is_broken_is_an_error() {
        for text in [
            "",
            "==1.0",
            "flask=1.0",
            "flask 1.0",
            "flask==",
            "flask[admin",
            "flask (>=1",
            "flask>=1;",
            "flask @",
            "-flask",
            "flask-",
            "flask==1.0 jinja2",
            "\u{0}",
            "ünicode",
            "flask[a b]",
            "flask >= one",
        ] {
            assert!(on_37(text).is_err(), "{text:?}: {:?}", on_37(text));
        }
        assert!(excerpt(&"x".repeat(1000)).chars().count() < 70);
    }
}
