//! `History`, `Trace` and `Forecast`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::prelude::*;
use stagewright::report::{HistoryReport, to_json};
use stagewright::{read_bytes, read_file};

use crate::error::Failure;
use crate::value::{Commit, Finding, PathForecast, Size, StepForecast, all};

/// Changes that were made to a project, newest first. It never changes.
///
/// `BuildFiles.history()` reads one from git.
#[pyclass(frozen, from_py_object, module = "stagewright")]
#[derive(Clone)]
pub(crate) struct History {
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

#[pymethods]
impl History {
    /// A history of which only the changed paths are known: for each commit the paths of the build context, newest first.
    #[staticmethod]
    fn of(commits: Vec<Vec<String>>) -> Self {
        Self::new(stagewright::History::of(commits))
    }

    /// Reads a list of commits as JSON: `[{"paths": ["src/main.py"], "id": "…", "time": 0, "dockerfile": false}]`, of which only
    /// `paths` must be there.
    #[staticmethod]
    fn parse(text: &str) -> Result<Self, Failure> {
        Ok(Self::new(stagewright::History::parse(text)?))
    }

    /// Reads such a list from disk.
    #[staticmethod]
    fn read(path: PathBuf) -> Result<Self, Failure> {
        Self::parse(&read_file(path)?)
    }

    /// The changes; each is one build.
    #[getter]
    fn commits(&self) -> Vec<Commit> {
        all(&self.inner.commits)
    }

    /// Whether older commits were left out when the repository was cloned.
    #[getter]
    fn shallow(&self) -> bool {
        self.inner.shallow
    }

    fn __repr__(&self) -> String {
        format!("<History: {} commits>", self.inner.commits.len())
    }
}

/// What a build really did, as BuildKit tells it with `--progress=rawjson`. It never changes.
#[pyclass(frozen, from_py_object, module = "stagewright")]
#[derive(Clone)]
pub(crate) struct Trace {
    inner: stagewright::Trace,
}

impl Trace {
    pub(crate) fn inner(&self) -> &stagewright::Trace {
        &self.inner
    }
}

#[pymethods]
impl Trace {
    /// Reads a trace. One that ends before its build does is read as far as it goes.
    ///
    /// Raises `StagewrightError` for a line that is damaged (`bad-trace`) and for a text that is no trace (`no-trace`).
    #[staticmethod]
    fn parse(text: &str) -> Result<Self, Failure> {
        Ok(Self {
            inner: stagewright::Trace::parse(text)?,
        })
    }

    /// Reads a trace from disk.
    #[staticmethod]
    fn read(path: PathBuf) -> Result<Self, Failure> {
        Ok(Self {
            inner: stagewright::Trace::parse(read_bytes(path)?)?,
        })
    }

    /// Whether it goes to the end of its build, and nothing failed.
    #[getter]
    fn complete(&self) -> bool {
        self.inner.is_complete()
    }

    fn __repr__(&self) -> String {
        format!("<Trace: {} vertexes>", self.inner.vertexes().len())
    }
}

/// How long steps take: seconds by the words that pick them, and of other steps what a trace shows.
pub(crate) fn durations(
    given: BTreeMap<String, f64>,
    trace: Option<&Trace>,
) -> Result<stagewright::Durations, Failure> {
    let durations = stagewright::Durations::of_steps(given)?;
    Ok(match trace {
        Some(trace) => durations.trace(trace.inner.clone()),
        None => durations,
    })
}

/// What a commit costs, by what commits have changed so far.
#[pyclass(frozen, module = "stagewright")]
pub(crate) struct Forecast {
    report: HistoryReport,
}

impl Forecast {
    pub(crate) fn new(report: HistoryReport) -> Self {
        Self { report }
    }
}

#[pymethods]
impl Forecast {
    /// How many commits it is made from.
    #[getter]
    fn commits(&self) -> usize {
        self.report.forecast.commits
    }

    /// The day of the oldest, `YYYY-MM-DD`; nothing where commits have no dates.
    #[getter]
    fn since(&self) -> Option<&str> {
        self.report.forecast.since.as_deref()
    }

    /// The day of the newest.
    #[getter]
    fn until(&self) -> Option<&str> {
        self.report.forecast.until.as_deref()
    }

    /// How many of them changed the Dockerfile's text. What that ran again is not counted.
    #[getter]
    fn dockerfile_commits(&self) -> usize {
        self.report.forecast.dockerfile_commits
    }

    /// Whether the repository is a shallow clone, so that older commits are not known.
    #[getter]
    fn shallow(&self) -> bool {
        self.report.forecast.shallow
    }

    /// The steps, each after those it needs.
    #[getter]
    fn steps(&self) -> Vec<StepForecast> {
        all(&self.report.forecast.steps)
    }

    /// Seconds of work that a commit costs on the average: those of all steps, one after another.
    #[getter]
    fn seconds(&self) -> f64 {
        self.report.forecast.seconds
    }

    /// Bytes that a host with the previous image pulls after a commit, on the average.
    #[getter]
    fn warm_pull(&self) -> Size {
        self.report.forecast.warm_pull.into()
    }

    /// The paths that the ignore file lets through, with how many commits changed them; the most frequent first.
    #[getter]
    fn paths(&self) -> Vec<PathForecast> {
        all(&self.report.forecast.paths)
    }

    /// What is wrong or not known, sorted by place.
    #[getter]
    fn findings(&self) -> Vec<Finding> {
        all(&self.report.findings)
    }

    /// The forecast as JSON: the bytes that `stagewright cache --history --json` prints.
    fn to_json(&self) -> String {
        to_json(&self.report)
    }

    fn __repr__(&self) -> String {
        format!("<Forecast: {} commits>", self.report.forecast.commits)
    }
}
