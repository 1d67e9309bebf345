//! `Diff` and what it is made of.

use napi_derive::napi;
use stagewright::diff;
use stagewright::report::{DiffReport, to_json};

use crate::value::{Finding, Measure, Size, all};

/// One thing that differs.
#[napi(object, object_from_js = false)]
pub struct Part {
    /// What it is. Of an instruction: `instruction`, `command`, `mount`, `source`, `from`, `destination`, `flag` or `value`; of what
    /// holds before it: `variable`, `working-directory`, `user` or `shell`; of an image's configuration: `env`, `user`,
    /// `entrypoint`, `cmd`, `workdir`, `port`, `volume`, `label`, `stop-signal`, `healthcheck`, `shell` or `onbuild`.
    pub part: String,
    /// Which of several; empty where there is only one.
    pub name: String,
    /// The value before, if there was one. Lists of words are JSON.
    pub before: Option<String>,
    /// The value after, if there is one.
    pub after: Option<String>,
}

/// An instruction of one of two builds.
#[napi(object, object_from_js = false)]
pub struct StepSide {
    /// Its stage, by its name or as `stage-N`.
    pub stage: String,
    /// Its line, 1-based.
    pub line: u32,
    /// The instruction as one line.
    pub instruction: String,
    /// Its layer's bytes on disk; nothing for an instruction that makes none.
    pub size: Option<Size>,
    /// Its layer's bytes on the wire.
    pub compressed: Option<Size>,
}

/// An instruction of two builds, or of one of them.
#[napi(object, object_from_js = false)]
pub struct StepDiff {
    /// What became of it: `same`, `changed`, `moved`, `added` or `removed`.
    pub fate: String,
    /// The instruction before; nothing where it was added.
    pub before: Option<StepSide>,
    /// The instruction after; nothing where it was removed.
    pub after: Option<StepSide>,
    /// The parts of it that differ.
    pub parts: Vec<Part>,
    /// What holds before it and differs, for a command.
    pub state: Vec<Part>,
}

/// A stage of one of two builds.
#[napi(object, object_from_js = false)]
pub struct StageSide {
    /// Its name, or `stage-N`.
    pub name: String,
    /// The line of its FROM, 1-based.
    pub line: u32,
    /// What it builds on: an image, a stage, a named context or `scratch`.
    pub base: String,
    /// Whether it is the stage that is built.
    pub target: bool,
    /// Bytes of its image on disk; nothing where it is not built.
    pub size: Option<Size>,
    /// Bytes of its image on the wire.
    pub compressed: Option<Size>,
}

/// A stage of two builds, or of one of them.
#[napi(object, object_from_js = false)]
pub struct StageDiff {
    /// What became of it: `same`, `changed`, `added` or `removed`.
    pub fate: String,
    /// The stage before; nothing where it was added.
    pub before: Option<StageSide>,
    /// The stage after; nothing where it was removed.
    pub after: Option<StageSide>,
    /// What holds at its end and differs.
    pub state: Vec<Part>,
    /// Its instructions after FROM, each with what it was; those that are gone at the end.
    pub steps: Vec<StepDiff>,
}

impl From<&diff::Part> for Part {
    fn from(part: &diff::Part) -> Self {
        Self {
            part: part.part.into(),
            name: part.name.clone(),
            before: part.before.clone(),
            after: part.after.clone(),
        }
    }
}

impl From<&diff::StepSide> for StepSide {
    fn from(side: &diff::StepSide) -> Self {
        Self {
            stage: side.stage.clone(),
            line: side.line,
            instruction: side.instruction.clone(),
            size: side.size.map(|size| size.uncompressed.into()),
            compressed: side.size.map(|size| size.compressed.into()),
        }
    }
}

impl From<&diff::StepDiff> for StepDiff {
    fn from(step: &diff::StepDiff) -> Self {
        Self {
            fate: step.fate.as_str().into(),
            before: step.before.as_ref().map(StepSide::from),
            after: step.after.as_ref().map(StepSide::from),
            parts: all(&step.parts),
            state: all(&step.state),
        }
    }
}

impl From<&diff::StageSide> for StageSide {
    fn from(side: &diff::StageSide) -> Self {
        Self {
            name: side.name.clone(),
            line: side.line,
            base: side.base.clone(),
            target: side.target,
            size: side.size.map(|size| size.uncompressed.into()),
            compressed: side.size.map(|size| size.compressed.into()),
        }
    }
}

impl From<&diff::StageDiff> for StageDiff {
    fn from(stage: &diff::StageDiff) -> Self {
        Self {
            fate: stage.fate.as_str().into(),
            before: stage.before.as_ref().map(StageSide::from),
            after: stage.after.as_ref().map(StageSide::from),
            state: all(&stage.state),
            steps: all(&stage.steps),
        }
    }
}

/// What two Dockerfiles mean differently.
#[napi]
pub struct Diff {
    pub(crate) report: DiffReport,
}

#[napi]
impl Diff {
    /// The file whose edit is played through in both; empty if no source file was found.
    #[napi(getter)]
    pub fn change(&self) -> &str {
        &self.report.diff.change
    }

    /// The cost of the build before.
    #[napi(getter)]
    pub fn before(&self) -> Measure {
        (&self.report.diff.before).into()
    }

    /// The cost of the build after.
    #[napi(getter)]
    pub fn after(&self) -> Measure {
        (&self.report.diff.after).into()
    }

    /// Bytes that a host with the image before pulls to have the image after.
    #[napi(getter)]
    pub fn pull(&self) -> Size {
        self.report.diff.pull.into()
    }

    /// What a container of the target gets, where it differs.
    #[napi(getter)]
    pub fn config(&self) -> Vec<Part> {
        all(&self.report.diff.config)
    }

    /// The stages, in the order of the file after; those that are gone at the end.
    #[napi(getter)]
    pub fn stages(&self) -> Vec<StageDiff> {
        all(&self.report.diff.stages)
    }

    /// What is wrong or not known after and was not before.
    #[napi(getter)]
    pub fn introduced(&self) -> Vec<Finding> {
        all(&self.report.diff.introduced)
    }

    /// What was wrong or not known before and is not after.
    #[napi(getter)]
    pub fn resolved(&self) -> Vec<Finding> {
        all(&self.report.diff.resolved)
    }

    /// What the comparison does not cover, in sentences.
    #[napi(getter)]
    pub fn notes(&self) -> Vec<String> {
        self.report.diff.notes.clone()
    }

    /// The comparison as JSON: the bytes that `stagewright diff --json` prints.
    #[napi]
    pub fn to_json(&self) -> String {
        to_json(&self.report)
    }
}
