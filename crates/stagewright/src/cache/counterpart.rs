//! Which step of the earlier build a step of the later one corresponds to.

use crate::align::common;
use crate::build::{Build, StepId, StepKind};

/// For each step of the later build the one of the earlier build that it corresponds to: stage by stage, equal instructions first, then
/// what stands between the same neighbours.
pub(super) fn counterparts(before: &Build, after: &Build) -> Vec<Option<StepId>> {
    let stages = |build: &Build| {
        let mut stages: Vec<(String, bool, Vec<StepId>)> = Vec::new();
        for step in &build.steps {
            match stages
                .iter_mut()
                .find(|(name, ..)| *name == step.stage_name)
            {
                Some((.., steps)) => steps.push(step.id),
                None => stages.push((
                    step.stage_name.clone(),
                    step.stage == build.target,
                    vec![step.id],
                )),
            }
        }
        stages
    };
    let (was, is) = (stages(before), stages(after));
    let mut found = vec![None; after.steps.len()];
    for (name, target, steps) in &is {
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        // A target that was renamed; another target is another stage.
        let renamed = |(other, was_target, _): &&(String, bool, Vec<StepId>)| {
            let known = before.stages.iter().any(|stage| same(stage));
            let gone = !after
                .stages
                .iter()
                .any(|stage| stage.eq_ignore_ascii_case(other));
            *target && *was_target && !known && gone
        };
        let same_name = was.iter().find(|(other, ..)| same(other));
        let Some((.., others)) = same_name.or_else(|| was.iter().find(renamed)) else {
            continue;
        };
        align(before, after, others, steps, &mut found);
    }
    found
}

/// Whether one step may have become the other.
fn alike(one: StepKind, two: StepKind) -> bool {
    let kind = |kind| {
        if kind == StepKind::Add {
            StepKind::Copy
        } else {
            kind
        }
    };
    kind(one) == kind(two)
}

fn align(
    before: &Build,
    after: &Build,
    was: &[StepId],
    is: &[StepId],
    found: &mut [Option<StepId>],
) {
    let same = |one: StepId, two: StepId| {
        let (one, two) = (before.step(one), after.step(two));
        one.kind == two.kind && one.text == two.text
    };
    // Steps that stand between the same neighbours, of the same kind, are one step that changed.
    let mut gaps = Vec::new();
    let (mut i, mut j) = (0, 0);
    for (at, to) in common(was, is, |one, two| same(*one, *two)) {
        gaps.push((was[i..at].to_vec(), is[j..to].to_vec()));
        found[is[to].0] = Some(was[at]);
        (i, j) = (at + 1, to + 1);
    }
    gaps.push((was[i..].to_vec(), is[j..].to_vec()));
    // An equal step elsewhere was moved.
    let mut elsewhere: Vec<StepId> = gaps.iter().flat_map(|(left, _)| left).copied().collect();
    for id in gaps.iter().flat_map(|(_, right)| right) {
        if let Some(at) = elsewhere.iter().position(|other| same(*other, *id)) {
            found[id.0] = Some(elsewhere.remove(at));
        }
    }
    for (left, right) in gaps {
        let mut left: Vec<StepId> = left
            .into_iter()
            .filter(|id| elsewhere.contains(id))
            .collect();
        for id in right
            .into_iter()
            .filter(|id| found[id.0].is_none())
            .collect::<Vec<_>>()
        {
            let kind = after.step(id).kind;
            let fits = |other: &StepId| alike(before.step(*other).kind, kind);
            if let Some(at) = left.iter().position(fits) {
                found[id.0] = Some(left[at]);
                left.drain(..=at);
            }
        }
    }
}
