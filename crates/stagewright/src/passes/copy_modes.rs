//! Owner and permissions where files are copied: a RUN that changes them afterwards stores the files a second time.
//!
//! Of a folder the RUN keeps its own entry, which costs nothing: what made the folder may have been another than the COPY.
//!
//! ```text
//! COPY . .                                     RUN useradd app
//! RUN useradd app && chown -R app:app /app  →  COPY --chown=app:app . .
//!                                              RUN chown app:app /app
//! ```

mod folders;

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::{Join, Script};

use super::copies_last::needs_no_files;
use super::{Pass, RunStep, View};
use crate::context::EntryKind;
use crate::ledger::Origin;
use crate::proposal::{Applicability, Proposal};
use crate::stage::{CopyOp, CopySource, From, Op, Stage, is_root, join};

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
        if let Some(copies) = folders::copies(view, &step, &wanted)
            && !copies
                .iter()
                .any(|at| flagged.contains(&(step.stage.id, *at)))
            && folders::write(view, &step, &wanted, &copies, &mut edits).is_some()
        {
            flagged.extend(copies.into_iter().map(|at| (step.stage.id, at)));
            flags.push(format!("`--{}`", wanted.flag));
            continue;
        }
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
    /// Whether it is about what lies below the paths as well.
    recursive: bool,
    /// Whether commands that add users come before it.
    adds_users: bool,
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
    if !is_root(&config.user) {
        return None;
    }
    let script = Script::parse(run.script.as_deref()?);
    let (command, before) = script.commands.split_last()?;
    let joined = script
        .commands
        .iter()
        .skip(1)
        .all(|one| one.join == Join::And);
    if !joined || !before.iter().all(needs_no_files) {
        return None;
    }
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
    // Of a single file, `-R` means nothing.
    let rest: Vec<&String> = words
        .iter()
        .filter(|word| !matches!(word.as_str(), "-R" | "--recursive"))
        .collect();
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
        recursive: rest.len() < words.len(),
        adds_users: !before.is_empty(),
        paths: paths
            .iter()
            .map(|path| join(state.workdir(), path))
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
    if wanted.adds_users {
        return None;
    }
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
                    left.swap_remove(path);
                    copies.push((at, value(view, &brought[0], wanted)?));
                } else if brought
                    .iter()
                    .any(|file| touches(&wanted.paths, &file.path))
                {
                    return None;
                }
            }
            // What a command or a folder makes may lie on the way.
            _ => break,
        }
    }
    (left.is_empty() && !copies.is_empty()).then_some(copies)
}

/// A file that a COPY brings: its path in the image, and in the context where it comes from there.
struct Brought {
    path: String,
    source: Option<String>,
}

fn brought(view: &View<'_>, stage: &Stage, at: usize) -> Vec<Brought> {
    let layer = view.analysis.record().stages[stage.id.0].layer(at);
    let nodes = layer.into_iter().flat_map(|layer| &layer.nodes);
    nodes
        .map(|(path, node)| Brought {
            path: path.to_string(),
            source: match &node.origin {
                Origin::Context(source) => Some(source.to_string()),
                _ => None,
            },
        })
        .collect()
}

fn touches(paths: &[String], file: &str) -> bool {
    paths.iter().any(|path| {
        file.strip_prefix(path.as_str())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Whether a path of a RUN is the one file that a COPY brings from the context. The flags of a COPY hold for all that it brings, and
/// for the folders among it.
fn covers(path: &str, copy: &CopyOp, brought: &[Brought], wanted: &Wanted) -> bool {
    let flagged = match wanted.flag {
        "chown" => &copy.chown,
        _ => &copy.chmod,
    };
    let ([CopySource::Path(source)], [file]) = (copy.sources.as_slice(), brought) else {
        return false;
    };
    let plain = !copy.add && !copy.link && !copy.parents && copy.excludes.is_empty();
    plain
        && copy.from == From::Context
        && flagged.is_empty()
        && file.path == path
        && file.source.as_deref() == Some(join("/", source).trim_start_matches('/'))
}

/// The value of the flag; nothing for what is no regular file.
fn value(view: &View<'_>, file: &Brought, wanted: &Wanted) -> Option<String> {
    let source = file.source.as_deref()?;
    // Of a link the command changes what it leads to.
    let mode = view
        .analysis
        .context()
        .files()
        .find_map(|entry| match entry.kind {
            EntryKind::File { mode, .. } if entry.path == source => Some(mode),
            _ => None,
        })?;
    Some(if wanted.value.ends_with("+x") {
        format!("{:o}", mode & 0o7777 | 0o111)
    } else {
        wanted.value.clone()
    })
}
