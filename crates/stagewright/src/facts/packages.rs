//! Packages that were measured outside: what an analysis asks for, and the answers, which go before the tables.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::npm::NpmFacts;
use super::python::{self, KindShare, PackageFacts};
use super::python_lock::FileKind;
use super::python_table::PythonTable;
use super::wheel::{WheelFit, WheelPlatform};
use crate::size::{Basis, Kind, Size, scaled};

/// Which Python package an installation takes: a name, the versions that are allowed, and where it has to fit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PythonNeed {
    /// The name, normalized (PEP 503).
    pub name: String,
    /// The versions allowed (PEP 440), `==1.2` for the only one, in a fixed order; empty for any.
    pub versions: String,
    /// Major and minor version of Python.
    pub python: (u32, u32),
    /// The platform of the image.
    pub platform: WheelPlatform,
}

/// Which npm package an installation takes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct NpmNeed {
    /// The name, `@scope/name` where it has a scope.
    pub name: String,
    /// The version; empty for the newest.
    pub version: String,
}

/// What an analysis would be more exact with: [`crate::Analysis::needs`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Needs {
    /// Base images, as the Dockerfile writes them, that were not measured.
    pub images: BTreeSet<String>,
    /// Python packages that were not measured.
    pub python: BTreeSet<PythonNeed>,
    /// npm packages that were not measured.
    pub npm: BTreeSet<NpmNeed>,
}

/// The file of a Python package that answers a need, and what it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredPython {
    /// Its version.
    pub version: String,
    /// The name of the file that pip takes.
    pub file: String,
    /// Its bytes.
    pub download: u64,
    /// What it is.
    pub kind: FileKind,
    /// The day it was uploaded, `YYYY-MM-DD`, where the index says it.
    #[serde(default)]
    pub uploaded: Option<String>,
    /// What lies in it; nothing for a source, which says little about what is built of it.
    #[serde(default)]
    pub contents: Option<WheelContents>,
    /// What it needs, each as PEP 508 writes it; nothing where that could not be read.
    #[serde(default)]
    pub requires: Option<Vec<String>>,
}

/// The files of a wheel, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WheelContents {
    /// All of them.
    pub installed: u64,
    /// Python source.
    pub source: u64,
    /// Compiled parts.
    pub native: u64,
    /// Scripts, styles, pictures and fonts of web pages.
    pub web: u64,
    /// Documentation outside the metadata.
    pub docs: u64,
    /// What lies in folders named `test` or `tests`.
    pub tests: u64,
    /// Python source among those.
    pub test_source: u64,
    /// Their number.
    pub files: u64,
}

/// An npm package that answers a need.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MeasuredNpm {
    /// Its version.
    pub version: String,
    /// Bytes of its files.
    pub unpacked: u64,
    /// Bytes of its tarball; nothing where only the unpacked size is known.
    #[serde(default)]
    pub download: Option<u64>,
    /// Number of its files.
    #[serde(default)]
    pub files: Option<u64>,
    /// Whether it runs a script on installation.
    #[serde(default)]
    pub install_script: bool,
    /// Names of the packages that it needs.
    #[serde(default)]
    pub dependencies: Vec<String>,
}

/// Packages that were measured, by what was asked for. They go before the tables ([`crate::Options::packages`]).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Packages {
    /// Python packages.
    pub python: BTreeMap<PythonNeed, MeasuredPython>,
    /// npm packages.
    pub npm: BTreeMap<NpmNeed, MeasuredNpm>,
}

/// A need that could not be answered, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct Unanswered {
    /// The package or image, as one would write it.
    pub what: String,
    /// A stable name for why, in kebab-case.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
}

impl PythonNeed {
    /// A need with the versions in a fixed order.
    pub(super) fn new(
        name: &str,
        versions: &BTreeSet<&str>,
        python: (u32, u32),
        platform: WheelPlatform,
    ) -> Self {
        let versions: Vec<&str> = versions.iter().copied().collect();
        Self {
            name: name.to_owned(),
            versions: versions.join(","),
            python,
            platform,
        }
    }
}

impl MeasuredPython {
    /// What is known of the package by its files.
    pub(super) fn facts(&self, table: &PythonTable, need: &PythonNeed) -> Arc<PackageFacts> {
        let (file, platform) = ((self.download, self.kind), need.platform);
        let mut shared = python::find_locked(
            table,
            &need.name,
            &self.version,
            need.python,
            platform,
            file,
        );
        let facts = Arc::make_mut(&mut shared);
        facts.version = Some(self.version.clone());
        if let Some(uploaded) = &self.uploaded {
            facts.basis.date = Some(uploaded.as_str().into());
        }
        let Some(contents) = &self.contents else {
            let here = format!("size of `{}` in the package index", self.file);
            let source = facts.basis.source.replacen(python::IN_LOCK_FILE, &here, 1);
            facts.basis.source = source.into();
            return shared;
        };
        let ratios = &table.ratios;
        facts.wheel = match self.kind {
            FileKind::Native => WheelFit::Native,
            FileKind::Pure => WheelFit::Pure,
            FileKind::Source => WheelFit::SdistOnly,
        };
        facts.native = Some(self.kind == FileKind::Native);
        facts.download = Size::exact(self.download);
        // What pip adds: INSTALLER, REQUESTED, the scripts that start the programs.
        let installed = contents.installed;
        facts.installed = Size::range(
            installed,
            installed,
            installed.saturating_add(ratios.limits.measured_bytes),
        );
        facts.tests = Size::exact(contents.tests);
        facts.docs = Size::exact(contents.docs);
        facts.files = Some(contents.files);
        facts.byte_code = table.byte_code_of_source(&need.name, contents.source, need.python);
        facts.tests_byte_code =
            table.byte_code_of_source(&need.name, contents.test_source, need.python);
        facts.kinds = contents.shares();
        facts.basis = Basis::new("the files of the wheel, as the package index has it");
        shared
    }
}

impl WheelContents {
    #[expect(
        clippy::cast_precision_loss,
        reason = "a ratio of sizes: 53 bits are plenty"
    )]
    fn shares(&self) -> Vec<KindShare> {
        let named = self.source + self.native + self.web + self.docs;
        let whole = self.installed.max(named).max(1) as f64;
        let parts = [
            (Kind::PythonSource, self.source),
            (Kind::NativeWheel, self.native),
            (Kind::WebAssets, self.web),
            (Kind::Text, self.docs + self.installed.saturating_sub(named)),
        ];
        let parts = parts.into_iter().filter(|(_, bytes)| *bytes > 0);
        parts
            .map(|(kind, bytes)| KindShare {
                kind,
                share: bytes as f64 / whole,
            })
            .collect()
    }
}

impl PythonTable {
    /// Byte code of some source of a package: as of the same package where it was measured, else as of most.
    fn byte_code_of_source(&self, name: &str, source: u64, python: (u32, u32)) -> Size {
        let ratios = &self.ratios;
        let seen = self.measured(name);
        let seen = seen
            .iter()
            .rev()
            .find(|row| row.py > 0 && row.byte_code > 0);
        let other = |measured| {
            if measured == python {
                0.0
            } else {
                ratios.limits.other_python
            }
        };
        if let Some(row) = seen {
            let factor = ratios.byte_code_factor(python, row.python);
            let bytes = u128::from(source) * u128::from(row.byte_code) / u128::from(row.py);
            let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
            let error = ratios.limits.other_build + other(row.python);
            return Size::within(scaled(bytes, factor), error, error);
        }
        let factor = ratios.byte_code.source;
        let python_factor = ratios.byte_code_factor(python, (3, 12));
        let share = other((3, 12));
        Size::range(
            scaled(source, factor.low * python_factor * (1.0 - share)),
            scaled(source, factor.expected * python_factor),
            scaled(source, factor.high * python_factor * (1.0 + share)),
        )
    }
}

impl MeasuredNpm {
    /// What is known of the package; `table` is what the tables say of it.
    pub(super) fn facts(&self, table: &NpmFacts) -> NpmFacts {
        let ratio = |bytes: u64| {
            // The tarball is as far from its files as the table's is from them.
            let share = |part: u64| u128::from(bytes) * u128::from(part);
            let whole = u128::from(table.installed.expected.max(1));
            let part = |part| u64::try_from(share(part) / whole).unwrap_or(u64::MAX);
            let download = table.download;
            Size::range(
                part(download.low),
                part(download.expected),
                part(download.high),
            )
        };
        NpmFacts {
            version: Some(self.version.clone()),
            installed: Size::exact(self.unpacked),
            download: self
                .download
                .map_or_else(|| ratio(self.unpacked), Size::exact),
            files: self.files.or(table.files),
            native: self.install_script,
            dependencies: Some(self.dependencies.clone()),
            optional_dependencies: table.optional_dependencies.clone(),
            basis: Basis::new("the files of the package, as the package registry has it"),
            name: table.name.clone(),
        }
    }
}
