//! Alpine's packages without the index: `apk add --no-cache` downloads it, and keeps it out of the layer. `apk update` is then for nothing.

use stagewright_syntax::Span;
use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::{Join, Script, SimpleCommand};

use super::{Pass, RunStep, View, attempt};
use crate::proposal::{Applicability, Proposal};
use crate::stage::Op;

pub(super) const PASS: Pass = Pass {
    name: "apk_no_cache",
    mends: false,
    propose,
};

const FLAG: &str = "--no-cache";

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    let runs = view.runs();
    // What reads an index needs one that lies there.
    let needed = runs.iter().any(|step| needs_index(step));
    if needed || !runs.iter().any(|step| step.stores("apk")) {
        return Ok(Vec::new());
    }
    for step in &runs {
        attempt(&mut edits, |edits| without_index(view, step, edits));
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        Proposal::new(
            "install packages of Alpine without keeping the index",
            Applicability::Safe,
            edits,
        )
        .assuming(["nothing but `apk add` and `apk upgrade` reads the index"]),
    ])
}

/// The word of an `apk` command that says what it does: its place, and what it is.
fn verb(command: &SimpleCommand<'_>) -> Option<(usize, String)> {
    let mut words = command.words.iter();
    if words.next()?.literal()? != "apk" {
        return None;
    }
    let at = words.position(|word| !word.literal().is_some_and(|word| word.starts_with('-')))? + 1;
    let word = command.words[at].literal().unwrap_or_default();
    Some((at, word.into_owned()))
}

/// Whether a RUN asks the index for something.
fn needs_index(step: &RunStep<'_>) -> bool {
    const NEEDS_NONE: [&str; 6] = ["add", "del", "update", "upgrade", "info", "cache"];
    let Op::Run(run) = &step.instruction.op else {
        return false;
    };
    let script = Script::parse(run.script.as_deref().unwrap_or_default());
    let mut verbs = script.commands.iter().filter_map(verb);
    verbs.any(|(_, verb)| !NEEDS_NONE.contains(&verb.as_str()))
}

fn without_index(view: &View<'_>, step: &RunStep<'_>, edits: &mut EditSet) -> Option<()> {
    let script = view.script(step)?;
    let source = view.source(step.instruction)?;
    let parsed = Script::parse(&script.text);
    // The author keeps the index in a cache mount, or takes it away.
    let kept = [&step.instruction.text, script.text.as_ref()];
    if !parsed.complete || kept.iter().any(|text| text.contains("/var/cache/apk")) {
        return None;
    }
    let commands = &parsed.commands;
    let place = |command: &SimpleCommand<'_>| script.source_span(command.span);
    for (at, command) in commands.iter().enumerate() {
        let Some((word, verb)) = verb(command) else {
            continue;
        };
        let told = command
            .words
            .iter()
            .any(|word| word.literal().as_deref() == Some(FLAG));
        match (verb.as_str(), commands.get(at + 1)) {
            ("add" | "upgrade", _) if !told => {
                let end = script.source_span(command.words[word].span).end;
                edits.insert(end, format!(" {FLAG}")).ok()?;
            }
            ("update", None) if at == 0 => {
                edits.delete(view.whole_lines(source.span())).ok()?;
            }
            ("update", next) => {
                let simple = parsed.constructs.is_empty() && command.redirects.is_empty();
                let joined = |one: &SimpleCommand<'_>| one.join == Join::And && simple;
                let span = match next {
                    Some(next) if joined(next) => {
                        Span::new(place(command).start, place(next).start)
                    }
                    None if joined(command) => {
                        Span::new(place(&commands[at - 1]).end, place(command).end)
                    }
                    _ => return None,
                };
                edits.delete(span).ok()?;
            }
            _ => {}
        }
    }
    Some(())
}
