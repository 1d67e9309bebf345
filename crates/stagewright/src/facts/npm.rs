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
    /// Packages that it needs, as `name`, or as `name@1` where it needs another major version than the newest; `None` where unknown.
    pub dependencies: Option<Vec<String>>,
    /// Packages that come along where they fit the platform, written alike.
    pub optional_dependencies: Vec<String>,
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
    other_patch: [f64; 2],
    other_minor: [f64; 2],
    newer_major: [f64; 2],
    older_major: [f64; 2],
    tarball: f64,
    tarball_ratio: f64,
    tarball_ratio_error: f64,
    unknown: Vec<UnknownPackages>,
    unknown_platform: Unknown,
    unknown_needs: Unknown,
    lock: Unknown,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Unknown {
    bytes: u64,
    low: u64,
    high: u64,
}

impl Unknown {
    fn size(&self) -> Size {
        Size::range(self.low, self.bytes, self.high)
    }
}

/// What each of so many packages weighs on the average.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UnknownPackages {
    packages: f64,
    low: f64,
    bytes: f64,
    high: f64,
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
            .get_or_init(|| Table::embedded(include_bytes!("../../catalog/npm.tsv.zst")))
    }

    /// See [`Catalog::npm_package`](super::Catalog::npm_package).
    pub(crate) fn find(&self, name: &str, version: Option<&str>) -> NpmFacts {
        let table = self.packages();
        let rules = &self.rules;
        let row = |index: usize| table.line(index).split('\t').collect::<Vec<&str>>();
        let rows: Vec<Vec<&str>> = table.find(name).map(row).collect();
        let best = rows.iter().max_by(|a, b| {
            nearness(a[1], version)
                .cmp(&nearness(b[1], version))
                .then_with(|| order(a[1], b[1]))
        });
        let Some(best) = best else {
            let installed = if is_for_a_platform(name) {
                rules.unknown_platform.size()
            } else {
                self.unknown(1)
            };
            return self.guessed(name, installed);
        };
        let column = |index: usize| best.get(index).copied().unwrap_or_default();
        let number = |index: usize| column(index).parse::<u64>().unwrap_or_default();
        let exact = version == Some(column(1));
        let [below, above] = if exact {
            rules.exact
        } else {
            let (found, wanted) = (numbers(column(1)), numbers(version.unwrap_or_default()));
            match found.first().cmp(&wanted.first()) {
                // What is newest today was measured some time ago.
                _ if version.is_none() => rules.other_minor,
                Ordering::Equal if wanted.get(1) == found.get(1) => rules.other_patch,
                Ordering::Equal => rules.other_minor,
                Ordering::Less => rules.newer_major,
                Ordering::Greater => rules.older_major,
            }
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
            dependencies: Some(list(column(6))),
            optional_dependencies: list(column(7)),
            basis,
        }
    }

    /// Packages that are installed together: of the sum of many unknown ones more is known than of each.
    pub(crate) fn together(&self, mut all: Vec<NpmFacts>) -> Vec<NpmFacts> {
        let is_unknown = |one: &NpmFacts| !one.is_known() && !is_for_a_platform(&one.name);
        let count = all.iter().filter(|one| is_unknown(one)).count();
        let installed = self.unknown(count);
        for one in all.iter_mut().filter(|one| is_unknown(one)) {
            *one = self.guessed(&one.name, installed);
        }
        all
    }

    fn guessed(&self, name: &str, installed: Size) -> NpmFacts {
        NpmFacts {
            name: name.to_owned(),
            version: None,
            installed,
            download: installed.scale(1.0 / self.rules.tarball_ratio),
            files: None,
            native: false,
            dependencies: None,
            optional_dependencies: Vec::new(),
            basis: Basis::dated(
                "no row: the sizes that most packages have",
                self.rules.date.clone(),
            ),
        }
    }

    /// What each of `count` packages weighs of which nothing is known: the more there are, the nearer their mean is to that of all packages.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "bytes of a guess"
    )]
    fn unknown(&self, count: usize) -> Size {
        let count = count.max(1) as f64;
        let steps = &self.rules.unknown;
        let after = steps.iter().position(|step| step.packages >= count);
        let (one, other) = match after {
            Some(0) => (0, 0),
            Some(after) => (after - 1, after),
            None => (steps.len() - 1, steps.len() - 1),
        };
        let (one, other) = (&steps[one], &steps[other]);
        let share = if one.packages < other.packages {
            (count / one.packages).ln() / (other.packages / one.packages).ln()
        } else {
            0.0
        };
        let between = |of: fn(&UnknownPackages) -> f64| of(one) + share * (of(other) - of(one));
        let (low, bytes) = (between(|step| step.low), between(|step| step.bytes));
        // The error of a sum is that of all of them at once, and what is above adds up by squares where sizes are added.
        let above = (between(|step| step.high) - bytes) * count.sqrt();
        Size::range(low as u64, bytes as u64, (bytes + above) as u64)
    }

    /// What comes along with packages whose needs nobody knows.
    pub(crate) fn unknown_needs(&self, packages: usize) -> (Size, Basis) {
        let one = self.rules.unknown_needs.size();
        let basis = Basis::dated(
            "what most packages need: theirs is in no table",
            self.rules.date.clone(),
        );
        (Size::sum(std::iter::repeat_n(one, packages)), basis)
    }

    /// The lock file that npm writes for so many packages.
    pub(crate) fn lock(&self, packages: usize) -> (Size, Basis) {
        let one = self.rules.lock.size();
        let basis = Basis::dated(
            "what npm writes into a lock file for each package",
            self.rules.date.clone(),
        );
        (Size::sum(std::iter::repeat_n(one, packages)), basis)
    }

    /// Source of the rules.
    pub(crate) fn basis(&self) -> Basis {
        Basis::dated(self.rules.source.clone(), self.rules.date.clone())
    }
}

fn list(names: &str) -> Vec<String> {
    let names = names.split(',').filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

fn numbers(version: &str) -> Vec<u64> {
    let core = version.split(['-', '+']).next().unwrap_or_default();
    core.split('.')
        .map(|part| part.parse().unwrap_or_default())
        .collect()
}

fn order(a: &str, b: &str) -> Ordering {
    numbers(a).cmp(&numbers(b))
}

/// Whether a package holds the program of another for one platform, as their names say: `@esbuild/linux-x64`.
fn is_for_a_platform(name: &str) -> bool {
    name.contains("linux-") || name.contains("-linux")
}

/// How near a version is to the one wanted: itself, the same major version, any; among those the closest. A wanted version of fewer
/// numbers, or none at all, means the newest of those that start so.
fn nearness(version: &str, wanted: Option<&str>) -> (bool, bool, std::cmp::Reverse<Vec<u64>>) {
    const NEWEST: u64 = 999_999_999;
    let (here, there) = (numbers(version), wanted.map(numbers).unwrap_or_default());
    let distance = (0..3).map(|part| {
        let at = |numbers: &[u64], none| numbers.get(part).copied().unwrap_or(none);
        at(&here, 0).abs_diff(at(&there, NEWEST))
    });
    (
        Some(version) == wanted,
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
        assert_eq!(numbers(near.version.as_deref().expect("known"))[0], 4);
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
    fn many_unknown_packages_are_nearer_to_the_mean_than_one() {
        let table = NpmTable::embedded();
        let names: Vec<String> = (0..60).map(|at| format!("no-such-package-{at}")).collect();
        let found = names.iter().map(|name| table.find(name, None));
        let all = table.together(found.collect());
        let (one, sum) = (
            table.unknown(1),
            Size::sum(all.iter().map(|one| one.installed)),
        );
        assert!(sum.expected > 60 * 5 * one.expected, "{sum:?}");
        assert!(sum.high < 4 * sum.expected && one.high > 8 * one.expected);
        assert!(is_for_a_platform("@next/swc-linux-x64-gnu") && !is_for_a_platform("lodash"));
    }

    #[test]
    fn the_nearest_version_is_taken() {
        let near = |version, wanted| nearness(version, Some(wanted));
        assert!(near("1.2.3", "1.2.3") > near("1.2.4", "1.2.3"));
        assert!(near("1.9.0", "1.2.3") > near("2.2.3", "1.2.3"));
        assert!(near("1.9.0", "1") > near("1.2.3", "1"));
        assert!(near("1.2.9", "1.2") > near("1.2.3", "1.2"));
        assert!(nearness("2.0.0", None) > nearness("1.9.0", None));
        assert_eq!(order("1.10.0", "1.9.0"), Ordering::Greater);
    }
}
