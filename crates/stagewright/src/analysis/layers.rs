//! The layers of an image and their sizes, out of what the interpreter left.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Inner;
use crate::estimate::{Content, Estimate, LayerEstimate};
use crate::interpret::LayerRecord;
use crate::size::{Basis, Size};
use crate::stage::Base;

impl Inner {
    /// The layers of the target and of the stages below it, base first.
    pub(super) fn own_layers(&self) -> Vec<&LayerRecord> {
        self.graph
            .chain()
            .iter()
            .flat_map(|stage| &self.record.stages[stage.0].layers)
            .collect()
    }

    pub(super) fn estimate(&self, layer: &LayerRecord) -> Estimate {
        Estimate::of_nodes(layer.nodes.iter().map(|(_, node)| node), &self.catalog)
    }

    pub(super) fn layers(&self) -> Vec<LayerEstimate> {
        let mut layers = Vec::new();
        let root = self.graph.stage(self.graph.chain()[0]);
        if let Base::Image(image) = &root.base
            && let Some(Some(facts)) = self.images.get(image)
        {
            layers.push(LayerEstimate {
                line: root.line,
                stage: root.label(),
                instruction: format!("FROM {image}"),
                size: Estimate::new(facts.uncompressed, facts.compressed),
                basis: vec![facts.basis.clone()],
                contents: Vec::new(),
                hidden: Size::ZERO,
                copied_up: Size::ZERO,
                notes: facts.stale.clone().into_iter().collect(),
            });
        }
        layers.extend(self.own_layers().into_iter().map(|layer| self.layer(layer)));
        layers
    }

    fn layer(&self, layer: &LayerRecord) -> LayerEstimate {
        let stage = self.graph.stage(layer.stage);
        let instruction = &stage.instructions[layer.instruction];
        let mut contents: Vec<Content> = Vec::new();
        let mut bases: BTreeMap<&Basis, u64> = BTreeMap::new();
        for (path, node) in &layer.nodes {
            let size = node.size();
            *bases.entry(&node.basis).or_default() += size.expected;
            contents.push(Content {
                path: Arc::clone(path),
                label: Arc::clone(&node.label),
                size,
            });
        }
        contents.sort_by(|a, b| {
            b.size
                .expected
                .cmp(&a.size.expected)
                .then_with(|| a.path.cmp(&b.path))
        });
        let mut basis: Vec<_> = bases.into_iter().collect();
        basis.sort_by_key(|(basis, bytes)| (std::cmp::Reverse(*bytes), *basis));
        LayerEstimate {
            line: instruction.line,
            stage: stage.label(),
            instruction: instruction.text.clone(),
            size: self.estimate(layer),
            basis: basis.into_iter().map(|(basis, _)| basis.clone()).collect(),
            contents,
            hidden: layer.effects.hidden,
            copied_up: layer.effects.copied_up,
            notes: layer.facts.notes.clone(),
        }
    }
}
