//! What commits cost, if they change what commits have changed so far.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{History, HistoryError};
use crate::analysis::Analysis;
use crate::cache::{Cause, Verdict};
use crate::change::Change;
use crate::date;
use crate::duration::{Durations, rounded};
use crate::size::{Basis, Size};

/// Causes that are told of one step.
const CAUSES: usize = 3;

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
        assert_eq!(&*forecast.steps[1].basis.source, "given");
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
    fn without_commits_there_is_no_forecast() {
        let empty = analysis().forecast(&History::default(), &Durations::default());
        assert_eq!(empty.unwrap_err().code(), "no-history");
    }
}
