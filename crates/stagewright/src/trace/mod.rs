//! What a build really did, as BuildKit tells it: `--progress=rawjson` of `docker buildx build` and `buildctl build`, and
//! `buildctl build --trace FILE`, all one JSON object a line (`client/graph.go`, `SolveStatus`, at v0.32.2).

mod name;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::IgnoredAny};
use thiserror::Error;

use crate::analysis::Analysis;
use crate::build::{Build, Step, StepKind};
use crate::cache::{Prediction, Verdict};
use crate::date;
use name::{Found, StepName};

/// A trace of one build.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    vertexes: Vec<Vertex>,
    cut: bool,
}

/// One thing that BuildKit did or took from its cache.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Vertex {
    /// What BuildKit calls it: `[builder 2/5] RUN make`, `[internal] load build context`.
    pub name: String,
    /// Whether it was taken from the cache.
    pub cached: bool,
    /// Whether it came to its end.
    pub completed: bool,
    /// What went wrong with it; empty if nothing did.
    pub error: String,
    /// When it ran, in nanoseconds: from each start the last end that was told.
    spans: BTreeMap<i128, i128>,
}

/// Why a text is no trace.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TraceError {
    /// A line of it is damaged.
    #[error("line {line} of the trace is damaged: {message}")]
    Damaged {
        /// The line, 1-based.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// No line of it is what BuildKit writes.
    #[error(
        "this is no trace of a build: no line of it is a status as `--progress=rawjson` writes it"
    )]
    NoStatus,
}

impl TraceError {
    /// A stable name in kebab-case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Damaged { .. } => "bad-trace",
            Self::NoStatus => "no-trace",
        }
    }
}

/// `SolveStatus`; fields that say nothing of steps are not looked into.
#[derive(Deserialize)]
struct RawStatus {
    #[serde(default)]
    vertexes: Option<Vec<RawVertex>>,
    #[serde(default)]
    statuses: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    logs: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    warnings: Option<Vec<IgnoredAny>>,
}

#[derive(Deserialize)]
struct RawVertex {
    #[serde(default)]
    name: String,
    #[serde(default)]
    started: Option<String>,
    #[serde(default)]
    completed: Option<String>,
    #[serde(default)]
    cached: bool,
    #[serde(default)]
    error: String,
}

impl Trace {
    /// Reads a trace. Lines that are no JSON objects are what else a program prints, and are left out.
    ///
    /// A trace that ends before its build does is read as far as it goes, which [`Trace::is_complete`] tells; a line that is damaged
    /// anywhere but at the end is an error. It may be cut inside a character, so that bytes are read as well as text.
    pub fn parse(text: impl AsRef<[u8]>) -> Result<Self, TraceError> {
        let mut trace = Self::default();
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        let mut any = false;
        let mut lines = text
            .as_ref()
            .split(|byte| *byte == b'\n')
            .enumerate()
            .peekable();
        while let Some((index, line)) = lines.next() {
            let line = line.trim_ascii();
            if !line.starts_with(b"{") {
                continue;
            }
            let damaged = |message: String| TraceError::Damaged {
                line: index + 1,
                message,
            };
            let status: RawStatus = match serde_json::from_slice(line) {
                Ok(status) => status,
                Err(error) if error.is_eof() && lines.peek().is_none() => {
                    trace.cut = true;
                    continue;
                }
                Err(error) => return Err(damaged(error.to_string())),
            };
            any |= status.vertexes.is_some()
                || status.statuses.is_some()
                || status.logs.is_some()
                || status.warnings.is_some();
            for raw in status.vertexes.into_iter().flatten() {
                // The download of an ADD and its copy have one name: they are one step.
                let place = *places.entry(raw.name.clone()).or_insert_with(|| {
                    trace.vertexes.push(Vertex::default());
                    trace.vertexes.len() - 1
                });
                trace.vertexes[place].add(raw).map_err(damaged)?;
            }
        }
        if any {
            Ok(trace)
        } else {
            Err(TraceError::NoStatus)
        }
    }

    /// Everything that BuildKit named, in the order in which it first did.
    pub fn vertexes(&self) -> &[Vertex] {
        &self.vertexes
    }

    /// Whether it goes to the end of its build: nothing is cut off, everything that was named came to its end, and nothing failed.
    pub fn is_complete(&self) -> bool {
        let done = |vertex: &Vertex| vertex.completed && vertex.error.is_empty();
        !self.cut && self.vertexes.iter().all(done)
    }

    /// What the trace shows against what was predicted of the same build. `analysis` is the build that the prediction is of.
    pub fn check(&self, analysis: &Analysis, prediction: &Prediction) -> TraceCheck {
        let build = analysis.build();
        let mut check = TraceCheck {
            complete: self.is_complete(),
            compared: 0,
            disagreements: Vec::new(),
            strangers: Vec::new(),
        };
        let mut seen = vec![false; build.steps.len()];
        for vertex in &self.vertexes {
            let Some(name) = StepName::parse(&vertex.name) else {
                continue;
            };
            let step = match name.find(build) {
                Found::Step(step) => step,
                Found::OtherPlatform => continue,
                Found::Nothing => {
                    check.strangers.push(vertex.name.clone());
                    continue;
                }
            };
            seen[step.id.0] = true;
            // Of an image it is not told whether anything was fetched, and a step without inputs counts as run whenever it is looked
            // at (`solver/jobs.go`, `sharedOp.CacheMap`).
            if step.inputs.is_empty() || !vertex.completed || !vertex.error.is_empty() {
                continue;
            }
            check.compared += 1;
            let found = if vertex.cached { "cached" } else { "ran" };
            let agrees = match prediction.steps[step.id.0].verdict {
                Verdict::Cached => vertex.cached,
                Verdict::Rerun { .. } => !vertex.cached,
                Verdict::Unknown { .. } => true,
            };
            if !agrees {
                check.disagree(prediction, step, found);
            }
        }
        let missing = build.steps.iter().filter(|step| {
            // Equal steps are one to BuildKit, which shows them once.
            let merged = build
                .steps
                .iter()
                .any(|other| other.id != step.id && other.definition == step.definition);
            !seen[step.id.0] && !merged && step.kind != StepKind::Base
        });
        // Cut before the first step is shown.
        check.complete &= seen.contains(&true);
        if check.complete {
            for step in missing {
                check.disagree(prediction, step, "missing");
            }
        }
        check
            .disagreements
            .sort_by_key(|one| (one.line, one.instruction.clone()));
        check
    }

    /// The seconds that each step took, where it ran to its end.
    pub(crate) fn seconds(&self, build: &Build) -> Vec<Option<f64>> {
        let mut seconds = vec![None; build.steps.len()];
        for vertex in &self.vertexes {
            let ran = vertex.completed && !vertex.cached && vertex.error.is_empty();
            let name = StepName::parse(&vertex.name).filter(|_| ran);
            if let Some(Found::Step(step)) = name.map(|name| name.find(build)) {
                seconds[step.id.0] = Some(vertex.seconds());
            }
        }
        seconds
    }
}

impl Vertex {
    fn add(&mut self, raw: RawVertex) -> Result<(), String> {
        let moment = |text: Option<String>| match text {
            Some(text) => date::moment(&text)
                .ok_or_else(|| format!("`{text}` is no time"))
                .map(Some),
            None => Ok(None),
        };
        let (started, completed) = (moment(raw.started)?, moment(raw.completed)?);
        self.name = raw.name;
        self.cached |= raw.cached;
        // A vertex is begun again where its result turns out to be needed after all.
        self.completed = completed.is_some() || (self.completed && started.is_none());
        if !raw.error.is_empty() {
            self.error = raw.error;
        }
        if let Some(started) = started {
            let end = self.spans.entry(started).or_insert(started);
            *end = completed.unwrap_or(*end).max(*end);
        }
        Ok(())
    }

    /// For how long it ran, in seconds.
    #[expect(clippy::cast_precision_loss, reason = "times of steps, not of ages")]
    pub fn seconds(&self) -> f64 {
        let spans = self.spans.iter().map(|(start, end)| end - start);
        spans.sum::<i128>() as f64 / 1e9
    }
}

/// How a trace stands to a prediction of its build.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct TraceCheck {
    /// Whether the trace goes to the end of its build; steps that it lacks are disagreements only then.
    pub complete: bool,
    /// How many steps were compared.
    pub compared: usize,
    /// Steps of which the two say different things.
    pub disagreements: Vec<Disagreement>,
    /// What the trace shows as steps and the Dockerfile does not have, by BuildKit's names: then the trace is of another build.
    pub strangers: Vec<String>,
}

/// A step of which a prediction and a trace say different things.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Disagreement {
    /// The line of its instruction, 1-based.
    pub line: u32,
    /// Its stage, by its name or as `stage-N`.
    pub stage: String,
    /// The instruction as one line.
    pub instruction: String,
    /// `cached`, `rerun` or `unknown`.
    pub predicted: &'static str,
    /// What BuildKit did: `cached`, `ran`, or `missing` where it shows no such step.
    pub found: &'static str,
}

impl TraceCheck {
    /// Whether the two say the same, as far as the trace goes.
    pub fn agrees(&self) -> bool {
        self.disagreements.is_empty() && self.strangers.is_empty()
    }

    fn disagree(&mut self, prediction: &Prediction, step: &Step, found: &'static str) {
        self.disagreements.push(Disagreement {
            line: step.line,
            stage: step.stage_name.clone(),
            instruction: step.text.clone(),
            predicted: prediction.steps[step.id.0].verdict.as_str(),
            found,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_trace_is_refused() {
        let code = |text: &str| Trace::parse(text).unwrap_err().code();
        for text in [
            "",
            "hello",
            "[]",
            "{}",
            "{\"schema\":1}",
            "#1 [internal] load",
            "{\"vertexes\":[{",
        ] {
            assert_eq!(code(text), "no-trace", "{text}");
        }
        let line =
            "{\"vertexes\":[{\"name\":\"[1/1] RUN x\",\"started\":\"2026-11-23T00:00:00Z\"}]}";
        assert_eq!(code(&format!("{{\n{line}")), "bad-trace");
        assert_eq!(
            code(&line.replace("2026-11-23T", "yesterday ")),
            "bad-trace"
        );
        assert_eq!(code(&line.replace("[{", "[3,{")), "bad-trace");
        assert_eq!(code(&line.replace("\"[1/1] RUN x\"", "7")), "bad-trace");
        let cut = Trace::parse(format!("{line}\n{}", &line[..40])).unwrap();
        assert!(!cut.is_complete());
        assert_eq!(cut.vertexes().len(), 1);
    }

    #[test]
    fn a_step_that_runs_twice_takes_both_times() {
        let event =
            |times: &str| format!("{{\"vertexes\":[{{\"name\":\"[1/1] RUN x\",{times}}}]}}\n");
        let at = |second: u32| format!("\"2026-11-23T00:00:0{second}Z\"");
        let text = [
            event(&format!("\"started\":{}", at(0))),
            event(&format!("\"started\":{},\"completed\":{}", at(0), at(2))),
            event(&format!("\"started\":{}", at(5))),
            event(&format!("\"started\":{},\"completed\":{}", at(5), at(6))),
        ];
        let trace = Trace::parse(text.concat()).unwrap();
        assert!(trace.is_complete());
        assert!((trace.vertexes()[0].seconds() - 3.0).abs() < 1e-9);
        assert!(!Trace::parse(text[..3].concat()).unwrap().is_complete());
    }
}
