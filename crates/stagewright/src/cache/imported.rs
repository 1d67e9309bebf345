//! A cache that was exported by one builder and imported by another: all of its keys are there, but not all of its layers.

use std::collections::BTreeSet;

use super::content::Read;
use super::options::Export;
use super::store::{Need, Record, Status, Store};
use crate::build::{Build, Origin, StepId, StepKind};

/// The entries of a build of which an exported cache has the keys alone (`exporter.ExportTo`): with `min` only what becomes a layer of
/// the image is taken along, and so it is inline. Base images are never exported; they are fetched from where they are.
pub(super) fn not_exported(
    before: &Build,
    export: Export,
    entries: &[(Record, Vec<Read>)],
) -> BTreeSet<Record> {
    if export == Export::Max {
        return BTreeSet::new();
    }
    let mut exported = BTreeSet::new();
    let mut open: Vec<StepId> = before.ends[before.target.0].into_iter().collect();
    while let Some(id) = open.pop() {
        exported.insert(entries[id.0].0);
        let layers = before.step(id).inputs.iter().filter(|input| input.is_root);
        open.extend(layers.filter_map(|input| match input.origin {
            Origin::Step(id) => Some(id),
            _ => None,
        }));
    }
    let steps = before.steps.iter().zip(entries);
    steps
        .filter(|(step, _)| step.kind != StepKind::Base)
        .map(|(_, (record, _))| *record)
        .filter(|record| !exported.contains(record))
        .collect()
}

impl Store {
    /// Finds the steps known without their layers that must run, from the target backwards: a step is needed by one that runs, and by
    /// one that is found through the content of what it reads (`edge.go`, `desiredStateDep`).
    pub(super) fn settle(&self, after: &Build, steps: &mut [(Status, Vec<Read>)]) {
        // The key of what runs is known too late for what asks for it before anything runs, and so is that of what stands on it
        // (`edge.go`, `checkDepMatchPossible`): what it leaves is then asked for.
        let mut late: Vec<bool> = Vec::with_capacity(after.steps.len());
        for step in &after.steps {
            let stands_on_late = step.inputs.iter().any(|input| match input.origin {
                Origin::Step(id) => !input.by_content && late[id.0],
                _ => false,
            });
            late.push(stands_on_late || matches!(steps[step.id.0].0, Status::Rerun(_)));
        }
        let mut needs: Vec<Option<Need>> = vec![None; after.steps.len()];
        if let Some(end) = after.ends[after.target.0] {
            needs[end.0] = Some(Need::Sure);
        }
        for step in after.steps.iter().rev() {
            let needed = needs[step.id.0];
            let status = &mut steps[step.id.0].0;
            let runs = match status {
                Status::Cached(_) => None,
                Status::Rerun(_) => Some(Need::Sure),
                Status::Keyed { needed_by, .. } => {
                    *needed_by = needed;
                    needed
                }
                Status::Unknown {
                    record,
                    input,
                    unsure,
                } if self.keys_only.contains(record) && matches!(needed, Some(Need::Sure)) => {
                    *status = Status::Keyed {
                        record: *record,
                        needed_by: needed,
                        open: Some((*input, unsure.clone())),
                    };
                    needed
                }
                Status::Unknown { .. } => Some(Need::Of(step.id)),
            };
            let record = status.record();
            for (index, input) in step.inputs.iter().enumerate() {
                let Origin::Step(id) = input.origin else {
                    continue;
                };
                let by_content = || {
                    let links = self.links.get(&(step.definition, index));
                    let history = (steps[id.0].0.record(), input.selector);
                    late[id.0]
                        || links
                            .and_then(|links| links.by_history.get(&history))
                            .is_none_or(|found| !found.contains(&record))
                };
                let need = if input.by_content && by_content() {
                    Some(Need::Sure)
                } else {
                    runs
                };
                needs[id.0] = match (needs[id.0], need) {
                    (Some(Need::Sure), _) | (_, Some(Need::Sure)) => Some(Need::Sure),
                    (before, now) => before.or(now),
                };
            }
        }
    }
}
