//! Judges an image's size: against the budgets of `stagewright.toml`, and against a saved report.
//!
//! The expected bytes decide: above the budget is an error, at or below it is none. Where the range passes the budget and the expected
//! bytes do not, a note says so.

use std::cmp::Reverse;

use serde::Deserialize;
use stagewright_syntax::Span;

use crate::config::{Budget, ConfigError, Growth};
use crate::finding::{Finding, Severity};
use crate::report::text::{bytes, size};
use crate::size::Size;

/// The codes of findings about budgets. They are about the project's wishes: `BuildKit` builds the image all the same.
const CODES: [&str; 4] = [
    "budget-image",
    "budget-layer",
    "budget-stage",
    "budget-growth",
];

/// How many of the largest contributors a message names.
const CONTRIBUTORS: usize = 3;

/// Whether a finding is about a budget.
pub(crate) fn is_budget(code: &str) -> bool {
    CODES.contains(&code)
}

/// The sizes of an answer of `stagewright size --json` that was kept, to hold a later one against it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SavedSize {
    /// Expected bytes of the image on disk.
    pub image: u64,
    /// Its layers: the instruction and the expected bytes on disk, base first.
    pub layers: Vec<(String, u64)>,
}

#[derive(Deserialize)]
struct Saved {
    schema: u32,
    image: SavedEstimate,
    layers: Vec<SavedLayer>,
}

#[derive(Deserialize)]
struct SavedEstimate {
    uncompressed: SavedRange,
}

#[derive(Deserialize)]
struct SavedRange {
    expected: u64,
}

#[derive(Deserialize)]
struct SavedLayer {
    instruction: String,
    uncompressed: SavedRange,
}

impl SavedSize {
    /// Reads an answer of `stagewright size --json`.
    pub fn parse(json: &str) -> Result<Self, ConfigError> {
        let bad = |why: String| ConfigError::BadReport { why };
        let saved: Saved = serde_json::from_str(json).map_err(|error| bad(error.to_string()))?;
        if saved.schema != crate::report::SCHEMA {
            return Err(bad(format!(
                "its schema is {}, and {} is known",
                saved.schema,
                crate::report::SCHEMA
            )));
        }
        let layers = saved
            .layers
            .into_iter()
            .map(|layer| (layer.instruction, layer.uncompressed.expected));
        Ok(Self {
            image: saved.image.uncompressed.expected,
            layers: layers.collect(),
        })
    }
}

/// An image, or a layer, with what it is made of.
pub(crate) struct Weighed {
    /// What messages call it.
    pub(crate) name: String,
    /// Where it stands in the Dockerfile.
    pub(crate) span: Span,
    pub(crate) size: Size,
    /// Whether everything in it is known: else the base is missing in the size.
    pub(crate) whole: bool,
    /// Its parts with their expected bytes.
    pub(crate) parts: Vec<(String, u64)>,
}

impl Weighed {
    /// Holds it against a budget.
    pub(crate) fn against(&self, code: &'static str, budget: u64) -> Option<Finding> {
        let (name, size_text) = (&self.name, size(self.size));
        if self.size.expected > budget {
            let above = bytes(self.size.expected - budget);
            let message = format!(
                "{name} is expected to weigh {size_text}, {above} above its budget of {}{}",
                bytes(budget),
                self.most()
            );
            return Some(Finding::new(code, Severity::Error, self.span, message));
        }
        if !self.whole {
            let message = format!(
                "whether {name} keeps its budget of {} is not known: its base is not in the catalogue",
                bytes(budget)
            );
            return Some(Finding::new(code, Severity::Note, self.span, message));
        }
        if self.size.high > budget {
            let message = format!(
                "{name} is expected to weigh {size_text}, within its budget of {}, but its range goes beyond",
                bytes(budget)
            );
            return Some(Finding::new(code, Severity::Note, self.span, message));
        }
        None
    }

    /// Holds it against what it was.
    pub(crate) fn grown(&self, growth: Growth, saved: &SavedSize) -> Option<Finding> {
        let more = self.size.expected.saturating_sub(saved.image);
        let allowed = growth.of(saved.image);
        if more <= allowed {
            return None;
        }
        // What is new, or larger than the layer of the same instruction was.
        let mut before = saved.layers.clone();
        let mut parts = Vec::new();
        for (name, now) in &self.parts {
            let same = before
                .iter()
                .position(|(instruction, _)| instruction == name);
            let was = same.map_or(0, |at| before.remove(at).1);
            parts.push((name.clone(), now.saturating_sub(was)));
        }
        let message = format!(
            "{} is expected to weigh {}, {} more than the saved report's {}, and may grow by {}{}",
            self.name,
            size(self.size),
            bytes(more),
            bytes(saved.image),
            bytes(allowed),
            most(&parts)
        );
        Some(Finding::new(
            "budget-growth",
            Severity::Error,
            self.span,
            message,
        ))
    }

    fn most(&self) -> String {
        most(&self.parts)
    }
}

/// The largest contributors, as the end of a sentence.
fn most(parts: &[(String, u64)]) -> String {
    let mut parts: Vec<&(String, u64)> = parts.iter().filter(|(_, bytes)| *bytes > 0).collect();
    parts.sort_by_key(|(name, bytes)| (Reverse(*bytes), name));
    let largest: Vec<String> = parts
        .iter()
        .take(CONTRIBUTORS)
        .map(|(name, count)| format!("{} for `{name}`", bytes(*count)))
        .collect();
    if largest.is_empty() {
        return String::new();
    }
    format!(": {}", largest.join(", "))
}

impl Budget {
    /// Whether nothing is asked.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weighed(size: Size, whole: bool) -> Weighed {
        Weighed {
            name: "the image".into(),
            span: Span::new(0, 4),
            size,
            whole,
            parts: vec![
                ("COPY a".into(), 5_000_000),
                ("RUN b".into(), 95_000_000),
                ("ENV".into(), 0),
            ],
        }
    }

    #[test]
    fn the_expected_bytes_decide() {
        let size = Size::range(90_000_000, 100_000_000, 120_000_000);
        let found = weighed(size, true)
            .against("budget-image", 95_000_000)
            .expect("above");
        assert_eq!(
            (found.severity, found.message.as_str()),
            (
                Severity::Error,
                "the image is expected to weigh 100.0 MB (90.0 MB to 120.0 MB), 5.0 MB above its budget of 95.0 MB: 95.0 MB for `RUN b`, 5.0 MB for `COPY a`"
            )
        );
        let found = weighed(size, true)
            .against("budget-image", 100_000_000)
            .expect("the range goes beyond");
        assert_eq!(found.severity, Severity::Note);
        assert_eq!(
            weighed(size, true).against("budget-image", 120_000_000),
            None
        );
        let found = weighed(size, false)
            .against("budget-image", 120_000_000)
            .expect("not known");
        assert_eq!(found.severity, Severity::Note);
        assert!(is_budget(found.code));
    }

    #[test]
    fn growth_is_held_against_a_saved_report() {
        let saved = SavedSize {
            image: 90_000_000,
            layers: vec![("RUN b".into(), 90_000_000)],
        };
        let weighed = weighed(Size::exact(100_000_000), true);
        assert_eq!(weighed.grown(Growth::Bytes(10_000_000), &saved), None);
        let found = weighed
            .grown(Growth::Share(500), &saved)
            .expect("10 MB are more than 5 %");
        assert_eq!(
            found.message,
            "the image is expected to weigh 100.0 MB, 10.0 MB more than the saved report's 90.0 MB, and may grow by 4.5 MB: 5.0 MB for `COPY a`, 5.0 MB for `RUN b`"
        );
        assert_eq!(SavedSize::parse("{}").unwrap_err().code(), "bad-report");
    }
}
