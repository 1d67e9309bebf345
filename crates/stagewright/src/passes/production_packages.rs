//! Installs the packages of production alone: test runners, compilers and watchers stay out of the image.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::Script;

use super::{Pass, RunStep, View};
use crate::project::node::{self, Delivery, NodeManager, NodeProject};
use crate::project::python;
use crate::proposal::{Applicability, Proposal};
use crate::recipe;

pub(super) const PASS: Pass = Pass {
    name: "production_packages",
    mends: false,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let runs = view.runs();
    // A script of the project may need anything that is installed.
    let scripts = |step: &RunStep<'_>| {
        step.facts().reads.anything.is_some() || !step.facts().unmodelled.is_empty()
    };
    if runs.iter().any(scripts) {
        return Ok(Vec::new());
    }
    let flags = match eligible(view) {
        Some(project) => {
            let all = runs.iter().filter_map(|step| flag(view, step, project.manager));
            let assumption = "the application loads no package of `devDependencies`: none of its scripts names one";
            Some((all.collect(), assumption))
        }
        None => python_flags(view, &runs).map(|all| {
            let assumption = "the application loads no package of its groups for development: none of its sources names one";
            (all, assumption)
        }),
    };
    let (flags, assumption): (Vec<_>, _) = flags.unwrap_or_default();
    let mut edits = EditSet::new();
    for (at, flag) in flags {
        edits.insert(at, flag)?;
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Proposal {
        title: "install no development dependencies".into(),
        applicability: Applicability::Safe,
        assumptions: vec![assumption.into()],
        warnings: Vec::new(),
        edits,
        dockerignore: None,
    }])
}

/// The project, where it is started as it is and needs nothing that is for developers.
fn eligible(view: &View<'_>) -> Option<NodeProject> {
    let project = node::detect(view.analysis.context(), None).ok()??;
    let plain = project.delivery == Delivery::Sources
        && project.packages.is_empty()
        && project.lifecycle.is_empty()
        && project.named_development.is_none()
        && !project.development.is_empty();
    let words = starts(view, &project)?;
    (plain && !recipe::node::names_development(&project, &words)).then_some(project)
}

/// The words that start the application, behind `npm start` and its like.
pub(super) fn starts(view: &View<'_>, project: &NodeProject) -> Option<Vec<String>> {
    let config = &view.analysis.graph().target_stage().end.config;
    // The official images start everything through a script of theirs.
    let words: Vec<String> = [&config.entrypoint, &config.cmd]
        .into_iter()
        .flatten()
        .flatten()
        .filter(|word| *word != "docker-entrypoint.sh")
        .cloned()
        .collect();
    // A command in shell form.
    let words = match words.as_slice() {
        [shell, flag, script] if shell.ends_with("sh") && flag == "-c" => {
            script.split_whitespace().map(str::to_owned).collect()
        }
        _ => words,
    };
    let text: Vec<&str> = words.iter().map(String::as_str).collect();
    match text.as_slice() {
        ["npm" | "yarn" | "pnpm", "start"]
        | ["npm" | "yarn" | "pnpm", "run", "start" | "start:prod"] => project.command.clone().ok(),
        ["node", ..] | ["next", "start", ..] => Some(words),
        _ => None,
    }
}

/// Where and how the install of a RUN is told to leave out what is for developers.
fn flag(view: &View<'_>, step: &RunStep<'_>, manager: NodeManager) -> Option<(u32, &'static str)> {
    let script = view.script(step)?;
    let parsed = Script::parse(&script.text);
    let install = step.facts().installs.iter().find(|install| {
        matches!(install.tool, "npm" | "pnpm" | "yarn") && !install.manifests.is_empty()
    })?;
    let words = &parsed.commands.get(install.command)?.words;
    let told = words
        .iter()
        .filter_map(stagewright_syntax::shell::Word::literal)
        .any(|word| {
            [
                "--omit",
                "--prod",
                "--production",
                "--only",
                "--include",
                "-P",
                "-D",
                "--dev",
            ]
            .iter()
            .any(|option| word.starts_with(option))
        });
    if told || step.instruction.before.env.get("NODE_ENV").is_some() {
        return None;
    }
    let named = words.iter().find(|word| {
        matches!(
            word.literal().as_deref(),
            Some("install" | "i" | "ci" | "clean-install")
        )
    });
    let word = named.or_else(|| words.first())?;
    let flag = match manager {
        NodeManager::Npm => " --omit=dev",
        NodeManager::Pnpm => " --prod",
        NodeManager::YarnClassic => " --production",
        // It has a command of its own for that.
        NodeManager::Yarn => return None,
    };
    Some((script.source_span(word.span).end, flag))
}

/// A manager of Python's packages that installs groups for developers unless told otherwise.
///
/// Sources: <https://docs.astral.sh/uv/reference/cli/#uv-sync>, <https://python-poetry.org/docs/cli/#install>,
/// <https://pdm-project.org/latest/reference/cli/#install>.
struct PythonInstaller {
    program: &'static str,
    commands: &'static [&'static str],
    flag: &'static str,
    /// Options that choose groups; short ones may hold their value.
    options: &'static [&'static str],
    /// Variables that do.
    variables: &'static [&'static str],
}

const PYTHON: [PythonInstaller; 3] = [
    PythonInstaller {
        program: "uv",
        commands: &["sync"],
        flag: " --no-dev",
        options: &[
            "--dev",
            "--no-dev",
            "--only-dev",
            "--group",
            "--no-group",
            "--only-group",
            "--all-groups",
            "--no-default-groups",
        ],
        variables: &["UV_DEV", "UV_NO_DEV", "UV_NO_GROUP", "UV_NO_DEFAULT_GROUPS"],
    },
    PythonInstaller {
        program: "poetry",
        commands: &["install", "sync"],
        flag: " --only main",
        options: &[
            "--with",
            "--without",
            "--only",
            "--no-dev",
            "--dev-only",
            "--all-groups",
        ],
        variables: &["POETRY_WITH", "POETRY_WITHOUT", "POETRY_ONLY"],
    },
    PythonInstaller {
        program: "pdm",
        commands: &["install", "sync"],
        flag: " --prod",
        options: &[
            "-d",
            "-G",
            "--dev",
            "--no-dev",
            "--prod",
            "--group",
            "--with",
            "--without",
        ],
        variables: &[],
    },
];

/// Where and how every install of a Python project is told to leave out what is for developers; nothing where the author has said so of
/// one of them, or where a package of these may be needed.
fn python_flags(view: &View<'_>, runs: &[RunStep<'_>]) -> Option<Vec<(u32, &'static str)>> {
    let installs = |tool: &str| {
        let mut all = runs.iter().flat_map(|step| &step.facts().installs);
        all.any(|install| install.tool == tool)
    };
    let tool = PYTHON.iter().find(|tool| installs(tool.program))?;
    // Another target, of tests, may need them.
    let stages = &view.analysis.graph().stages;
    let others = stages.iter().any(|stage| !stage.reachable);
    if others || unneeded(view, tool.program)?.is_empty() || started_by_uv(view) {
        return None;
    }
    let mut flags = Vec::new();
    for step in runs {
        for install in &step.facts().installs {
            if install.tool != tool.program {
                continue;
            }
            let script = view.script(step)?;
            let parsed = Script::parse(&script.text);
            let words = &parsed.commands.get(install.command)?.words;
            let literal: Vec<_> = words
                .iter()
                .map(|word| word.literal().unwrap_or_default())
                .collect();
            let told = literal
                .iter()
                .any(|word| tool.options.iter().any(|option| word.starts_with(option)));
            let env = &step.instruction.before.env;
            let set = tool.variables.iter().any(|name| env.get(name).is_some());
            let at = literal
                .iter()
                .position(|word| tool.commands.contains(&word.as_ref()))?;
            if told || set || literal[0] != tool.program {
                return None;
            }
            flags.push((script.source_span(words[at].span).end, tool.flag));
        }
    }
    Some(flags)
}

/// The packages that a manager installs for developers alone, where the application names none of them and starts none.
pub(super) fn unneeded(view: &View<'_>, tool: &str) -> Option<Vec<String>> {
    let context = view.analysis.context();
    let packages = python::development(context, tool)?;
    let named = python::named(&packages, context, view.analysis.called()).is_some();
    (!named).then_some(packages)
}

/// Whether the application is started by `uv run`, which installs the group `dev` where it is not there.
fn started_by_uv(view: &View<'_>) -> bool {
    let called = view.analysis.called();
    let calls = |wanted: &str| called.iter().any(|word| word == wanted);
    let env = &view.analysis.graph().target_stage().end.env;
    calls("uv") && !calls("--no-sync") && !calls("--no-dev") && env.get("UV_NO_SYNC").is_none()
}
