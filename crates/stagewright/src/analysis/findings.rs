//! What is wrong or not known, from every part of the analysis.

use stagewright_syntax::{Dockerfile, LineIndex, Span};

use super::Inner;
use crate::change::{Change, FileChange};
use crate::context::Context;
use crate::finding::{Finding, Severity};
use crate::stage::{Base, Stage};

/// Paths that are said to be edited and are not there: new files, or slips of the pen.
pub(super) fn of_change(context: &Context, change: &Change) -> Vec<Finding> {
    let edited = change.file_changes().iter();
    let edited = edited.filter(|(_, change)| matches!(change, FileChange::Edited));
    let odd = edited.filter(|(path, _)| !context.holds(path));
    let finding = |(path, _): &(String, FileChange)| {
        let message = "nothing is there in the build context: it is taken as a new file";
        let mut finding = Finding::new("new-path", Severity::Note, Span::default(), message);
        finding.file.clone_from(path);
        finding
    };
    odd.map(finding).collect()
}

impl Inner {
    pub(super) fn findings(&self, file: &Dockerfile<'_>) -> Vec<Finding> {
        let mut findings: Vec<Finding> = file
            .errors()
            .iter()
            .map(|error| Finding::new(error.code(), Severity::Error, error.span(), error.message()))
            .collect();
        findings.extend(self.graph.findings.iter().cloned());
        if self.context.digests_only {
            let message = "the context comes from a snapshot, which holds no contents of files: sizes leave out what hangs on them, such as what `pip install -r` brings";
            findings.push(Finding::new(
                "no-contents",
                Severity::Note,
                Span::default(),
                message,
            ));
        }
        for unanswered in &self.options.unanswered {
            let of = |stage: &&Stage| matches!(&stage.base, Base::Image(image) if *image == unanswered.what);
            let span = self.graph.stages.iter().find(of).map(|stage| stage.span);
            findings.push(Finding::new(
                unanswered.code,
                Severity::Warning,
                span.unwrap_or_default(),
                unanswered.message.clone(),
            ));
        }
        for stage in self.graph.stages.iter().filter(|stage| stage.reachable) {
            if let Base::Image(image) = &stage.base
                && self.images.get(image).is_none_or(Option::is_none)
            {
                let message = format!(
                    "the catalogue does not know the base image `{image}`: only the layers above it are counted"
                );
                findings.push(Finding::new(
                    "unknown-base",
                    Severity::Warning,
                    stage.span,
                    message,
                ));
            }
            for layer in &self.record.stages[stage.id.0].layers {
                let instruction = &stage.instructions[layer.instruction];
                for problem in &layer.facts.problems {
                    let mut finding = Finding::new(
                        problem.code,
                        problem.severity,
                        instruction.span,
                        problem.message.clone(),
                    );
                    finding.file.clone_from(&problem.file);
                    finding.line = problem.line;
                    findings.push(finding);
                }
            }
        }
        findings.extend(self.budget_findings());
        let lines = LineIndex::new(file.text());
        for finding in &mut findings {
            if finding.file.is_empty() {
                let position = lines.position(finding.span.start);
                finding.line = position.line;
                finding.column = position.column;
            }
        }
        findings.sort_by(|a, b| {
            (a.span.start, a.span.end, a.code, &a.file, a.line).cmp(&(
                b.span.start,
                b.span.end,
                b.code,
                &b.file,
                b.line,
            ))
        });
        findings.dedup();
        findings
    }
}
