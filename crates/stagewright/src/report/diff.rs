//! The answer of `diff`.

use serde::Serialize;

use super::SCHEMA;
use super::text::{bytes, findings, line, short, size};
use crate::diff::{Diff, Fate, Part, StageDiff, StageSide, StepDiff, StepSide};
use crate::estimate::Estimate;
use crate::plan::Measure;

/// The answer of `diff`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct DiffReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What differs.
    #[serde(flatten)]
    pub diff: Diff,
}

impl DiffReport {
    /// The report of a comparison.
    pub const fn new(diff: Diff) -> Self {
        Self {
            schema: SCHEMA,
            diff,
        }
    }
}

/// The text of `diff`: sizes, then what differs of each stage, then of the configuration; what is the same is left out.
pub fn of_diff(report: &DiffReport) -> String {
    let mut out = String::new();
    let diff = &report.diff;
    measures(&mut out, &diff.before, &diff.after);
    let pull = size(diff.pull);
    line(
        &mut out,
        &format!("a host with the image before pulls {pull}"),
    );
    edit(&mut out, diff);
    for stage in &diff.stages {
        of_stage(&mut out, stage);
    }
    if !diff.config.is_empty() {
        line(&mut out, "");
        line(&mut out, "a container gets");
        for part in &diff.config {
            of_part(&mut out, 2, part);
        }
    }
    for note in &diff.notes {
        line(&mut out, &format!("note: {note}"));
    }
    if !diff.resolved.is_empty() {
        line(&mut out, "");
        line(&mut out, "no longer:");
        findings(&mut out, &diff.resolved);
    }
    if !diff.introduced.is_empty() {
        line(&mut out, "");
        line(&mut out, "new:");
        findings(&mut out, &diff.introduced);
    }
    out
}

fn measures(out: &mut String, before: &Measure, after: &Measure) {
    let columns = format!(
        "{:<10} {:>10} {:>10} {:>11}",
        "", "before", "after", "difference"
    );
    line(out, columns.trim_end());
    let rows = [
        (
            "on disk",
            before.size.uncompressed.expected,
            after.size.uncompressed.expected,
        ),
        (
            "to pull",
            before.size.compressed.expected,
            after.size.compressed.expected,
        ),
        ("warm pull", before.warm_pull, after.warm_pull),
    ];
    for (name, before, after) in rows {
        line(
            out,
            &format!(
                "{name:<10} {:>10} {:>10} {:>11}",
                bytes(before),
                bytes(after),
                signed(before, after)
            ),
        );
    }
}

/// A difference of bytes with its sign.
fn signed(before: u64, after: u64) -> String {
    match after.cmp(&before) {
        std::cmp::Ordering::Less => format!("-{}", bytes(before - after)),
        std::cmp::Ordering::Equal => "0 B".to_owned(),
        std::cmp::Ordering::Greater => format!("+{}", bytes(after - before)),
    }
}

fn edit(out: &mut String, diff: &Diff) {
    if diff.change.is_empty() {
        return;
    }
    for (when, measure) in [("before", &diff.before), ("after", &diff.after)] {
        let reruns = match measure.rebuilds.as_slice() {
            [] => "nothing".to_owned(),
            all => {
                let all = all.iter().map(|text| format!("`{}`", short(text, 60)));
                all.collect::<Vec<_>>().join(", ")
            }
        };
        line(
            out,
            &format!("an edit of `{}` runs again {when}: {reruns}", diff.change),
        );
    }
}

fn of_stage(out: &mut String, stage: &StageDiff) {
    if stage.fate == Fate::Same {
        return;
    }
    line(out, "");
    let name = match (&stage.before, &stage.after) {
        (Some(before), Some(after)) if before.name != after.name => {
            format!("{} (was {})", after.name, before.name)
        }
        (_, Some(side)) | (Some(side), None) => side.name.clone(),
        (None, None) => String::new(),
    };
    let weigh = |side: &Option<StageSide>| side.as_ref().and_then(|side| side.size);
    let weighed = weights(weigh(&stage.before), weigh(&stage.after));
    line(
        out,
        &format!("stage {name}: {}{weighed}", stage.fate.as_str()),
    );
    if let (Some(before), Some(after)) = (&stage.before, &stage.after)
        && before.base != after.base
    {
        line(
            out,
            &format!("  on `{}`, before on `{}`", after.base, before.base),
        );
    }
    let mut held: &[Part] = &[];
    for step in &stage.steps {
        of_step(out, step, held);
        if !step.state.is_empty() {
            held = &step.state;
        }
    }
    if stage.state != held {
        for part in &stage.state {
            of_part(out, 2, part);
        }
    }
}

/// One step, and what holds before it where that is not what was said of the step above.
fn of_step(out: &mut String, step: &StepDiff, held: &[Part]) {
    let other_state = !step.state.is_empty() && step.state != held;
    let resized = sized(step.before.as_ref()) != sized(step.after.as_ref());
    if step.fate == Fate::Same && !other_state && !resized {
        return;
    }
    let Some(side) = step.after.as_ref().or(step.before.as_ref()) else {
        return;
    };
    let weighed = weights(
        step.before.as_ref().and_then(|side| side.size),
        step.after.as_ref().and_then(|side| side.size),
    );
    line(
        out,
        &format!(
            "  {:>5}  {:<7}  {}{weighed}",
            side.line,
            step.fate.as_str(),
            short(&side.instruction, 80)
        ),
    );
    if let (Fate::Moved, Some(before), Some(after)) = (step.fate, &step.before, &step.after) {
        let of = if before.stage == after.stage {
            String::new()
        } else {
            format!(" of {}", before.stage)
        };
        line(out, &format!("{:>17}from line {}{of}", "", before.line));
    }
    for part in &step.parts {
        of_part(out, 17, part);
    }
    if other_state {
        for part in &step.state {
            of_part(out, 17, part);
        }
    }
}

fn sized(side: Option<&StepSide>) -> Option<u64> {
    let size = side?.size?;
    Some(size.uncompressed.expected)
}

/// What something weighs before and after, in brackets; nothing where it weighs nothing.
fn weights(before: Option<Estimate>, after: Option<Estimate>) -> String {
    let expected = |size: Option<Estimate>| size.map(|size| size.uncompressed.expected);
    match (expected(before), expected(after)) {
        (None | Some(0), None | Some(0)) => String::new(),
        (Some(before), Some(after)) if before == after => format!(" ({})", bytes(after)),
        (Some(before), Some(after)) => {
            let difference = signed(before, after);
            format!(" ({} to {}: {difference})", bytes(before), bytes(after))
        }
        (None, Some(after)) => format!(" (+{})", bytes(after)),
        (Some(before), None) => format!(" (-{})", bytes(before)),
    }
}

fn of_part(out: &mut String, indent: usize, part: &Part) {
    let name = if part.name.is_empty()
        || part.after.as_ref().or(part.before.as_ref()) == Some(&part.name)
    {
        String::new()
    } else {
        format!(" {}", part.name)
    };
    let value = |value: &str| format!("`{}`", short(value, 100));
    let what = match (&part.before, &part.after) {
        (Some(before), Some(after)) => format!("{} instead of {}", value(after), value(before)),
        (None, Some(after)) => format!("{}, which is new", value(after)),
        (Some(before), None) => format!("no longer {}", value(before)),
        (None, None) => String::new(),
    };
    line(out, &format!("{:indent$}{}{name}: {what}", "", part.part));
}
