//! What two Dockerfiles mean differently: their stages and steps, what holds there, what the layers weigh, what an edit of the source
//! builds again, what hosts pull, and what a container gets.

mod matching;
mod parts;

use serde::Serialize;

pub use self::parts::Part;
use crate::analysis::{Analysis, AnalysisError};
use crate::estimate::Estimate;
use crate::finding::Finding;
use crate::plan::{self, Measure};
use crate::size::Size;
use crate::stage::{Base, StageId};

/// What differs between two builds.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Diff {
    /// The file whose edit `rebuilds` and `warm_pull` are about; empty if no source file was found.
    pub change: String,
    /// The cost of the build before.
    pub before: Measure,
    /// The cost of the build after.
    pub after: Measure,
    /// Bytes that a host with the image before pulls to have the image after: every layer that the two do not share, compressed. A
    /// layer that may turn out the same counts.
    pub pull: Size,
    /// What a container of the target gets, where it differs.
    pub config: Vec<Part>,
    /// The stages, in the order of the file after; those that are gone at the end.
    pub stages: Vec<StageDiff>,
    /// What is wrong or not known after and was not before.
    pub introduced: Vec<Finding>,
    /// What was wrong or not known before and is not after.
    pub resolved: Vec<Finding>,
    /// What the comparison does not cover, in sentences.
    pub notes: Vec<String>,
}

/// What became of a stage or a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fate {
    /// It is as it was.
    Same,
    /// Something of it differs.
    Changed,
    /// It stands elsewhere: behind steps that it stood before, or in another stage. It may have changed too.
    Moved,
    /// It was not there before.
    Added,
    /// It is not there any more.
    Removed,
}

impl Fate {
    /// The word used in all three languages: `same`, `changed`, `moved`, `added`, `removed`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Changed => "changed",
            Self::Moved => "moved",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }
}

/// A stage of both builds, or of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StageDiff {
    /// What became of it: `same`, `changed`, `added` or `removed`.
    pub fate: Fate,
    /// The stage before; nothing where it was added.
    pub before: Option<StageSide>,
    /// The stage after; nothing where it was removed.
    pub after: Option<StageSide>,
    /// What holds at its end and differs: variables, working directory, user, shell.
    pub state: Vec<Part>,
    /// Its instructions after FROM, in the order of the file after, each with what it was; those that are gone at the end.
    pub steps: Vec<StepDiff>,
}

/// A stage of one of the two builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StageSide {
    /// Its name, or `stage-N`.
    pub name: String,
    /// The line of its FROM, 1-based.
    pub line: u32,
    /// What it builds on: an image, a stage, a named context or `scratch`.
    pub base: String,
    /// Whether it is the stage that is built.
    pub target: bool,
    /// Its image: the base and all layers; nothing where the stage is not built.
    pub size: Option<Estimate>,
}

/// An instruction of both builds, or of one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StepDiff {
    /// What became of it.
    pub fate: Fate,
    /// The instruction before; nothing where it was added.
    pub before: Option<StepSide>,
    /// The instruction after; nothing where it was removed.
    pub after: Option<StepSide>,
    /// The parts of it that differ.
    pub parts: Vec<Part>,
    /// What holds before it and differs, for a command: variables, working directory, user, shell.
    pub state: Vec<Part>,
}

/// An instruction of one of the two builds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StepSide {
    /// Its stage, by its name or as `stage-N`.
    pub stage: String,
    /// Its line, 1-based; for a trigger of the base image, that of FROM.
    pub line: u32,
    /// The instruction as one line.
    pub instruction: String,
    /// Its layer; nothing for an instruction that makes none.
    pub size: Option<Estimate>,
}

/// Compares two builds. `change` is the file whose edit is played through in both.
pub(crate) fn make(
    before: &Analysis,
    after: &Analysis,
    change: Option<&str>,
) -> Result<Diff, AnalysisError> {
    let change = match change {
        Some(path) => path.to_owned(),
        None => before
            .source_file()
            .or_else(|| after.source_file())
            .unwrap_or_default(),
    };
    let configs = [before, after]
        .map(|analysis| parts::of_config(&analysis.graph().target_stage().end.config));
    let notes = [(before, "before"), (after, "after")]
        .into_iter()
        .filter_map(|(analysis, when)| {
            let base = analysis.base();
            (!base.known).then(|| {
                format!(
                    "the image `{}`, on which the build {when} stands, is not known: its bytes and its configuration are left out on that side",
                    base.reference
                )
            })
        });
    Ok(Diff {
        before: plan::measure(before, &change)?,
        after: plan::measure(after, &change)?,
        change,
        pull: after.pull_after(&after.since(before)),
        config: parts::difference(&configs[0], &configs[1]),
        stages: matching::stages(before, after),
        introduced: without(after.findings(), before.findings()),
        resolved: without(before.findings(), after.findings()),
        notes: notes.collect(),
    })
}

/// The findings of one list that the other does not have, wherever they stand.
fn without(findings: &[Finding], others: &[Finding]) -> Vec<Finding> {
    let mut others: Vec<&Finding> = others.iter().collect();
    let mut left = findings.to_vec();
    left.retain(|finding| {
        let same = |other: &&Finding| {
            (other.code, &other.message, &other.file)
                == (finding.code, &finding.message, &finding.file)
        };
        match others.iter().position(same) {
            Some(at) => {
                others.swap_remove(at);
                false
            }
            None => true,
        }
    });
    left
}

impl StageSide {
    fn new(analysis: &Analysis, id: StageId) -> Self {
        let graph = analysis.graph();
        let stage = graph.stage(id);
        Self {
            name: stage.label(),
            line: stage.line,
            base: match &stage.base {
                Base::Scratch => "scratch".to_owned(),
                Base::Stage(base) => graph.stage(*base).label(),
                Base::Image(name) | Base::Context(name) => name.clone(),
                Base::Invalid => String::new(),
            },
            target: id == graph.target,
            size: stage.reachable.then(|| analysis.stage_size(id)),
        }
    }
}

impl StepSide {
    fn new(analysis: &Analysis, id: StageId, at: usize) -> Self {
        let stage = analysis.graph().stage(id);
        let instruction = &stage.instructions[at];
        let layer = analysis.record().stages[id.0].layer(at);
        Self {
            stage: stage.label(),
            line: instruction.line,
            instruction: instruction.text.clone(),
            size: layer.map(|layer| analysis.layer_size(layer)),
        }
    }
}
