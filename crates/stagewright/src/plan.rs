//! Climbs the ladder: applies the passes one after the other, measures each rung, and keeps what wins.

use std::collections::BTreeMap;

use serde::Serialize;
use stagewright_syntax::Dockerfile;
use stagewright_syntax::edit::EditError;

use crate::analysis::{Analysis, AnalysisError};
use crate::cache::{Prediction, StepVerdict, Verdict};
use crate::change::{Change, changes_every_build, mentions};
use crate::duration::rounded;
use crate::estimate::Estimate;
use crate::facts::Catalog;
use crate::options::OptionsError;
use crate::passes::{PASSES, View};
use crate::proposal::{Applicability, Objective, Proposal};
use crate::stage::Stage;

/// What a plan may do and for what.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct PlanOptions {
    /// What to minimise.
    pub objective: Objective,
    /// What to minimise where it is several things: each cost as a share of what the file as it is costs, times its weight, added up.
    /// Empty is the objective alone.
    pub weights: Weights,
    /// The most that a rewrite may risk.
    pub applicability: Applicability,
    /// The least that a rewrite must win, as a share of what the file as it is costs (0.01 is a hundredth). What wins less is left, and
    /// listed in [`Plan::left`]. Rewrites that mend how the image behaves are made whatever they win. With 0, everything is made that
    /// makes nothing worse and something better, the objective or not.
    pub threshold: f64,
    /// The file whose edit is measured, relative to the context; the application's entry point if absent.
    pub change: Option<String>,
    /// Passes to leave out, by name.
    pub skip: Vec<String>,
    /// Passes to use, by name; all if empty.
    pub only: Vec<String>,
}

impl PlanOptions {
    /// A plan for an objective, up to an applicability.
    pub fn new(objective: Objective, applicability: Applicability) -> Self {
        Self {
            objective,
            weights: Weights::new(),
            applicability,
            threshold: 0.0,
            change: None,
            skip: Vec::new(),
            only: Vec::new(),
        }
    }

    /// The same with weights by their words (`cold-pull`), each a number above zero, and with a threshold from 0 to 1.
    pub fn with_words(
        mut self,
        weights: impl IntoIterator<Item = (String, f64)>,
        threshold: Option<f64>,
    ) -> Result<Self, OptionsError> {
        for (word, weight) in weights {
            let objective: Objective = word.parse()?;
            if !weight.is_finite() || weight <= 0.0 {
                return Err(OptionsError::Weight {
                    word,
                    weight: weight.to_string(),
                });
            }
            self.weights.insert(objective, weight);
        }
        if let Some(threshold) = threshold {
            if !(0.0..=1.0).contains(&threshold) {
                return Err(OptionsError::Threshold {
                    threshold: threshold.to_string(),
                });
            }
            self.threshold = threshold;
        }
        Ok(self)
    }
}

/// How much each objective counts.
pub type Weights = BTreeMap<Objective, f64>;

/// What a Dockerfile costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Measure {
    /// The image, on disk and on the wire.
    #[serde(flatten)]
    pub size: Estimate,
    /// The instructions that an edit of the source runs again.
    pub rebuilds: Vec<String>,
    /// Seconds that those take, one after another, at what is usual for their kind.
    pub seconds: f64,
    /// Bytes that a host with the previous image pulls after that edit.
    pub warm_pull: u64,
    /// The instructions that every build runs again though no file is edited: it gives arguments such as `GIT_SHA` and `BUILD_DATE`
    /// another value.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub every_build: Vec<String>,
    /// Seconds that those take.
    #[serde(skip)]
    every_build_seconds: f64,
}

/// One rewrite.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Rung {
    /// The pass.
    pub pass: &'static str,
    /// What it does.
    pub title: String,
    /// How far it can be trusted.
    pub applicability: Applicability,
    /// What it takes for granted.
    pub assumptions: Vec<String>,
    /// What a person should know about it.
    pub warnings: Vec<String>,
    /// What it wins of what is minimised, as a share of what the file as it is costs: 0.1 is a tenth of it.
    pub gain: f64,
    /// The cost before it.
    pub before: Measure,
    /// The cost after it.
    pub after: Measure,
    /// The Dockerfile after it.
    pub dockerfile: String,
    /// The `.dockerignore` after it; nothing where it changes none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dockerignore: Option<String>,
}

/// The chosen rewrites in order, and what they lead to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// What was minimised.
    pub objective: Objective,
    /// The weights of what was minimised, where it was several things.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub weights: Weights,
    /// The most that a rewrite was allowed to risk.
    pub applicability: Applicability,
    /// The least that a rewrite had to win, as a share of what the file as it is costs.
    pub threshold: f64,
    /// The file whose edit `rebuilds` and `warm_pull` are about; empty if no source file was found.
    pub change: String,
    /// The cost of the file as it is.
    pub before: Measure,
    /// The rewrites.
    pub rungs: Vec<Rung>,
    /// What may be done and was left, since each wins less than the threshold on top of all rewrites, or was cut off by
    /// [`Plan::until`]: what the plan would have gone on with, with what it would have won.
    pub left: Vec<Rung>,
    /// The new Dockerfile.
    pub dockerfile: String,
    /// The new `.dockerignore`; `None` where it stays as it is.
    pub dockerignore: Option<String>,
    /// The Dockerfile as it is.
    #[serde(skip)]
    original: String,
}

impl Plan {
    /// The chosen rewrites, in order.
    pub fn steps(&self) -> &[Rung] {
        &self.rungs
    }

    /// The new Dockerfile.
    pub fn dockerfile(&self) -> &str {
        &self.dockerfile
    }

    /// The plan with its first rewrites alone: both files are what they are after so many, with 0 what they were. The others are
    /// [`left`](Self::left). To do without one in between, plan again with its pass in [`PlanOptions::skip`].
    #[must_use]
    pub fn until(&self, rungs: usize) -> Self {
        let mut plan = self.clone();
        if rungs >= plan.rungs.len() {
            return plan;
        }
        let cut = plan.rungs.split_off(rungs);
        plan.left = cut.into_iter().chain(plan.left).collect();
        let last = plan.rungs.last();
        plan.dockerfile =
            last.map_or_else(|| self.original.clone(), |rung| rung.dockerfile.clone());
        let mut rungs = plan.rungs.iter().rev();
        plan.dockerignore = rungs.find_map(|rung| rung.dockerignore.clone());
        plan
    }
}

/// A pass of a caller: it reads the analysis of the file as it stands, and proposes rewrites. The planner applies each, analyses again,
/// and keeps the best of those that make nothing worse and something better, introduce no finding and risk no more than is allowed.
///
/// ```
/// use stagewright::plan::{CustomPass, PlanOptions};
/// use stagewright::proposal::Proposal;
/// use stagewright::syntax::edit::{EditError, EditSet};
/// use stagewright::{Analysis, Applicability, Context, Dockerfile, Objective, Options};
///
/// /// The team's own base is the public one with certificates.
/// struct TeamBase;
///
/// impl CustomPass for TeamBase {
///     fn name(&self) -> &'static str {
///         "team_base"
///     }
///
///     fn mends(&self) -> bool {
///         true
///     }
///
///     fn propose(&self, analysis: &Analysis, file: &Dockerfile<'_>) -> Result<Vec<Proposal>, EditError> {
///         let mut edits = EditSet::new();
///         for stage in &analysis.graph().stages {
///             if let stagewright::syntax::View::From(from) = file.instruction(stage.from).view()
///                 && from.image.starts_with("python:")
///             {
///                 edits.insert(from.image.span.start, "registry.example/")?;
///             }
///         }
///         Ok(vec![Proposal::new("the base images of the team", Applicability::Safe, edits)])
///     }
/// }
///
/// let file = Dockerfile::parse("FROM python:3.12-slim\nCMD [\"python\"]\n");
/// let context = Context::builder().build()?;
/// let analysis = Analysis::new(&file, &context, &Options::default())?;
/// let mut options = PlanOptions::new(Objective::ColdPull, Applicability::Safe);
/// options.only = vec!["team_base".into()];
/// // The catalogue does not know the image, which is a finding, and a plan introduces none.
/// let plan = analysis.plan_with_passes(&options, &[&TeamBase])?;
/// assert!(plan.rungs.is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait CustomPass {
    /// Its name, as `skip` and `only` take it; not that of another pass.
    fn name(&self) -> &'static str;

    /// Whether it is worth doing where it wins no bytes and no rebuilds.
    fn mends(&self) -> bool {
        false
    }

    /// Alternatives, the best first; each is a whole rewrite of the file.
    fn propose(
        &self,
        analysis: &Analysis,
        file: &Dockerfile<'_>,
    ) -> Result<Vec<Proposal>, EditError>;
}

/// A pass, built in or a caller's.
struct Candidate<'p> {
    name: &'static str,
    mends: bool,
    propose: Box<Propose<'p>>,
}

type Propose<'p> = dyn Fn(&View<'_>) -> Result<Vec<Proposal>, EditError> + 'p;

/// The passes that a plan may use, those of the caller last.
fn candidates<'p>(
    options: &PlanOptions,
    custom: &[&'p dyn CustomPass],
) -> Result<Vec<Candidate<'p>>, AnalysisError> {
    let own = PASSES.iter().map(|pass| Candidate {
        name: pass.name,
        mends: pass.mends,
        propose: Box::new(pass.propose),
    });
    let custom = custom.iter().map(|pass| {
        let pass = *pass;
        Candidate {
            name: pass.name(),
            mends: pass.mends(),
            propose: Box::new(move |view: &View<'_>| pass.propose(view.analysis, view.file)),
        }
    });
    let mut all: Vec<Candidate<'p>> = own.chain(custom).collect();
    for name in options.only.iter().chain(&options.skip) {
        if !all.iter().any(|pass| pass.name == name) {
            return Err(AnalysisError::UnknownPass { name: name.clone() });
        }
    }
    all.retain(|pass| {
        let named = |names: &[String]| names.iter().any(|name| name == pass.name);
        (options.only.is_empty() || named(&options.only)) && !named(&options.skip)
    });
    Ok(all)
}

/// Makes a plan. Every pass is tried in the order of the ladder, over and over until none has anything to propose; a proposal is kept
/// if it makes nothing worse and something better, introduces no finding, and wins at least the threshold.
pub(crate) fn make(
    start: &Analysis,
    options: &PlanOptions,
    custom: &[&dyn CustomPass],
) -> Result<Plan, AnalysisError> {
    let passes = candidates(options, custom)?;
    let change = match &options.change {
        Some(path) => path.clone(),
        None => start.source_file().unwrap_or_default(),
    };
    let before = measure(start, &change)?;
    let scale = Scale::new(options, before.clone());
    let mut plan = Plan {
        objective: options.objective,
        weights: options.weights.clone(),
        applicability: options.applicability,
        threshold: options.threshold,
        change,
        before: before.clone(),
        rungs: Vec::new(),
        left: Vec::new(),
        dockerfile: start.text().to_owned(),
        dockerignore: None,
        original: start.text().to_owned(),
    };
    let mut current = start.clone();
    let mut now = before;
    if start.has_errors() {
        // A file that BuildKit rejects is mended by its author, not rewritten.
        return Ok(plan);
    }
    // Each pass may open the way for one before it: the climb ends when none has anything to propose for the file as it stands.
    let mut idle = 0;
    for pass in passes.iter().cycle().take(passes.len() * passes.len()) {
        if idle == passes.len() {
            break;
        }
        idle += 1;
        let Some((next, rung)) = best(pass, &current, &now, options, &scale, &plan.change)? else {
            continue;
        };
        // A lock file that lies in two layers is no reason to run an install again after each edit.
        let frees = options.threshold == 0.0 && commands(&rung.after) < commands(&rung.before);
        if rung.gain < options.threshold && !pass.mends && !frees {
            plan.left.push(rung);
            continue;
        }
        if let Some(ignore) = &rung.dockerignore {
            plan.dockerignore = Some(ignore.clone());
        }
        now = rung.after.clone();
        plan.rungs.push(rung);
        plan.left.clear();
        current = next;
        idle = 0;
    }
    current.text().clone_into(&mut plan.dockerfile);
    Ok(plan)
}

/// The best of what a pass proposes, if anything is worth keeping.
fn best(
    pass: &Candidate<'_>,
    current: &Analysis,
    now: &Measure,
    options: &PlanOptions,
    scale: &Scale<'_>,
    change: &str,
) -> Result<Option<(Analysis, Rung)>, AnalysisError> {
    let text = current.text().to_owned();
    let file = Dockerfile::parse(&text);
    let view = View {
        analysis: current,
        file: &file,
    };
    // Edits that cannot be written are no proposal.
    let proposals = (pass.propose)(&view).unwrap_or_default().into_iter();
    let mut best: Option<(Proposal, Analysis, Measure)> = None;
    for proposal in proposals.filter(|one| one.applicability <= options.applicability) {
        let Some((next, cost)) = try_proposal(current, now, &proposal, pass.mends, change)? else {
            continue;
        };
        if best
            .as_ref()
            .is_none_or(|(_, _, other)| scale.score(&cost) < scale.score(other))
        {
            best = Some((proposal, next, cost));
        }
    }
    Ok(best.map(|(proposal, next, cost)| {
        let rung = Rung {
            pass: pass.name,
            title: proposal.title,
            applicability: proposal.applicability,
            assumptions: proposal.assumptions,
            warnings: proposal.warnings,
            // No difference has no sign.
            gain: ((scale.score(now) - scale.score(&cost)) * 1e4).round() / 1e4 + 0.0,
            before: now.clone(),
            after: cost,
            dockerfile: next.text().to_owned(),
            dockerignore: proposal.dockerignore,
        };
        (next, rung)
    }))
}

/// What is minimised, as a share of what the file as it is costs.
struct Scale<'o> {
    options: &'o PlanOptions,
    start: Measure,
}

impl<'o> Scale<'o> {
    const fn new(options: &'o PlanOptions, start: Measure) -> Self {
        Self { options, start }
    }

    fn score(&self, measure: &Measure) -> f64 {
        let share = |objective: Objective| {
            let whole = cost(&self.start, objective);
            if whole == 0.0 {
                cost(measure, objective)
            } else {
                cost(measure, objective) / whole
            }
        };
        let weights = &self.options.weights;
        if weights.is_empty() {
            return share(self.options.objective);
        }
        let whole: f64 = weights.values().sum();
        let weighed = weights
            .iter()
            .map(|(objective, weight)| share(*objective) * weight / whole);
        weighed.sum()
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "an image has less than 2^53 bytes, and costs are compared with each other"
)]
fn cost(measure: &Measure, objective: Objective) -> f64 {
    match objective {
        Objective::ColdSize => measure.size.uncompressed.expected as f64,
        Objective::ColdPull => measure.size.compressed.expected as f64,
        Objective::WarmPull => measure.warm_pull as f64,
        Objective::Rebuild => measure.seconds + measure.every_build_seconds,
    }
}

/// The analysis after a proposal and what it costs, if the proposal is worth keeping.
fn try_proposal(
    current: &Analysis,
    now: &Measure,
    proposal: &Proposal,
    mends: bool,
    change: &str,
) -> Result<Option<(Analysis, Measure)>, AnalysisError> {
    let text = proposal.edits.apply(current.text());
    let next = current.with(&text, proposal.dockerignore.as_deref())?;
    if introduces_findings(current, &next) {
        return Ok(None);
    }
    let cost = measure(&next, change)?;
    let saved = now
        .size
        .compressed
        .expected
        .saturating_sub(cost.size.compressed.expected);
    // A new base shifts the size of what is installed on it a little; that does not outweigh what it saves.
    let dearer = cost.warm_pull.saturating_sub(now.warm_pull);
    // A lock file that lies in two layers does not outweigh packages that a host need not pull again.
    let larger = |after: u64, before: u64| {
        after.saturating_sub(before) > now.warm_pull.saturating_sub(cost.warm_pull) / 20
    };
    let worse = larger(
        cost.size.uncompressed.expected,
        now.size.uncompressed.expected,
    ) || larger(cost.size.compressed.expected, now.size.compressed.expected)
        || dearer > saved / 20
        || commands(&cost) > commands(now) && cost.warm_pull >= now.warm_pull;
    let better = cost.size.uncompressed.expected < now.size.uncompressed.expected
        || cost.warm_pull < now.warm_pull
        || cost.rebuilds.len() < now.rebuilds.len()
        || cost.every_build_seconds < now.every_build_seconds;
    Ok((!worse && (better || mends)).then_some((next, cost)))
}

/// How many commands an edit runs again: copying what they made takes no time beside them.
fn commands(measure: &Measure) -> usize {
    let runs = |text: &&String| {
        let keyword = text.split_whitespace().next().unwrap_or_default();
        keyword.eq_ignore_ascii_case("RUN")
    };
    measure.rebuilds.iter().filter(runs).count()
}

/// Whether a rewrite brings a finding of a kind that was not there before.
fn introduces_findings(before: &Analysis, after: &Analysis) -> bool {
    let count = |analysis: &Analysis, code: &str| {
        analysis
            .findings()
            .iter()
            .filter(|finding| finding.code == code)
            .count()
    };
    after
        .findings()
        .iter()
        .any(|finding| count(after, finding.code) > count(before, finding.code))
}

/// What a file costs, with an edit of one source file.
pub(crate) fn measure(analysis: &Analysis, change: &str) -> Result<Measure, AnalysisError> {
    let mut measure = Measure {
        size: *analysis.size(),
        rebuilds: Vec::new(),
        seconds: 0.0,
        warm_pull: 0,
        every_build: Vec::new(),
        every_build_seconds: 0.0,
    };
    if !change.is_empty() {
        let prediction = analysis.after(&Change::files([change]))?;
        (measure.rebuilds, measure.seconds) = reruns(analysis, &prediction);
        measure.warm_pull = analysis.pull_after(&prediction).expected;
    }
    let arguments = changing_arguments(analysis);
    if !arguments.is_empty() {
        let given = &analysis.options().build_args;
        let change = arguments.into_iter().fold(Change::none(), |change, name| {
            let other = given
                .get(&name)
                .map_or("1".to_owned(), |value| format!("{value}1"));
            change.build_arg(name, other)
        });
        let prediction = analysis.after(&change)?;
        (measure.every_build, measure.every_build_seconds) = reruns(analysis, &prediction);
    }
    Ok(measure)
}

/// What a build runs again, and the seconds that it takes.
fn reruns(analysis: &Analysis, prediction: &Prediction) -> (Vec<String>, f64) {
    let runs = |step: &&StepVerdict| step.verdict != Verdict::Cached;
    let steps = || prediction.steps.iter().filter(runs);
    let seconds = steps().map(|step| {
        Catalog::builtin()
            .seconds(analysis.build().step(step.step))
            .seconds
    });
    let texts = steps().map(|step| step.instruction.clone()).collect();
    (texts, rounded(seconds.sum()))
}

/// The arguments of the stages that are built to which every build gives another value; not those that choose a base image.
fn changing_arguments(analysis: &Analysis) -> Vec<String> {
    let stages = analysis.graph().stages.iter();
    let stages: Vec<&Stage> = stages.filter(|stage| stage.reachable).collect();
    let text = analysis.text();
    let chooses = |name: &str| {
        let mut froms = stages.iter().map(|stage| &text[stage.span.range()]);
        froms.any(|from| mentions(from, name))
    };
    let mut names: Vec<String> = Vec::new();
    for name in stages.iter().flat_map(|stage| &stage.end.args) {
        if changes_every_build(name) && !names.contains(name) && !chooses(name) {
            names.push(name.clone());
        }
    }
    names
}
