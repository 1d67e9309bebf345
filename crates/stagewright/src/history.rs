//! What a project's own changes cost: how often each path changes, the chance that each step runs again, and what a commit costs.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::analysis::{Analysis, AnalysisError};
use crate::cache::{Cause, ExpectationError, Verdict};
use crate::change::Change;
use crate::date;
use crate::duration::{Durations, rounded};
use crate::options::OptionsError;
use crate::size::{Basis, Size};

/// How many commits are looked at where nobody says.
pub const COMMITS: usize = 1_000;

/// Causes that are told of one step.
const CAUSES: usize = 3;

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

/// What a commit costs, by what commits have changed so far.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Forecast {
    /// How many commits it is made from.
    pub commits: usize,
    /// The day of the oldest, `YYYY-MM-DD`; nothing where commits have no dates.
    pub since: Option<String>,
    /// The day of the newest.
    pub until: Option<String>,
    /// How many of them changed the Dockerfile's text. What that ran again is not counted.
    pub dockerfile_commits: usize,
    /// Whether the repository is a shallow clone, so that older commits are not known.
    pub shallow: bool,
    /// The steps, each after those it needs.
    pub steps: Vec<StepForecast>,
    /// Seconds of work that a commit costs on the average: those of all steps, one after another.
    pub seconds: f64,
    /// Bytes that a host with the previous image pulls after a commit, on the average.
    pub warm_pull: Size,
    /// The paths that the ignore file lets through, with how many commits changed them; the most frequent first.
    pub paths: Vec<PathForecast>,
}

/// How often one step runs again.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct StepForecast {
    /// The line of its instruction, 1-based.
    pub line: u32,
    /// Its stage, by its name or as `stage-N`.
    pub stage: String,
    /// The instruction as one line.
    pub instruction: String,
    /// In how many commits it runs for certain.
    pub reruns: usize,
    /// In how many it may run.
    pub unknown: usize,
    /// The chance that a commit runs it for certain, 0 to 1.
    pub chance: f64,
    /// How long it takes, in seconds.
    pub seconds: f64,
    /// Where that is known from.
    pub basis: Basis,
    /// Seconds that it costs a commit on the average.
    pub expected_seconds: f64,
    /// The paths that made it run most often.
    pub causes: Vec<PathForecast>,
}

/// How often a path changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PathForecast {
    /// The path in the context.
    pub path: String,
    /// In how many commits.
    pub commits: usize,
}

/// What is counted of one step.
#[derive(Clone, Default)]
struct Count<'h> {
    reruns: usize,
    unknown: usize,
    causes: BTreeMap<&'h str, usize>,
}

impl Analysis {
    /// What a commit costs, if commits change what they have changed so far: each is replayed as an edit of its paths in the build as
    /// it is now. Paths that are no longer there count as if they were added.
    ///
    /// ```
    /// use stagewright::{Analysis, Context, Dockerfile, Durations, History, Options};
    ///
    /// let file = Dockerfile::parse("FROM scratch\nCOPY a /\nCOPY b /\n");
    /// let context = Context::builder().file("a", "1").file("b", "2").build()?;
    /// let analysis = Analysis::new(&file, &context, &Options::default())?;
    /// let history = History::of([["a"], ["b"], ["b"], ["notes"]]);
    /// let forecast = analysis.forecast(&history, &Durations::default())?;
    /// assert_eq!(forecast.steps.iter().map(|step| step.chance).collect::<Vec<_>>(), [0.25, 0.75]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn forecast(
        &self,
        history: &History,
        durations: &Durations,
    ) -> Result<Forecast, HistoryError> {
        let commits = &history.commits;
        if commits.is_empty() {
            return Err(HistoryError::Empty);
        }
        let build = self.build();
        let seconds = durations.of(build)?;
        let mut groups: BTreeMap<BTreeSet<&str>, usize> = BTreeMap::new();
        let mut paths: BTreeMap<&str, usize> = BTreeMap::new();
        let mut ignored: BTreeMap<&str, bool> = BTreeMap::new();
        for commit in commits {
            let mut sent = BTreeSet::new();
            for path in &commit.paths {
                let out = ignored
                    .entry(path)
                    .or_insert_with(|| self.context().is_ignored(path));
                if !*out {
                    sent.insert(path.as_str());
                }
            }
            for path in &sent {
                *paths.entry(path).or_default() += 1;
            }
            *groups.entry(sent).or_default() += 1;
        }
        let mut counts = vec![Count::default(); build.steps.len()];
        let mut pulled = [0_u128; 3];
        for (changed, times) in &groups {
            if changed.is_empty() {
                continue;
            }
            let prediction = self.after(&Change::files(changed.iter().copied()))?;
            for (count, step) in counts.iter_mut().zip(&prediction.steps) {
                match &step.verdict {
                    Verdict::Cached => {}
                    Verdict::Unknown { .. } => count.unknown += times,
                    Verdict::Rerun { cause } => {
                        count.reruns += times;
                        for path in changed.iter().filter(|path| names(cause, path)) {
                            *count.causes.entry(path).or_default() += times;
                        }
                    }
                }
            }
            let pull = self.pull_after(&prediction);
            for (sum, bytes) in pulled.iter_mut().zip([pull.low, pull.expected, pull.high]) {
                *sum += u128::from(bytes) * (*times as u128);
            }
        }
        let mean = |sum: u128| u64::try_from(sum / commits.len() as u128).unwrap_or(u64::MAX);
        let steps: Vec<StepForecast> = build
            .steps
            .iter()
            .zip(counts)
            .zip(seconds)
            .map(|((step, count), seconds)| {
                let chance = ratio(count.reruns, commits.len());
                StepForecast {
                    line: step.line,
                    stage: step.stage_name.clone(),
                    instruction: step.text.clone(),
                    reruns: count.reruns,
                    unknown: count.unknown,
                    chance: (chance * 1e4).round() / 1e4,
                    seconds: rounded(seconds.seconds),
                    expected_seconds: rounded(chance * seconds.seconds),
                    basis: seconds.basis,
                    causes: most_frequent(count.causes)
                        .into_iter()
                        .take(CAUSES)
                        .collect(),
                }
            })
            .collect();
        let times = || {
            commits
                .iter()
                .map(|commit| commit.time)
                .filter(|time| *time != 0)
        };
        Ok(Forecast {
            commits: commits.len(),
            since: times().min().map(date::written),
            until: times().max().map(date::written),
            dockerfile_commits: commits.iter().filter(|commit| commit.dockerfile).count(),
            shallow: history.shallow,
            seconds: rounded(steps.iter().map(|step| step.expected_seconds).sum()),
            steps,
            warm_pull: Size {
                low: mean(pulled[0]),
                expected: mean(pulled[1]),
                high: mean(pulled[2]),
            },
            paths: most_frequent(paths),
        })
    }
}

/// Whether a cause is that a path changed.
fn names(cause: &Cause, path: &str) -> bool {
    match cause.root() {
        Cause::Files { differences, .. } => differences.iter().any(|one| {
            let below = one.path.strip_prefix(path);
            below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        }),
        _ => false,
    }
}

fn most_frequent(counts: BTreeMap<&str, usize>) -> Vec<PathForecast> {
    let mut all: Vec<PathForecast> = counts
        .into_iter()
        .map(|(path, commits)| PathForecast {
            path: path.to_owned(),
            commits,
        })
        .collect();
    all.sort_by(|one, two| two.commits.cmp(&one.commits).then(one.path.cmp(&two.path)));
    all
}

#[expect(clippy::cast_precision_loss, reason = "no history has 2^52 commits")]
fn ratio(part: usize, whole: usize) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Context;
    use crate::options::Options;
    use stagewright_syntax::Dockerfile;

    fn analysis() -> Analysis {
        let text = "FROM scratch\nCOPY a /\nRUN pip install x\nCOPY d /d\nCOPY . /all\n";
        let context = Context::builder()
            .file("a", "1")
            .file("d/b", "2")
            .file("c.md", "3")
            .ignore("*.md\n")
            .build()
            .unwrap();
        Analysis::new(&Dockerfile::parse(text), &context, &Options::default()).unwrap()
    }

    #[test]
    fn chances_are_counted_over_all_commits() {
        let history = History::of([
            vec!["a", "c.md"],
            vec!["d/b", "d/gone"],
            vec!["d/new"],
            vec!["c.md"],
            vec![".dockerignore"],
        ]);
        let durations = Durations::of_steps([("pip".to_owned(), 10.0)]).unwrap();
        let forecast = analysis().forecast(&history, &durations).unwrap();
        let steps: Vec<(usize, f64)> = forecast
            .steps
            .iter()
            .map(|step| (step.reruns, step.chance))
            .collect();
        // An edit of the ignore file lets nothing more through.
        assert_eq!(steps, [(1, 0.2), (1, 0.2), (3, 0.6), (4, 0.8)]);
        assert!(
            forecast.steps[3]
                .causes
                .iter()
                .all(|cause| cause.path != "c.md")
        );
        assert_eq!(forecast.steps[1].basis.source, "given");
        assert!((forecast.steps[1].expected_seconds - 2.0).abs() < 1e-9);
        assert!(forecast.steps[0].basis.source.starts_with("default: "));
        let paths: Vec<(&str, usize)> = forecast
            .paths
            .iter()
            .map(|one| (one.path.as_str(), one.commits))
            .collect();
        let expected = [
            (".dockerignore", 1),
            ("a", 1),
            ("d/b", 1),
            ("d/gone", 1),
            ("d/new", 1),
        ];
        assert_eq!(paths, expected);
    }

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
        let empty = analysis().forecast(&History::default(), &Durations::default());
        assert_eq!(empty.unwrap_err().code(), "no-history");
    }
}
