//! npm packages: what lies in `node_modules`, from package folders that were measured.

use std::cmp::Ordering;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use super::table::Table;
use crate::size::{Basis, Size, scaled};

/// What is known of one npm package.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NpmFacts {
    /// The name, `@scope/name` where it has a scope.
    pub name: String,
    /// The version that the numbers are of, where one is known.
    pub version: Option<String>,
    /// Bytes of its folder, without packages nested in it.
    pub installed: Size,
    /// Bytes of the tarball that npm downloads, and keeps in its cache.
    pub download: Size,
    /// Number of files.
    pub files: Option<u64>,
    /// It compiles or downloads on installation, as far as known: its size may grow then.
    pub native: bool,
    /// Packages that it needs; `None` where unknown.
    pub dependencies: Option<Vec<String>>,
    /// Source and date.
    pub basis: Basis,
}

impl NpmFacts {
    /// Whether anything is known: if not, the sizes are a guess that fits most packages.
    pub fn is_known(&self) -> bool {
        self.version.is_some()
    }
}

/// `catalog/npm.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rules {
    source: String,
    date: String,
    exact: [f64; 2],
    other_version: [f64; 2],
    other_major: [f64; 2],
    tarball: f64,
    tarball_ratio: f64,
    tarball_ratio_error: f64,
    unknown: Unknown,
    unknown_needs: Unknown,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unknown {
    bytes: u64,
    low: u64,
    high: u64,
}

/// The table of npm packages.
pub(crate) struct NpmTable {
    rules: Rules,
    packages: OnceLock<Table>,
}

impl NpmTable {
    /// The embedded tables.
    pub(crate) fn embedded() -> Self {
        Self {
            rules: toml::from_str(include_str!("../../catalog/npm.toml"))
                .expect("catalog/npm.toml is valid"),
            packages: OnceLock::new(),
        }
    }

    fn packages(&self) -> &Table {
        self.packages
            .get_or_init(|| Table::unpack(include_bytes!("../../catalog/npm.tsv.zst")))
    }

    /// See [`Catalog::npm_package`](super::Catalog::npm_package).
    pub(crate) fn find(&self, name: &str, version: Option<&str>) -> NpmFacts {
        let table = self.packages();
        let rules = &self.rules;
        let row = |index: usize| table.line(index).split('\t').collect::<Vec<&str>>();
        let rows: Vec<Vec<&str>> = table.find(name).map(row).collect();
        let wanted = version.unwrap_or("999999999");
        let best = rows.iter().max_by(|a, b| {
            nearness(a[1], wanted)
                .cmp(&nearness(b[1], wanted))
                .then_with(|| order(a[1], b[1]))
        });
        let Some(best) = best else {
            let one = &rules.unknown;
            let installed = Size::range(one.low, one.bytes, one.high);
            return NpmFacts {
                name: name.to_owned(),
                version: None,
                installed,
                download: installed.scale(1.0 / rules.tarball_ratio),
                files: None,
                native: false,
                dependencies: None,
                basis: Basis::dated(
                    "no row: the sizes that most packages have",
                    rules.date.clone(),
                ),
            };
        };
        let column = |index: usize| best.get(index).copied().unwrap_or_default();
        let number = |index: usize| column(index).parse::<u64>().unwrap_or_default();
        let exact = version == Some(column(1));
        let [below, above] = match version {
            Some(_) if exact => rules.exact,
            Some(version) if major(version) == major(column(1)) => rules.other_version,
            _ => rules.other_major,
        };
        let mut basis = table.basis().clone();
        if !exact {
            basis.source = format!("{}; version {}", basis.source, column(1));
        }
        let (unpacked, deflated) = (number(2), number(4));
        NpmFacts {
            name: name.to_owned(),
            version: Some(column(1).to_owned()),
            installed: Size::within(unpacked, below, above),
            download: if deflated > 0 {
                Size::within(deflated, below + rules.tarball, above + rules.tarball)
            } else {
                let own = rules.tarball_ratio_error;
                let tarball = scaled(unpacked, 1.0 / rules.tarball_ratio);
                Size::within(tarball, below + own, above + own)
            },
            files: Some(number(3)),
            native: !column(5).is_empty(),
            dependencies: Some(
                column(6)
                    .split(',')
                    .filter(|name| !name.is_empty())
                    .map(str::to_owned)
                    .collect(),
            ),
            basis,
        }
    }

    /// What comes along with packages whose needs nobody knows.
    pub(crate) fn unknown_needs(&self, packages: usize) -> (Size, Basis) {
        let one = &self.rules.unknown_needs;
        let one = Size::range(one.low, one.bytes, one.high);
        let basis = Basis::dated(
            "what most packages need: theirs is in no table",
            self.rules.date.clone(),
        );
        (Size::sum(std::iter::repeat_n(one, packages)), basis)
    }

    /// Source of the rules.
    pub(crate) fn basis(&self) -> Basis {
        Basis::dated(self.rules.source.clone(), self.rules.date.clone())
    }
}

fn numbers(version: &str) -> Vec<u64> {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    core.split('.')
        .map(|part| part.parse().unwrap_or_default())
        .collect()
}

fn major(version: &str) -> u64 {
    numbers(version).first().copied().unwrap_or_default()
}

fn order(a: &str, b: &str) -> Ordering {
    numbers(a).cmp(&numbers(b))
}

/// How near a version is to the one wanted: itself, the same major version, any; among those the closest.
fn nearness(version: &str, wanted: &str) -> (bool, bool, std::cmp::Reverse<Vec<u64>>) {
    let (here, there) = (numbers(version), numbers(wanted));
    let distance = (0..3).map(|part| {
        let at = |numbers: &[u64]| numbers.get(part).copied().unwrap_or_default();
        at(&here).abs_diff(at(&there))
    });
    (
        version == wanted,
        here.first() == there.first(),
        std::cmp::Reverse(distance.collect()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str, version: Option<&str>) -> NpmFacts {
        NpmTable::embedded().find(name, version)
    }

    // Read from a committed package cache: lodash 4.17.21 has 1,412,415 bytes in 1,054 files.
    #[test]
    fn a_package_that_was_measured() {
        let lodash = find("lodash", Some("4.17.21"));
        assert_eq!(
            (lodash.installed.expected, lodash.files),
            (1_412_415, Some(1_054))
        );
        assert!(lodash.installed.high < 1_450_000);
    }

    #[test]
    fn other_versions_and_unknown_packages() {
        let near = find("lodash", Some("4.17.1"));
        assert_eq!(major(near.version.as_deref().expect("known")), 4);
        assert!(
            near.installed.low < near.installed.expected && near.basis.source.contains("version")
        );
        let far = find("lodash", Some("0.1.0"));
        assert!(far.installed.high - far.installed.low > near.installed.high - near.installed.low);
        let unknown = find("no-such-package-anywhere", Some("1.0.0"));
        assert!(!unknown.is_known() && unknown.dependencies.is_none());
        assert!(unknown.installed.high > 5 * unknown.installed.expected);
        assert!(find("lodash", None).is_known());
        for odd in ["", "x", "-", "99999999999999999999.1"] {
            assert!(find("lodash", Some(odd)).is_known());
        }
    }

    #[test]
    fn the_nearest_version_is_taken() {
        assert!(nearness("1.2.3", "1.2.3") > nearness("1.2.4", "1.2.3"));
        assert!(nearness("1.9.0", "1.2.3") > nearness("2.2.3", "1.2.3"));
        assert_eq!(order("1.10.0", "1.9.0"), Ordering::Greater);
    }
}
