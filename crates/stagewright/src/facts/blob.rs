//! From the bytes of a base image's blobs to those of its files (`catalog/blob.toml`), where nobody counted them.

use std::sync::LazyLock;

use serde::Deserialize;

use super::python_table::Factor;
use crate::size::{Size, scaled};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Ratios {
    #[serde(rename = "source")]
    _source: String,
    #[serde(rename = "date")]
    _date: String,
    files: Factor,
    tar: Factor,
}

static RATIOS: LazyLock<Ratios> = LazyLock::new(|| {
    toml::from_str(include_str!("../../catalog/blob.toml")).expect("catalog/blob.toml is valid")
});

/// Bytes of the files of an image, of which only the bytes of its tars are known.
pub(crate) fn files_of_tar(tar: Size) -> Size {
    by(&RATIOS.files, tar)
}

/// Bytes of the tar of a layer, of which only the compressed bytes are known.
pub(crate) fn tar_of_blob(blob: u64) -> Size {
    by(&RATIOS.tar, Size::exact(blob))
}

fn by(factor: &Factor, size: Size) -> Size {
    Size::range(
        scaled(size.low, factor.low),
        scaled(size.expected, factor.expected),
        scaled(size.high, factor.high),
    )
}
