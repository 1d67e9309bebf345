//! Which step of the earlier build a step of the later one corresponds to.

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
    // The longest common subsequence, from the end.
    let width = is.len() + 1;
    let mut longest = vec![0_u32; (was.len() + 1) * width];
    for i in (0..was.len()).rev() {
        for j in (0..is.len()).rev() {
            longest[i * width + j] = if same(was[i], is[j]) {
                longest[(i + 1) * width + j + 1] + 1
            } else {
                longest[(i + 1) * width + j].max(longest[i * width + j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let (mut left, mut right): (Vec<StepId>, Vec<StepId>) = (Vec::new(), Vec::new());
    // Steps that stand between the same neighbours, of the same kind, are one step that changed.
    let mut gaps = Vec::new();
    while i < was.len() && j < is.len() {
        if same(was[i], is[j]) {
            gaps.push((std::mem::take(&mut left), std::mem::take(&mut right)));
            found[is[j].0] = Some(was[i]);
            i += 1;
            j += 1;
        } else if longest[(i + 1) * width + j] >= longest[i * width + j + 1] {
            left.push(was[i]);
            i += 1;
        } else {
            right.push(is[j]);
            j += 1;
        }
    }
    left.extend(&was[i..]);
    right.extend(&is[j..]);
    gaps.push((left, right));
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
