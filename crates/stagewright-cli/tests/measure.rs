//! Measured images from outside: what is learned of them, and what the next estimate makes of it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

const CONFORMANCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/conformance");

fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).unwrap();
    path
}

fn image(case: &str) -> String {
    format!("{CONFORMANCE}/measure/{case}/project/image.tar")
}

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stagewright"))
        .args(words)
        .output()
        .unwrap()
}

fn json(words: &[&str]) -> Value {
    serde_json::from_slice(&run(words).stdout).unwrap()
}

#[test]
fn a_learned_base_is_known_to_the_next_estimate() {
    let project = folder("learned-base");
    let at = project.to_str().unwrap();
    fs::write(
        project.join("Dockerfile"),
        "FROM team/base:3\nCOPY main.py .\n",
    )
    .unwrap();
    fs::write(project.join("main.py"), "print(1)\n").unwrap();
    let budget = "[budget] # ours\nimage = \"1 GB\"\n";
    fs::write(project.join("stagewright.toml"), budget).unwrap();
    assert_eq!(json(&["size", at, "--json"])["base"]["known"], false);

    let learn = [
        "measure",
        &image("docker-oci"),
        "--learn",
        "--as",
        "team/base:3",
        "--project",
        at,
    ];
    assert_eq!(run(&learn).status.code(), Some(0));
    let learned = fs::read_to_string(project.join("stagewright.toml")).unwrap();
    assert!(learned.starts_with(budget), "{learned}");
    let measured = json(&["measure", &image("docker-oci"), "--json"]);
    let size = json(&["size", at, "--json"]);
    assert_eq!(
        size["base"]["size"]["uncompressed"]["low"],
        measured["bytes"]
    );
    assert_eq!(
        size["base"]["size"]["compressed"]["expected"],
        measured["compressed"]
    );
    assert_eq!(
        size["base"]["basis"]["source"],
        "measured: stagewright.toml"
    );
    // The day is that of the image.
    assert_eq!(size["base"]["basis"]["date"], "2026-11-01");
    assert_eq!(size["layers"][1]["contents"][0]["path"], "/app/main.py");

    // Again, with another day: the entry is replaced.
    assert_eq!(
        run(&[&learn[..], &["--date", "2026-11-23"]].concat())
            .status
            .code(),
        Some(0)
    );
    let again = fs::read_to_string(project.join("stagewright.toml")).unwrap();
    assert_eq!(again, learned.replace("2026-11-01", "2026-11-23"));
    let wrong = run(&[&learn[..], &["--date", "yesterday"]].concat());
    assert_eq!(wrong.status.code(), Some(2));
    assert_eq!(
        fs::read_to_string(project.join("stagewright.toml")).unwrap(),
        again
    );
}

#[test]
fn an_image_without_a_name_is_not_learned() {
    let project = folder("learned-nameless");
    let learn = [
        "measure",
        &image("names-that-climb"),
        "--learn",
        "--project",
        project.to_str().unwrap(),
    ];
    let output = run(&learn);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).starts_with("error[no-image-name]"));
    assert_eq!(fs::read_dir(&project).unwrap().count(), 0);
}

#[test]
fn a_comparison_is_shown_as_a_table() {
    let project = format!("{CONFORMANCE}/compare/copy-and-run/project");
    let archive = format!("{project}/image.tar");
    let output = run(&["size", &project, "--compare", &archive]);
    let text = String::from_utf8(output.stdout).unwrap();
    let rows: Vec<&str> = text.lines().collect();
    assert_eq!(
        rows[1],
        "    2         9 B        9 B   +0.0 %  COPY main.py app/"
    );
    assert!(rows.iter().any(|row| row.starts_with(" base ")), "{text}");
}
