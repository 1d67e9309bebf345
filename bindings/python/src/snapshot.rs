//! `Snapshot`.

use std::path::PathBuf;

use pyo3::prelude::*;
use stagewright::{read_file, write_file};

use crate::analysis::Analysis;
use crate::error::Failure;

/// What one build is made of, with which a later one can be compared when its files are gone. It never changes.
///
/// Contents of files are not in it, but the Dockerfile is, and build arguments are as they were given. Make one with
/// `Analysis.snapshot()`.
#[pyclass(frozen, module = "stagewright")]
pub(crate) struct Snapshot {
    inner: stagewright::Snapshot,
}

impl Snapshot {
    pub(crate) fn new(inner: stagewright::Snapshot) -> Self {
        Self { inner }
    }
}

#[pymethods]
impl Snapshot {
    /// Reads what `to_json` or `stagewright cache save` wrote.
    ///
    /// Raises `StagewrightError` for another version (`snapshot-version`) and for anything that is not whole (`bad-snapshot`).
    #[staticmethod]
    fn parse(text: &str) -> Result<Self, Failure> {
        Ok(Self::new(stagewright::Snapshot::parse(text)?))
    }

    /// Reads a snapshot from disk.
    #[staticmethod]
    fn read(path: PathBuf) -> Result<Self, Failure> {
        Self::parse(&read_file(path)?)
    }

    /// Writes the snapshot to disk, over what stands there.
    fn write(&self, path: PathBuf) -> Result<(), Failure> {
        Ok(write_file(path, &self.inner.to_json())?)
    }

    /// The text of the Dockerfile.
    #[getter]
    fn dockerfile(&self) -> &str {
        self.inner.dockerfile()
    }

    /// How many files it knows.
    #[getter]
    fn files(&self) -> usize {
        self.inner.file_count()
    }

    /// Models the build anew. Sizes that hang on the texts of files, such as what `pip install -r` brings, are not known from it.
    fn analyze(&self, py: Python<'_>) -> Result<Analysis, Failure> {
        py.detach(|| Ok(Analysis::new(self.inner.analyze()?)))
    }

    /// The snapshot as JSON: the bytes that `stagewright cache save` writes.
    fn to_json(&self) -> String {
        self.inner.to_json()
    }

    fn __repr__(&self) -> String {
        format!("<Snapshot: {} files>", self.inner.file_count())
    }
}
