//! Takes the symbols out of native modules of Python packages: debuggers read them, the interpreter never does. In a stage that can strip,
//! or in a builder stage, where what strips stays behind.

use stagewright_syntax::edit::{EditError, EditSet};

use super::{Pass, RunStep, View};
use crate::facts::ImageFacts;
use crate::ledger::Role;
use crate::proposal::{Applicability, Proposal};
use crate::stage::{Base, Stage, is_root};

pub(super) const PASS: Pass = Pass {
    name: "strip_symbols",
    mends: false,
    propose,
};

/// Packages of distributions that bring `strip`.
const BRING: [&str; 5] = ["binutils", "build-base", "build-essential", "g++", "gcc"];

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    let chain = view.analysis.graph().chain();
    let runs = view.runs();
    for (at, step) in runs.iter().enumerate() {
        let folders = with_symbols(step);
        if folders.is_empty() {
            continue;
        }
        let of_stage = |one: &&RunStep<'_>| one.stage.id == step.stage.id;
        let stripped = runs[at..].iter().filter(of_stage);
        if stripped
            .clone()
            .any(|one| one.instruction.text.contains("strip --strip"))
        {
            continue;
        }
        let Some(facts) = image(view, step.stage) else {
            continue;
        };
        // One file that cannot be stripped is no failure: `find` does not tell of it.
        let strip = format!(
            "find {} -name '*.so*' -type f ! -path '*.libs/*' -exec strip --strip-unneeded {{}} \\;",
            folders.join(" ")
        );
        let before = runs[..=at].iter().filter(|one| {
            let below = view.analysis.graph().chain_of(step.stage.id);
            below.contains(&one.stage.id)
        });
        let brought = before.flat_map(|one| &one.facts().installs).any(|install| {
            let mut names = install.packages.iter();
            matches!(install.tool, "apt-get" | "apk" | "dnf")
                && names.any(|(name, _)| BRING.contains(&name.as_str()))
        });
        if facts.offers.command("strip") == Some(true) || brought {
            view.append(step, &strip, &mut edits)?;
            continue;
        }
        let root = is_root(&step.instruction.before.config.user);
        if root && !chain.contains(&step.stage.id) && facts.offers.command("apt-get") == Some(true)
        {
            let lines = [
                "apt-get update",
                "apt-get install -y --no-install-recommends binutils",
                &strip,
                "rm -rf /var/lib/apt/lists/*",
            ];
            let (escape, newline) = (view.file.escape(), view.line_break());
            let script = lines.join(&format!(" {escape}{newline}    && "));
            let keyword = view.keyword("RUN");
            let end = view.whole_lines(step.instruction.span).end;
            let broken = view.file.text()[..end as usize].ends_with('\n');
            let new = if broken {
                format!("{keyword} {script}{newline}")
            } else {
                format!("{newline}{keyword} {script}")
            };
            edits.insert(end, new)?;
        }
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        Proposal::new(
            "strip the symbols of native modules",
            Applicability::Unsafe,
            edits,
        )
        .assuming(["nobody debugs native code in the image, and no package checks its files against their hashes"]),
    ])
}

/// The folders of packages whose native modules bring symbols into a layer.
fn with_symbols<'a>(step: &'a RunStep<'_>) -> Vec<&'a str> {
    let mut folders: Vec<&str> = Vec::new();
    for (path, node) in &step.layer.nodes {
        let mut parts = node.parts.iter();
        let symbols = parts.any(|part| part.role == Role::Symbols && part.size.expected > 0);
        let folder = path.rsplit_once('/').map(|(folder, _)| folder);
        if let (true, Some(folder)) = (symbols, folder)
            && !folders.contains(&folder)
        {
            folders.push(folder);
        }
    }
    folders
}

/// What is known of the image that a stage is built on in the end.
fn image<'v>(view: &View<'v>, stage: &Stage) -> Option<&'v ImageFacts> {
    let graph = view.analysis.graph();
    let first = *graph.chain_of(stage.id).first()?;
    match &graph.stage(first).base {
        Base::Image(image) => view.analysis.image(image),
        _ => None,
    }
}
