//! Folders whose owner a RUN changes with all that is in them.

use stagewright_syntax::Span;
use stagewright_syntax::edit::EditSet;
use stagewright_syntax::shell::{Script, Word};

use super::{Wanted, touches};
use crate::passes::copies_last::holds_projects;
use crate::passes::{RunStep, View, attempt};
use crate::stage::{Base, Op, RunOp, Stage, StageInstruction, join};

/// Programs that write nothing to where they are started, besides what the ledger has of them.
const ELSEWHERE: [&str; 13] = [
    "addgroup", "adduser", "apk", "apt", "apt-get", "chown", "dnf", "groupadd", "pip", "rm",
    "true", "useradd", "yum",
];

/// The COPYs right before a RUN that bring all there is in the folders that it names, the last one first, where all of them can be flagged.
pub(super) fn copies(view: &View<'_>, step: &RunStep<'_>, wanted: &Wanted) -> Option<Vec<usize>> {
    // A mode would not be that of the folders which COPY makes on the way (`docopy` in `solver/llbsolver/file/backend.go` at v0.32.2).
    let owner = wanted.recursive && wanted.flag == "chown";
    if !owner || !wanted.paths.iter().all(|path| is_of_project(path)) {
        return None;
    }
    let mut copies = Vec::new();
    for at in (0..step.at).rev() {
        let one = &step.stage.instructions[at];
        match &one.op {
            Op::Config | Op::Workdir(_) => {}
            Op::Copy(copy) if !one.trigger => {
                let target = copy.destination.trim_end_matches('/');
                let brings = super::brought(view, step.stage, at);
                if !brings.iter().any(|file| touches(&wanted.paths, &file.path)) {
                    continue;
                }
                let free = copy.chown.is_empty() || copy.chown == wanted.value;
                if copy.add || copy.link || !free || !touches(&wanted.paths, target) {
                    return None;
                }
                copies.push(at);
            }
            _ => break,
        }
    }
    let first = *copies.last()?;
    // What lies there already, and what nobody can see in the base, would keep its owner.
    let graph = view.analysis.graph();
    let chain = graph.chain_of(step.stage.id);
    for id in chain {
        let stage = graph.stage(id);
        let all = stage.instructions.iter().enumerate();
        for (at, one) in all.filter(|(at, _)| id != step.stage.id || *at < first) {
            let brings = super::brought(view, stage, at);
            let there = brings.iter().any(|file| touches(&wanted.paths, &file.path));
            let may = matches!(&one.op, Op::Run(run) if !leaves(view, stage, at, run, wanted));
            if there || may {
                return None;
            }
        }
        if let (Base::Image(_) | Base::Context(_), Some(one)) =
            (&stage.base, stage.instructions.first())
            && touches(&wanted.paths, one.before.workdir())
        {
            return None;
        }
    }
    Some(copies)
}

/// Whether a folder is one that no base image has.
fn is_of_project(path: &str) -> bool {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    match parts.as_slice() {
        // Below the home of a user, which has hidden files of its own.
        ["home", _, folder, ..] => !folder.starts_with('.'),
        _ => holds_projects(path),
    }
}

/// Whether a RUN leaves nothing in the folders, but for having made them.
fn leaves(view: &View<'_>, stage: &Stage, at: usize, run: &RunOp, wanted: &Wanted) -> bool {
    let layer = view.analysis.record().stages[stage.id.0].layer(at);
    let (Some(layer), Some(script)) = (layer, &run.script) else {
        return false;
    };
    let facts = &layer.facts;
    let workdir = stage.instructions[at].before.workdir();
    let parsed = Script::parse(script);
    let harmless = parsed.commands.iter().all(|command| {
        let words: Option<Vec<_>> = command.words.iter().map(Word::literal).collect();
        let Some(words) = words else { return false };
        let makes = words.first().is_some_and(|word| word == "mkdir");
        let named = |word: &str| join(workdir, word);
        let ours = |word: &str| touches(&wanted.paths, &named(word));
        let of_others = || {
            let named = wanted
                .paths
                .iter()
                .any(|path| words.iter().any(|word| word.contains(path.as_str())));
            let inside = touches(&wanted.paths, workdir);
            let quiet = words
                .first()
                .is_some_and(|word| ELSEWHERE.contains(&word.as_ref()));
            !named && (quiet || !inside)
        };
        let operands = || words.iter().skip(1).filter(|word| !word.starts_with('-'));
        if makes {
            operands().all(|word| wanted.paths.contains(&named(word)) || !ours(word))
        } else {
            of_others()
        }
    });
    facts.unmodelled.is_empty() && facts.reads.anything.is_none() && parsed.complete && harmless
}

/// Flags the COPYs, and leaves to the RUN the folders themselves.
pub(super) fn write(
    view: &View<'_>,
    step: &RunStep<'_>,
    wanted: &Wanted,
    copies: &[usize],
    edits: &mut EditSet,
) -> Option<()> {
    attempt(edits, |edits| {
        let script = view.script(step)?;
        let parsed = Script::parse(&script.text);
        let (command, before) = parsed.commands.split_last()?;
        let recursive = command
            .words
            .iter()
            .position(|word| matches!(word.literal().as_deref(), Some("-R" | "--recursive")))?;
        let next = command.words.get(recursive + 1)?;
        let start = script.source_span(command.words[recursive].span).start;
        edits
            .delete(Span::new(start, script.source_span(next.span).start))
            .ok()?;
        // Folders below that are working directories belong to who made them.
        let mut folders: Vec<String> = Vec::new();
        for one in made(view, step) {
            for path in below(&one, wanted) {
                if !folders.contains(&path) {
                    folders.push(path);
                }
            }
        }
        if !folders.is_empty() {
            let end = script.source_span(command.span).end;
            edits.insert(end, format!(" {}", folders.join(" "))).ok()?;
        }
        let first = *copies.last()?;
        let first = view.commented_lines(step.stage.instructions[first].index);
        if let (Some(one), Some(last)) = (before.first(), before.last()) {
            let span = Span::new(
                script.source_span(one.span).start,
                script.source_span(last.span).end,
            );
            let written = &view.file.text()[span.start as usize..span.end as usize];
            let (run, newline) = (view.keyword("RUN"), view.line_break());
            edits
                .insert(first.start, format!("{run} {written}{newline}"))
                .ok()?;
            let start = script.source_span(command.span).start;
            edits.delete(Span::new(span.start, start)).ok()?;
        }
        for at in copies {
            let copy = view.source(&step.stage.instructions[*at])?;
            if matches!(&step.stage.instructions[*at].op, Op::Copy(copy) if !copy.chown.is_empty())
            {
                continue;
            }
            let flag = format!("--{}={} ", wanted.flag, wanted.value);
            edits.insert(view.arguments_start(&copy), flag).ok()?;
        }
        Some(())
    })
}

/// The working directories that were made before a step.
fn made(view: &View<'_>, step: &RunStep<'_>) -> Vec<String> {
    let graph = view.analysis.graph();
    let chain = graph.chain_of(step.stage.id);
    let all = chain.into_iter().flat_map(|id| {
        let end = if id == step.stage.id {
            step.at
        } else {
            usize::MAX
        };
        graph.stage(id).instructions.iter().take(end)
    });
    let path = |one: &StageInstruction| match &one.op {
        Op::Workdir(path) => Some(path.clone()),
        _ => None,
    };
    all.filter_map(path).collect()
}

/// A folder and those above it, as far as they lie below what a RUN names.
fn below(folder: &str, wanted: &Wanted) -> Vec<String> {
    let mut all = Vec::new();
    let mut path = folder;
    while touches(&wanted.paths, path) && !wanted.paths.iter().any(|one| one == path) {
        all.push(path.to_owned());
        path = path.rsplit_once('/').map_or("", |(above, _)| above);
    }
    all.reverse();
    all
}
