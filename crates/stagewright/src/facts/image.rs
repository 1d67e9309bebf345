//! Base images: which row of the tables stands for a reference, and what is known of it.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::sync::Arc;

use serde::Serialize;

use super::base::{self, Offers};
use super::distro::{Distro, Libc};
use super::image_table::{ImageTable, Row};
use super::tag::Tag;
use crate::size::{Basis, Size};

/// A compressed layer of a base image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LayerDigest {
    /// The first 16 hex digits of the blob's SHA-256: enough to see which images share it.
    pub digest: String,
    /// Bytes of the gzip blob, exact.
    pub compressed: u64,
}

/// How well a row of the tables fits the reference that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ImageFit {
    /// The digest is that of the row.
    Digest,
    /// The tag is one of the row's, or was the same build when the alias table was made.
    Tag,
    /// The same release line, another build: 3.7.9 for 3.7.4, or another release of the distribution.
    Line,
    /// Another release line of the same family, variant and libc.
    Family,
}

/// What is known of a base image.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ImageFacts {
    /// The reference as it was asked for, without the default registry: `python:3.7-alpine`.
    pub reference: String,
    /// The image's name: `python`, `gcr.io/distroless/static-debian12`.
    pub family: String,
    /// The tag of the row that stands for the reference.
    pub tag: String,
    /// How well that row fits.
    pub fit: ImageFit,
    /// Why the numbers may be off, where the row is not the build that was asked for.
    pub stale: Option<String>,
    /// Bytes of all files of the image ("virtual size").
    pub uncompressed: Size,
    /// Bytes of the gzip layers: what a pull transfers (linux/amd64).
    pub compressed: Size,
    /// The same for linux/arm64, where a report has it.
    pub compressed_arm64: Option<u64>,
    /// The layers, base first, where a report lists them.
    pub layers: Vec<LayerDigest>,
    /// The C library.
    pub libc: Libc,
    /// The distribution.
    pub distro: Distro,
    /// Environment of the image, `PATH` first. Only what is known.
    pub env: Vec<(String, String)>,
    /// Working directory, `/` where none is set.
    pub workdir: String,
    /// User, `root` where none is set or known.
    pub user: String,
    /// Default command, where known.
    pub cmd: Option<Vec<String>>,
    /// Entry point, where known.
    pub entrypoint: Option<Vec<String>>,
    /// Version of the Python that comes with the image.
    pub python: Option<String>,
    /// Version of the Node.js that comes with the image.
    pub node: Option<String>,
    /// Commands, package manager and packages.
    pub offers: Cow<'static, Offers>,
    /// Digest of the image's configuration (`docker image inspect`'s id), or its first 16 hex digits, where a report has it.
    pub image_id: Option<String>,
    /// Source and date of the sizes.
    pub basis: Basis,
}

impl ImageFacts {
    /// The reference of the image of the same version in the variant of another image of the family: `python:3.7.4` in the variant of
    /// `python:3.7-slim` is `python:3.7.4-slim`. `None` where this reference names no version.
    pub(crate) fn in_variant_of(&self, other: &Self) -> Option<String> {
        let reference = Reference::parse(&self.reference);
        let tag = super::tag::in_variant(reference.tag?, &other.tag)?;
        Some(format!("{}:{tag}", reference.family))
    }

    /// Python's major and minor version, where the image has one.
    pub fn python_version(&self) -> Option<(u32, u32)> {
        match super::tag::numbers(self.python.as_deref()?)[..] {
            [major, minor, ..] => Some((major, minor)),
            _ => None,
        }
    }

    /// Where `pip install` puts packages: the official images build Python under `/usr/local`.
    pub fn site_packages(&self) -> Option<String> {
        let (major, minor) = self.python_version()?;
        Some(if self.family == "python" {
            format!("/usr/local/lib/python{major}.{minor}/site-packages")
        } else {
            format!("/usr/lib/python{major}/dist-packages")
        })
    }
}

/// A reference taken apart: family, tag, digest.
pub(super) struct Reference<'r> {
    pub(super) family: &'r str,
    pub(super) tag: Option<&'r str>,
    digest: Option<&'r str>,
}

/// Names under which registries offer the official images.
const OFFICIAL: [&str; 8] = [
    "docker.io/library/",
    "index.docker.io/library/",
    "registry-1.docker.io/library/",
    "public.ecr.aws/docker/library/",
    "mirror.gcr.io/library/",
    "docker.io/",
    "index.docker.io/",
    "library/",
];

impl<'r> Reference<'r> {
    pub(super) fn parse(text: &'r str) -> Self {
        let (name, digest) = match text.split_once('@') {
            Some((name, digest)) => (name, Some(digest)),
            None => (text, None),
        };
        // A colon before the last slash belongs to the registry's port.
        let path = name.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match name[path..].rfind(':') {
            Some(colon) => (&name[..path + colon], Some(&name[path + colon + 1..])),
            None => (name, None),
        };
        let family = OFFICIAL
            .iter()
            .find_map(|prefix| name.strip_prefix(prefix))
            .unwrap_or(name);
        Self {
            family,
            tag,
            digest,
        }
    }
}

/// A tag that names fewer than three numbers moves from build to build: builds of one line were seen to differ by 7 %
/// (`python:3.13-slim`, 2026-08-05 and 2026-09-01), most by 1 to 3 %.
const MOVING: f64 = 0.03;
const PINNED: f64 = 0.01;
/// Another build of the same release line, and of another one (`reference` in the catalogue: 10 to 30 %).
const LINE: f64 = 0.10;
const FAMILY: f64 = 0.30;

/// What the tables say of `reference` as of a day, newest rows by default. `None`: nothing.
pub(crate) fn find(
    table: &ImageTable,
    reference: &str,
    as_of: Option<&str>,
) -> Option<Arc<ImageFacts>> {
    let asked = (reference.to_owned(), as_of.map(str::to_owned));
    table.found.get(asked, |(reference, as_of)| {
        look_up(table, reference, as_of.as_deref()).map(Arc::new)
    })
}

fn look_up(table: &ImageTable, reference: &str, as_of: Option<&str>) -> Option<ImageFacts> {
    let wanted = Reference::parse(reference);
    let family = table.family(wanted.family);
    let rows: Vec<&Row> = family
        .iter()
        .map(|row| &**row)
        .filter(|row| as_of.is_none_or(|day| row.as_of.as_str() <= day))
        .collect();
    if let Some(digest) = wanted.digest {
        let row = rows.iter().find(|row| has_digest(row, digest));
        if let Some(row) = row {
            return facts(table, &wanted, row, ImageFit::Digest, None);
        }
        wanted.tag?;
    }
    let tag = wanted.tag.unwrap_or("latest");
    let (row, fit) = choose(table, &wanted, tag, &rows, as_of)?;
    let named = format!("{}:{}", row.family, row.tags[0]);
    let stale = match fit {
        _ if wanted.digest.is_some() => Some(format!(
            "the digest is not in the catalogue; `{named}` of {} stands in for it",
            row.as_of
        )),
        ImageFit::Line | ImageFit::Family => Some(format!(
            "`{}:{tag}` is not in the catalogue; `{named}` of {} stands in for it",
            wanted.family, row.as_of
        )),
        _ => as_of
            .filter(|day| years_between(&row.as_of, day) >= 1.0)
            .map(|day| format!("the size is of a build of {}, long before {day}", row.as_of)),
    };
    facts(table, &wanted, row, fit, stale)
}

/// Every sibling with the same language version: same family, same release line, another variant; smallest first.
pub(crate) fn variants(
    table: &ImageTable,
    family: &str,
    version: &str,
    as_of: Option<&str>,
) -> Vec<ImageFacts> {
    let family = Reference::parse(family).family;
    let wanted = super::tag::numbers(version);
    let length = Tag::line_length(family, &wanted).min(wanted.len());
    if length == 0 {
        return Vec::new();
    }
    let mut newest: Vec<(Vec<&str>, &Row)> = Vec::new();
    let rows = table.family(family);
    for row in rows
        .iter()
        .map(|row| &**row)
        .filter(|row| as_of.is_none_or(|day| row.as_of.as_str() <= day))
    {
        let tag = row_tag(row);
        // A preview, or an image whose ONBUILD instructions run by themselves, is no sibling to move to.
        if tag
            .variant
            .iter()
            .any(|word| matches!(*word, "rc" | "onbuild"))
            || tag.version.get(..length) != Some(&wanted[..length])
        {
            continue;
        }
        match newest
            .iter_mut()
            .find(|(variant, _)| *variant == tag.variant)
        {
            Some((_, best)) if best.as_of < row.as_of => *best = row,
            Some(_) => {}
            None => newest.push((tag.variant, row)),
        }
    }
    let mut all: Vec<ImageFacts> = newest
        .into_iter()
        .filter_map(|(_, row)| find(table, &format!("{family}:{}", row.tags[0]), as_of))
        .map(Arc::unwrap_or_clone)
        .collect();
    all.sort_by(|a, b| (a.uncompressed.expected, &a.tag).cmp(&(b.uncompressed.expected, &b.tag)));
    all
}

fn has_digest(row: &Row, digest: &str) -> bool {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    [&row.digest, &row.index_digest]
        .into_iter()
        .flatten()
        .any(|known| {
            let known = known.strip_prefix("sha256:").unwrap_or(known);
            // The tables keep at least the first 16 digits: no two images share them by chance.
            known.len() >= 16 && hex.len() == 64 && hex.starts_with(known)
        })
}

/// The row's own tag, from the tag that says most.
fn row_tag(row: &Row) -> Tag<'_> {
    let mut tag = row
        .tags
        .iter()
        .map(|tag| Tag::parse(&row.family, tag))
        .max_by_key(|tag| tag.version.len())
        .unwrap_or_default();
    tag.suite = None;
    tag
}

/// The newest row that is the tag, else the nearest one of the same variant and libc.
fn choose<'t>(
    table: &'t ImageTable,
    wanted: &Reference,
    tag: &str,
    rows: &[&'t Row],
    as_of: Option<&str>,
) -> Option<(&'t Row, ImageFit)> {
    let newest =
        |rows: &mut dyn Iterator<Item = &'t Row>| rows.max_by_key(|row| row.as_of.as_str());
    let exact = |tags: &[&str]| {
        newest(
            &mut rows
                .iter()
                .copied()
                .filter(|row| row.tags.iter().any(|one| tags.contains(&one.as_str()))),
        )
    };
    let current = as_of.is_none_or(|day| day >= table.aliases_date());
    let same = if current {
        table.same_build(wanted.family, tag)
    } else {
        None
    };
    let Some(same) = same else {
        return exact(&[tag])
            .map(|row| (row, ImageFit::Tag))
            .or_else(|| nearest(wanted.family, &[tag], rows));
    };
    // The tag is built today: a row of years ago is another image that had the same tag.
    let recent: Vec<&'t Row> = rows
        .iter()
        .copied()
        .filter(|row| years_between(&row.as_of, table.aliases_date()) < 2.0)
        .collect();
    if let Some(row) = exact(&same).filter(|row| recent.iter().any(|one| std::ptr::eq(*one, *row)))
    {
        return Some((row, ImageFit::Tag));
    }
    nearest(wanted.family, &same, &recent).or_else(|| nearest(wanted.family, &same, rows))
}

/// The row that comes nearest to a tag (given with all its synonyms, so that `latest` has a version).
fn nearest<'t>(family: &str, tags: &[&str], rows: &[&'t Row]) -> Option<(&'t Row, ImageFit)> {
    let wanted = tags
        .iter()
        .map(|tag| Tag::parse(family, tag))
        .max_by_key(|tag| (tag.version.len(), tag.suite.is_some()))?;
    let line = Tag::line_length(family, &wanted.version).min(wanted.version.len());
    let is_distro = matches!(family, "debian" | "ubuntu");
    rows.iter()
        .filter_map(|row| {
            let tag = row_tag(row);
            if tag.variant != wanted.variant {
                return None;
            }
            let suite = Distro::parse(&row.distro);
            let same_suite = wanted
                .suite
                .is_none_or(|wanted| suite.suite() == Some(wanted));
            let common = tag
                .version
                .iter()
                .zip(&wanted.version)
                .take_while(|(a, b)| a == b)
                .count();
            let distance = match (tag.version.get(common), wanted.version.get(common)) {
                (Some(a), Some(b)) => a.abs_diff(*b),
                _ => 0,
            };
            let same_line = if is_distro {
                same_suite
            } else {
                common >= line && line > 0
            };
            let fit = if same_line {
                ImageFit::Line
            } else {
                ImageFit::Family
            };
            let rank = (
                Reverse(fit),
                common.min(line),
                if same_line {
                    u32::MAX
                } else {
                    u32::MAX - distance
                },
                same_suite,
                row.as_of.as_str(),
                tag.version,
            );
            Some((rank, *row, fit))
        })
        .max_by(|a, b| a.0.cmp(&b.0))
        .map(|(_, row, fit)| (row, fit))
}

fn facts(
    table: &ImageTable,
    wanted: &Reference,
    row: &Row,
    fit: ImageFit,
    stale: Option<String>,
) -> Option<ImageFacts> {
    let (mut uncompressed, mut compressed, basis) = table.sizes(row)?;
    let tag = row_tag(row);
    let error = match fit {
        ImageFit::Digest => 0.0,
        ImageFit::Tag
            if Tag::parse(wanted.family, wanted.tag.unwrap_or("latest"))
                .version
                .len()
                > 2 =>
        {
            PINNED
        }
        ImageFit::Tag => MOVING,
        ImageFit::Line => LINE,
        ImageFit::Family => FAMILY,
    };
    for size in [&mut uncompressed, &mut compressed] {
        let about = Size::within(size.expected, error, error);
        *size = Size::range(
            about.low.min(size.low),
            size.expected,
            about.high.max(size.high),
        );
    }
    let distro = Distro::parse(&row.distro);
    let entry = base::entry(&row.family, &tag.variant, row.libc, &distro);
    let path = row.env.get("PATH").map_or(entry.path, String::as_str);
    let mut env = vec![("PATH".to_owned(), path.to_owned())];
    env.extend(
        row.env
            .iter()
            .filter(|(name, _)| {
                *name != "PATH" && (fit != ImageFit::Family || !name.ends_with("_VERSION"))
            })
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    let asked = Tag::parse(wanted.family, wanted.tag.unwrap_or_default()).version;
    let version = |family: &str, name: &str| {
        // The row of another release line has its size to offer, not its version.
        if fit == ImageFit::Family && row.family == family && !asked.is_empty() {
            return Some(dotted(&asked));
        }
        let written = row.env.get(name).cloned();
        written.or_else(|| {
            (row.family == family)
                .then(|| dotted(&tag.version))
                .filter(|text| !text.is_empty())
        })
    };
    let at = wanted
        .digest
        .map_or_else(String::new, |digest| format!("@{digest}"));
    let colon = wanted.tag.map_or_else(String::new, |tag| format!(":{tag}"));
    Some(ImageFacts {
        reference: format!("{}{colon}{at}", wanted.family),
        family: row.family.clone(),
        tag: row.tags[0].clone(),
        fit,
        stale,
        uncompressed,
        compressed,
        compressed_arm64: row.compressed_arm64,
        layers: row
            .layers
            .iter()
            .map(|(digest, compressed)| LayerDigest {
                digest: digest.clone(),
                compressed: *compressed,
            })
            .collect(),
        libc: row.libc,
        distro,
        env,
        workdir: row
            .workdir
            .as_deref()
            .or(entry.workdir)
            .unwrap_or("/")
            .to_owned(),
        user: row.user.as_deref().unwrap_or("root").to_owned(),
        cmd: row.cmd.clone(),
        entrypoint: row.entrypoint.clone(),
        python: version("python", "PYTHON_VERSION"),
        node: version("node", "NODE_VERSION"),
        offers: entry.offers,
        image_id: row.config.clone(),
        basis,
    })
}

fn dotted(version: &[u32]) -> String {
    version
        .iter()
        .map(u32::to_string)
        .collect::<Vec<_>>()
        .join(".")
}

/// Years from one day to a later one (`YYYY-MM-DD`), to within a few days; 0 where a day cannot be read.
fn years_between(from: &str, to: &str) -> f64 {
    let days = |day: &str| {
        let mut numbers = day.split('-').map(|part| part.parse::<f64>().ok());
        Some(numbers.next()?? * 365.25 + (numbers.next()?? - 1.0) * 30.44 + numbers.next()??)
    };
    match (days(from), days(to)) {
        (Some(from), Some(to)) => (to - from) / 365.25,
        _ => 0.0,
    }
}
