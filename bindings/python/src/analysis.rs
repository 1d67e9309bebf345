//! `Analysis`, `Prediction` and `Plan`.

#![expect(
    clippy::needless_pass_by_value,
    reason = "what Python gives is extracted into values"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::prelude::*;
use stagewright::report::{
    CacheReport, CompareReport, DiffReport, HistoryReport, OptimizeReport, SizeReport, to_json,
};
use stagewright::{CacheOptions, Change, Options, PlanOptions};

use crate::diff::Diff;
use crate::error::Failure;
use crate::history::{self, Forecast, History, Trace};
use crate::image::{Comparison, Image};
use crate::snapshot::Snapshot;
use crate::value::{Base, Finding, Layer, Measure, Pull, Rung, Size, Step, TraceCheck, all};

/// What the models say of one Dockerfile in one context. It never changes.
#[pyclass(frozen, module = "stagewright")]
pub(crate) struct Analysis {
    inner: stagewright::Analysis,
}

impl Analysis {
    pub(crate) fn new(inner: stagewright::Analysis) -> Self {
        Self { inner }
    }

    fn report(&self) -> SizeReport {
        SizeReport::new(&self.inner)
    }
}

#[pymethods]
impl Analysis {
    /// Bytes of the image on disk: its base and its own layers. Without the base where that is unknown.
    #[getter]
    fn size(&self) -> Size {
        self.inner.size().uncompressed.into()
    }

    /// Bytes of the image on the wire.
    #[getter]
    fn compressed(&self) -> Size {
        self.inner.size().compressed.into()
    }

    /// The stage that is built, by its name or as `stage-N`.
    #[getter]
    fn target(&self) -> String {
        self.report().target
    }

    /// The image that everything is built on.
    #[getter]
    fn base(&self) -> Base {
        (&self.inner.base()).into()
    }

    /// The layers, the base's first as one; not among them where the base is unknown.
    #[getter]
    fn layers(&self) -> Vec<Layer> {
        all(self.inner.layers())
    }

    /// Bytes in the image that nothing can see, because a later layer hides or repeats them.
    #[getter]
    fn hidden(&self) -> Size {
        self.report().hidden.into()
    }

    /// What is wrong or not known, sorted by place.
    #[getter]
    fn findings(&self) -> Vec<Finding> {
        all(self.inner.findings())
    }

    /// What the next build runs again after a change, and why.
    ///
    /// `files` are paths of the context whose contents change (a folder stands for every file in it), `build_args` arguments with
    /// their new values, `bases` what base images are then, by their digest, `dockerfile` a new text.
    ///
    /// `no_cache` and `no_cache_filter` are those of `docker build`; `imported` is `min`, `max` or `inline` where the next build has a
    /// fresh builder that imports the cache of the last one, exported like that.
    #[pyo3(
        signature = (*, files=Vec::new(), build_args=BTreeMap::new(), bases=BTreeMap::new(), dockerfile=None, no_cache=false, no_cache_filter=Vec::new(), imported=None),
        text_signature = "($self, *, files=(), build_args={}, bases={}, dockerfile=None, no_cache=False, no_cache_filter=(), imported=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn after(
        &self,
        py: Python<'_>,
        files: Vec<String>,
        build_args: BTreeMap<String, String>,
        bases: BTreeMap<String, String>,
        dockerfile: Option<String>,
        no_cache: bool,
        no_cache_filter: Vec<String>,
        imported: Option<&str>,
    ) -> Result<Prediction, Failure> {
        let options = CacheOptions::from_words(no_cache, no_cache_filter, imported)?;
        let change = build_args
            .into_iter()
            .fold(Change::files(files), |change, (name, value)| {
                change.build_arg(name, value)
            });
        let change = bases
            .into_iter()
            .fold(change, |change, (name, digest)| change.base(name, digest));
        let change = dockerfile.into_iter().fold(change, Change::dockerfile);
        py.detach(|| {
            let prediction = self.inner.after_with(&change, &options)?;
            Ok(Prediction::new(&self.inner, prediction))
        })
    }

    /// What a build of this runs again on a builder that has done `before`. Both contexts must have been read with `hash=True`.
    /// The other arguments are those of `after`.
    #[pyo3(
        signature = (before, *, no_cache=false, no_cache_filter=Vec::new(), imported=None),
        text_signature = "($self, before, *, no_cache=False, no_cache_filter=(), imported=None)"
    )]
    fn since(
        &self,
        py: Python<'_>,
        before: &Self,
        no_cache: bool,
        no_cache_filter: Vec<String>,
        imported: Option<&str>,
    ) -> Result<Prediction, Failure> {
        let options = CacheOptions::from_words(no_cache, no_cache_filter, imported)?;
        Ok(py.detach(|| {
            let prediction = self.inner.since_with(&before.inner, &options);
            Prediction::new(&self.inner, prediction)
        }))
    }

    /// What this build is made of, to compare a later one with. The context must have been read with `hash=True`.
    ///
    /// Raises `StagewrightError` (`snapshot-unread`) where it was not.
    fn snapshot(&self) -> Result<Snapshot, Failure> {
        Ok(Snapshot::new(stagewright::Snapshot::of(&self.inner)?))
    }

    /// What a commit costs, if commits change what they have changed so far.
    ///
    /// `durations` are seconds by the words that pick steps, as `Prediction.expect_cached` takes them; of other steps they come from
    /// `trace`, or are what is usual. Raises `StagewrightError` for a history without a commit (`no-history`) and for words that pick
    /// no step (`unknown-step`).
    #[pyo3(
        signature = (history, *, durations=BTreeMap::new(), trace=None),
        text_signature = "($self, history, *, durations={}, trace=None)"
    )]
    fn forecast(
        &self,
        py: Python<'_>,
        history: &History,
        durations: BTreeMap<String, f64>,
        trace: Option<&Trace>,
    ) -> Result<Forecast, Failure> {
        let durations = history::durations(durations, trace)?;
        py.detach(|| {
            let forecast = self.inner.forecast(history.inner(), &durations)?;
            Ok(Forecast::new(HistoryReport::new(&self.inner, forecast)))
        })
    }

    /// What `after` means differently: stages, steps, sizes, cache, pulls and the configuration of the image. `change` is the source
    /// file whose edit is played through in both, the application's entry point if absent.
    ///
    /// Which layers the two images share is known where both contexts were read with `hash=True`.
    #[pyo3(signature = (after, *, change=None))]
    fn diff(&self, py: Python<'_>, after: &Self, change: Option<String>) -> Result<Diff, Failure> {
        py.detach(|| {
            let diff = self.inner.diff(&after.inner, change.as_deref())?;
            Ok(Diff {
                report: DiffReport::new(diff),
            })
        })
    }

    /// What a host pulls: everything, or what is in none of the images that it has.
    ///
    /// `images` are references of images that it has, `builds` analyses of builds whose images it has; their contexts and this one must
    /// have been read with `hash=True` for layers that are copied to be recognized. With `files`, it has this image as it was before
    /// these files, or the files in these folders, changed.
    #[pyo3(
        signature = (*, images=Vec::new(), builds=Vec::new(), files=Vec::new()),
        text_signature = "($self, *, images=(), builds=(), files=())"
    )]
    fn pull(
        &self,
        py: Python<'_>,
        images: Vec<String>,
        builds: Vec<PyRef<'_, Self>>,
        files: Vec<String>,
    ) -> Result<Pull, Failure> {
        let builds: Vec<_> = builds.iter().map(|build| build.inner.clone()).collect();
        py.detach(|| {
            let pull = self.inner.pull_beside(images, &builds, files)?;
            Ok((&pull).into())
        })
    }

    /// Lays an image that was built of this beside the estimate.
    fn compare_with(&self, image: &Image) -> Comparison {
        Comparison {
            report: CompareReport::new(&self.inner, image.image()),
        }
    }

    /// The way down from this file: rewrites that make the image smaller or the next build cheaper, in order.
    ///
    /// `objective` is `cold-size`, `cold-pull`, `warm-pull` or `rebuild`, `weights` several of them with how much each counts, in its
    /// place; `applicability` the most that a rewrite may risk: `safe`, `unsafe` or `suggestion`; `threshold` the least that each must
    /// win, as a share of what the file as it is costs; `change` the source file whose edit is measured, the application's entry point
    /// if absent; `skip` and `only` name passes.
    #[pyo3(
        signature = (*, objective="cold-pull", applicability="safe", weights=BTreeMap::new(), threshold=None, change=None, skip=Vec::new(), only=Vec::new()),
        text_signature = "($self, *, objective='cold-pull', applicability='safe', weights={}, threshold=None, change=None, skip=(), only=())"
    )]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn plan(
        &self,
        py: Python<'_>,
        objective: &str,
        applicability: &str,
        weights: BTreeMap<String, f64>,
        threshold: Option<f64>,
        change: Option<String>,
        skip: Vec<String>,
        only: Vec<String>,
    ) -> Result<Plan, Failure> {
        let options = PlanOptions::new(objective.parse()?, applicability.parse()?);
        let mut options = options.with_words(weights, threshold)?;
        options.change = change;
        options.skip = skip;
        options.only = only;
        py.detach(|| {
            let plan = self.inner.plan_with(&options)?;
            Ok(Plan {
                report: OptimizeReport::new(&self.inner, plan),
            })
        })
    }

    /// Sizes and findings as JSON: the bytes that `stagewright size --json` prints.
    fn to_json(&self) -> String {
        to_json(&self.report())
    }

    fn __repr__(&self) -> String {
        format!(
            "<Analysis: {} bytes in {} layers>",
            self.inner.size().uncompressed.expected,
            self.inner.layers().len()
        )
    }
}

/// Reads and analyses many builds in one call, on all processors. A path is a folder or a Dockerfile; the answers are in the order of the
/// paths, an `Analysis` for each, or the `StagewrightError` that says why there is none.
#[pyfunction]
#[pyo3(
    signature = (paths, *, target=None, build_args=BTreeMap::new(), platform=None, as_of=None, bases=BTreeMap::new()),
    text_signature = "(paths, *, target=None, build_args={}, platform=None, as_of=None, bases={})"
)]
pub(crate) fn analyze_many(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    target: Option<&str>,
    build_args: BTreeMap<String, String>,
    platform: Option<&str>,
    as_of: Option<&str>,
    bases: BTreeMap<String, String>,
) -> PyResult<Vec<Py<PyAny>>> {
    let options = Options::from_words(target, build_args, platform, as_of)
        .and_then(|options| options.with_bases(bases))
        .map_err(Failure::from)?;
    let answers = py.detach(|| stagewright::analyze_many(&paths, &options));
    answers
        .into_iter()
        .map(|answer| match answer {
            Ok(analysis) => Ok(Py::new(py, Analysis::new(analysis))?.into_any()),
            Err(error) => Ok(PyErr::from(Failure::from(error)).into_value(py).into_any()),
        })
        .collect()
}

/// What the build of `after` runs again on a builder that has done the build of `before`, and why. Both contexts must have been read
/// with `hash=True`.
#[pyfunction]
pub(crate) fn compare(py: Python<'_>, before: &Analysis, after: &Analysis) -> Prediction {
    py.detach(|| Prediction::new(&after.inner, after.inner.since(&before.inner)))
}

/// What happens to each step of the next build.
#[pyclass(frozen, module = "stagewright")]
pub(crate) struct Prediction {
    analysis: stagewright::Analysis,
    inner: stagewright::Prediction,
    report: CacheReport,
}

impl Prediction {
    fn new(analysis: &stagewright::Analysis, inner: stagewright::Prediction) -> Self {
        Self {
            analysis: analysis.clone(),
            report: CacheReport::new(analysis, &inner),
            inner,
        }
    }
}

#[pymethods]
impl Prediction {
    /// The steps, each after those it needs.
    #[getter]
    fn steps(&self) -> Vec<Step> {
        all(&self.report.steps)
    }

    /// Bytes that a host with the previous image pulls.
    #[getter]
    fn warm_pull(&self) -> Size {
        self.report.warm_pull.into()
    }

    /// What is wrong or not known, sorted by place.
    #[getter]
    fn findings(&self) -> Vec<Finding> {
        all(&self.report.findings)
    }

    /// Seconds of work of the steps that run for certain, one after another; only after `against` was given durations or a trace.
    #[getter]
    fn seconds(&self) -> Option<f64> {
        self.report.seconds
    }

    /// How a trace of the build stands to the prediction; only after `against` was given one.
    #[getter]
    fn trace(&self) -> Option<TraceCheck> {
        self.report.trace.as_ref().map(TraceCheck::from)
    }

    /// The same, held against a trace of the build and with the seconds that its steps take.
    ///
    /// `durations` are seconds by the words that pick steps, as `expect_cached` takes them.
    #[pyo3(
        signature = (*, trace=None, durations=BTreeMap::new()),
        text_signature = "($self, *, trace=None, durations={})"
    )]
    fn against(
        &self,
        trace: Option<&Trace>,
        durations: BTreeMap<String, f64>,
    ) -> Result<Self, Failure> {
        let durations = history::durations(durations, trace)?;
        let report = self
            .report
            .clone()
            .with_durations(&self.analysis, &self.inner, &durations)?;
        let report = match trace {
            Some(trace) => report.with_trace(&self.analysis, &self.inner, trace.inner()),
            None => report,
        };
        Ok(Self {
            analysis: self.analysis.clone(),
            inner: self.inner.clone(),
            report,
        })
    }

    /// Raises `StagewrightError` unless every step that `step` picks is taken from the cache for certain (`step-reruns`,
    /// `step-unknown`), or if it picks none (`unknown-step`).
    ///
    /// A step is picked by its line (`"7"`), by its stage (`"builder"`), by either within the other (`"builder/7"`,
    /// `"builder/RUN make"`), or by a part of its instruction (`"RUN pip install"`).
    fn expect_cached(&self, step: &str) -> Result<(), Failure> {
        Ok(self.inner.expect_cached(step)?)
    }

    /// Raises `StagewrightError` unless every step that `step` picks runs again for certain (`step-cached`, `step-unknown`), or if it
    /// picks none (`unknown-step`).
    fn expect_rerun(&self, step: &str) -> Result<(), Failure> {
        Ok(self.inner.expect_rerun(step)?)
    }

    /// The steps as JSON: the bytes that `stagewright cache --json` prints.
    fn to_json(&self) -> String {
        to_json(&self.report)
    }

    fn __repr__(&self) -> String {
        format!("<Prediction: {} steps>", self.report.steps.len())
    }
}

/// The chosen rewrites in order, and what they lead to.
#[pyclass(frozen, module = "stagewright")]
pub(crate) struct Plan {
    report: OptimizeReport,
}

impl Plan {
    pub(crate) fn plan(&self) -> &stagewright::Plan {
        &self.report.plan
    }
}

#[pymethods]
impl Plan {
    /// What was minimised.
    #[getter]
    fn objective(&self) -> &'static str {
        self.report.plan.objective.as_str()
    }

    /// The weights of what was minimised, where it was several things.
    #[getter]
    fn weights(&self) -> BTreeMap<&'static str, f64> {
        let weights = self.report.plan.weights.iter();
        weights
            .map(|(objective, weight)| (objective.as_str(), *weight))
            .collect()
    }

    /// The least that a rewrite had to win, as a share of what the file as it is costs.
    #[getter]
    fn threshold(&self) -> f64 {
        self.report.plan.threshold
    }

    /// The most that a rewrite was allowed to risk.
    #[getter]
    fn applicability(&self) -> &'static str {
        self.report.plan.applicability.as_str()
    }

    /// The file whose edit is measured; empty if no source file was found.
    #[getter]
    fn change(&self) -> &str {
        &self.report.plan.change
    }

    /// The cost of the file as it is.
    #[getter]
    fn before(&self) -> Measure {
        (&self.report.plan.before).into()
    }

    /// The rewrites, in order, each with what it wins.
    #[getter]
    fn steps(&self) -> Vec<Rung> {
        all(&self.report.plan.rungs)
    }

    /// What was left, since each wins less than the threshold or was cut off by `until`, with what it would have won.
    #[getter]
    fn left(&self) -> Vec<Rung> {
        all(&self.report.plan.left)
    }

    /// The plan with its first rewrites alone, with 0 the files as they were; the others are `left`.
    fn until(&self, rungs: usize) -> Self {
        let mut report = self.report.clone();
        report.plan = report.plan.until(rungs);
        Self { report }
    }

    /// The new Dockerfile.
    #[getter]
    fn dockerfile(&self) -> &str {
        &self.report.plan.dockerfile
    }

    /// The new `.dockerignore`; nothing where it stays as it is.
    #[getter]
    fn dockerignore(&self) -> Option<&str> {
        self.report.plan.dockerignore.as_deref()
    }

    /// What is wrong or not known in the file as it is, sorted by place.
    #[getter]
    fn findings(&self) -> Vec<Finding> {
        all(&self.report.findings)
    }

    /// The plan as JSON: the bytes that `stagewright optimize --json` prints.
    fn to_json(&self) -> String {
        to_json(&self.report)
    }

    fn __repr__(&self) -> String {
        format!("<Plan: {} steps>", self.report.plan.rungs.len())
    }
}
