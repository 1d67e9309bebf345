//! What a build is told besides its Dockerfile and its context.

mod run;

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use thiserror::Error;

pub use run::{RunOptions, RunWords};

use crate::budget::SavedSize;
use crate::config::{Budget, Config, ConfigError};
use crate::facts::{
    Arch, Catalog, ImageFacts, Libc, MeasuredImage, Packages, Unanswered, WheelPlatform,
};
use crate::proposal::{Applicability, Objective};

/// How a named context says that it is an image.
pub(crate) const IMAGE_CONTEXT: &str = "docker-image://";

/// How a build is called: the target, the build arguments, the platform. Everything defaults to what `docker build .` does on a
/// Linux x86-64 machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The stage to build (`--target`): a name, in any case. The last stage if absent.
    pub target: Option<String>,
    /// Build arguments (`--build-arg`), by name.
    pub build_args: BTreeMap<String, String>,
    /// The platform to build for (`--platform`).
    pub platform: Platform,
    /// The builder.
    pub builder: Builder,
    /// How commands run (`--network`, `--add-host`, …).
    pub run: RunOptions,
    /// Named contexts (`--build-context NAME=…`), by name; they take the place of stages and images of that name. The value is
    /// `docker-image://REFERENCE`, or stands for a folder whose files are given to [`crate::build::Inputs::named_context`].
    pub named_contexts: BTreeMap<String, String>,
    /// The digests that base images have in this build, by reference (`python:3.12`). Without one, a reference is taken to stand for
    /// one image. BuildKit takes images with the same layers for one: where only the configuration of a base was made anew, say the same
    /// digest.
    pub bases: BTreeMap<String, String>,
    /// What stands for the content that an address serves in this build: a checksum (`sha256:…`), or the id of the tree of a repository.
    /// Without one, an address is taken to serve one content. Where an ADD says a checksum itself, that counts.
    pub downloads: BTreeMap<String, String>,
    /// Reads the catalogue as it stood on this day (`YYYY-MM-DD`), for files whose base images are of another year.
    pub as_of: Option<String>,
    /// Base images that were measured, by their reference as a Dockerfile writes it; they go before the catalogue.
    pub images: BTreeMap<String, MeasuredImage>,
    /// Packages that were measured; they go before the catalogue.
    pub packages: Arc<Packages>,
    /// What was asked for and could not be measured: each is a finding.
    pub unanswered: Vec<Unanswered>,
    /// What the image may weigh. What goes beyond is a finding.
    pub budget: Budget,
    /// What it weighed before, for [`Budget::growth`].
    pub against: Option<SavedSize>,
}

/// Who builds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Builder {
    /// BuildKit.
    #[default]
    BuildKit,
    /// The builder before it (`DOCKER_BUILDKIT=0 docker build`): every instruction is a step, and every stage up to the target is built.
    Legacy,
}

impl FromStr for Builder {
    type Err = OptionsError;

    fn from_str(word: &str) -> Result<Self, OptionsError> {
        match word {
            "buildkit" => Ok(Self::BuildKit),
            "legacy" => Ok(Self::Legacy),
            _ => Err(OptionsError::Builder {
                word: word.to_owned(),
            }),
        }
    }
}

impl Options {
    /// Which wheels fit the platform, with one of the C libraries.
    pub(crate) fn wheel_platform(&self, libc: Libc) -> WheelPlatform {
        let arch = if self.platform.arch == "arm64" {
            Arch::Aarch64
        } else {
            Arch::X86_64
        };
        WheelPlatform { libc, arch }
    }

    /// Takes over what a project's `stagewright.toml` says: budgets and measured base images.
    #[must_use]
    pub fn with_config(mut self, config: &Config) -> Self {
        self.budget = config.budget.clone();
        let images = config.images.iter();
        self.images
            .extend(images.map(|(name, image)| (name.clone(), image.clone())));
        self
    }

    /// [`Options::with_config`] from the text of a `stagewright.toml`, and the kept answer of `stagewright size --json` that the budget of
    /// growth is held against.
    pub fn with_project(self, config: &str, against: Option<&str>) -> Result<Self, ConfigError> {
        let mut options = self.with_config(&Config::parse(config)?);
        options.against = against.map(SavedSize::parse).transpose()?;
        Ok(options)
    }

    /// What is known of a base image: as measured, else as the catalogue has it.
    pub(crate) fn image(&self, reference: &str, catalog: &Catalog) -> Option<Arc<ImageFacts>> {
        let known = catalog.shared_image(reference, self.as_of.as_deref());
        match self.images.get(reference) {
            Some(measured) => Some(Arc::new(measured.facts(reference, known.as_deref()))),
            None => known,
        }
    }
}

/// A word that stands for no option. The message names it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum OptionsError {
    /// No platform is called so.
    #[error("`{word}` is no platform: `linux/amd64` is one")]
    Platform {
        /// The word.
        word: String,
    },
    /// The date is not one.
    #[error("`{word}` is no date of the form YYYY-MM-DD")]
    Date {
        /// The word.
        word: String,
    },
    /// A build argument has no name or no value.
    #[error("`{word}` is no build argument of the form NAME=VALUE")]
    BuildArg {
        /// The word.
        word: String,
    },
    /// No builder is called so.
    #[error("`{word}` is no builder: there are `buildkit` and `legacy`")]
    Builder {
        /// The word.
        word: String,
    },
    /// No network is called so.
    #[error("`{word}` is no network of a build: there are `default`, `none` and `host`")]
    Network {
        /// The word.
        word: String,
    },
    /// A host has no name or no address.
    #[error("`{word}` is no host of the form NAME=IP")]
    Host {
        /// The word.
        word: String,
    },
    /// A size is not one.
    #[error("`{word}` is no size: `64m` is one")]
    Size {
        /// The word.
        word: String,
    },
    /// A limit is not one.
    #[error("`{word}` is no limit of the form NAME=SOFT[:HARD]")]
    Ulimit {
        /// The word.
        word: String,
    },
    /// No way to export a cache is called so.
    #[error("`{word}` is no way to export a cache: there are `min`, `max` and `inline`")]
    Export {
        /// The word.
        word: String,
    },
    /// A base image has no name or no digest.
    #[error("`{word}` is no base image of the form NAME=DIGEST, with a digest as `sha256:…`")]
    Base {
        /// The word.
        word: String,
    },
    /// A window of time does not begin so.
    #[error(
        "`{word}` is no day of the form YYYY-MM-DD, and no number of days or weeks as `90d` or `12w`"
    )]
    Since {
        /// The word.
        word: String,
    },
    /// No objective is called so.
    #[error("`{word}` is no objective: there are {known}")]
    Objective {
        /// The word.
        word: String,
        /// The words there are.
        known: String,
    },
    /// A weight is not a number above zero.
    #[error("the weight of `{word}` is {weight}, and must be a number above zero")]
    Weight {
        /// The objective.
        word: String,
        /// The weight.
        weight: String,
    },
    /// A threshold is not a share.
    #[error(
        "the threshold is {threshold}, and must be from 0 to 1: 0.01 is a hundredth of the cost"
    )]
    Threshold {
        /// The threshold.
        threshold: String,
    },
    /// No applicability is called so.
    #[error("`{word}` is no applicability: there are {known}")]
    Applicability {
        /// The word.
        word: String,
        /// The words there are.
        known: String,
    },
}

impl OptionsError {
    /// A stable name in kebab-case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Platform { .. } => "unknown-platform",
            Self::Date { .. } => "bad-date",
            Self::BuildArg { .. } => "bad-build-arg",
            Self::Base { .. } => "bad-base",
            Self::Builder { .. } => "unknown-builder",
            Self::Network { .. } => "unknown-network",
            Self::Host { .. } => "bad-host",
            Self::Size { .. } => "bad-size",
            Self::Ulimit { .. } => "bad-ulimit",
            Self::Export { .. } => "unknown-export",
            Self::Since { .. } => "bad-since",
            Self::Objective { .. } => "unknown-objective",
            Self::Weight { .. } => "bad-weight",
            Self::Threshold { .. } => "bad-threshold",
            Self::Applicability { .. } => "unknown-applicability",
        }
    }
}

impl Options {
    /// The options from the words that a person writes; what is left out is as [`Options::default`] has it.
    pub fn from_words(
        target: Option<&str>,
        build_args: impl IntoIterator<Item = (String, String)>,
        platform: Option<&str>,
        as_of: Option<&str>,
    ) -> Result<Self, OptionsError> {
        Ok(Self {
            target: target.map(str::to_owned),
            build_args: build_args.into_iter().collect(),
            platform: platform.map_or_else(|| Ok(Platform::default()), str::parse)?,
            as_of: as_of.map(date).transpose()?,
            ..Self::default()
        })
    }
}

/// A build argument as the command takes it: `NAME=VALUE`.
pub fn build_arg(word: &str) -> Result<(String, String), OptionsError> {
    match word.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(OptionsError::BuildArg {
            word: word.to_owned(),
        }),
    }
}

/// An objective with its weight as the command takes it: `cold-pull=2`.
pub fn weight(word: &str) -> Result<(String, f64), OptionsError> {
    let (name, text) = word.split_once('=').unwrap_or((word, ""));
    match text.parse() {
        Ok(weight) => Ok((name.to_owned(), weight)),
        Err(_) => Err(OptionsError::Weight {
            word: name.to_owned(),
            weight: if text.is_empty() { "missing" } else { text }.to_owned(),
        }),
    }
}

/// A base image with its digest as the command takes it: `python:3.12=sha256:…`.
pub fn base(word: &str) -> Result<(String, String), OptionsError> {
    let split = word.rsplit_once('=');
    let valid = split.filter(|(name, digest)| !name.is_empty() && is_digest(digest));
    let (name, digest) = valid.ok_or_else(|| OptionsError::Base {
        word: word.to_owned(),
    })?;
    Ok((name.to_owned(), digest.to_owned()))
}

/// An algorithm and hexadecimal digits (`github.com/opencontainers/go-digest`, `digest.go`); the length is not held against it.
fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, hex)| {
        let lower = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
        !algorithm.is_empty()
            && algorithm.bytes().all(lower)
            && !hex.is_empty()
            && hex.bytes().all(|b| b.is_ascii_hexdigit() && lower(b))
    })
}

impl Options {
    /// The same with the digests of base images, which must be ones.
    pub fn with_bases(
        mut self,
        bases: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, OptionsError> {
        for (name, digest) in bases {
            let (name, digest) = base(&format!("{name}={digest}"))?;
            self.bases.insert(name, digest);
        }
        Ok(self)
    }
}

/// Days are compared as text, which is right for whole ones only.
pub(crate) fn date(word: &str) -> Result<String, OptionsError> {
    let parts: Vec<&str> = word.split('-').collect();
    let digits =
        |part: &str, count: usize| part.len() == count && part.bytes().all(|b| b.is_ascii_digit());
    let is_date = match parts.as_slice() {
        [year, month, day] => {
            digits(year, 4)
                && digits(month, 2)
                && digits(day, 2)
                && ("01"..="12").contains(month)
                && ("01"..="31").contains(day)
        }
        _ => false,
    };
    if is_date {
        Ok(word.to_owned())
    } else {
        Err(OptionsError::Date {
            word: word.to_owned(),
        })
    }
}

impl FromStr for Objective {
    type Err = OptionsError;

    fn from_str(word: &str) -> Result<Self, OptionsError> {
        Self::parse(word).ok_or_else(|| OptionsError::Objective {
            word: word.to_owned(),
            known: listed(Self::ALL.map(Self::as_str)),
        })
    }
}

impl FromStr for Applicability {
    type Err = OptionsError;

    fn from_str(word: &str) -> Result<Self, OptionsError> {
        Self::parse(word).ok_or_else(|| OptionsError::Applicability {
            word: word.to_owned(),
            known: listed(Self::ALL.map(Self::as_str)),
        })
    }
}

fn listed<const N: usize>(words: [&str; N]) -> String {
    words.map(|word| format!("`{word}`")).join(", ")
}

impl FromStr for Platform {
    type Err = OptionsError;

    fn from_str(word: &str) -> Result<Self, OptionsError> {
        Self::parse(word).ok_or_else(|| OptionsError::Platform {
            word: word.to_owned(),
        })
    }
}

/// An operating system and a processor, as in `linux/arm64/v8`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Platform {
    /// The operating system (`linux`, `windows`).
    pub os: String,
    /// The processor (`amd64`, `arm64`).
    pub arch: String,
    /// The processor's variant (`v8`), empty if none.
    pub variant: String,
}

impl Default for Platform {
    fn default() -> Self {
        Self {
            os: "linux".into(),
            arch: "amd64".into(),
            variant: String::new(),
        }
    }
}

impl Platform {
    /// Reads `os/arch[/variant]`, `os` or `arch`, with the aliases containerd knows (`x86_64`, `aarch64`).
    ///
    /// Rules: `github.com/containerd/platforms`, `platforms.go` (`Parse`) and `database.go`.
    pub fn parse(text: &str) -> Option<Self> {
        let parts: Vec<String> = text.split('/').map(str::to_ascii_lowercase).collect();
        if parts.len() > 3 || parts.iter().any(|part| !is_platform_part(part)) {
            return None;
        }
        let (os, arch, variant) = match parts.as_slice() {
            [one] if is_os(one) => (one.as_str(), "amd64", ""),
            [one] => {
                let (arch, variant) = arch_alias(one, "");
                return is_arch(arch).then(|| Self::of("linux", arch, variant));
            }
            [os, arch] => (os.as_str(), arch.as_str(), ""),
            [os, arch, variant] => (os.as_str(), arch.as_str(), variant.as_str()),
            _ => return None,
        };
        let os = if os == "macos" { "darwin" } else { os };
        let (arch, variant) = arch_alias(arch, variant);
        Some(Self::of(os, arch, variant))
    }

    fn of(os: &str, arch: &str, variant: &str) -> Self {
        Self {
            os: os.into(),
            arch: arch.into(),
            variant: variant.into(),
        }
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.arch)?;
        if !self.variant.is_empty() {
            write!(f, "/{}", self.variant)?;
        }
        Ok(())
    }
}

fn is_platform_part(part: &str) -> bool {
    !part.is_empty()
        && part
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

fn is_os(name: &str) -> bool {
    matches!(
        name,
        "linux"
            | "windows"
            | "darwin"
            | "macos"
            | "freebsd"
            | "netbsd"
            | "openbsd"
            | "wasip1"
            | "js"
    )
}

fn is_arch(name: &str) -> bool {
    matches!(
        name,
        "amd64"
            | "arm64"
            | "arm"
            | "386"
            | "ppc64le"
            | "ppc64"
            | "s390x"
            | "riscv64"
            | "mips64le"
            | "mips64"
            | "loong64"
            | "wasm"
    )
}

/// The canonical name of a processor; a variant that is the default is dropped.
fn arch_alias<'a>(arch: &'a str, variant: &'a str) -> (&'a str, &'a str) {
    match (arch, variant) {
        ("x86_64" | "x86-64" | "amd64", "v1") => ("amd64", ""),
        ("x86_64" | "x86-64", variant) => ("amd64", variant),
        ("aarch64" | "arm64", "8" | "v8") => ("arm64", ""),
        ("aarch64", variant) => ("arm64", variant),
        ("i386", _) => ("386", ""),
        ("armhf", _) | ("arm", "" | "7") => ("arm", "v7"),
        ("armel", _) | ("arm", "6") => ("arm", "v6"),
        ("arm", "5") => ("arm", "v5"),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let options = Options::from_words(
            Some("web"),
            [build_arg("A=b=c").unwrap()],
            Some("aarch64"),
            Some("2019-10-31"),
        )
        .unwrap();
        assert_eq!(options.target.as_deref(), Some("web"));
        assert_eq!(options.build_args["A"], "b=c");
        assert_eq!(options.platform.to_string(), "linux/arm64");
        assert_eq!(options.as_of.as_deref(), Some("2019-10-31"));
        assert_eq!(
            Options::from_words(None, [], None, None),
            Ok(Options::default())
        );
        for word in [
            "2019",
            "2019-10",
            "2019-13-01",
            "2019-1-1",
            "31.10.2019",
            "2019-10-31 ",
        ] {
            assert_eq!(date(word), Err(OptionsError::Date { word: word.into() }));
        }
        let digest = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(
            base(&format!("python:3.12={digest}")),
            Ok(("python:3.12".into(), digest))
        );
        for word in [
            "python",
            "python=3.12",
            "=sha256:00",
            "python=sha256:",
            "a=sha256:0G",
        ] {
            assert_eq!(base(word), Err(OptionsError::Base { word: word.into() }));
        }
        for word in ["A", "=b", ""] {
            assert_eq!(
                build_arg(word),
                Err(OptionsError::BuildArg { word: word.into() })
            );
        }
        assert_eq!(
            Options::from_words(None, [], Some("amiga"), None)
                .unwrap_err()
                .code(),
            "unknown-platform"
        );
    }

    #[test]
    fn platforms_as_containerd_reads_them() {
        for (text, canonical) in [
            ("linux/amd64", "linux/amd64"),
            ("linux/x86_64", "linux/amd64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("aarch64", "linux/arm64"),
            ("windows", "windows/amd64"),
        ] {
            assert_eq!(Platform::parse(text).expect(text).to_string(), canonical);
        }
        for text in ["", "/", "linux/", "a/b/c/d", "linux/am d64", "nonsense"] {
            assert_eq!(Platform::parse(text), None, "{text}");
        }
    }
}
