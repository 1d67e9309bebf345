//! What the next build runs again, and why.
//!
//! BuildKit finds a step in its cache when it knows a step of the same definition for which each input is the same: by its history, or
//! where the step only reads the input, by its content (`solver/edge.go`, `solver/cachekey.go`, `docs/dev/solver.md` at v0.32.2).
//! [`compare`] plays that through: first the build that filled the cache, then the one that is asked about.

mod cause;
mod content;
mod counterpart;
mod definition;
mod expect;
mod explain;
mod imported;
mod options;
mod store;

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

pub use cause::{Cause, Doubt};
pub use expect::ExpectationError;
pub(crate) use expect::{StepName, pick};
pub use options::{CacheOptions, Export, NoCache};

use crate::build::{Build, Origin, Step, StepId, StepKind};
use crate::finding::{Finding, Severity};

/// What happens to each step of a build that follows another one on the same builder.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Prediction {
    /// The steps of the later build, in their order.
    pub steps: Vec<StepVerdict>,
    /// What is odd about the change that it is of, and what the later build does not find.
    #[serde(skip)]
    pub findings: Vec<Finding>,
}

/// What happens to one step.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct StepVerdict {
    /// The step, by its place in the later build.
    pub step: StepId,
    /// What it does.
    pub kind: StepKind,
    /// Its stage's name, or `stage-N`.
    pub stage: String,
    /// The line of its instruction, 1-based.
    pub line: u32,
    /// The instruction as one line.
    pub instruction: String,
    /// What happens to it.
    #[serde(flatten)]
    pub verdict: Verdict,
}

/// Whether a step runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// Its result is taken from the cache.
    Cached,
    /// It runs again.
    Rerun {
        /// What makes it run.
        cause: Arc<Cause>,
    },
    /// It depends on something that nobody knows before the build.
    Unknown {
        /// What it depends on.
        doubt: Arc<Doubt>,
    },
}

/// Compares two builds of one project: which steps of `after` a builder that has done `before` takes from its cache.
///
/// ```
/// use stagewright::{Build, Change, Context, Inputs, Options, cache, stage::StageGraph};
/// use stagewright_syntax::Dockerfile;
///
/// let file = Dockerfile::parse("FROM python:3.12-slim\nCOPY . /app\nRUN pip install -r /app/requirements.txt\n");
/// let options = Options::default();
/// let graph = StageGraph::new(&file, &options, &|_| None).expect("there is a stage");
/// let context = Context::builder().file("main.py", "print(1)").file("requirements.txt", "flask\n").build()?;
/// let before = Build::new(&graph, &options, &Inputs::new(context.clone()));
/// let after = Build::new(&graph, &options, &Inputs::new(context.with_change(&Change::files(["main.py"]))?));
///
/// let prediction = cache::compare(&before, &after);
/// assert_eq!(
///     prediction.steps[2].to_string(),
///     "`RUN pip install -r /app/requirements.txt` runs again because `COPY . /app` (line 2) takes in `main.py`, which changed"
/// );
/// # Ok::<(), stagewright::context::ContextError>(())
/// ```
pub fn compare(before: &Build, after: &Build) -> Prediction {
    compare_with(before, after, &CacheOptions::default())
}

/// As [`compare`], for a build that does not simply use what its builder has.
pub fn compare_with(before: &Build, after: &Build, options: &CacheOptions) -> Prediction {
    let outcomes = store::play(before, after, options);
    let explained = explain::explain(before, after, &outcomes, options);
    let steps = after
        .steps
        .iter()
        .zip(explained)
        .map(|(step, verdict)| StepVerdict {
            step: step.id,
            kind: step.kind,
            stage: step.stage_name.clone(),
            line: step.line,
            instruction: step.text.clone(),
            verdict,
        });
    Prediction {
        steps: steps.collect(),
        findings: after
            .steps
            .iter()
            .flat_map(|step| missing(after, step))
            .collect(),
    }
}

/// What a step takes from a context in which it is not: the build fails there.
fn missing<'b>(build: &'b Build, step: &'b Step) -> impl Iterator<Item = Finding> + 'b {
    let contexts = step.inputs.iter().filter_map(|input| match &input.origin {
        Origin::Context => Some((&build.context, input)),
        Origin::NamedContext(name) => Some((build.named.get(name)?, input)),
        _ => None,
    });
    // Nobody said what is in the context.
    let known = contexts.filter(|(context, _)| !context.everything().children().is_empty());
    let missing = known.flat_map(|(context, input)| {
        let selectors = input.selectors.iter();
        selectors.filter_map(|selector| selector.missing(context.tree()))
    });
    missing.map(|error| {
        let message = format!("{error}: the build fails here");
        let mut finding = Finding::new(error.code(), Severity::Warning, step.span, message);
        finding.line = step.line;
        finding.column = 1;
        finding
    })
}

impl Prediction {
    /// The steps that run for certain.
    pub fn reruns(&self) -> impl Iterator<Item = &StepVerdict> {
        self.steps
            .iter()
            .filter(|step| matches!(step.verdict, Verdict::Rerun { .. }))
    }

    /// Whether everything is taken from the cache for certain.
    pub fn is_cached(&self) -> bool {
        self.steps
            .iter()
            .all(|step| step.verdict == Verdict::Cached)
    }
}

impl Verdict {
    /// `cached`, `rerun` or `unknown`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Cached => "cached",
            Self::Rerun { .. } => "rerun",
            Self::Unknown { .. } => "unknown",
        }
    }
}

impl fmt::Display for StepVerdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "`{}` ", self.instruction)?;
        match &self.verdict {
            Verdict::Cached => formatter.write_str("is cached"),
            Verdict::Rerun { cause } => write!(formatter, "runs again because {cause}"),
            Verdict::Unknown { doubt } => write!(formatter, "is cached only if {doubt}"),
        }
    }
}
