//! What a project's own changes cost: how often each path changes, the chance that each step runs again, and what a commit costs.

mod forecast;

use std::str::FromStr;

use serde::Deserialize;
use thiserror::Error;

pub use forecast::{Forecast, PathForecast, StepForecast};

use crate::analysis::AnalysisError;
use crate::cache::ExpectationError;
use crate::date;
use crate::options::OptionsError;

/// How many commits are looked at where nobody says.
pub const COMMITS: usize = 1_000;

/// Changes that were made to a project, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// The changes; each is one build.
    pub commits: Vec<Commit>,
    /// Whether older commits were left out when the repository was cloned.
    pub shallow: bool,
}

/// One change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// Its name; empty where it has none.
    #[serde(default)]
    pub id: String,
    /// When it was made, in seconds since 1970-01-01 UTC; 0 where that is not known.
    #[serde(default)]
    pub time: i64,
    /// The paths of the build context that it changed, added or removed.
    pub paths: Vec<String>,
    /// Whether it changed the text of the Dockerfile. What that ran again is not known from here.
    #[serde(default)]
    pub dockerfile: bool,
}

/// Which commits are looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryOptions {
    /// The last one.
    pub revision: String,
    /// How many at the most.
    pub commits: usize,
    /// None that is older.
    pub since: Option<Since>,
}

impl Default for HistoryOptions {
    fn default() -> Self {
        Self {
            revision: "HEAD".to_owned(),
            commits: COMMITS,
            since: None,
        }
    }
}

impl HistoryOptions {
    /// The options from the words that a person writes; what is left out is as [`HistoryOptions::default`] has it.
    pub fn from_words(commits: Option<usize>, since: Option<&str>) -> Result<Self, OptionsError> {
        Ok(Self {
            commits: commits.unwrap_or(COMMITS),
            since: since.map(str::parse).transpose()?,
            ..Self::default()
        })
    }
}

/// Where a window of time begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Since {
    /// At a moment, in seconds since 1970-01-01 UTC.
    Moment(i64),
    /// So many seconds before the newest commit.
    Before(i64),
}

/// `YYYY-MM-DD`, or a number of days or weeks before the newest commit: `90d`, `12w`.
impl FromStr for Since {
    type Err = OptionsError;

    fn from_str(word: &str) -> Result<Self, OptionsError> {
        let span = || {
            let (digits, unit) = word.split_at_checked(word.len().checked_sub(1)?)?;
            let days = match unit {
                "d" => 1,
                "w" => 7,
                _ => return None,
            };
            let number: u32 = digits.parse().ok().filter(|_| !digits.starts_with('+'))?;
            Some(Self::Before(i64::from(number) * days * date::DAY))
        };
        let moment = date::seconds_of_day(word).map(Self::Moment);
        moment.or_else(span).ok_or_else(|| OptionsError::Since {
            word: word.to_owned(),
        })
    }
}

/// Why a history says nothing.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HistoryError {
    /// There is no commit in it.
    #[error("there is no commit to learn from in this window of the history")]
    Empty,
    /// A list of commits is none.
    #[error(
        "line {line}, column {column}: this is no list of commits as `[{{\"paths\": [\"main.py\"]}}]`: {message}"
    )]
    Bad {
        /// The line, 1-based.
        line: usize,
        /// The column, 1-based.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// Seconds are given for a step that is none.
    #[error(transparent)]
    Step(#[from] ExpectationError),
    /// A change cannot be made.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
}

impl HistoryError {
    /// A stable name in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "no-history",
            Self::Bad { .. } => "bad-history",
            Self::Step(error) => error.code(),
            Self::Analysis(error) => error.code(),
        }
    }
}

impl History {
    /// A history of which only the changed paths are known, newest first.
    pub fn of<C: IntoIterator<Item = P>, P: Into<String>>(
        commits: impl IntoIterator<Item = C>,
    ) -> Self {
        let commit = |paths: C| Commit {
            paths: paths.into_iter().map(Into::into).collect(),
            ..Commit::default()
        };
        Self {
            commits: commits.into_iter().map(commit).collect(),
            shallow: false,
        }
    }

    /// Reads a list of commits as JSON, newest first: `[{"paths": ["src/main.py"], "id": "…", "time": 0, "dockerfile": false}]`, of
    /// which only `paths` must be there.
    pub fn parse(text: &str) -> Result<Self, HistoryError> {
        let commits = serde_json::from_str(text).map_err(|error| {
            let message = error.to_string();
            let end = message.rfind(" at line ").unwrap_or(message.len());
            HistoryError::Bad {
                line: error.line(),
                column: error.column(),
                message: message[..end].to_owned(),
            }
        })?;
        Ok(Self {
            commits,
            shallow: false,
        })
    }

    /// The commits that options let through.
    #[must_use]
    pub fn within(mut self, options: &HistoryOptions) -> Self {
        self.commits.truncate(options.commits);
        self.since(options.since)
    }

    /// The commits of a window of time.
    fn since(mut self, since: Option<Since>) -> Self {
        let newest = self.commits.iter().map(|commit| commit.time).max();
        let first = match (since, newest) {
            (Some(Since::Moment(moment)), _) => moment,
            (Some(Since::Before(seconds)), Some(newest)) => newest.saturating_sub(seconds),
            _ => return self,
        };
        self.commits.retain(|commit| commit.time >= first);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_of_time() {
        let at = |time| Commit {
            time,
            ..Commit::default()
        };
        let history = History {
            commits: vec![at(10 * date::DAY), at(8 * date::DAY), at(date::DAY)],
            shallow: false,
        };
        let left = |since: &str| {
            history
                .clone()
                .since(Some(since.parse().unwrap()))
                .commits
                .len()
        };
        assert_eq!(
            (left("2d"), left("1d"), left("1w"), left("9d")),
            (2, 1, 2, 3)
        );
        assert_eq!(
            (left("1970-01-09"), left("1970-01-10"), left("1971-01-01")),
            (2, 1, 0)
        );
        for word in [
            "",
            "d",
            "-1d",
            "+1d",
            "2y",
            "yesterday",
            "1970-02-30",
            "99999999999d",
        ] {
            assert_eq!(
                word.parse::<Since>().unwrap_err().code(),
                "bad-since",
                "{word}"
            );
        }
    }

    #[test]
    fn lists_of_commits() {
        let history =
            History::parse("[{\"paths\": [\"a\"], \"id\": \"x\"}, {\"paths\": []}]").unwrap();
        assert_eq!(
            (history.commits.len(), history.commits[0].id.as_str()),
            (2, "x")
        );
        for text in [
            "",
            "{}",
            "[{}]",
            "[{\"paths\": 1}]",
            "[{\"paths\": [], \"more\": 1}]",
            "[{\"paths\": [",
        ] {
            assert_eq!(
                History::parse(text).unwrap_err().code(),
                "bad-history",
                "{text}"
            );
        }
    }
}
