//! uv, Poetry and PDM install the project with its packages: the packages of the lock file come first, the project when its source is
//! there.
//!
//! ```text
//! COPY . .      →   RUN --mount=type=bind,… uv sync --no-install-project
//! RUN uv sync       COPY . .
//!                   RUN uv sync
//! ```

use stagewright_syntax::Keyword;
use stagewright_syntax::edit::EditSet;
use stagewright_syntax::shell::Script;

use crate::passes::manifests_first;
use crate::passes::split_stages::alone::installs_alone;
use crate::passes::{RunStep, View};
use crate::stage::{From, Op};

/// What a manifest says where an install reads more of the repository than the manifest and the lock file.
const BESIDE: [&str; 5] = ["workspace", "path =", "path=", "file:", "develop ="];

/// Splits the install of a step, if it is one of a lock file and of the project itself.
pub(super) fn split(view: &View<'_>, step: &RunStep<'_>, runs: &[RunStep<'_>]) -> Option<EditSet> {
    let [install] = step.facts().installs.as_slice() else {
        return None;
    };
    let packages_alone = match install.tool {
        "uv" => " --no-install-project",
        "poetry" => " --no-root",
        "pdm" => " --no-self",
        _ => return None,
    };
    let itself = step.facts().reads.anything.is_some() && !install.packages.is_empty();
    if !itself || !step.facts().unmodelled.is_empty() || !installs_alone(view, step) {
        return None;
    }
    let (at, settings) = copied_before(step, install.tool, runs)?;
    let copy = &step.stage.instructions[at];
    let brought = manifests_first::brought(view, step.stage, at)?;
    let read = manifests_first::manifests_of(install, &brought);
    let context = view.analysis.context();
    let beside = read.iter().any(|manifest| {
        let text = context.text(&manifest.source).unwrap_or_default();
        manifest.source.ends_with(".toml") && BESIDE.iter().any(|word| text.contains(word))
    });
    let environment = format!("{}/", install.prefix);
    let overlaps = brought
        .iter()
        .any(|(target, _)| target.starts_with(&environment));
    let moves = copy.before.workdir() != step.instruction.before.workdir();
    if beside || overlaps || moves || read.len() == brought.len() {
        return None;
    }
    let script = view.script(step)?;
    let parsed = Script::parse(&script.text);
    let command = parsed.commands.get(install.command)?;
    let verb = command.words.iter().find(|word| {
        let word = word.literal();
        matches!(word.as_deref(), Some("install" | "sync"))
    })?;
    let text = view.file.text();
    let source = view.source(step.instruction)?;
    let lines = view.whole_lines(source.span());
    let folder = step.instruction.before.workdir().trim_end_matches('/');
    let mounts: Vec<String> = read
        .iter()
        .map(|manifest| manifests_first::mount(manifest, folder))
        .collect();
    let mut own = EditSet::new();
    let start = view.arguments_start(&source) - lines.start;
    own.insert(start, view.flags(&mounts)).ok()?;
    let end = script.source_span(verb.span).end - lines.start;
    own.insert(end, packages_alone).ok()?;
    let written = &text[lines.start as usize..lines.end as usize];
    let mut edits = EditSet::new();
    let mut new = String::new();
    for setting in settings {
        let lines = view.commented_lines(step.stage.instructions[setting].index);
        new.push_str(&text[lines.start as usize..lines.end as usize]);
        edits.delete(lines).ok()?;
    }
    let copied = view.commented_lines(copy.index);
    new.push_str(&own.apply(written));
    new.push_str(&text[copied.start as usize..copied.end as usize]);
    new.push_str(written);
    edits.delete(copied).ok()?;
    edits.replace(lines, new).ok()?;
    Some(edits)
}

/// The COPY from the context before a step, and the settings of the tool between the two.
fn copied_before(
    step: &RunStep<'_>,
    tool: &str,
    runs: &[RunStep<'_>],
) -> Option<(usize, Vec<usize>)> {
    let mut settings = Vec::new();
    for at in (0..step.at).rev() {
        let instruction = &step.stage.instructions[at];
        match &instruction.op {
            Op::Copy(copy) => {
                settings.reverse();
                let context = copy.from == From::Context && !instruction.trigger;
                return context.then_some((at, settings));
            }
            Op::Config
                if matches!(
                    instruction.keyword,
                    Keyword::Expose | Keyword::Label | Keyword::Cmd | Keyword::Entrypoint
                ) => {}
            Op::Run(_) => {
                let own = |run: &&RunStep<'_>| run.stage.id == step.stage.id && run.at == at;
                let facts = runs.iter().find(own)?.facts();
                let setting = facts.installs.is_empty()
                    && facts.unmodelled.is_empty()
                    && facts.reads.anything.is_none()
                    && facts.reads.paths.is_empty()
                    && facts.programs.iter().all(|program| program == tool);
                if !setting {
                    return None;
                }
                settings.push(at);
            }
            _ => return None,
        }
    }
    None
}
