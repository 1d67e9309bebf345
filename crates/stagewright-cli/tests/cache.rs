//! `cache` from outside: snapshots, revisions of git, histories, traces and assertions.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cache-{name}"));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        let folder = Self(path);
        folder.write(
            "Dockerfile",
            "FROM busybox\nARG VERSION\nCOPY a /\nRUN echo $VERSION\n",
        );
        folder.write("a", "1");
        folder
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn git(&self, words: &[&str]) {
        let identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"];
        let status = Command::new("git")
            .current_dir(&self.0)
            .args(identity)
            .args(["-c", "commit.gpgsign=false"])
            .args(words)
            .status();
        assert!(status.unwrap().success(), "git {words:?}");
    }

    /// Runs `cache` in the folder.
    fn cache(&self, words: &[&str]) -> Said {
        let output = Command::new(env!("CARGO_BIN_EXE_stagewright"))
            .current_dir(&self.0)
            .arg("cache")
            .args(words)
            .output()
            .unwrap();
        Said {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Said {
    /// The verdicts of an answer in JSON.
    fn verdicts(&self) -> Vec<String> {
        let answer: Value = serde_json::from_str(&self.stdout).unwrap();
        let steps = answer["steps"].as_array().unwrap();
        steps
            .iter()
            .map(|step| step["verdict"].as_str().unwrap().to_owned())
            .collect()
    }
}

#[test]
fn a_snapshot_stands_for_its_folder() {
    let folder = Folder::new("snapshot");
    let saved = folder.cache(&["save", "--build-arg", "VERSION=1", "--output", "last.json"]);
    assert_eq!((saved.code, saved.stderr.as_str()), (Some(0), ""));
    assert!(saved.stdout.starts_with("1 files, "), "{}", saved.stdout);
    let printed = folder.cache(&["save", "--build-arg", "VERSION=1", "."]);
    assert_eq!(
        printed.stdout,
        fs::read_to_string(folder.0.join("last.json")).unwrap()
    );

    let same = folder.cache(&["last.json", ".", "--build-arg", "VERSION=1", "--json"]);
    assert_eq!(same.verdicts(), ["cached"; 3]);
    let other = folder.cache(&["last.json", ".", "--build-arg", "VERSION=2", "--json"]);
    assert_eq!(other.verdicts(), ["cached", "cached", "rerun"]);
    folder.write("a", "2");
    let edited = folder.cache(&["last.json", ".", "--build-arg", "VERSION=1", "--json"]);
    assert_eq!(edited.verdicts(), ["cached", "rerun", "rerun"]);
    let back = folder.cache(&[".", "last.json", "--build-arg", "VERSION=1", "--json"]);
    assert_eq!(back.verdicts(), ["cached", "rerun", "rerun"]);

    let twice = folder.cache(&["last.json", ".", "--before-arg", "VERSION=2"]);
    assert_eq!(twice.code, Some(2));
    assert!(
        twice.stderr.contains("says itself how it was built"),
        "{}",
        twice.stderr
    );
    let missing = folder.cache(&["nothing.json", "."]);
    assert!(
        missing.stderr.starts_with("error[path-missing]"),
        "{}",
        missing.stderr
    );
}

#[test]
fn each_side_has_its_own_arguments_and_dockerfile() {
    let folder = Folder::new("sides");
    let said = folder.cache(&[
        ".",
        ".",
        "--before-arg",
        "VERSION=1",
        "--after-arg",
        "VERSION=2",
        "--json",
    ]);
    assert_eq!(said.verdicts(), ["cached", "cached", "rerun"]);
    let said = folder.cache(&["--before-arg", "VERSION=1", "--json"]);
    assert_eq!(said.verdicts(), ["cached", "cached", "rerun"]);
    let digest = format!("busybox=sha256:{}", "a".repeat(64));
    let said = folder.cache(&["--after-base", &digest, "--json"]);
    assert_eq!(said.verdicts(), ["rerun"; 3]);
    let said = folder.cache(&["--before-base", &digest, "--json"]);
    assert_eq!(said.verdicts(), ["rerun"; 3]);
    let said = folder.cache(&["--base", &digest, "--change", "a", "--json"]);
    assert_eq!(said.verdicts(), ["cached", "rerun", "rerun"]);
    assert_eq!(folder.cache(&["--base", "busybox"]).code, Some(2));

    for (name, text) in [("one", "1"), ("two", "2")] {
        fs::create_dir(folder.0.join(name)).unwrap();
        folder.write(
            &format!("{name}/other.Dockerfile"),
            &format!("FROM busybox\nRUN echo {text}\n"),
        );
    }
    let said = folder.cache(&["one", "two", "--file", "other.Dockerfile", "--json"]);
    assert_eq!(said.verdicts(), ["cached", "rerun"]);
}

#[test]
fn revisions_and_histories_come_from_git() {
    let folder = Folder::new("git");
    folder.git(&["init", "-q"]);
    for text in ["1", "2"] {
        folder.write("a", text);
        folder.git(&["add", "--all"]);
        folder.git(&["commit", "-q", "-m", "a change"]);
    }
    assert_eq!(
        folder.cache(&["--git", "HEAD", "--json"]).verdicts(),
        ["cached"; 3]
    );
    let said = folder.cache(&["--git", "HEAD~1", "--json"]);
    assert_eq!(said.verdicts(), ["cached", "rerun", "rerun"]);
    let said = folder.cache(&["--git", "HEAD", "--after-arg", "VERSION=2", "--json"]);
    assert_eq!(said.verdicts(), ["cached", "cached", "rerun"]);
    let said = folder.cache(&["--git", "nothing", "--json"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.stdout.contains("\"git-bad-revision\""),
        "{}",
        said.stdout
    );

    let said = folder.cache(&["--history", "--commits", "5"]);
    assert_eq!((said.code, said.stderr.as_str()), (Some(0), ""));
    assert!(said.stdout.contains("100.0 %"), "{}", said.stdout);
    assert!(said.stdout.contains("`a` (1)"), "{}", said.stdout);
    let said = folder.cache(&["--history", "--since", "2100-01-01"]);
    assert!(
        said.stderr.starts_with("error[no-history]"),
        "{}",
        said.stderr
    );
    for words in [
        &["--history", "--change", "a"][..],
        &["--git", "HEAD", "--change", "a"],
        &[".", ".", "--history"],
    ] {
        assert_eq!(folder.cache(words).code, Some(2), "{words:?}");
    }
}

#[test]
fn what_is_expected_and_does_not_hold_is_exit_code_1() {
    let folder = Folder::new("assert");
    let said = folder.cache(&[
        "--change",
        "a",
        "--assert-cached",
        "FROM",
        "--assert-rerun",
        "COPY a",
    ]);
    assert_eq!(said.code, Some(0), "{}", said.stdout);
    let said = folder.cache(&[
        "--change",
        "a",
        "--assert-cached",
        "RUN echo",
        "--assert-rerun",
        "1",
    ]);
    assert_eq!(said.code, Some(1));
    for words in [
        "error[step-reruns]: `RUN echo $VERSION` runs again",
        "error[step-cached]: `FROM busybox` is cached",
    ] {
        assert!(said.stdout.contains(words), "{}", said.stdout);
    }
    let said = folder.cache(&["--change", "a", "--assert-cached", "RUN echo", "--json"]);
    let answer: Value = serde_json::from_str(&said.stdout).unwrap();
    assert_eq!(answer["failed"][0]["code"], "step-reruns");
    let said = folder.cache(&["--assert-cached", "RUN make"]);
    assert_eq!(said.code, Some(2));
    assert!(
        said.stderr.starts_with("error[unknown-step]"),
        "{}",
        said.stderr
    );
}

#[test]
fn a_trace_that_disagrees_is_exit_code_1() {
    let folder = Folder::new("trace");
    let vertex = |name: &str, cached: bool| {
        let times = "\"started\":\"2026-11-23T00:00:00Z\",\"completed\":\"2026-11-23T00:00:02Z\"";
        format!("{{\"vertexes\":[{{\"name\":\"{name}\",{times},\"cached\":{cached}}}]}}\n")
    };
    let trace = |run_is_cached: bool| {
        [
            vertex("[1/3] FROM docker.io/library/busybox", true),
            vertex("[2/3] COPY a /", false),
            vertex("[3/3] RUN echo $VERSION", run_is_cached),
        ]
        .concat()
    };
    folder.write("agrees.jsonl", &trace(false));
    let said = folder.cache(&["--change", "a", "--trace", "agrees.jsonl"]);
    assert_eq!(said.code, Some(0), "{}", said.stdout);
    assert!(
        said.stdout.contains("2 steps compared with the trace\n"),
        "{}",
        said.stdout
    );
    assert!(
        said.stdout.contains("the steps that run again take 4 s"),
        "{}",
        said.stdout
    );
    folder.write("disagrees.jsonl", &trace(true));
    let said = folder.cache(&["--change", "a", "--trace", "disagrees.jsonl"]);
    assert_eq!(said.code, Some(1));
    let words = "predicted rerun, but BuildKit took it from its cache: RUN echo $VERSION";
    assert!(said.stdout.contains(words), "{}", said.stdout);
}
