//! COPY of what the application reads, by name, in the place of the whole project: an edit of anything else then makes no layer anew.
//!
//! ```text
//! COPY . .      →   COPY package.json server.js ./
//!                   COPY routes/ ./routes/
//! ```
//!
//! What that is, nobody knows for certain before the application runs. It is what generated files copy, and a person decides.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::write;

use super::split_build::sets_owners;
use super::{Pass, View};
use crate::project::Project;
use crate::project::node::{Delivery, NodeProject};
use crate::proposal::{Applicability, Proposal};
use crate::recipe::copy_each;
use crate::stage::{CopyOp, CopySource, From, Op};

pub(super) const PASS: Pass = Pass {
    name: "narrow_copies",
    mends: false,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let Some(edits) = edits(view) else {
        return Ok(Vec::new());
    };
    let mut proposal = Proposal::new(
        "copy what the application reads, by name",
        Applicability::Suggestion,
        edits,
    )
    .assuming(["the application reads no file of the project but those that are named"]);
    proposal
        .warnings
        .push("files that the application gets later on have to be named as well".into());
    Ok(vec![proposal])
}

fn edits(view: &View<'_>) -> Option<EditSet> {
    let stage = view.analysis.graph().target_stage();
    let at = stage
        .instructions
        .iter()
        .rposition(|one| matches!(&one.op, Op::Copy(copy) if whole(copy)))?;
    let runs = view.runs();
    let mut later = runs
        .iter()
        .filter(|step| step.stage.id == stage.id && step.at > at);
    if !later.all(sets_owners) {
        return None;
    }
    let sources = sources(view)?;
    let source = view.source(&stage.instructions[at])?;
    let text = view.file.text();
    let lines = view.whole_lines(source.span());
    // Words and flags as they are written, with other sources.
    let start = view.arguments_start(&source) as usize;
    let arguments = &text[start..source.span().end as usize];
    let mut words = arguments.split_ascii_whitespace();
    let flags: Vec<&str> = words
        .clone()
        .take_while(|word| word.starts_with("--"))
        .collect();
    let (Some(_), Some(target), None) = (words.nth(flags.len()), words.next(), words.next()) else {
        return None;
    };
    // Lists and continued lines are another way to write words.
    if arguments.contains(['[', '"', '\\', '`', '\n']) {
        return None;
    }
    let mut file = write::Dockerfile::new();
    copy_each(&mut file, &sources, None);
    let target = target.trim_end_matches('/');
    let mut keyword = text[lines.start as usize..start].to_owned();
    for flag in flags {
        keyword.push_str(flag);
        keyword.push(' ');
    }
    let mut new = String::new();
    for line in file.print().ok()?.lines() {
        let line = line
            .strip_prefix("COPY ")?
            .replace(" ./", &format!(" {target}/"));
        new.push_str(&format!("{keyword}{line}{}", view.line_break()));
    }
    let mut edits = EditSet::new();
    edits.replace(lines, new).ok()?;
    Some(edits)
}

/// Whether a COPY brings everything that the context has.
fn whole(copy: &CopyOp) -> bool {
    let all = |source: &CopySource| match source {
        CopySource::Path(path) => matches!(path.as_str(), "." | "./" | "/"),
        _ => false,
    };
    !copy.add
        && copy.from == From::Context
        && copy.sources.len() == 1
        && copy.sources.iter().all(all)
        && copy.excludes.is_empty()
        && !copy.parents
}

/// Files and folders that the application reads, with those that its start calls by name.
fn sources(view: &View<'_>) -> Option<Vec<String>> {
    let context = view.analysis.context();
    let mut sources = match Project::detect(context).ok()? {
        Project::Python(project) => project.sources,
        Project::Node(project) => of_node(project)?,
    };
    let called = view.analysis.called();
    for entry in context.files() {
        let name = entry.path.rsplit('/').next().unwrap_or_default();
        let inside = sources.iter().any(|source| {
            *source == entry.path || source.ends_with('/') && entry.path.starts_with(source)
        });
        if !inside && called.iter().any(|word| word == name) {
            sources.push(entry.path);
        }
    }
    let plain = |name: &String| {
        !name.starts_with('-')
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "/._-@+".contains(c))
    };
    (!sources.is_empty() && sources.iter().all(plain)).then_some(sources)
}

/// The manifest says how the sources are loaded.
fn of_node(project: NodeProject) -> Option<Vec<String>> {
    let served = matches!(project.delivery, Delivery::Sources | Delivery::Built { .. });
    let alone = project.packages.is_empty() && project.folder.is_empty();
    let manifest = "package.json".to_owned();
    (served && alone).then(|| [manifest].into_iter().chain(project.sources).collect())
}
