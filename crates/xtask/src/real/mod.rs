//! `cargo xtask real`: what a running BuildKit does, recorded and compared.

mod ask;
mod image;
mod optimize;
mod outside;
mod peers;
mod random;
mod size;
mod start;

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Serialize;
use serde::de::DeserializeOwned;
use stagewright_tests::scenario::{self, Scenario};

use ask::Builder;
use random::Random;

use crate::process::capture;

/// Where the answers of a builder are.
fn folder(builder: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/real")
        .join(builder)
}

/// A record of builds; an empty one where none was written.
fn read_record<T: Default + DeserializeOwned>(path: &Path) -> Result<T, Box<dyn Error>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(serde_json::from_str(&text)?),
        Err(_) => Ok(T::default()),
    }
}

fn write_record(path: &Path, record: &impl Serialize) -> Result<(), Box<dyn Error>> {
    Ok(fs::write(
        path,
        serde_json::to_string_pretty(record)? + "\n",
    )?)
}

fn today() -> Result<String, Box<dyn Error>> {
    let mut command = Command::new("date");
    command.args(["--utc", "+%Y-%m-%d"]);
    Ok(capture(&mut command)?.trim().to_owned())
}

/// `cargo xtask real cache`.
pub(crate) fn cache(words: &[&str]) -> Result<(), Box<dyn Error>> {
    match words {
        ["--random", rest @ ..] => Random::read(rest)?.run(&mut Builder::new()?),
        ["--check", names @ ..] => ask_all("cache", names, true),
        names => ask_all("cache", names, false),
    }
}

/// `cargo xtask real legacy`.
pub(crate) fn legacy(words: &[&str]) -> Result<(), Box<dyn Error>> {
    match words {
        ["--check", names @ ..] => ask_all("legacy", names, true),
        names => ask_all("legacy", names, false),
    }
}

/// `cargo xtask real optimize`.
pub(crate) fn optimize(words: &[&str]) -> Result<(), Box<dyn Error>> {
    optimize::run(words)
}

/// `cargo xtask real peers`.
pub(crate) fn peers(words: &[&str]) -> Result<(), Box<dyn Error>> {
    peers::run(words)
}

/// `cargo xtask real size`.
pub(crate) fn size(words: &[&str]) -> Result<(), Box<dyn Error>> {
    size::run(words)
}

/// Asks about every recorded scenario again; writes what came of it, or with `check` only compares.
fn ask_all(asked: &str, names: &[&str], check: bool) -> Result<(), Box<dyn Error>> {
    let mut builder = Builder::new()?;
    let mut paths: Vec<PathBuf> = fs::read_dir(folder(asked))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, std::io::Error>>()?;
    paths.retain(|path| {
        path.extension()
            .is_some_and(|extension| extension == "json")
    });
    paths.retain(|path| {
        names.is_empty()
            || names
                .iter()
                .any(|name| path.file_stem().is_some_and(|stem| stem == *name))
    });
    paths.sort();
    let (mut pairs, mut wrong) = (0, 0);
    for path in paths {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut scenario: Scenario = serde_json::from_str(&fs::read_to_string(&path)?)
            .map_err(|error| format!("{name}: {error}"))?;
        for edit in &mut scenario.changes {
            let steps = builder
                .ask(&scenario.project, edit)
                .map_err(|error| format!("{name}, {}: {error}", edit.name))?;
            if check && steps != edit.steps {
                eprintln!(
                    "{name}: {}: BuildKit's answer is another one now",
                    edit.name
                );
                wrong += 1;
            }
            edit.steps = steps;
            pairs += 1;
            let outcome = scenario::check(&scenario.project, edit)?;
            for fault in outcome.disagreements.iter().chain(&outcome.wrong_causes) {
                eprintln!("{name}: {}: {fault}", edit.name);
                wrong += 1;
            }
        }
        if !check {
            write_record(&path, &scenario)?;
        }
    }
    println(&format!(
        "{pairs} changes asked about, {wrong} disagreements"
    ));
    if wrong == 0 {
        Ok(())
    } else {
        Err("the prediction and BuildKit disagree".into())
    }
}

#[expect(clippy::print_stdout, reason = "a task tells what it did")]
fn println(line: &str) {
    println!("{line}");
}
