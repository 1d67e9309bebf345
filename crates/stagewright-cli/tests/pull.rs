//! `pull`, and `size --online`, from outside.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    for (name, text) in files {
        fs::write(path.join(name), text).unwrap();
    }
    path
}

fn run(path: &Path, words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stagewright"))
        .args(words)
        .current_dir(path)
        .output()
        .unwrap()
}

fn json(path: &Path, words: &[&str]) -> Value {
    let output = run(path, words);
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

const TWO: &str = "FROM debian:bookworm-slim\nCOPY a.txt /\nCOPY b.txt /\n";

#[test]
fn what_a_host_pulls() {
    let files = [("Dockerfile", TWO), ("a.txt", "a"), ("b.txt", "b")];
    let path = folder("pull", &files);
    let other = [
        ("Dockerfile", "FROM debian:bookworm-slim\nCOPY a.txt /\n"),
        ("a.txt", "a"),
    ];
    let other = folder("pull-other", &other);
    let there = |words: &[&str]| -> Vec<String> {
        let answer = json(&path, words);
        let layers = answer["layers"].as_array().unwrap().iter();
        layers
            .map(|layer| layer["there"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        there(&["pull", "--json"]),
        ["nothing", "nothing", "nothing"]
    );
    assert_eq!(
        there(&["pull", "--image", "debian:bookworm-slim", "--json"]),
        ["all", "nothing", "nothing"]
    );
    assert_eq!(
        there(&["pull", "--build", other.to_str().unwrap(), "--json"]),
        ["all", "all", "nothing"]
    );
    assert_eq!(
        there(&["pull", "--change", "b.txt", "--json"]),
        ["all", "all", "nothing"]
    );
    // As `cache` has it.
    let warm = json(&path, &["cache", "--change", "b.txt", "--json"]);
    let pull = json(&path, &["pull", "--change", "b.txt", "--json"]);
    assert_eq!(warm["warm_pull"], pull["gzip"]);
    let cold = json(&path, &["size", "--json"]);
    assert_eq!(
        cold["image"]["compressed"],
        json(&path, &["pull", "--json"])["gzip"]
    );
    let text = String::from_utf8(run(&path, &["pull", "--change", "b.txt"]).stdout).unwrap();
    assert!(
        text.starts_with("to pull: ") && text.contains("COPY a.txt /  (is there)"),
        "{text}"
    );
}

/// Of two images on the same release of Debian the host needs the layers of one base once.
#[test]
fn bases_that_share_layers() {
    let path = folder("pull-shared", &[("Dockerfile", "FROM python:3.12-slim\n")]);
    let part = json(&path, &["pull", "--image", "debian:trixie-slim", "--json"]);
    let cold = json(&path, &["pull", "--json"]);
    assert_eq!(part["layers"][0]["there"], "part");
    assert!(part["gzip"]["expected"].as_u64() < cold["gzip"]["expected"].as_u64());
    let unknown = json(
        &path,
        &["pull", "--image", "example.test/nobody/knows:1", "--json"],
    );
    assert_eq!(unknown["layers"][0]["there"], "unknown");
    assert_eq!(unknown["gzip"]["low"], 0);
}

#[test]
fn nobody_is_asked_unless_it_is_wanted() {
    let files = [("Dockerfile", "FROM scratch\nRUN pip install demo\n")];
    let path = folder("online", &files);
    let offline = json(&path, &["size", "--json"]);
    let codes = |answer: &Value| -> Vec<String> {
        let findings = answer["findings"].as_array().unwrap().iter();
        let codes = findings.map(|finding| finding["code"].as_str().unwrap().to_owned());
        codes.filter(|code| code.starts_with("online-")).collect()
    };
    assert!(codes(&offline).is_empty());
    // Nobody listens there.
    let index = ["--index", "http://127.0.0.1:1/simple", "--retries", "0"];
    let words = [&["size", "--json", "--online"], &index[..]].concat();
    assert_eq!(codes(&json(&path, &words)), ["online-unreachable"]);
    assert_eq!(run(&path, &words).status.code(), Some(1));
    let alone = run(&path, &["size", "--index", "http://127.0.0.1:1/simple"]);
    assert_eq!(alone.status.code(), Some(2), "`--index` without `--online`");
    let cached = [&words[..], &["--cache", "Dockerfile/below"]].concat();
    let refused = run(&path, &cached);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stdout).contains("online-cache-unwritable"));
}
