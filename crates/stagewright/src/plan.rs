//! Climbs the ladder: applies the passes one after the other, measures each rung, and keeps what wins.

use serde::Serialize;
use stagewright_syntax::Dockerfile;

use crate::analysis::{Analysis, AnalysisError};
use crate::cache::Verdict;
use crate::change::Change;
use crate::estimate::Estimate;
use crate::passes::{self, PASSES, View};
use crate::proposal::{Applicability, Objective, Proposal};

/// What a plan may do and for what.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanOptions {
    /// What to minimise.
    pub objective: Objective,
    /// The most that a rewrite may risk.
    pub applicability: Applicability,
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
            applicability,
            change: None,
            skip: Vec::new(),
            only: Vec::new(),
        }
    }
}

/// What a Dockerfile costs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Measure {
    /// The image, on disk and on the wire.
    #[serde(flatten)]
    pub size: Estimate,
    /// The instructions that an edit of the source runs again.
    pub rebuilds: Vec<String>,
    /// Bytes that a host with the previous image pulls after that edit.
    pub warm_pull: u64,
}

/// One applied rewrite.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
    /// The cost before it.
    pub before: Measure,
    /// The cost after it.
    pub after: Measure,
    /// The Dockerfile after it.
    pub dockerfile: String,
}

/// The chosen rewrites in order, and what they lead to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// What was minimised.
    pub objective: Objective,
    /// The most that a rewrite was allowed to risk.
    pub applicability: Applicability,
    /// The file whose edit `rebuilds` and `warm_pull` are about; empty if no source file was found.
    pub change: String,
    /// The cost of the file as it is.
    pub before: Measure,
    /// The rewrites.
    pub rungs: Vec<Rung>,
    /// The new Dockerfile.
    pub dockerfile: String,
    /// The new `.dockerignore`; `None` where it stays as it is.
    pub dockerignore: Option<String>,
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
}

/// Makes a plan. Every pass is tried in the order of the ladder, over and over until none has anything to propose; a proposal is kept
/// if it makes nothing worse and something better, and introduces no finding.
pub(crate) fn make(start: &Analysis, options: &PlanOptions) -> Result<Plan, AnalysisError> {
    for name in options.only.iter().chain(&options.skip) {
        if !passes::names().any(|pass| pass == name) {
            return Err(AnalysisError::UnknownPass { name: name.clone() });
        }
    }
    let change = match &options.change {
        Some(path) => path.clone(),
        None => start.source_file().unwrap_or_default(),
    };
    let before = measure(start, &change)?;
    let mut plan = Plan {
        objective: options.objective,
        applicability: options.applicability,
        change,
        before: before.clone(),
        rungs: Vec::new(),
        dockerfile: start.text().to_owned(),
        dockerignore: None,
    };
    let mut current = start.clone();
    let mut now = before;
    if start.has_errors() {
        // A file that BuildKit rejects is mended by its author, not rewritten.
        return Ok(plan);
    }
    // Each pass may open the way for one before it; two rounds without a change end the climb.
    for _ in 0..passes::PASSES.len() {
        let mut climbed = false;
        for pass in PASSES {
            let chosen =
                options.only.is_empty() || options.only.iter().any(|name| name == pass.name);
            if !chosen || options.skip.iter().any(|name| name == pass.name) {
                continue;
            }
            let text = current.text().to_owned();
            let file = Dockerfile::parse(&text);
            let view = View {
                analysis: &current,
                file: &file,
            };
            // Edits that cannot be written are no proposal.
            let proposals = (pass.propose)(&view)
                .unwrap_or_default()
                .into_iter()
                .filter(|proposal| proposal.applicability <= options.applicability);
            let mut best: Option<(Proposal, Analysis, Measure)> = None;
            for proposal in proposals {
                let Some((next, cost)) =
                    try_proposal(&current, &now, &proposal, pass.mends, &plan.change)?
                else {
                    continue;
                };
                if best.as_ref().is_none_or(|(_, _, other)| {
                    score(&cost, options.objective) < score(other, options.objective)
                }) {
                    best = Some((proposal, next, cost));
                }
            }
            let Some((proposal, next, cost)) = best else {
                continue;
            };
            if let Some(ignore) = &proposal.dockerignore {
                plan.dockerignore = Some(ignore.clone());
            }
            plan.rungs.push(Rung {
                pass: proposal.pass,
                title: proposal.title,
                applicability: proposal.applicability,
                assumptions: proposal.assumptions,
                warnings: proposal.warnings,
                before: std::mem::replace(&mut now, cost.clone()),
                after: cost,
                dockerfile: next.text().to_owned(),
            });
            current = next;
            climbed = true;
        }
        if !climbed {
            break;
        }
    }
    current.text().clone_into(&mut plan.dockerfile);
    Ok(plan)
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
        || cost.rebuilds.len() < now.rebuilds.len();
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

fn score(measure: &Measure, objective: Objective) -> u64 {
    match objective {
        Objective::ColdSize => measure.size.uncompressed.expected,
        Objective::ColdPull => measure.size.compressed.expected,
        Objective::WarmPull => measure.warm_pull,
        Objective::Rebuild => measure.rebuilds.len() as u64,
    }
}

/// What a file costs, with an edit of one source file.
pub(crate) fn measure(analysis: &Analysis, change: &str) -> Result<Measure, AnalysisError> {
    let size = *analysis.size();
    if change.is_empty() {
        return Ok(Measure {
            size,
            rebuilds: Vec::new(),
            warm_pull: 0,
        });
    }
    let prediction = analysis.after(&Change::files([change]))?;
    Ok(Measure {
        size,
        rebuilds: prediction
            .steps
            .iter()
            .filter(|step| step.verdict != Verdict::Cached)
            .map(|step| step.instruction.clone())
            .collect(),
        warm_pull: analysis.pull_after(&prediction).expected,
    })
}
