//! What a change must, or must not, run again: assertions for the tests of a project.

use thiserror::Error;

use super::{Prediction, StepVerdict, Verdict};

/// Why a prediction is not what was expected. The message names the step and the cause.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ExpectationError {
    /// No step is picked by the words.
    #[error("`{step}` picks no step: {}", listed(.known))]
    UnknownStep {
        /// The words.
        step: String,
        /// The steps there are: place and instruction.
        known: Vec<String>,
    },
    /// A step that should be cached runs again.
    #[error("{message}")]
    Reruns {
        /// The step and its cause, as a sentence.
        message: String,
    },
    /// Whether a step runs again is not known.
    #[error("{message}")]
    Unknown {
        /// The step and what it depends on, as a sentence.
        message: String,
    },
    /// A step that should run again is cached.
    #[error("{message}")]
    Cached {
        /// The step, as a sentence.
        message: String,
    },
}

impl ExpectationError {
    /// A stable name in kebab-case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownStep { .. } => "unknown-step",
            Self::Reruns { .. } => "step-reruns",
            Self::Unknown { .. } => "step-unknown",
            Self::Cached { .. } => "step-cached",
        }
    }
}

fn listed(known: &[String]) -> String {
    if known.is_empty() {
        "there are none".to_owned()
    } else {
        format!("there are {}", known.join(", "))
    }
}

/// What tells one step from another: the label of its stage, its line, and its instruction as one line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StepName<'s> {
    pub(crate) stage: &'s str,
    pub(crate) line: u32,
    pub(crate) instruction: &'s str,
}

impl std::fmt::Display for StepName<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "`{}` ({}/{})",
            self.instruction, self.stage, self.line
        )
    }
}

/// The places of the steps that words pick: a line (`7`), a stage by its label (`builder`, `stage-0`), either within the other
/// (`builder/7`, `builder/RUN make`), or a part of the instruction (`RUN pip install`). An error where that is none.
pub(crate) fn pick(words: &str, steps: &[StepName<'_>]) -> Result<Vec<usize>, ExpectationError> {
    let is_label = |word: &str| steps.iter().any(|step| step.stage == word);
    let (stage, rest) = match words.split_once('/') {
        Some((stage, rest)) if is_label(stage) => (Some(stage), rest),
        _ if is_label(words) => (Some(words), ""),
        _ => (None, words),
    };
    let line: Option<u32> = rest
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then(|| rest.parse().ok())
        .flatten();
    let picked = |step: &StepName<'_>| {
        stage.is_none_or(|stage| step.stage == stage)
            && match line {
                Some(line) => step.line == line,
                None => step.instruction.contains(rest),
            }
    };
    let places = || {
        steps
            .iter()
            .enumerate()
            .filter(|(_, step)| picked(step))
            .map(|(place, _)| place)
            .collect::<Vec<_>>()
    };
    let found = if words.is_empty() {
        Vec::new()
    } else {
        places()
    };
    if found.is_empty() {
        return Err(ExpectationError::UnknownStep {
            step: words.to_owned(),
            known: steps.iter().map(ToString::to_string).collect(),
        });
    }
    Ok(found)
}

impl Prediction {
    /// The steps that words pick: a line (`7`), a stage by its name or as `stage-N` (`builder`), either within the other (`builder/7`,
    /// `builder/RUN make`), or a part of the instruction (`RUN pip install`).
    pub fn pick(&self, step: &str) -> Result<Vec<&StepVerdict>, ExpectationError> {
        let names: Vec<StepName<'_>> = self
            .steps
            .iter()
            .map(|step| StepName {
                stage: &step.stage,
                line: step.line,
                instruction: &step.instruction,
            })
            .collect();
        let places = pick(step, &names)?;
        Ok(places.into_iter().map(|place| &self.steps[place]).collect())
    }

    /// That every step that `step` picks (as [`Prediction::pick`] does) is taken from the cache for certain.
    ///
    /// ```
    /// use stagewright::{Analysis, Change, Context, Dockerfile, Options};
    ///
    /// let file = Dockerfile::parse("FROM python:3.12-slim\nCOPY . /app\nRUN pip install -r /app/requirements.txt\n");
    /// let context = Context::builder().file("main.py", "print(1)").file("requirements.txt", "flask\n").build()?;
    /// let analysis = Analysis::new(&file, &context, &Options::default())?;
    /// let prediction = analysis.after(&Change::files(["main.py"]))?;
    /// assert!(prediction.expect_cached("FROM").is_ok());
    /// assert_eq!(
    ///     prediction.expect_cached("RUN pip install").unwrap_err().to_string(),
    ///     "`RUN pip install -r /app/requirements.txt` runs again because `COPY . /app` (line 2) takes in `main.py`, which changed"
    /// );
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn expect_cached(&self, step: &str) -> Result<(), ExpectationError> {
        for step in self.pick(step)? {
            let message = || step.to_string();
            match step.verdict {
                Verdict::Cached => {}
                Verdict::Rerun { .. } => {
                    return Err(ExpectationError::Reruns { message: message() });
                }
                Verdict::Unknown { .. } => {
                    return Err(ExpectationError::Unknown { message: message() });
                }
            }
        }
        Ok(())
    }

    /// That every step that `step` picks (as [`Prediction::pick`] does) runs again for certain.
    pub fn expect_rerun(&self, step: &str) -> Result<(), ExpectationError> {
        for step in self.pick(step)? {
            let message = || step.to_string();
            match step.verdict {
                Verdict::Rerun { .. } => {}
                Verdict::Cached => return Err(ExpectationError::Cached { message: message() }),
                Verdict::Unknown { .. } => {
                    return Err(ExpectationError::Unknown { message: message() });
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [StepName<'_>; 4] = [
        StepName {
            stage: "builder",
            line: 1,
            instruction: "FROM golang",
        },
        StepName {
            stage: "builder",
            line: 2,
            instruction: "RUN make",
        },
        StepName {
            stage: "stage-1",
            line: 4,
            instruction: "COPY builder/x /y",
        },
        StepName {
            stage: "stage-1",
            line: 5,
            instruction: "RUN make 2",
        },
    ];

    #[test]
    fn words_pick_steps() {
        for (words, places) in [
            ("2", vec![1]),
            ("builder", vec![0, 1]),
            ("builder/2", vec![1]),
            ("builder/RUN", vec![1]),
            ("RUN make", vec![1, 3]),
            ("stage-1/RUN make", vec![3]),
            ("x /y", vec![2]),
        ] {
            assert_eq!(pick(words, &STEPS), Ok(places), "{words}");
        }
    }

    #[test]
    fn words_that_pick_nothing_are_an_error() {
        for words in ["", "3", "run make", "builder/4", "stage-1/FROM", "nobody"] {
            let error = pick(words, &STEPS).unwrap_err();
            assert_eq!(error.code(), "unknown-step", "{words}");
            assert!(error.to_string().contains("`RUN make` (builder/2)"));
        }
    }
}
