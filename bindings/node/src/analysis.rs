//! `Analysis`, `Prediction` and `Plan`.

#![expect(
    clippy::needless_pass_by_value,
    reason = "what JavaScript gives is converted into values"
)]

use std::collections::BTreeMap;

use napi::Either;
use napi::bindgen_prelude::ClassInstance;
use napi_derive::napi;
use stagewright::report::{
    CacheReport, CompareReport, DiffReport, ErrorReport, HistoryReport, OptimizeReport, SizeReport,
    to_json,
};
use stagewright::{Change, Options, PlanOptions};

use crate::diff::Diff;
use crate::error::{Result, failure};
use crate::history::{DurationOptions, Forecast, History};
use crate::image::{Comparison, Image};
use crate::snapshot::Snapshot;
use crate::value::{Base, Finding, Layer, Measure, Pull, Rung, Size, Step, TraceCheck, all};

/// What the models say of one Dockerfile in one context. It never changes.
#[napi]
pub struct Analysis {
    inner: stagewright::Analysis,
}

/// What is different in the next build.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct ChangeOptions {
    /// Paths of the context whose contents change; a folder stands for every file in it.
    pub files: Option<Vec<String>>,
    /// Build arguments with their new values.
    pub build_args: Option<BTreeMap<String, String>>,
    /// Base images, by reference, with their new digests.
    pub bases: Option<BTreeMap<String, String>>,
    /// The new text of the Dockerfile.
    pub dockerfile: Option<String>,
}

/// How the next build uses the cache. By default it has the builder of the last one.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct CacheOptions {
    /// No RUN, COPY or ADD may come from the cache.
    pub no_cache: Option<bool>,
    /// No RUN, COPY or ADD of these stages may come from the cache.
    pub no_cache_filter: Option<Vec<String>>,
    /// The builder is a fresh one that imports the cache of the last build, exported like that.
    #[napi(ts_type = "'min' | 'max' | 'inline'")]
    pub imported: Option<String>,
}

fn cache_options(options: Option<CacheOptions>) -> Result<stagewright::CacheOptions> {
    let asked = options.unwrap_or_default();
    stagewright::CacheOptions::from_words(
        asked.no_cache.unwrap_or_default(),
        asked.no_cache_filter.unwrap_or_default(),
        asked.imported.as_deref(),
    )
    .map_err(failure)
}

/// What is asked of a comparison of two builds.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct DiffOptions {
    /// The source file whose edit is played through in both; the application's entry point if absent.
    pub change: Option<String>,
}

/// What a host has already; nothing by default.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct HostOptions<'a> {
    /// Images of a registry, by their references.
    pub images: Option<Vec<String>>,
    /// The images that other builds make. Their contexts and this one must have been read with `hash: true` for layers that are copied
    /// to be recognized.
    pub builds: Option<Vec<ClassInstance<'a, Analysis>>>,
    /// This image as it was before these files, or the files in these folders, changed.
    pub files: Option<Vec<String>>,
}

/// What a plan may do and for what.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct PlanningOptions {
    /// What to minimise; `cold-pull` if absent.
    #[napi(ts_type = "'cold-size' | 'cold-pull' | 'warm-pull' | 'rebuild'")]
    pub objective: Option<String>,
    /// What to minimise where it is several things, with how much each counts, in the place of `objective`.
    #[napi(
        ts_type = "Partial<Record<'cold-size' | 'cold-pull' | 'warm-pull' | 'rebuild', number>>"
    )]
    pub weights: Option<BTreeMap<String, f64>>,
    /// The least that a rewrite must win, as a share of what the file as it is costs; 0 if absent.
    pub threshold: Option<f64>,
    /// The most that a rewrite may risk; `safe` if absent.
    #[napi(ts_type = "'safe' | 'unsafe' | 'suggestion'")]
    pub applicability: Option<String>,
    /// The source file whose edit is measured; the application's entry point if absent.
    pub change: Option<String>,
    /// Passes to leave out, by name.
    pub skip: Option<Vec<String>>,
    /// Passes to use, by name; all if empty.
    pub only: Option<Vec<String>>,
}

impl Analysis {
    pub(crate) fn new(inner: stagewright::Analysis) -> Self {
        Self { inner }
    }

    fn report(&self) -> SizeReport {
        SizeReport::new(&self.inner)
    }
}

#[napi]
impl Analysis {
    /// Bytes of the image on disk: its base and its own layers. Without the base where that is unknown.
    #[napi(getter)]
    pub fn size(&self) -> Size {
        self.inner.size().uncompressed.into()
    }

    /// Bytes of the image on the wire.
    #[napi(getter)]
    pub fn compressed(&self) -> Size {
        self.inner.size().compressed.into()
    }

    /// The stage that is built, by its name or as `stage-N`.
    #[napi(getter)]
    pub fn target(&self) -> String {
        self.report().target
    }

    /// The image that everything is built on.
    #[napi(getter)]
    pub fn base(&self) -> Base {
        (&self.inner.base()).into()
    }

    /// The layers, the base's first as one; not among them where the base is unknown.
    #[napi(getter)]
    pub fn layers(&self) -> Vec<Layer> {
        all(self.inner.layers())
    }

    /// Bytes in the image that nothing can see, because a later layer hides or repeats them.
    #[napi(getter)]
    pub fn hidden(&self) -> Size {
        self.report().hidden.into()
    }

    /// What is wrong or not known, sorted by place.
    #[napi(getter)]
    pub fn findings(&self) -> Vec<Finding> {
        all(self.inner.findings())
    }

    /// What the next build runs again after a change, and why.
    #[napi]
    pub fn after(
        &self,
        change: Option<ChangeOptions>,
        cache: Option<CacheOptions>,
    ) -> Result<Prediction> {
        let options = change.unwrap_or_default();
        let change = Change::files(options.files.unwrap_or_default());
        let build_args = options.build_args.unwrap_or_default();
        let change = build_args
            .into_iter()
            .fold(change, |change, (name, value)| {
                change.build_arg(name, value)
            });
        let bases = options.bases.unwrap_or_default();
        let change = bases
            .into_iter()
            .fold(change, |change, (name, digest)| change.base(name, digest));
        let change = options
            .dockerfile
            .into_iter()
            .fold(change, Change::dockerfile);
        let prediction = self
            .inner
            .after_with(&change, &cache_options(cache)?)
            .map_err(failure)?;
        Ok(Prediction::new(&self.inner, prediction))
    }

    /// What a build of this runs again on a builder that has done `before`. Both contexts must have been read with `hash: true`.
    #[napi]
    pub fn since(&self, before: &Analysis, cache: Option<CacheOptions>) -> Result<Prediction> {
        let prediction = self.inner.since_with(&before.inner, &cache_options(cache)?);
        Ok(Prediction::new(&self.inner, prediction))
    }

    /// What this build is made of, to compare a later one with. The context must have been read with `hash: true`.
    ///
    /// Throws an error (`snapshot-unread`) where it was not.
    #[napi]
    pub fn snapshot(&self) -> Result<Snapshot> {
        Ok(Snapshot::new(
            stagewright::Snapshot::of(&self.inner).map_err(failure)?,
        ))
    }

    /// What a commit costs, if commits change what they have changed so far.
    ///
    /// Throws an error for a history without a commit (`no-history`) and for words that pick no step (`unknown-step`).
    #[napi]
    pub fn forecast(
        &self,
        history: &History,
        options: Option<DurationOptions<'_>>,
    ) -> Result<Forecast> {
        let durations = options.unwrap_or_default().durations()?;
        let forecast = self
            .inner
            .forecast(history.inner(), &durations)
            .map_err(failure)?;
        Ok(Forecast::new(HistoryReport::new(&self.inner, forecast)))
    }

    /// What `after` means differently: stages, steps, sizes, cache, pulls and the configuration of the image.
    ///
    /// Which layers the two images share is known where both contexts were read with `hash: true`.
    #[napi]
    pub fn diff(&self, after: &Analysis, options: Option<DiffOptions>) -> Result<Diff> {
        let change = options.unwrap_or_default().change;
        let diff = self
            .inner
            .diff(&after.inner, change.as_deref())
            .map_err(failure)?;
        Ok(Diff {
            report: DiffReport::new(diff),
        })
    }

    /// What a host pulls: everything, or what is in none of the images that it has.
    #[napi]
    pub fn pull(&self, host: Option<HostOptions<'_>>) -> Result<Pull> {
        let asked = host.unwrap_or_default();
        let images = asked.images.unwrap_or_default();
        let builds = asked.builds.unwrap_or_default();
        let builds = builds.iter().map(|build| &build.inner);
        let files = asked.files.unwrap_or_default();
        let pull = self.inner.pull_beside(images, builds, files);
        Ok((&pull.map_err(failure)?).into())
    }

    /// Lays an image that was built of this beside the estimate.
    #[napi]
    pub fn compare_with(&self, image: &Image) -> Comparison {
        Comparison::new(CompareReport::new(&self.inner, image.image()))
    }

    /// The way down from this file: rewrites that make the image smaller or the next build cheaper, in order.
    #[napi]
    pub fn plan(&self, options: Option<PlanningOptions>) -> Result<Plan> {
        let asked = options.unwrap_or_default();
        let objective = asked
            .objective
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(failure)?;
        let applicability = asked
            .applicability
            .as_deref()
            .map(str::parse)
            .transpose()
            .map_err(failure)?;
        let mut options = PlanOptions::new(
            objective.unwrap_or_default(),
            applicability.unwrap_or_default(),
        )
        .with_words(asked.weights.unwrap_or_default(), asked.threshold)
        .map_err(failure)?;
        options.change = asked.change;
        options.skip = asked.skip.unwrap_or_default();
        options.only = asked.only.unwrap_or_default();
        let plan = self.inner.plan_with(&options).map_err(failure)?;
        Ok(Plan {
            report: OptimizeReport::new(&self.inner, plan),
        })
    }

    /// Sizes and findings as JSON: the bytes that `stagewright size --json` prints.
    #[napi]
    pub fn to_json(&self) -> String {
        to_json(&self.report())
    }
}

/// How many builds are called.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct ManyOptions {
    /// The stage to build; the last one if absent.
    pub target: Option<String>,
    /// Build arguments, by name.
    pub build_args: Option<BTreeMap<String, String>>,
    /// The platform to build for, for example `linux/arm64`.
    pub platform: Option<String>,
    /// The day (`YYYY-MM-DD`) as of which the catalogue is read, for base images of another year.
    pub as_of: Option<String>,
    /// The digests that base images have, by reference.
    pub bases: Option<BTreeMap<String, String>>,
}

/// Why one of many builds has no analysis.
#[napi(object, object_from_js = false)]
pub struct FailedBuild {
    /// The stable name of the error, in kebab-case.
    pub code: String,
    /// What is wrong, as one sentence.
    pub message: String,
}

/// Reads and analyses many builds in one call, on all processors. A path is a folder or a Dockerfile; the answers are in the order of the
/// paths, an `Analysis` for each, or what says why there is none.
#[napi]
pub fn analyze_many(
    paths: Vec<String>,
    options: Option<ManyOptions>,
) -> Result<Vec<Either<Analysis, FailedBuild>>> {
    let options = options.unwrap_or_default();
    let called = Options::from_words(
        options.target.as_deref(),
        options.build_args.unwrap_or_default(),
        options.platform.as_deref(),
        options.as_of.as_deref(),
    )
    .and_then(|called| called.with_bases(options.bases.unwrap_or_default()))
    .map_err(failure)?;
    let answers = stagewright::analyze_many(&paths, &called).into_iter();
    Ok(answers
        .map(|answer| match answer {
            Ok(analysis) => Either::A(Analysis::new(analysis)),
            Err(error) => {
                let ErrorReport { error, .. } = ErrorReport::new(&error);
                Either::B(FailedBuild {
                    code: error.code.to_owned(),
                    message: error.message,
                })
            }
        })
        .collect())
}

/// What the build of `after` runs again on a builder that has done the build of `before`, and why. Both contexts must have been read
/// with `hash: true`.
#[napi]
pub fn compare(before: &Analysis, after: &Analysis) -> Prediction {
    Prediction::new(&after.inner, after.inner.since(&before.inner))
}

/// What happens to each step of the next build.
#[napi]
pub struct Prediction {
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

#[napi]
impl Prediction {
    /// The steps, each after those it needs.
    #[napi(getter)]
    pub fn steps(&self) -> Vec<Step> {
        all(&self.report.steps)
    }

    /// Bytes that a host with the previous image pulls.
    #[napi(getter)]
    pub fn warm_pull(&self) -> Size {
        self.report.warm_pull.into()
    }

    /// What is wrong or not known, sorted by place.
    #[napi(getter)]
    pub fn findings(&self) -> Vec<Finding> {
        all(&self.report.findings)
    }

    /// Seconds of work of the steps that run for certain, one after another; only after `against` was given durations or a trace.
    #[napi(getter)]
    pub fn seconds(&self) -> Option<f64> {
        self.report.seconds
    }

    /// How a trace of the build stands to the prediction; only after `against` was given one.
    #[napi(getter)]
    pub fn trace(&self) -> Option<TraceCheck> {
        self.report.trace.as_ref().map(TraceCheck::from)
    }

    /// The same, held against a trace of the build and with the seconds that its steps take.
    #[napi]
    pub fn against(&self, options: DurationOptions<'_>) -> Result<Self> {
        let durations = options.durations()?;
        let report = self
            .report
            .clone()
            .with_durations(&self.analysis, &self.inner, &durations)
            .map_err(failure)?;
        let report = match options.trace() {
            Some(trace) => report.with_trace(&self.analysis, &self.inner, trace),
            None => report,
        };
        Ok(Self {
            analysis: self.analysis.clone(),
            inner: self.inner.clone(),
            report,
        })
    }

    /// Throws an error unless every step that `step` picks is taken from the cache for certain (`step-reruns`, `step-unknown`), or if
    /// it picks none (`unknown-step`).
    ///
    /// A step is picked by its line (`'7'`), by its stage (`'builder'`), by either within the other (`'builder/7'`,
    /// `'builder/RUN make'`), or by a part of its instruction (`'RUN pip install'`).
    #[napi]
    pub fn expect_cached(&self, step: String) -> Result<()> {
        self.inner.expect_cached(&step).map_err(failure)
    }

    /// Throws an error unless every step that `step` picks runs again for certain (`step-cached`, `step-unknown`), or if it picks none
    /// (`unknown-step`).
    #[napi]
    pub fn expect_rerun(&self, step: String) -> Result<()> {
        self.inner.expect_rerun(&step).map_err(failure)
    }

    /// The steps as JSON: the bytes that `stagewright cache --json` prints.
    #[napi]
    pub fn to_json(&self) -> String {
        to_json(&self.report)
    }
}

/// The chosen rewrites in order, and what they lead to.
#[napi]
pub struct Plan {
    report: OptimizeReport,
}

impl Plan {
    pub(crate) fn plan(&self) -> &stagewright::Plan {
        &self.report.plan
    }
}

#[napi]
impl Plan {
    /// What was minimised.
    #[napi(getter)]
    pub fn objective(&self) -> &'static str {
        self.report.plan.objective.as_str()
    }

    /// The weights of what was minimised, where it was several things.
    #[napi(getter)]
    pub fn weights(&self) -> BTreeMap<String, f64> {
        let weights = self.report.plan.weights.iter();
        weights
            .map(|(objective, weight)| (objective.as_str().to_owned(), *weight))
            .collect()
    }

    /// The least that a rewrite had to win, as a share of what the file as it is costs.
    #[napi(getter)]
    pub fn threshold(&self) -> f64 {
        self.report.plan.threshold
    }

    /// The most that a rewrite was allowed to risk.
    #[napi(getter)]
    pub fn applicability(&self) -> &'static str {
        self.report.plan.applicability.as_str()
    }

    /// The file whose edit is measured; empty if no source file was found.
    #[napi(getter)]
    pub fn change(&self) -> &str {
        &self.report.plan.change
    }

    /// The cost of the file as it is.
    #[napi(getter)]
    pub fn before(&self) -> Measure {
        (&self.report.plan.before).into()
    }

    /// The rewrites, in order, each with what it wins.
    #[napi(getter)]
    pub fn steps(&self) -> Vec<Rung> {
        all(&self.report.plan.rungs)
    }

    /// What was left, since each wins less than the threshold or was cut off by `until`, with what it would have won.
    #[napi(getter)]
    pub fn left(&self) -> Vec<Rung> {
        all(&self.report.plan.left)
    }

    /// The plan with its first rewrites alone, with 0 the files as they were; the others are `left`.
    #[napi]
    pub fn until(&self, rungs: u32) -> Self {
        let mut report = self.report.clone();
        report.plan = report.plan.until(rungs as usize);
        Self { report }
    }

    /// The new Dockerfile.
    #[napi(getter)]
    pub fn dockerfile(&self) -> &str {
        &self.report.plan.dockerfile
    }

    /// The new `.dockerignore`; nothing where it stays as it is.
    #[napi(getter)]
    pub fn dockerignore(&self) -> Option<&str> {
        self.report.plan.dockerignore.as_deref()
    }

    /// What is wrong or not known in the file as it is, sorted by place.
    #[napi(getter)]
    pub fn findings(&self) -> Vec<Finding> {
        all(&self.report.findings)
    }

    /// The plan as JSON: the bytes that `stagewright optimize --json` prints.
    #[napi]
    pub fn to_json(&self) -> String {
        to_json(&self.report)
    }
}
