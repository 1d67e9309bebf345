//! Keeps the caches of package managers out of the layer: a cache mount holds them for the next build instead.

use stagewright_syntax::edit::{EditError, EditSet};

use super::{Pass, RunStep, View};
use crate::proposal::{Applicability, Proposal};
use crate::stage::is_root;

pub(super) const PASS: Pass = Pass {
    name: "package_cache",
    mends: false,
    propose,
};

/// Tools whose cache no later step of a build needs.
const KEPT: [&str; 6] = ["pip", "npm", "pnpm", "yarn", "uv", "poetry"];

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    let mut tools = Vec::new();
    for step in view.runs() {
        let Some(source) = view.source(step.instruction) else {
            continue;
        };
        let Some(owner) = owner(view, &step) else {
            continue;
        };
        let mut mounts: Vec<String> = Vec::new();
        for cache in &step.facts().caches {
            // Lists and indexes are cleaned where they are made (`apt_lists`): a mount would hide them from later steps.
            let mut mount = format!("--mount=type=cache,target={}{owner}", cache.path);
            // Two installs at once spoil the cache of yarn 1.
            if cache.tool == "yarn" && cache.path.ends_with(".cache/yarn") {
                mount.push_str(",sharing=locked");
            }
            if !KEPT.contains(&cache.tool) || mounts.contains(&mount) {
                continue;
            }
            mounts.push(mount);
            if !tools.contains(&cache.tool) {
                tools.push(cache.tool);
            }
        }
        if !mounts.is_empty() {
            edits.insert(view.arguments_start(&source), view.flags(&mounts))?;
        }
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Proposal {
        title: format!(
            "keep the cache of {} out of the layer, in a cache mount",
            tools.join(" and ")
        ),
        applicability: Applicability::Safe,
        assumptions: vec![
            "no later step reads the cache".into(),
            "the builder is BuildKit".into(),
        ],
        warnings: Vec::new(),
        edits,
        dockerignore: None,
    }])
}

/// To whom a cache mount belongs: to root if nobody says another (`frontend/dockerfile/dockerfile2llb/convert_runmount.go`, v0.32.2), and
/// what runs as somebody else cannot write to it then. `None` where the number of the user stands nowhere.
fn owner(view: &View<'_>, step: &RunStep<'_>) -> Option<String> {
    let user = &step.instruction.before.config.user;
    if is_root(user) {
        return Some(String::new());
    }
    let name = user.split(':').next().unwrap_or_default();
    let base = view.analysis.record().stages[step.stage.id.0]
        .image
        .as_deref();
    let of_node = || {
        let facts = view.analysis.image(base?)?;
        (name == "node" && facts.family == "node").then_some(1000)
    };
    let number = name.parse::<u32>().ok().or_else(of_node)?;
    Some(format!(",uid={number}"))
}
