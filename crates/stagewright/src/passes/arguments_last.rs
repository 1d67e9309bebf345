//! Declares build arguments that every build changes where they are first read. Above an install they run it again each time: a RUN has
//! every argument in scope in its key, read or not (`dispatchRun` in `frontend/dockerfile/dockerfile2llb/convert.go` at v0.32.2).
//!
//! ```text
//! ARG GIT_SHA                        RUN apt-get update && …
//! LABEL revision=$GIT_SHA      →     COPY . .
//! RUN apt-get update && …            ARG GIT_SHA
//! COPY . .                           LABEL revision=$GIT_SHA
//! CMD ["./server"]                   CMD ["./server"]
//! ```

use std::collections::BTreeMap;

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::{Script, Word};
use stagewright_syntax::{Dockerfile, Keyword, Span, View as Typed};

use super::{Pass, View};
use crate::analysis::Analysis;
use crate::change::{changes_every_build, mentions};
use crate::proposal::{Applicability, Proposal};
use crate::stage::{ImageConfig, Op, Stage, StageId, StageInstruction, State};

pub(super) const PASS: Pass = Pass {
    name: "arguments_last",
    mends: false,
    propose,
};

/// Variables that programs of a build read by themselves, by how their names begin.
const CONFIGURES: [&str; 32] = [
    "APT_",
    "CARGO_",
    "CC",
    "CFLAGS",
    "CI",
    "CONDA_",
    "COREPACK_",
    "CPPFLAGS",
    "CXX",
    "DEBIAN_",
    "DEBUG",
    "GEM_",
    "GO",
    "HOME",
    "HTTP",
    "JAVA_",
    "LANG",
    "LC_",
    "LD",
    "MAKE",
    "NODE_",
    "NPM_",
    "PATH",
    "PDM_",
    "PIP",
    "PNPM_",
    "POETRY_",
    "PYTHON",
    "SETUPTOOLS_",
    "TZ",
    "UV_",
    "YARN_",
];

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    let mut names = Vec::new();
    let stages = view.analysis.graph().stages.iter();
    for stage in stages.filter(|stage| stage.reachable) {
        let moves = moves(view, stage);
        let mut own = EditSet::new();
        write(view, stage, &moves, &mut own)?;
        if !moves.is_empty() && keeps(view, stage, &moves, &own) {
            edits.merge(own)?;
            let arguments = moves.iter().flat_map(|one| one.arguments(view, stage));
            names.extend(arguments.map(|name| format!("`{name}`")));
        }
    }
    names.dedup();
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    let (they, are) = if names.len() > 1 {
        ("they", "are")
    } else {
        ("it", "is")
    };
    let names = names.join(" and ");
    let title = format!("declare {names} where {they} {are} first read");
    let assumptions = [
        format!("every build gives {names} another value"),
        format!(
            "package managers, and what packages run as they are installed, do not read {names}"
        ),
    ];
    Ok(vec![
        Proposal::new(title, Applicability::Safe, edits).assuming(assumptions),
    ])
}

/// An instruction that goes down, and above which one; after the last step where there is none. Both are places in its stage.
struct Move {
    at: usize,
    to: Option<usize>,
}

impl Move {
    /// What an ARG declares.
    fn arguments(&self, view: &View<'_>, stage: &Stage) -> Vec<String> {
        let one = &stage.instructions[self.at];
        if one.keyword == Keyword::Arg {
            sets(view, one)
        } else {
            Vec::new()
        }
    }

    /// The first instruction that comes below it.
    fn end(&self, stage: &Stage) -> usize {
        self.to.unwrap_or_else(|| {
            let last = stage
                .instructions
                .iter()
                .rposition(|one| one.op != Op::Config);
            last.map_or(0, |at| at + 1)
        })
    }
}

/// The arguments that go below a RUN that need not run again, and what uses them, in the order of the file.
fn moves(view: &View<'_>, stage: &Stage) -> Vec<Move> {
    const END: usize = usize::MAX;
    // How far down each instruction may go that sets what others read, from the last one up.
    let mut limits: BTreeMap<usize, usize> = BTreeMap::new();
    let mut moves: Vec<Move> = Vec::new();
    for (at, one) in stage.instructions.iter().enumerate().rev() {
        let movable = match one.keyword {
            Keyword::Arg => declares(view, one),
            Keyword::Env => settable(view, one),
            _ => false,
        };
        if one.trigger || !movable {
            continue;
        }
        let names = sets(view, one);
        let mut used = false;
        let mut limit = END;
        for (below, other) in stage.instructions.iter().enumerate().skip(at + 1) {
            let text = written(view, other);
            let uses = names.iter().any(|name| mentions(text, name));
            // What a container is started with is read when it starts.
            let started = matches!(
                other.keyword,
                Keyword::Cmd | Keyword::Entrypoint | Keyword::Healthcheck
            );
            used |= uses && !started;
            if uses && !started && other.keyword != Keyword::Label || may_read(view, stage, below) {
                limit = limit.min(limits.get(&below).copied().unwrap_or(below));
            }
        }
        limits.insert(at, limit);
        let end = Move {
            at,
            to: (limit != END).then_some(limit),
        }
        .end(stage);
        let passed = stage.instructions.get(at..end).unwrap_or_default();
        // What nothing that is written reads may be there to run again what follows.
        if one.keyword == Keyword::Arg
            && used
            && passed.iter().any(|one| matches!(one.op, Op::Run(_)))
        {
            moves.push(Move {
                at,
                to: (limit != END).then_some(limit),
            });
        }
    }
    moves.reverse();
    // What uses an argument that goes below it goes along.
    for (at, one) in stage.instructions.iter().enumerate() {
        if one.trigger || !matches!(one.keyword, Keyword::Env | Keyword::Label) {
            continue;
        }
        let text = written(view, one);
        let below = |one: &&Move| {
            let names = sets(view, &stage.instructions[one.at]);
            one.at < at && one.end(stage) > at && names.iter().any(|name| mentions(text, name))
        };
        let furthest = moves
            .iter()
            .filter(below)
            .map(|one| one.to.unwrap_or(END))
            .max();
        if let Some(to) = furthest {
            let to = limits.get(&at).copied().unwrap_or(to);
            moves.push(Move {
                at,
                to: (to != END).then_some(to),
            });
        }
    }
    moves.sort_by_key(|one| one.at);
    moves
}

/// Moves the lines, with the comments above them.
fn write(
    view: &View<'_>,
    stage: &Stage,
    moves: &[Move],
    edits: &mut EditSet,
) -> Result<(), EditError> {
    let text = view.file.text();
    let newline = view.line_break();
    let mut places: BTreeMap<u32, String> = BTreeMap::new();
    for one in moves {
        let lines = view.commented_lines(stage.instructions[one.at].index);
        let place = if let Some(at) = one.to {
            view.commented_lines(stage.instructions[at].index).start
        } else {
            let last = stage.instructions[one.end(stage) - 1].index;
            view.whole_lines(view.file.instruction(last).span()).end
        };
        let moved = places.entry(place).or_default();
        moved.push_str(
            text[lines.start as usize..lines.end as usize].trim_end_matches(['\r', '\n']),
        );
        moved.push_str(newline);
        edits.delete(with_blank_line(text, lines))?;
    }
    for (place, moved) in places {
        // The last line of a file may have no line break.
        if text[..place as usize].ends_with('\n') {
            edits.insert(place, moved)?;
        } else {
            edits.insert(
                place,
                format!("{newline}{}", moved.trim_end_matches(['\r', '\n'])),
            )?;
        }
    }
    Ok(())
}

/// Lines with the blank one after them, where another stands before them: one of the two is enough.
fn with_blank_line(text: &str, lines: Span) -> Span {
    let blank = |line: &str| line.trim().is_empty();
    let before = text[..lines.start as usize]
        .trim_end_matches(['\r', '\n'])
        .len();
    let above = &text[before..lines.start as usize];
    let rest = &text[lines.end as usize..];
    let line = rest.find('\n').map_or(rest, |at| &rest[..=at]);
    if above.matches('\n').count() > 1 && !line.is_empty() && blank(line) {
        Span::from(lines.start as usize..lines.end as usize + line.len())
    } else {
        lines
    }
}

/// An instruction as it is written, here-documents and all.
fn written<'a>(view: &View<'a>, instruction: &StageInstruction) -> &'a str {
    view.source(instruction).map_or("", |source| {
        let span = source.span();
        &view.file.text()[span.start as usize..span.end as usize]
    })
}

/// The names that an ENV or ARG sets.
fn sets(view: &View<'_>, instruction: &StageInstruction) -> Vec<String> {
    match view.source(instruction).map(|source| source.view()) {
        Some(Typed::Env(env)) => env.pairs.iter().map(|pair| pair.key.to_string()).collect(),
        Some(Typed::Arg(arg)) => arg.args.iter().map(|pair| pair.key.to_string()).collect(),
        _ => Vec::new(),
    }
}

/// Whether every build may give all that an ARG declares another value, and nothing has set it before.
fn declares(view: &View<'_>, instruction: &StageInstruction) -> bool {
    let before = &instruction.before;
    sets(view, instruction).iter().all(|name| {
        changes_every_build(name) && before.env.get(name).is_none() && !before.args.contains(name)
    })
}

/// Whether no program of a build reads what an ENV sets unless it is told to, and nothing has set it before.
fn settable(view: &View<'_>, instruction: &StageInstruction) -> bool {
    let config = &instruction.before.config;
    sets(view, instruction).iter().all(|key| {
        let upper = key.to_ascii_uppercase();
        let plain = key.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let configures = CONFIGURES.iter().any(|prefix| upper.starts_with(prefix));
        plain
            && !configures
            && !upper.contains("PROXY")
            && !config.env.iter().any(|(name, _)| name == key)
    })
}

/// Whether a RUN may read any variable: it runs what no model knows or what belongs to the project, or prints its environment.
fn may_read(view: &View<'_>, stage: &Stage, at: usize) -> bool {
    let Op::Run(run) = &stage.instructions[at].op else {
        return false;
    };
    let Some(layer) = view.analysis.record().stages[stage.id.0].layer(at) else {
        return true;
    };
    let facts = &layer.facts;
    let prints = |script: &String| {
        Script::parse(script).commands.iter().any(|command| {
            let words: Vec<_> = command.words.iter().map(Word::literal).collect();
            match words.first().and_then(Option::as_deref) {
                Some("env" | "printenv" | "envsubst" | "eval" | "sh" | "bash" | "source" | ".") => {
                    true
                }
                Some("set" | "export" | "declare" | "typeset") => {
                    words.len() == 1 || words.get(1).and_then(Option::as_deref) == Some("-p")
                }
                _ => false,
            }
        })
    };
    facts.reads.anything.is_some()
        || !facts.unmodelled.is_empty()
        || run.pipe.is_some()
        || run.script.as_ref().is_none_or(prints)
}

/// Whether every step does the same as before with the same variables, but for those that have moved below it, and the image is
/// configured as before.
fn keeps(view: &View<'_>, stage: &Stage, moves: &[Move], edits: &EditSet) -> bool {
    let mut options = view.analysis.options().clone();
    for name in moves.iter().flat_map(|one| one.arguments(view, stage)) {
        options
            .build_args
            .insert(name.clone(), format!("value-of-{name}"));
    }
    let read = |text: &str| {
        Analysis::new(&Dockerfile::parse(text), view.analysis.context(), &options).ok()
    };
    let new = edits.apply(view.file.text());
    let (Some(before), Some(after)) = (read(view.file.text()), read(&new)) else {
        return false;
    };
    let gone = |id: StageId, at: usize| -> Vec<String> {
        let passed = |one: &&Move| id == stage.id && one.at < at && at < one.end(stage);
        let moved = moves.iter().filter(passed);
        moved
            .flat_map(|one| sets(view, &stage.instructions[one.at]))
            .collect()
    };
    let (old, new) = (&before.graph().stages, &after.graph().stages);
    old.len() == new.len() && old.iter().zip(new).all(|(old, new)| same(old, new, &gone))
}

/// Whether two stages are the same but for the variables that steps of the first have and need not.
fn same(old: &Stage, new: &Stage, gone: &impl Fn(StageId, usize) -> Vec<String>) -> bool {
    let steps = |stage: &Stage| -> Vec<usize> {
        let all = 0..stage.instructions.len();
        all.filter(|at| stage.instructions[*at].op != Op::Config)
            .collect()
    };
    let (left, right) = (steps(old), steps(new));
    left.len() == right.len()
        && configured(&old.end) == configured(&new.end)
        && variables(&old.end) == variables(&new.end)
        && left.into_iter().zip(right).all(|(at, other)| {
            let (one, other) = (&old.instructions[at], &new.instructions[other]);
            let mut before = variables(&one.before);
            for name in gone(old.id, at) {
                before.remove(name.as_str());
            }
            one.op == other.op && before == variables(&other.before)
        })
}

/// The variables of a state by their names: their order is only a matter of the key.
fn variables(state: &State) -> BTreeMap<&str, &str> {
    state.env.iter().collect()
}

/// The configuration, its variables by their names.
fn configured(state: &State) -> ImageConfig {
    let mut config = state.config.clone();
    config.env.sort();
    config
}
