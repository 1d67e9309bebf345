//! Base images by their digests, where the caller knows them: the same build then starts from the same bytes.

use stagewright_syntax::View as Typed;
use stagewright_syntax::edit::{EditError, EditSet};

use super::{Pass, View};
use crate::proposal::{Applicability, Proposal};
use crate::stage::Base;

pub(super) const PASS: Pass = Pass {
    name: "pin_digests",
    mends: true,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    let mut pinned: Vec<&str> = Vec::new();
    let graph = view.analysis.graph();
    for stage in graph.stages.iter().filter(|stage| stage.reachable) {
        let Base::Image(image) = &stage.base else {
            continue;
        };
        let Some(digest) = view.analysis.options().bases.get(image) else {
            continue;
        };
        let Typed::From(from) = view.file.instruction(stage.from).view() else {
            continue;
        };
        // What variables put together has its digest from them.
        if from.image.contains(['$', '@']) || *from.image != *image.as_str() {
            continue;
        }
        edits.insert(from.image.span.end, format!("@{digest}"))?;
        if !pinned.contains(&image.as_str()) {
            pinned.push(image);
        }
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    let named: Vec<String> = pinned.iter().map(|image| format!("`{image}`")).collect();
    let mut proposal = Proposal::new(
        format!("{} by its digest", named.join(", ")),
        Applicability::Safe,
        edits,
    )
    .assuming(["the digest that was given is that of the image"]);
    proposal
        .warnings
        .push("fixes of the base image come only with another digest".into());
    Ok(vec![proposal])
}
