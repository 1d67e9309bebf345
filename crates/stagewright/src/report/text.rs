//! Reports as text for people: one line a fact, with units.

use std::fmt::Write as _;

use super::parse::{ParsedError, ViewedInstruction};
use super::{
    CacheReport, FormatReport, GenerateReport, HistoryReport, OptimizeReport, ParseReport,
    SizeReport,
};
use crate::finding::Finding;
use crate::plan::{Measure, Plan};
use crate::size::Size;
use crate::trace::TraceCheck;

/// Bytes with a decimal unit, as registries and `docker image ls` print them: `125.9 MB`.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    match (unit, value) {
        (0, _) => format!("{bytes} B"),
        (3.., _) => format!("{value:.2} {}", UNITS[unit]),
        _ => format!("{value:.1} {}", UNITS[unit]),
    }
}

/// A size with its range, where it has one: `125.9 MB (123.0 MB to 129.1 MB)`.
pub fn size(size: Size) -> String {
    if size.is_exact() {
        return bytes(size.expected);
    }
    format!(
        "{} ({} to {})",
        bytes(size.expected),
        bytes(size.low),
        bytes(size.high)
    )
}

/// The text of `parse`.
pub fn of_parse(report: &ParseReport) -> String {
    let mut out = String::new();
    for ViewedInstruction { instruction, .. } in &report.instructions {
        line(
            &mut out,
            &format!("{:>5}  {}", instruction.line, short(&instruction.text, 110)),
        );
    }
    for error in &report.errors {
        line(&mut out, &error_line("Dockerfile", error));
    }
    out
}

/// The text of `format --check` and `format --write`: a line for each line that differs, and what keeps a file from being formatted.
pub fn of_format(report: &FormatReport, written: bool) -> String {
    let said = if written { "changed" } else { "would change" };
    let mut out = String::new();
    for file in &report.files {
        for number in &file.lines {
            line(&mut out, &format!("{}:{number}: {said}", file.path));
        }
        out.push_str(&of_errors(&file.path, &file.errors));
    }
    out
}

/// What `BuildKit` would reject in a file, a line for each; empty if nothing.
pub fn of_errors(path: &str, errors: &[ParsedError]) -> String {
    let mut out = String::new();
    for error in errors {
        line(&mut out, &error_line(path, error));
    }
    out
}

fn error_line(path: &str, error: &ParsedError) -> String {
    format!(
        "{path}:{}:{}: error[{}]: {}",
        error.line, error.column, error.code, error.message
    )
}

/// The text of `size`.
pub fn of_size(report: &SizeReport) -> String {
    let mut out = String::new();
    let image = report.image;
    let without = if report.base.known {
        ""
    } else {
        ", without its base"
    };
    line(
        &mut out,
        &format!(
            "image {}{without}: {}",
            report.target,
            size(image.uncompressed)
        ),
    );
    line(&mut out, &format!("  to pull: {}", size(image.compressed)));
    if report.hidden.expected > 0 {
        line(
            &mut out,
            &format!("  hidden in lower layers: {}", size(report.hidden)),
        );
    }
    line(&mut out, "");
    for layer in &report.layers {
        line(
            &mut out,
            &format!(
                "{:>5}  {:>10} {:>10}  {}",
                layer.line,
                bytes(layer.size.uncompressed.expected),
                bytes(layer.size.compressed.expected),
                short(&layer.instruction, 90)
            ),
        );
        for content in layer
            .contents
            .iter()
            .filter(|content| content.size.expected > 0)
            .take(5)
        {
            let name = if content.label.is_empty() {
                &content.path
            } else {
                &content.label
            };
            line(
                &mut out,
                &format!(
                    "       {:>10}             {name}",
                    bytes(content.size.expected)
                ),
            );
        }
        for basis in &layer.basis {
            let date = basis
                .date
                .as_deref()
                .map(|date| format!(", {date}"))
                .unwrap_or_default();
            line(
                &mut out,
                &format!("                              from {}{date}", basis.source),
            );
        }
        for note in &layer.notes {
            line(
                &mut out,
                &format!("                              note: {note}"),
            );
        }
    }
    findings(&mut out, &report.findings);
    out
}

/// The text of `cache`.
pub fn of_cache(report: &CacheReport) -> String {
    let mut out = String::new();
    for step in &report.steps {
        line(
            &mut out,
            &format!(
                "{:>5}  {:<7}  {}",
                step.line,
                step.verdict,
                short(&step.instruction, 90)
            ),
        );
        if let Some(cause) = &step.cause {
            let clause = if step.verdict == "unknown" {
                "cached only if"
            } else {
                "because"
            };
            line(&mut out, &format!("                {clause} {cause}"));
        }
    }
    line(&mut out, "");
    line(
        &mut out,
        &format!(
            "a host with the previous image pulls {}",
            size(report.warm_pull)
        ),
    );
    if let Some(seconds) = report.seconds {
        line(
            &mut out,
            &format!("the steps that run again take {seconds} s"),
        );
    }
    if let Some(check) = &report.trace {
        trace(&mut out, check);
    }
    for failed in &report.failed {
        line(
            &mut out,
            &format!("error[{}]: {}", failed.code, failed.message),
        );
    }
    findings(&mut out, &report.findings);
    out
}

fn trace(out: &mut String, check: &TraceCheck) {
    let how_far = if check.complete {
        ""
    } else {
        ", which ends before its build does"
    };
    let steps = check.compared;
    line(
        out,
        &format!("{steps} steps compared with the trace{how_far}"),
    );
    for one in &check.disagreements {
        let found = match one.found {
            "missing" => "BuildKit shows no such step".to_owned(),
            "ran" => "BuildKit ran it".to_owned(),
            _ => "BuildKit took it from its cache".to_owned(),
        };
        line(
            out,
            &format!(
                "{:>5}  predicted {}, but {found}: {}",
                one.line,
                one.predicted,
                short(&one.instruction, 90)
            ),
        );
    }
    for name in &check.strangers {
        line(
            out,
            &format!("       not in this Dockerfile: {}", short(name, 90)),
        );
    }
}

/// The text of `cache --history`.
pub fn of_history(report: &HistoryReport) -> String {
    let mut out = String::new();
    let forecast = &report.forecast;
    let window = match (&forecast.since, &forecast.until) {
        (Some(since), Some(until)) => format!(" from {since} to {until}"),
        _ => String::new(),
    };
    line(&mut out, &format!("{} commits{window}", forecast.commits));
    if forecast.shallow {
        line(
            &mut out,
            "  the clone is shallow: older commits are not known",
        );
    }
    if forecast.dockerfile_commits > 0 {
        let count = forecast.dockerfile_commits;
        line(
            &mut out,
            &format!(
                "  {count} of them changed the Dockerfile; what its new text ran again is not counted"
            ),
        );
    }
    line(&mut out, "");
    line(&mut out, "           runs in    takes   a commit");
    for step in &forecast.steps {
        let open = if step.unknown > 0 {
            format!("  (and maybe in {} more)", step.unknown)
        } else {
            String::new()
        };
        line(
            &mut out,
            &format!(
                "{:>5}  {:>9.1} %  {:>5.1} s  {:>7.2} s  {}{open}",
                step.line,
                step.chance * 100.0,
                step.seconds,
                step.expected_seconds,
                short(&step.instruction, 80)
            ),
        );
        let causes: Vec<String> = step
            .causes
            .iter()
            .map(|cause| format!("`{}` ({})", cause.path, cause.commits))
            .collect();
        if !causes.is_empty() {
            line(
                &mut out,
                &format!("{:>40}most often because of {}", "", causes.join(", ")),
            );
        }
    }
    let mut bases: Vec<&str> = Vec::new();
    for step in &forecast.steps {
        if step.expected_seconds > 0.0 && !bases.contains(&&*step.basis.source) {
            bases.push(&*step.basis.source);
        }
    }
    line(&mut out, "");
    if !bases.is_empty() {
        line(&mut out, &format!("seconds: {}", bases.join("; ")));
    }
    line(
        &mut out,
        &format!(
            "a commit costs {:.2} s of work on the average, and a host with the previous image pulls {}",
            forecast.seconds,
            size(forecast.warm_pull)
        ),
    );
    findings(&mut out, &report.findings);
    out
}

/// The text of `optimize`: the ladder.
pub fn of_optimize(report: &OptimizeReport) -> String {
    let mut out = String::new();
    let plan = &report.plan;
    let edited = if plan.change.is_empty() {
        "the source".to_owned()
    } else {
        format!("`{}`", plan.change)
    };
    line(
        &mut out,
        &format!(
            "{:>10} {:>10} {:>10}  an edit of {edited} runs again",
            "on disk", "to pull", "warm pull"
        ),
    );
    rung(&mut out, "as it is", &plan.before);
    for step in &plan.rungs {
        rung(
            &mut out,
            &format!(
                "{} ({}, {})",
                step.title,
                step.pass,
                step.applicability.as_str()
            ),
            &step.after,
        );
        let saved = step
            .before
            .size
            .uncompressed
            .expected
            .saturating_sub(step.after.size.uncompressed.expected);
        let pull = step
            .before
            .size
            .compressed
            .expected
            .saturating_sub(step.after.size.compressed.expected);
        let warm = step.before.warm_pull.saturating_sub(step.after.warm_pull);
        if saved + pull + warm > 0 {
            line(
                &mut out,
                &format!(
                    "       wins {} on disk, {} of a cold pull, {} of a warm pull",
                    bytes(saved),
                    bytes(pull),
                    bytes(warm)
                ),
            );
        }
        for assumption in &step.assumptions {
            line(&mut out, &format!("       assumes that {assumption}"));
        }
        for warning in &step.warnings {
            line(&mut out, &format!("       mind: {warning}"));
        }
    }
    left(&mut out, plan);
    if plan.rungs.is_empty() {
        line(&mut out, "nothing to win that this plan may risk");
    } else {
        line(&mut out, "");
        line(&mut out, "Dockerfile:");
        indented(&mut out, &plan.dockerfile);
    }
    if let Some(ignore) = &plan.dockerignore {
        line(&mut out, "");
        line(&mut out, ".dockerignore:");
        indented(&mut out, ignore);
    }
    findings(&mut out, &report.findings);
    out
}

/// The text of `generate`.
pub fn of_generate(report: &GenerateReport) -> String {
    let mut out = report.generated.dockerfile.clone();
    line(&mut out, "");
    line(
        &mut out,
        &format!(
            "# image: {}, to pull: {}",
            size(report.image.uncompressed),
            size(report.image.compressed)
        ),
    );
    for question in &report.generated.questions {
        line(&mut out, &format!("# to decide: {question}"));
    }
    findings(&mut out, &report.findings);
    out
}

/// What the plan would have gone on with.
fn left(out: &mut String, plan: &Plan) {
    if plan.left.is_empty() {
        return;
    }
    line(out, "");
    let why = if plan.threshold > 0.0 {
        format!(
            "left, each winning less than {} of the cost or cut off:",
            share(plan.threshold)
        )
    } else {
        "left:".to_owned()
    };
    line(out, &why);
    for rung in &plan.left {
        line(
            out,
            &format!(
                "  {} ({}, {}) would win {}",
                rung.title,
                rung.pass,
                rung.applicability.as_str(),
                share(rung.gain)
            ),
        );
    }
}

/// A share as per cent.
fn share(share: f64) -> String {
    format!("{:.2} %", share * 100.0)
}

fn rung(out: &mut String, title: &str, measure: &Measure) {
    line(out, "");
    line(out, title);
    let shortened = |texts: &[String]| {
        let texts: Vec<String> = texts.iter().map(|text| short(text, 60)).collect();
        texts.join(" · ")
    };
    let rebuilds = if measure.rebuilds.is_empty() {
        "nothing".to_owned()
    } else {
        shortened(&measure.rebuilds)
    };
    line(
        out,
        &format!(
            "{:>10} {:>10} {:>10}  {rebuilds}",
            bytes(measure.size.uncompressed.expected),
            bytes(measure.size.compressed.expected),
            bytes(measure.warm_pull)
        ),
    );
    if !measure.every_build.is_empty() {
        let again = shortened(&measure.every_build);
        line(out, &format!("       every build runs again: {again}"));
    }
}

/// Findings, one a line, as compilers print them.
pub fn findings(out: &mut String, findings: &[Finding]) {
    for finding in findings {
        let severity = finding.severity.as_str();
        let file = if finding.file.is_empty() {
            "Dockerfile"
        } else {
            &finding.file
        };
        let place = if finding.line == 0 {
            file.to_owned()
        } else {
            format!("{file}:{}", finding.line)
        };
        line(
            out,
            &format!("{place}: {severity}[{}]: {}", finding.code, finding.message),
        );
    }
}

fn indented(out: &mut String, text: &str) {
    for one in text.lines() {
        line(out, &format!("    {one}"));
    }
}

pub(super) fn line(out: &mut String, text: &str) {
    writeln!(out, "{}", text.trim_end()).expect("a string takes every line");
}

/// The start of a text, in characters.
pub(super) fn short(text: &str, most: usize) -> String {
    let text = text.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    if text.chars().count() <= most {
        return text;
    }
    let mut start: String = text.chars().take(most.saturating_sub(1)).collect();
    start.push('…');
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_with_units() {
        for (count, text) in [
            (0, "0 B"),
            (999, "999 B"),
            (1_000, "1.0 kB"),
            (999_949, "999.9 kB"),
            (999_950, "1.0 MB"),
            (958_000_000, "958.0 MB"),
            (1_110_000_000, "1.11 GB"),
        ] {
            assert_eq!(bytes(count), text);
        }
    }
}
