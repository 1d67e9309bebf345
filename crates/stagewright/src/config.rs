//! `stagewright.toml`: budgets, and base images that were measured.
//!
//! ```toml
//! [budget]
//! image = "150 MB"            # the image on disk
//! layer = "80 MB"             # each layer that the Dockerfile adds
//! growth = "3 %"              # against a saved report; or in bytes, "5 MB"
//! stage.builder = "1 GB"      # the image of a stage, by its name
//!
//! [base."python:3.12-slim"]   # written by `stagewright measure IMAGE --learn`
//! uncompressed = 119200000
//! compressed = 43190000
//! date = "2026-11-23"
//! ```
//!
//! Sizes are whole numbers of bytes, or texts with a unit: `B`; `kB`, `MB`, `GB`, `TB` (powers of 1000); `KiB`, `MiB`, `GiB`, `TiB`
//! (powers of 1024). Unknown keys and values of another type are errors, with line and column.
//!
//! | key of `[base."NAME:TAG"]` | what it is |
//! | --- | --- |
//! | `uncompressed` | bytes of the files of all layers (needed) |
//! | `compressed` | bytes of all layers as a registry holds them (needed) |
//! | `date` | the day it was measured, `YYYY-MM-DD` |
//! | `layers` | digests of the layers, base first (`sha256:…`): hosts that have one do not pull it |
//! | `layer_bytes` | compressed bytes of each of them, in the same order |
//! | `distro` | distribution and release, `debian 12` |
//! | `libc` | `glibc` or `musl` |
//! | `python`, `node` | versions of the interpreters in it |
//! | `env` | environment, each as `NAME=VALUE` |
//! | `workdir`, `user`, `cmd`, `entrypoint` | how a container starts |
//! | `packages` | all distribution packages that are installed |

use std::collections::BTreeMap;

use stagewright_syntax::{LineIndex, Span};
use thiserror::Error;
use toml::de::{DeTable, DeValue};

use crate::facts::MeasuredImage;

/// The name of the file, in the folder of the build context.
pub const CONFIG_FILE: &str = "stagewright.toml";

/// What a project's `stagewright.toml` says.
///
/// ```
/// use stagewright::Config;
///
/// let config = Config::parse("[budget]\nimage = \"150 MB\"\n")?;
/// assert_eq!(config.budget.image, Some(150_000_000));
/// # Ok::<(), stagewright::ConfigError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Config {
    /// What the image may weigh.
    pub budget: Budget,
    /// Base images that were measured, by their reference as a Dockerfile writes it.
    pub images: BTreeMap<String, MeasuredImage>,
}

/// What an image may weigh, in bytes on disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Budget {
    /// The image.
    pub image: Option<u64>,
    /// Each layer that the Dockerfile adds.
    pub layer: Option<u64>,
    /// The image of each of these stages, by name.
    pub stages: BTreeMap<String, u64>,
    /// How much larger than before the image may be.
    pub growth: Option<Growth>,
}

/// How much an image may grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Growth {
    /// By these bytes.
    Bytes(u64),
    /// By this share of what it weighed, in hundredths of a percent.
    Share(u64),
}

impl Growth {
    /// The bytes that an image of a size may grow by.
    pub fn of(self, before: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Share(share) => {
                let bytes = u128::from(before) * u128::from(share) / 10_000;
                u64::try_from(bytes).unwrap_or(u64::MAX)
            }
        }
    }
}

/// Why a `stagewright.toml` cannot be understood. The message has line and column.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It is no TOML.
    #[error("`stagewright.toml`, line {line}, column {column}: {message}")]
    Syntax {
        /// The line, 1-based.
        line: u32,
        /// The column, 1-based, in characters.
        column: u32,
        /// What the parser says.
        message: String,
    },
    /// No key is called so.
    #[error("`stagewright.toml`, line {line}, column {column}: no key is called `{key}` here: there are {known}{}", nearest.map(|name| format!("; did you mean `{name}`?")).unwrap_or_default())]
    UnknownKey {
        /// The line, 1-based.
        line: u32,
        /// The column, 1-based, in characters.
        column: u32,
        /// The key.
        key: String,
        /// The keys there are.
        known: String,
        /// The one that is nearest.
        nearest: Option<&'static str>,
    },
    /// A value is not of the kind that its key takes.
    #[error("`stagewright.toml`, line {line}, column {column}: `{key}` is {wanted}")]
    BadValue {
        /// The line, 1-based.
        line: u32,
        /// The column, 1-based, in characters.
        column: u32,
        /// The key.
        key: String,
        /// What it takes, with an example.
        wanted: &'static str,
    },
    /// Something is missing.
    #[error("`stagewright.toml`, line {line}, column {column}: `{key}` is missing")]
    MissingKey {
        /// The line of the table, 1-based.
        line: u32,
        /// Its column, 1-based, in characters.
        column: u32,
        /// The key.
        key: &'static str,
    },
    /// An image is learned without a name.
    #[error("the image has no name of its own: say the one that Dockerfiles write")]
    NoName,
    /// A saved report is none.
    #[error(
        "the saved report cannot be understood: it is no answer of `stagewright size --json`: {why}"
    )]
    BadReport {
        /// What is wrong.
        why: String,
    },
}

impl ConfigError {
    /// A stable name in kebab-case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Syntax { .. } => "config-syntax",
            Self::UnknownKey { .. } => "config-unknown-key",
            Self::BadValue { .. } => "config-bad-value",
            Self::MissingKey { .. } => "config-missing-key",
            Self::NoName => "no-image-name",
            Self::BadReport { .. } => "bad-report",
        }
    }
}

const SIZE: &str = "a size: a whole number of bytes, or a text as in \"150 MB\"";
const GROWTH: &str = "a size or a share: \"5 MB\" or \"3 %\"";
const TABLE: &str = "a table";
const TEXT: &str = "a text";
const TEXTS: &str = "a list of texts";
const DAY: &str = "a day as text: \"2026-11-23\"";
const LIBC: &str = "\"glibc\" or \"musl\"";

const BASE_KEYS: [&str; 15] = [
    "uncompressed",
    "compressed",
    "date",
    "layers",
    "layer_bytes",
    "distro",
    "libc",
    "python",
    "node",
    "env",
    "workdir",
    "user",
    "cmd",
    "entrypoint",
    "packages",
];

impl Config {
    /// Reads the text of a `stagewright.toml`.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let reader = Reader {
            lines: LineIndex::new(text),
        };
        let table = DeTable::parse(text).map_err(|error| {
            let (line, column) = reader.place(&error.span().unwrap_or_default());
            ConfigError::Syntax {
                line,
                column,
                message: error.message().to_owned(),
            }
        })?;
        let mut config = Self::default();
        for entry in entries(table.get_ref()) {
            match entry.key {
                "budget" => config.budget = reader.budget(&entry)?,
                "base" => {
                    for image in entries(entry.table(&reader)?) {
                        config
                            .images
                            .insert(image.key.to_owned(), reader.image(&image)?);
                    }
                }
                _ => return Err(entry.unknown(&reader, &["budget", "base"])),
            }
        }
        Ok(config)
    }
}

/// A key with its value.
struct Entry<'t> {
    key: &'t str,
    at: std::ops::Range<usize>,
    value: &'t DeValue<'t>,
    value_at: std::ops::Range<usize>,
}

/// The keys of a table.
fn entries<'e>(table: &'e DeTable<'e>) -> impl Iterator<Item = Entry<'e>> {
    table.iter().map(|(key, value)| Entry {
        key: key.get_ref(),
        at: key.span(),
        value: value.get_ref(),
        value_at: value.span(),
    })
}

struct Reader<'t> {
    lines: LineIndex<'t>,
}

impl Reader<'_> {
    fn place(&self, span: &std::ops::Range<usize>) -> (u32, u32) {
        let at = u32::try_from(span.start).unwrap_or(u32::MAX);
        let position = self.lines.position(Span::new(at, at).start);
        (position.line, position.column)
    }

    fn budget(&self, entry: &Entry<'_>) -> Result<Budget, ConfigError> {
        let mut budget = Budget::default();
        for entry in entries(entry.table(self)?) {
            match entry.key {
                "image" => budget.image = Some(entry.size(self)?),
                "layer" => budget.layer = Some(entry.size(self)?),
                "growth" => budget.growth = Some(entry.growth(self)?),
                "stage" => {
                    for stage in entries(entry.table(self)?) {
                        budget
                            .stages
                            .insert(stage.key.to_owned(), stage.size(self)?);
                    }
                }
                _ => return Err(entry.unknown(self, &["image", "layer", "stage", "growth"])),
            }
        }
        Ok(budget)
    }

    fn image(&self, entry: &Entry<'_>) -> Result<MeasuredImage, ConfigError> {
        let (mut uncompressed, mut compressed) = (None, None);
        let mut image = MeasuredImage {
            source: Some(format!("measured: {CONFIG_FILE}")),
            ..MeasuredImage::default()
        };
        for entry in entries(entry.table(self)?) {
            match entry.key {
                "uncompressed" => uncompressed = Some(entry.size(self)?),
                "compressed" => compressed = Some(entry.size(self)?),
                "date" => {
                    let day = entry.text(self)?;
                    crate::options::date(&day).map_err(|_| entry.bad(self, DAY))?;
                    image.date = Some(day);
                }
                "layers" => image.layers = entry.texts(self)?,
                "layer_bytes" => image.layer_bytes = entry.sizes(self)?,
                "distro" => image.distro = Some(entry.text(self)?),
                "libc" => {
                    let libc = entry.text(self)?;
                    if !matches!(libc.as_str(), "glibc" | "musl") {
                        return Err(entry.bad(self, LIBC));
                    }
                    image.libc = Some(libc);
                }
                "python" => image.python = Some(entry.text(self)?),
                "node" => image.node = Some(entry.text(self)?),
                "env" => image.env = entry.texts(self)?,
                "workdir" => image.workdir = Some(entry.text(self)?),
                "user" => image.user = Some(entry.text(self)?),
                "cmd" => image.cmd = Some(entry.texts(self)?),
                "entrypoint" => image.entrypoint = Some(entry.texts(self)?),
                "packages" => image.packages = entry.texts(self)?,
                _ => return Err(entry.unknown(self, &BASE_KEYS)),
            }
        }
        let missing = |key| {
            let (line, column) = self.place(&entry.at);
            ConfigError::MissingKey { line, column, key }
        };
        image.uncompressed = uncompressed.ok_or_else(|| missing("uncompressed"))?;
        image.compressed = compressed.ok_or_else(|| missing("compressed"))?;
        Ok(image)
    }
}

impl<'t> Entry<'t> {
    fn bad(&self, reader: &Reader<'_>, wanted: &'static str) -> ConfigError {
        let (line, column) = reader.place(&self.value_at);
        ConfigError::BadValue {
            line,
            column,
            key: self.key.to_owned(),
            wanted,
        }
    }

    fn unknown(&self, reader: &Reader<'_>, known: &[&'static str]) -> ConfigError {
        let (line, column) = reader.place(&self.at);
        let nearest = known
            .iter()
            .map(|name| (distance(self.key, name), *name))
            .min();
        ConfigError::UnknownKey {
            line,
            column,
            key: self.key.to_owned(),
            known: known
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", "),
            nearest: nearest
                .filter(|(distance, _)| *distance < 3)
                .map(|(_, name)| name),
        }
    }

    fn table(&self, reader: &Reader<'_>) -> Result<&'t DeTable<'t>, ConfigError> {
        self.value.as_table().ok_or_else(|| self.bad(reader, TABLE))
    }

    fn text(&self, reader: &Reader<'_>) -> Result<String, ConfigError> {
        self.value
            .as_str()
            .map(str::to_owned)
            .ok_or_else(|| self.bad(reader, TEXT))
    }

    fn texts(&self, reader: &Reader<'_>) -> Result<Vec<String>, ConfigError> {
        let items = self
            .value
            .as_array()
            .ok_or_else(|| self.bad(reader, TEXTS))?;
        let text = |item: &toml::Spanned<DeValue<'_>>| item.get_ref().as_str().map(str::to_owned);
        items
            .iter()
            .map(text)
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| self.bad(reader, TEXTS))
    }

    fn size(&self, reader: &Reader<'_>) -> Result<u64, ConfigError> {
        size_of(self.value).ok_or_else(|| self.bad(reader, SIZE))
    }

    fn sizes(&self, reader: &Reader<'_>) -> Result<Vec<u64>, ConfigError> {
        let items = self
            .value
            .as_array()
            .ok_or_else(|| self.bad(reader, SIZE))?;
        let sizes = items.iter().map(|item| size_of(item.get_ref()));
        sizes
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| self.bad(reader, SIZE))
    }

    fn growth(&self, reader: &Reader<'_>) -> Result<Growth, ConfigError> {
        let share = self
            .value
            .as_str()
            .and_then(|text| text.trim_ascii().strip_suffix('%'));
        let growth = match share {
            Some(share) => scaled(share.trim_ascii(), 100).map(Growth::Share),
            None => size_of(self.value).map(Growth::Bytes),
        };
        growth.ok_or_else(|| self.bad(reader, GROWTH))
    }
}

fn size_of(value: &DeValue<'_>) -> Option<u64> {
    match value {
        DeValue::Integer(number) if number.radix() == 10 => {
            number.as_str().replace('_', "").parse().ok()
        }
        DeValue::String(text) => bytes(text),
        _ => None,
    }
}

/// Bytes out of a text with a unit: `150 MB`, `1.5 GiB`, `900 B`.
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim_ascii();
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let factor = match &text[unit..] {
        "B" => 1,
        "kB" | "KB" => 1000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "TB" => 1_000_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        "TiB" => 1 << 40,
        _ => return None,
    };
    scaled(text[..unit].trim_ascii(), factor)
}

/// A decimal number, some times: `1.5` and 1000 are 1500. Exact; parts of one are cut off.
fn scaled(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| {
        !text.is_empty() && text.len() <= 15 && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let parts = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let value = whole.parse::<u128>().ok()? * parts + fraction.parse::<u128>().ok()?;
    u64::try_from(value * u128::from(factor) / parts).ok()
}

/// How many letters two words differ in (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    // Words of people are short; an endless one is far from all.
    for (i, x) in a.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units() {
        for (text, expected) in [
            ("150 MB", Some(150_000_000)),
            ("1.5GiB", Some(1_610_612_736)),
            ("0.1 kB", Some(100)),
            ("900 B", Some(900)),
            ("12", None),
            ("MB", None),
            ("1,5 MB", None),
            ("-1 MB", None),
            ("1 mb", None),
            ("99999999999999 TB", None),
        ] {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }

    #[test]
    fn budgets() {
        let text = "[budget]\nimage = \"150 MB\"\nlayer = 80_000_000\ngrowth = \"2.5 %\"\nstage.builder = \"1 GB\"\n";
        let budget = Config::parse(text).unwrap().budget;
        assert_eq!(
            (budget.image, budget.layer),
            (Some(150_000_000), Some(80_000_000))
        );
        assert_eq!(budget.growth, Some(Growth::Share(250)));
        assert_eq!(budget.growth.unwrap().of(1_000_000), 25_000);
        assert_eq!(budget.stages["builder"], 1_000_000_000);
    }

    #[test]
    fn errors_have_a_place() {
        for (text, code, message) in [
            (
                "[budget]\nimgae = 1\n",
                "config-unknown-key",
                "line 2, column 1: no key is called `imgae` here: there are `image`, `layer`, `stage`, `growth`; did you mean `image`?",
            ),
            (
                "[budget]\nimage = true\n",
                "config-bad-value",
                "line 2, column 9: `image` is a size: a whole number of bytes, or a text as in \"150 MB\"",
            ),
            (
                "budget = 3\n",
                "config-bad-value",
                "line 1, column 10: `budget` is a table",
            ),
            (
                "[budget]\ngrowth = \"x %\"\n",
                "config-bad-value",
                "line 2, column 10: `growth` is a size or a share: \"5 MB\" or \"3 %\"",
            ),
            (
                "[base.\"a:1\"]\ncompressed = 1\n",
                "config-missing-key",
                "line 1, column 7: `uncompressed` is missing",
            ),
            (
                "[colour]\n",
                "config-unknown-key",
                "line 1, column 2: no key is called `colour` here: there are `budget`, `base`",
            ),
            ("[budget\n", "config-syntax", "line 1, column 8: "),
        ] {
            let error = Config::parse(text).unwrap_err();
            assert_eq!(error.code(), code, "{text}");
            assert!(
                error
                    .to_string()
                    .starts_with(&format!("`stagewright.toml`, {message}")),
                "{error}"
            );
        }
    }
}
