//! COPY with a layer of its own (`--link`): where the base is another, the copies are neither made nor pulled anew.
//!
//! Such a copy is made in an empty file system and laid on top (`dispatchCopy` in `frontend/dockerfile/dockerfile2llb/convert.go` at
//! v0.32.2): it follows no link on its way, and the folders on its way become root's. So it is proposed for folders alone that no base has
//! and that nothing but copies and working directories of root have made.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::Script;

use super::copies_last::{holds_projects, needs_no_files};
use super::{Pass, View};
use crate::proposal::{Applicability, Proposal};
use crate::stage::{Base, CopyOp, Op, StageInstruction, is_root};

pub(super) const PASS: Pass = Pass {
    name: "link_copies",
    mends: true,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let graph = view.analysis.graph();
    let stage = graph.target_stage();
    let chain = graph.chain();
    let on_image = chain
        .first()
        .is_some_and(|first| matches!(graph.stage(*first).base, Base::Image(_)));
    // What runs below it runs anew with another base, and reads the files from there.
    let instructions = stage.instructions.iter();
    let after = instructions
        .clone()
        .rposition(|one| matches!(one.op, Op::Run(_)));
    if !on_image {
        return Ok(Vec::new());
    }
    let all: Vec<&StageInstruction> = chain
        .iter()
        .flat_map(|id| &graph.stage(*id).instructions)
        .collect();
    let mut edits = EditSet::new();
    for one in instructions.skip(after.map_or(0, |at| at + 1)) {
        let Op::Copy(copy) = &one.op else { continue };
        let Some(source) = view.source(one).filter(|_| plain(copy)) else {
            continue;
        };
        let Some(top) = top(&copy.destination) else {
            continue;
        };
        if all.iter().all(|other| leaves_to_root(other, top)) {
            edits.insert(view.arguments_start(&source), "--link ")?;
        }
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    let mut proposal = Proposal::new(
        "COPY into layers that do not hang on the base",
        Applicability::Suggestion,
        edits,
    )
    .assuming(["the base image has no folder or link where the files go"]);
    proposal.warnings.push(
        "it pays where the base changes more often than the files; builders that cannot merge layers copy them once more".into(),
    );
    Ok(vec![proposal])
}

/// Whether a COPY brings files as they are, and is not linked. With `--chmod` BuildKit links none, and the folders on the way would get the
/// owner of `--chown`.
fn plain(copy: &CopyOp) -> bool {
    !copy.add && !copy.link && !copy.parents && copy.chown.is_empty() && copy.chmod.is_empty()
}

/// The first folder of a destination, where it is one that no base has.
fn top(destination: &str) -> Option<&str> {
    let first = destination.trim_matches('/').split('/').next()?;
    let usual = matches!(first, "media" | "mnt" | "opt" | "srv");
    (!usual && !first.is_empty() && holds_projects(&format!("/{first}"))).then_some(first)
}

/// Whether an instruction leaves a folder at the top to root, with the permissions that folders usually have.
fn leaves_to_root(instruction: &StageInstruction, top: &str) -> bool {
    let inside = |path: &str| path.trim_matches('/').split('/').next() == Some(top);
    let root = is_root(&instruction.before.config.user);
    match &instruction.op {
        Op::Config => true,
        Op::Workdir(path) => root || !inside(path),
        Op::Copy(copy) => {
            !copy.destination.trim_matches('/').is_empty()
                && (!inside(&copy.destination)
                    || copy.chown.is_empty() && copy.chmod.is_empty() && !copy.add)
        }
        Op::Run(run) => {
            let named = instruction.text.contains(&format!("/{top}"));
            let script = Script::parse(run.script.as_deref().unwrap_or_default());
            let elsewhere = run.script.is_some()
                && script.complete
                && script.commands.iter().all(needs_no_files);
            !named && (elsewhere || !inside(instruction.before.workdir()))
        }
    }
}
