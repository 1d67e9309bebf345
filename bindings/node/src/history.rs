//! `History`, `Trace` and `Forecast`.

#![expect(
    clippy::needless_pass_by_value,
    reason = "what JavaScript gives is converted into values"
)]

use std::collections::BTreeMap;

use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;
use stagewright::report::{HistoryReport, to_json};
use stagewright::{read_bytes, read_file};

use crate::error::{Result, failure};
use crate::value::{Commit, Finding, PathForecast, Size, StepForecast, all, index};

/// Changes that were made to a project, newest first. It never changes.
///
/// `buildFiles.history()` reads one from git.
#[napi]
pub struct History {
    inner: stagewright::History,
}

impl History {
    pub(crate) fn new(inner: stagewright::History) -> Self {
        Self { inner }
    }

    pub(crate) fn inner(&self) -> &stagewright::History {
        &self.inner
    }
}

#[napi]
impl History {
    /// A history of which only the changed paths are known: for each commit the paths of the build context, newest first.
    #[napi(factory)]
    pub fn of(commits: Vec<Vec<String>>) -> Self {
        Self::new(stagewright::History::of(commits))
    }

    /// Reads a list of commits as JSON: `[{"paths": ["src/main.py"], "id": "…", "time": 0, "dockerfile": false}]`, of which only
    /// `paths` must be there.
    #[napi(factory)]
    pub fn parse(text: String) -> Result<Self> {
        Ok(Self::new(
            stagewright::History::parse(&text).map_err(failure)?,
        ))
    }

    /// Reads such a list from disk.
    #[napi(factory)]
    pub fn read(path: String) -> Result<Self> {
        Self::parse(read_file(path).map_err(failure)?)
    }

    /// The changes; each is one build.
    #[napi(getter)]
    pub fn commits(&self) -> Vec<Commit> {
        all(&self.inner.commits)
    }

    /// Whether older commits were left out when the repository was cloned.
    #[napi(getter)]
    pub fn shallow(&self) -> bool {
        self.inner.shallow
    }
}

/// What a build really did, as BuildKit tells it with `--progress=rawjson`. It never changes.
#[napi]
pub struct Trace {
    inner: stagewright::Trace,
}

#[napi]
impl Trace {
    /// Reads a trace. One that ends before its build does is read as far as it goes.
    ///
    /// Throws an error for a line that is damaged (`bad-trace`) and for a text that is no trace (`no-trace`).
    #[napi(factory)]
    pub fn parse(text: String) -> Result<Self> {
        let inner = stagewright::Trace::parse(&text).map_err(failure)?;
        Ok(Self { inner })
    }

    /// Reads a trace from disk.
    #[napi(factory)]
    pub fn read(path: String) -> Result<Self> {
        let bytes = read_bytes(path).map_err(failure)?;
        let inner = stagewright::Trace::parse(bytes).map_err(failure)?;
        Ok(Self { inner })
    }

    /// Whether it goes to the end of its build, and nothing failed.
    #[napi(getter)]
    pub fn complete(&self) -> bool {
        self.inner.is_complete()
    }
}

/// How long steps take.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct DurationOptions<'o> {
    /// Seconds by the words that pick steps, as `expectCached` takes them.
    pub durations: Option<BTreeMap<String, f64>>,
    /// What BuildKit did; of steps that `durations` leaves out it shows how long they took.
    pub trace: Option<ClassInstance<'o, Trace>>,
}

impl DurationOptions<'_> {
    pub(crate) fn durations(&self) -> Result<stagewright::Durations> {
        let given = self.durations.clone().unwrap_or_default();
        let durations = stagewright::Durations::of_steps(given).map_err(failure)?;
        Ok(match &self.trace {
            Some(trace) => durations.trace(trace.inner.clone()),
            None => durations,
        })
    }

    pub(crate) fn trace(&self) -> Option<&stagewright::Trace> {
        self.trace.as_ref().map(|trace| &trace.inner)
    }
}

/// What a commit costs, by what commits have changed so far.
#[napi]
pub struct Forecast {
    report: HistoryReport,
}

impl Forecast {
    pub(crate) fn new(report: HistoryReport) -> Self {
        Self { report }
    }
}

#[napi]
impl Forecast {
    /// How many commits it is made from.
    #[napi(getter)]
    pub fn commits(&self) -> u32 {
        index(self.report.forecast.commits)
    }

    /// The day of the oldest, `YYYY-MM-DD`; nothing where commits have no dates.
    #[napi(getter)]
    pub fn since(&self) -> Option<&str> {
        self.report.forecast.since.as_deref()
    }

    /// The day of the newest.
    #[napi(getter)]
    pub fn until(&self) -> Option<&str> {
        self.report.forecast.until.as_deref()
    }

    /// How many of them changed the Dockerfile's text. What that ran again is not counted.
    #[napi(getter)]
    pub fn dockerfile_commits(&self) -> u32 {
        index(self.report.forecast.dockerfile_commits)
    }

    /// Whether the repository is a shallow clone, so that older commits are not known.
    #[napi(getter)]
    pub fn shallow(&self) -> bool {
        self.report.forecast.shallow
    }

    /// The steps, each after those it needs.
    #[napi(getter)]
    pub fn steps(&self) -> Vec<StepForecast> {
        all(&self.report.forecast.steps)
    }

    /// Seconds of work that a commit costs on the average: those of all steps, one after another.
    #[napi(getter)]
    pub fn seconds(&self) -> f64 {
        self.report.forecast.seconds
    }

    /// Bytes that a host with the previous image pulls after a commit, on the average.
    #[napi(getter)]
    pub fn warm_pull(&self) -> Size {
        self.report.forecast.warm_pull.into()
    }

    /// The paths that the ignore file lets through, with how many commits changed them; the most frequent first.
    #[napi(getter)]
    pub fn paths(&self) -> Vec<PathForecast> {
        all(&self.report.forecast.paths)
    }

    /// What is wrong or not known, sorted by place.
    #[napi(getter)]
    pub fn findings(&self) -> Vec<Finding> {
        all(&self.report.findings)
    }

    /// The forecast as JSON: the bytes that `stagewright cache --history --json` prints.
    #[napi]
    pub fn to_json(&self) -> String {
        to_json(&self.report)
    }
}
