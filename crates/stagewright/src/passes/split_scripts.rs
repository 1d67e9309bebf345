//! Installs the packages of a Node project before its source where scripts of the project run after the install: the packages come
//! first, the scripts when the source is there.
//!
//! ```text
//! COPY . .      →   RUN --mount=type=bind,… npm ci --ignore-scripts
//! RUN npm ci        COPY . .
//!                   RUN npm run postinstall
//! ```

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::Script;

use super::manifests_first;
use super::{Pass, RunStep, View, attempt};
use crate::project::node::{self, NodeManager, NodeProject};
use crate::proposal::{Applicability, Proposal};
use crate::recipe;

pub(super) const PASS: Pass = Pass {
    name: "split_scripts",
    mends: false,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let Some(project) = eligible(view) else {
        return Ok(Vec::new());
    };
    let mut edits = EditSet::new();
    for step in view.runs() {
        attempt(&mut edits, |edits| split(view, &step, &project, edits));
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    let scripts = project.lifecycle.join("` and `");
    Ok(vec![
        Proposal::new(
            "install packages before the source is copied, and run the project's own scripts after it",
            Applicability::Safe,
            edits,
        )
        .assuming([
            format!("`{scripts}` of `package.json` needs nothing of npm but the packages that are installed"),
            "scripts of packages read nothing of the project".to_owned(),
        ]),
    ])
}

/// A project of one package whose scripts npm runs after an install, with a lock file that says which packages run scripts as well.
fn eligible(view: &View<'_>) -> Option<NodeProject> {
    let project = node::detect(view.analysis.context(), None).ok()??;
    let fits = project.manager == NodeManager::Npm
        && project.scripted.is_some()
        && project.packages.is_empty()
        && !project.lifecycle.is_empty()
        && !project.lifecycle.contains(&"preinstall");
    fits.then_some(project)
}

fn split(
    view: &View<'_>,
    step: &RunStep<'_>,
    project: &NodeProject,
    edits: &mut EditSet,
) -> Option<()> {
    let [install] = step.facts().installs.as_slice() else {
        return None;
    };
    if install.tool != "npm" || install.manifests.is_empty() || !step.facts().unmodelled.is_empty()
    {
        return None;
    }
    let source = view.source(step.instruction)?;
    let script = view.script(step)?;
    let parsed = Script::parse(&script.text);
    let [command] = parsed.commands.as_slice() else {
        return None;
    };
    let told = command
        .words
        .iter()
        .any(|word| word.literal().is_none_or(|word| word.contains("scripts")));
    let verb = command.words.iter().find(|word| {
        matches!(
            word.literal().as_deref(),
            Some("install" | "i" | "ci" | "clean-install")
        )
    })?;
    let at = super::split_runs::copied_before(step)?;
    let brought = manifests_first::brought(view, step.stage, at)?;
    let modules = format!("{}/node_modules/", install.prefix.trim_end_matches('/'));
    let beside = brought
        .iter()
        .any(|(target, _)| target.starts_with(&modules));
    let moves = stage_moves(step, at);
    if told
        || beside
        || moves && manifests_first::relative_destination(&step.stage.instructions[at].text)
    {
        return None;
    }
    let read = manifests_first::manifests_of(install, &brought);
    if read.len() == brought.len() || read.is_empty() {
        return None;
    }
    let read = manifests_first::with_members(view, read, &brought)?;
    let folder = step.instruction.before.workdir().trim_end_matches('/');
    // The install as it is written, without scripts of the project.
    let lines = view.whole_lines(source.span());
    let text = view.file.text();
    let newline = view.line_break();
    let mut own = EditSet::new();
    let verb = script.source_span(verb.span);
    let production = step.instruction.before.env.get("NODE_ENV") == Some("production")
        || command.words.iter().any(|word| {
            word.literal()
                .is_some_and(|word| word.contains("omit=dev") || word.contains("production"))
        });
    own.insert(verb.end - lines.start, " --ignore-scripts")
        .ok()?;
    let rebuild = recipe::node::rebuild(project, production);
    let end = script.source_span(command.span).end;
    own.insert(end - lines.start, rebuild).ok()?;
    let mut before = String::new();
    if install.writes_manifests {
        before = manifests_first::copied(view, &read, folder)?;
    } else {
        let mounts: Vec<String> = read
            .iter()
            .map(|manifest| manifests_first::mount(manifest, folder))
            .collect();
        own.insert(
            view.arguments_start(&source) - lines.start,
            view.flags(&mounts),
        )
        .ok()?;
    }
    let install = own.apply(&text[lines.start as usize..lines.end as usize]);
    let install = install.trim_end_matches(['\r', '\n']);
    let copy = view.commented_lines(step.stage.instructions[at].index);
    let copied = text[copy.start as usize..copy.end as usize].trim_end_matches(['\r', '\n']);
    let scripts: Vec<String> = project
        .lifecycle
        .iter()
        .map(|name| format!("npm run {name}"))
        .collect();
    let run = view.keyword("RUN");
    let new = format!(
        "{before}{install}{newline}{copied}{newline}{run} {}{newline}",
        scripts.join(" && ")
    );
    edits.delete(copy).ok()?;
    edits.replace(lines, new).ok()?;
    Some(())
}

/// Whether the working directory changes between a COPY and the RUN that follows it.
fn stage_moves(step: &RunStep<'_>, at: usize) -> bool {
    let copy = &step.stage.instructions[at];
    copy.before.workdir() != step.instruction.before.workdir()
}
