//! What tools leave behind besides the packages they install (`catalog/tools.toml`).

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use crate::size::{Basis, Size, scaled};

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Tools {
    venv: Vec<Venv>,
    unmodelled: Bytes,
    byte_code: Ratio,
    python_run: Bytes,
    python_run_after_pip: Bytes,
    python_tool: Bytes,
    yarn_compiled: Bytes,
    python_run_packages: Factor,
    collected_static: Factor,
    unpacked: Factor,
    apt_upgrade: Bytes,
    apk_index: Bytes,
    npm_cache: Factor,
    alpine_package: Bytes,
    layer: Share,
    optional_extensions: Optional,
    build_tools: Names,
    guess: Guesses,
    stripped: Factor,
    locale: Bytes,
    account_files: Bytes,
    home_skeleton: Bytes,
    package_manager: Bytes,
    bare_environment: Bytes,
    needs: Vec<Needs>,
    seeded_pip: Bytes,
    seeded_setuptools: Bytes,
    uv_cache: Factor,
    poetry_cache: Factor,
    yarn_cache: Factor,
    yarn_later_cache: Factor,
    pnpm_store: Factor,
    pnpm_metadata: Bytes,
    pnpm_metadata_of_packages: Factor,
    bun_cache: Factor,
    go: Go,
    cargo: Cargo,
    source_builds: Vec<SourceBuild>,
    node_gyp: NodeGyp,
    script: Vec<Script>,
    bundled: Bundled,
    next: Next,
}

/// A program that scripts of JavaScript projects run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Script {
    names: Vec<String>,
    of: Vec<String>,
    /// It puts what it needs of the project's packages into what it writes.
    #[serde(default)]
    pub(crate) bundles: bool,
    low: u64,
    expected: u64,
    high: u64,
    of_low: f64,
    of_expected: f64,
    of_high: f64,
    source: Arc<str>,
    date: Arc<str>,
}

impl Script {
    /// Whether what it writes grows with a file of this name.
    pub(crate) fn reads(&self, name: &str) -> bool {
        let suffix = name.rsplit('.').next().unwrap_or_default();
        self.of.is_empty() || self.of.iter().any(|one| one == suffix)
    }

    /// What it writes from so many bytes.
    pub(crate) fn writes(&self, bytes: u64) -> (Size, Basis) {
        let size = Size::range(
            self.low + scaled(bytes, self.of_low),
            self.expected + scaled(bytes, self.of_expected),
            self.high + scaled(bytes, self.of_high),
        );
        (size, Basis::dated(self.source.clone(), self.date.clone()))
    }
}

/// What a bundler keeps of packages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Bundled {
    names: BTreeMap<String, u64>,
    low: f64,
    high: f64,
    unknown: [u64; 3],
    #[expect(dead_code, reason = "for the reader of the table")]
    source: Arc<str>,
    #[expect(dead_code, reason = "for the reader of the table")]
    date: Arc<str>,
}

/// What `next build` leaves: low, expected and high.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Next {
    r#static: [u64; 3],
    server: [u64; 3],
    cache: [u64; 3],
    standalone: [u64; 3],
    source: Arc<str>,
    date: Arc<str>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Go {
    module: Bytes,
    build_cache: Bytes,
    program: Bytes,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Cargo {
    registry: Bytes,
    target: Bytes,
    program: Bytes,
}

/// What is known to the build alone.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guesses {
    pub(crate) download: Bytes,
    pub(crate) unpacked_download: Bytes,
    pub(crate) unpacked: Bytes,
    pub(crate) repository: Bytes,
    pub(crate) shallow_repository: Bytes,
    pub(crate) compiled: Bytes,
    pub(crate) installed_build: Bytes,
    pub(crate) rpm_package: Bytes,
    pub(crate) rpm_metadata: Bytes,
    pub(crate) deb_file: Bytes,
    pub(crate) gem: Bytes,
    pub(crate) composer: Bytes,
    pub(crate) jvm_build: Bytes,
    pub(crate) dotnet: Bytes,
    pub(crate) php_extension: Bytes,
    pub(crate) conda_package: Bytes,
    pub(crate) unlisted_packages: Bytes,
    pub(crate) script_output: Bytes,
    pub(crate) install_script: Bytes,
    pub(crate) node_gyp: Bytes,
    pub(crate) package_about: Bytes,
    pub(crate) interpreter: Bytes,
    pub(crate) toolchain: Bytes,
    pub(crate) configuration: Bytes,
}

/// The Debian packages that Python packages without a wheel for Linux need.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SourceBuild {
    names: Vec<String>,
    /// To be built.
    pub(crate) build: Vec<String>,
    /// To run.
    pub(crate) run: Vec<String>,
    #[expect(dead_code, reason = "for the reader of the table")]
    source: Arc<str>,
}

/// What packages of Python and Node need beside what they bring.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Needs {
    pub(crate) names: Vec<String>,
    /// Packages that bring it themselves.
    #[serde(default)]
    pub(crate) without: Vec<String>,
    /// Programs that they call.
    #[serde(default)]
    pub(crate) programs: Vec<String>,
    /// Debian packages, each of which has the shared libraries that they load.
    #[serde(default)]
    pub(crate) libraries: Vec<String>,
    #[expect(dead_code, reason = "for the reader of the table")]
    source: Arc<str>,
}

/// Packages of Node that are compiled when they are installed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NodeGyp {
    /// What such a package depends on.
    pub(crate) compiled_with: Vec<String>,
    /// What a package depends on that brings its compiled parts all the same.
    pub(crate) instead: Vec<String>,
    /// The Debian packages that compile it.
    pub(crate) build: Vec<String>,
    #[expect(dead_code, reason = "for the reader of the table")]
    source: Arc<str>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Optional {
    names: Vec<String>,
    #[expect(dead_code, reason = "for the reader of the table")]
    source: Arc<str>,
    #[expect(dead_code, reason = "for the reader of the table")]
    date: Arc<str>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Share {
    error: f64,
    #[expect(dead_code, reason = "for the reader of the table")]
    source: Arc<str>,
    #[expect(dead_code, reason = "for the reader of the table")]
    date: Arc<str>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Names {
    names: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Venv {
    python: String,
    bytes: u64,
    byte_code: u64,
    source: Arc<str>,
    date: Arc<str>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Bytes {
    low: u64,
    expected: u64,
    high: u64,
    source: Arc<str>,
    date: Option<Arc<str>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Ratio {
    ratio: f64,
    error: f64,
    source: Arc<str>,
    date: Arc<str>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Factor {
    low: f64,
    expected: f64,
    high: f64,
    source: Arc<str>,
    date: Option<Arc<str>>,
}

impl Bytes {
    pub(crate) fn sized(&self) -> (Size, Basis) {
        (
            Size::range(self.low, self.expected, self.high),
            Basis {
                source: self.source.clone(),
                date: self.date.clone(),
            },
        )
    }
}

impl Factor {
    fn of(&self, size: Size) -> (Size, Basis) {
        let basis = Basis {
            source: self.source.clone(),
            date: self.date.clone(),
        };
        let low = size.scale(self.low).low;
        let high = size.scale(self.high).high;
        (
            Size::range(low, size.scale(self.expected).expected, high),
            basis,
        )
    }
}

/// The row whose Python is nearest, and whether it is the very one.
pub(super) fn nearest<R>(
    rows: &[R],
    python: (u32, u32),
    version: impl Fn(&R) -> &str,
) -> (&R, bool) {
    let distance = |row: &R| {
        let (major, minor) = version(row).split_once('.').unwrap_or((version(row), "0"));
        let (major, minor): (u32, u32) = (major.parse().unwrap_or(3), minor.parse().unwrap_or(0));
        u64::from(major.abs_diff(python.0)) * 1000 + u64::from(minor.abs_diff(python.1))
    };
    let row = rows
        .iter()
        .min_by_key(|row| distance(row))
        .expect("every table of tools.toml has a row");
    (row, distance(row) == 0)
}

impl Tools {
    /// A program that scripts of JavaScript projects run, where the table has it.
    pub(crate) fn script(&self, program: &str) -> Option<&Script> {
        self.script
            .iter()
            .find(|one| one.names.iter().any(|name| name == program))
    }

    /// What a bundler keeps of a package. Of one that no table has, `depended` tells a dependency from what only development needs, of
    /// which it keeps nothing.
    pub(crate) fn bundled(&self, package: &str, depended: bool) -> Size {
        let [low, expected, high] = self.bundled.unknown;
        match self.bundled.names.get(package) {
            Some(bytes) => Size::range(
                scaled(*bytes, self.bundled.low),
                *bytes,
                scaled(*bytes, self.bundled.high),
            ),
            None if depended => Size::range(low, expected, high),
            None => Size::default(),
        }
    }

    /// What Django's `collectstatic` copies of the front-end files of packages.
    pub(crate) fn collected_static(&self, web: Size) -> (Size, Basis) {
        self.collected_static.of(web)
    }

    /// Byte code that a tool written in Python leaves beside the interpreter's modules.
    pub(crate) fn python_tool(&self) -> (Size, Basis) {
        self.python_tool.sized()
    }

    /// The folders of `.next` after a build and what they hold.
    pub(crate) fn next_build(&self, standalone: bool) -> Vec<(&'static str, (Size, Basis))> {
        let next = &self.next;
        let basis = Basis::dated(next.source.clone(), next.date.clone());
        let parts = [
            ("static", next.r#static),
            ("server", next.server),
            ("cache", next.cache),
            ("standalone", next.standalone),
        ];
        let parts = &parts[..if standalone { 4 } else { 3 }];
        parts
            .iter()
            .map(|(part, [low, expected, high])| {
                (*part, (Size::range(*low, *expected, *high), basis.clone()))
            })
            .collect()
    }

    pub(super) fn embedded() -> &'static Self {
        static TOOLS: OnceLock<Tools> = OnceLock::new();
        TOOLS.get_or_init(|| {
            toml::from_str(include_str!("../../catalog/tools.toml"))
                .expect("tools.toml is written by us, and a test reads it")
        })
    }

    /// A new virtual environment: all its bytes, and the byte code among them.
    pub(crate) fn venv(&self, python: (u32, u32)) -> (Size, Size, Basis) {
        let (row, exact) = nearest(&self.venv, python, |row| &row.python);
        let error = if exact { 0.05 } else { 0.25 };
        let basis = Basis::dated(
            format!("{} (Python {})", row.source, row.python),
            Arc::clone(&row.date),
        );
        (
            Size::within(row.bytes, error, error),
            Size::within(row.byte_code, error, error),
            basis,
        )
    }

    /// A command that no model knows.
    pub(crate) fn unmodelled(&self) -> (Size, Basis) {
        self.unmodelled.sized()
    }

    /// What is known to the build alone.
    pub(crate) fn guess(&self) -> &Guesses {
        &self.guess
    }

    /// Byte code of so much source.
    pub(crate) fn byte_code(&self, source: Size) -> (Size, Basis) {
        let row = &self.byte_code;
        let size = source.scale(row.ratio);
        let own = Size::within(size.expected, row.error, row.error);
        (
            Size::range(
                own.low.min(size.low),
                size.expected,
                own.high.max(size.high),
            ),
            Basis::dated(Arc::clone(&row.source), Arc::clone(&row.date)),
        )
    }

    /// Byte code that a run of the project's own Python code leaves.
    pub(crate) fn python_run(&self, after_pip: bool) -> (Size, Basis) {
        if after_pip {
            self.python_run_after_pip.sized()
        } else {
            self.python_run.sized()
        }
    }

    /// The part of the byte code of packages without any that such a run writes.
    pub(crate) fn python_run_packages(&self, byte_code: Size) -> Size {
        self.python_run_packages.of(byte_code).0
    }

    /// What yarn 1 keeps of its own compiled code.
    pub(crate) fn yarn_compiled(&self) -> (Size, Basis) {
        self.yarn_compiled.sized()
    }

    /// An archive that ADD unpacks.
    pub(crate) fn unpacked(&self, packed: Size) -> (Size, Basis) {
        self.unpacked.of(packed)
    }

    /// What is packed to so many bytes when it is unpacked again: an archive of it.
    pub(crate) fn packed(&self, size: Size) -> (Size, Basis) {
        let basis = self.unpacked.of(size).1;
        let by = |factor: f64| size.scale(1.0 / factor);
        let size = Size::range(
            by(self.unpacked.high).low,
            by(self.unpacked.expected).expected,
            by(self.unpacked.low).high,
        );
        (size, basis)
    }

    /// What is left of a program without its symbols.
    pub(crate) fn stripped(&self, size: Size) -> (Size, Basis) {
        self.stripped.of(size)
    }

    /// A compiled locale.
    pub(crate) fn locale(&self) -> (Size, Basis) {
        self.locale.sized()
    }

    /// What a new user or group writes.
    pub(crate) fn account_files(&self) -> (Size, Basis) {
        self.account_files.sized()
    }

    /// What a new home folder holds.
    pub(crate) fn home_skeleton(&self) -> (Size, Basis) {
        self.home_skeleton.sized()
    }

    /// A package manager that corepack downloads.
    pub(crate) fn package_manager(&self) -> (Size, Basis) {
        self.package_manager.sized()
    }

    /// A virtual environment without pip.
    pub(crate) fn bare_environment(&self) -> (Size, Basis) {
        self.bare_environment.sized()
    }

    /// What virtualenv puts into an environment: pip, and setuptools where it is asked for.
    pub(crate) fn seeded(&self, setuptools: bool) -> Vec<(&'static str, (Size, Basis))> {
        let mut seeded = vec![("pip", self.seeded_pip.sized())];
        if setuptools {
            seeded.push(("setuptools", self.seeded_setuptools.sized()));
        }
        seeded
    }

    /// What uv's cache holds besides what it shares with an environment of this size.
    pub(crate) fn uv_cache(&self, installed: Size) -> (Size, Basis) {
        self.uv_cache.of(installed)
    }

    /// What poetry keeps of its downloads.
    pub(crate) fn poetry_cache(&self, downloads: Size) -> (Size, Basis) {
        self.poetry_cache.of(downloads)
    }

    /// What yarn 1 keeps of packages that weigh so much in `node_modules`.
    pub(crate) fn yarn_cache(&self, installed: Size) -> (Size, Basis) {
        self.yarn_cache.of(installed)
    }

    /// The archives of later yarns.
    pub(crate) fn yarn_later_cache(&self, installed: Size) -> (Size, Basis) {
        self.yarn_later_cache.of(installed)
    }

    /// What pnpm's store and its metadata hold besides what they share with `node_modules`.
    pub(crate) fn pnpm_store(&self, installed: Size) -> (Size, Basis) {
        self.pnpm_store.of(installed)
    }

    /// What pnpm keeps of the registry's answers: about itself, and about the packages where no lock file names their versions.
    pub(crate) fn pnpm_metadata(&self, installed: Size, locked: bool) -> (Size, Basis) {
        let (own, basis) = self.pnpm_metadata.sized();
        if locked {
            return (own, basis);
        }
        let (of_packages, basis) = self.pnpm_metadata_of_packages.of(installed);
        (Size::sum([own, of_packages]), basis)
    }

    /// What bun's cache holds besides what it shares with `node_modules`.
    pub(crate) fn bun_cache(&self, installed: Size) -> (Size, Basis) {
        self.bun_cache.of(installed)
    }

    /// A module in Go's module cache, archive and sources.
    pub(crate) fn go_module(&self) -> (Size, Basis) {
        self.go.module.sized()
    }

    /// Go's build cache after a build.
    pub(crate) fn go_build_cache(&self) -> (Size, Basis) {
        self.go.build_cache.sized()
    }

    /// A program that Go builds.
    pub(crate) fn go_program(&self) -> (Size, Basis) {
        self.go.program.sized()
    }

    /// A crate in cargo's registry, archive and sources.
    pub(crate) fn cargo_crate(&self) -> (Size, Basis) {
        self.cargo.registry.sized()
    }

    /// What cargo compiles for a crate of the lock file.
    pub(crate) fn cargo_target(&self) -> (Size, Basis) {
        self.cargo.target.sized()
    }

    /// A program that cargo builds.
    pub(crate) fn cargo_program(&self) -> (Size, Basis) {
        self.cargo.program.sized()
    }

    /// `apt-get upgrade`.
    pub(crate) fn apt_upgrade(&self) -> (Size, Basis) {
        self.apt_upgrade.sized()
    }

    /// The index that apk keeps.
    pub(crate) fn apk_index(&self) -> (Size, Basis) {
        self.apk_index.sized()
    }

    /// The sum of independent estimates of one layer, with the error that all of them share.
    pub(crate) fn layer(&self, sum: Size, exact: Size) -> Size {
        let shared = Size::within(
            sum.expected - exact.expected.min(sum.expected),
            self.layer.error,
            self.layer.error,
        );
        let half = shared.high - shared.expected;
        Size::range(
            sum.low.saturating_sub(half),
            sum.expected,
            sum.high.saturating_add(half),
        )
    }

    /// Whether a Python package installs without a compiler although it has compiled parts.
    pub(crate) fn extension_is_optional(&self, package: &str) -> bool {
        self.optional_extensions
            .names
            .iter()
            .any(|name| name == package)
    }

    /// What a Python package needs that publishes no wheel for Linux, where it is one of those.
    pub(crate) fn source_build(&self, package: &str) -> Option<&SourceBuild> {
        self.source_builds
            .iter()
            .find(|row| row.names.iter().any(|name| name == package))
    }

    /// What packages need beside what they bring.
    pub(crate) fn needs(&self) -> &[Needs] {
        &self.needs
    }

    /// How it is told which packages of Node are compiled, and what compiles them.
    pub(crate) const fn node_gyp(&self) -> &NodeGyp {
        &self.node_gyp
    }

    /// Whether a distribution package is for builds alone.
    pub(crate) fn is_build_tool(&self, package: &str) -> bool {
        self.build_tools.names.iter().any(|name| name == package)
    }

    /// An Alpine package of which nothing is known.
    pub(crate) fn alpine_package(&self) -> (Size, Basis) {
        self.alpine_package.sized()
    }

    /// What npm keeps of the tarballs it downloads.
    pub(crate) fn npm_cache(&self, downloads: Size) -> (Size, Basis) {
        self.npm_cache.of(downloads)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_python_stands_for_another_with_a_wider_range() {
        let tools = Tools::embedded();
        let (exact, _, _) = tools.venv((3, 7));
        let (near, _, basis) = tools.venv((3, 8));
        assert_eq!((exact.expected, near.expected), (14_775_615, 14_775_615));
        assert!(near.low < exact.low && basis.source.contains("Python 3.7"));
    }
}
