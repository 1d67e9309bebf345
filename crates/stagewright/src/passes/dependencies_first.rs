//! Installs what a Python project depends on before its source is copied, and the project alone after it: `pip install .` does both at
//! once, and every edit of the source installs everything anew.

mod locked;

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::Script;

use super::{Pass, RunStep, View};
use crate::project::python;
use crate::proposal::{Applicability, Proposal};
use crate::recipe;
use crate::stage::{From, Op};

pub(super) const PASS: Pass = Pass {
    name: "dependencies_first",
    mends: false,
    propose,
};

/// The first Python that reads TOML by itself.
const READS_TOML: (u32, u32) = (3, 11);

/// Where the manifest is mounted: the working directory need not be there yet.
const MANIFEST: &str = "/tmp/pyproject.toml";

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let runs = view.runs();
    if let Some(edits) = runs
        .iter()
        .find_map(|step| locked::split(view, step, &runs))
    {
        return Ok(vec![
            Proposal::new(
                "install the packages of the lock file before the source is copied, and the project after it",
                Applicability::Safe,
                edits,
            )
            .assuming(["packages read nothing of the project when they are built"]),
        ]);
    }
    let reads_toml = view
        .analysis
        .base_facts()
        .and_then(crate::facts::ImageFacts::python_version)
        .is_some_and(|version| version >= READS_TOML);
    let text = view.analysis.context().text("pyproject.toml");
    if !reads_toml || !text.is_some_and(python::lists_dependencies) {
        return Ok(Vec::new());
    }
    let Some(edits) = runs.iter().find_map(|step| split(view, step, &runs)) else {
        return Ok(Vec::new());
    };
    Ok(vec![Proposal {
        title: "install what the project depends on before its source is copied".into(),
        applicability: Applicability::Safe,
        assumptions: vec![
            "the build of the project adds no dependency to those in `pyproject.toml`".into(),
        ],
        warnings: Vec::new(),
        edits,
        dockerignore: None,
    }])
}

fn split(view: &View<'_>, step: &RunStep<'_>, runs: &[RunStep<'_>]) -> Option<EditSet> {
    let stage = step.stage;
    let [install] = step.facts().installs.as_slice() else {
        return None;
    };
    if install.tool != "pip" || !step.facts().unmodelled.is_empty() {
        return None;
    }
    let script = view.script(step)?;
    let parsed = Script::parse(&script.text);
    let command = parsed.commands.get(install.command)?;
    let words: Vec<String> = command
        .words
        .iter()
        .map(|word| word.literal().map(std::borrow::Cow::into_owned))
        .collect::<Option<_>>()?;
    let at = words.iter().position(|word| word == "install")?;
    let own = |word: &String| matches!(word.as_str(), "." | "./" | "-e" | "--editable");
    let plain = words[at + 1..].iter().all(|word| {
        own(word)
            || matches!(
                word.as_str(),
                "--no-cache-dir" | "--no-compile" | "--upgrade" | "-U" | "-q" | "--quiet"
            )
    });
    if !plain || !words.iter().any(|word| word == "." || word == "./") {
        return None;
    }
    // The COPY that brings the project; commands between it and the install go before it if they read nothing of it.
    let copy = stage.instructions[..step.at]
        .iter()
        .position(|one| matches!(&one.op, Op::Copy(copy) if copy.from == From::Context))?;
    let between = &stage.instructions[copy + 1..step.at];
    let quiet = |one: &RunStep<'_>| {
        let facts = one.facts();
        let folder = one.instruction.before.workdir().to_owned();
        facts.reads.anything.is_none()
            && facts.unmodelled.is_empty()
            && !facts
                .reads
                .paths
                .iter()
                .any(|path| path.starts_with(&folder))
    };
    let moves = between
        .iter()
        .all(|one| matches!(one.op, Op::Run(_)) && !one.trigger)
        && runs
            .iter()
            .filter(|one| one.stage.id == stage.id && one.at > copy && one.at < step.at)
            .all(quiet);
    let newline = view.line_break();
    let copied = view.whole_lines(view.source(&stage.instructions[copy])?.span());
    let place = view
        .whole_lines(view.source(step.instruction)?.span())
        .start;
    let options: Vec<&str> = words[..=at]
        .iter()
        .chain(words[at + 1..].iter().filter(|word| !own(word)))
        .map(String::as_str)
        .collect();
    let mount = format!("--mount=type=bind,source=pyproject.toml,target={MANIFEST}");
    let mut new = format!(
        "{} {}{} > /tmp/requirements.txt {escape}{newline}    && {} -r /tmp/requirements.txt {escape}{newline}    && rm /tmp/requirements.txt{newline}",
        view.keyword("RUN"),
        view.flags(&[mount]),
        recipe::python::list_dependencies(MANIFEST),
        options.join(" "),
        escape = view.file.escape(),
    );
    let mut edits = EditSet::new();
    if moves {
        let text = view.file.text();
        new.push_str(&text[copied.start as usize..copied.end as usize]);
        edits.delete(copied).ok()?;
        edits.insert(place, new).ok()?;
    } else {
        edits.insert(copied.start, new).ok()?;
    }
    let end = script.source_span(command.words.get(at)?.span).end;
    // What the build of the project downloads is for the build alone.
    let cache = if words.iter().any(|word| word == "--no-cache-dir") {
        ""
    } else {
        " --no-cache-dir"
    };
    edits.insert(end, format!(" --no-deps{cache}")).ok()?;
    Some(edits)
}
