//! The command's answers to the cases that all languages share: `tests/conformance`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

/// An option with what a case says for it: nothing, a word, or one for each of several.
fn add_option(words: &mut Vec<String>, name: &str, value: &Value) {
    match value {
        Value::Null | Value::Bool(false) => {}
        Value::Bool(true) => words.push(format!("--{name}")),
        Value::String(text) => words.extend([format!("--{name}"), text.clone()]),
        Value::Number(number) => words.extend([format!("--{name}"), number.to_string()]),
        Value::Array(items) => {
            for item in items {
                let item = item.as_str().expect("a word");
                words.extend([format!("--{name}"), item.to_owned()]);
            }
        }
        Value::Object(pairs) => {
            for (key, value) in pairs {
                let value = value
                    .as_str()
                    .map_or_else(|| value.to_string(), str::to_owned);
                words.extend([format!("--{name}"), format!("{key}={value}")]);
            }
        }
    }
}

/// The arguments that ask what a case asks.
fn arguments(area: &str, folder: &Path, case: &Value) -> Vec<String> {
    let mut words = Vec::new();
    let mut option = |name: &str, value: &Value| add_option(&mut words, name, value);
    for name in ["target", "platform"] {
        option(name, &case["build"][name]);
    }
    option("build-arg", &case["build"]["build_args"]);
    option("as-of", &case["build"]["as_of"]);
    option("change", &case["change"]["files"]);
    option("after-arg", &case["change"]["build_args"]);
    option("after-base", &case["change"]["bases"]);
    option("base", &case["build"]["bases"]);
    for side in ["before", "after"] {
        option(&format!("{side}-arg"), &case["cache"][side]["build_args"]);
        option(&format!("{side}-base"), &case["cache"][side]["bases"]);
    }
    option("assert-cached", &case["cache"]["cached"]);
    option("assert-rerun", &case["cache"]["rerun"]);
    let file = |value: &Value| match value.as_str() {
        Some(name) => json!(folder.join(name)),
        None => Value::Null,
    };
    for asked in ["cache", "history"] {
        for name in ["trace", "durations"] {
            option(name, &file(&case[asked][name]));
        }
    }
    option("history-file", &file(&case["history"]["commits"]));
    for name in ["builder", "network", "shm_size", "cgroup_parent"] {
        option(&name.replace('_', "-"), &case["build"][name]);
    }
    option("add-host", &case["build"]["add_hosts"]);
    option("ulimit", &case["build"]["ulimits"]);
    option("build-context", &case["build"]["build_contexts"]);
    for name in ["no_cache", "no_cache_filter", "imported"] {
        option(&name.replace('_', "-"), &case["cache"][name]);
    }
    for name in ["applicability", "change", "skip", "only", "threshold"] {
        option(name, &case["plan"][name]);
    }
    option("rungs", &case["plan"]["until"]);
    // The command takes one objective or several with their weights.
    let weights = &case["plan"]["weights"];
    option("weight", weights);
    if weights.is_null() {
        option("objective", &case["plan"]["objective"]);
    }
    for name in ["port", "base", "package"] {
        option(name, &case["generate"][name]);
    }
    for name in ["image_name", "platform"] {
        option(name.trim_start_matches("image_"), &case["measure"][name]);
    }
    if case["measure"]["verify"] == true {
        words.push("--verify".to_owned());
    }
    if let Some(image) = case["measure"]["image"].as_str() {
        let image = folder.join("project").join(image);
        let image = image.to_str().expect("paths of cases are UTF-8").to_owned();
        if area == "compare" {
            let project = folder.join("project");
            let project = project.to_str().expect("paths of cases are UTF-8");
            let words = ["size", project, "--compare", &image, "--json"];
            return words.map(str::to_owned).to_vec();
        }
        return ["measure".to_owned(), image]
            .into_iter()
            .chain(words)
            .chain(["--json".to_owned()])
            .collect();
    }
    let against = folder.join("against.json");
    if against.is_file() {
        let against = against.to_str().expect("paths of cases are UTF-8");
        words.extend(["--against".to_owned(), against.to_owned()]);
    }
    let command = match area {
        "errors" if !case["plan"].is_null() => "optimize",
        "errors" if !case["generate"].is_null() => "generate",
        "errors" if !case["cache"].is_null() => "cache",
        "history" => "cache",
        "errors" if !case["history"].is_null() => "cache",
        "errors" => "size",
        area => area,
    };
    let before = case["cache"]["snapshot"].as_str().unwrap_or("project");
    let states = [before, "after"]
        .map(|state| folder.join(state))
        .into_iter()
        .filter(|path| path.exists());
    let states = states.map(|path| path.to_str().expect("paths of cases are UTF-8").to_owned());
    [command.to_owned()]
        .into_iter()
        .chain(states)
        .chain(words)
        .chain(["--json".to_owned()])
        .collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn cases_are_answered_to_the_byte() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    let mut count = 0;
    for area in [
        "size", "cache", "history", "optimize", "generate", "measure", "errors",
    ] {
        for entry in fs::read_dir(root.join(area)).expect("the cases are there") {
            let folder = entry.expect("the folder can be listed").path();
            let case: Value =
                serde_json::from_str(&read(&folder.join("case.json"))).expect("a case is JSON");
            let words = arguments(area, &folder, &case);
            let output = Command::new(env!("CARGO_BIN_EXE_stagewright"))
                .args(&words)
                .output()
                .expect("the command runs");
            let answer = String::from_utf8(output.stdout).expect("the answer is UTF-8");
            let project = folder
                .join("project")
                .to_str()
                .expect("paths of cases are UTF-8")
                .to_owned();
            assert_eq!(
                answer.replace(&project, "$PROJECT"),
                read(&folder.join("expected.json")),
                "{words:?}"
            );
            let code = if area == "errors" {
                2
            } else {
                let answer: Value = serde_json::from_str(&answer).expect("JSON");
                let any = |list: &Value, wrong: fn(&Value) -> bool| {
                    list.as_array().is_some_and(|all| all.iter().any(wrong))
                };
                let findings = any(&answer["findings"], |one| one["severity"] != "note");
                let disagreements = any(&answer["trace"]["disagreements"], |_| true);
                i32::from(findings || disagreements)
            };
            assert_eq!(output.status.code(), Some(code), "{words:?}");
            count += 1;
        }
    }
    assert!(count >= 28, "{count} cases");
}

/// The folders of an area.
fn cases(area: &str) -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance");
    let entries = fs::read_dir(root.join(area)).expect("the cases are there");
    let mut cases: Vec<PathBuf> = entries
        .map(|entry| entry.expect("the folder can be listed").path())
        .collect();
    cases.sort();
    cases
}

fn run(words: &[&str]) -> (Option<i32>, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_stagewright"))
        .args(words)
        .output()
        .expect("the command runs");
    let answer = String::from_utf8(output.stdout).expect("the answer is UTF-8");
    (output.status.code(), answer)
}

#[test]
fn files_are_read_as_buildkit_reads_them() {
    let cases = cases("syntax");
    assert!(cases.len() >= 80, "{} cases", cases.len());
    let files: Vec<String> = cases
        .iter()
        .map(|case| case.join("Dockerfile").display().to_string())
        .collect();
    let mut words = vec!["parse", "--as", "buildkit"];
    words.extend(files.iter().map(String::as_str));
    let (code, answer) = run(&words);
    assert_eq!(code, Some(1), "BuildKit rejects some of them");
    let lines: Vec<&str> = answer.lines().collect();
    assert_eq!(lines.len(), cases.len());
    for ((case, file), line) in cases.iter().zip(&files).zip(lines) {
        let expected: Value =
            serde_json::from_str(&read(&case.join("expected.json"))).expect("JSON");
        let found: Value = serde_json::from_str(line).expect("a line is JSON");
        assert_eq!(
            found,
            json!({
                "file": file, "ok": expected["ok"], "error": expected["error"],
                "line": expected["line"], "dump": expected["dump"],
            })
        );
    }
}

#[test]
fn files_are_formatted() {
    for case in cases("format") {
        let file = case.join("Dockerfile").display().to_string();
        let asked: Value = serde_json::from_str(&read(&case.join("case.json"))).expect("JSON");
        let expected = read(&case.join("expected.Dockerfile"));
        let faulty = case.ends_with("faulty");
        let (code, answer) = run(&["format", &file]);
        assert_eq!((code, answer), (Some(i32::from(faulty)), expected.clone()));
        let (code, answer) = run(&["format", "--check", &file]);
        let lines = asked["lines"].as_array().expect("a list");
        let said: Vec<String> = lines
            .iter()
            .map(|line| format!("{file}:{line}: would change"))
            .collect();
        assert_eq!(code, Some(i32::from(faulty || !lines.is_empty())), "{file}");
        let (changes, errors) = (
            answer.lines().take(lines.len()),
            answer.lines().skip(lines.len()),
        );
        assert!(changes.eq(&said), "{answer}");
        assert_eq!(errors.count(), usize::from(faulty), "{answer}");
        let (_, answer) = run(&["format", "--json", &file]);
        let answer: Value = serde_json::from_str(&answer).expect("the answer is JSON");
        assert_eq!(answer["files"][0]["text"], expected);
        assert_eq!(answer["files"][0]["lines"], asked["lines"]);
    }
}

#[test]
fn parts_are_shown() {
    for case in cases("parse") {
        let file = case.join("Dockerfile").display().to_string();
        let (code, answer) = run(&["parse", "--json", &file]);
        assert_eq!(answer, read(&case.join("expected.json")), "{file}");
        assert_eq!(code, Some(i32::from(case.ends_with("faulty"))), "{file}");
    }
}

#[test]
fn edits_are_made_or_refused() {
    let mut count = 0;
    for case in cases("edit") {
        let asked: Value = serde_json::from_str(&read(&case.join("case.json"))).expect("JSON");
        // New files are made in code.
        let Some(operations) = asked["operations"].as_array() else {
            continue;
        };
        count += 1;
        let file = case.join("Dockerfile").display().to_string();
        let operations: Vec<String> = operations.iter().map(ToString::to_string).collect();
        let mut words = vec!["edit", "--json", &file];
        words.extend(operations.iter().map(String::as_str));
        let (code, answer) = run(&words);
        let answer: Value = serde_json::from_str(&answer).expect("the answer is JSON");
        if asked["error"].is_null() {
            let expected = read(&case.join("expected.Dockerfile"));
            assert_eq!(answer["text"], expected, "{file}");
            words.remove(1);
            assert_eq!(run(&words), (code, expected), "{file}");
        } else {
            assert_eq!(
                (code, &answer["error"]),
                (Some(2), &asked["error"]),
                "{file}"
            );
        }
    }
    assert!(count >= 48, "{count} cases");
}
