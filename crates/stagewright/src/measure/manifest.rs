//! Which image of an archive is meant, and what its descriptions say: manifests, indexes, configurations.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};

use super::MeasureOptions;
use super::blob::hex;
use super::error::MeasureError;
use crate::options::Platform;

/// What an archive or a folder gives.
pub(crate) trait Blobs {
    /// The whole of a small file; none if it is not there. At most [`DESCRIPTION`] bytes.
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, MeasureError>;
}

/// The most that a manifest, an index or a configuration may take: 8 MiB (registries take 4).
pub(crate) const DESCRIPTION: u64 = 8 << 20;
/// How deep indexes may lie in one another.
const DEPTH: usize = 4;

#[derive(Deserialize)]
struct Index {
    #[serde(default)]
    manifests: Vec<Descriptor>,
}

#[derive(Clone, Deserialize)]
struct Descriptor {
    #[serde(default, rename = "mediaType")]
    media_type: String,
    digest: String,
    platform: Option<Platformed>,
    annotations: Option<BTreeMap<String, String>>,
}

/// What an image is for, as an index says it (OCI image index, `platform`).
#[derive(Clone, Deserialize)]
pub(crate) struct Platformed {
    #[serde(default)]
    pub(crate) architecture: String,
    #[serde(default)]
    pub(crate) os: String,
    pub(crate) variant: Option<String>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

/// An entry of the `manifest.json` of `docker save`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    repo_tags: Option<Vec<String>>,
    layers: Option<Vec<String>>,
}

/// An image's configuration, as far as it is needed. Go writes nothing as `null`.
#[derive(Clone, Debug, Default, Deserialize)]
pub(crate) struct Config {
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    os: String,
    variant: Option<String>,
    pub(crate) created: Option<String>,
    pub(crate) config: Option<Runtime>,
    history: Option<Vec<History>>,
    rootfs: Option<RootFs>,
}

/// How a container of the image starts.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Runtime {
    pub(crate) env: Option<Vec<String>>,
    pub(crate) working_dir: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) cmd: Option<Vec<String>>,
    pub(crate) entrypoint: Option<Vec<String>>,
}

#[derive(Clone, Debug, Deserialize)]
struct History {
    created_by: Option<String>,
    #[serde(default)]
    empty_layer: bool,
}

#[derive(Clone, Debug, Deserialize)]
struct RootFs {
    diff_ids: Option<Vec<String>>,
}

impl Config {
    /// The instructions that made layers, in order.
    pub(crate) fn instructions(&self) -> Vec<String> {
        let history = self
            .history
            .iter()
            .flatten()
            .filter(|step| !step.empty_layer);
        history
            .map(|step| instruction(step.created_by.as_deref().unwrap_or_default()))
            .collect()
    }

    fn platform(&self) -> Platformed {
        Platformed {
            architecture: self.architecture.clone(),
            os: self.os.clone(),
            variant: self.variant.clone(),
        }
    }
}

impl Platformed {
    /// Whether a build for a platform takes it; one of no certain variant takes any.
    #[cfg(feature = "online")]
    pub(crate) fn fits(&self, platform: &Platform) -> bool {
        // The variant that every arm64 is (`platforms/database.go` of containerd).
        let variant = self
            .variant
            .as_deref()
            .filter(|variant| !(self.architecture == "arm64" && *variant == "v8"));
        let wanted = &*platform.variant;
        let any = wanted.is_empty() || (platform.arch == "arm64" && wanted == "v8");
        self.os == platform.os
            && self.architecture == platform.arch
            && (any || variant.unwrap_or_default() == wanted)
    }

    fn canonical(&self) -> Option<Platform> {
        let variant = self
            .variant
            .as_deref()
            .filter(|variant| !variant.is_empty());
        let text = [Some(&*self.os), Some(&*self.architecture), variant];
        Platform::parse(&text.into_iter().flatten().collect::<Vec<_>>().join("/"))
    }
}

/// A digest that a layer must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    /// Of the blob as it is stored, in hex.
    Stored(String),
    /// Of the tar in it, in hex.
    Tar(String),
    /// The image says nothing.
    Nothing,
}

/// A layer to read.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) promise: Promise,
    /// Its digest as the image writes it (`sha256:…`), of the blob where it is known, else of the tar.
    pub(crate) digest: String,
}

/// The image that is meant.
#[derive(Clone, Debug)]
pub(crate) struct Choice {
    pub(crate) names: Vec<String>,
    pub(crate) platform: Option<Platform>,
    pub(crate) platforms: Vec<String>,
    pub(crate) config: Config,
    pub(crate) id: String,
    pub(crate) layers: Vec<Source>,
}

/// Finds the image that is meant.
pub(crate) fn choose(
    blobs: &dyn Blobs,
    options: &MeasureOptions,
) -> Result<Option<Choice>, MeasureError> {
    let saved: Option<Vec<Saved>> = described(blobs, "manifest.json", None)?;
    // An index alone is no layout: archives of other kinds have one too.
    let index: Option<Index> = match blobs.read("oci-layout")? {
        Some(_) => described(blobs, "index.json", None)?,
        None => None,
    };
    match (index, saved) {
        (Some(index), saved) if !index.manifests.is_empty() => {
            of_index(blobs, &index, saved.as_deref(), options).map(Some)
        }
        (_, Some(saved)) => of_saved(blobs, &saved, options).map(Some),
        _ => Ok(None),
    }
}

struct Candidate {
    names: Vec<String>,
    platform: Option<Platform>,
    descriptor: Descriptor,
}

fn of_index(
    blobs: &dyn Blobs,
    index: &Index,
    saved: Option<&[Saved]>,
    options: &MeasureOptions,
) -> Result<Choice, MeasureError> {
    let mut candidates = Vec::new();
    collect(blobs, index, &[], DEPTH, &mut candidates)?;
    // The archive of one image has its names where older programs look for them.
    if let Some([only]) = saved {
        for candidate in candidates
            .iter_mut()
            .filter(|candidate| candidate.names.is_empty())
        {
            candidate.names = only.repo_tags.clone().unwrap_or_default();
        }
    }
    let all_names: Vec<Vec<String>> = candidates
        .iter()
        .map(|candidate| candidate.names.clone())
        .collect();
    let wanted = named(&all_names, options.image.as_deref())?;
    let mut candidates: Vec<Candidate> = candidates
        .into_iter()
        .zip(wanted)
        .filter_map(|(candidate, wanted)| wanted.then_some(candidate))
        .collect();
    let platforms: Vec<String> = candidates
        .iter()
        .filter_map(|one| one.platform.as_ref())
        .map(Platform::to_string)
        .collect();
    let wanted = match &options.platform {
        None if candidates.len() == 1 => None,
        None => Some(Platform::default()),
        Some(platform) => Some(platform.clone()),
    };
    if let Some(wanted) = &wanted {
        let several = candidates.len() > 1;
        candidates.retain(|one| {
            one.platform
                .as_ref()
                .map_or(!several, |platform| platform == wanted)
        });
    }
    let Some(candidate) = candidates.into_iter().next() else {
        return Err(MeasureError::NoPlatform {
            platform: wanted.unwrap_or_default().to_string(),
            platforms: listed(&platforms),
        });
    };
    let name = path_of(&candidate.descriptor.digest)?;
    let manifest: Manifest = required(blobs, &name, Some(&candidate.descriptor.digest))?;
    let id = manifest.config.digest.clone();
    let config: Config = required(blobs, &path_of(&id)?, Some(&id))?;
    let mut layers = Vec::new();
    for layer in manifest.layers {
        if layer.media_type.ends_with("+encrypted") {
            return Err(MeasureError::Unsupported {
                place: format!("the layer `{}`", layer.digest),
                why: "it is encrypted".to_owned(),
            });
        }
        let name = path_of(&layer.digest)?;
        let promise = Promise::Stored(name[name.len() - 64..].to_owned());
        layers.push(Source {
            name,
            promise,
            digest: layer.digest,
        });
    }
    finish(candidate.names, platforms, config, id, layers, options)
}

fn of_saved(
    blobs: &dyn Blobs,
    saved: &[Saved],
    options: &MeasureOptions,
) -> Result<Choice, MeasureError> {
    let all_names: Vec<Vec<String>> = saved
        .iter()
        .map(|one| one.repo_tags.clone().unwrap_or_default())
        .collect();
    let wanted = named(&all_names, options.image.as_deref())?;
    let mut wanted = saved
        .iter()
        .zip(wanted)
        .filter_map(|(one, wanted)| wanted.then_some(one));
    let Some(chosen) = wanted.next() else {
        return Err(wrong("manifest.json", "it names no image"));
    };
    let config: Config = required(blobs, &chosen.config, None)?;
    let promised = config
        .rootfs
        .as_ref()
        .and_then(|rootfs| rootfs.diff_ids.clone())
        .unwrap_or_default();
    let layers = chosen
        .layers
        .iter()
        .flatten()
        .enumerate()
        .map(|(at, name)| {
            let stored = name
                .strip_prefix("blobs/sha256/")
                .filter(|digest| is_digest(digest));
            let tar = promised
                .get(at)
                .and_then(|digest| digest.strip_prefix("sha256:"));
            let (promise, digest) = match (stored, tar.filter(|digest| is_digest(digest))) {
                (Some(digest), _) => (
                    Promise::Stored(digest.to_owned()),
                    format!("sha256:{digest}"),
                ),
                (None, Some(digest)) => {
                    (Promise::Tar(digest.to_owned()), format!("sha256:{digest}"))
                }
                (None, None) => (Promise::Nothing, String::new()),
            };
            Source {
                name: name.clone(),
                promise,
                digest,
            }
        });
    let layers = layers.collect();
    let id = chosen
        .config
        .trim_start_matches("blobs/sha256/")
        .trim_end_matches(".json");
    let id = if is_digest(id) {
        format!("sha256:{id}")
    } else {
        String::new()
    };
    let names = chosen.repo_tags.clone().unwrap_or_default();
    finish(names, Vec::new(), config, id, layers, options)
}

fn finish(
    names: Vec<String>,
    platforms: Vec<String>,
    config: Config,
    id: String,
    layers: Vec<Source>,
    options: &MeasureOptions,
) -> Result<Choice, MeasureError> {
    let promised = config
        .rootfs
        .as_ref()
        .and_then(|rootfs| rootfs.diff_ids.as_ref())
        .map(Vec::len);
    if promised.is_some_and(|count| count != layers.len()) {
        let why = format!(
            "it has {} layers, and the manifest names {}",
            promised.unwrap_or_default(),
            layers.len()
        );
        return Err(wrong("the configuration", why));
    }
    let platform = config.platform().canonical();
    if let (Some(wanted), Some(platform)) = (&options.platform, &platform)
        && (&wanted.os, &wanted.arch) != (&platform.os, &platform.arch)
    {
        return Err(MeasureError::NoPlatform {
            platform: wanted.to_string(),
            platforms: format!("`{platform}`"),
        });
    }
    Ok(Choice {
        names,
        platform,
        platforms,
        config,
        id,
        layers,
    })
}

/// The manifests of an index and of the indexes in it. Attestations are no images.
fn collect(
    blobs: &dyn Blobs,
    index: &Index,
    names: &[String],
    depth: usize,
    candidates: &mut Vec<Candidate>,
) -> Result<(), MeasureError> {
    for descriptor in &index.manifests {
        let annotation = |name: &str| {
            descriptor
                .annotations
                .as_ref()
                .and_then(|all| all.get(name))
        };
        let unknown =
            |platform: &Platformed| platform.os == "unknown" && platform.architecture == "unknown";
        if annotation("vnd.docker.reference.type").is_some()
            || descriptor.platform.as_ref().is_some_and(unknown)
        {
            continue;
        }
        // The full name first: the other may be a tag alone.
        let name = annotation("io.containerd.image.name")
            .or_else(|| annotation("org.opencontainers.image.ref.name"));
        let names: Vec<String> = name.map_or_else(|| names.to_vec(), |name| vec![name.clone()]);
        if descriptor.media_type.contains("index")
            || descriptor.media_type.contains("manifest.list")
        {
            if depth == 0 {
                return Err(wrong("index.json", "indexes lie too deep in one another"));
            }
            let name = path_of(&descriptor.digest)?;
            if let Some(inner) = described::<Index>(blobs, &name, Some(&descriptor.digest))? {
                collect(blobs, &inner, &names, depth - 1, candidates)?;
            }
            continue;
        }
        candidates.push(Candidate {
            names,
            platform: descriptor.platform.as_ref().and_then(Platformed::canonical),
            descriptor: descriptor.clone(),
        });
        if candidates.len() > 10_000 {
            return Err(wrong("index.json", "it names more than 10,000 images"));
        }
    }
    Ok(())
}

/// Which of several images are meant by a name, or by none where all have the same.
fn named(all: &[Vec<String>], wanted: Option<&str>) -> Result<Vec<bool>, MeasureError> {
    let known = || {
        let mut names: Vec<String> = all.iter().flatten().cloned().collect();
        names.sort();
        names.dedup();
        listed(&names)
    };
    let Some(wanted) = wanted else {
        if all.iter().any(|names| names != &all[0]) {
            return Err(MeasureError::SeveralImages { names: known() });
        }
        return Ok(vec![true; all.len()]);
    };
    let fits = |names: &Vec<String>| names.iter().any(|name| familiar(name) == familiar(wanted));
    let chosen: Vec<bool> = all.iter().map(fits).collect();
    if chosen.contains(&true) {
        return Ok(chosen);
    }
    Err(MeasureError::UnknownImage {
        name: wanted.to_owned(),
        names: known(),
    })
}

/// A name without what Docker takes for granted.
pub(crate) fn familiar(name: &str) -> &str {
    let short = name.strip_prefix("docker.io/").unwrap_or(name);
    let short = short.strip_prefix("library/").unwrap_or(short);
    short.strip_suffix(":latest").unwrap_or(short)
}

fn listed(names: &[String]) -> String {
    if names.is_empty() {
        return "none with a name".to_owned();
    }
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn wrong(name: &str, why: impl Into<String>) -> MeasureError {
    MeasureError::BadManifest {
        name: name.to_owned(),
        why: why.into(),
    }
}

fn is_digest(text: &str) -> bool {
    text.len() == 64
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

/// Where the blob of a digest lies in an OCI layout.
fn path_of(digest: &str) -> Result<String, MeasureError> {
    match digest.strip_prefix("sha256:") {
        Some(hex) if is_digest(hex) => Ok(format!("blobs/sha256/{hex}")),
        Some(_) => Err(wrong(digest, "it is no SHA-256")),
        None => Err(MeasureError::Unsupported {
            place: format!("the blob `{digest}`"),
            why: "its digest is no SHA-256".to_owned(),
        }),
    }
}

fn required<T: DeserializeOwned>(
    blobs: &dyn Blobs,
    name: &str,
    digest: Option<&str>,
) -> Result<T, MeasureError> {
    described(blobs, name, digest)?.ok_or_else(|| MeasureError::BlobMissing {
        name: name.to_owned(),
    })
}

/// A description, held against its digest where it has one. Deep nesting is an error of the parser.
fn described<T: DeserializeOwned>(
    blobs: &dyn Blobs,
    name: &str,
    digest: Option<&str>,
) -> Result<Option<T>, MeasureError> {
    let Some(bytes) = blobs.read(name)? else {
        return Ok(None);
    };
    if let Some(expected) = digest.and_then(|digest| digest.strip_prefix("sha256:")) {
        let found = hex(&Sha256::digest(&bytes));
        if found != expected {
            return Err(MeasureError::DigestMismatch {
                place: format!("`{name}`"),
                expected: expected.to_owned(),
                found,
            });
        }
    }
    serde_json::from_slice(&bytes)
        .map(Some)
        .map_err(|error| wrong(name, error.to_string()))
}

/// The instruction that made a layer, from what builders write into the history: `BuildKit` the instruction with a mark, the builder
/// before it the command with its shell.
pub(crate) fn instruction(created_by: &str) -> String {
    let text = created_by
        .split_ascii_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let text = text.strip_suffix(" # buildkit").unwrap_or(&text);
    let (keyword, rest) = match text.split_once(' ') {
        Some(("RUN", rest)) => ("RUN ", rest),
        _ if text.starts_with("/bin/sh -c ") || text.starts_with('|') => ("RUN ", text),
        _ => ("", text),
    };
    // `|2 A=1 B=2` are the build arguments of the command.
    let mut rest = rest;
    if rest.starts_with('|')
        && let Some(shell) = rest.find("/bin/sh -c ")
    {
        rest = &rest[shell..];
    }
    rest = rest.strip_prefix("/bin/sh -c ").unwrap_or(rest);
    match rest.strip_prefix("#(nop) ") {
        Some(nop) => nop.trim_ascii().to_owned(),
        None => format!("{keyword}{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_says_the_instruction() {
        for (created_by, expected) in [
            (
                "RUN /bin/sh -c pip install flask # buildkit",
                "RUN pip install flask",
            ),
            ("RUN |1 A=b /bin/sh -c make all # buildkit", "RUN make all"),
            ("COPY . /app # buildkit", "COPY . /app"),
            ("WORKDIR /app", "WORKDIR /app"),
            (
                "/bin/sh -c #(nop) COPY dir:1f in /app ",
                "COPY dir:1f in /app",
            ),
            ("/bin/sh -c apt-get update", "RUN apt-get update"),
            ("|2 A=1 B=2 /bin/sh -c apt-get update", "RUN apt-get update"),
            ("RUN ls # buildkit", "RUN ls"),
            ("", ""),
        ] {
            assert_eq!(instruction(created_by), expected, "{created_by}");
        }
    }

    #[test]
    fn familiar_names() {
        assert_eq!(familiar("docker.io/library/app:1"), "app:1");
        assert_eq!(familiar("app:latest"), "app");
        assert_eq!(familiar("ghcr.io/a/b:2"), "ghcr.io/a/b:2");
    }
}
