//! How long steps take: what a person says, else what a trace shows, else what is usual.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::analysis::Analysis;
use crate::build::{Build, Step};
use crate::cache::{ExpectationError, Prediction, StepName, pick};
use crate::facts::Catalog;
use crate::size::Basis;
use crate::trace::Trace;

/// How long the steps of a build take.
#[derive(Clone, Debug, Default)]
pub struct Durations {
    given: BTreeMap<String, f64>,
    trace: Option<Trace>,
}

/// Why durations are none.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DurationError {
    /// The text is not what it should be.
    #[error(
        "line {line}, column {column}: these are no durations as `{{\"RUN pip install\": 41.5}}`: {message}"
    )]
    Bad {
        /// The line, 1-based.
        line: usize,
        /// The column, 1-based.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// No step takes so long.
    #[error("`{step}` cannot take {seconds} seconds")]
    Seconds {
        /// The words that pick the step.
        step: String,
        /// The seconds, as they were given.
        seconds: String,
    },
}

impl DurationError {
    /// A stable name in kebab-case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Bad { .. } => "bad-durations",
            Self::Seconds { .. } => "bad-seconds",
        }
    }
}

/// How long one step takes.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StepSeconds {
    pub(crate) seconds: f64,
    pub(crate) basis: Basis,
}

impl Durations {
    /// Reads a JSON object of seconds by the words that pick steps, as [`Prediction::pick`](crate::Prediction::pick) takes them:
    /// `{"RUN pip install": 41.5, "builder/7": 3}`.
    pub fn parse(text: &str) -> Result<Self, DurationError> {
        let given: BTreeMap<String, f64> = serde_json::from_str(text).map_err(|error| {
            let message = error.to_string();
            let end = message.rfind(" at line ").unwrap_or(message.len());
            DurationError::Bad {
                line: error.line(),
                column: error.column(),
                message: message[..end].to_owned(),
            }
        })?;
        Self::of_steps(given)
    }

    /// Seconds by the words that pick steps.
    pub fn of_steps(given: impl IntoIterator<Item = (String, f64)>) -> Result<Self, DurationError> {
        let mut durations = Self::default();
        for (step, seconds) in given {
            if !seconds.is_finite() || seconds < 0.0 {
                return Err(DurationError::Seconds {
                    step,
                    seconds: seconds.to_string(),
                });
            }
            durations.given.insert(step, seconds);
        }
        Ok(durations)
    }

    /// The same, and of other steps what a trace shows.
    #[must_use]
    pub fn trace(mut self, trace: Trace) -> Self {
        self.trace = Some(trace);
        self
    }

    /// Whether anything is known that is not just usual.
    pub fn is_empty(&self) -> bool {
        self.given.is_empty() && self.trace.is_none()
    }

    /// The seconds of the steps that run for certain, one after another; nothing where no duration was given.
    pub(crate) fn of_reruns(
        &self,
        analysis: &Analysis,
        prediction: &Prediction,
    ) -> Result<Option<f64>, ExpectationError> {
        if self.is_empty() {
            return Ok(None);
        }
        let seconds = self.of(analysis.build())?;
        let reruns = prediction.reruns().map(|step| seconds[step.step.0].seconds);
        Ok(Some(rounded(reruns.sum())))
    }

    /// The seconds of each step. Of several words that pick a step the longest count. An error where words pick none.
    pub(crate) fn of(&self, build: &Build) -> Result<Vec<StepSeconds>, ExpectationError> {
        let names: Vec<StepName<'_>> = build
            .steps
            .iter()
            .map(|step| StepName {
                stage: &step.stage_name,
                line: step.line,
                instruction: &step.text,
            })
            .collect();
        let mut given: Vec<Option<f64>> = vec![None; names.len()];
        let mut words: Vec<(&String, &f64)> = self.given.iter().collect();
        words.sort_by_key(|(word, _)| word.len());
        for (word, seconds) in words {
            for place in pick(word, &names)? {
                given[place] = Some(*seconds);
            }
        }
        let traced = self.trace.as_ref().map(|trace| trace.seconds(build));
        let known = |seconds: f64, source: &str| StepSeconds {
            seconds,
            basis: Basis {
                source: source.into(),
                date: None,
            },
        };
        let of = |step: &Step| {
            let place = step.id.0;
            if let Some(seconds) = given[place] {
                return known(seconds, "given");
            }
            match traced.as_ref().and_then(|traced| traced[place]) {
                Some(seconds) => known(seconds, "trace"),
                None => usual(step),
            }
        };
        Ok(build.steps.iter().map(of).collect())
    }
}

/// To milliseconds, so that sums look the same everywhere.
pub(crate) fn rounded(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}

/// What steps of the kind take.
fn usual(step: &Step) -> StepSeconds {
    let row = Catalog::builtin().seconds(step);
    StepSeconds {
        seconds: row.seconds,
        basis: Basis {
            source: format!("default: {}", row.source).into(),
            date: Some(row.date.into()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_from_json() {
        assert!(Durations::parse("{\"RUN make\": 3, \"builder/7\": 0.5}").is_ok());
        for (text, code) in [
            ("", "bad-durations"),
            ("[1]", "bad-durations"),
            ("{\"a\": \"1\"}", "bad-durations"),
            ("{\"a\": 1", "bad-durations"),
            ("{\"a\": -1}", "bad-seconds"),
            ("{\"a\": 1e999}", "bad-durations"),
        ] {
            assert_eq!(Durations::parse(text).unwrap_err().code(), code, "{text}");
        }
        let infinite = Durations::of_steps([("a".to_owned(), f64::INFINITY)]);
        assert_eq!(infinite.unwrap_err().code(), "bad-seconds");
    }
}
