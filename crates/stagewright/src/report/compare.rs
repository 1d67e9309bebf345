//! The answer of `size --compare`.

use serde::Serialize;

use super::SCHEMA;
use super::text::{bytes, findings, line, short};
use crate::analysis::Analysis;
use crate::comparison::{Compared, Comparison, Difference};
use crate::finding::Finding;
use crate::measure::Image;

/// The answer of `size --compare`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CompareReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The stage that is built, by its name or as `stage-N`.
    pub target: String,
    /// Prediction and truth.
    #[serde(flatten)]
    pub comparison: Comparison,
    /// What is wrong or not known.
    pub findings: Vec<Finding>,
}

impl CompareReport {
    /// The report of an analysis and the image that was built.
    pub fn new(analysis: &Analysis, image: &Image) -> Self {
        Self {
            schema: SCHEMA,
            target: analysis.graph().target_stage().label(),
            comparison: analysis.compare_with(image),
            findings: analysis.findings().to_vec(),
        }
    }
}

/// The text of `size --compare`.
pub fn of_compare(report: &CompareReport) -> String {
    let mut out = String::new();
    let comparison = &report.comparison;
    line(
        &mut out,
        &format!(
            "{:>5}  {:>10} {:>10} {:>8}  on disk",
            "line", "predicted", "measured", "off"
        ),
    );
    for layer in &comparison.layers {
        row(
            &mut out,
            &layer.line.to_string(),
            &layer.size.uncompressed,
            &short(&layer.instruction, 80),
        );
    }
    line(&mut out, "");
    let sums = [
        ("base", comparison.base.as_ref()),
        ("added", Some(&comparison.added)),
        ("image", Some(&comparison.image)),
    ];
    for (name, compared) in sums {
        let Some(Compared {
            uncompressed,
            compressed,
            ..
        }) = compared
        else {
            continue;
        };
        row(&mut out, name, uncompressed, "on disk");
        if let Some(compressed) = compressed {
            row(&mut out, "", compressed, "to pull");
        }
    }
    for note in &comparison.notes {
        line(&mut out, &format!("note: {note}"));
    }
    findings(&mut out, &report.findings);
    out
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn row(out: &mut String, name: &str, difference: &Difference, text: &str) {
    let off = match difference.measured {
        0 if difference.off == 0 => "0.0 %".to_owned(),
        0 => "-".to_owned(),
        measured => format!("{:+.1} %", difference.off as f64 / measured as f64 * 100.0),
    };
    let outside = if difference.inside {
        ""
    } else {
        ", outside the predicted range"
    };
    line(
        out,
        &format!(
            "{name:>5}  {:>10} {:>10} {off:>8}  {text}{outside}",
            bytes(difference.predicted.expected),
            bytes(difference.measured)
        ),
    );
}
