//! Builds Python packages in a stage of their own and copies only what was installed: pip's own traces, build tools and downloads stay
//! behind.
//!
//! What stands above the install becomes a stage that both others build on, so that nothing is said twice:
//!
//! ```text
//! FROM python:3.12-slim AS base        FROM base AS builder                           FROM base
//! WORKDIR /app                         RUN pip install --prefix=/install …            COPY --from=builder /install /usr/local
//! ```

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::Script;
use stagewright_syntax::{Command, View as Typed};

use super::{Pass, RunStep, View};
use crate::proposal::{Applicability, Proposal};
use crate::stage::{Base, CopyOp, From, Op, Stage};

pub(super) const PASS: Pass = Pass {
    name: "split_stages",
    mends: false,
    propose,
};

/// Where the builder puts the packages.
pub(super) const PREFIX: &str = "/install";

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let graph = view.analysis.graph();
    let stage = graph.target_stage();
    if !matches!(stage.base, Base::Image(_)) || takes_packages(stage) {
        return Ok(Vec::new());
    }
    let runs: Vec<RunStep<'_>> = view
        .runs()
        .into_iter()
        .filter(|step| step.stage.id == stage.id)
        .collect();
    let installs: Vec<&RunStep<'_>> = runs
        .iter()
        .filter(|step| {
            step.facts()
                .installs
                .iter()
                .any(|install| install.tool == "pip")
                && !upgrades_pip_only(step)
        })
        .collect();
    let [install] = installs.as_slice() else {
        return Ok(Vec::new());
    };
    let Some(prefix) = only_installs(install) else {
        return Ok(Vec::new());
    };
    let Some(edits) = edits(view, stage, &runs, install, &prefix) else {
        return Ok(Vec::new());
    };
    Ok(vec![Proposal {
        pass: PASS.name,
        title: "install packages in a builder stage and copy only what was installed".into(),
        applicability: Applicability::Safe,
        assumptions: vec![format!(
            "packages installed under `{PREFIX}` work under `{prefix}`, as pip's scheme promises"
        )],
        warnings: Vec::new(),
        edits,
        dockerignore: None,
    }])
}

/// Whether the stage takes whole folders from another one already.
fn takes_packages(stage: &Stage) -> bool {
    stage.instructions.iter().any(|instruction| {
        matches!(
            &instruction.op,
            Op::Copy(CopyOp {
                from: From::Stage(_),
                ..
            })
        )
    })
}

/// The prefix of a RUN that does nothing but install into the interpreter's own folder.
fn only_installs(step: &RunStep<'_>) -> Option<String> {
    let facts = step.facts();
    let prefix = &facts.installs.first()?.prefix;
    let same = facts.installs.iter().all(|install| {
        install.tool == "pip" && install.prefix == *prefix && !install.packages.is_empty()
    });
    let inside = step.layer.nodes.iter().all(|(path, _)| {
        path.starts_with(prefix.as_str()) || facts.caches.iter().any(|cache| *cache.path == **path)
    });
    // With a virtual environment, the environment itself is what would be copied.
    (same && inside && facts.unmodelled.is_empty() && prefix == "/usr/local")
        .then(|| prefix.clone())
}

fn edits(
    view: &View<'_>,
    stage: &Stage,
    runs: &[RunStep<'_>],
    install: &RunStep<'_>,
    prefix: &str,
) -> Option<EditSet> {
    let mut edits = EditSet::new();
    let newline = view.line_break();
    let from = view.file.instruction(stage.from);
    let Typed::From(from_view) = from.view() else {
        return None;
    };
    let (base, builder) = (free_name(view, "base"), free_name(view, "builder"));
    // The first FROM takes the name `base`; the stage's own name moves to the last one.
    let name = if let Some(name) = &from_view.name {
        edits.replace(name.span, base.clone()).ok()?;
        format!(" AS {}", &**name)
    } else {
        edits
            .insert(from_view.image.span.end, format!(" AS {base}"))
            .ok()?;
        String::new()
    };
    let keyword = |upper: &str| {
        if view.lower_case() {
            upper.to_lowercase()
        } else {
            upper.to_owned()
        }
    };
    let source = view.source(install.instruction)?;
    let lines = view.whole_lines(source.span());
    let text = view.file.text();
    let script = prefixed(view, install)?;
    let mut tools = String::new();
    for step in runs.iter().filter(|step| step.at < install.at) {
        // Compilers and headers are for the build alone.
        if build_tools_only(view, step) || upgrades_pip_only(step) {
            let lines = view.whole_lines(view.source(step.instruction)?.span());
            tools.push_str(&text[lines.start as usize..lines.end as usize]);
            edits.delete(lines).ok()?;
        }
    }
    let (from_word, as_word, copy_word) = (keyword("FROM"), keyword("AS"), keyword("COPY"));
    let name = if view.lower_case() {
        name.replace(" AS ", " as ")
    } else {
        name
    };
    let mut new =
        format!("{newline}{from_word} {base} {as_word} {builder}{newline}{newline}{tools}");
    new.push_str(script.trim_end_matches(['\r', '\n']));
    new.push_str(&format!("{newline}{newline}{from_word} {base}{name}{newline}{newline}{copy_word} --from={builder} {PREFIX} {prefix}{newline}"));
    if text[..lines.start as usize].ends_with(&format!("{newline}{newline}")) {
        let breaks = new.len() - new.trim_start_matches(['\r', '\n']).len();
        new.drain(..breaks);
    }
    edits.replace(lines, new).ok()?;
    Some(edits)
}

/// The lines of the install, with `--prefix` behind every `install`.
fn prefixed(view: &View<'_>, step: &RunStep<'_>) -> Option<String> {
    let source = view.source(step.instruction)?;
    let Typed::Run(run) = source.view() else {
        return None;
    };
    let Command::Shell(text) = &run.command else {
        return None;
    };
    if !run.heredocs.is_empty() {
        return None;
    }
    let script = Script::parse(text);
    let lines = view.whole_lines(source.span());
    let mut edits = EditSet::new();
    for install in &step.facts().installs {
        let word = script
            .commands
            .get(install.command)?
            .words
            .iter()
            .find(|word| word.literal().as_deref() == Some("install"))?;
        let span = run.script()?.source_span(word.span);
        edits
            .insert(span.end - lines.start, format!(" --prefix={PREFIX}"))
            .ok()?;
    }
    Some(edits.apply(&view.file.text()[lines.start as usize..lines.end as usize]))
}

/// `pip install --upgrade pip`: for the installs that follow, and for nothing in the image.
fn upgrades_pip_only(step: &RunStep<'_>) -> bool {
    let facts = step.facts();
    facts.unmodelled.is_empty()
        && !facts.installs.is_empty()
        && facts.installs.iter().all(|install| {
            install.tool == "pip"
                && install.manifests.is_empty()
                && !install.packages.is_empty()
                && install
                    .packages
                    .iter()
                    .all(|(name, _)| matches!(name.as_str(), "pip" | "wheel"))
        })
}

fn build_tools_only(view: &View<'_>, step: &RunStep<'_>) -> bool {
    let facts = step.facts();
    let packages: Vec<&str> = facts
        .installs
        .iter()
        .filter(|install| matches!(install.tool, "apt-get" | "apk"))
        .flat_map(|install| &install.packages)
        .map(|(name, _)| name.as_str())
        .collect();
    let only = facts
        .installs
        .iter()
        .all(|install| matches!(install.tool, "apt-get" | "apk"))
        && facts.unmodelled.is_empty();
    only && !packages.is_empty()
        && packages
            .iter()
            .all(|name| view.analysis.catalog().tools().is_build_tool(name))
}

/// A stage name that the file does not use.
fn free_name(view: &View<'_>, wanted: &str) -> String {
    let graph = view.analysis.graph();
    let taken = |name: &str| graph.find(name).is_some();
    if !taken(wanted) {
        return wanted.to_owned();
    }
    let mut number = 2;
    while taken(&format!("{wanted}-{number}")) {
        number += 1;
    }
    format!("{wanted}-{number}")
}

impl View<'_> {
    /// Whether the file writes its instructions in lower case.
    pub(crate) fn lower_case(&self) -> bool {
        self.file.instructions().next().is_some_and(|instruction| {
            instruction
                .keyword_text()
                .value
                .chars()
                .all(char::is_lowercase)
        })
    }
}
