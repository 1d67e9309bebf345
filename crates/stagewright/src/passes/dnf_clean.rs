//! Removes what `dnf` and its relatives have downloaded in the layer that installs: a later layer would only hide it, and the next
//! install downloads it again.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::{Script, Word};

use super::{Pass, RunStep, View};
use crate::proposal::{Applicability, Proposal};

pub(super) const PASS: Pass = Pass {
    name: "dnf_clean",
    mends: false,
    propose,
};

/// Programs, each with how it removes its caches.
const CLEANS: [(&str, &str); 6] = [
    ("dnf", "dnf clean all"),
    ("dnf5", "dnf5 clean all"),
    ("microdnf", "microdnf clean all"),
    ("tdnf", "tdnf clean all"),
    ("yum", "yum clean all"),
    ("zypper", "zypper clean --all"),
];

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    let mut tools: Vec<&str> = Vec::new();
    let runs = view.runs();
    let offline = |step: &RunStep<'_>| {
        let mut words = step.instruction.text.split_whitespace();
        words.any(|word| matches!(word, "-C" | "--cacheonly" | "--no-refresh"))
    };
    if !runs.iter().any(|step| step.stores("dnf")) || runs.iter().any(offline) {
        return Ok(Vec::new());
    }
    // Were one cleaned alone, the next would download anew and keep it.
    for step in &runs {
        // The author keeps them in a cache mount, or takes them away.
        let text = &step.instruction.text;
        if text.contains("/var/cache") || text.contains(" clean") {
            continue;
        }
        let script = view.shell_text(step);
        let Some((tool, command)) = script.and_then(|script| cleans(&script)) else {
            continue;
        };
        if view.append(step, command, &mut edits)? && !tools.contains(&tool) {
            tools.push(tool);
        }
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        Proposal::new(
            format!(
                "remove what {} has downloaded in the layer that installs",
                tools.join(" and ")
            ),
            Applicability::Safe,
            edits,
        )
        .assuming(["each later install downloads the metadata that it needs"]),
    ])
}

/// The program by which a script installs, and how it removes its caches.
fn cleans(script: &str) -> Option<(&'static str, &'static str)> {
    const INSTALLS: [&str; 12] = [
        "install",
        "localinstall",
        "in",
        "groupinstall",
        "reinstall",
        "module",
        "group",
        "update",
        "upgrade",
        "distro-sync",
        "dup",
        "makecache",
    ];
    let parsed = Script::parse(script);
    parsed.commands.iter().rev().find_map(|command| {
        let words: Vec<_> = command.words.iter().filter_map(Word::literal).collect();
        let program = words.first()?;
        let installs = words.iter().any(|word| INSTALLS.contains(&word.as_ref()));
        let tool = CLEANS.iter().find(|(name, _)| name == program);
        tool.copied().filter(|_| installs)
    })
}
