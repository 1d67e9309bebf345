//! The package registry that npm is configured to use: how many bytes a package has.

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read};

use flate2::read::MultiGzDecoder;
use serde::Deserialize;

use super::address::Address;
use super::http::{Answer, Client, Question};
use super::{Online, OnlineError};
use crate::facts::{MeasuredNpm, NpmNeed};
use crate::measure::tar::{MemberKind, Tar, TarError};

/// The most bytes of what a registry says of a package.
const DOCUMENT: u64 = 64 << 20;
/// The most bytes that a tarball may have for each of its own, above [`FREE`].
const EXPANSION: u64 = 20;
const FREE: u64 = 256 << 20;
/// The most files that a tarball may have.
const FILES: u64 = 1_000_000;

/// What is said of one package, in all its versions.
#[derive(Deserialize)]
struct Package {
    #[serde(default, rename = "dist-tags")]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    versions: BTreeMap<String, Version>,
}

/// What is said of one version.
#[derive(Deserialize)]
struct Version {
    #[serde(default)]
    version: String,
    dist: Dist,
    #[serde(default)]
    dependencies: Option<BTreeMap<String, serde_json::Value>>,
    #[serde(default, rename = "hasInstallScript")]
    has_install_script: bool,
    #[serde(default)]
    scripts: Option<BTreeMap<String, serde_json::Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dist {
    tarball: String,
    unpacked_size: Option<u64>,
    file_count: Option<u64>,
    integrity: Option<String>,
}

/// Answers a need of an npm package.
pub(super) fn answer(online: &Online, need: &NpmNeed) -> Result<MeasuredNpm, OnlineError> {
    let (registry, authorization) = online.registry_of(&need.name)?;
    let key = format!("npm {} {} {}", registry.shown(), need.name, need.version);
    let age = need.version.is_empty().then_some(online.settings.max_age);
    if let Some(measured) = online.cache.get(&key, age) {
        return Ok(measured);
    }
    let what = format!("`{}`", asked(need));
    let version = describe(online, need, &registry, authorization.as_deref(), &what)?;
    let address = registry.below("").join(&version.dist.tarball)?;
    let authorization = authorization
        .filter(|_| address.host == registry.host && address.secure == registry.secure);
    let scripts = version.scripts.unwrap_or_default();
    let mut measured = MeasuredNpm {
        version: version.version,
        unpacked: 0,
        download: None,
        files: version.dist.file_count,
        install_script: version.has_install_script
            || ["preinstall", "install", "postinstall"]
                .iter()
                .any(|name| scripts.contains_key(*name)),
        dependencies: version
            .dependencies
            .unwrap_or_default()
            .into_keys()
            .collect(),
    };
    if let Some(unpacked) = version.dist.unpacked_size {
        measured.unpacked = unpacked;
    } else {
        let mut question = Question::new(address, &what, online.settings.max_bytes);
        question.authorization = authorization;
        let tarball = read(&online.client, &question)?;
        measured.unpacked = tarball.unpacked;
        measured.download = Some(tarball.bytes);
        measured.files = Some(tarball.files);
    }
    // A file that was published with an integrity never changes.
    if version.dist.integrity.is_some() || need.version.is_empty() {
        online.cache.put(&key, &measured)?;
    }
    Ok(measured)
}

/// How one would write what is wanted.
pub(super) fn asked(need: &NpmNeed) -> String {
    match &*need.version {
        "" => need.name.clone(),
        version => format!("{}@{version}", need.name),
    }
}

/// What the registry says of a version: alone where it has a page for that, else out of the page of the package.
fn describe(
    online: &Online,
    need: &NpmNeed,
    registry: &Address,
    authorization: Option<&str>,
    what: &str,
) -> Result<Version, OnlineError> {
    let name = need.name.replace('/', "%2f");
    let plain = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._~+".contains(&byte))
    };
    let scoped = need
        .name
        .strip_prefix('@')
        .and_then(|rest| rest.split_once('/'));
    let known = match scoped {
        Some((scope, name)) => plain(scope) && plain(name),
        None => plain(&need.name),
    };
    if !known || !(need.version.is_empty() || plain(&need.version)) {
        return Err(OnlineError::BadAddress {
            address: asked(need),
            why: "it is no name and version of a package",
        });
    }
    let ask = |path: &str, accept| {
        let mut question = Question::new(registry.below(path), what, DOCUMENT);
        question.authorization = authorization.map(str::to_owned).or(question.authorization);
        question.accept = accept;
        let (bytes, _) = online.client.get(&question)?;
        Ok::<_, OnlineError>((bytes, question))
    };
    if !need.version.is_empty() {
        let alone = ask(
            &format!("{name}/{}", need.version.replace('+', "%2b")),
            "application/json",
        );
        if let Some(version) = alone
            .ok()
            .and_then(|(bytes, _)| serde_json::from_slice::<Version>(&bytes).ok())
            && version.version == need.version
        {
            return Ok(version);
        }
    }
    let accept = "application/vnd.npm.install-v1+json, application/json;q=0.8";
    let (bytes, question) = ask(&name, accept)?;
    let mut package: Package =
        serde_json::from_slice(&bytes).map_err(|error| question.nonsense(error))?;
    let wanted = match &*need.version {
        "" => package.tags.get("latest").cloned().unwrap_or_default(),
        version => version.to_owned(),
    };
    let version = package
        .versions
        .remove(&wanted)
        .ok_or_else(|| OnlineError::NoneFits {
            host: registry.host.clone(),
            what: format!("version of {what}"),
        })?;
    Ok(Version {
        version: wanted,
        ..version
    })
}

/// A tarball as it was counted.
struct Tarball {
    bytes: u64,
    unpacked: u64,
    files: u64,
}

/// Counts what it hands on, and keeps what breaks it off.
struct Counted<'r, 'c> {
    inner: &'r mut Answer<'c>,
    bytes: u64,
    broken: Option<io::Error>,
}

impl Read for Counted<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.inner.read(buffer) {
            Ok(count) => {
                self.bytes += count as u64;
                Ok(count)
            }
            Err(error) => {
                let kind = error.kind();
                self.broken = Some(error);
                Err(kind.into())
            }
        }
    }
}

fn read(client: &Client, question: &Question<'_>) -> Result<Tarball, OnlineError> {
    client.ask(question, |answer| {
        if answer.status != 200 {
            return Err(question.refused(answer.status));
        }
        count(client, question, answer)
    })
}

fn count(
    client: &Client,
    question: &Question<'_>,
    answer: &mut Answer<'_>,
) -> Result<Tarball, OnlineError> {
    let too_large = || OnlineError::TooLarge {
        what: question.what.to_owned(),
        most: question.most,
    };
    if answer.length().is_some_and(|length| length > question.most) {
        return Err(too_large());
    }
    let mut counted = Counted {
        inner: answer,
        bytes: 0,
        broken: None,
    };
    let most = FREE.max(question.most.saturating_mul(EXPANSION));
    let summed = sum((&mut counted).take(question.most + 1), most);
    if summed.is_ok() {
        // What stands behind the end of the archive belongs to the file.
        let rest = (question.most + 1)
            .saturating_sub(counted.bytes)
            .min(1 << 20);
        // A connection that breaks is kept as for the rest.
        let _ = io::copy(&mut (&mut counted).take(rest), &mut io::sink());
    }
    if let Some(error) = &counted.broken {
        return Err(client.broken(question, error));
    }
    if counted.bytes > question.most {
        return Err(too_large());
    }
    let (unpacked, files) = summed.map_err(|why| question.nonsense(why))?;
    Ok(Tarball {
        bytes: counted.bytes,
        unpacked,
        files,
    })
}

/// Bytes and number of the files in a tarball.
fn sum(tarball: impl Read, most: u64) -> Result<(u64, u64), String> {
    let why = |error| match error {
        TarError::Truncated => "its tarball ends too early".to_owned(),
        TarError::Header(why) => format!("its tarball is broken: {why}"),
        TarError::Io(error) => format!("its tarball cannot be decompressed: {error}"),
    };
    let (mut bytes, mut files) = (0_u64, 0_u64);
    let mut tar = Tar::new(BufReader::new(MultiGzDecoder::new(tarball).take(most)));
    while let Some(member) = tar.next().map_err(why)? {
        if member.kind == MemberKind::File {
            files += 1;
            bytes = bytes.saturating_add(member.bytes);
        }
        // Asked at every file: what is said to be large is not read before it is refused.
        if files > FILES || bytes > most {
            return Err("its tarball holds more than a package does".to_owned());
        }
    }
    Ok((bytes, files))
}
