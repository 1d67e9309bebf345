//! Traces of real builds (`tests/real/trace`, recorded with BuildKit v0.32.2) against the prediction.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::Path;

use stagewright::report::{CacheReport, HistoryReport};
use stagewright::trace::TraceCheck;
use stagewright::{Analysis, BuildFiles, Change, Dockerfile, Durations, History, Options, Trace};

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("real/trace")
}

fn analysis() -> Analysis {
    let files = BuildFiles::open(folder().join("project")).unwrap();
    let file = Dockerfile::parse(&files.text);
    Analysis::new(&file, &files.context, &Options::default()).unwrap()
}

fn text(name: &str) -> String {
    fs::read_to_string(folder().join(name)).unwrap()
}

fn check(name: &str, changed: &str) -> TraceCheck {
    let analysis = analysis();
    let prediction = analysis.after(&Change::files([changed])).unwrap();
    Trace::parse(text(name))
        .unwrap()
        .check(&analysis, &prediction)
}

#[test]
fn builds_after_a_change_did_what_is_predicted() {
    for (name, changed) in [
        ("warm.jsonl", "src/main.txt"),
        ("traced.jsonl", "src/main.txt"),
        ("link.jsonl", "config.txt"),
    ] {
        let check = check(name, changed);
        assert!(check.agrees() && check.complete, "{name}: {check:?}");
        assert_eq!(check.compared, 9, "{name}");
    }
}

#[test]
fn every_disagreement_is_told() {
    // Nothing was cached in the first build.
    let cold = check("cold.jsonl", "src/main.txt");
    let told: Vec<(u32, &str, &str)> = cold
        .disagreements
        .iter()
        .map(|one| (one.line, one.predicted, one.found))
        .collect();
    let ran = |line| (line, "cached", "ran");
    assert_eq!(told, [ran(2), ran(8), ran(9), ran(9)]);
    let other = check("warm.jsonl", "config.txt");
    assert!(!other.agrees());
    let predicted: Vec<u32> = other.disagreements.iter().map(|one| one.line).collect();
    assert_eq!(predicted, [3, 5, 9, 9]);
}

#[test]
fn a_trace_may_be_cut_inside_a_character() {
    let whole = text("warm.jsonl");
    let inside = whole.rfind("\"name\":\"").expect("steps have names") + 9;
    let mut cut = whole.as_bytes()[..inside].to_vec();
    cut.push("ö".as_bytes()[0]);
    let trace = Trace::parse(&cut).expect("read as far as it goes");
    assert!(!trace.is_complete() && !trace.vertexes().is_empty());
    cut.extend_from_slice(b"\"}]}\n{}");
    let error = Trace::parse(&cut).expect_err("that line is not the last");
    assert_eq!(error.code(), "bad-trace");
}

#[test]
fn a_trace_of_another_dockerfile_is_known_as_one() {
    let text = text("warm.jsonl").replace("COPY src .", "COPY lib .");
    let analysis = analysis();
    let prediction = analysis.after(&Change::files(["src/main.txt"])).unwrap();
    let check = Trace::parse(&text).unwrap().check(&analysis, &prediction);
    assert_eq!(check.strangers, ["[builder 3/4] COPY lib ."]);
    assert_eq!(check.disagreements.len(), 1);
    assert_eq!(check.disagreements[0].found, "missing");
}

#[test]
fn a_build_that_failed_is_no_whole_one() {
    let check = check("failed.jsonl", "src/main.txt");
    assert!(!check.complete);
    // What did not come to its end is not held against the prediction.
    assert!(check.disagreements.iter().all(|one| one.found != "missing"));
}

#[test]
fn a_trace_that_is_cut_anywhere_claims_nothing_that_is_wrong() {
    let whole = text("warm.jsonl");
    let analysis = analysis();
    let prediction = analysis.after(&Change::files(["src/main.txt"])).unwrap();
    let last = whole.trim_end().len();
    for end in (0..last).step_by(7) {
        match Trace::parse(&whole.as_bytes()[..end]) {
            Ok(trace) => {
                let check = trace.check(&analysis, &prediction);
                assert!(check.agrees(), "{end}: {check:?}");
                // Exports and the like may follow the last step.
                assert!(!check.complete || check.compared == 9, "{end}: {check:?}");
            }
            Err(error) => assert_eq!(error.code(), "no-trace", "{end}"),
        }
    }
}

#[test]
fn seconds_come_from_the_trace() {
    let analysis = analysis();
    let durations = Durations::default().trace(Trace::parse(text("warm.jsonl")).unwrap());
    let history = History::of([["src/main.txt"], ["config.txt"]]);
    let forecast = analysis.forecast(&history, &durations).unwrap();
    let traced: Vec<(u32, bool)> = forecast
        .steps
        .iter()
        .filter(|step| &*step.basis.source == "trace")
        .map(|step| (step.line, (1.0..2.0).contains(&step.seconds)))
        .collect();
    // Line 5 and line 11 sleep for a second each; base images are told of too.
    let slept: Vec<u32> = traced
        .iter()
        .filter(|(_, slept)| *slept)
        .map(|(line, _)| *line)
        .collect();
    assert_eq!(slept, [5, 11]);
    assert!(traced.iter().any(|(line, _)| *line == 3));
    let report = HistoryReport::new(&analysis, forecast);
    assert!(report.forecast.seconds > 1.0);

    let prediction = analysis.after(&Change::files(["src/main.txt"])).unwrap();
    let report = CacheReport::new(&analysis, &prediction)
        .with_durations(&analysis, &prediction, &durations)
        .unwrap();
    assert!((2.5..4.0).contains(&report.seconds.unwrap()));
}
