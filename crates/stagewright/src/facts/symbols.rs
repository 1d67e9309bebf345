//! Symbols that wheels ship in their native modules (`catalog/symbols.toml`).

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "date")]
    _date: String,
    packages: BTreeMap<String, Row>,
}

/// What was measured of one package, in bytes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    #[serde(rename = "version")]
    _version: String,
    native: u64,
    symbols: u64,
}

/// The share of a package's native bytes that `strip` takes away; 0 where nobody has seen any. Projects strip all of their wheels or none,
/// so that the share of one version is taken for that of others.
#[expect(
    clippy::cast_precision_loss,
    reason = "a wheel has less than 2^53 bytes"
)]
pub(crate) fn share(package: &str) -> f64 {
    static TABLE: OnceLock<Table> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        toml::from_str(include_str!("../../catalog/symbols.toml"))
            .expect("catalog/symbols.toml is valid")
    });
    table
        .packages
        .get(package)
        .map_or(0.0, |row| row.symbols as f64 / row.native as f64)
}
