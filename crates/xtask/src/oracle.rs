//! `cargo xtask oracle [--record] [--mutants N] [--seed N] [FILE | FOLDER …]`: holds our answers against BuildKit's own code.
//!
//! It builds the Go module in `tests/oracle`, asks it and us the same questions, and prints every difference. Without files it asks what
//! BuildKit's own tests ask, table by table; `--record` keeps those answers for ordinary tests. Of files and of mutants of them it compares
//! verdict, message, line, dump, places and every instruction with its parts, and the configuration of the image that they make.

use crate::Failure;
use serde_json::{Value, json};
use stagewright_tests::mutate::{Random, mutate};
use stagewright_tests::{buildkit, corpus};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Differences of one table that are printed in full; the rest is counted.
const SHOWN: usize = 10;

/// Compares; fails if there is a difference.
pub(crate) fn run(arguments: &[&str]) -> Result<(), Failure> {
    let (mut mutants, mut seed, mut record): (u64, u64, bool) = (0, 1, false);
    let mut roots: Vec<PathBuf> = Vec::new();
    let mut rest = arguments.iter();
    while let Some(&argument) = rest.next() {
        if argument == "--record" {
            record = true;
        } else if let "--mutants" | "--seed" = argument {
            let text = rest
                .next()
                .ok_or_else(|| format!("{argument} needs a number"))?;
            let number = text.parse().map_err(|_| format!("`{text}` is no number"))?;
            *(if argument == "--seed" {
                &mut seed
            } else {
                &mut mutants
            }) = number;
        } else {
            roots.push(argument.into());
        }
    }
    let oracle = Oracle::build()?;
    let mut report = Report::default();
    if roots.is_empty() {
        tables(&oracle, record, &mut report)?;
        roots.extend(std::env::var_os(corpus::VARIABLE).map(PathBuf::from));
    }
    let files: Vec<_> = roots.iter().flat_map(|root| corpus::read(root)).collect();
    if files.is_empty() && mutants > 0 {
        return Err(format!(
            "mutants need files: name a folder, or set {}",
            corpus::VARIABLE
        )
        .into());
    }
    let texts: Vec<&str> = files.iter().map(|(_, text)| text.as_str()).collect();
    let questions: Vec<Value> = texts.iter().map(|text| json!(text)).collect();
    compare(&oracle, "text", &questions, &mut report, |index| {
        files[index].0.display().to_string()
    })?;
    report.section("files");
    let questions: Vec<Value> = texts.iter().map(|text| json!({"text": text})).collect();
    compare(&oracle, "image", &questions, &mut report, |index| {
        files[index].0.display().to_string()
    })?;
    report.section("images of the files");
    if mutants > 0 {
        mutated(&oracle, &texts, mutants, Random::new(seed), &mut report)?;
    }
    report.finish()
}

/// The Go module, built.
pub(crate) struct Oracle {
    program: PathBuf,
    folder: PathBuf,
}

impl Oracle {
    pub(crate) fn build() -> Result<Self, Failure> {
        let module = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle");
        let folder = std::env::current_exe()?
            .parent()
            .map_or_else(PathBuf::new, Path::to_path_buf);
        let program = folder.join("oracle");
        let built = Command::new("go")
            .args(["build", "-o"])
            .arg(&program)
            .arg(".")
            .current_dir(&module)
            .status()
            .map_err(|error| format!("cannot run `go`: {error}"))?;
        if !built.success() {
            return Err("the oracle could not be built".into());
        }
        Ok(Self { program, folder })
    }

    pub(crate) fn program(&self) -> &Path {
        &self.program
    }

    /// Asks one question a line, gives one answer a line.
    fn ask(
        &self,
        verb: &str,
        questions: impl Iterator<Item = Value>,
    ) -> Result<Vec<Value>, Failure> {
        let path = self.folder.join("oracle-questions.jsonl");
        let mut out = BufWriter::new(File::create(&path)?);
        for question in questions {
            writeln!(out, "{question}")?;
        }
        out.into_inner()?.sync_all()?;
        let mut child = Command::new(&self.program)
            .arg(verb)
            .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/oracle"))
            .stdin(File::open(&path)?)
            .stdout(Stdio::piped())
            .spawn()?;
        let stdout = child.stdout.take().ok_or("the oracle has no output")?;
        let mut answers = Vec::new();
        for line in BufReader::new(stdout).lines() {
            answers.push(serde_json::from_str(&line?)?);
        }
        let status = child.wait()?;
        fs::remove_file(&path)?;
        if status.success() {
            Ok(answers)
        } else {
            Err(format!("the oracle ended with {status}").into())
        }
    }
}

/// Asks BuildKit and us the same questions of a kind.
fn compare(
    oracle: &Oracle,
    kind: &str,
    questions: &[Value],
    report: &mut Report,
    name: impl Fn(usize) -> String,
) -> Result<Vec<Value>, Failure> {
    let asked = questions
        .iter()
        .map(|question| json!({"kind": kind, "question": question}));
    let answers = oracle.ask("ask", asked)?;
    if answers.len() != questions.len() {
        return Err(format!("{} answers to {} questions", answers.len(), questions.len()).into());
    }
    for (index, theirs) in answers.iter().enumerate() {
        let ours = buildkit::answer(kind, &questions[index]);
        let different = buildkit::differences(kind, &ours, theirs);
        if !different.is_empty() && buildkit::is_known(kind, &different, theirs) {
            report.known += 1;
            continue;
        }
        report.count(different.is_empty(), || {
            let say = |field: &String| {
                let part = |value: &Value| value.get(field).unwrap_or(value).to_string();
                format!(
                    "\n  BuildKit {field}: {}\n  ours     {field}: {}",
                    part(theirs),
                    part(&ours)
                )
            };
            let details: String = different.iter().map(say).collect();
            let lines = format!("{}: {}{details}", name(index), different.join(", "));
            (lines, questions[index].to_string())
        });
    }
    Ok(answers)
}

fn mutated(
    oracle: &Oracle,
    texts: &[&str],
    count: u64,
    mut random: Random,
    report: &mut Report,
) -> Result<(), Failure> {
    // Big files make slow questions and no better ones.
    let small: Vec<&str> = texts
        .iter()
        .copied()
        .filter(|text| text.len() < 6_000)
        .collect();
    let mut done = 0;
    while done < count {
        let batch: Vec<Value> = (0..2_000.min(count - done))
            .map(|_| {
                let (text, other) = (*random.pick(&small), *random.pick(&small));
                json!(mutate(text, other, &mut random))
            })
            .collect();
        compare(oracle, "text", &batch, report, |index| {
            format!("mutant {}", done + index as u64)
        })?;
        done += batch.len() as u64;
    }
    report.section("mutants");
    let questions: Vec<Value> = (0..count / 10)
        .map(|_| {
            let (text, other) = (*random.pick(&small), *random.pick(&small));
            json!({"text": mutate(text, other, &mut random)})
        })
        .collect();
    compare(oracle, "image", &questions, report, |index| {
        format!("image of mutant {index}")
    })?;
    report.section("images of mutants");
    words(oracle, count, &mut random, report)
}

/// Pieces of words with variables.
const WORD_PIECES: &[&str] = &[
    "$", "${", "}", "a", "b", "X", "Y", "Z", "_", "1", "0", ":", "-", "+", "?", "#", "%", "/",
    "//", "##", "%%", "*", "\\", "`", "'", "\"", " ", "<<", "<", ":-", ":+", ":?", "@", "!",
    "${X}", "$Y", "${Z:-", "${X#", "${Y%%", "${X/", "한", "é", ".", "\\*", "$0", "$$", "\t", "=",
    "\u{feff}", "٣", "²",
];

/// What sources of ADD begin with.
const SOURCE_STARTS: &[&str] = &[
    "https://a.b/c.git",
    "http://u:p@a.b:80/c.git",
    "git@a.b:c",
    "ssh://u@[::1]:22/~/c",
    "git://a",
    "github.com/a/b",
    "HTTPS://a.b/c.git",
    "https://a.b/c",
    "./a",
    "a/b",
    "",
    "x_-9@a-b.c:",
    "ftp://a/b.git",
];

/// Pieces of sources of ADD.
const SOURCE_PIECES: &[&str] = &[
    "?",
    "#",
    "&",
    "=",
    ":",
    "/",
    "@",
    ";",
    "%",
    "%2F",
    "%3a",
    "%2e",
    "%zz",
    "+",
    "tag",
    "ref",
    "branch",
    "commit",
    "checksum",
    "subdir",
    "submodules",
    "keep-git-dir",
    "mtime",
    "fetch-by-commit",
    "?tag=v1",
    "&ref=v1",
    "&subdir=/x",
    "=true",
    "=0",
    "=checkout",
    "refs/heads/x",
    "..",
    ".git",
    "x",
    "é",
    " ",
    "[",
    "]",
    "\\",
    "\"",
    "\n",
    "{",
    "|",
    "~",
    "^",
    "!$'()*,",
];

fn words(
    oracle: &Oracle,
    count: u64,
    random: &mut Random,
    report: &mut Report,
) -> Result<(), Failure> {
    let env = [
        "X=a.b.c/a*b",
        "Y=",
        "a=one two",
        "b=$X `\\\"",
        "_1=line\nline",
    ];
    let questions: Vec<Value> = (0..count)
        .map(|_| {
            let len = 1 + random.below(9);
            let text: String = (0..len).map(|_| *random.pick(WORD_PIECES)).collect();
            json!({"text": text, "env": env, "escape": random.pick(&["\\", "`"])})
        })
        .collect();
    compare(oracle, "word", &questions, report, |index| {
        format!("word {index}")
    })?;
    report.section("words");
    let questions: Vec<Value> = (0..count)
        .map(|_| {
            let len = 1 + random.below(9);
            let start = *random.pick(SOURCE_STARTS);
            let rest: String = (0..len).map(|_| *random.pick(SOURCE_PIECES)).collect();
            json!(format!("{start}{rest}"))
        })
        .collect();
    compare(oracle, "source", &questions, report, |index| {
        format!("source {index}")
    })?;
    report.section("sources of ADD");
    Ok(())
}

/// The questions that BuildKit's own tests ask, table by table; with `record`, the answers become the data of ordinary tests.
fn tables(oracle: &Oracle, record: bool, report: &mut Report) -> Result<(), Failure> {
    let rows = oracle.ask("tables", std::iter::empty())?;
    let name = |row: &Value| row["table"].as_str().unwrap_or_default().to_owned();
    let mut recorded = Vec::new();
    for rows in rows.chunk_by(|a, b| a["table"] == b["table"] && a["kind"] == b["kind"]) {
        let table = name(&rows[0]);
        let kind = rows[0]["kind"].as_str().unwrap_or_default();
        let questions: Vec<Value> = rows.iter().map(|row| row["question"].clone()).collect();
        let answers = compare(oracle, kind, &questions, report, |index| {
            format!("{table} {index}")
        })?;
        for (row, answer) in rows.iter().zip(&answers) {
            if let Some(wanted) = row["dump"].as_str() {
                report.count(answer["dump"] == wanted, || {
                    (
                        format!("{table}: the dump of BuildKit's test"),
                        row.to_string(),
                    )
                });
            }
        }
        report.section(&format!("{table} ({kind})"));
        recorded.push((table, kind.to_owned(), questions, answers));
    }
    if record {
        write(&recorded)?;
    }
    Ok(())
}

/// One line a question. The Dockerfiles of BuildKit's builds are asked for, but not kept: they are many.
fn write(tables: &[(String, String, Vec<Value>, Vec<Value>)]) -> Result<(), Failure> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/conformance/buildkit");
    fs::create_dir_all(&folder)?;
    let mut files: std::collections::BTreeMap<&str, String> = std::collections::BTreeMap::new();
    for (table, kind, questions, answers) in tables {
        let below = table.strip_prefix("frontend/dockerfile/");
        if below.is_some_and(|name| !name.contains('/')) {
            continue;
        }
        let file = files.entry(kind).or_default();
        for (question, answer) in questions.iter().zip(answers) {
            let row = json!({"table": table, "question": question, "answer": answer});
            file.push_str(&row.to_string());
            file.push('\n');
        }
    }
    for (kind, lines) in files {
        fs::write(folder.join(format!("{kind}.jsonl")), lines)?;
    }
    Ok(())
}

#[derive(Default)]
struct Report {
    asked: usize,
    different: usize,
    known: usize,
    total: usize,
    saved: usize,
}

#[expect(
    clippy::print_stdout,
    reason = "a task's report to the person who ran it"
)]
impl Report {
    fn count(&mut self, same: bool, say: impl FnOnce() -> (String, String)) {
        self.asked += 1;
        if same {
            return;
        }
        self.different += 1;
        if self.saved < SHOWN {
            let (lines, text) = say();
            println!("{lines}\n  text: {text:?}");
            self.saved += 1;
        }
    }

    fn section(&mut self, name: &str) {
        let known = match self.known {
            0 => String::new(),
            count => format!(", {count} in ways that ARCHITECTURE lists"),
        };
        println!(
            "{name}: {} asked, {} different{known}",
            self.asked + self.known,
            self.different
        );
        self.total += self.different;
        *self = Self {
            total: self.total,
            ..Self::default()
        };
    }

    fn finish(self) -> Result<(), Failure> {
        match self.total {
            0 => Ok(()),
            count => Err(format!("{count} answers differ from BuildKit's").into()),
        }
    }
}
