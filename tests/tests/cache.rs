//! What the next build runs again: the prediction against what BuildKit v0.32.2 did (`tests/real/cache`, recorded by
//! `cargo xtask real cache`), and the builder of Docker 20.10 before it (`tests/real/legacy`, `cargo xtask real legacy`).

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;

use stagewright::{Analysis, Dockerfile, Snapshot};
use stagewright_tests::scenario::{self, Project, Scenario};

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

/// Pairs, steps, and steps that the prediction leaves open.
fn compare(builder: &str) -> (usize, usize, usize) {
    let (mut pairs, mut steps, mut unknown) = (0, 0, 0);
    let mut faults = Vec::new();
    for (name, scenario) in scenarios(builder) {
        for edit in &scenario.changes {
            assert!(
                !edit.steps.is_empty(),
                "{name}: {}: nothing recorded",
                edit.name
            );
            let outcome = scenario::check(&scenario.project, edit).unwrap();
            pairs += 1;
            steps += outcome.compared;
            unknown += outcome.unknown;
            let all = outcome.disagreements.iter().chain(&outcome.wrong_causes);
            faults.extend(all.map(|fault| format!("{name}: {}: {fault}", edit.name)));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    (pairs, steps, unknown)
}

#[test]
fn predictions_agree_with_buildkit_and_name_what_changed() {
    let (pairs, steps, unknown) = compare("cache");
    assert!(pairs >= 340, "{pairs} pairs");
    // Left open may be only what depends on what a command writes.
    assert!(
        unknown * 100 <= steps * 3,
        "{unknown} of {steps} steps left open"
    );
}

#[test]
fn predictions_agree_with_the_builder_before_buildkit() {
    let (pairs, steps, unknown) = compare("legacy");
    assert!(pairs >= 30, "{pairs} pairs");
    assert!(
        unknown * 100 <= steps * 3,
        "{unknown} of {steps} steps left open"
    );
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
