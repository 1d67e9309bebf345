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
use crate::recipe;
use crate::stage::{Base, CopyOp, From, Op, Stage};

pub(super) const PASS: Pass = Pass {
    name: "split_stages",
    mends: false,
    propose,
};

/// Where the builder puts the packages.
pub(super) const PREFIX: &str = "/install";

/// What installs packages of Python.
const MANAGERS: [&str; 5] = ["pip", "uv", "poetry", "pdm", "pipenv"];

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
                .any(|install| MANAGERS.contains(&install.tool))
                && !for_the_build(view, step)
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
        title: "install packages in a builder stage and copy only what was installed".into(),
        applicability: Applicability::Safe,
        assumptions: vec![if prefix == "/usr/local" {
            format!(
                "packages installed under `{PREFIX}` work under `{prefix}`, as pip's scheme promises"
            )
        } else {
            format!("nothing but `{prefix}` is needed of what the install writes")
        }],
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
        MANAGERS.contains(&install.tool)
            && install.tool == facts.installs[0].tool
            && install.prefix == *prefix
            && !install.packages.is_empty()
    });
    let inside = step.layer.nodes.iter().all(|(path, _)| {
        path.starts_with(prefix.as_str()) || facts.caches.iter().any(|cache| *cache.path == **path)
    });
    // pip is told another prefix; a virtual environment is copied as it is.
    let movable = if facts.installs[0].tool == "pip" {
        prefix == "/usr/local"
    } else {
        prefix != "/usr/local"
    };
    (same && inside && facts.unmodelled.is_empty() && movable).then(|| prefix.clone())
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
    let source = view.source(install.instruction)?;
    let lines = view.whole_lines(source.span());
    let text = view.file.text();
    let (script, source) = if install.facts().installs[0].tool == "pip" {
        (prefixed(view, install)?, PREFIX)
    } else {
        let written = &text[lines.start as usize..lines.end as usize];
        (written.to_owned(), prefix)
    };
    let needs = needs(view, install);
    let (mut tools, mut libraries) = (String::new(), Vec::new());
    let before: Vec<&RunStep<'_>> = runs.iter().filter(|step| step.at < install.at).collect();
    let systems: Vec<&&RunStep<'_>> = before.iter().filter(|step| is_system(step)).collect();
    // What one command lists another may install: package lists move if everything does that needs them.
    let all = systems
        .iter()
        .all(|step| lists_only(step) || build_tools_only(view, step, &needs.build));
    for step in &before {
        // Compilers and headers are for the build alone.
        let moves = for_the_build(view, step)
            || build_tools_only(view, step, &needs.build)
            || all && systems.len() > 1 && is_system(step);
        if !moves {
            continue;
        }
        if names(step).any(|name| !view.analysis.catalog().tools().is_build_tool(name)) {
            libraries.clone_from(&needs.run);
        }
        let lines = view.whole_lines(view.source(step.instruction)?.span());
        tools.push_str(&text[lines.start as usize..lines.end as usize]);
        edits.delete(lines).ok()?;
    }
    let libraries = if libraries.is_empty() {
        String::new()
    } else {
        format!(
            "{} {}{newline}",
            view.keyword("RUN"),
            recipe::python::apt_get_install(&libraries)
        )
    };
    for step in runs.iter().filter(|step| step.at > install.at) {
        without_byte_code(view, step, &mut edits)?;
    }
    let (from_word, as_word, copy_word) = (
        view.keyword("FROM"),
        view.keyword("AS"),
        view.keyword("COPY"),
    );
    let name = if view.lower_case() {
        name.replace(" AS ", " as ")
    } else {
        name
    };
    let mut new =
        format!("{newline}{from_word} {base} {as_word} {builder}{newline}{newline}{tools}");
    new.push_str(script.trim_end_matches(['\r', '\n']));
    new.push_str(&format!("{newline}{newline}{from_word} {base}{name}{newline}{newline}{libraries}{copy_word} --from={builder} {source} {prefix}{newline}"));
    if text[..lines.start as usize].ends_with(&format!("{newline}{newline}")) {
        let breaks = new.len() - new.trim_start_matches(['\r', '\n']).len();
        new.drain(..breaks);
    }
    edits.replace(lines, new).ok()?;
    Some(edits)
}

/// A command of the project that an edit runs again would store the byte code of the packages in its layer each time, which the install
/// has left behind with pip.
fn without_byte_code(view: &View<'_>, step: &RunStep<'_>, edits: &mut EditSet) -> Option<()> {
    const VARIABLE: &str = "PYTHONDONTWRITEBYTECODE";
    let mut programs = step.facts().programs.iter();
    let runs_python = programs.any(|program| program.starts_with("python"));
    if !runs_python || step.instruction.before.env.get(VARIABLE).is_some() {
        return Some(());
    }
    let source = view.source(step.instruction)?;
    let Typed::Run(run) = source.view() else {
        return Some(());
    };
    let Command::Shell(text) = &run.command else {
        return Some(());
    };
    let script = Script::parse(text);
    for command in &script.commands {
        let python = command
            .program()
            .is_some_and(|program| program.starts_with("python"));
        if python && run.heredocs.is_empty() {
            let span = run.script()?.source_span(command.span);
            edits.insert(span.start, format!("{VARIABLE}=1 ")).ok()?;
        }
    }
    Some(())
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

/// `pip install --upgrade pip`, `pip install uv`: for the installs that follow, and for nothing in the image unless it is started by that.
fn for_the_build(view: &View<'_>, step: &RunStep<'_>) -> bool {
    let config = &view.analysis.graph().target_stage().end.config;
    let started: Vec<&String> = [&config.entrypoint, &config.cmd]
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    let needed = |name: &str| {
        started
            .iter()
            .any(|word| word.split_whitespace().any(|word| word == name))
    };
    let facts = step.facts();
    facts.unmodelled.is_empty()
        && !facts.installs.is_empty()
        && facts.installs.iter().all(|install| {
            install.tool == "pip"
                && install.manifests.is_empty()
                && !install.packages.is_empty()
                && install.packages.iter().all(|(name, _)| {
                    matches!(
                        name.as_str(),
                        "pip" | "wheel" | "setuptools" | "uv" | "poetry" | "pdm" | "pipenv"
                    ) && !needed(name)
                })
        })
}

/// Debian packages that the installed packages need when they are compiled, and when they run.
struct Needs<'a> {
    build: Vec<&'a str>,
    run: Vec<&'a str>,
}

fn needs<'a>(view: &View<'a>, install: &RunStep<'_>) -> Needs<'a> {
    let tools = view.analysis.catalog().tools();
    let packages = install
        .facts()
        .installs
        .iter()
        .flat_map(|install| &install.packages);
    let rows: Vec<_> = packages
        .filter_map(|(name, _)| tools.source_build(name))
        .collect();
    Needs {
        build: rows
            .iter()
            .flat_map(|row| &row.build)
            .map(String::as_str)
            .collect(),
        run: rows
            .iter()
            .flat_map(|row| &row.run)
            .map(String::as_str)
            .collect(),
    }
}

/// Packages of the distribution that a step is told to install.
fn names<'s>(step: &'s RunStep<'_>) -> impl Iterator<Item = &'s str> {
    let installs = step.facts().installs.iter();
    installs
        .filter(|install| matches!(install.tool, "apt-get" | "apk"))
        .flat_map(|install| &install.packages)
        .map(|(name, _)| name.as_str())
}

/// Whether a step calls the package manager of Debian and nothing else.
fn is_system(step: &RunStep<'_>) -> bool {
    let facts = step.facts();
    let mut programs = facts.programs.iter();
    facts.unmodelled.is_empty()
        && !facts.programs.is_empty()
        && programs.all(|program| program == "apt-get")
}

/// `apt-get update`.
fn lists_only(step: &RunStep<'_>) -> bool {
    let mut nodes = step.layer.nodes.iter();
    step.facts().installs.is_empty()
        && nodes.all(|(path, _)| path.starts_with("/var/lib/apt/lists"))
}

/// Whether a step installs only what a build needs: compilers, or with them headers whose libraries are known.
fn build_tools_only(view: &View<'_>, step: &RunStep<'_>, headers: &[&str]) -> bool {
    let facts = step.facts();
    let packages: Vec<&str> = names(step).collect();
    let only = facts
        .installs
        .iter()
        .all(|install| matches!(install.tool, "apt-get" | "apk"))
        && facts.unmodelled.is_empty();
    only && !packages.is_empty()
        && packages.iter().all(|name| {
            headers.contains(name) || view.analysis.catalog().tools().is_build_tool(name)
        })
}

/// A stage name that the file does not use.
pub(super) fn free_name(view: &View<'_>, wanted: &str) -> String {
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
    /// The name of an instruction as the file writes them.
    pub(crate) fn keyword(&self, upper: &str) -> String {
        if self.lower_case() {
            upper.to_lowercase()
        } else {
            upper.to_owned()
        }
    }

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
