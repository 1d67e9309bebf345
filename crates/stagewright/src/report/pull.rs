//! The answer of `pull`: what a host pulls that has nothing, or something.

use serde::Serialize;

use super::SCHEMA;
use super::text::{bytes, findings, line, short, size};
use crate::analysis::Analysis;
use crate::finding::Finding;
use crate::pull::{Pull, There};

/// The answer of `pull`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PullReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What is pulled.
    #[serde(flatten)]
    pub pull: Pull,
    /// What is wrong or not known.
    pub findings: Vec<Finding>,
}

impl PullReport {
    /// What a host pulls of the image of an analysis, as [`Analysis::pull_beside`] answers.
    pub fn new(analysis: &Analysis, pull: Pull) -> Self {
        Self {
            schema: SCHEMA,
            pull,
            findings: analysis.findings().to_vec(),
        }
    }
}

/// The text of the answer.
pub fn of_pull(report: &PullReport) -> String {
    let mut out = String::new();
    let pull = &report.pull;
    line(&mut out, &format!("to pull: {}", size(pull.gzip)));
    line(&mut out, &format!("  with zstd: {}", size(pull.zstd)));
    line(&mut out, "");
    for layer in &pull.layers {
        let there = match layer.there {
            There::Nothing => "",
            There::Part => "  (part of it is there)",
            There::Unknown => "  (may be there)",
            There::All => "  (is there)",
        };
        line(
            &mut out,
            &format!(
                "{:>5}  {:>10} {:>10}  {}{there}",
                layer.line,
                bytes(layer.gzip.expected),
                bytes(layer.zstd.expected),
                short(&layer.instruction, 90)
            ),
        );
    }
    findings(&mut out, &report.findings);
    out
}
