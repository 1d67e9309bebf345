//! Images that exist: what each layer holds, what is hidden or twice there, what it is made of.
//!
//! Read are archives of `docker save` (the old form with a `layer.tar` for each layer, and the one that holds an OCI layout) and OCI
//! layouts, as a tar or as a folder, with layers as they are or under gzip or zstd. Contents are counted and hashed as they pass and never
//! kept; nothing is unpacked, nothing is written.

pub(crate) mod blob;
pub(crate) mod entry;
mod error;
mod kind;
pub(crate) mod manifest;
mod stack;
pub(crate) mod tar;
mod waste;

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

pub use self::blob::Packing;
pub use self::entry::Limits;
use self::entry::{Content, Entries, EntryKind};
pub use self::error::MeasureError;
use self::manifest::Choice;
use crate::options::{OptionsError, Platform};
use crate::size::Kind;

/// What is measured, and how much of it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct MeasureOptions {
    /// Which image, by its name, where the archive holds several.
    pub image: Option<String>,
    /// The platform, where the image is there for several: `linux/amd64` if absent.
    pub platform: Option<Platform>,
    /// Whether layers that are not compressed are read whole and held against their digests. Compressed ones always are, since they must
    /// be read anyway.
    pub verify: bool,
    /// The most rows of each list: largest files, wasteful paths, duplicates. 20 by default.
    pub rows: usize,
    /// How much the image may hold.
    pub limits: Limits,
}

impl Default for MeasureOptions {
    fn default() -> Self {
        Self {
            image: None,
            platform: None,
            verify: false,
            rows: 20,
            limits: Limits::default(),
        }
    }
}

impl MeasureOptions {
    /// The options from the words that a person writes.
    pub fn from_words(image: Option<&str>, platform: Option<&str>) -> Result<Self, OptionsError> {
        Ok(Self {
            image: image.map(str::to_owned),
            platform: platform.map(str::parse).transpose()?,
            ..Self::default()
        })
    }
}

/// A measured image.
///
/// ```no_run
/// use stagewright::Image;
///
/// let image = Image::open("app.tar")?;
/// println!("{} bytes, of which {} are hidden", image.bytes, image.hidden);
/// for layer in &image.layers {
///     println!("{} {}", layer.bytes, layer.instruction);
/// }
/// # Ok::<(), stagewright::MeasureError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Image {
    /// The names that the archive gives it, `app:1`.
    pub names: Vec<String>,
    /// The digest of its configuration (`docker image inspect`'s id), where the archive names one.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// What it runs on, where it says so.
    pub platform: Option<String>,
    /// The platforms that the archive names; empty where it names none.
    pub platforms: Vec<String>,
    /// When it was made, as it says itself (RFC 3339).
    pub created: Option<String>,
    /// The distribution of its `os-release`, `debian 12`.
    pub distro: Option<String>,
    /// Its C library, by the loaders that lie in it: `glibc` or `musl`.
    pub libc: Option<&'static str>,
    /// How a container of it starts.
    pub settings: Settings,
    /// Entries of all layers' tars, white-outs among them.
    pub entries: u64,
    /// Files of all layers: no folders, links or white-outs.
    pub files: u64,
    /// Bytes of the files of all layers ("virtual size").
    pub bytes: u64,
    /// Bytes of all layers as tars.
    pub tar: u64,
    /// Bytes of all layers as they are compressed; nothing where one is not.
    pub compressed: Option<u64>,
    /// Bytes that later layers remove or replace, or that stand twice in one layer: paid for and never seen. By path, so a file that is
    /// removed and lives on under a hard link is among them.
    pub hidden: u64,
    /// Bytes of all paths that take bytes in more than one layer, as dive counts them.
    pub wasted: u64,
    /// The least that the paths could take over what they take, as dive counts it: 1 where nothing is there twice.
    pub efficiency: f64,
    /// Bytes that are there under another path too: all but one of each group of [`Self::duplicates`].
    pub duplicated: u64,
    /// The layers, base first.
    pub layers: Vec<Layer>,
    /// What the files are made of, most bytes first.
    pub kinds: Vec<KindBytes>,
    /// The largest files of all layers.
    pub largest: Vec<FileBytes>,
    /// The paths that waste most ([`Self::wasted`]).
    pub waste: Vec<Waste>,
    /// Files with one content and several paths, those first that cost most.
    pub duplicates: Vec<Duplicate>,
    /// What to know about the numbers, in sentences.
    pub notes: Vec<String>,
}

/// How a container of an image starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Settings {
    /// Environment, as `NAME=VALUE`, in order.
    pub env: Vec<String>,
    /// Working directory; empty for the root.
    pub workdir: String,
    /// User; empty for root.
    pub user: String,
    /// Default command.
    pub cmd: Option<Vec<String>>,
    /// Entry point.
    pub entrypoint: Option<Vec<String>>,
}

/// A measured layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Layer {
    /// The instruction that made it, from the image's history; empty where that says nothing.
    pub instruction: String,
    /// Its digest (`sha256:…`), of the blob where the archive names it, else of the tar; empty where the archive says nothing.
    pub digest: String,
    /// Whether the bytes were held against that digest.
    pub verified: bool,
    /// How it is compressed.
    pub packing: Packing,
    /// Entries of its tar, white-outs among them.
    pub entries: u64,
    /// Files: no folders, links or white-outs.
    pub files: u64,
    /// Bytes of the files: the sum of the sizes of its tar's entries.
    pub bytes: u64,
    /// Bytes of the tar.
    pub tar: u64,
    /// Bytes of the blob, where it is compressed.
    pub compressed: Option<u64>,
    /// Bytes of lower layers that it removes or replaces.
    pub hidden: u64,
    /// Its part of [`Image::wasted`].
    pub wasted: u64,
    /// What its files are made of, most bytes first.
    pub kinds: Vec<KindBytes>,
    /// Its largest files.
    pub largest: Vec<FileBytes>,
}

/// Bytes of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct KindBytes {
    /// The kind.
    pub kind: Kind,
    /// Files of it.
    pub files: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// A stored file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FileBytes {
    /// Where it lies, from the root.
    pub path: String,
    /// Its bytes.
    pub bytes: u64,
    /// Its layer, counted from 0.
    pub layer: usize,
}

/// A path that takes bytes in several layers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Waste {
    /// The path.
    pub path: String,
    /// Its bytes in all layers.
    pub bytes: u64,
    /// The layers, counted from 0.
    pub layers: Vec<usize>,
}

/// Files with one content and several paths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Duplicate {
    /// The SHA-256 of the content, in hex.
    pub digest: String,
    /// Bytes of one of them.
    pub bytes: u64,
    /// How many paths there are.
    pub count: u64,
    /// The first of them in order, ten at most.
    pub paths: Vec<String>,
}

/// A layer with its entries, as it was read.
pub(crate) struct Read {
    pub(crate) entries: Entries,
    pub(crate) packing: Packing,
    pub(crate) stored: u64,
    pub(crate) verified: bool,
}

impl Image {
    /// The bytes that a container sees.
    pub fn visible(&self) -> u64 {
        self.bytes - self.hidden
    }

    /// Counts what was read.
    pub(crate) fn new(choice: Choice, read: Vec<Read>, options: &MeasureOptions) -> Self {
        let rows = options.rows;
        let (all, facts): (Vec<Entries>, Vec<_>) = read
            .into_iter()
            .map(|one| (one.entries, (one.packing, one.stored, one.verified)))
            .unzip();
        let stacked = stack::stack(&all);
        let occurrences = waste::occurrences(&all, &stacked.removed);
        let efficiency = waste::efficiency(occurrences.values());
        let mut wasted = vec![0; all.len()];
        let mut waste: Vec<Waste> = Vec::new();
        for (path, found) in occurrences
            .iter()
            .filter(|(_, found)| found.layers.len() > 1)
        {
            for (layer, bytes) in &found.layers {
                wasted[*layer] += bytes;
            }
            if found.bytes() > 0 {
                waste.push(Waste {
                    path: format!("/{path}"),
                    bytes: found.bytes(),
                    layers: found.layers.iter().map(|(layer, _)| *layer).collect(),
                });
            }
        }
        waste.sort_by(|a, b| (Reverse(a.bytes), &a.path).cmp(&(Reverse(b.bytes), &b.path)));
        waste.truncate(rows);
        let (duplicated, duplicates) = duplicates(&all, rows);
        let mut instructions = choice.config.instructions();
        // A history that does not fit the layers says nothing of them.
        if instructions.len() != all.len() {
            instructions = vec![String::new(); all.len()];
        }
        let mut layers = Vec::new();
        for (at, (entries, (packing, stored, verified))) in all.iter().zip(facts).enumerate() {
            layers.push(Layer {
                instruction: std::mem::take(&mut instructions[at]),
                digest: choice.layers[at].digest.clone(),
                verified,
                packing,
                entries: entries.all.len() as u64,
                files: files(entries).count() as u64,
                bytes: files(entries).map(|(_, _, bytes)| bytes).sum(),
                tar: entries.tar,
                compressed: (packing != Packing::None).then_some(stored),
                hidden: stacked.hidden[at],
                wasted: wasted[at],
                kinds: kinds(files(entries)),
                largest: largest(std::iter::once((at, entries)), rows),
            });
        }
        let sum = |of: &dyn Fn(&Layer) -> u64| layers.iter().map(of).sum::<u64>();
        let settings = choice.config.config.clone().unwrap_or_default();
        let distro = all
            .iter()
            .rev()
            .find_map(|entries| distro(entries.os_release.as_deref()?));
        Self {
            id: choice.id,
            platform: choice.platform.as_ref().map(Platform::to_string),
            created: choice
                .config
                .created
                .clone()
                .filter(|created| !created.is_empty()),
            distro,
            libc: libc(&all),
            settings: Settings {
                env: settings.env.unwrap_or_default(),
                workdir: settings.working_dir.unwrap_or_default(),
                user: settings.user.unwrap_or_default(),
                cmd: settings.cmd,
                entrypoint: settings.entrypoint,
            },
            entries: sum(&|layer| layer.entries),
            files: sum(&|layer| layer.files),
            bytes: sum(&|layer| layer.bytes),
            tar: sum(&|layer| layer.tar),
            compressed: layers.iter().map(|layer| layer.compressed).sum(),
            hidden: sum(&|layer| layer.hidden),
            wasted: sum(&|layer| layer.wasted),
            efficiency,
            duplicated,
            kinds: kinds(all.iter().flat_map(files)),
            largest: largest(all.iter().enumerate(), rows),
            waste,
            duplicates,
            notes: notes(&choice.platforms, choice.platform.as_ref(), &all),
            names: choice.names,
            platforms: choice.platforms,
            layers,
        }
    }
}

fn notes(platforms: &[String], platform: Option<&Platform>, all: &[Entries]) -> Vec<String> {
    let mut notes = Vec::new();
    if let (Some(platform), true) = (platform, platforms.len() > 1) {
        notes.push(format!(
            "the image is there for {}: measured is `{platform}`",
            platforms.join(", ")
        ));
    }
    let outside: u64 = all.iter().map(|entries| entries.outside).sum();
    if outside > 0 {
        notes.push(format!(
            "{outside} entries have names that start at the root or climb above it; they are counted where container runtimes keep them, inside"
        ));
    }
    notes
}

/// Files with what they are made of and their bytes; no white-outs.
fn files(entries: &Entries) -> impl Iterator<Item = (&str, Kind, u64)> {
    let files = entries
        .all
        .iter()
        .filter(|entry| entry.kind == EntryKind::File);
    files
        .filter(|entry| stack::white_out(&entry.path).is_none())
        .map(|entry| (&*entry.path, entry.made_of, entry.bytes))
}

fn kinds<'e>(files: impl Iterator<Item = (&'e str, Kind, u64)>) -> Vec<KindBytes> {
    let mut sums: BTreeMap<Kind, (u64, u64)> = BTreeMap::new();
    for (_, kind, bytes) in files {
        let sum = sums.entry(kind).or_default();
        *sum = (sum.0 + 1, sum.1.saturating_add(bytes));
    }
    let mut kinds: Vec<KindBytes> = sums
        .into_iter()
        .map(|(kind, (files, bytes))| KindBytes { kind, files, bytes })
        .collect();
    kinds.sort_by_key(|kind| (Reverse(kind.bytes), kind.kind));
    kinds
}

fn largest<'e>(layers: impl Iterator<Item = (usize, &'e Entries)>, rows: usize) -> Vec<FileBytes> {
    let mut all: Vec<(Reverse<u64>, &str, usize)> = layers
        .flat_map(|(layer, entries)| {
            files(entries).map(move |(path, _, bytes)| (Reverse(bytes), path, layer))
        })
        .filter(|(bytes, _, _)| bytes.0 > 0)
        .collect();
    if all.len() > rows && rows > 0 {
        all.select_nth_unstable(rows - 1);
    }
    all.truncate(rows);
    all.sort_unstable();
    let row = |(Reverse(bytes), path, layer): (Reverse<u64>, &str, usize)| FileBytes {
        path: format!("/{path}"),
        bytes,
        layer,
    };
    all.into_iter().map(row).collect()
}

/// The bytes of all copies but one, and the groups that cost most.
fn duplicates(all: &[Entries], rows: usize) -> (u64, Vec<Duplicate>) {
    let mut known: Vec<([u8; 32], u64, &str)> = all
        .iter()
        .flat_map(|entries| &entries.all)
        .filter_map(|entry| match entry.content {
            Content::Digest(digest) => Some((digest, entry.bytes, &*entry.path)),
            _ => None,
        })
        .collect();
    known.sort_unstable();
    // The same file in several layers is waste, not a duplicate.
    known.dedup();
    let groups = known
        .chunk_by(|a, b| a.0 == b.0)
        .filter(|group| group.len() > 1);
    let mut groups: Vec<_> = groups
        .map(|group| ((group.len() as u64 - 1).saturating_mul(group[0].1), group))
        .collect();
    let duplicated = groups.iter().map(|(bytes, _)| bytes).sum();
    groups.sort_by_key(|(bytes, group)| (Reverse(*bytes), group[0].2));
    groups.truncate(rows);
    let mut rows = Vec::new();
    for (_, group) in groups {
        let (digest, bytes, _) = group[0];
        let paths = group.iter().take(10).map(|(_, _, path)| format!("/{path}"));
        rows.push(Duplicate {
            digest: blob::hex(&digest),
            bytes,
            count: group.len() as u64,
            paths: paths.collect(),
        });
    }
    (duplicated, rows)
}

/// `debian 12` out of `os-release`.
fn distro(text: &str) -> Option<String> {
    let field = |name: &str| {
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))?;
        Some(value.trim_matches('"').to_owned()).filter(|value| !value.is_empty())
    };
    let id = match field("ID")?.as_str() {
        "amzn" => "amazonlinux".to_owned(),
        other => other.to_owned(),
    };
    Some(match field("VERSION_ID") {
        Some(version) => format!("{id} {version}"),
        None => id,
    })
}

/// By the loader of the C library, which every program that is linked to it names.
fn libc(all: &[Entries]) -> Option<&'static str> {
    let loader = |start: &'static str| {
        let names = all
            .iter()
            .flat_map(|entries| &entries.all)
            .filter_map(move |entry| {
                let (folder, name) = entry.path.rsplit_once('/')?;
                folder
                    .split('/')
                    .any(|part| matches!(part, "lib" | "lib64"))
                    .then_some(name)
            });
        names
            .into_iter()
            .any(|name| name.starts_with(start) && name.contains(".so"))
    };
    if loader("ld-musl-") {
        return Some("musl");
    }
    loader("ld-linux").then_some("glibc")
}
