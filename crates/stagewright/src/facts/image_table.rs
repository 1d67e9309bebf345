//! The rows of the image tables: `catalog/images.toml`, `images_2018.tsv.zst`, and the alias table `tags.tsv.zst`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::distro::Libc;
use super::image::ImageFacts;
use super::memo::Memo;
use super::table::Table;
use crate::size::{Basis, Size};

/// One build of an image as a table has it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) family: String,
    pub(crate) tags: Vec<String>,
    pub(crate) as_of: String,
    #[serde(default)]
    pub(crate) uncompressed: Option<u64>,
    #[serde(default)]
    pub(crate) precision: u64,
    #[serde(default)]
    pub(crate) uncompressed_of: Option<String>,
    #[serde(default)]
    pub(crate) compressed: Option<u64>,
    #[serde(default)]
    pub(crate) compressed_about: Option<u64>,
    #[serde(default)]
    pub(crate) compressed_arm64: Option<u64>,
    #[serde(default)]
    pub(crate) layers: Vec<(String, u64)>,
    #[serde(default)]
    pub(crate) digest: Option<String>,
    #[serde(default)]
    pub(crate) index_digest: Option<String>,
    #[serde(default)]
    pub(crate) config: Option<String>,
    pub(crate) libc: Libc,
    #[serde(default)]
    pub(crate) distro: String,
    #[serde(default)]
    pub(crate) env: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) workdir: Option<String>,
    #[serde(default)]
    pub(crate) user: Option<String>,
    #[serde(default)]
    pub(crate) cmd: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) entrypoint: Option<Vec<String>>,
    #[serde(default)]
    pub(crate) note: Option<String>,
    pub(crate) source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    image: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ratios {
    source: String,
    date: String,
    ratio: Vec<Ratio>,
}

/// Uncompressed over compressed bytes of a group of images.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ratio {
    family: Option<String>,
    libc: Libc,
    #[serde(default)]
    from: u32,
    median: f64,
    low: f64,
    high: f64,
}

/// All that is known of images.
pub(crate) struct ImageTable {
    written: Vec<Row>,
    ratios: Ratios,
    of_2018: OnceLock<Table>,
    aliases: OnceLock<Table>,
    /// What is known of an image, by its reference and the day.
    pub(crate) found: Memo<(String, Option<String>), Option<Arc<ImageFacts>>>,
}

impl ImageTable {
    /// The embedded tables.
    pub(crate) fn embedded() -> Self {
        let written: Written = toml::from_str(include_str!("../../catalog/images.toml"))
            .expect("catalog/images.toml is valid");
        let ratios = toml::from_str(include_str!("../../catalog/image_ratio.toml"))
            .expect("catalog/image_ratio.toml is valid");
        Self {
            written: written.image,
            ratios,
            of_2018: OnceLock::new(),
            aliases: OnceLock::new(),
            found: Memo::new(),
        }
    }

    /// Every build of a family, in no particular order.
    pub(crate) fn family(&self, family: &str) -> Vec<Cow<'_, Row>> {
        let older = self.of_2018();
        let of_2018 = older.find(family);
        let of_2018 = of_2018.map(|row| Cow::Owned(read(older.line(row), older.basis())));
        let written = self.written.iter().filter(|row| row.family == family);
        written.map(Cow::Borrowed).chain(of_2018).collect()
    }

    fn of_2018(&self) -> &Table {
        self.of_2018
            .get_or_init(|| Table::embedded(include_bytes!("../../catalog/images_2018.tsv.zst")))
    }

    /// The day of the alias table.
    pub(crate) fn aliases_date(&self) -> &str {
        self.aliases().basis().date.as_deref().unwrap_or_default()
    }

    /// All tags that were the same build as `family:tag` when the alias table was made.
    pub(crate) fn same_build(&self, family: &str, tag: &str) -> Option<Vec<&str>> {
        let table = self.aliases();
        table.find(family).find_map(|row| {
            let (_, tags) = table.line(row).split_once('\t')?;
            tags.split(' ')
                .any(|one| one == tag)
                .then(|| tags.split(' ').collect())
        })
    }

    fn aliases(&self) -> &Table {
        self.aliases
            .get_or_init(|| Table::embedded(include_bytes!("../../catalog/tags.tsv.zst")))
    }

    /// Both sizes of a row, uncompressed then compressed; the one that no report gives follows from the other.
    /// The basis says so.
    pub(crate) fn sizes(&self, row: &Row) -> Option<(Size, Size, Basis)> {
        let year: u32 = row.as_of.get(..4)?.parse().ok()?;
        let ratio = self.ratios.ratio.iter().find(|ratio| {
            ratio
                .family
                .as_ref()
                .is_none_or(|family| *family == row.family)
                && ratio.libc == row.libc
                && year >= ratio.from
        })?;
        let rounded = |bytes: u64| {
            Size::range(
                bytes.saturating_sub(row.precision),
                bytes,
                bytes.saturating_add(row.precision),
            )
        };
        let mut source = row.source.clone();
        let sizes = match (row.uncompressed, row.compressed) {
            (Some(uncompressed), Some(compressed)) => {
                if let Some(of) = &row.uncompressed_of {
                    source = format!("{source}; uncompressed: {of}");
                }
                (rounded(uncompressed), Size::exact(compressed))
            }
            (Some(uncompressed), None) => {
                let compressed = if let Some(about) = row.compressed_about {
                    Size::within(about, 0.05, 0.05)
                } else {
                    source = format!(
                        "{source}; compressed: uncompressed / {:.2}, {} ({})",
                        ratio.median, self.ratios.source, self.ratios.date
                    );
                    let by = |ratio: f64| Size::exact(uncompressed).scale(1.0 / ratio).expected;
                    Size::range(by(ratio.high), by(ratio.median), by(ratio.low))
                };
                (rounded(uncompressed), compressed)
            }
            (None, Some(compressed)) => {
                source = format!(
                    "{source}; uncompressed: compressed * {:.2}, {} ({})",
                    ratio.median, self.ratios.source, self.ratios.date
                );
                let by = |ratio: f64| Size::exact(compressed).scale(ratio).expected;
                let uncompressed = Size::range(by(ratio.low), by(ratio.median), by(ratio.high));
                (uncompressed, Size::exact(compressed))
            }
            (None, None) => return None,
        };
        if let Some(note) = &row.note {
            source = format!("{source}; {note}");
        }
        Some((sizes.0, sizes.1, Basis::dated(source, row.as_of.clone())))
    }
}

/// One row of the table of 2018.
fn read(line: &str, basis: &Basis) -> Row {
    let columns: Vec<&str> = line.split('\t').collect();
    let column = |index: usize| columns.get(index).copied().unwrap_or_default();
    let text = |index: usize| {
        Some(column(index))
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let number = |index: usize| column(index).parse::<u64>().ok();
    let uncompressed = number(2);
    Row {
        family: column(0).to_owned(),
        tags: column(1).split(' ').map(str::to_owned).collect(),
        as_of: basis.date.as_deref().unwrap_or_default().to_owned(),
        uncompressed,
        // The reports print two decimals of MB below a gigabyte, two of GB above.
        precision: if uncompressed >= Some(1_000_000_000) {
            5_000_000
        } else {
            5_000
        },
        uncompressed_of: None,
        compressed: number(3),
        compressed_about: None,
        compressed_arm64: None,
        layers: column(4)
            .split(' ')
            .filter_map(|layer| {
                let (digest, bytes) = layer.split_once(':')?;
                Some((digest.to_owned(), bytes.parse().ok()?))
            })
            .collect(),
        digest: text(5),
        index_digest: text(6),
        config: None,
        libc: match column(7) {
            "glibc" => Libc::Glibc,
            "musl" => Libc::Musl,
            _ => Libc::Other,
        },
        distro: column(8).to_owned(),
        env: column(9)
            .split('\u{1f}')
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        workdir: text(10),
        user: text(11),
        cmd: serde_json::from_str(column(12)).ok(),
        entrypoint: serde_json::from_str(column(13)).ok(),
        note: None,
        source: basis.source.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_size_a_day_and_a_source() {
        let table = ImageTable::embedded();
        let mut rows = 0;
        let older = table.of_2018();
        let older: Vec<Row> = (0..older.len())
            .map(|row| read(older.line(row), older.basis()))
            .collect();
        for row in table.written.iter().chain(&older) {
            let (uncompressed, compressed, basis) = table
                .sizes(row)
                .unwrap_or_else(|| panic!("{} {:?}", row.family, row.tags));
            assert!(
                compressed.expected > 0 && !basis.source.is_empty(),
                "{row:?}"
            );
            assert!(uncompressed.low <= uncompressed.high);
            assert_eq!(row.as_of.len(), 10, "{row:?}");
            if let (false, Some(compressed)) = (row.layers.is_empty(), row.compressed) {
                let sum: u64 = row.layers.iter().map(|layer| layer.1).sum();
                assert_eq!(
                    sum, compressed,
                    "{} {:?}: layers add up",
                    row.family, row.tags
                );
            }
            rows += 1;
        }
        assert_eq!((table.written.len(), older.len()), (81, 515));
        assert_eq!(rows, 596);
    }

    #[test]
    fn one_build_has_many_tags() {
        let table = ImageTable::embedded();
        let tags = table
            .same_build("python", "3.12-slim")
            .expect("an official tag");
        assert!(tags.contains(&"3.12-slim-trixie"));
        assert_eq!(table.same_build("python", "3.7"), None);
        assert_eq!(table.aliases_date(), "2026-08-22");
    }
}
