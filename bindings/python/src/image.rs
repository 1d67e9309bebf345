//! `measure` and `Image`.

use std::path::PathBuf;

use pyo3::prelude::*;
use stagewright::MeasureOptions;
use stagewright::report::{CompareReport, MeasureReport, to_json};

use crate::error::Failure;
use crate::value::{
    Compared, ComparedLayer, Duplicate, ImageFile, ImageLayer, KindBytes, Waste, all,
};

/// An image that was measured. It never changes.
#[pyclass(frozen, module = "stagewright")]
pub(crate) struct Image {
    report: MeasureReport,
}

impl Image {
    pub(crate) fn image(&self) -> &stagewright::Image {
        &self.report.image
    }
}

#[pymethods]
impl Image {
    /// The names that the archive gives it.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.report.image.names.clone()
    }

    /// What it runs on, where it says so.
    #[getter]
    fn platform(&self) -> Option<&str> {
        self.report.image.platform.as_deref()
    }

    /// Files of all layers: no folders, links or white-outs.
    #[getter]
    fn files(&self) -> u64 {
        self.report.image.files
    }

    /// Bytes of the files of all layers.
    #[getter]
    fn bytes(&self) -> u64 {
        self.report.image.bytes
    }

    /// Bytes of all layers as they are compressed; nothing where one is not.
    #[getter]
    fn compressed(&self) -> Option<u64> {
        self.report.image.compressed
    }

    /// Bytes that later layers remove or replace: paid for and never seen.
    #[getter]
    fn hidden(&self) -> u64 {
        self.report.image.hidden
    }

    /// Bytes of all paths that take bytes in more than one layer, as dive counts them.
    #[getter]
    fn wasted(&self) -> u64 {
        self.report.image.wasted
    }

    /// Bytes that are there under another path too.
    #[getter]
    fn duplicated(&self) -> u64 {
        self.report.image.duplicated
    }

    /// The layers, base first.
    #[getter]
    fn layers(&self) -> Vec<ImageLayer> {
        all(&self.report.image.layers)
    }

    /// What the files are made of, most bytes first.
    #[getter]
    fn kinds(&self) -> Vec<KindBytes> {
        all(&self.report.image.kinds)
    }

    /// The largest files of all layers.
    #[getter]
    fn largest(&self) -> Vec<ImageFile> {
        all(&self.report.image.largest)
    }

    /// The paths that waste most.
    #[getter]
    fn waste(&self) -> Vec<Waste> {
        all(&self.report.image.waste)
    }

    /// Files with one content and several paths, those first that cost most.
    #[getter]
    fn duplicates(&self) -> Vec<Duplicate> {
        all(&self.report.image.duplicates)
    }

    /// What to know about the numbers, in sentences.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.report.image.notes.clone()
    }

    /// The text of a `stagewright.toml` with this image in it as a measured base; the rest of `config`, its text before, stays.
    ///
    /// `name` is the reference that Dockerfiles write, the image's own name if absent; `date` the day (`YYYY-MM-DD`) to write down, that
    /// of the image if absent. Raises `StagewrightError` for a text that is no `stagewright.toml` or an image without a name.
    #[pyo3(
        signature = (config="", *, name=None, date=None),
        text_signature = "($self, config='', *, name=None, date=None)"
    )]
    fn learn(
        &self,
        config: &str,
        name: Option<&str>,
        date: Option<&str>,
    ) -> Result<String, Failure> {
        Ok(self.report.image.learn(config, name, date)?)
    }

    /// Everything as JSON: the bytes that `stagewright measure --json` prints.
    fn to_json(&self) -> String {
        to_json(&self.report)
    }

    fn __repr__(&self) -> String {
        format!(
            "<Image: {} bytes in {} layers>",
            self.report.image.bytes,
            self.report.image.layers.len()
        )
    }
}

/// Prediction and truth side by side. It never changes.
#[pyclass(frozen, module = "stagewright")]
pub(crate) struct Comparison {
    pub(crate) report: CompareReport,
}

#[pymethods]
impl Comparison {
    /// The whole image.
    #[getter]
    fn image(&self) -> Compared {
        (&self.report.comparison.image).into()
    }

    /// The base image; nothing where its size is not known, or there is none.
    #[getter]
    fn base(&self) -> Option<Compared> {
        self.report.comparison.base.as_ref().map(Compared::from)
    }

    /// What the Dockerfile adds to it.
    #[getter]
    fn added(&self) -> Compared {
        (&self.report.comparison.added).into()
    }

    /// The layers that the Dockerfile adds, in order.
    #[getter]
    fn layers(&self) -> Vec<ComparedLayer> {
        all(&self.report.comparison.layers)
    }

    /// What to know about the numbers, in sentences.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.report.comparison.notes.clone()
    }

    /// Everything as JSON: the bytes that `stagewright size --compare IMAGE --json` prints.
    fn to_json(&self) -> String {
        to_json(&self.report)
    }

    fn __repr__(&self) -> String {
        format!(
            "<Comparison: {} layers>",
            self.report.comparison.layers.len()
        )
    }
}

/// Measures an image: an archive of `docker save`, or an OCI layout as a tar or as a folder. Nothing is unpacked or written.
///
/// `image_name` is the image where the archive holds several, `platform` the platform where it is there for several (`linux/amd64` if
/// absent); with `verify`, layers that are not compressed are held against their digests too; `rows` is the most rows of each list.
/// Raises `StagewrightError` for what cannot be read, is broken, or goes beyond the limits.
#[pyfunction]
#[pyo3(
    signature = (path, *, image_name=None, platform=None, verify=false, rows=None),
    text_signature = "(path, *, image_name=None, platform=None, verify=False, rows=None)"
)]
pub(crate) fn measure(
    py: Python<'_>,
    path: PathBuf,
    image_name: Option<&str>,
    platform: Option<&str>,
    verify: bool,
    rows: Option<usize>,
) -> Result<Image, Failure> {
    let mut options = MeasureOptions::from_words(image_name, platform)?;
    options.verify = verify;
    options.rows = rows.unwrap_or(options.rows);
    py.detach(|| {
        let image = stagewright::Image::open_with(path, &options)?;
        Ok(Image {
            report: MeasureReport::new(image),
        })
    })
}
