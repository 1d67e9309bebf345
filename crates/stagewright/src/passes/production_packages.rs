//! Installs the packages of production alone: test runners, compilers and watchers stay out of the image.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::Script;

use super::{Pass, RunStep, View};
use crate::project::node::{self, Delivery, NodeManager, NodeProject};
use crate::proposal::{Applicability, Proposal};

pub(super) const PASS: Pass = Pass {
    name: "production_packages",
    mends: false,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let Some(project) = eligible(view) else {
        return Ok(Vec::new());
    };
    let mut edits = EditSet::new();
    for step in view.runs() {
        // A script of the project may need anything that is installed.
        if step.facts().reads.anything.is_some() || !step.facts().unmodelled.is_empty() {
            return Ok(Vec::new());
        }
        if let Some((at, flag)) = flag(view, &step, project.manager) {
            edits.insert(at, flag)?;
        }
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Proposal {
        title: "install no development dependencies".into(),
        applicability: Applicability::Safe,
        assumptions: vec![
            "the application loads no package of `devDependencies`: none of its scripts names one"
                .into(),
        ],
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
    (plain && starts(view, &project).is_some()).then_some(project)
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
