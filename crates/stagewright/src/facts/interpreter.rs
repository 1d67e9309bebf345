//! What lies inside a base image, path by path.

use super::{Catalog, ImageFacts};
use crate::ledger::Part;
use crate::size::Basis;

/// Something inside a base image.
pub(crate) struct ImageContent {
    pub(crate) path: String,
    pub(crate) label: String,
    pub(crate) parts: Vec<Part>,
    pub(crate) basis: Basis,
}

impl Catalog {
    pub(crate) fn image_contents(&self, _: &ImageFacts) -> Vec<ImageContent> {
        Vec::new()
    }
}
