//! `cargo xtask oracle [--mutants N] [--seed N] [FILE | FOLDER …]`: holds our answers against BuildKit's own code.
//!
//! It builds the Go module in `tests/oracle`, asks it and us the same questions, and prints every difference: verdict,
//! message, line and dump of each file, BuildKit's own test vectors, and the expansion of words.

use crate::Failure;
use serde_json::{Value, json};
use stagewright::report::BuildkitReport;
use stagewright_syntax::Dockerfile;
use stagewright_syntax::expand::Expander;
use stagewright_tests::corpus;
use stagewright_tests::mutate::{Random, mutate};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Differences that are printed in full; the rest is counted.
const SHOWN: usize = 20;

/// Compares; fails if there is a difference.
pub(crate) fn run(arguments: &[&str]) -> Result<(), Failure> {
    let (mut mutants, mut seed): (u64, u64) = (0, 1);
    let mut roots: Vec<PathBuf> = Vec::new();
    let mut rest = arguments.iter();
    while let Some(&argument) = rest.next() {
        if let "--mutants" | "--seed" = argument {
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
        vectors(&oracle, &mut report)?;
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
    compare(&oracle, &texts, &mut report, |index| {
        files[index].0.display().to_string()
    })?;
    report.section("files");
    if mutants > 0 {
        mutated(&oracle, &texts, mutants, Random::new(seed), &mut report)?;
    }
    report.finish()
}

struct Oracle {
    program: PathBuf,
    folder: PathBuf,
}

impl Oracle {
    fn build() -> Result<Self, Failure> {
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

/// Our answer in the oracle's form.
fn ours(text: &str) -> Value {
    json!(BuildkitReport::new("", &Dockerfile::parse(text)))
}

fn compare(
    oracle: &Oracle,
    texts: &[&str],
    report: &mut Report,
    name: impl Fn(usize) -> String,
) -> Result<(), Failure> {
    let answers = oracle.ask("texts", texts.iter().map(|text| json!(text)))?;
    if answers.len() != texts.len() {
        return Err(format!("{} answers to {} questions", answers.len(), texts.len()).into());
    }
    for (index, theirs) in answers.iter().enumerate() {
        let ours = ours(texts[index]);
        let fields = ["ok", "error", "line", "dump"];
        let different: Vec<&str> = fields
            .into_iter()
            .filter(|field| !is_same(&ours[*field], &theirs[*field]))
            .collect();
        report.count(different.is_empty(), || {
            let say = |field: &&str| {
                format!(
                    "\n  BuildKit {field}: {}\n  ours     {field}: {}",
                    theirs[*field], ours[*field]
                )
            };
            let details: String = different.iter().map(say).collect();
            let lines = format!("{}: {}{details}", name(index), different.join(", "));
            (lines, texts[index].to_owned())
        });
    }
    Ok(())
}

/// Of two names equally near to a wrong one BuildKit suggests one by chance (it goes through a Go map).
fn is_same(ours: &Value, theirs: &Value) -> bool {
    if ours == theirs {
        return true;
    }
    let (Some(ours), Some(theirs)) = (ours.as_str(), theirs.as_str()) else {
        return false;
    };
    let stem = |message: &str| {
        message
            .split_once(" (did you mean ")
            .map(|(stem, _)| stem.to_owned())
    };
    stem(ours).is_some() && stem(ours) == stem(theirs)
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
        let batch: Vec<String> = (0..2_000.min(count - done))
            .map(|_| {
                let (text, other) = (*random.pick(&small), *random.pick(&small));
                mutate(text, other, &mut random)
            })
            .collect();
        let batch: Vec<&str> = batch.iter().map(String::as_str).collect();
        compare(oracle, &batch, report, |index| {
            format!("mutant {}", done + index as u64)
        })?;
        done += batch.len() as u64;
    }
    report.section("mutants");
    words(oracle, count, &mut random, report)
}

/// Pieces of words with variables.
const WORD_PIECES: &[&str] = &[
    "$", "${", "}", "a", "b", "X", "Y", "Z", "_", "1", "0", ":", "-", "+", "?", "#", "%", "/",
    "//", "##", "%%", "*", "\\", "`", "'", "\"", " ", "<<", "<", ":-", ":+", ":?", "@", "!",
    "${X}", "$Y", "${Z:-", "${X#", "${Y%%", "${X/", "한", "é", ".", "\\*", "$0", "$$", "\t", "=",
    "\u{feff}", "٣", "²",
];

fn words(
    oracle: &Oracle,
    count: u64,
    random: &mut Random,
    report: &mut Report,
) -> Result<(), Failure> {
    let env = [
        ("X", "a.b.c/a*b"),
        ("Y", ""),
        ("a", "one two"),
        ("b", "$X `\\\""),
        ("_1", "line\nline"),
    ];
    let questions: Vec<(String, char)> = (0..count)
        .map(|_| {
            let len = 1 + random.below(9);
            let text = (0..len).map(|_| *random.pick(WORD_PIECES)).collect();
            (text, *random.pick(&['\\', '`']))
        })
        .collect();
    expansions(oracle, &questions, &env, report)?;
    report.section("words");
    Ok(())
}

fn expansions(
    oracle: &Oracle,
    questions: &[(String, char)],
    env: &[(&str, &str)],
    report: &mut Report,
) -> Result<(), Failure> {
    let pairs: Vec<String> = env
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let asked = questions
        .iter()
        .map(|(text, escape)| json!({"text": text, "env": pairs, "escape": escape.to_string()}));
    let answers = oracle.ask("words", asked)?;
    for ((text, escape), theirs) in questions.iter().zip(&answers) {
        let ours = expanded(text, *escape, env);
        report.count(ours == *theirs, || {
            (
                format!("{text:?} with escape {escape}\n  BuildKit: {theirs}\n  ours:     {ours}"),
                text.clone(),
            )
        });
    }
    Ok(())
}

/// Our expansion in the oracle's form.
fn expanded(text: &str, escape: char, env: &[(&str, &str)]) -> Value {
    let expander = Expander::new(escape);
    let sorted = |mut names: Vec<String>| {
        names.sort();
        // Go prints an empty list of keys as null.
        if names.is_empty() {
            Value::Null
        } else {
            json!(names)
        }
    };
    let (word, word_error, matched, unmatched) = match expander.word(text, env) {
        Ok(found) => (
            found.value,
            None,
            sorted(found.matched),
            sorted(found.unmatched),
        ),
        Err(error) => (
            String::new(),
            Some(error.message().to_owned()),
            Value::Null,
            Value::Null,
        ),
    };
    let (words, words_error) = match expander.words(text, env) {
        Ok(words) if words.is_empty() => (Value::Null, None),
        Ok(words) => (json!(words), None),
        Err(error) => (Value::Null, Some(error.message().to_owned())),
    };
    json!({
        "word": word, "word_error": word_error, "matched": matched, "unmatched": unmatched,
        "words": words, "words_error": words_error,
    })
}

/// BuildKit's own test data.
fn vectors(oracle: &Oracle, report: &mut Report) -> Result<(), Failure> {
    let vectors = oracle.ask("vectors", std::iter::empty())?;
    let texts: Vec<&str> = vectors
        .iter()
        .filter_map(|vector| vector["dockerfile"].as_str())
        .collect();
    compare(oracle, &texts, report, |index| {
        format!("vector {}", vectors[index]["name"])
    })?;
    for vector in vectors.iter().filter(|vector| vector["want"].is_string()) {
        let text = vector["dockerfile"].as_str().unwrap_or_default();
        let dump = Dockerfile::parse(text).buildkit_dump();
        report.count(dump.as_deref() == vector["want"].as_str(), || {
            (
                format!(
                    "dump of vector {}\n  wanted {}\n  ours   {dump:?}",
                    vector["name"], vector["want"]
                ),
                text.to_owned(),
            )
        });
    }
    report.section("vectors of Dockerfiles");
    let mut questions = Vec::new();
    for vector in vectors.iter().filter(|vector| vector["text"].is_string()) {
        let env = vector["env"].as_array().cloned().unwrap_or_default();
        let text = vector["text"].as_str().unwrap_or_default().to_owned();
        questions.push((env, text));
    }
    for (env, text) in questions {
        let env: Vec<(&str, &str)> = env
            .iter()
            .filter_map(|pair| pair.as_str()?.split_once('='))
            .collect();
        expansions(oracle, &[(text, '\\')], &env, report)?;
    }
    report.section("vectors of words");
    Ok(())
}

#[derive(Default)]
struct Report {
    asked: usize,
    different: usize,
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
        println!("{name}: {} asked, {} different", self.asked, self.different);
        self.total += self.different;
        (self.asked, self.different) = (0, 0);
    }

    fn finish(self) -> Result<(), Failure> {
        match self.total {
            0 => Ok(()),
            count => Err(format!("{count} answers differ from BuildKit's").into()),
        }
    }
}
