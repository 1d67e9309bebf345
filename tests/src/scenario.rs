//! A project, a change of it, and which steps BuildKit then took from its cache: the data under `tests/real/cache`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stagewright::Options;
use stagewright::build::{Build, Inputs, Step, StepKind};
use stagewright::cache::{CacheOptions, Cause, NoCache, Prediction, Verdict, compare_with};
use stagewright::context::{Context, ContextError};
use stagewright::stage::{Base, StageGraph};
use stagewright_syntax::Dockerfile;

use crate::called::Called;
use crate::changed::{baseless_doubts, invented_causes};

/// A project with changes that are each made to it as it stands here.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The project.
    #[serde(flatten)]
    pub project: Project,
    /// The changes.
    pub changes: Vec<Edit>,
}

/// What a build is made of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Project {
    /// The Dockerfile.
    pub dockerfile: String,
    /// The files of the context.
    #[serde(default)]
    pub files: BTreeMap<String, Entry>,
    /// The build arguments.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, String>,
    /// The target.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How the build is called, besides.
    #[serde(default, skip_serializing_if = "Called::is_default")]
    pub build: Called,
}

/// An entry of the context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Entry {
    /// A file with mode 0644.
    Text(String),
    /// A file with another mode.
    File {
        /// Its content.
        text: String,
        /// Its permissions.
        mode: u32,
    },
    /// A symbolic link.
    Link {
        /// Where it leads.
        link: String,
    },
    /// A folder.
    Folder {
        /// Its permissions.
        folder: u32,
    },
}

/// A change of a project, with what came of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// What changes, in words.
    pub name: String,
    /// The Dockerfile after it, where it changes as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dockerfile: Option<String>,
    /// Pieces of the Dockerfile and what they become.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replace: Vec<(String, String)>,
    /// Files after it; nothing for those that go.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub files: BTreeMap<String, Option<Entry>>,
    /// Build arguments after it; nothing for those that are no longer given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, Option<String>>,
    /// The target after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// What is told otherwise after it: a patch (RFC 7396) of the project's `build`.
    #[serde(default, skip_serializing_if = "serde_json::Value::is_null")]
    pub build: serde_json::Value,
    /// The stages for which the build after it is told not to use its cache; all if there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_cache: Option<Vec<String>>,
    /// How the cache of the build before was exported, where the build after it has a fresh builder that imports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<String>,
    /// The causes, as [`cause`] tells them, one of which every rerun must name in the end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub causes: Vec<String>,
    /// What BuildKit did: for each step as it names it, whether it was cached.
    #[serde(default)]
    pub steps: serde_json::Map<String, serde_json::Value>,
}

impl Project {
    /// The project after a change.
    #[must_use]
    pub fn after(&self, edit: &Edit) -> Self {
        let mut after = self.clone();
        if let Some(dockerfile) = &edit.dockerfile {
            after.dockerfile.clone_from(dockerfile);
        }
        for (from, to) in &edit.replace {
            assert!(
                after.dockerfile.contains(from.as_str()),
                "{}: nothing reads {from:?}",
                edit.name
            );
            after.dockerfile = after.dockerfile.replacen(from.as_str(), to, 1);
        }
        for (path, entry) in &edit.files {
            match entry {
                Some(entry) => after.files.insert(path.clone(), entry.clone()),
                None => after.files.remove(path),
            };
        }
        for (name, value) in &edit.args {
            match value {
                Some(value) => after.args.insert(name.clone(), value.clone()),
                None => after.args.remove(name),
            };
        }
        after.target = edit.target.clone().or(after.target);
        if !edit.build.is_null() {
            after.build = after
                .build
                .patched(&edit.build)
                .unwrap_or_else(|error| panic!("{}: {error}", edit.name));
        }
        after
    }

    /// The context of the project, made in memory.
    pub fn context(&self) -> Result<Context, ContextError> {
        add(Context::builder(), &self.files)
            .file("Dockerfile", &self.dockerfile)
            .build()
    }

    /// How the build is called.
    pub fn options(&self) -> Result<Options, String> {
        Ok(Options {
            target: self.target.clone(),
            build_args: self.args.clone(),
            ..self.build.options()?
        })
    }

    /// What the build reads.
    pub fn inputs(&self) -> Result<Inputs, String> {
        let context = self.context().map_err(|error| error.to_string())?;
        self.build.inputs(Inputs::new(context))
    }

    /// The project's stages and steps.
    pub fn build(&self) -> Result<(StageGraph, Build), String> {
        let file = Dockerfile::parse(&self.dockerfile);
        let options = self.options()?;
        let base = |reference: &str| Some(self.build.image(reference));
        let graph =
            StageGraph::new(&file, &options, &base).map_err(|error| format!("{error:?}"))?;
        let build = Build::new(&graph, &options, &self.inputs()?);
        Ok((graph, build))
    }
}

/// A context with these entries.
pub(crate) fn add(
    builder: stagewright::context::ContextBuilder,
    files: &BTreeMap<String, Entry>,
) -> stagewright::context::ContextBuilder {
    files
        .iter()
        .fold(builder, |builder, (path, entry)| match entry {
            Entry::Text(text) => builder.file(path, text),
            Entry::File { text, mode } => builder.file_with_mode(path, text, *mode),
            Entry::Link { link } => builder.symlink(path, link),
            Entry::Folder { folder } => builder.directory_with_mode(path, *folder),
        })
}

/// How a prediction stands to what BuildKit did.
#[derive(Clone, Debug, Default)]
pub struct Outcome {
    /// Steps of which the two say different things, or that only one of them knows.
    pub disagreements: Vec<String>,
    /// Steps that the prediction leaves open.
    pub unknown: usize,
    /// Steps compared.
    pub compared: usize,
    /// Reruns whose cause is not the one that was expected.
    pub wrong_causes: Vec<String>,
    /// Reruns whose cause is nothing that was changed.
    pub invented_causes: Vec<String>,
    /// Steps left open though nothing hangs on what a command writes.
    pub baseless_doubts: Vec<String>,
}

/// Predicts a change and compares with what BuildKit did.
pub fn check(project: &Project, edit: &Edit) -> Result<Outcome, String> {
    let (_, before) = project.build()?;
    let (graph, after) = project.after(edit).build()?;
    let mut options = CacheOptions::default().no_cache(match &edit.no_cache {
        None => NoCache::Nothing,
        Some(stages) if stages.is_empty() => NoCache::Everything,
        Some(stages) => NoCache::Stages(stages.clone()),
    });
    if let Some(export) = &edit.imported {
        options = options.imported(export.parse().map_err(|error| format!("{error}"))?);
    }
    let prediction = compare_with(&before, &after, &options);
    let legacy = project.build.builder.as_deref() == Some("legacy");
    let mut outcome = Outcome::default();
    let mut seen = vec![false; after.steps.len()];
    for (name, cached) in &edit.steps {
        let step = if legacy {
            numbered(&after, name)
        } else {
            find(&graph, &after, name)
        };
        let Some(step) = step else {
            outcome.disagreements.push(format!("no step is `{name}`"));
            continue;
        };
        seen[step.id.0] = true;
        outcome.compared += 1;
        match (&prediction.steps[step.id.0].verdict, cached == true) {
            (Verdict::Cached, true) | (Verdict::Rerun { .. }, false) => {}
            // A step without inputs counts as run whenever BuildKit looks at it (`solver/jobs.go`, `sharedOp.CacheMap`).
            (Verdict::Cached, false) if step.inputs.is_empty() && !legacy => {}
            (Verdict::Unknown { .. }, _) => outcome.unknown += 1,
            (_, cached) => {
                let did = if cached { "took from its cache" } else { "ran" };
                outcome.disagreements.push(format!(
                    "{}, but BuildKit {did} `{name}`",
                    prediction.steps[step.id.0]
                ));
            }
        }
    }
    for step in after
        .steps
        .iter()
        .filter(|step| !seen[step.id.0] && step.kind != StepKind::Base)
    {
        // A trigger has no number.
        if legacy && step.line == graph.stage(step.stage).line {
            continue;
        }
        // Equal steps are one to BuildKit, which shows them once.
        let merged = after
            .steps
            .iter()
            .any(|other| other.id != step.id && other.definition == step.definition);
        if !merged {
            outcome
                .disagreements
                .push(format!("BuildKit has no step `{}`", step.text));
        }
    }
    outcome.wrong_causes = wrong_causes(&prediction, &edit.causes);
    outcome.invented_causes = invented_causes(project, edit, &prediction);
    outcome.baseless_doubts = baseless_doubts(&after, &prediction);
    Ok(outcome)
}

fn wrong_causes(prediction: &Prediction, expected: &[String]) -> Vec<String> {
    let reruns = prediction.reruns().filter_map(|step| {
        let Verdict::Rerun { cause: found } = &step.verdict else {
            return None;
        };
        let found = cause(found.root());
        (!expected.contains(&found)).then(|| format!("{step}: {found:?} instead of {expected:?}"))
    });
    reruns.collect()
}

/// A cause in two words: its kind and the thing that it names.
pub fn cause(cause: &Cause) -> String {
    match cause {
        Cause::Added => "added".to_owned(),
        Cause::Text { .. } => "text".to_owned(),
        Cause::BuildArg { name, .. } => format!("arg {name}"),
        Cause::Variable { name, .. } => format!("variable {name}"),
        Cause::VariableOrder { .. } => "order".to_owned(),
        Cause::Setting { name, .. } => format!("setting {name}"),
        Cause::Base { .. } => "base".to_owned(),
        Cause::Files { differences, .. } => {
            format!(
                "file {}",
                differences.first().map_or("", |first| &first.path)
            )
        }
        Cause::Download { .. } => "download".to_owned(),
        Cause::Removed { .. } => "removed".to_owned(),
        Cause::Moved => "moved".to_owned(),
        Cause::NoCache => "no cache".to_owned(),
        Cause::LocalBase { .. } => "local base".to_owned(),
        Cause::NotExported { .. } => "not exported".to_owned(),
        other => format!("{other:?}"),
    }
}

/// The step that BuildKit calls `[stage 2/5] COPY …`, or `LINK COPY …` for the merge of a `--link`.
pub fn find<'b>(graph: &StageGraph, build: &'b Build, name: &str) -> Option<&'b Step> {
    let (head, rest) = name.strip_prefix('[')?.split_once("] ")?;
    let (stage, count) = match head.trim().rsplit_once(' ') {
        Some((stage, count)) => (Some(stage.trim()), count),
        None => (None, head.trim()),
    };
    let ordinal: usize = count.split('/').next()?.trim().parse().ok()?;
    let link = rest.starts_with("LINK ");
    let mine = |step: &&Step| {
        stage.is_none_or(|stage| step.stage_name.eq_ignore_ascii_case(stage))
            && !is_source_image(graph, step)
            // A named context has no number.
            && !(step.kind == StepKind::Base
                && matches!(graph.stage(step.stage).base, Base::Context(_)))
    };
    let mut at = 0;
    build.steps.iter().filter(mine).find(|step| {
        at += usize::from(step.kind != StepKind::Link);
        at == ordinal && (step.kind == StepKind::Link) == link
    })
}

/// The step that the builder before BuildKit calls `[2/5] COPY …`: it counts the instructions of the file.
fn numbered<'b>(build: &'b Build, name: &str) -> Option<&'b Step> {
    let number = name.strip_prefix('[')?.split('/').next()?;
    let number: usize = number.parse().ok()?;
    build
        .steps
        .iter()
        .find(|step| step.instruction + 1 == number && step.kind != StepKind::Base)
}

/// Whether a step only fetches an image that files are copied from.
fn is_source_image(graph: &StageGraph, step: &Step) -> bool {
    step.kind == StepKind::Base && graph.stage(step.stage).line != step.line
}
