//! How far bytes of a kind are compressed in a layer (`catalog/compression.toml`).

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::size::{Kind, Size};

/// How a layer's blob is compressed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Codec {
    /// gzip at its default level: what a push does unless told otherwise.
    #[default]
    Gzip,
    /// zstd at level 3.
    Zstd,
}

/// Uncompressed bytes over compressed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Compression {
    /// The ratio, at least 1.
    pub ratio: f64,
    /// The share by which single trees of the kind differ from it, 0 to 1.
    pub error: f64,
}

impl Compression {
    /// The compressed size of `size` bytes: their own error and that of the ratio together.
    pub fn compressed(self, size: Size) -> Size {
        let expected = Size::exact(size.expected).scale(1.0 / self.ratio).expected;
        let low = size.scale((1.0 - self.error) / self.ratio).low;
        let high = size.scale((1.0 + self.error) / self.ratio).high;
        Size::range(low, expected, high)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ratios {
    source: String,
    date: String,
    kind: BTreeMap<String, Ratio>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ratio {
    gzip: f64,
    zstd: f64,
    error: f64,
}

static RATIOS: LazyLock<Ratios> = LazyLock::new(|| {
    toml::from_str(include_str!("../../catalog/compression.toml"))
        .expect("catalog/compression.toml is valid")
});

/// The ratio of a kind.
pub(crate) fn find(kind: Kind, codec: Codec) -> Compression {
    let row = &RATIOS.kind[kind.as_str()];
    Compression {
        ratio: match codec {
            Codec::Gzip => row.gzip,
            Codec::Zstd => row.zstd,
        },
        error: row.error,
    }
}

/// Source and date of the ratios.
pub(crate) fn basis() -> crate::size::Basis {
    crate::size::Basis::dated(RATIOS.source.clone(), RATIOS.date.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    // compression_by_kind: numpy's and pandas' libraries, 63,119,360 bytes of tar, 20,246,271 after gzip.
    #[test]
    fn measured_trees_lie_within() {
        let trees = [
            (Kind::NativeWheel, 63_119_360, 20_246_271),
            (Kind::PythonSource, 32_983_040, 6_519_730),
            (Kind::ByteCode, 57_221_120, 17_927_823),
            (Kind::Binary, 20_858_880, 8_429_150),
            (Kind::Binary, 98_938_880, 35_931_987),
            (Kind::WebAssets, 28_313_600, 6_659_073),
            (Kind::JavaScript, 2_928_640, 697_853),
            (Kind::PackageDatabase, 3_072_000, 599_850),
            (Kind::PackageLists, 19_865_600, 15_293_453),
            (Kind::Archive, 30_638_080, 30_049_590),
        ];
        for (kind, tar, gzip) in trees {
            let compressed = find(kind, Codec::Gzip).compressed(Size::exact(tar));
            assert!(
                compressed.low <= gzip && gzip <= compressed.high,
                "{kind:?} {compressed:?} {gzip}"
            );
        }
    }

    #[test]
    fn zstd_is_at_least_as_good_but_for_archives() {
        for kind in [
            Kind::Text,
            Kind::Docs,
            Kind::Locale,
            Kind::SystemPackage,
            Kind::Other,
        ] {
            assert!(find(kind, Codec::Zstd).ratio >= find(kind, Codec::Gzip).ratio);
        }
        assert_eq!(basis().date.as_deref(), Some("2026-11-23"));
    }
}
