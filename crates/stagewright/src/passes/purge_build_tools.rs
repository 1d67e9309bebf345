//! Compilers out of the layer that needs them no longer: where no stage of its own can build, they go in the RUN that has installed them
//! and compiled with them. In a later layer they would only be hidden.

use stagewright_syntax::edit::{EditError, EditSet};

use super::{Pass, RunStep, View};
use crate::proposal::{Applicability, Proposal};

pub(super) const PASS: Pass = Pass {
    name: "purge_build_tools",
    mends: false,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let graph = view.analysis.graph();
    let chain = graph.chain();
    // What the base has, an installation does not bring, and a removal takes away.
    let none = |program: &str| {
        let base = view.analysis.base_facts();
        base.is_some_and(|facts| facts.offers.command(program) == Some(false))
    };
    if !none("gcc") || !none("make") {
        return Ok(Vec::new());
    }
    let mut edits = EditSet::new();
    let mut all = Vec::new();
    let runs: Vec<RunStep<'_>> = view
        .runs()
        .into_iter()
        .filter(|step| chain.contains(&step.stage.id))
        .collect();
    for (at, step) in runs.iter().enumerate() {
        let Some((tool, names)) = removable(view, step) else {
            continue;
        };
        if runs[at + 1..].iter().any(compiles) {
            continue;
        }
        let names = names.join(" ");
        let command = match tool {
            "apk" => format!("apk del {names}"),
            _ => format!("apt-get purge -y --auto-remove {names}"),
        };
        if view.append(step, &command, &mut edits)? {
            all.push(names);
        }
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        Proposal::new(
            format!("remove {} in the layer that compiles with them", all.join(" and ")),
            Applicability::Unsafe,
            edits,
        )
        .assuming(["what was compiled needs no library that came with the build tools alone, and the application compiles nothing itself"]),
    ])
}

/// The build tools that a RUN installs and its later commands compile with; nothing where it removes packages itself.
fn removable<'s>(view: &View<'_>, step: &'s RunStep<'_>) -> Option<(&'static str, Vec<&'s str>)> {
    let text = &step.instruction.text;
    if [
        "purge",
        "autoremove",
        "remove",
        "apk del",
        "--virtual",
        " -t ",
    ]
    .iter()
    .any(|word| text.contains(word))
    {
        return None;
    }
    let installs = &step.facts().installs;
    let system = |tool: &str| matches!(tool, "apt-get" | "apk");
    let tools = view.analysis.catalog().tools();
    let of_system = installs.iter().filter(|install| system(install.tool));
    let first = of_system.clone().next()?;
    let consumed = installs
        .iter()
        .any(|install| !system(install.tool) && install.command > first.command);
    let packages = of_system.flat_map(|install| &install.packages);
    let names: Vec<&str> = packages
        .map(|(name, _)| name.as_str())
        .filter(|name| tools.is_build_tool(name))
        .collect();
    (consumed && !names.is_empty()).then_some((first.tool, names))
}

/// Whether a RUN may need compilers.
fn compiles(step: &RunStep<'_>) -> bool {
    const COMPILERS: [&str; 8] = ["cc", "gcc", "g++", "c++", "make", "cmake", "git", "cargo"];
    let facts = step.facts();
    !facts.unmodelled.is_empty()
        || facts.reads.anything.is_some()
        || facts
            .programs
            .iter()
            .any(|program| COMPILERS.contains(&program.as_str()))
        || facts
            .installs
            .iter()
            .any(|install| !matches!(install.tool, "apt-get" | "apk"))
}
