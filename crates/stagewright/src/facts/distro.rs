//! Distributions and their releases (`catalog/distros.toml`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

/// The C library that programs of an image are linked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Libc {
    /// GNU: Debian, Ubuntu, Fedora, distroless. Takes manylinux wheels.
    Glibc,
    /// musl: Alpine. Takes musllinux wheels only.
    Musl,
    /// None, uClibc, or not known.
    Other,
}

/// A family of distributions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DistroId {
    /// Debian.
    Debian,
    /// Ubuntu.
    Ubuntu,
    /// Alpine Linux.
    Alpine,
    /// Fedora.
    Fedora,
    /// Amazon Linux.
    Amazon,
    /// Another one, or none.
    Other,
}

/// The distribution of an image.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
pub struct Distro {
    /// Which one.
    pub id: DistroId,
    /// Its release, `12` or `3.24`, where known.
    pub version: Option<String>,
    /// The release's code name, `bookworm`, where it has one.
    pub codename: Option<String>,
}

impl Distro {
    /// Reads `debian 12`, `alpine 3.24`, `ubuntu 24.04` as the tables write them.
    pub(crate) fn parse(text: &str) -> Self {
        let (name, version) = text.split_once(' ').unwrap_or((text, ""));
        let id = match name {
            "debian" => DistroId::Debian,
            "ubuntu" => DistroId::Ubuntu,
            "alpine" => DistroId::Alpine,
            "fedora" => DistroId::Fedora,
            "amazonlinux" => DistroId::Amazon,
            _ => DistroId::Other,
        };
        let version = Some(version).filter(|version| {
            version.starts_with(|first: char| first.is_ascii_digit()) || *version == "edge"
        });
        let codename = version
            .and_then(|version| codename(name, &super::tag::numbers(version)))
            .map(str::to_owned);
        Self {
            id,
            version: version.map(str::to_owned),
            codename,
        }
    }

    /// What a tag would call the release: the code name, or the first two numbers of the version.
    pub(crate) fn suite(&self) -> Option<&str> {
        if self.codename.is_some() {
            return self.codename.as_deref();
        }
        let version = self.version.as_deref()?;
        let end = version
            .match_indices('.')
            .nth(1)
            .map_or(version.len(), |(dot, _)| dot);
        Some(&version[..end])
    }
}

type Releases = BTreeMap<String, BTreeMap<String, String>>;

static RELEASES: LazyLock<Releases> = LazyLock::new(|| {
    toml::from_str(include_str!("../../catalog/distros.toml"))
        .expect("catalog/distros.toml is valid")
});

/// The distribution and release that a code name stands for.
pub(crate) fn release_of(codename: &str) -> Option<(&'static str, &'static str)> {
    RELEASES.iter().find_map(|(name, releases)| {
        releases
            .get(codename)
            .map(|version| (name.as_str(), version.as_str()))
    })
}

/// The code name of a release: Debian's by its first number, Ubuntu's by the first two.
pub(crate) fn codename(distro: &str, version: &[u32]) -> Option<&'static str> {
    let release = match (distro, version) {
        ("debian", [major, ..]) => major.to_string(),
        ("ubuntu", [year, month, ..]) => format!("{year}.{month:02}"),
        _ => return None,
    };
    RELEASES
        .get(distro)?
        .iter()
        .find_map(|(name, version)| (*version == release).then_some(name.as_str()))
}

/// Whether a word is the code name of a release of a distribution.
pub(super) fn is_release(distro: &str, word: &str) -> bool {
    let mut releases = RELEASES.get(distro).into_iter().flatten();
    releases.any(|(name, _)| name == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_have_names() {
        assert_eq!(
            Distro::parse("debian 10").codename.as_deref(),
            Some("buster")
        );
        assert_eq!(Distro::parse("ubuntu 22.04").suite(), Some("jammy"));
        assert_eq!(Distro::parse("alpine 3.10.3").suite(), Some("3.10"));
        assert_eq!(Distro::parse("alpine ?").version, None);
        assert_eq!(release_of("bookworm"), Some(("debian", "12")));
        assert_eq!(release_of("slim"), None);
    }
}
