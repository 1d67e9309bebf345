//! Removes package lists of Debian in the layer that downloads them: a later layer would only hide them.

use stagewright_syntax::edit::{EditError, EditSet};

use super::{Pass, View};
use crate::proposal::{Applicability, Proposal};

pub(super) const PASS: Pass = Pass {
    name: "apt_lists",
    mends: false,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    let graph = view.analysis.graph();
    let runs = view.runs();
    for (at, step) in runs.iter().enumerate() {
        let mut clean = Vec::new();
        for cache in &step.facts().caches {
            let lists = cache.tool == "apt-get" && !clean.contains(&cache.path);
            // A later install that downloads no lists of its own still needs these, in this stage or in one that builds on it.
            let needed = runs[at + 1..].iter().any(|later| {
                graph.chain_of(later.stage.id).contains(&step.stage.id)
                    && later
                        .facts()
                        .installs
                        .iter()
                        .any(|install| install.tool == cache.tool)
                    && !later
                        .facts()
                        .caches
                        .iter()
                        .any(|other| other.path == cache.path)
            });
            if lists && !needed && step.holds(&cache.path) {
                clean.push(cache.path.clone());
            }
        }
        if clean.is_empty() {
            continue;
        }
        let targets: Vec<String> = clean.iter().map(|path| format!("{path}/*")).collect();
        let command = format!("rm -rf {}", targets.join(" "));
        view.append(step, &command, &mut edits)?;
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![Proposal {
        title: "remove package lists in the layer that downloads them".into(),
        applicability: Applicability::Safe,
        assumptions: vec!["no later step installs from these lists".into()],
        warnings: Vec::new(),
        edits,
        dockerignore: None,
    }])
}
