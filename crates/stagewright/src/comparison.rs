//! Prediction and truth side by side: the estimate of a Dockerfile and the image that was built from it.

use serde::Serialize;

use crate::estimate::{Estimate, LayerEstimate};
use crate::measure::Image;
use crate::size::Size;

/// An estimate and the image that was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Comparison {
    /// The whole image.
    pub image: Compared,
    /// The base image; nothing where its size is not known, or there is none.
    pub base: Option<Compared>,
    /// What the Dockerfile adds to it.
    pub added: Compared,
    /// The layers that the Dockerfile adds, in order.
    pub layers: Vec<ComparedLayer>,
    /// What to know about the numbers, in sentences.
    pub notes: Vec<String>,
}

/// A layer as it was predicted and as it was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ComparedLayer {
    /// The line of the instruction, 1-based.
    pub line: u32,
    /// The instruction as one line.
    pub instruction: String,
    /// The instruction that the image's history has in its place; empty where that says nothing.
    pub built: String,
    /// Its bytes.
    #[serde(flatten)]
    pub size: Compared,
}

/// Predicted and measured bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Compared {
    /// Bytes of the files.
    pub uncompressed: Difference,
    /// Bytes of the blobs; nothing where the measured layers are not compressed.
    pub compressed: Option<Difference>,
}

/// A predicted number and the true one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Difference {
    /// What was predicted.
    pub predicted: Size,
    /// What is there.
    pub measured: u64,
    /// Predicted less measured bytes: above zero where too much was predicted.
    pub off: i64,
    /// Whether the true number lies in the predicted range.
    pub inside: bool,
}

impl Difference {
    fn new(predicted: Size, measured: u64) -> Self {
        let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        Self {
            predicted,
            measured,
            off: signed(predicted.expected) - signed(measured),
            inside: (predicted.low..=predicted.high).contains(&measured),
        }
    }
}

impl Compared {
    fn new(predicted: &Estimate, bytes: u64, compressed: Option<u64>) -> Self {
        Self {
            uncompressed: Difference::new(predicted.uncompressed, bytes),
            compressed: compressed.map(|measured| Difference::new(predicted.compressed, measured)),
        }
    }

    fn of_layers(predicted: &Estimate, layers: &[crate::measure::Layer]) -> Self {
        let bytes = layers.iter().map(|layer| layer.bytes).sum();
        Self::new(
            predicted,
            bytes,
            layers.iter().map(|layer| layer.compressed).sum(),
        )
    }
}

/// Lays an image's layers beside the estimate's. The base's layers come first in both, so the Dockerfile's own are the last ones.
pub(crate) fn compare(base: Option<&Estimate>, own: &[LayerEstimate], image: &Image) -> Comparison {
    let mut notes = Vec::new();
    if image.layers.len() < own.len() {
        notes.push(format!(
            "the image has {} layers and the Dockerfile makes {}: it was built from another one, or its layers were merged",
            image.layers.len(),
            own.len()
        ));
    }
    let (below, layers) = image
        .layers
        .split_at(image.layers.len().saturating_sub(own.len()));
    let (mut rows, mut other) = (Vec::new(), 0);
    for (layer, built) in own.iter().skip(own.len() - layers.len()).zip(layers) {
        if !built.instruction.is_empty()
            && keyword(&built.instruction) != keyword(&layer.instruction)
        {
            other += 1;
        }
        rows.push(ComparedLayer {
            line: layer.line,
            instruction: layer.instruction.clone(),
            built: built.instruction.clone(),
            size: Compared::new(&layer.size, built.bytes, built.compressed),
        });
    }
    if other > 0 {
        notes.push(format!("{other} layers were made by instructions of another kind than those that stand in their place: the image was built from another Dockerfile"));
    }
    let added = Estimate::sum(own.iter().map(|layer| &layer.size));
    let whole = Estimate::sum(base.into_iter().chain([&added]));
    if base.is_none() && !below.is_empty() {
        notes.push("the size of the base is not known: the prediction for the image is that of the layers above it".to_owned());
    }
    Comparison {
        image: Compared::of_layers(&whole, &image.layers),
        base: base.map(|base| Compared::of_layers(base, below)),
        added: Compared::of_layers(&added, layers),
        layers: rows,
        notes,
    }
}

fn keyword(instruction: &str) -> String {
    let word = instruction
        .split_ascii_whitespace()
        .next()
        .unwrap_or_default();
    word.to_ascii_uppercase()
}
