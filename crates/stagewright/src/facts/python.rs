//! Python packages: which file pip takes, what it weighs, and what it leaves in site-packages.

use std::sync::Arc;

use serde::Serialize;

use super::distro::Libc;
use super::python_lock::FileKind;
use super::python_table::{Asked, Factor, Files, Measured, PythonTable, compare, is_preview, same};
use super::wheel::{Arch, WheelFit, WheelPlatform, normalize_name};
use crate::size::{Basis, Kind, Size, scaled};

/// What is known of one version of a Python package.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PackageFacts {
    /// The name as PEP 503 normalizes it: `flask-admin`.
    pub name: String,
    /// The version that the numbers are of, where one is known.
    pub version: Option<String>,
    /// Whether a wheel fits the platform.
    pub wheel: WheelFit,
    /// Whether the package has native parts on any platform; `None` where unknown.
    pub native: Option<bool>,
    /// Bytes of the file that pip downloads (and keeps in its cache).
    pub download: Size,
    /// Bytes in site-packages and in the folder of scripts, without byte code.
    pub installed: Size,
    /// Bytes of the `.pyc` files that pip writes unless told not to.
    pub byte_code: Size,
    /// Bytes in folders named `test` or `tests`, part of `installed`.
    pub tests: Size,
    /// Byte code of those, part of `byte_code`.
    pub tests_byte_code: Size,
    /// Bytes of documentation outside the metadata, part of `installed`.
    pub docs: Size,
    /// Number of files without byte code.
    pub files: Option<u64>,
    /// What `installed` is made of; the shares add up to 1.
    pub kinds: Vec<KindShare>,
    /// Names of the packages that it needs on Linux x86-64 and Python 3.12, without extras; `None` where unknown.
    pub dependencies: Option<Vec<String>>,
    /// Source and date.
    pub basis: Basis,
}

/// One part of a package's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct KindShare {
    /// What it is.
    pub kind: Kind,
    /// Its share, 0 to 1.
    pub share: f64,
}

impl PackageFacts {
    /// Whether anything is known: if not, the sizes are a guess that fits most packages.
    pub fn is_known(&self) -> bool {
        self.version.is_some()
    }

    /// Makes every range at least so wide, as a share: the version is not the one that the numbers are of, for all that is known.
    pub(crate) fn widen(&mut self, share: f64) {
        for size in [
            &mut self.download,
            &mut self.installed,
            &mut self.byte_code,
            &mut self.tests,
            &mut self.tests_byte_code,
        ] {
            let wide = Size::within(size.expected, share, share);
            *size = Size::range(
                size.low.min(wide.low),
                size.expected,
                size.high.max(wide.high),
            );
        }
    }
}

/// What the tables know of a package; see [`Catalog::python_package`](super::Catalog::python_package).
pub(crate) fn find(
    table: &PythonTable,
    name: &str,
    version: Option<&str>,
    python: (u32, u32),
    platform: WheelPlatform,
) -> Arc<PackageFacts> {
    let version = version.map(str::to_owned);
    let asked = (normalize_name(name), version, python, platform);
    table
        .found
        .get(asked, |asked| Arc::new(look_up(table, asked)))
}

fn look_up(table: &PythonTable, (name, version, python, platform): &Asked) -> PackageFacts {
    let (python, platform) = (*python, *platform);
    let newest = version.is_none().then(|| table.newest(name, python));
    let newest = newest.flatten();
    let version = version.as_deref().or(newest.as_deref());
    let versions = table.versions(name);
    let measured = table.measured(name);
    let files = pick(&versions, version, |listed| listed.version).map(|one| table.files(one));
    let files = files.as_ref();
    let seen = pick_measured(&measured, version, python, platform);
    let exact = |found: &str| version.is_none_or(|version| same(found, version));
    let question = Question {
        table,
        name: name.clone(),
        version,
        python,
        platform,
    };
    match (files, seen) {
        (files, Some(seen)) if exact(seen.version) => question.measured(seen, files),
        (Some(files), seen) => question.by_files(files, seen),
        (None, Some(seen)) => question.measured(seen, None),
        (None, None) => question.unknown(),
    }
}

/// Where the size of a file comes from that a lock file lists.
pub(crate) const IN_LOCK_FILE: &str = "size of the file in the lock file";

/// As [`find`], where a lock file tells the size of the file that is installed.
pub(crate) fn find_locked(
    table: &PythonTable,
    name: &str,
    version: &str,
    python: (u32, u32),
    platform: WheelPlatform,
    file: (u64, FileKind),
) -> Arc<PackageFacts> {
    let name = normalize_name(name);
    let measured = table.measured(&name);
    let seen = pick_measured(&measured, Some(version), python, platform);
    let exact = seen.is_some_and(|seen| {
        same(version, seen.version) && fits(seen, platform) && seen.file == file.0
    });
    if exact {
        return find(table, &name, Some(version), python, platform);
    }
    let (bytes, kind) = file;
    let of = |wanted: FileKind| (kind == wanted).then_some(bytes);
    let native = of(FileKind::Native);
    let listed = table.versions(&name);
    let nearest = pick(&listed, Some(version), |listed| listed.version);
    let dependencies = nearest.map_or("", |one| table.files(one).dependencies);
    let files = Files {
        version,
        uploaded: "",
        native: native.is_some(),
        any: of(FileKind::Pure),
        manylinux: [native, native],
        musllinux: [native, native],
        sdist: of(FileKind::Source),
        complete: true,
        dependencies,
    };
    let question = Question {
        table,
        name,
        version: Some(version),
        python,
        platform,
    };
    let mut facts = question.by_files(&files, seen);
    let listed = &*table.wheels().basis().source;
    let source = facts.basis.source.replacen(listed, IN_LOCK_FILE, 1);
    facts.basis.source = source.into();
    Arc::new(facts)
}

/// The row of the version; else the newest before it; else the oldest after it. Without a version the newest release.
fn pick<'r, R>(rows: &'r [R], version: Option<&str>, of: impl Fn(&R) -> &str) -> Option<&'r R> {
    let order = |a: &&'r R, b: &&'r R| compare(of(a), of(b));
    let Some(version) = version else {
        let releases = rows.iter().filter(|row| !is_preview(of(row)));
        return releases.max_by(order).or_else(|| rows.iter().max_by(order));
    };
    // Reading versions costs more than all else here, and most files name them as the tables do.
    if let Some(row) = rows.iter().find(|row| of(row) == version) {
        return Some(row);
    }
    rows.iter()
        .filter(|row| compare(of(row), version).is_le())
        .max_by(order)
        .or_else(|| rows.iter().min_by(order))
}

/// As [`pick`]; of several rows of one version the one for the same Python, then for the same C library.
fn pick_measured<'r, 't>(
    rows: &'r [Measured<'t>],
    version: Option<&str>,
    python: (u32, u32),
    platform: WheelPlatform,
) -> Option<&'r Measured<'t>> {
    let chosen = pick(rows, version, |row| row.version)?.version;
    rows.iter()
        .filter(|row| row.version == chosen)
        .max_by_key(|row| (fits(row, platform), row.python == python, row.python))
}

/// Whether what was measured is what this platform gets.
fn fits(row: &Measured, platform: WheelPlatform) -> bool {
    match row.platform.split_once('_') {
        None => true,
        Some((system, arch)) => {
            let libc = match system {
                "musllinux" => Libc::Musl,
                _ => Libc::Glibc,
            };
            libc == platform.libc && (arch == "x86_64") == (platform.arch == Arch::X86_64)
        }
    }
}

struct Question<'t, 'q> {
    table: &'t PythonTable,
    name: String,
    version: Option<&'q str>,
    python: (u32, u32),
    platform: WheelPlatform,
}

impl Question<'_, '_> {
    /// The package lay on disk in this version.
    fn measured(self, seen: &Measured, files: Option<&Files>) -> PackageFacts {
        let limits = &self.table.ratios.limits;
        let same_version = self
            .version
            .is_none_or(|version| same(version, seen.version));
        let same_files = files.filter(|files| same(files.version, seen.version));
        let error = if let Some(version) = self.version.filter(|_| !same_version) {
            limits.other_version_unsized(version, seen.version)
        } else if fits(seen, self.platform) {
            let other_build = seen.native > 0 && seen.python != self.python;
            if other_build {
                limits.other_build
            } else {
                limits.measured
            }
        } else {
            limits.other_platform
        };
        let about = |bytes: u64| Size::within(bytes, error, error);
        let file = same_files
            .and_then(|files| self.file(files).0)
            .unwrap_or(seen.file);
        let native = seen.platform != "any";
        let wheel = match same_files {
            _ if !native && !seen.sdist => WheelFit::Pure,
            Some(files) => self.file(files).1,
            None if seen.sdist => WheelFit::SdistOnly,
            None if fits(seen, self.platform) => WheelFit::Native,
            // Measured from a wheel for glibc before there were any for musl: pip compiles.
            None if self.before_musllinux(seen) => WheelFit::SdistOnly,
            // Projects rarely give up a platform: what the version beside it has.
            None => files.map_or(WheelFit::Unknown, |files| self.file(files).1),
        };
        let mut basis = self.table.measured.basis().clone();
        if !same_version {
            basis.source = format!("{}; version {}", basis.source, seen.version).into();
        }
        PackageFacts {
            version: Some(seen.version.to_owned()),
            wheel,
            native: Some(native),
            download: if file == seen.file && same_version {
                Size::exact(file)
            } else {
                about(file)
            },
            installed: Size::range(
                about(seen.installed)
                    .low
                    .min(seen.installed.saturating_sub(limits.measured_bytes)),
                seen.installed,
                about(seen.installed)
                    .high
                    .max(seen.installed + limits.measured_bytes),
            ),
            byte_code: self.byte_code(seen, seen.byte_code, error),
            tests: about(seen.tests),
            tests_byte_code: self.byte_code(seen, seen.tests_byte_code, error),
            docs: about(seen.docs),
            files: Some(seen.files),
            kinds: shares_of(seen),
            dependencies: Some(names(seen.dependencies)),
            name: self.name,
            basis,
        }
    }

    /// The size of its file is known, in this version or in one near it.
    fn by_files(self, files: &Files, seen: Option<&Measured>) -> PackageFacts {
        let ratios = &self.table.ratios;
        let (file, wheel) = self.file(files);
        let asked = self
            .version
            .is_none_or(|version| same(version, files.version));
        let Some(file) = file else {
            return PackageFacts {
                version: Some(files.version.to_owned()),
                wheel: if asked { wheel } else { WheelFit::Unknown },
                native: Some(files.native),
                dependencies: Some(names(files.dependencies)),
                ..self.unknown()
            };
        };
        // Of another version than the one asked for: files grow and shrink.
        let spread = match self.version {
            Some(_) if asked => 0.0,
            version => ratios
                .limits
                .other_version_unsized(version.unwrap_or_default(), files.version),
        };
        let download = Size::within(file, spread, spread);
        let built = matches!(wheel, WheelFit::SdistOnly);
        let native = files.native && wheel == WheelFit::Native;
        // A project that moved its native parts into a package of their own says nothing of the versions before.
        let seen = seen.filter(|seen| {
            seen.file > 0 && !seen.sdist && !built && (seen.platform != "any") == native
        });
        let (installed, byte_code, tests, kinds) = if let Some(seen) = seen {
            let error = ratios.limits.other_version + spread;
            let follow =
                |bytes: u64| Size::within(scaled(bytes, ratio(file, seen.file)), error, error);
            let factor = ratios.byte_code_factor(self.python, seen.python);
            (
                follow(seen.installed),
                follow(seen.byte_code).scale(factor),
                follow(seen.tests),
                shares_of(seen),
            )
        } else {
            let factor = match (&*self.name, built) {
                ("tzdata" | "pytz", false) => ratios.installed.tzdata,
                (_, true) => ratios.installed.sdist,
                _ if native => ratios.installed.native,
                _ => ratios.installed.pure,
            };
            let installed = spread_by(file, factor, spread);
            let (code, shares) = if native {
                (ratios.byte_code.native, &ratios.share.native)
            } else if installed.expected >= ratios.limits.large {
                (ratios.byte_code.pure_large, &ratios.share.pure)
            } else {
                (ratios.byte_code.pure, &ratios.share.pure)
            };
            let python = ratios.byte_code_factor(self.python, (3, 12));
            let byte_code = spread_by(installed.expected, code, spread).scale(python);
            (
                installed,
                byte_code,
                spread_by(installed.expected, ratios.tests, spread),
                shares_named(shares),
            )
        };
        let mut basis = self.table.wheels().basis().clone();
        let source = match seen {
            Some(seen) => format!(
                "{}; installed as version {} was measured",
                basis.source, seen.version
            ),
            None => format!(
                "{}; installed by the ratio of {} ({})",
                basis.source, ratios.source, ratios.date
            ),
        };
        basis.source = source.into();
        if !asked {
            basis.source = format!("{}; version {}", basis.source, files.version).into();
        }
        PackageFacts {
            version: Some(files.version.to_owned()),
            wheel,
            native: Some(files.native),
            download,
            installed,
            tests_byte_code: share_of(byte_code, tests, installed),
            byte_code,
            tests,
            docs: Size::range(0, 0, installed.expected / 10),
            files: None,
            kinds,
            dependencies: Some(names(files.dependencies)),
            name: self.name,
            basis,
        }
    }

    /// Nothing is known but the name.
    fn unknown(self) -> PackageFacts {
        let ratios = &self.table.ratios;
        let by = |factor: Factor| {
            let whole = Size::exact(1_000_000);
            Size::range(
                whole.scale(factor.low / 1e6).expected,
                whole.scale(factor.expected / 1e6).expected,
                whole.scale(factor.high / 1e6).expected,
            )
        };
        let installed = by(ratios.unknown);
        let download = installed.scale(1.0 / ratios.installed.pure.expected);
        let byte_code = spread_by(installed.expected, ratios.byte_code.pure_large, 0.0);
        PackageFacts {
            name: self.name,
            version: None,
            wheel: WheelFit::Unknown,
            native: None,
            download,
            installed,
            byte_code: Size::range(installed.low / 4, byte_code.expected, installed.high / 2),
            tests: Size::range(0, 0, installed.expected / 3),
            tests_byte_code: Size::range(0, 0, installed.expected / 3),
            docs: Size::range(0, 0, installed.expected / 10),
            files: None,
            kinds: shares_named(&ratios.share.pure),
            dependencies: None,
            basis: Basis::dated(
                "no row: the sizes that most packages have",
                ratios.date.clone(),
            ),
        }
    }

    /// The file that pip takes, and what kind it is.
    fn file(&self, files: &Files) -> (Option<u64>, WheelFit) {
        let arch = match self.platform.arch {
            Arch::X86_64 => 0,
            Arch::Aarch64 => 1,
        };
        let made_for = match self.platform.libc {
            Libc::Musl => files.musllinux[arch],
            Libc::Glibc => files.manylinux[arch],
            Libc::Other => None,
        };
        // Made before this version of Python came out: only a stable-ABI wheel would fit, and the table cannot tell.
        let first = self.table.ratios.first_wheels(self.python);
        let too_old =
            first.is_some_and(|day| !files.uploaded.is_empty() && files.uploaded < day.as_str());
        match (made_for, files.any, files.sdist) {
            (Some(file), _, _) if too_old => (Some(file), WheelFit::Unknown),
            (Some(file), _, _) => (Some(file), WheelFit::Native),
            (None, Some(file), _) if !files.native => (Some(file), WheelFit::Pure),
            (None, any, sdist) if !files.complete => (any.or(sdist), WheelFit::Unknown),
            (None, Some(file), _) => (Some(file), WheelFit::FallbackPure),
            (None, None, Some(file)) => (Some(file), WheelFit::SdistOnly),
            (None, None, None) => (None, WheelFit::None),
        }
    }

    /// Whether the package was built when there were no wheels for musl.
    fn before_musllinux(&self, seen: &Measured) -> bool {
        let since = self.table.ratios.musllinux.since.as_str();
        self.platform.libc == Libc::Musl && !seen.made.is_empty() && seen.made < since
    }

    fn byte_code(&self, seen: &Measured, bytes: u64, error: f64) -> Size {
        let ratios = &self.table.ratios;
        let other = if seen.python == self.python {
            0.0
        } else {
            ratios.limits.other_python
        };
        let factor = ratios.byte_code_factor(self.python, seen.python);
        Size::within(scaled(bytes, factor), error + other, error + other)
    }
}

fn names(list: &str) -> Vec<String> {
    list.split(',')
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect()
}

fn spread_by(bytes: u64, factor: Factor, spread: f64) -> Size {
    Size::range(
        scaled(bytes, factor.low * (1.0 - spread).max(0.0)),
        scaled(bytes, factor.expected),
        scaled(bytes, factor.high * (1.0 + spread)),
    )
}

/// The part of `whole` that `part` is of `of`, as a size of its own.
fn share_of(whole: Size, part: Size, of: Size) -> Size {
    whole.scale(ratio(part.expected, of.expected.max(1)))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "a ratio of sizes: 53 bits are plenty"
)]
fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b as f64
}

fn shares_of(seen: &Measured) -> Vec<KindShare> {
    let named = seen.py + seen.native + seen.web + seen.docs;
    let parts = [
        (Kind::PythonSource, seen.py),
        (Kind::NativeWheel, seen.native),
        (Kind::WebAssets, seen.web),
        (Kind::Text, seen.docs + seen.installed.saturating_sub(named)),
    ];
    parts
        .into_iter()
        .filter(|(_, bytes)| *bytes > 0)
        .map(|(kind, bytes)| KindShare {
            kind,
            share: ratio(bytes, seen.installed.max(named)),
        })
        .collect()
}

fn shares_named(shares: &std::collections::BTreeMap<String, f64>) -> Vec<KindShare> {
    shares
        .iter()
        .map(|(kind, share)| KindShare {
            kind: match kind.as_str() {
                "python-source" => Kind::PythonSource,
                "native-wheel" => Kind::NativeWheel,
                "web-assets" => Kind::WebAssets,
                _ => Kind::Text,
            },
            share: *share,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::table::Table;

    // Each package that was measured, as if it had not been: only the size of its file is known.
    #[test]
    fn ratios_hold_for_the_packages_measured() {
        let whole = PythonTable::embedded();
        let mut blind = PythonTable::embedded();
        blind.measured = Table::new("\n\n");
        let platform = WheelPlatform::x86_64(Libc::Glibc);
        let (mut asked, mut within, mut code_within) = (0_u32, 0, 0);
        let (mut expected, mut real) = (0_u64, 0_u64);
        for row in 0..whole.measured.len() {
            let line = whole.measured.line(row);
            let (name, _) = line.split_once('\t').expect("columns");
            for seen in whole
                .measured(name)
                .iter()
                .filter(|seen| seen.python == (3, 12))
            {
                let facts = find(&blind, name, Some(seen.version), seen.python, platform);
                if !facts.download.is_exact() || !facts.is_known() {
                    continue;
                }
                asked += 1;
                let holds =
                    |size: Size, bytes: u64| u32::from(size.low <= bytes && bytes <= size.high);
                within += holds(facts.installed, seen.installed);
                code_within += holds(facts.byte_code, seen.byte_code);
                expected += facts.installed.expected;
                real += seen.installed;
            }
        }
        assert!(asked >= 40, "{asked} versions are in both tables");
        assert!(
            within * 100 >= asked * 85,
            "{within} of {asked} within the 5th and 95th percentile"
        );
        assert!(
            code_within * 100 >= asked * 80,
            "byte code: {code_within} of {asked}"
        );
        assert!(
            expected.abs_diff(real) * 100 <= real * 15,
            "{expected} expected, {real} measured"
        );
    }
}
