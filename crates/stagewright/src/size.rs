//! Bytes with an error bar, what they are made of, and where the number comes from.

use std::sync::Arc;

use serde::Serialize;

/// A number of bytes that is not known exactly: the value lies between `low` and `high`, `expected` is the best guess.
///
/// `low <= expected <= high` always holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Size {
    /// The least that is likely, in bytes.
    pub low: u64,
    /// The best guess, in bytes.
    pub expected: u64,
    /// The most that is likely, in bytes.
    pub high: u64,
}

impl Size {
    /// No bytes at all.
    pub const ZERO: Self = Self::exact(0);

    /// A size that is known to the byte.
    pub const fn exact(bytes: u64) -> Self {
        Self {
            low: bytes,
            expected: bytes,
            high: bytes,
        }
    }

    /// A size known up to a share of itself: `within(100, 0.1, 0.3)` is 90 to 130 bytes.
    pub fn within(expected: u64, below: f64, above: f64) -> Self {
        Self {
            low: scaled(expected, 1.0 - below.clamp(0.0, 1.0)),
            expected,
            high: scaled(expected, 1.0 + above.max(0.0)),
        }
    }

    /// A size from its three numbers, put in order where they are not.
    pub fn range(low: u64, expected: u64, high: u64) -> Self {
        Self {
            low: low.min(expected),
            expected,
            high: high.max(expected),
        }
    }

    /// Whether the number is known to the byte.
    pub const fn is_exact(self) -> bool {
        self.low == self.high
    }

    /// The same size, `factor` times; the error grows alike.
    #[must_use]
    pub fn scale(self, factor: f64) -> Self {
        Self {
            low: scaled(self.low, factor),
            expected: scaled(self.expected, factor),
            high: scaled(self.high, factor),
        }
    }

    /// Adds two sizes whose errors are of one cause, so that they add up in full.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            low: self.low.saturating_add(other.low),
            expected: self.expected.saturating_add(other.expected),
            high: self.high.saturating_add(other.high),
        }
    }

    /// Adds many sizes whose errors are independent: the distances to `low` and to `high` each add as the root of their squares,
    /// as errors of independent measurements do. Orders of magnitude (`low` below half of `expected`) are no measurements: downwards
    /// they add in full. The order of the parts does not matter.
    pub fn sum(parts: impl IntoIterator<Item = Self>) -> Self {
        let (mut expected, mut guessed, mut below, mut above) = (0_u64, 0_u64, 0_u128, 0_u128);
        for part in parts {
            expected = expected.saturating_add(part.expected);
            if part.low < part.expected / 2 {
                guessed = guessed.saturating_add(part.expected - part.low);
            } else {
                below = below.saturating_add(square(part.expected - part.low));
            }
            above = above.saturating_add(square(part.high - part.expected));
        }
        Self {
            low: expected.saturating_sub(root(below).saturating_add(guessed)),
            expected,
            high: expected.saturating_add(root(above)),
        }
    }
}

/// The square of a distance in bytes; exact, so that a sum does not depend on its order.
fn square(distance: u64) -> u128 {
    u128::from(distance) * u128::from(distance)
}

/// The whole-number square root, capped at `u64::MAX`.
fn root(squares: u128) -> u64 {
    u64::try_from(squares.isqrt()).unwrap_or(u64::MAX)
}

/// `bytes * factor`, rounded to the nearest byte, never negative, never past `u64::MAX`.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "an estimate: 53 bits of precision are plenty, and `as` saturates at both ends"
)]
pub(crate) fn scaled(bytes: u64, factor: f64) -> u64 {
    (bytes as f64 * factor).round() as u64
}

/// What bytes are made of. Layers are compressed by the registry client, and how far depends on the content alone.
///
/// The ratios stand in the catalogue (`catalog/compression.toml`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Kind {
    /// Executables and shared libraries.
    Binary,
    /// The compiled parts of Python wheels.
    NativeWheel,
    /// Python source.
    PythonSource,
    /// Python byte code (`.pyc`).
    ByteCode,
    /// JavaScript and its maps.
    JavaScript,
    /// Style sheets, fonts, front-end bundles.
    WebAssets,
    /// Message catalogues.
    Locale,
    /// Manual pages and documentation, most of it compressed already.
    Docs,
    /// The databases of dpkg, apk and rpm.
    PackageDatabase,
    /// Downloaded package lists.
    PackageLists,
    /// Wheels, tarballs and other archives.
    Archive,
    /// Text of any kind.
    Text,
    /// An installed distribution package: binaries, text and data.
    SystemPackage,
    /// Anything else.
    Other,
}

impl Kind {
    /// The word used in all three languages, `python-source` for example.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Binary => "binary",
            Self::NativeWheel => "native-wheel",
            Self::PythonSource => "python-source",
            Self::ByteCode => "byte-code",
            Self::JavaScript => "java-script",
            Self::WebAssets => "web-assets",
            Self::Locale => "locale",
            Self::Docs => "docs",
            Self::PackageDatabase => "package-database",
            Self::PackageLists => "package-lists",
            Self::Archive => "archive",
            Self::Text => "text",
            Self::SystemPackage => "system-package",
            Self::Other => "other",
        }
    }
}

/// Where a number comes from. A copy costs no memory: all that comes from one source holds one text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Basis {
    /// The source in a few words: a table of the catalogue, a lock file, the build context, a rule of thumb.
    pub source: Arc<str>,
    /// The day the source was read or measured, `YYYY-MM-DD`, where it has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub date: Option<Arc<str>>,
}

impl Basis {
    /// A source without a date.
    pub fn new(source: impl Into<Arc<str>>) -> Self {
        Self {
            source: source.into(),
            date: None,
        }
    }

    /// A source as it stood on a day (`YYYY-MM-DD`).
    pub fn dated(source: impl Into<Arc<str>>, date: impl Into<Arc<str>>) -> Self {
        Self {
            source: source.into(),
            date: Some(date.into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn independent_errors_add_as_squares() {
        let sum = Size::sum([Size::range(70, 100, 130), Size::range(60, 100, 140)]);
        assert_eq!(sum, Size::range(150, 200, 250));
        let guesses = Size::sum([
            Size::range(0, 100, 400),
            Size::range(10, 100, 500),
            Size::exact(7),
        ]);
        assert_eq!(guesses, Size::range(17, 207, 707));
    }

    #[test]
    fn numbers_are_kept_in_order() {
        assert_eq!(
            Size::range(5, 3, 1),
            Size {
                low: 3,
                expected: 3,
                high: 3
            }
        );
        assert_eq!(
            Size::within(100, 2.0, -1.0),
            Size {
                low: 0,
                expected: 100,
                high: 100
            }
        );
        assert!(Size::exact(u64::MAX).plus(Size::exact(1)).is_exact());
    }
}
