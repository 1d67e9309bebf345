//! Runs the application as a user without rights.

use stagewright_syntax::edit::{EditError, EditSet};

use super::{Pass, View};
use crate::proposal::{Applicability, Proposal};
use crate::stage::is_root;

pub(super) const PASS: Pass = Pass {
    name: "non_root",
    mends: true,
    propose,
};

/// A number above those that distributions give to their services; it needs no entry in `/etc/passwd`, hence no layer.
const USER: &str = "10001:10001";

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let stage = view.analysis.graph().target_stage();
    let config = &stage.end.config;
    let known = view
        .analysis
        .base_facts()
        .is_some_and(|facts| matches!(facts.user.as_str(), "" | "root"));
    // What an unknown base runs as is not known either.
    if !is_root(&config.user) || !known || (config.cmd.is_none() && config.entrypoint.is_none()) {
        return Ok(Vec::new());
    }
    // Ports below 1024 were reserved for root; container engines have lowered that limit, others have not.
    if config.ports.iter().any(|port| {
        port.split(['/', '-'])
            .next()
            .and_then(|port| port.parse::<u32>().ok())
            .is_some_and(|port| port < 1024)
    }) {
        return Ok(Vec::new());
    }
    // Behind these names corepack starts what it keeps in the home of the user who installed; the others write into their environment, or
    // into a cache in that home.
    let managers = |words: &Vec<String>| {
        let program = words
            .iter()
            .find(|word| !word.ends_with("sh") && *word != "-c");
        program.is_some_and(|word| {
            matches!(
                word.split(' ').next(),
                Some("pnpm" | "yarn" | "uv" | "poetry" | "pdm" | "pipenv")
            )
        })
    };
    if [&config.entrypoint, &config.cmd]
        .into_iter()
        .flatten()
        .any(managers)
    {
        return Ok(Vec::new());
    }
    // Before the first of the instructions at the end that only describe how to start.
    let described = stage.instructions.iter().rev().take_while(|instruction| {
        use stagewright_syntax::Keyword as K;
        matches!(
            instruction.keyword,
            K::Cmd | K::Entrypoint | K::Expose | K::Healthcheck | K::Stopsignal | K::Label
        )
    });
    let Some(place) = described
        .last()
        .and_then(|instruction| view.source(instruction))
    else {
        return Ok(Vec::new());
    };
    let mut edits = EditSet::new();
    let line = view.whole_lines(place.span());
    edits.insert(line.start, format!("USER {USER}{}", view.line_break()))?;
    Ok(vec![Proposal {
        title: format!("run as user {USER}, not as root"),
        applicability: Applicability::Unsafe,
        assumptions: vec!["the application writes to no folder that belongs to root, and needs no entry in /etc/passwd".into()],
        warnings: Vec::new(),
        edits,
        dockerignore: None,
    }])
}
