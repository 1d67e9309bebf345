//! What the next build runs again: the prediction against what BuildKit v0.32.2 did (`tests/real/cache`, recorded by
//! `cargo xtask real cache`), and the builder of Docker 20.10 before it (`tests/real/legacy`, `cargo xtask real legacy`).

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use stagewright::{Analysis, Dockerfile, Snapshot};
use stagewright_tests::random::{self, Answer};
use stagewright_tests::scenario::{self, Edit, Project, Scenario};

fn scenarios(builder: &str) -> Vec<(String, Scenario)> {
    let folder = format!("{}/real/{builder}", env!("CARGO_MANIFEST_DIR"));
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    let read = |path: std::path::PathBuf| {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let scenario = serde_json::from_str(&fs::read_to_string(&path).unwrap());
        let scenario = scenario.unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, scenario)
    };
    paths.into_iter().map(read).collect()
}

/// What comes of comparing many pairs.
#[derive(Default)]
struct Compared {
    pairs: usize,
    steps: usize,
    /// Steps that the prediction leaves open.
    unknown: usize,
    faults: Vec<String>,
}

impl Compared {
    fn add(&mut self, name: &str, project: &Project, edit: &Edit, made_up: bool) {
        assert!(!edit.steps.is_empty(), "{name}: nothing recorded");
        let outcome = scenario::check(project, edit).unwrap();
        self.pairs += 1;
        self.steps += outcome.compared;
        self.unknown += outcome.unknown;
        let mut all = [
            outcome.disagreements,
            outcome.invented_causes,
            outcome.baseless_doubts,
        ]
        .concat();
        // Of a made-up change nobody wrote down what it causes.
        if !made_up {
            all.extend(outcome.wrong_causes);
        }
        let all = all.iter();
        self.faults
            .extend(all.map(|fault| format!("{name}: {fault}")));
    }

    /// No step is taken for what it is not, every cause is what was changed, and what is left open, at most 3 % of the steps, hangs on
    /// what a command writes.
    #[track_caller]
    fn is_right(&self, at_least: usize) {
        assert!(self.faults.is_empty(), "{}", self.faults.join("\n"));
        assert!(self.pairs >= at_least, "{} pairs", self.pairs);
        assert!(
            self.unknown * 100 <= self.steps * 3,
            "{} of {} steps left open",
            self.unknown,
            self.steps
        );
    }
}

fn compare(builder: &str) -> Compared {
    let mut compared = Compared::default();
    for (name, scenario) in scenarios(builder) {
        for edit in &scenario.changes {
            let name = format!("{name}: {}", edit.name);
            compared.add(&name, &scenario.project, edit, false);
        }
    }
    compared
}

#[test]
fn predictions_agree_with_buildkit_and_name_what_changed() {
    compare("cache").is_right(590);
}

#[test]
fn predictions_agree_with_the_builder_before_buildkit() {
    compare("legacy").is_right(30);
}

/// `cargo xtask real cache --random N SEED --record` keeps what BuildKit did.
#[test]
fn predictions_for_made_up_projects_agree_with_buildkit() {
    let folder = format!("{}/real/random", env!("CARGO_MANIFEST_DIR"));
    let mut compared = Compared::default();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let seed: u64 = path.file_stem().unwrap().to_str().unwrap().parse().unwrap();
        for line in fs::read_to_string(&path).unwrap().lines() {
            let answer: Answer = serde_json::from_str(line).unwrap();
            let (project, mut edit) = random::pair(seed, answer.pair);
            edit.steps = answer.steps;
            let name = format!("pair {} of seed {seed}: {}", answer.pair, edit.name);
            compared.add(&name, &project, &edit, true);
        }
    }
    compared.is_right(1_000);
}

fn analyze(project: &Project) -> Analysis {
    let file = Dockerfile::parse(&project.dockerfile);
    let options = project.options().unwrap();
    Analysis::with_inputs(&file, &project.inputs().unwrap(), &options).unwrap()
}

#[test]
fn a_snapshot_says_what_the_files_said() {
    let saved = |analysis: &Analysis| {
        let text = Snapshot::of(analysis).unwrap().to_json();
        Snapshot::parse(&text).unwrap().analyze().unwrap()
    };
    let mut pairs = 0;
    for (name, scenario) in [scenarios("cache"), scenarios("legacy")].concat() {
        for edit in &scenario.changes {
            let before = analyze(&scenario.project);
            let after = analyze(&scenario.project.after(edit));
            let say = |before: &Analysis, after: &Analysis| {
                serde_json::to_string(&after.since(before)).unwrap()
            };
            let expected = say(&before, &after);
            let context = format!("{name}: {}", edit.name);
            assert_eq!(say(&saved(&before), &after), expected, "{context}");
            assert_eq!(say(&saved(&before), &saved(&after)), expected, "{context}");
            pairs += 1;
        }
    }
    assert!(pairs >= 200, "{pairs} pairs");
}
