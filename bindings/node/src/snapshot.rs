//! `Snapshot`.

#![expect(
    clippy::needless_pass_by_value,
    reason = "what JavaScript gives is converted into values"
)]

use napi_derive::napi;
use stagewright::{read_file, write_file};

use crate::analysis::Analysis;
use crate::error::{Result, failure};
use crate::value::index;

/// What one build is made of, with which a later one can be compared when its files are gone. It never changes.
///
/// Contents of files are not in it, but the Dockerfile is, and build arguments are as they were given. Make one with
/// `analysis.snapshot()`.
#[napi]
pub struct Snapshot {
    inner: stagewright::Snapshot,
}

impl Snapshot {
    pub(crate) fn new(inner: stagewright::Snapshot) -> Self {
        Self { inner }
    }
}

#[napi]
impl Snapshot {
    /// Reads what `toJson` or `stagewright cache save` wrote.
    ///
    /// Throws an error for another version (`snapshot-version`) and for anything that is not whole (`bad-snapshot`).
    #[napi(factory)]
    pub fn parse(text: String) -> Result<Self> {
        Ok(Self::new(
            stagewright::Snapshot::parse(&text).map_err(failure)?,
        ))
    }

    /// Reads a snapshot from disk.
    #[napi(factory)]
    pub fn read(path: String) -> Result<Self> {
        Self::parse(read_file(path).map_err(failure)?)
    }

    /// Writes the snapshot to disk, over what stands there.
    #[napi]
    pub fn write(&self, path: String) -> Result<()> {
        write_file(path, &self.inner.to_json()).map_err(failure)
    }

    /// The text of the Dockerfile.
    #[napi(getter)]
    pub fn dockerfile(&self) -> &str {
        self.inner.dockerfile()
    }

    /// How many files it knows.
    #[napi(getter)]
    pub fn files(&self) -> u32 {
        index(self.inner.file_count())
    }

    /// Models the build anew. Sizes that hang on the texts of files, such as what `pip install -r` brings, are not known from it.
    #[napi]
    pub fn analyze(&self) -> Result<Analysis> {
        Ok(Analysis::new(self.inner.analyze().map_err(failure)?))
    }

    /// The snapshot as JSON: the bytes that `stagewright cache save` writes.
    #[napi]
    pub fn to_json(&self) -> String {
        self.inner.to_json()
    }
}
