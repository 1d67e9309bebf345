//! A base image that was measured: its own numbers instead of a row of the tables.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::base;
use super::distro::{Distro, DistroId, Libc};
use super::image::{ImageFacts, ImageFit, LayerDigest, Reference};
use super::tag::Tag;
use crate::size::{Basis, Size};

/// What was measured of an image. It stands in [`crate::Options::images`] under the reference that a Dockerfile writes, and goes before
/// what the catalogue says of that reference; what is left out here stays as the catalogue has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeasuredImage {
    /// Bytes of the files of all layers.
    pub uncompressed: u64,
    /// Between which numbers [`Self::uncompressed`] lies, where it was not counted file by file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uncompressed_range: Option<[u64; 2]>,
    /// Bytes of all layers as a registry holds them.
    pub compressed: u64,
    /// The day it was measured, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub date: Option<String>,
    /// The layers' digests, base first (`sha256:…`): a host that has one does not pull it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layers: Vec<String>,
    /// Compressed bytes of each of [`Self::layers`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub layer_bytes: Vec<u64>,
    /// Distribution and release: `debian 12`, `alpine 3.20`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub distro: Option<String>,
    /// The C library: `glibc` or `musl`. Where it is left out, the catalogue's, or that of the distribution.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub libc: Option<String>,
    /// Version of the Python that the image runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub python: Option<String>,
    /// Version of the Node.js that the image runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// Environment, each as `NAME=VALUE`. Where it is empty, the catalogue's is taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub env: Vec<String>,
    /// Working directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workdir: Option<String>,
    /// User.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// Default command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cmd: Option<Vec<String>>,
    /// Entry point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entrypoint: Option<Vec<String>>,
    /// What estimates give as the source of the numbers; the reference, measured, if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The distribution packages that are installed, all of them. Where it is empty, the catalogue's are taken.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub packages: Vec<String>,
}

impl MeasuredImage {
    /// The facts of the image of this reference; `known` is what the catalogue has on it.
    pub(crate) fn facts(&self, reference: &str, known: Option<&ImageFacts>) -> ImageFacts {
        let mut facts = known
            .cloned()
            .unwrap_or_else(|| unlisted(reference, self.distro.as_deref()));
        facts.fit = ImageFit::Digest;
        facts.stale = None;
        facts.uncompressed = match self.uncompressed_range {
            // The same layers: their files were counted.
            Some(_) if self.has_layers_of(&facts) => facts.uncompressed,
            Some([low, high]) => Size::range(low, self.uncompressed, high),
            None => Size::exact(self.uncompressed),
        };
        facts.compressed = Size::exact(self.compressed);
        facts.compressed_arm64 = None;
        let layers = self.layers.iter().zip(&self.layer_bytes);
        facts.layers = layers
            .map(|(digest, compressed)| LayerDigest {
                digest: short_digest(digest),
                compressed: *compressed,
            })
            .collect();
        facts.image_id = None;
        let source = self.source.clone();
        facts.basis = Basis {
            source: source
                .unwrap_or_else(|| format!("`{reference}`, measured"))
                .into(),
            date: self.date.as_deref().map(Arc::from),
        };
        if let Some(distro) = &self.distro {
            facts.distro = Distro::parse(distro);
        }
        match self.libc.as_deref() {
            Some("glibc") => facts.libc = Libc::Glibc,
            Some("musl") => facts.libc = Libc::Musl,
            _ => {}
        }
        if let Some(workdir) = &self.workdir {
            facts.workdir.clone_from(workdir);
        }
        if let Some(user) = &self.user {
            facts.user.clone_from(user);
        }
        facts.cmd = self.cmd.clone().or(facts.cmd);
        facts.entrypoint = self.entrypoint.clone().or(facts.entrypoint);
        facts.python = self.python.clone().or(facts.python);
        facts.node = self.node.clone().or(facts.node);
        if !self.env.is_empty() {
            let pairs = self.env.iter().filter_map(|pair| pair.split_once('='));
            facts.env = pairs
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
        }
        if !self.packages.is_empty() {
            let packages = self.packages.iter().map(|name| Arc::from(&**name));
            facts.offers.to_mut().packages = Arc::new(packages.collect());
        }
        facts
    }
}

impl MeasuredImage {
    fn has_layers_of(&self, facts: &ImageFacts) -> bool {
        let known = facts.layers.iter().map(|layer| layer.digest.as_str());
        !facts.layers.is_empty() && known.eq(self.layers.iter().map(|digest| short_digest(digest)))
    }
}

/// A digest as the catalogue has it: its first 16 hex digits ([`LayerDigest::digest`]).
fn short_digest(digest: &str) -> String {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.chars().take(16).collect()
}

/// An image that no table lists: what its name and its distribution say.
fn unlisted(reference: &str, distro: Option<&str>) -> ImageFacts {
    let name = Reference::parse(reference);
    let tag = name.tag.unwrap_or("latest");
    let distro = Distro::parse(distro.unwrap_or_default());
    let libc = if distro.id == DistroId::Alpine {
        Libc::Musl
    } else {
        Libc::Glibc
    };
    let entry = base::entry(
        name.family,
        &Tag::parse(name.family, tag).variant,
        libc,
        &distro,
    );
    ImageFacts {
        reference: reference.to_owned(),
        family: name.family.to_owned(),
        tag: tag.to_owned(),
        fit: ImageFit::Digest,
        stale: None,
        uncompressed: Size::ZERO,
        compressed: Size::ZERO,
        compressed_arm64: None,
        layers: Vec::new(),
        libc,
        distro,
        env: vec![("PATH".to_owned(), entry.path.to_owned())],
        workdir: entry.workdir.unwrap_or("/").to_owned(),
        user: "root".to_owned(),
        cmd: None,
        entrypoint: None,
        python: None,
        node: None,
        offers: entry.offers,
        image_id: None,
        basis: Basis::new(""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Catalog;

    fn measured() -> MeasuredImage {
        MeasuredImage {
            uncompressed: 100,
            compressed: 40,
            distro: Some("debian 12".into()),
            env: vec!["PATH=/bin".into()],
            packages: vec!["curl".into()],
            ..MeasuredImage::default()
        }
    }

    #[test]
    fn a_measured_image_keeps_what_was_not_measured() {
        let known = Catalog::builtin().image("python:3.12-slim", None);
        let facts = measured().facts("python:3.12-slim", known.as_ref());
        assert_eq!(facts.uncompressed, Size::exact(100));
        assert_eq!(facts.distro.codename.as_deref(), Some("bookworm"));
        assert_eq!(facts.python_version(), Some((3, 12)));
        assert_eq!(facts.env, [("PATH".to_owned(), "/bin".to_owned())]);
        assert_eq!(*facts.offers.packages, [Arc::from("curl")]);
        assert!(facts.offers.path_exclude && facts.offers.command("pip") == Some(true));
    }

    #[test]
    fn an_image_that_no_table_lists_is_known_once_measured() {
        let facts = measured().facts("example.org/team/base:7", None);
        assert_eq!(
            (facts.family.as_str(), facts.tag.as_str()),
            ("example.org/team/base", "7")
        );
        assert_eq!(
            (facts.compressed, facts.libc),
            (Size::exact(40), Libc::Glibc)
        );
    }
}
