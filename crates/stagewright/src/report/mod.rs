//! Answers as they are printed: JSON of one schema in all three languages, and text for people.

pub mod buildkit;
pub mod compare;
pub mod diff;
pub mod edit;
pub mod error;
pub mod format;
pub mod measure;
pub mod parse;
pub mod pull;
pub mod text;
pub mod view;

use serde::Serialize;
use stagewright_syntax::Dockerfile;

pub use self::buildkit::BuildkitReport;
pub use self::compare::CompareReport;
pub use self::diff::DiffReport;
pub use self::edit::EditReport;
pub use self::error::{Coded, ErrorDetail, ErrorReport};
pub use self::format::{FormatReport, FormattedFile};
pub use self::measure::MeasureReport;
pub use self::parse::ParseReport;
pub use self::pull::PullReport;
pub use self::view::InstructionView;
use crate::analysis::{Analysis, AnalysisError};
use crate::cache::{ExpectationError, Prediction, StepVerdict, Verdict};
use crate::context::Context;
use crate::duration::Durations;
use crate::estimate::{Estimate, LayerEstimate};
use crate::finding::Finding;
use crate::history::Forecast;
use crate::options::Options;
use crate::plan::Plan;
use crate::project::Generated;
use crate::size::{Basis, Size};
use crate::trace::{Trace, TraceCheck};

/// The version of every JSON form.
pub const SCHEMA: u32 = 1;

/// The answer of `size`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct SizeReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The stage that is built, by its name or as `stage-N`.
    pub target: String,
    /// The base image.
    pub base: BaseReport,
    /// The image: its base and its own layers. Without the base where that is unknown.
    pub image: Estimate,
    /// The layers, the base's first as one.
    pub layers: Vec<LayerEstimate>,
    /// Bytes in the image that nothing can see, because a later layer hides or repeats them.
    pub hidden: Size,
    /// What is wrong or not known.
    pub findings: Vec<Finding>,
}

/// What is known of the image that everything is built on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BaseReport {
    /// Its reference as written; `scratch` if there is none.
    pub reference: String,
    /// Whether the catalogue knows it.
    pub known: bool,
    /// Its bytes; nothing where it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<Estimate>,
    /// Where the number comes from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub basis: Option<Basis>,
    /// Why the number may be off, where the row is not the build that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stale: Option<String>,
}

/// The answer of `cache`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CacheReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Every step, each after those it needs.
    pub steps: Vec<StepReport>,
    /// Bytes that a host with the previous image pulls.
    pub warm_pull: Size,
    /// Seconds of work of the steps that run for certain, one after another; only where durations were given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
    /// How a trace of the build stands to the prediction; only where one was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trace: Option<TraceCheck>,
    /// What was expected of the prediction and does not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<ErrorDetail>,
    /// What is wrong or not known.
    pub findings: Vec<Finding>,
}

/// The answer of `cache --history`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct HistoryReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What a commit costs.
    #[serde(flatten)]
    pub forecast: Forecast,
    /// What is wrong or not known.
    pub findings: Vec<Finding>,
}

/// What happens to one step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct StepReport {
    /// The line of its instruction, 1-based.
    pub line: u32,
    /// Its stage, by its name or as `stage-N`.
    pub stage: String,
    /// The instruction as one line.
    pub instruction: String,
    /// `cached`, `rerun` or `unknown`.
    pub verdict: &'static str,
    /// Why it runs, or what its verdict depends on, as a clause; nothing for a cached step.
    pub cause: Option<String>,
}

impl From<&StepVerdict> for StepReport {
    fn from(step: &StepVerdict) -> Self {
        let cause = match &step.verdict {
            Verdict::Cached => None,
            Verdict::Rerun { cause } => Some(cause.to_string()),
            Verdict::Unknown { doubt } => Some(doubt.to_string()),
        };
        Self {
            line: step.line,
            stage: step.stage.clone(),
            instruction: step.instruction.clone(),
            verdict: step.verdict.as_str(),
            cause,
        }
    }
}

/// The answer of `optimize`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct OptimizeReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The plan.
    #[serde(flatten)]
    pub plan: Plan,
    /// What is wrong or not known, in the file as it is.
    pub findings: Vec<Finding>,
}

/// The answer of `generate`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct GenerateReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The files and what was found.
    #[serde(flatten)]
    pub generated: Generated,
    /// What the image weighs.
    pub image: Estimate,
    /// What is wrong or not known.
    pub findings: Vec<Finding>,
}

impl SizeReport {
    /// The report of an analysis.
    pub fn new(analysis: &Analysis) -> Self {
        Self {
            schema: SCHEMA,
            target: analysis.graph().target_stage().label(),
            base: analysis.base(),
            image: *analysis.size(),
            layers: analysis.layers().to_vec(),
            hidden: Size::sum(analysis.layers().iter().map(|layer| layer.hidden)),
            findings: analysis.findings().to_vec(),
        }
    }
}

impl CacheReport {
    /// The report of a prediction.
    pub fn new(analysis: &Analysis, prediction: &Prediction) -> Self {
        Self {
            schema: SCHEMA,
            steps: prediction.steps.iter().map(StepReport::from).collect(),
            warm_pull: analysis.pull_after(prediction),
            seconds: None,
            trace: None,
            failed: Vec::new(),
            findings: [analysis.findings(), &prediction.findings].concat(),
        }
    }

    /// The same with what the steps that run take; nothing where no duration was given. `analysis` is the build that the prediction
    /// is of.
    pub fn with_durations(
        mut self,
        analysis: &Analysis,
        prediction: &Prediction,
        durations: &Durations,
    ) -> Result<Self, ExpectationError> {
        self.seconds = durations.of_reruns(analysis, prediction)?;
        Ok(self)
    }

    /// The same held against a trace of the build.
    #[must_use]
    pub fn with_trace(
        mut self,
        analysis: &Analysis,
        prediction: &Prediction,
        trace: &Trace,
    ) -> Self {
        self.trace = Some(trace.check(analysis, prediction));
        self
    }

    /// The same held against what is expected: steps that must be cached, and steps that must run again, picked as
    /// [`Prediction::pick`] does. Words that pick no step are an error.
    pub fn with_expectations(
        mut self,
        prediction: &Prediction,
        cached: &[String],
        rerun: &[String],
    ) -> Result<Self, ExpectationError> {
        let cached = cached.iter().map(|step| prediction.expect_cached(step));
        let rerun = rerun.iter().map(|step| prediction.expect_rerun(step));
        for outcome in cached.chain(rerun) {
            match outcome {
                Ok(()) => {}
                Err(error @ ExpectationError::UnknownStep { .. }) => return Err(error),
                Err(error) => self.failed.push(ErrorReport::new(&error).error),
            }
        }
        Ok(self)
    }

    /// Whether everything that was expected holds, and a trace shows what was predicted.
    pub fn holds(&self) -> bool {
        self.failed.is_empty() && self.trace.as_ref().is_none_or(TraceCheck::agrees)
    }
}

impl HistoryReport {
    /// The report of a forecast.
    pub fn new(analysis: &Analysis, forecast: Forecast) -> Self {
        Self {
            schema: SCHEMA,
            forecast,
            findings: analysis.findings().to_vec(),
        }
    }
}

impl OptimizeReport {
    /// The report of a plan.
    pub fn new(analysis: &Analysis, plan: Plan) -> Self {
        Self {
            schema: SCHEMA,
            plan,
            findings: analysis.findings().to_vec(),
        }
    }
}

impl GenerateReport {
    /// The report of generated files, with what they make of their context.
    pub fn new(context: &Context, generated: Generated) -> Result<Self, AnalysisError> {
        let context = context.with_ignore(&generated.dockerignore)?;
        let file = Dockerfile::parse(&generated.dockerfile);
        let analysis = Analysis::new(&file, &context, &Options::default())?;
        Ok(Self {
            schema: SCHEMA,
            generated,
            image: *analysis.size(),
            findings: analysis.findings().to_vec(),
        })
    }
}

/// A report as JSON, indented, with a line break at its end; the same bytes in all three languages.
pub fn to_json(report: &impl Serialize) -> String {
    let mut text =
        serde_json::to_string_pretty(report).expect("reports are plain data with string keys");
    text.push('\n');
    text
}
