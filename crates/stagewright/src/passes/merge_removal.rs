//! Removes files in the layer that makes them: a RUN that only removes what the RUN before it made becomes a part of that one, so that
//! the bytes are in no layer. Other RUNs stay apart, each with its own place in the cache.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::{Join, Script, Word};
use stagewright_syntax::{Command, Text, View as Typed};

use super::{Pass, RunStep, View};
use crate::proposal::{Applicability, Proposal};

pub(super) const PASS: Pass = Pass {
    name: "merge_removal",
    mends: false,
    propose,
};

/// What removes files and nothing else, by its first words.
const REMOVES: [&[&str]; 9] = [
    &["rm"],
    &["apt-get", "clean"],
    &["apt-get", "autoclean"],
    &["apt", "clean"],
    &["dnf", "clean"],
    &["microdnf", "clean"],
    &["yum", "clean"],
    &["npm", "cache", "clean"],
    &["pip", "cache", "purge"],
];

/// What changes how later commands of the same shell run.
const LASTING: [&str; 16] = [
    "cd", "exec", "exit", "export", "set", "shopt", "trap", "umask", "unset", "alias", "pushd",
    "source", ".", "eval", "ulimit", "return",
];

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    let mut taken = None;
    for pair in view.runs().windows(2) {
        let [first, second] = pair else { continue };
        // A RUN takes in one other at a time; the next round of the planner takes the next.
        let neighbours = first.stage.id == second.stage.id
            && first.at + 1 == second.at
            && taken != Some((first.stage.id, first.at))
            && frees(first, second);
        if neighbours && merge(view, first, second, &mut edits)?.is_some() {
            taken = Some((second.stage.id, second.at));
        }
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        Proposal::new(
            "remove files in the layer that makes them",
            Applicability::Safe,
            edits,
        )
        .assuming(["no other build starts from the layer in which the files are still there"]),
    ])
}

/// Whether the second RUN hides bytes that the first one stores.
fn frees(first: &RunStep<'_>, second: &RunStep<'_>) -> bool {
    let removed = &second.facts().reads.paths;
    let gone = |path: &str| {
        let under = |folder: &String| {
            path.strip_prefix(folder.trim_end_matches('/'))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        removed.iter().any(under)
    };
    let caches = &first.facts().caches;
    second.layer.effects.hidden.expected > 0
        && first.layer.nodes.iter().any(|(path, node)| {
            let cache = || caches.iter().any(|cache| *cache.path == **path);
            node.size().expected > 0 && (gone(path) || cache())
        })
}

fn merge(
    view: &View<'_>,
    first: &RunStep<'_>,
    second: &RunStep<'_>,
    edits: &mut EditSet,
) -> Result<Option<()>, EditError> {
    let sources = (
        view.source(first.instruction),
        view.source(second.instruction),
    );
    let (Some(one), Some(two)) = sources else {
        return Ok(None);
    };
    let (Typed::Run(into), Typed::Run(from)) = (one.view(), two.view()) else {
        return Ok(None);
    };
    let plain = |run: &stagewright_syntax::instruction::Run<'_>| {
        run.heredocs.is_empty() && run.network.is_none() && run.security.is_none()
    };
    let (Command::Shell(script), Command::Shell(removal)) = (&into.command, &from.command) else {
        return Ok(None);
    };
    // Under a mount other files lie where the second looks.
    let mounted = into.mounts.iter().chain(&from.mounts).next().is_some();
    let posix = first.instruction.before.config.shell.is_empty()
        && second.instruction.before.config.shell.is_empty();
    if !plain(&into)
        || !plain(&from)
        || mounted
        || !posix
        || !only_removes(removal)
        || lasts(script)
    {
        return Ok(None);
    }
    let Some((end, addition)) = view.appended(script, removal.trim_end()) else {
        return Ok(None);
    };
    edits.insert(end, addition)?;
    edits.delete(view.whole_lines(two.span()))?;
    Ok(Some(()))
}

/// Whether a script is a chain of `&&` that removes files and does nothing else.
fn only_removes(text: &Text<'_>) -> bool {
    let script = Script::parse(text);
    script.complete
        && script.constructs.is_empty()
        && !script.commands.is_empty()
        // A variable may have been set by the first.
        && !text.contains(['\n', '$', '`'])
        && script.commands.iter().enumerate().all(|(at, command)| {
            let words: Vec<_> = command.words.iter().map(Word::literal).collect();
            let starts = |names: &&[&str]| {
                words.len() >= names.len()
                    && names
                        .iter()
                        .zip(&words)
                        .all(|(name, word)| word.as_deref() == Some(*name))
            };
            (at == 0 || command.join == Join::And)
                && !command.background
                && !command.negated
                && command.assignments.is_empty()
                && command.redirects.is_empty()
                && REMOVES.iter().any(starts)
        })
}

/// Whether a script leaves its shell in another state than it found it, or ends with something else than its last command's success.
fn lasts(text: &Text<'_>) -> bool {
    let script = Script::parse(text);
    !script.complete
        || script.commands.iter().any(|command| {
            let program = command.words.first().and_then(Word::literal);
            command.background
                || command.words.is_empty()
                || program.is_none_or(|name| {
                    LASTING.contains(&name.as_ref()) && !harmless(&command.words, &name)
                })
        })
}

/// `set -e` and `set -x` stop and print, and a chain of `&&` stops by itself.
fn harmless(words: &[Word<'_>], program: &str) -> bool {
    program == "set"
        && words.iter().skip(1).all(|word| {
            word.literal()
                .is_some_and(|word| matches!(word.as_ref(), "-e" | "-x" | "-ex" | "-xe" | "-eux"))
        })
}
