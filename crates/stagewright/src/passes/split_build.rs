//! Builds a Node application in a stage of its own: the image holds the packages of production and what the build writes, not the compiler
//! and what else is for developers.
//!
//! ```text
//! FROM node:24-slim AS base    FROM base AS dependencies    FROM base AS builder    FROM base
//! WORKDIR /app                 RUN npm ci --omit=dev        COPY package*.json ./   COPY --from=dependencies /app/node_modules …
//!                                                           RUN npm ci              COPY . .
//!                                                           COPY . .                COPY --from=builder /app/dist ./dist
//!                                                           RUN npm run build
//! ```
//!
//! Of a repository with workspaces the packages that the application needs are installed and built, and it starts in its own folder.

use serde_json::Value;
use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::{Span, View as Typed};

use super::split_stages::free_name;
use super::{Pass, RunStep, View};
use crate::command::Install;
use crate::project::node::{self, Delivery, NodeManager, NodeProject};
use crate::proposal::{Applicability, Proposal};
use crate::recipe;
use crate::stage::{Base, CopySource, From, Op, Stage, StageInstruction};

pub(super) const PASS: Pass = Pass {
    name: "split_build",
    mends: false,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let Some(project) = eligible(view) else {
        return Ok(Vec::new());
    };
    let stage = view.analysis.graph().target_stage();
    let Some(edits) = edits(view, stage, &project) else {
        return Ok(Vec::new());
    };
    let output = project.outputs.join("` and `");
    Ok(vec![Proposal {
        title: "build in a stage of its own and copy only what it writes".into(),
        applicability: Applicability::Safe,
        assumptions: vec![
            format!("the build writes nothing that the application needs but `{output}`"),
            "the application loads no package of `devDependencies`".into(),
        ],
        warnings: Vec::new(),
        edits,
        dockerignore: None,
    }])
}

/// The project, where the folder that its build writes is what the image starts.
fn eligible(view: &View<'_>) -> Option<NodeProject> {
    let project = node::detect(view.analysis.context(), None).ok()??;
    let output = match &project.delivery {
        Delivery::Built { output } | Delivery::Static { output } => output.clone(),
        // The start command stays as it is, and needs the whole folder.
        Delivery::Standalone => ".next".to_owned(),
        Delivery::Sources => return None,
    };
    // What the root of a repository needs itself is not installed with one of its packages.
    let fits = (project.packages.is_empty() || !needs_of_root(view))
        && !project.outputs.iter().any(String::is_empty)
        && project.lifecycle.is_empty()
        && project.lock.is_some()
        && !project.plug_n_play
        && (project.manager != NodeManager::Yarn
            || project.manager_major.is_none_or(|major| major >= 4))
        && view.analysis.context().entry("node_modules").is_none();
    if matches!(project.delivery, Delivery::Static { .. }) {
        let one = project.packages.is_empty();
        return (fits && one && serves(view, &output)).then_some(project);
    }
    let words = super::production_packages::starts(view, &project)?;
    let into_output = output == ".next"
        || words.iter().any(|word| {
            word.trim_start_matches("./")
                .starts_with(&format!("{output}/"))
        });
    (fits && into_output).then_some(project)
}

/// Whether the manifest of the repository lists packages that are needed when something runs.
fn needs_of_root(view: &View<'_>) -> bool {
    let manifest = view.analysis.context().text("package.json");
    let manifest = manifest.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let list = manifest
        .as_ref()
        .and_then(|manifest| manifest["dependencies"].as_object());
    list.is_some_and(|list| !list.is_empty())
}

/// Whether what is started is a server that is installed by itself, and is told to serve the folder.
fn serves(view: &View<'_>, output: &str) -> bool {
    let called = view.analysis.called();
    let of_itself = |step: &RunStep<'_>| {
        let mut named = global(step).into_iter().flat_map(|one| &one.packages);
        named.any(|(name, _)| called.iter().any(|word| word == name))
    };
    called.iter().any(|word| word == output) && view.runs().iter().any(of_itself)
}

/// `npm install -g serve`: an install that reads no manifest.
fn global<'s>(step: &'s RunStep<'_>) -> Option<&'s Install> {
    match step.facts().installs.as_slice() {
        [install] if install.manifests.is_empty() && install.tool != "apt-get" => Some(install),
        _ => None,
    }
}

/// The part of a stage that installs and builds: its first and its last instruction, and the folder that it works in.
struct Built {
    first: usize,
    last: usize,
    workdir: String,
}

/// What is started depends on the last stage alone: a first part that stays, a part that builds, and what describes the start.
fn built(stage: &Stage, project: &NodeProject, runs: &[RunStep<'_>]) -> Option<Built> {
    let Base::Image(_) = stage.base else {
        return None;
    };
    let started = stage.end.workdir().trim_end_matches('/').to_owned();
    let installs = |step: &RunStep<'_>| {
        let mut installs = step.facts().installs.iter();
        installs.any(|install| !install.manifests.is_empty())
    };
    // The build is the last command but for those that set owners and rights, and runs scripts of the project.
    let built = runs.iter().rev().find(|step| !sets_owners(step))?;
    let installed = runs.iter().find(|step| installs(step))?;
    built.facts().reads.anything.as_ref()?;
    let scripts = runs
        .iter()
        .filter(|step| step.facts().reads.anything.is_some());
    if scripts.count() != 1 || runs.iter().any(|step| !step.facts().unmodelled.is_empty()) {
        return None;
    }
    let first = stage
        .instructions
        .iter()
        .position(|one| is_copy(&one.op))?
        .min(installed.at);
    let part = &stage.instructions[first..=built.at];
    // What would have to stand in two stages; what another stage brings; what stands in another folder.
    let plain = part.iter().all(|one| match &one.op {
        Op::Copy(copy) => copy.from == From::Context && !one.trigger,
        Op::Run(_) => !one.trigger,
        Op::Config | Op::Workdir(_) => false,
    });
    let ends = stage.instructions[built.at + 1..].iter().all(|one| {
        let stays = match one.op {
            Op::Workdir(_) => !project.packages.is_empty(),
            Op::Config | Op::Run(_) => true,
            Op::Copy(_) => false,
        };
        stays && !one.trigger
    });
    let workdir = part[0].before.workdir().trim_end_matches('/').to_owned();
    let own_folder = if project.folder.is_empty() {
        workdir.clone()
    } else {
        format!("{workdir}/{}", project.folder)
    };
    let same_folder = part
        .iter()
        .all(|one| one.before.workdir().trim_end_matches('/') == workdir)
        && started == own_folder;
    if !plain || !ends || !same_folder || workdir.is_empty() {
        return None;
    }
    let production = part[0].before.env.get("NODE_ENV") == Some("production");
    (!production).then_some(Built {
        first,
        last: built.at,
        workdir,
    })
}

fn is_copy(op: &Op) -> bool {
    matches!(op, Op::Copy(_))
}

fn edits(view: &View<'_>, stage: &Stage, project: &NodeProject) -> Option<EditSet> {
    let runs: Vec<RunStep<'_>> = view
        .runs()
        .into_iter()
        .filter(|step| step.stage.id == stage.id)
        .collect();
    let Built {
        first,
        last,
        workdir,
    } = built(stage, project, &runs)?;
    let text = view.file.text();
    let lines = |at: usize| Some(view.whole_lines(view.source(&stage.instructions[at])?.span()));
    let (start, end) = (lines(first)?.start, lines(last)?.end);
    // Where the whole project is copied into the folder, what was copied there before comes again.
    let whole =
        |one: &StageInstruction| match &one.op {
            Op::Copy(copy) => copy.destination.trim_end_matches('/') == workdir
                && copy.sources.iter().any(
                    |source| matches!(source, CopySource::Path(path) if path == "/" || path == "."),
                ),
            _ => false,
        };
    let from = (first..=last)
        .rev()
        .find(|&at| whole(&stage.instructions[at]));
    let is_static = matches!(project.delivery, Delivery::Static { .. });
    let line = |step: &&RunStep<'_>| lines(step.at);
    // The server, which the last stage needs and the build does not.
    let server_lines: Vec<Span> = runs
        .iter()
        .filter(|step| is_static && (first..last).contains(&step.at) && global(step).is_some())
        .map(|step| line(&step))
        .collect::<Option<_>>()?;
    let copies: String = (from.unwrap_or(first)..=last)
        .filter(|&at| is_copy(&stage.instructions[at].op))
        .map(|at| {
            let span = lines(at)?;
            let line = text[span.start as usize..span.end as usize].trim_end_matches(['\r', '\n']);
            Some(format!("{line}{}", view.line_break()))
        })
        .collect::<Option<_>>()?;
    let names = Names {
        base: free_name(view, "base"),
        dependencies: free_name(view, "dependencies"),
        builder: free_name(view, "builder"),
    };
    let mut edits = EditSet::new();
    let own = rename(view, stage, &names.base, &mut edits)?;
    let mut body = text[start as usize..end as usize].to_owned();
    let mut server = String::new();
    for span in server_lines.iter().rev() {
        let own = &text[span.start as usize..span.end as usize];
        server.insert_str(0, own);
        body.replace_range(
            (span.start - start) as usize..(span.end - start) as usize,
            "",
        );
    }
    let body = body.trim_end_matches(['\r', '\n']);
    let mut new = written(
        view,
        project,
        &names,
        &own,
        &Parts {
            body,
            copies: if is_static { &server } else { &copies },
            workdir: &workdir,
        },
    );
    // Stages stand apart by one blank line.
    if text[..start as usize].ends_with(&format!("{0}{0}", view.line_break())) {
        new.drain(..view.line_break().len());
    }
    edits.replace(Span::new(start, end), new).ok()?;
    Some(edits)
}

/// Whether a command makes users, or says to whom files belong.
pub(super) fn sets_owners(step: &RunStep<'_>) -> bool {
    let mut programs = step.facts().programs.iter();
    programs.all(|program| {
        matches!(
            program.as_str(),
            "chown" | "chmod" | "useradd" | "adduser" | "groupadd" | "addgroup" | "mkdir"
        )
    })
}

struct Names {
    base: String,
    dependencies: String,
    builder: String,
}

struct Parts<'p> {
    body: &'p str,
    copies: &'p str,
    workdir: &'p str,
}

/// Gives the first FROM the name of the shared stage; the stage's own name moves to the last one.
fn rename(view: &View<'_>, stage: &Stage, base: &str, edits: &mut EditSet) -> Option<String> {
    let from = view.file.instruction(stage.from);
    let Typed::From(from) = from.view() else {
        return None;
    };
    let word = view.keyword("AS");
    if let Some(name) = &from.name {
        edits.replace(name.span, base.to_owned()).ok()?;
        return Some(format!(" {word} {}", &**name));
    }
    edits
        .insert(from.image.span.end, format!(" {word} {base}"))
        .ok()?;
    Some(String::new())
}

fn written(
    view: &View<'_>,
    project: &NodeProject,
    names: &Names,
    own: &str,
    parts: &Parts<'_>,
) -> String {
    let newline = view.line_break();
    let [from, word, copy] = ["FROM", "AS", "COPY"].map(|keyword| view.keyword(keyword));
    let Names {
        base,
        dependencies,
        builder,
    } = names;
    let Parts {
        body,
        copies,
        workdir,
    } = parts;
    let is_static = matches!(project.delivery, Delivery::Static { .. });
    let install = recipe::node::install_run(project, true);
    let mut new = String::new();
    let mut line = |text: &str| new.push_str(&format!("{text}{newline}"));
    line("");
    if !is_static {
        line(&format!("{from} {base} {word} {dependencies}"));
        line("");
        line(&install.to_string());
        line("");
    }
    line(&format!("{from} {base} {word} {builder}"));
    line("");
    line(body);
    line("");
    line(&format!("{from} {base}{own}"));
    line("");
    if !is_static {
        // Packages of the repository have folders of their own for what they need.
        line(&if project.packages.is_empty() {
            format!("{copy} --from={dependencies} {workdir}/node_modules ./node_modules")
        } else {
            format!("{copy} --from={dependencies} {workdir} ./")
        });
    }
    new.push_str(copies);
    for output in &project.outputs {
        new.push_str(&format!(
            "{copy} --from={builder} {workdir}/{output} ./{output}{newline}"
        ));
    }
    new
}
