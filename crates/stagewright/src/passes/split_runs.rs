//! Splits a RUN where its first commands need nothing of the project that was copied before it: they go before the copy, and an edit
//! leaves them in the cache. Nothing else is split.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::{Join, Script};
use stagewright_syntax::{Command, Keyword, View as Typed};

use super::copies_last::{holds_projects, needs_no_files};
use super::{Pass, RunStep, View};
use crate::proposal::{Applicability, Proposal};
use crate::stage::{CopyOp, From, Op};

pub(super) const PASS: Pass = Pass {
    name: "split_runs",
    mends: false,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    for step in view.runs() {
        split(view, &step, &mut edits)?;
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        Proposal::new(
            "install system packages before the project is copied",
            Applicability::Safe,
            edits,
        )
        .assuming(["package managers of the system read nothing of the project"]),
    ])
}

fn split(view: &View<'_>, step: &RunStep<'_>, edits: &mut EditSet) -> Result<(), EditError> {
    let Some(at) = copied_before(step) else {
        return Ok(());
    };
    let Some(source) = view.source(step.instruction) else {
        return Ok(());
    };
    let Typed::Run(run) = source.view() else {
        return Ok(());
    };
    let plain = run.heredocs.is_empty()
        && run.mounts.is_empty()
        && run.network.is_none()
        && run.security.is_none()
        && step.instruction.before.config.shell.is_empty();
    let (Command::Shell(text), Some(whole), true) = (&run.command, run.script(), plain) else {
        return Ok(());
    };
    let script = Script::parse(text);
    // In a chain of `&&` the rest runs where the first commands succeeded, as it does in the next step of a build.
    if !script.complete
        || !script.constructs.is_empty()
        || script
            .commands
            .iter()
            .skip(1)
            .any(|command| command.join != Join::And)
    {
        return Ok(());
    }
    let stable = script
        .commands
        .iter()
        .take_while(|command| needs_no_files(command));
    let count = stable.count();
    let (Some(first), Some(last), Some(rest)) = (
        script.commands.first(),
        count.checked_sub(1).map(|at| &script.commands[at]),
        script.commands.get(count),
    ) else {
        return Ok(());
    };
    let (first, last, rest) = (
        whole.source_span(first.span),
        whole.source_span(last.span),
        whole.source_span(rest.span),
    );
    let written = &view.file.text()[first.start as usize..last.end as usize];
    let line = view.commented_lines(step.stage.instructions[at].index);
    edits.insert(line.start, format!("RUN {written}{}", view.line_break()))?;
    edits.delete(stagewright_syntax::Span::new(first.start, rest.start))
}

/// The COPY of the project that stands right before a RUN, with nothing but working directories in between.
pub(super) fn copied_before(step: &RunStep<'_>) -> Option<usize> {
    for at in (0..step.at).rev() {
        let instruction = &step.stage.instructions[at];
        match &instruction.op {
            Op::Copy(copy) if !instruction.trigger => return is_project(copy).then_some(at),
            Op::Workdir(_) => {}
            Op::Config
                if matches!(
                    instruction.keyword,
                    Keyword::Expose | Keyword::Label | Keyword::Cmd | Keyword::Entrypoint
                ) => {}
            _ => return None,
        }
    }
    None
}

fn is_project(copy: &CopyOp) -> bool {
    copy.from == From::Context && holds_projects(&copy.destination)
}
