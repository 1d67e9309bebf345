//! `cargo xtask real peers`: builds and starts what other tools made of the sample projects, as `real optimize` does with ours.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use stagewright_syntax::{Dockerfile, Keyword};
use stagewright_tests::peers::{Image, Kind, Made, Record, Tool};
use stagewright_tests::proof::{self, Variant};

use super::optimize::{self, Asked};
use crate::Failure;
use crate::process::root;

const HOW: [&str; 7] = [
    "Made by `benches/peers/run.py OUT` and `cargo xtask real peers OUT` as `optimize.json` was: see there for the builder, the bases and what `bytes` are.",
    "A tool that changes nothing but comments, empty lines and EXPOSE has the naive image of `optimize.json`; a project without `dockerfile` was refused by the tool.",
    "Generators write for one language: dockseed for Python, flydotio (`@flydotio/dockerfile`) for Node.js. nixpacks builds on an image of its own (`missing`), with packages of nix: neither could be had.",
    "Lines `# syntax=…` were not followed: the builder's own frontend, BuildKit v0.32.2, read every file.",
    "An image whose application does not answer at the first port that its file exposes was asked at that of the naive file too (`exposes_other`).",
    "`stand_ins`: `nginx:alpine-slim` is a Debian with nginx-light, `uv` the program of the package index, `-pip25` has the pip that the naive build had, `-ca` and `-corepack` name certificates and the registry to what does not ask the system.",
    "Every base has the apt configuration of the official images; the naive builds of express-native, fastapi-chown, flask-editable, starlette-uv and streamlit-requirements had not, and keep 20 MB more of apt's lists. The base of flask-article carries pip 22.0.4 and no wheel; the naive build of it had another pip.",
];

fn record_path() -> PathBuf {
    root().join("tests/real/peers.json")
}

/// Builds what stands in the folder that `benches/peers/run.py` wrote, and writes the record.
pub(super) fn run(words: &[&str]) -> Result<(), Failure> {
    let mut record: Record = super::read_record(&record_path())?;
    let mut ours = optimize::record()?;
    let (out, rest) = match words {
        ["--summary"] => return summary(&record, &ours),
        ["--lint", hadolint] => return lint(record, hadolint),
        [out, rest @ ..] => (Path::new(out), rest),
        [] => return Err("in which folder has `benches/peers/run.py` written?".into()),
    };
    let Asked {
        names,
        variants,
        stale,
        ..
    } = optimize::arguments(rest, &mut ours)?;
    record.tools = serde_json::from_str(&fs::read_to_string(out.join("tools.json"))?)?;
    let scratch = std::env::temp_dir().join(format!("stagewright-peers-{}", std::process::id()));
    let naive = ours.builds.iter();
    for naive in naive.filter(|build| build.variant.name == "naive") {
        if !names.is_empty() && !names.contains(&naive.project) {
            continue;
        }
        for Tool { name: tool, .. } in record.tools.clone() {
            if !variants.is_empty() && !variants.contains(&tool) {
                continue;
            }
            let folder = out.join(&naive.project).join(&tool);
            let words = folder.with_extension("txt");
            if !folder.is_dir() && !words.is_file() {
                // It is not for this language.
                continue;
            }
            let mut made = Made {
                project: naive.project.clone(),
                tool: tool.clone(),
                dockerfile: fs::read_to_string(folder.join("Dockerfile")).ok(),
                stand_ins: BTreeMap::new(),
                missing: None,
                fault: None,
                image: None,
                hadolint: None,
            };
            let same = |other: &Made| other.project == made.project && other.tool == made.tool;
            let known = record.made.iter().position(same);
            if stale && known.is_some_and(|at| record.made[at].dockerfile == made.dockerfile) {
                continue;
            }
            match &made.dockerfile {
                None => made.fault = Some(reason(&fs::read_to_string(&words)?)),
                Some(text) if builds(text) == builds(&naive.variant.dockerfile) => {
                    made.image = Some(naive.into());
                }
                Some(text) => {
                    eprintln!("==> {} {tool}", made.project);
                    let variant = Variant {
                        name: tool.clone(),
                        dockerfile: text.clone(),
                        ..Variant::default()
                    };
                    let known = proof::predict(&root().join("tests/projects").join(&made.project))?;
                    let stand_ins = &ours.stand_ins;
                    let port = known.port();
                    match optimize::build(&folder, variant, stand_ins, &scratch, None, port) {
                        Ok(done) => {
                            let mut image = Image::from(&done.built);
                            image.exposes_other = done.exposes_other;
                            made.fault = (!image.check).then(|| reason(of_container(&done.said)));
                            made.image = Some(image);
                            made.stand_ins = done.built.stand_ins;
                        }
                        Err(error) => {
                            let said = error.to_string();
                            made.missing = missing(&said);
                            made.fault = made.missing.is_none().then(|| reason(&said));
                        }
                    }
                    fs::remove_dir_all(&scratch)?;
                }
            }
            super::println(&format!(
                "{} {tool}: {:?} {}",
                made.project,
                made.image,
                made.fault
                    .as_ref()
                    .or(made.missing.as_ref())
                    .map_or("", String::as_str)
            ));
            match known {
                Some(at) => record.made[at] = made,
                None => record.made.push(made),
            }
            // What took minutes is not lost where a later build fails.
            write(&mut record)?;
        }
    }
    summary(&record, &ours)
}

/// What of a file makes layers: its instructions without comments and empty lines, whole where they have heredocs, and without the ports.
fn builds(dockerfile: &str) -> Vec<String> {
    let file = Dockerfile::parse(dockerfile);
    let instructions = file
        .instructions()
        .filter(|one| one.keyword() != Keyword::Expose);
    let lines = instructions.map(|one| {
        if one.heredocs().is_empty() {
            one.original().into_owned()
        } else {
            let span = one.span();
            dockerfile[span.range()].to_owned()
        }
    });
    lines.collect()
}

fn write(record: &mut Record) -> Result<(), Failure> {
    record.schema = 1;
    record.how = HOW.map(str::to_owned).to_vec();
    record.date = super::today()?;
    let tools = &record.tools;
    let rank = |made: &Made| tools.iter().position(|tool| tool.name == made.tool);
    record
        .made
        .sort_by(|a, b| (&a.project, rank(a)).cmp(&(&b.project, rank(b))));
    super::write_record(&record_path(), record)
}

/// What a container said, without the end of a check that nothing answered; all where it said nothing.
fn of_container(said: &str) -> &str {
    let at = said.find("urllib/request.py").unwrap_or(said.len());
    let start = said[..at].rfind("Traceback").unwrap_or(at);
    let own = said[..start].trim();
    if own.is_empty() { said } else { own }
}

/// The line that says what went wrong: the first wrong answer, the first that names an error, or the last.
fn reason(text: &str) -> String {
    let mut lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.retain(|line| !line.is_empty());
    let first = |found: fn(&str) -> bool| lines.iter().find(|line| found(line));
    let line = first(|line| line.starts_with("WRONG"))
        .or_else(|| first(|line| line.split_once(':').is_some_and(|(kind, _)| is_error(kind))))
        .or_else(|| first(|line| line.to_lowercase().contains("error")))
        .or(lines.last())
        .copied()
        .unwrap_or_default();
    let message = line.split_once(" msg=");
    message.map_or(line, |(_, message)| message).to_owned()
}

/// Whether a word is the name of an error: `error`, `ModuleNotFoundError`.
fn is_error(word: &str) -> bool {
    word.to_lowercase().ends_with("error") && word.chars().all(char::is_alphanumeric)
}

/// The image that a build asked for in vain.
fn missing(said: &str) -> Option<String> {
    let (start, _) = said.split_once(": failed to resolve source metadata for ")?;
    start.rsplit(' ').next().map(str::to_owned)
}

/// Asks hadolint what it finds in each file.
fn lint(mut record: Record, hadolint: &str) -> Result<(), Failure> {
    for made in &mut record.made {
        if let Some(dockerfile) = &made.dockerfile {
            made.hadolint = Some(optimize::hadolint(hadolint, dockerfile)?);
        }
    }
    write(&mut record)
}

/// A row of a table for each tool, and one for stagewright on the same projects.
fn summary(record: &Record, ours: &proof::Record) -> Result<(), Failure> {
    super::println(
        "| tool | files | work | smaller (median of those that work) | larger | an edit installs again | kinds of hadolint's findings, before and after |",
    );
    super::println("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
    let mut ahead = Vec::new();
    for tool in &record.tools {
        let found = record
            .compare(tool, ours)
            .ok_or_else(|| format!("an image of `{}` has a base of unknown size", tool.name))?;
        let us = match tool.kind {
            Kind::Rewrites => "stagewright `optimize`, `safe`",
            Kind::Generates => "stagewright `generate`",
        };
        let names = [
            format!("{} {}", tool.name, tool.version),
            format!("**{us}**, the same"),
        ];
        for (at, name) in names.iter().enumerate() {
            super::println(&format!(
                "| {name} | {} | {} of {} | {} | {} | {} | {}, {} |",
                found.written,
                found.works[at],
                found.built,
                found.smaller[at]
                    .map_or_else(String::new, |share| format!("{:.1} %", share * 100.0)),
                found.larger[at],
                found.installs_again[at],
                found.hadolint[0],
                found.hadolint[1 + at]
            ));
        }
        for (project, [theirs, own]) in found.ahead {
            ahead.push(format!(
                "{} has the smaller image of {project}: {:.1} MB, ours {:.1} MB",
                tool.name,
                theirs / 1e6,
                own / 1e6
            ));
        }
    }
    super::println(&ahead.join("\n"));
    Ok(())
}
