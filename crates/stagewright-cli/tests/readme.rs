//! What the README shows of the command is what the command says.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn readme() -> String {
    std::fs::read_to_string(root().join("README.md")).expect("the README is there")
}

fn run(words: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_stagewright"))
        .args(words)
        .current_dir(root())
        .output()
        .expect("the command runs");
    assert!(output.status.success(), "{words:?}");
    String::from_utf8(output.stdout).expect("the answer is UTF-8")
}

/// Two lines say the same: word by word, numbers within 2 %, so that a better table is no other README.
fn alike(shown: &str, said: &str) -> bool {
    let number = |word: &str| {
        word.trim_matches(|c| c == '(' || c == ')')
            .parse::<f64>()
            .ok()
    };
    let same = |(shown, said): (&str, &str)| match (number(shown), number(said)) {
        (Some(shown), Some(said)) => (shown - said).abs() <= 0.02 * said.abs(),
        _ => shown == said,
    };
    shown.split(' ').count() == said.split(' ').count()
        && shown.split(' ').zip(said.split(' ')).all(same)
}

#[test]
fn the_console_shows_what_the_command_says() {
    let text = readme();
    let blocks: Vec<&str> = text
        .split("```console\n")
        .skip(1)
        .map(|rest| rest.split("```").next().unwrap_or_default())
        .collect();
    assert!(blocks.len() >= 2, "{} blocks", blocks.len());
    for block in blocks {
        let mut lines = block.lines();
        let command = lines
            .next()
            .and_then(|line| line.strip_prefix("$ stagewright "))
            .expect("a block starts with the command");
        let said = run(&command.split(' ').collect::<Vec<_>>());
        let mut said = said.lines();
        for shown in lines {
            if shown == "…" {
                // The rest is left out.
                said = "".lines();
                break;
            }
            let next = said.next().unwrap_or("(nothing more)");
            assert!(
                alike(shown, next),
                "{command}:\n shown: {shown}\n said:  {next}"
            );
        }
        assert_eq!(said.next(), None, "{command}");
    }
}

#[test]
fn the_settings_are_understood() {
    let text = readme();
    let block = text.split("```toml\n").nth(1).expect("there is a block");
    let config = block.split("```").next().expect("it ends");
    let budget = stagewright::Config::parse(config)
        .expect("the block is right")
        .budget;
    assert_eq!(budget.image, Some(150_000_000));
    assert!(budget.layer.is_some() && budget.growth.is_some() && budget.stages.len() == 1);
}

#[test]
fn the_table_shows_what_the_plan_wins() {
    let json = run(&[
        "optimize",
        "tests/projects/flask-article",
        "--as-of",
        "2019-10-31",
        "--change",
        "main.py",
        "--json",
    ]);
    let plan: Value = serde_json::from_str(&json).expect("the answer is JSON");
    let after = |pass: &str| {
        let rungs = plan["rungs"].as_array().expect("a list");
        let rung = rungs.iter().find(|rung| rung["pass"] == pass);
        rung.unwrap_or_else(|| panic!("the plan reaches `{pass}`"))["after"].clone()
    };
    let text = readme();
    let rows: Vec<Vec<&str>> = text
        .lines()
        .filter(|line| line.starts_with("| ") && line.contains(" MB |"))
        .map(|line| line.split('|').map(str::trim).collect())
        .collect();
    let passes = [
        "slimmer_base",
        "manifests_first",
        "package_cache",
        "split_stages",
        "non_root",
        "strip_tests",
        "strip_interpreter",
    ];
    assert_eq!(rows.len(), passes.len() + 1);
    let measures = std::iter::once(plan["before"].clone()).chain(passes.map(after));
    let mut before = 0.0;
    for (row, measure) in rows.iter().zip(measures) {
        let megabytes = |value: &Value| value.as_f64().expect("a number") / 1e6;
        let shown = |text: &str| {
            text.strip_suffix(" MB")
                .and_then(|text| text.parse::<f64>().ok())
        };
        let size = megabytes(&measure["uncompressed"]["expected"]);
        let found = match row[3].strip_prefix('−') {
            Some(saved) => (before - size, shown(saved)),
            None => (size, shown(row[3])),
        };
        assert!(
            found
                .1
                .is_some_and(|shown| (shown - found.0).abs() <= 0.02 * found.0),
            "{row:?}: {found:?}"
        );
        let warm = megabytes(&measure["warm_pull"]);
        let shown = shown(row[5]).or_else(|| {
            row[5]
                .strip_suffix(" kB")
                .and_then(|text| text.parse::<f64>().ok())
                .map(|kilobytes| kilobytes / 1e3)
        });
        assert!(
            shown.is_some_and(|shown| (shown - warm).abs() <= 0.05 * warm),
            "{row:?}: {warm}"
        );
        before = size;
    }
}
