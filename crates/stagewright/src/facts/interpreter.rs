//! What lies inside official Python images, and what running pip leaves there (`catalog/python_interpreter.toml`).

use std::sync::{Arc, OnceLock};

use serde::Deserialize;

use super::memo::Memo;
use super::tools::nearest;
use super::wheel::WheelFit;
use super::{ImageFacts, InstalledPackage, Libc};
use crate::ledger::Part;
use crate::size::{Basis, Kind, Size};

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Interpreters {
    image: Vec<Image>,
    libraries: Vec<Libraries>,
    group: Vec<Group>,
    byte_code_of_running: Vec<ByteCode>,
    pip_cache: Vec<PipCache>,
    pip_cache_despite_flag: Vec<Despite>,
    built_wheel: BuiltWheel,
    /// What lies in the images of each version of Python.
    #[serde(skip, default = "Memo::new")]
    contents: Memo<String, Arc<[ImageContent]>>,
}

#[derive(Debug, Deserialize)]
struct Image {
    python: String,
    stripped: bool,
}

/// What a plain Alpine needs before a copied interpreter starts.
#[derive(Debug, Deserialize)]
pub(crate) struct Libraries {
    python: String,
    /// The image that the official one is made of.
    pub(crate) base: String,
    /// Names for `apk add`.
    pub(crate) packages: Vec<String>,
    bytes: u64,
    error: f64,
    source: Arc<str>,
    date: Arc<str>,
}

/// Files under `/usr/local` that belong together.
#[derive(Debug, Deserialize)]
pub(crate) struct Group {
    python: String,
    /// What they are.
    pub(crate) name: String,
    /// Where they lie, as patterns below `/usr/local`.
    pub(crate) paths: Vec<String>,
    bytes: u64,
    needed: Needed,
    native: bool,
    error: f64,
    source: Arc<str>,
    date: Arc<str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Needed {
    Always,
    Sometimes,
    Never,
}

#[derive(Debug, Deserialize)]
struct ByteCode {
    python: String,
    pip: String,
    command: String,
    standard_library_bytes: u64,
    pip_bytes: u64,
    setuptools_bytes: u64,
    error: f64,
    source: Arc<str>,
    date: Arc<str>,
}

#[derive(Debug, Deserialize)]
struct PipCache {
    pip: String,
    page_bytes: u64,
    source: Arc<str>,
    date: Arc<str>,
}

#[derive(Debug, Deserialize)]
struct Despite {
    pip: String,
    bytes: u64,
    source: Arc<str>,
    date: Arc<str>,
}

#[derive(Debug, Deserialize)]
struct BuiltWheel {
    expected: f64,
    low: f64,
    high: f64,
}

/// Something inside a base image.
#[derive(Debug)]
pub(crate) struct ImageContent {
    pub(crate) path: Arc<str>,
    pub(crate) label: Arc<str>,
    pub(crate) parts: Arc<[Part]>,
    pub(crate) basis: Basis,
}

/// The name of the group that holds what `strip` removes; it has no path of its own.
pub(crate) const SYMBOLS: &str = "symbols";

impl Interpreters {
    pub(crate) fn embedded() -> &'static Self {
        static TABLE: OnceLock<Interpreters> = OnceLock::new();
        TABLE.get_or_init(|| {
            toml::from_str(include_str!("../../catalog/python_interpreter.toml"))
                .expect("the table is part of the crate, and a test reads it")
        })
    }

    /// What is known of the inside of an official Python image: nothing for other images and other versions of Python.
    pub(crate) fn contents(&self, facts: &ImageFacts) -> Arc<[ImageContent]> {
        let python = version(facts).filter(|_| facts.family == "python");
        python.map_or_else(Default::default, |python| {
            self.contents.get(python, |python| self.contents_of(python))
        })
    }

    fn contents_of(&self, python: &str) -> Arc<[ImageContent]> {
        let stripped = self
            .image
            .iter()
            .find(|image| image.python == python)
            .is_none_or(|image| image.stripped);
        self.group
            .iter()
            .filter(|group| {
                group.python == python
                    && (!stripped || !matches!(group.name.as_str(), "static_library" | SYMBOLS))
            })
            .map(|group| {
                let path = group.paths.first().map_or_else(
                    || format!("lib/{}", group.name),
                    |path| path.replace(['*', '?'], ""),
                );
                let kind = if group.native {
                    Kind::Binary
                } else {
                    Kind::PythonSource
                };
                ImageContent {
                    path: format!("/usr/local/{}", path.trim_end_matches('-')).into(),
                    label: Arc::from(group.name.as_str()),
                    parts: [Part::main(
                        kind,
                        Size::within(group.bytes, group.error, group.error),
                    )]
                    .into(),
                    basis: Basis::dated(Arc::clone(&group.source), Arc::clone(&group.date)),
                }
            })
            .collect()
    }

    /// Groups that no server loads.
    pub(crate) fn unneeded(&self, python: (u32, u32)) -> impl Iterator<Item = &Group> {
        let python = format!("{}.{}", python.0, python.1);
        self.group
            .iter()
            .filter(move |group| group.python == python && group.needed == Needed::Never)
    }

    /// What a plain base of the image's own kind needs besides the interpreter.
    pub(crate) fn libraries(&self, facts: &ImageFacts) -> Option<&Libraries> {
        let python = version(facts)?;
        let alpine = facts.libc == Libc::Musl && facts.family == "python";
        self.libraries
            .iter()
            .find(|row| alpine && row.python == python)
    }

    /// The bytes of a list of Alpine packages that a row has measured as a whole.
    pub(crate) fn alpine_packages(&self, names: &[String]) -> Option<(Size, Basis)> {
        let row = self.libraries.iter().find(|row| {
            row.packages.len() == names.len()
                && row.packages.iter().all(|package| names.contains(package))
        })?;
        Some((
            Size::within(row.bytes, row.error, row.error),
            Basis::dated(Arc::clone(&row.source), Arc::clone(&row.date)),
        ))
    }

    /// Byte code that running pip leaves beside an interpreter that came without any: of its own modules and those of the standard
    /// library, more where it builds from source.
    pub(crate) fn pip_run_byte_code(
        &self,
        python: (u32, u32),
        from_source: bool,
        replaces_pip: bool,
    ) -> (Size, Basis) {
        let command = if from_source {
            "pip install, some from source"
        } else {
            "pip install, wheels only"
        };
        let rows: Vec<&ByteCode> = self
            .byte_code_of_running
            .iter()
            .filter(|row| row.command == command)
            .collect();
        let (row, exact) = nearest(&rows, python, |row| &row.python);
        // The pip of an image is not always the measured one.
        let error = if exact { row.error.max(0.15) } else { 0.35 };
        // A pip that replaces itself takes its byte code along.
        let pip = if replaces_pip { 0 } else { row.pip_bytes };
        let bytes = row.standard_library_bytes + pip + row.setuptools_bytes;
        let basis = Basis::dated(
            format!(
                "{} ({}, Python {}, pip {})",
                row.source, row.command, row.python, row.pip
            ),
            Arc::clone(&row.date),
        );
        (Size::within(bytes, error, error), basis)
    }

    /// What pip keeps of the packages it installs: the files it downloaded, the wheels it built, the index pages it read.
    pub(crate) fn pip_cache(
        &self,
        python: (u32, u32),
        packages: &[InstalledPackage],
    ) -> (Size, Basis) {
        let built = &self.built_wheel;
        let files = packages.iter().map(|package| {
            let download = package.facts.download;
            match package.facts.wheel {
                WheelFit::SdistOnly => Size::range(
                    download.scale(1.0 + built.low).low,
                    download.scale(1.0 + built.expected).expected,
                    download.scale(1.0 + built.high).high,
                ),
                _ => download,
            }
        });
        let pips: Vec<&ByteCode> = self
            .byte_code_of_running
            .iter()
            .filter(|row| !row.pip.is_empty())
            .collect();
        let (pip, _) = nearest(&pips, python, |row| &row.python);
        let row = self
            .pip_cache
            .iter()
            .find(|row| row.pip == pip.pip)
            .or(self.pip_cache.first())
            .expect("the table has a row for pip's cache");
        let pages = row.page_bytes * packages.len() as u64;
        // Pages grow with every release of a package.
        let size = Size::sum(files).plus(Size::within(pages, 0.6, 1.5));
        (
            size,
            Basis::dated(Arc::clone(&row.source), Arc::clone(&row.date)),
        )
    }

    /// What `pip --no-cache-dir` keeps all the same when it builds from source: the option does not reach the pip that fills the build
    /// environment.
    pub(crate) fn pip_cache_despite_flag(
        &self,
        python: (u32, u32),
        packages: &[InstalledPackage],
    ) -> Option<(Size, Basis)> {
        let from_source = packages
            .iter()
            .any(|package| package.facts.wheel == WheelFit::SdistOnly);
        let pips: Vec<&ByteCode> = self
            .byte_code_of_running
            .iter()
            .filter(|row| !row.pip.is_empty())
            .collect();
        let (pip, _) = nearest(&pips, python, |row| &row.python);
        let row = self
            .pip_cache_despite_flag
            .iter()
            .find(|row| row.pip == pip.pip)
            .filter(|_| from_source)?;
        Some((
            Size::within(row.bytes, 0.5, 1.0),
            Basis::dated(Arc::clone(&row.source), Arc::clone(&row.date)),
        ))
    }
}

fn version(facts: &ImageFacts) -> Option<String> {
    facts
        .python_version()
        .map(|(major, minor)| format!("{major}.{minor}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Catalog;

    #[test]
    fn the_parts_of_an_image_add_up_to_its_published_size() {
        for (image, usr_local, share) in [
            ("python:3.7-alpine", 85_301_418_u64, 0.05),
            ("python:3.12-alpine", 34_773_744, 0.05),
        ] {
            let facts = Catalog::builtin().image(image, None).expect(image);
            let sum: u64 = Interpreters::embedded()
                .contents(&facts)
                .iter()
                .flat_map(|content| &*content.parts)
                .map(|part| part.size.expected)
                .sum();
            #[expect(clippy::cast_precision_loss, reason = "a share")]
            let off = (sum as f64 / usr_local as f64 - 1.0).abs();
            assert!(off < share, "{image}: {sum} against {usr_local}");
        }
    }
}
