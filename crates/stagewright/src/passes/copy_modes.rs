//! Owner and permissions where files are copied: a RUN that changes them afterwards stores the files a second time.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::Script;

use super::{Pass, RunStep, View};
use crate::context::EntryKind;
use crate::ledger::Origin;
use crate::proposal::{Applicability, Proposal};
use crate::stage::{CopyOp, CopySource, Op, Stage};

pub(super) const PASS: Pass = Pass {
    name: "copy_modes",
    mends: false,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    let mut flags = Vec::new();
    let mut flagged = Vec::new();
    for step in view.runs() {
        let Some(wanted) = wanted(&step) else {
            continue;
        };
        let Some(copies) = copies(view, &step, &wanted) else {
            continue;
        };
        let Some(source) = view.source(step.instruction) else {
            continue;
        };
        // A COPY that has got a flag in this round is not looked at again.
        if copies
            .iter()
            .any(|(at, _)| flagged.contains(&(step.stage.id, *at)))
        {
            continue;
        }
        for (at, value) in copies {
            let Some(copy) = view.source(&step.stage.instructions[at]) else {
                continue;
            };
            let place = view.arguments_start(&copy);
            edits.insert(place, format!("--{}={value} ", wanted.flag))?;
            flagged.push((step.stage.id, at));
        }
        edits.delete(view.whole_lines(source.span()))?;
        flags.push(format!("`--{}`", wanted.flag));
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    flags.sort();
    flags.dedup();
    Ok(vec![
        Proposal::new(
            format!("COPY with {} in the place of a RUN", flags.join(" and ")),
            Applicability::Safe,
            edits,
        )
        .assuming(["the files of the build context have the permissions that they have now"]),
    ])
}

/// What a RUN does to files, where it does nothing else.
struct Wanted {
    flag: &'static str,
    value: String,
    recursive: bool,
    /// Absolute paths.
    paths: Vec<String>,
}

/// The owner or mode that a RUN gives to files by name.
fn wanted(step: &RunStep<'_>) -> Option<Wanted> {
    let Op::Run(run) = &step.instruction.op else {
        return None;
    };
    if !run.mounts.is_empty() {
        return None;
    }
    let config = &step.instruction.before.config;
    // Without rights, a change of files that belong to another user fails.
    if !matches!(
        config.user.split(':').next(),
        None | Some("" | "root" | "0")
    ) {
        return None;
    }
    let script = Script::parse(run.script.as_deref()?);
    let [command] = script.commands.as_slice() else {
        return None;
    };
    if !script.complete
        || !script.constructs.is_empty()
        || command.background
        || command.negated
        || !command.redirects.is_empty()
        || !command.assignments.is_empty()
    {
        return None;
    }
    let state = &step.instruction.before;
    let words: Vec<String> = command
        .words
        .iter()
        .map(|word| word.expand(&|name| state.env.get(name).map(Into::into)))
        .collect::<Option<_>>()?;
    let (program, words) = words.split_first()?;
    let flag = match program.as_str() {
        "chown" => "chown",
        "chmod" => "chmod",
        _ => return None,
    };
    // Symbolic modes may start with a dash.
    let (options, rest): (Vec<&String>, Vec<&String>) = words
        .iter()
        .partition(|word| matches!(word.as_str(), "-R" | "--recursive"));
    let (value, paths) = rest.split_first()?;
    let readable = match flag {
        "chown" => is_owner(value),
        _ => is_mode(value),
    };
    if paths.is_empty()
        || !readable
        || paths
            .iter()
            .any(|path| path.starts_with('-') || path.contains(['*', '?', '[', '{', '~']))
    {
        return None;
    }
    Some(Wanted {
        flag,
        value: (*value).clone(),
        recursive: !options.is_empty(),
        paths: paths
            .iter()
            .map(|path| crate::stage::join(state.workdir(), path))
            .collect(),
    })
}

/// A user with a group. Without one, `chown` leaves the group as it is, and COPY takes another.
fn is_owner(value: &str) -> bool {
    value.split_once(':').is_some_and(|(user, group)| {
        let name = |text: &str| {
            !text.is_empty()
                && !text.starts_with('-')
                && text
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        };
        name(user) && name(group)
    })
}

/// Three or four octal digits, or that everybody may execute.
fn is_mode(value: &str) -> bool {
    matches!(value, "+x" | "a+x")
        || matches!(value.len(), 3 | 4) && value.bytes().all(|b| (b'0'..=b'7').contains(&b))
}

/// The COPYs right before a RUN that bring all the files it names and no other, each with the value of its flag.
fn copies(view: &View<'_>, step: &RunStep<'_>, wanted: &Wanted) -> Option<Vec<(usize, String)>> {
    let mut left = wanted.paths.clone();
    let mut copies = Vec::new();
    for at in (0..step.at).rev() {
        if left.is_empty() {
            break;
        }
        let instruction = &step.stage.instructions[at];
        match &instruction.op {
            Op::Config => {}
            Op::Copy(copy) if !instruction.trigger => {
                let brought = brought(view, step.stage, at);
                if let Some(path) = left
                    .iter()
                    .position(|path| covers(path, copy, &brought, wanted))
                {
                    let path = left.swap_remove(path);
                    copies.push((at, value(view, copy, &path, wanted)?));
                } else if brought.iter().any(|file| touches(&wanted.paths, file)) {
                    return None;
                }
            }
            // What a command or a folder makes may lie on the way.
            _ => break,
        }
    }
    (left.is_empty() && !copies.is_empty()).then_some(copies)
}

/// The paths in the image that a COPY fills.
fn brought(view: &View<'_>, stage: &Stage, at: usize) -> Vec<String> {
    let layers = &view.analysis.record().stages[stage.id.0].layers;
    let layer = layers.iter().find(|layer| layer.instruction == at);
    let nodes = layer.into_iter().flat_map(|layer| &layer.nodes);
    nodes.map(|(path, _)| path.to_string()).collect()
}

fn touches(paths: &[String], file: &str) -> bool {
    paths.iter().any(|path| {
        file.strip_prefix(path.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Whether a path of a RUN is the one file that a COPY brings.
fn covers(path: &str, copy: &CopyOp, brought: &[String], wanted: &Wanted) -> bool {
    let flagged = match wanted.flag {
        "chown" => &copy.chown,
        _ => &copy.chmod,
    };
    let [CopySource::Path(_)] = copy.sources.as_slice() else {
        return false;
    };
    // A folder, with -R: the entry of the folder itself may have been made before, by another.
    !copy.add
        && flagged.is_empty()
        && !copy.link
        && !copy.parents
        && brought == [path]
        && !wanted.recursive
}

/// The value of the flag.
fn value(view: &View<'_>, copy: &CopyOp, path: &str, wanted: &Wanted) -> Option<String> {
    if !wanted.value.ends_with("+x") {
        return Some(wanted.value.clone());
    }
    // Of what another stage brings the mode is not known.
    if copy.from != crate::stage::From::Context {
        return None;
    }
    let records = view.analysis.record().stages.iter();
    let node = records
        .flat_map(|stage| &stage.layers)
        .flat_map(|layer| &layer.nodes)
        .find(|(other, node)| **other == *path && matches!(node.origin, Origin::Context(_)))?;
    let Origin::Context(source) = &node.1.origin else {
        return None;
    };
    let mode = view
        .analysis
        .context()
        .files()
        .find_map(|entry| match entry.kind {
            EntryKind::File { mode, .. } if entry.path == **source => Some(mode),
            _ => None,
        })?;
    Some(format!("{:o}", mode & 0o7777 | 0o111))
}
