//! `measure` and `Image`.

#![expect(
    clippy::needless_pass_by_value,
    reason = "what JavaScript gives is converted into values"
)]

use napi_derive::napi;
use stagewright::MeasureOptions;
use stagewright::report::{CompareReport, MeasureReport, to_json};

use crate::error::{Result, failure};
use crate::value::{
    Compared, ComparedLayer, Duplicate, ImageFile, ImageLayer, KindBytes, Waste, all, bytes,
};

/// An image that was measured. It never changes.
#[napi]
pub struct Image {
    report: MeasureReport,
}

/// What is measured, and how.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct ImageOptions {
    /// Which image, where the archive holds several.
    pub image_name: Option<String>,
    /// The platform, where the image is there for several; `linux/amd64` if absent.
    pub platform: Option<String>,
    /// Hold layers that are not compressed against their digests too.
    pub verify: Option<bool>,
    /// The most rows of each list.
    pub rows: Option<u32>,
}

/// How an image is written down as a measured base.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct LearnOptions {
    /// The reference that Dockerfiles write; the image's own name if absent.
    pub name: Option<String>,
    /// The day (`YYYY-MM-DD`) to write down; that of the image if absent.
    pub date: Option<String>,
}

impl Image {
    pub(crate) fn image(&self) -> &stagewright::Image {
        &self.report.image
    }
}

#[napi]
impl Image {
    /// The names that the archive gives it.
    #[napi(getter)]
    pub fn names(&self) -> Vec<String> {
        self.report.image.names.clone()
    }

    /// What it runs on, where it says so.
    #[napi(getter)]
    pub fn platform(&self) -> Option<&str> {
        self.report.image.platform.as_deref()
    }

    /// Files of all layers: no folders, links or white-outs.
    #[napi(getter)]
    pub fn files(&self) -> i64 {
        bytes(self.report.image.files)
    }

    /// Bytes of the files of all layers.
    #[napi(getter)]
    pub fn bytes(&self) -> i64 {
        bytes(self.report.image.bytes)
    }

    /// Bytes of all layers as they are compressed; nothing where one is not.
    #[napi(getter)]
    pub fn compressed(&self) -> Option<i64> {
        self.report.image.compressed.map(bytes)
    }

    /// Bytes that later layers remove or replace: paid for and never seen.
    #[napi(getter)]
    pub fn hidden(&self) -> i64 {
        bytes(self.report.image.hidden)
    }

    /// Bytes of all paths that take bytes in more than one layer, as dive counts them.
    #[napi(getter)]
    pub fn wasted(&self) -> i64 {
        bytes(self.report.image.wasted)
    }

    /// Bytes that are there under another path too.
    #[napi(getter)]
    pub fn duplicated(&self) -> i64 {
        bytes(self.report.image.duplicated)
    }

    /// The layers, base first.
    #[napi(getter)]
    pub fn layers(&self) -> Vec<ImageLayer> {
        all(&self.report.image.layers)
    }

    /// What the files are made of, most bytes first.
    #[napi(getter)]
    pub fn kinds(&self) -> Vec<KindBytes> {
        all(&self.report.image.kinds)
    }

    /// The largest files of all layers.
    #[napi(getter)]
    pub fn largest(&self) -> Vec<ImageFile> {
        all(&self.report.image.largest)
    }

    /// The paths that waste most.
    #[napi(getter)]
    pub fn waste(&self) -> Vec<Waste> {
        all(&self.report.image.waste)
    }

    /// Files with one content and several paths, those first that cost most.
    #[napi(getter)]
    pub fn duplicates(&self) -> Vec<Duplicate> {
        all(&self.report.image.duplicates)
    }

    /// What to know about the numbers, in sentences.
    #[napi(getter)]
    pub fn notes(&self) -> Vec<String> {
        self.report.image.notes.clone()
    }

    /// The text of a `stagewright.toml` with this image in it as a measured base; the rest of `config`, its text before, stays.
    ///
    /// Throws an error with a `code` for a text that is no `stagewright.toml` or an image without a name.
    #[napi]
    pub fn learn(&self, config: String, options: Option<LearnOptions>) -> Result<String> {
        let asked = options.unwrap_or_default();
        let image = &self.report.image;
        image
            .learn(&config, asked.name.as_deref(), asked.date.as_deref())
            .map_err(failure)
    }

    /// Everything as JSON: the bytes that `stagewright measure --json` prints.
    #[napi]
    pub fn to_json(&self) -> String {
        to_json(&self.report)
    }
}

/// Prediction and truth side by side. It never changes.
#[napi]
pub struct Comparison {
    report: CompareReport,
}

impl Comparison {
    pub(crate) fn new(report: CompareReport) -> Self {
        Self { report }
    }
}

#[napi]
impl Comparison {
    /// The whole image.
    #[napi(getter)]
    pub fn image(&self) -> Compared {
        (&self.report.comparison.image).into()
    }

    /// The base image; nothing where its size is not known, or there is none.
    #[napi(getter)]
    pub fn base(&self) -> Option<Compared> {
        self.report.comparison.base.as_ref().map(Compared::from)
    }

    /// What the Dockerfile adds to it.
    #[napi(getter)]
    pub fn added(&self) -> Compared {
        (&self.report.comparison.added).into()
    }

    /// The layers that the Dockerfile adds, in order.
    #[napi(getter)]
    pub fn layers(&self) -> Vec<ComparedLayer> {
        all(&self.report.comparison.layers)
    }

    /// What to know about the numbers, in sentences.
    #[napi(getter)]
    pub fn notes(&self) -> Vec<String> {
        self.report.comparison.notes.clone()
    }

    /// Everything as JSON: the bytes that `stagewright size --compare IMAGE --json` prints.
    #[napi]
    pub fn to_json(&self) -> String {
        to_json(&self.report)
    }
}

/// Measures an image: an archive of `docker save`, or an OCI layout as a tar or as a folder. Nothing is unpacked or written.
///
/// Throws an error with a `code` for what cannot be read, is broken, or goes beyond the limits.
#[napi]
pub fn measure(path: String, options: Option<ImageOptions>) -> Result<Image> {
    let asked = options.unwrap_or_default();
    let words = MeasureOptions::from_words(asked.image_name.as_deref(), asked.platform.as_deref());
    let mut options = words.map_err(failure)?;
    options.verify = asked.verify.unwrap_or_default();
    options.rows = asked.rows.map_or(options.rows, |rows| rows as usize);
    let image = stagewright::Image::open_with(path, &options).map_err(failure)?;
    Ok(Image {
        report: MeasureReport::new(image),
    })
}
