//! The tables of Python packages: sizes of files by version (`wheels.tsv.zst`), packages measured after installation
//! (`python_measured.tsv.zst`), and the ratios between the two (`python.toml`).

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::{Arc, OnceLock};

use pep440_rs::Version;
use serde::Deserialize;

use super::distro::{Distro, DistroId};
use super::memo::Memo;
use super::python::PackageFacts;
use super::table::Table;
use super::wheel::WheelPlatform;

/// Low, expected and high factor.
#[derive(Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Factor {
    pub(crate) low: f64,
    pub(crate) expected: f64,
    pub(crate) high: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Installed {
    pub(crate) pure: Factor,
    pub(crate) native: Factor,
    pub(crate) tzdata: Factor,
    pub(crate) sdist: Factor,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByteCode {
    pub(crate) pure: Factor,
    pub(crate) pure_large: Factor,
    pub(crate) native: Factor,
    pub(crate) source: Factor,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Limits {
    pub(crate) large: u64,
    pub(crate) measured: f64,
    pub(crate) measured_bytes: u64,
    pub(crate) other_build: f64,
    pub(crate) other_platform: f64,
    pub(crate) other_version: f64,
    other_patch_unsized: f64,
    other_minor_unsized: f64,
    other_major_unsized: f64,
    pub(crate) other_python: f64,
    pub(crate) unpinned: f64,
}

impl Limits {
    /// How far a file's size carries over from one version to another.
    pub(crate) fn other_version_unsized(&self, wanted: &str, found: &str) -> f64 {
        let (wanted, found) = (Version::from_str(wanted), Version::from_str(found));
        let (Ok(wanted), Ok(found)) = (wanted, found) else {
            return self.other_major_unsized;
        };
        let part = |version: &Version, at: usize| version.release().get(at).copied().unwrap_or(0);
        let same = |at| part(&wanted, at) == part(&found, at);
        match (same(0), same(1)) {
            (true, true) => self.other_patch_unsized,
            (true, false) => self.other_minor_unsized,
            (false, _) => self.other_major_unsized,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Shares {
    pub(crate) pure: BTreeMap<String, f64>,
    pub(crate) native: BTreeMap<String, f64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Musllinux {
    pub(crate) since: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bytes {
    pub(crate) low: u64,
    pub(crate) expected: u64,
    pub(crate) high: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Programs {
    pub(crate) names: Vec<String>,
}

/// `catalog/python.toml`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Ratios {
    pub(crate) source: String,
    pub(crate) date: String,
    pub(crate) installed: Installed,
    pub(crate) byte_code: ByteCode,
    pub(crate) tests: Factor,
    pub(crate) share: Shares,
    pub(crate) limits: Limits,
    pub(crate) unknown: Factor,
    pub(crate) unknown_needs: Bytes,
    pub(crate) programs: Programs,
    byte_code_by_python: BTreeMap<String, f64>,
    released: BTreeMap<String, String>,
    end_of_life: BTreeMap<String, String>,
    follows: BTreeMap<String, Vec<String>>,
    distribution: BTreeMap<String, String>,
    pub(crate) musllinux: Musllinux,
}

impl Ratios {
    /// Byte code of the same source on one version of Python relative to another.
    pub(crate) fn byte_code_factor(&self, python: (u32, u32), measured: (u32, u32)) -> f64 {
        let factor = |(major, minor): (u32, u32)| {
            let known = self.byte_code_by_python.get(&format!("{major}.{minor}"));
            known.copied().unwrap_or(1.0)
        };
        factor(python) / factor(measured)
    }

    /// The Python that a distribution packages.
    pub(crate) fn of_distribution(&self, distro: &Distro) -> Option<(u32, u32)> {
        let release = match distro.id {
            DistroId::Debian => "debian",
            DistroId::Ubuntu => "ubuntu",
            _ => return None,
        };
        let key = format!("{release} {}", distro.version.as_deref()?);
        let (major, minor) = self.distribution.get(&key)?.split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    }

    /// What a package takes in a narrow range of versions alone.
    pub(crate) fn followers(&self, name: &str) -> &[String] {
        self.follows.get(name).map_or(&[], Vec::as_slice)
    }

    /// The day from which projects publish wheels for a version of Python: some three months before its release.
    pub(crate) fn first_wheels(&self, (major, minor): (u32, u32)) -> Option<String> {
        let mut parts = self.released.get(&format!("{major}.{minor}"))?.split('-');
        let year: u32 = parts.next()?.parse().ok()?;
        let month: u32 = parts.next()?.parse().ok()?;
        let months = year * 12 + month - 1 - 3;
        Some(format!("{:04}-{:02}-01", months / 12, months % 12 + 1))
    }
}

impl PythonTable {
    /// The newest version that came out while this Python was supported.
    pub(crate) fn newest(&self, name: &str, python: (u32, u32)) -> Option<String> {
        self.newest
            .get((name.to_owned(), python), |(name, python)| {
                self.newest_of(name, *python, None, |_| true)
            })
    }

    /// The newest version that satisfies `allows` and came out while this Python was supported, and no later than `until`: what pip would
    /// take. Previews only where there is nothing else.
    pub(crate) fn newest_of(
        &self,
        name: &str,
        python: (u32, u32),
        until: Option<&str>,
        allows: impl Fn(&str) -> bool,
    ) -> Option<String> {
        let key = format!("{}.{}", python.0, python.1);
        let last = self
            .ratios
            .end_of_life
            .get(&key)
            .map_or("9999", String::as_str);
        let last = until.map_or(last, |until| until.min(last));
        let files = self.versions(name);
        // The rows stand in the order of the versions: the first from the end that will do is the newest.
        let newest = |previews: bool| {
            let mut fitting = files
                .iter()
                .rev()
                .filter(|one| one.uploaded <= last && allows(one.version));
            fitting
                .find(|one| previews || !is_preview(one.version))
                .map(|one| one.version)
        };
        let rows = self.measured(name);
        let measured = rows
            .iter()
            .filter(|one| one.python <= python && one.made <= last && allows(one.version))
            .map(|one| one.version);
        // What the table of files says of needs holds for Python 3.12: of a Python of long ago the versions that were installed on it say more.
        let own = rows.iter().filter(|one| {
            one.python == python
                && self.ratios.end_of_life.contains_key(&key)
                && allows(one.version)
        });
        if let Some(own) = own.max_by(|a, b| compare(a.version, b.version)) {
            return Some(own.version.to_owned());
        }
        let best = newest(false)
            .into_iter()
            .chain(measured)
            .max_by(|a, b| compare(a, b));
        best.or_else(|| newest(true)).map(str::to_owned)
    }
}

/// A version that the table of files has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed<'t> {
    pub(crate) version: &'t str,
    /// The day, empty where nobody knows.
    pub(crate) uploaded: &'t str,
    row: usize,
}

/// The files of one version of a package.
#[derive(Clone, Debug)]
pub(crate) struct Files<'t> {
    pub(crate) version: &'t str,
    pub(crate) uploaded: &'t str,
    /// Whether any version of it has platform wheels.
    pub(crate) native: bool,
    pub(crate) any: Option<u64>,
    pub(crate) manylinux: [Option<u64>; 2],
    pub(crate) musllinux: [Option<u64>; 2],
    pub(crate) sdist: Option<u64>,
    /// An absent file does not exist; else nobody knows.
    pub(crate) complete: bool,
    pub(crate) dependencies: &'t str,
}

/// One package as it lay on disk.
#[derive(Clone, Debug)]
pub(crate) struct Measured<'t> {
    pub(crate) version: &'t str,
    pub(crate) python: (u32, u32),
    pub(crate) platform: &'t str,
    pub(crate) sdist: bool,
    pub(crate) file: u64,
    /// The day the file was built, empty where it does not say.
    pub(crate) made: &'t str,
    pub(crate) installed: u64,
    pub(crate) py: u64,
    pub(crate) native: u64,
    pub(crate) web: u64,
    pub(crate) docs: u64,
    pub(crate) tests: u64,
    pub(crate) byte_code: u64,
    pub(crate) tests_byte_code: u64,
    pub(crate) files: u64,
    pub(crate) dependencies: &'t str,
}

/// All that is known of Python packages.
pub(crate) struct PythonTable {
    pub(crate) ratios: Ratios,
    pub(crate) measured: Table,
    wheels: OnceLock<Table>,
    extras: OnceLock<Table>,
    /// What is known of a version of a package, or of its newest.
    pub(crate) found: Memo<Asked, Arc<PackageFacts>>,
    /// The newest version of a package for a Python.
    newest: Memo<(String, (u32, u32)), Option<String>>,
}

/// A package by its normalized name, a version of it, the Python, and the platform.
pub(crate) type Asked = (String, Option<String>, (u32, u32), WheelPlatform);

impl PythonTable {
    /// The embedded tables.
    pub(crate) fn embedded() -> Self {
        Self {
            ratios: toml::from_str(include_str!("../../catalog/python.toml"))
                .expect("catalog/python.toml is valid"),
            measured: Table::embedded(include_bytes!("../../catalog/python_measured.tsv.zst")),
            wheels: OnceLock::new(),
            extras: OnceLock::new(),
            found: Memo::new(),
            newest: Memo::new(),
        }
    }

    /// The table of files.
    pub(crate) fn wheels(&self) -> &Table {
        self.wheels
            .get_or_init(|| Table::embedded(include_bytes!("../../catalog/wheels.tsv.zst")))
    }

    /// What an extra, given as `package[extra]`, brings along that the package does not need anyway, each as a name or again with an extra;
    /// `None` where the table does not know it.
    pub(crate) fn needs_of_extra(&self, extra: &str) -> Option<impl Iterator<Item = &str>> {
        let table = self
            .extras
            .get_or_init(|| Table::embedded(include_bytes!("../../catalog/python_extras.tsv.zst")));
        let row = table.find(extra).next()?;
        let (_, needs) = table.line(row).split_once('\t').unwrap_or_default();
        Some(needs.split(',').filter(|need| !need.is_empty()))
    }

    /// The day on which a version was uploaded, or the one before it that the tables know.
    pub(crate) fn day(&self, name: &str, version: &str) -> Option<String> {
        let files = self.versions(name);
        let dated = files
            .iter()
            .rev()
            .filter(|one| !one.uploaded.is_empty())
            .map(|one| (one.version, one.uploaded));
        let measured = self.measured(name);
        let measured = measured
            .iter()
            .filter(|one| !one.made.is_empty())
            .map(|one| (one.version, one.made));
        let before = dated
            .chain(measured)
            .filter(|(one, _)| compare(one, version).is_le())
            .max_by(|(a, _), (b, _)| compare(a, b));
        before.map(|(_, day)| day.to_owned())
    }

    /// Every version of a package that the table of files has, oldest first.
    pub(crate) fn versions(&self, name: &str) -> Vec<Listed<'_>> {
        let table = self.wheels();
        let rows = table.find(name);
        rows.map(|row| {
            let mut columns = table.line(row).splitn(4, '\t').skip(1);
            let mut column = || columns.next().unwrap_or_default();
            Listed {
                version: column(),
                uploaded: column(),
                row,
            }
        })
        .collect()
    }

    /// What the table has of a version.
    pub(crate) fn files(&self, listed: &Listed<'_>) -> Files<'_> {
        let table = self.wheels();
        let columns = |row: usize| {
            let mut columns = [""; 12];
            for (column, text) in columns.iter_mut().zip(table.line(row).split('\t')) {
                *column = text;
            }
            columns
        };
        let own = columns(listed.row);
        let number = |index: usize| own[index].parse::<u64>().ok();
        // The same needs as those of the version above.
        let mut written = (0..=listed.row).rev().map(|row| columns(row)[11]);
        let dependencies = written.find(|written| *written != "=");
        Files {
            version: own[1],
            uploaded: own[2],
            native: own[3] == "native",
            any: number(4),
            manylinux: [number(5), number(6)],
            musllinux: [number(7), number(8)],
            sdist: number(9),
            complete: own[10] == "1",
            dependencies: dependencies.unwrap_or_default(),
        }
    }

    /// Every row of a package that was measured.
    pub(crate) fn measured(&self, name: &str) -> Vec<Measured<'_>> {
        let rows = self.measured.find(name);
        rows.map(|row| {
            let columns: Vec<&str> = self.measured.line(row).split('\t').collect();
            let column = |index: usize| columns.get(index).copied().unwrap_or_default();
            let number = |index: usize| column(index).parse::<u64>().unwrap_or_default();
            let python = column(2).split_once('.');
            Measured {
                version: column(1),
                python: python
                    .and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)))
                    .unwrap_or_default(),
                platform: column(3),
                sdist: column(4) == "sdist",
                file: number(5),
                made: column(6),
                installed: number(7),
                py: number(8),
                native: number(9),
                web: number(10),
                docs: number(11),
                tests: number(12),
                byte_code: number(13),
                tests_byte_code: number(14),
                files: number(15),
                dependencies: column(16),
            }
        })
        .collect()
    }
}

/// Compares versions as PEP 440 orders them; what is no version comes first.
pub(crate) fn compare(a: &str, b: &str) -> Ordering {
    Version::from_str(a).ok().cmp(&Version::from_str(b).ok())
}

/// Whether two version texts name the same version: `1.0` and `1.0.0` do.
pub(crate) fn same(a: &str, b: &str) -> bool {
    a == b || (Version::from_str(a).is_ok() && compare(a, b) == Ordering::Equal)
}

/// Whether a version is one before a release.
pub(crate) fn is_preview(version: &str) -> bool {
    Version::from_str(version).is_ok_and(|version| version.any_prerelease())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_stand_in_order() {
        let table = PythonTable::embedded();
        let mut above = ("", "");
        for row in 0..table.wheels().len() {
            let mut columns = table.wheels().line(row).split('\t');
            let here = (
                columns.next().unwrap_or_default(),
                columns.next().unwrap_or_default(),
            );
            assert!(
                above.0 != here.0 || compare(above.1, here.1).is_lt(),
                "{} {} {}",
                here.0,
                above.1,
                here.1
            );
            above = here;
        }
        assert_eq!(table.wheels().len(), 17_432);
    }
}
