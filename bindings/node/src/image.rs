//! `measure` and `Image`.

use napi_derive::napi;
use stagewright::MeasureOptions;
use stagewright::report::{MeasureReport, to_json};

use crate::error::{Result, failure};
use crate::value::{Duplicate, ImageFile, ImageLayer, KindBytes, Waste, all, bytes};

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

    /// Everything as JSON: the bytes that `stagewright measure --json` prints.
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
