//! Images that stages stand on or copy from by their digests, where the caller knows them: the same build then starts from the same bytes.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::{Text, View as Typed};

use super::{Pass, View};
use crate::proposal::{Applicability, Proposal};
use crate::stage::{Base, CopyOp, From, Op};

pub(super) const PASS: Pass = Pass {
    name: "pin_digests",
    mends: true,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    let mut pinned: Vec<String> = Vec::new();
    let graph = view.analysis.graph();
    for stage in graph.stages.iter().filter(|stage| stage.reachable) {
        let mut pin = |image: &str, written: &Text<'_>| -> Result<(), EditError> {
            let digest = view.analysis.options().bases.get(image);
            // What variables put together has its digest from them.
            let plain = !written.contains(['$', '@']) && **written == *image;
            let Some(digest) = digest.filter(|_| plain) else {
                return Ok(());
            };
            edits.insert(written.span.end, format!("@{digest}"))?;
            if !pinned.iter().any(|known| known == image) {
                pinned.push(image.to_owned());
            }
            Ok(())
        };
        if let Base::Image(image) = &stage.base
            && let Typed::From(from) = view.file.instruction(stage.from).view()
        {
            pin(image, &from.image)?;
        }
        for instruction in &stage.instructions {
            let Op::Copy(CopyOp {
                from: From::Image(image),
                ..
            }) = &instruction.op
            else {
                continue;
            };
            if let Some(Typed::Copy(copy)) = view.source(instruction).map(|source| source.view())
                && let Some(written) = &copy.from
            {
                pin(image, written)?;
            }
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
