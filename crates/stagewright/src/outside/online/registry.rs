//! Registries of container images: digests and bytes of a base image's layers, and its configuration.
//!
//! Source: the distribution specification of OCI, and the authentication of docker's registry (`spec/auth/token.md` of distribution).

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use stagewright_syntax::image::ImageRef;
use ureq::http::header::WWW_AUTHENTICATE;

use super::address::{Address, is_loopback};
use super::http::{Question, Range};
use super::{Online, OnlineError, zip};
use crate::facts::{MeasuredImage, files_of_tar, tar_of_blob};
use crate::measure::blob::{Packing, hex};
use crate::measure::manifest::{Config, DESCRIPTION, Platformed};
use crate::options::Platform;
use crate::size::Size;

/// How deep indexes may lie in one another.
const DEPTH: usize = 4;
/// The most layers that an image has.
const LAYERS: usize = 1_000;

const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";

/// An index or a manifest, whichever it is.
#[derive(Deserialize)]
struct Manifest {
    #[serde(default)]
    manifests: Vec<Descriptor>,
    config: Option<Descriptor>,
    #[serde(default)]
    layers: Vec<Descriptor>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: String,
    #[serde(default)]
    size: u64,
    platform: Option<Platformed>,
}

#[derive(Deserialize)]
struct Token {
    token: Option<String>,
    access_token: Option<String>,
}

/// One repository of a registry.
struct Repository<'o> {
    online: &'o Online,
    base: Address,
    what: String,
    authorization: Option<String>,
}

/// Answers what a base image is.
pub(super) fn answer(
    online: &Online,
    reference: &str,
    platform: &Platform,
) -> Result<MeasuredImage, OnlineError> {
    let image = ImageRef::parse(reference).map_err(|_| OnlineError::BadAddress {
        address: reference.to_owned(),
        why: "it is no reference of an image",
    })?;
    let mut repository = Repository::new(online, &image)?;
    let name = image
        .digest
        .clone()
        .unwrap_or_else(|| image.effective_tag().unwrap_or("latest").to_owned());
    let manifest = repository.manifest(&name, platform)?;
    let Some(config) = manifest.config else {
        return Err(repository.nonsense("its manifest names no configuration"));
    };
    if manifest.layers.len() > LAYERS {
        return Err(repository.nonsense("it has more layers than an image can have"));
    }
    let config = repository.blob(&config)?;
    let config: Config =
        serde_json::from_slice(&config).map_err(|error| repository.nonsense(error))?;
    let mut unpacked = Vec::new();
    for layer in &manifest.layers {
        if !is_digest(&layer.digest) {
            return Err(repository.nonsense("a layer has no digest"));
        }
        unpacked.push(repository.unpacked(layer)?);
    }
    let files = files_of_tar(Size::sum(unpacked));
    let compressed = manifest
        .layers
        .iter()
        .fold(0_u64, |sum, layer| sum.saturating_add(layer.size));
    let runtime = config.config.clone().unwrap_or_default();
    let env = runtime.env.unwrap_or_default();
    let version = |name: &str| {
        let value = env
            .iter()
            .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        value.filter(|value| !value.is_empty()).map(str::to_owned)
    };
    let text = |value: Option<String>| value.filter(|value| !value.is_empty());
    Ok(MeasuredImage {
        uncompressed: files.expected,
        uncompressed_range: Some([files.low, files.high]),
        compressed,
        date: config
            .created
            .as_deref()
            .and_then(|time| time.get(..10))
            .filter(|day| *day > "2000")
            .map(str::to_owned),
        layers: manifest
            .layers
            .iter()
            .map(|layer| layer.digest.clone())
            .collect(),
        layer_bytes: manifest.layers.iter().map(|layer| layer.size).collect(),
        python: version("PYTHON_VERSION"),
        node: version("NODE_VERSION"),
        workdir: text(runtime.working_dir),
        user: text(runtime.user),
        cmd: runtime.cmd,
        entrypoint: runtime.entrypoint,
        source: Some(format!("`{reference}`, as its registry has it")),
        env,
        ..MeasuredImage::default()
    })
}

fn is_digest(digest: &str) -> bool {
    digest
        .strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

impl<'o> Repository<'o> {
    fn new(online: &'o Online, image: &ImageRef) -> Result<Self, OnlineError> {
        let settings = &online.settings;
        let mirror = settings.mirrors.get(&image.domain);
        // The name that everybody writes is not that of the host behind it (`reference.go` of containerd's docker resolver).
        let host = match mirror {
            Some(host) => host.as_str(),
            None if image.domain == "docker.io" => "registry-1.docker.io",
            None => &image.domain,
        };
        let base = if host.contains("://") {
            Address::parse(host)?
        } else {
            let plain = is_loopback(host) || settings.plain_http.iter().any(|one| one == host);
            Address::parse(&format!(
                "{}://{host}/",
                if plain { "http" } else { "https" }
            ))?
        };
        Ok(Self {
            online,
            what: format!("`{}`", image.familiar()),
            authorization: base.authorization(),
            base: base.below(&format!("v2/{}", image.path)),
        })
    }

    fn nonsense(&self, why: impl std::fmt::Display) -> OnlineError {
        self.question("").nonsense(why)
    }

    fn question(&self, path: &str) -> Question<'_> {
        let mut question = Question::new(self.base.below(path), &self.what, DESCRIPTION);
        question.authorization.clone_from(&self.authorization);
        question
    }

    /// Asks, and shows a token where the registry wants one.
    fn get(&mut self, path: &str, accept: &'static str) -> Result<Vec<u8>, OnlineError> {
        let mut question = self.question(path);
        question.accept = accept;
        let first = self
            .online
            .client
            .ask(&question, |answer| match answer.status {
                200 => answer.bytes(&question).map(Ok),
                401 => Ok(Err(answer
                    .header(WWW_AUTHENTICATE)
                    .unwrap_or_default()
                    .to_owned())),
                status => Err(question.refused(status)),
            })?;
        let challenge = match first {
            Ok(bytes) => return Ok(bytes),
            Err(challenge) => challenge,
        };
        self.authorization = Some(self.token(&challenge)?);
        let mut question = self.question(path);
        question.accept = accept;
        Ok(self.online.client.get(&question)?.0)
    }

    /// `Bearer realm="https://…",service="…",scope="…"`.
    fn token(&self, challenge: &str) -> Result<String, OnlineError> {
        let refused = || self.question("").refused(401);
        let rest = challenge.strip_prefix("Bearer ").ok_or_else(refused)?;
        let value = |name: &str| {
            let start = rest.find(&format!("{name}=\""))? + name.len() + 2;
            rest[start..].split('"').next()
        };
        let realm = Address::parse(value("realm").ok_or_else(refused)?)?;
        if !(realm.secure || realm.is_loopback() || realm.host == self.base.host) {
            return Err(self.nonsense("it sends for a token without TLS"));
        }
        let mut query: Vec<String> = Vec::new();
        for name in ["service", "scope"] {
            let value = value(name).map(encoded);
            query.extend(value.map(|value| format!("{name}={value}")));
        }
        let mark = match (query.is_empty(), realm.path.contains('?')) {
            (true, _) => "",
            (false, true) => "&",
            (false, false) => "?",
        };
        let realm = Address {
            path: format!("{}{mark}{}", realm.path, query.join("&")),
            ..realm
        };
        let what = format!("a token for {}", self.what);
        let mut question = Question::new(realm, &what, 1 << 20);
        question.authorization.clone_from(&self.authorization);
        let (bytes, _) = self.online.client.get(&question)?;
        let token: Token =
            serde_json::from_slice(&bytes).map_err(|error| question.nonsense(error))?;
        let token = token
            .token
            .or(token.access_token)
            .ok_or_else(|| question.nonsense("there is none in it"))?;
        if token.bytes().any(|byte| byte <= b' ' || byte >= 0x7f) {
            return Err(question.nonsense("it cannot stand in a header"));
        }
        Ok(format!("Bearer {token}"))
    }

    /// The manifest of an image, for one platform.
    fn manifest(&mut self, name: &str, platform: &Platform) -> Result<Manifest, OnlineError> {
        let mut name = name.to_owned();
        for _ in 0..DEPTH {
            let bytes = self.described(&name)?;
            let manifest: Manifest =
                serde_json::from_slice(&bytes).map_err(|error| self.nonsense(error))?;
            if manifest.manifests.is_empty() {
                return Ok(manifest);
            }
            let fits =
                |one: &&Descriptor| one.platform.as_ref().is_some_and(|one| one.fits(platform));
            let chosen =
                manifest
                    .manifests
                    .iter()
                    .find(fits)
                    .ok_or_else(|| OnlineError::NoneFits {
                        host: self.base.host.clone(),
                        what: format!("{} for `{}/{}`", self.what, platform.os, platform.arch),
                    })?;
            if !is_digest(&chosen.digest) {
                return Err(self.nonsense("a manifest has no digest"));
            }
            name.clone_from(&chosen.digest);
        }
        Err(self.nonsense("its indexes lie too deep in one another"))
    }

    /// A manifest or an index by its tag or its digest.
    fn described(&mut self, name: &str) -> Result<Vec<u8>, OnlineError> {
        let key = format!("manifest {} {name}", self.base.shown());
        let digest = is_digest(name).then_some(name);
        self.kept(&key, &format!("manifests/{name}"), ACCEPT, digest)
    }

    fn blob(&mut self, descriptor: &Descriptor) -> Result<Vec<u8>, OnlineError> {
        let digest = &descriptor.digest;
        if !is_digest(digest) {
            return Err(self.nonsense("its configuration has no digest"));
        }
        let (key, path) = (format!("blob {digest}"), format!("blobs/{digest}"));
        self.kept(&key, &path, "*/*", Some(digest))
    }

    /// Asks where the cache does not know. What is asked for by a digest must have it, and never changes.
    fn kept(
        &mut self,
        key: &str,
        path: &str,
        accept: &'static str,
        digest: Option<&str>,
    ) -> Result<Vec<u8>, OnlineError> {
        let age = digest.is_none().then_some(self.online.settings.max_age);
        if let Some(text) = self.online.cache.get::<String>(key, age) {
            return Ok(text.into_bytes());
        }
        let bytes = self.get(path, accept)?;
        if let Some(digest) = digest
            && digest != format!("sha256:{}", hex(&Sha256::digest(&bytes)))
        {
            return Err(self.nonsense(format!("what has the digest {digest} is something else")));
        }
        if let Ok(text) = std::str::from_utf8(&bytes) {
            self.online.cache.put(key, &text)?;
        }
        Ok(bytes)
    }

    /// Bytes of a layer's tar. Blobs end or start with that number where they were packed in one piece; else it is as for most images.
    fn unpacked(&self, layer: &Descriptor) -> Result<Size, OnlineError> {
        let key = format!("unpacked {}", layer.digest);
        if let Some(bytes) = self.online.cache.get(&key, None) {
            return Ok(Size::exact(bytes));
        }
        let size = if layer.media_type.ends_with(".tar") {
            Some(layer.size)
        } else if layer.media_type.ends_with("zstd") {
            self.piece(layer, Range::Bytes(0, 18))?
                .and_then(|start| of_zstd(&start))
        } else {
            self.piece(layer, Range::Last(8))?
                .and_then(|end| of_gzip(&end, layer.size))
        };
        let Some(bytes) = size else {
            return Ok(tar_of_blob(layer.size));
        };
        self.online.cache.put(&key, &bytes)?;
        Ok(Size::exact(bytes))
    }

    /// A few bytes of a blob; nothing where the registry gives no parts.
    fn piece(&self, layer: &Descriptor, range: Range) -> Result<Option<Vec<u8>>, OnlineError> {
        let mut question = self.question(&format!("blobs/{}", layer.digest));
        question.range = Some(range);
        self.online
            .client
            .ask(&question, |answer| match answer.status {
                206 => answer.bytes(&question).map(Some),
                // What else comes is not read: it is a whole layer.
                _ => Ok(None),
            })
    }
}

/// What the last four bytes of a gzip blob say of its content: its length, of which 4 GiB are cut off (RFC 1952, 2.3.1). They speak of
/// the last piece alone where it was packed in several: then they say less than the blob itself has, or far too little.
fn of_gzip(end: &[u8], blob: u64) -> Option<u64> {
    let last = <[u8; 4]>::try_from(end.get(end.len().checked_sub(4)?..)?).ok()?;
    let cut = u64::from(u32::from_le_bytes(last));
    // Of what deflate makes of a layer, the least that is believed: real layers are 1.0 to 10 times as large as their blobs.
    let believed = |bytes: &u64| {
        *bytes >= blob.saturating_sub(blob / 50) && *bytes <= blob.saturating_mul(12).max(64 << 10)
    };
    let mut candidates = (0..16).map(|more| cut + (more << 32)).filter(believed);
    let first = candidates.next()?;
    // A tar is whole blocks; and where two lengths could be meant, neither is known.
    (first % 512 == 0 && candidates.next().is_none()).then_some(first)
}

/// The length of the content that a zstd frame starts with, where it does (RFC 8878, 3.1.1.1). Of a stream of several frames the first
/// one alone would be meant: what compresses layers writes one.
fn of_zstd(start: &[u8]) -> Option<u64> {
    if Packing::of(start) != Packing::Zstd || !start.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return None;
    }
    let descriptor = *start.get(4)?;
    let single = descriptor & 0x20 != 0;
    let dictionary = [0, 1, 2, 4][usize::from(descriptor & 3)];
    let at = 5 + usize::from(!single) + dictionary;
    let count = match (descriptor >> 6, single) {
        (0, false) => return None,
        (0, true) => 1,
        (1, _) => 2,
        (2, _) => 4,
        _ => 8,
    };
    let number = zip::number(start, at, count)?;
    let number = if count == 2 { number + 256 } else { number };
    (number > 0 && number % 512 == 0).then_some(number)
}

/// A value of a query.
fn encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:/,".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::cast_possible_truncation, reason = "as gzip does it")]
    fn lengths_at_the_end_of_gzip() {
        let end = |bytes: u64| [[1, 2, 3, 4], (bytes as u32).to_le_bytes()].concat();
        assert_eq!(of_gzip(&end(10_240), 4_000), Some(10_240));
        // Several pieces, of which the last is short; a length that is none of a tar.
        assert_eq!(of_gzip(&end(512), 4_000_000), None);
        assert_eq!(of_gzip(&end(10_241), 4_000), None);
        let large = 5_u64 << 30;
        assert_eq!(
            of_gzip(&end(large), 2 << 30),
            None,
            "1, 5, 9 … GiB could be meant"
        );
        assert_eq!(of_gzip(&end(5_u64 << 30), 450 << 20), None);
        assert_eq!(of_gzip(&end(3_u64 << 30), 300 << 20), Some(3 << 30));
        assert_eq!(of_gzip(&[1, 2], 10), None);
    }

    #[test]
    fn lengths_at_the_start_of_zstd() {
        let magic = [0x28, 0xb5, 0x2f, 0xfd];
        let frame = |rest: &[u8]| [&magic[..], rest].concat();
        assert_eq!(
            of_zstd(&frame(&[0x80, 0x58, 0x00, 0x28, 0, 0])),
            Some(10_240)
        );
        assert_eq!(of_zstd(&frame(&[0x60, 0x00, 0x27])), Some(0x2800));
        assert_eq!(of_zstd(&frame(&[0x00, 0x58])), None);
        assert_eq!(of_zstd(&frame(&[])), None);
        assert_eq!(of_zstd(b"PK\x03\x04"), None);
    }

    #[test]
    fn platforms() {
        let image = |os: &str, arch: &str, variant: Option<&str>| Platformed {
            os: os.into(),
            architecture: arch.into(),
            variant: variant.map(str::to_owned),
        };
        let arm: Platform = "linux/arm64".parse().unwrap();
        assert!(image("linux", "arm64", Some("v8")).fits(&arm));
        assert!(!image("unknown", "unknown", None).fits(&Platform::default()));
        assert!(image("linux", "amd64", None).fits(&Platform::default()));
        assert!(!image("windows", "amd64", None).fits(&Platform::default()));
    }
}
