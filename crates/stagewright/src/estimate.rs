//! What a layer and an image weigh, on disk and on the wire.

use std::sync::Arc;

use serde::Serialize;

use crate::cache::StepVerdict;
use crate::facts::{Catalog, Codec};
use crate::ledger::{Node, Part};
use crate::size::{Basis, Size};

/// Bytes on disk and bytes on the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Estimate {
    /// Bytes of the files, as `docker image ls` counts them.
    pub uncompressed: Size,
    /// Bytes of the layers as a registry holds them (gzip).
    pub compressed: Size,
}

impl Estimate {
    /// An estimate from its two sizes.
    pub const fn new(uncompressed: Size, compressed: Size) -> Self {
        Self {
            uncompressed,
            compressed,
        }
    }

    /// What nodes weigh: each kind of content is compressed at its own ratio (`catalog/compression.toml`). The parts of one node come
    /// from one source, so their errors add in full; nodes are independent of each other.
    pub fn of_nodes<'a>(nodes: impl IntoIterator<Item = &'a Node>, catalog: &Catalog) -> Self {
        let (mut uncompressed, mut compressed) = (Vec::new(), Vec::new());
        for node in nodes {
            uncompressed.push(whole(node, |part| part.size));
            compressed.push(packed(node, Codec::Gzip, catalog));
        }
        Self {
            uncompressed: layer(&uncompressed, catalog),
            compressed: layer(&compressed, catalog),
        }
    }

    /// What nodes weigh as a layer that is packed with one codec.
    pub(crate) fn packed<'a>(
        nodes: impl IntoIterator<Item = &'a Node>,
        codec: Codec,
        catalog: &Catalog,
    ) -> Size {
        let sizes: Vec<Size> = nodes
            .into_iter()
            .map(|node| packed(node, codec, catalog))
            .collect();
        layer(&sizes, catalog)
    }

    /// Adds estimates whose errors are independent.
    pub fn sum<'a>(estimates: impl IntoIterator<Item = &'a Self> + Clone) -> Self {
        Self {
            uncompressed: Size::sum(
                estimates
                    .clone()
                    .into_iter()
                    .map(|estimate| estimate.uncompressed),
            ),
            compressed: Size::sum(estimates.into_iter().map(|estimate| estimate.compressed)),
        }
    }
}

fn whole(node: &Node, size: impl Fn(&Part) -> Size) -> Size {
    let parts = node.parts.iter();
    parts.fold(Size::ZERO, |sum, part| sum.plus(size(part)))
}

fn packed(node: &Node, codec: Codec, catalog: &Catalog) -> Size {
    whole(node, |part| {
        catalog.compression(part.kind, codec).compressed(part.size)
    })
}

fn layer(sizes: &[Size], catalog: &Catalog) -> Size {
    let exact = Size::sum(sizes.iter().copied().filter(|size| size.is_exact()));
    let sum = Size::sum(sizes.iter().copied());
    catalog.tools().layer(sum, exact)
}

/// One layer of the image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LayerEstimate {
    /// The line of the instruction, 1-based.
    pub line: u32,
    /// The stage, by its name or as `stage-N`.
    pub stage: String,
    /// The instruction as one line.
    pub instruction: String,
    /// Its bytes.
    #[serde(flatten)]
    pub size: Estimate,
    /// Where the numbers come from, without repetition, in order of weight.
    pub basis: Vec<Basis>,
    /// What the layer holds, largest first.
    pub contents: Vec<Content>,
    /// Bytes of lower layers that it hides or replaces.
    pub hidden: Size,
    /// Bytes of lower layers that it holds a second time because it changes their owner or mode.
    pub copied_up: Size,
    /// What the estimate does not cover, in sentences.
    pub notes: Vec<String>,
}

impl LayerEstimate {
    /// Whether a step of a build makes this layer.
    pub(crate) fn is_made_by(&self, step: &StepVerdict) -> bool {
        step.line == self.line && step.stage == self.stage && step.instruction == self.instruction
    }
}

/// Something a layer holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Content {
    /// Where it lies.
    pub path: Arc<str>,
    /// What it is (`flask 1.1.1`); empty for a plain file.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub label: Arc<str>,
    /// Its bytes, uncompressed.
    pub size: Size,
}
