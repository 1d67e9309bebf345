//! What the budgets are held against.

use super::Inner;
use crate::budget::Weighed;
use crate::finding::{Finding, Severity};
use crate::size::Size;
use crate::stage::{Base, StageId};

impl Inner {
    /// What the project's budgets, and a saved report, say of the sizes.
    pub(super) fn budget_findings(&self) -> Vec<Finding> {
        let (budget, saved) = (&self.options.budget, self.options.against.as_ref());
        if budget.is_empty() {
            return Vec::new();
        }
        let mut findings = Vec::new();
        let target = self.weighed(self.graph.target, "the image".to_owned());
        if let Some(most) = budget.image {
            findings.extend(target.against("budget-image", most));
        }
        if let (Some(growth), Some(saved)) = (budget.growth, saved) {
            findings.extend(target.grown(growth, saved));
        }
        if let Some(most) = budget.layer {
            for layer in self.own_layers() {
                let instruction = &self.graph.stage(layer.stage).instructions[layer.instruction];
                let weighed = Weighed {
                    name: format!("the layer of `{}`", instruction.text),
                    span: instruction.span,
                    size: self.estimate(layer).uncompressed,
                    whole: true,
                    parts: layer
                        .nodes
                        .iter()
                        .map(|(path, node)| (path.to_string(), node.size().expected))
                        .collect(),
                };
                findings.extend(weighed.against("budget-layer", most));
            }
        }
        for (name, most) in &budget.stages {
            let named = |stage: &&crate::stage::Stage| {
                stage
                    .name
                    .as_deref()
                    .is_some_and(|own| own.eq_ignore_ascii_case(name))
            };
            match self.graph.stages.iter().find(named) {
                Some(stage) if stage.reachable => {
                    let weighed = self.weighed(stage.id, format!("the stage `{name}`"));
                    findings.extend(weighed.against("budget-stage", *most));
                }
                found => {
                    let why = if found.is_some() {
                        "is not built for the target"
                    } else {
                        "is not in the Dockerfile"
                    };
                    let message = format!("the stage `{name}`, which has a budget, {why}");
                    let span = self.graph.target_stage().span;
                    findings.push(Finding::new(
                        "budget-stage",
                        Severity::Warning,
                        span,
                        message,
                    ));
                }
            }
        }
        findings
    }

    /// The image of a stage.
    fn weighed(&self, id: StageId, name: String) -> Weighed {
        let chain = self.graph.chain_of(id);
        let (mut sizes, mut parts, mut whole) = (Vec::new(), Vec::new(), true);
        if let Base::Image(image) = &self.graph.stage(chain[0]).base {
            match self.images.get(image).and_then(Option::as_ref) {
                Some(facts) => {
                    sizes.push(facts.uncompressed);
                    parts.push((format!("FROM {image}"), facts.uncompressed.expected));
                }
                None => whole = false,
            }
        }
        for stage in chain {
            for layer in &self.record.stages[stage.0].layers {
                let size = self.estimate(layer).uncompressed;
                let instruction = &self.graph.stage(layer.stage).instructions[layer.instruction];
                parts.push((instruction.text.clone(), size.expected));
                sizes.push(size);
            }
        }
        Weighed {
            name,
            span: self.graph.stage(id).span,
            size: Size::sum(sizes),
            whole,
            parts,
        }
    }
}
