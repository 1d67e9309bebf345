//! npm packages: what lies in `node_modules`, from package folders that were measured.

use std::cmp::Ordering;
use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::memo::Memo;
use super::table::Table;
use crate::size::{Basis, Size};

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
    /// Number of files, where the archive was read.
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
    tarball_ratio: f64,
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
    /// What is known of a package, by `name@version`.
    found: Memo<String, Arc<NpmFacts>>,
}

impl NpmTable {
    /// The embedded tables.
    pub(crate) fn embedded() -> Self {
        Self {
            rules: toml::from_str(include_str!("../../catalog/npm.toml"))
                .expect("catalog/npm.toml is valid"),
            packages: OnceLock::new(),
            found: Memo::new(),
        }
    }

    fn packages(&self) -> &Table {
        self.packages
            .get_or_init(|| Table::embedded(include_bytes!("../../catalog/npm.tsv.zst")))
    }

    /// See [`Catalog::npm_package`](super::Catalog::npm_package).
    pub(crate) fn find(&self, name: &str, version: Option<&str>) -> Arc<NpmFacts> {
        let asked = [name, "@", version.unwrap_or_default()].concat();
        self.found
            .get(asked, |_| Arc::new(self.look_up(name, version)))
    }

    fn look_up(&self, name: &str, version: Option<&str>) -> NpmFacts {
        let table = self.packages();
        let rules = &self.rules;
        let row = |index: usize| table.line(index).split('\t').collect::<Vec<&str>>();
        let rows: Vec<Vec<&str>> = table.find(name).map(row).collect();
        let versions: Vec<&str> = rows.iter().map(|row| row[1]).collect();
        let Some(at) = nearest(&versions, version) else {
            let installed = if is_for_a_platform(name) {
                rules.unknown_platform.size()
            } else {
                self.unknown(1)
            };
            return self.guessed(name, installed);
        };
        let best = &rows[at];
        // `=`: as the next newer row.
        let needs = rows[at..].iter().find(|row| row.get(5) != Some(&"="));
        let needs = needs.unwrap_or(best);
        let column = |index: usize| best.get(index).copied().unwrap_or_default();
        let number = |index: usize| column(index).parse::<u64>().unwrap_or_default();
        let exact = version == Some(column(1));
        let [below, above] = if exact {
            rules.exact
        } else {
            let (found, wanted) = (numbers(column(1)), numbers(version.unwrap_or_default()));
            let same_line = line(&found).starts_with(line(&wanted));
            match found.cmp(&wanted) {
                // What is newest today was measured some time ago.
                _ if version.is_none() => rules.other_minor,
                _ if same_line && wanted.get(1) == found.get(1) => rules.other_patch,
                _ if same_line => rules.other_minor,
                Ordering::Less => rules.newer_major,
                _ => rules.older_major,
            }
        };
        let mut basis = table.basis().clone();
        if !exact {
            basis.source = format!("{}; version {}", basis.source, column(1)).into();
        }
        let unpacked = number(2);
        NpmFacts {
            name: name.to_owned(),
            version: Some(column(1).to_owned()),
            installed: Size::within(unpacked, below, above),
            download: Size::within(number(3), below, above),
            files: None,
            native: !column(4).is_empty(),
            dependencies: Some(list(needs.get(5).copied().unwrap_or_default())),
            optional_dependencies: list(needs.get(6).copied().unwrap_or_default()),
            basis,
        }
    }

    /// Packages that are installed together: of the sum of many unknown ones more is known than of each.
    pub(crate) fn together(&self, mut all: Vec<Arc<NpmFacts>>) -> Vec<Arc<NpmFacts>> {
        let is_unknown = |one: &NpmFacts| !one.is_known() && !is_for_a_platform(&one.name);
        let count = all.iter().filter(|one| is_unknown(one)).count();
        let installed = self.unknown(count);
        for one in all.iter_mut().filter(|one| is_unknown(one)) {
            *one = Arc::new(self.guessed(&one.name, installed));
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

/// Whether a package holds the program of another for one platform, as their names say: `@esbuild/linux-x64`.
fn is_for_a_platform(name: &str) -> bool {
    name.contains("linux-") || name.contains("-linux")
}

/// What may break nothing within it: a major version, below 1 a minor one (semver.org, 4 and 8).
fn line(version: &[u64]) -> &[u64] {
    let numbers = if version.first() == Some(&0) { 2 } else { 1 };
    &version[..numbers.min(version.len())]
}

/// Which of the versions, the oldest first, speaks for the one wanted: itself; the newest of its line that is not newer, else the oldest of
/// its line; else the oldest that is newer, else the newest of all. A wanted version of fewer numbers, or none at all, means the newest of
/// those that start so.
fn nearest(versions: &[&str], wanted: Option<&str>) -> Option<usize> {
    let newest = versions.len().checked_sub(1)?;
    let Some(wanted) = wanted else {
        return Some(newest);
    };
    if let Some(same) = versions.iter().position(|version| *version == wanted) {
        return Some(same);
    }
    let wanted = numbers(wanted);
    let versions: Vec<Vec<u64>> = versions.iter().map(|version| numbers(version)).collect();
    let is_newer = |version: &Vec<u64>| version[..wanted.len().min(version.len())] > wanted[..];
    let after = versions.iter().position(is_newer);
    let in_line = |at: &usize| line(&versions[*at]).starts_with(line(&wanted));
    let before = after.map_or(Some(newest), |after| after.checked_sub(1));
    before.filter(in_line).or(after).or(Some(newest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(name: &str, version: Option<&str>) -> NpmFacts {
        NpmTable::embedded().look_up(name, version)
    }

    // The archive of lodash 4.17.21 has 1,412,415 bytes.
    #[test]
    fn a_package_that_was_measured() {
        let lodash = find("lodash", Some("4.17.21"));
        assert_eq!(lodash.installed.expected, 1_412_415);
        assert!(lodash.installed.high < 1_450_000);
    }

    #[test]
    fn other_versions_and_unknown_packages() {
        let near = find("lodash", Some("4.17.1"));
        assert_eq!(numbers(near.version.as_deref().expect("known"))[0], 4);
        assert!(
            near.installed.low < near.installed.expected && near.basis.source.contains("version")
        );
        let per_mille = |facts: &NpmFacts| facts.installed.high * 1000 / facts.installed.expected;
        assert!(per_mille(&find("lodash", Some("0.1.0"))) > per_mille(&near));
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
        assert!(sum.expected > 60 * one.expected, "{sum:?}");
        assert!(sum.high / sum.expected < one.high / one.expected);
        assert!(is_for_a_platform("@next/swc-linux-x64-gnu") && !is_for_a_platform("lodash"));
    }

    #[test]
    fn the_version_that_speaks_for_another() {
        let versions = ["0.1.9", "0.2.0", "1.2.0", "1.2.9", "1.10.0", "3.0.0"];
        let near = |wanted| nearest(&versions, wanted).map(|at| versions[at]);
        for (wanted, found) in [
            ("1.2.9", "1.2.9"),
            ("1.2.8", "1.2.0"),
            ("1.11.0", "1.10.0"),
            // Nothing of the line is older.
            ("1.1.0", "1.2.0"),
            ("0.2.7", "0.2.0"),
            // No row of the line: the next one.
            ("2.4.0", "3.0.0"),
            ("0.1.10", "0.1.9"),
            ("4.0.0", "3.0.0"),
            ("0.0.1", "0.1.9"),
            // Ranges.
            ("1", "1.10.0"),
            ("1.2", "1.2.9"),
            ("0", "0.2.0"),
        ] {
            assert_eq!(near(Some(wanted)), Some(found), "{wanted}");
        }
        assert_eq!(near(None), Some("3.0.0"));
        assert_eq!(nearest(&[], Some("1.0.0")), None);
    }
}
