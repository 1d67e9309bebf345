//! `cargo xtask demo`: the article's Flask application, optimised from the command, Rust, Python and Node, and what each rung wins.

use std::process::Command;

use serde::Deserialize;

use crate::Failure;
use crate::node::Node;
use crate::process::{capture, cargo, must, root};
use crate::python::Python;

/// What the article measured: `tests/projects/flask-article.ladder.toml`.
#[derive(Deserialize)]
struct Ladder {
    project: String,
    change: String,
    as_of: String,
    rung: Vec<Article>,
}

#[derive(Deserialize)]
struct Article {
    name: String,
    pass: Option<String>,
    /// Megabytes of the image.
    size: Option<f64>,
    /// Megabytes less than the rung before.
    saves: Option<f64>,
    /// The largest deviation, as a share.
    within: f64,
}

/// The answer of `optimize --json`, as far as it is shown.
#[derive(Deserialize)]
struct Answer {
    before: Measure,
    rungs: Vec<Rung>,
}

#[derive(Deserialize)]
struct Rung {
    pass: String,
    title: String,
    applicability: String,
    before: Measure,
    after: Measure,
}

#[derive(Deserialize)]
struct Measure {
    uncompressed: Range,
    compressed: Range,
    rebuilds: Vec<String>,
    warm_pull: u64,
}

#[derive(Deserialize)]
struct Range {
    expected: u64,
}

impl Measure {
    fn megabytes(&self) -> f64 {
        megabytes(self.uncompressed.expected)
    }
}

/// Builds what is needed, runs it and prints the ladder; fails where a bound is missed or two languages differ.
#[expect(clippy::print_stdout, reason = "what the task is run for")]
pub(crate) fn run() -> Result<(), Failure> {
    let text = std::fs::read_to_string(root().join("tests/projects/flask-article.ladder.toml"))?;
    let ladder: Ladder = toml::from_str(&text)?;
    let json = in_all_languages(&ladder)?;
    let answer: Answer = serde_json::from_str(&json)?;
    let mut missed = Vec::new();

    println!(
        "\n{:>9} {:>9} {:>7}  {:>9} {:>9}  what an edit of {} runs again",
        "article", "estimate", "off", "cold pull", "warm pull", ladder.change
    );
    let naive = ladder.rung.iter().find(|rung| rung.pass.is_none());
    print_rung(
        "as it is",
        &answer.before,
        naive.map(|article| compare(article, None, &answer.before, &mut missed)),
    );
    for rung in &answer.rungs {
        let article = ladder
            .rung
            .iter()
            .find(|article| article.pass.as_deref() == Some(&rung.pass));
        let compared =
            article.map(|article| compare(article, Some(&rung.before), &rung.after, &mut missed));
        print_rung(
            &format!("{} ({}, {})", rung.title, rung.pass, rung.applicability),
            &rung.after,
            compared,
        );
    }
    for article in &ladder.rung {
        if article
            .pass
            .as_ref()
            .is_some_and(|pass| !answer.rungs.iter().any(|rung| rung.pass == *pass))
        {
            missed.push(format!(
                "{}: the plan does not reach this rung",
                article.name
            ));
        }
    }
    println!();
    if missed.is_empty() {
        println!(
            "demo: the ladder of {} rungs, the same {} bytes from the command, Rust, Python and Node, every bound held",
            answer.rungs.len(),
            json.len()
        );
        return Ok(());
    }
    for bound in &missed {
        println!("MISSED {bound}");
    }
    Err(format!("demo: {} bounds were missed", missed.len()).into())
}

/// The same question to the four faces; their one answer.
fn in_all_languages(ladder: &Ladder) -> Result<String, Failure> {
    must(
        "command: building",
        cargo().args(["build", "--package", "stagewright-cli"]),
    )?;
    must(
        "Rust: building the example",
        cargo().args(["build", "--package", "stagewright", "--example", "optimize"]),
    )?;
    let python = Python::build()?;
    let node = Node::build()?;
    let project = root().join("tests/projects").join(&ladder.project);
    let ask = |command: &mut Command| {
        capture(command.arg(&project).arg(&ladder.as_of).arg(&ladder.change))
    };

    eprintln!("==> optimising {} four times", ladder.project);
    let mut command = cargo();
    command.args([
        "run",
        "--quiet",
        "--package",
        "stagewright-cli",
        "--",
        "optimize",
        "--json",
        "--applicability",
        "unsafe",
    ]);
    let answer = capture(command.arg(&project).args([
        "--as-of",
        &ladder.as_of,
        "--change",
        &ladder.change,
    ]))?;
    let others = [
        (
            "Rust",
            ask(cargo().args([
                "run",
                "--quiet",
                "--package",
                "stagewright",
                "--example",
                "optimize",
                "--",
            ]))?,
        ),
        (
            "Python",
            ask(python.interpreter().arg("examples/optimize.py"))?,
        ),
        ("Node", ask(node.command().arg("examples/optimize.mjs"))?),
    ];
    for (language, other) in others {
        if other != answer {
            let line = answer
                .lines()
                .zip(other.lines())
                .position(|(one, two)| one != two)
                .unwrap_or(0)
                + 1;
            return Err(format!(
                "{language} answers otherwise than the command, from line {line} of the JSON"
            )
            .into());
        }
    }
    Ok(answer)
}

/// The article's number and how far ours is from it.
fn compare(
    article: &Article,
    before: Option<&Measure>,
    after: &Measure,
    missed: &mut Vec<String>,
) -> (String, f64) {
    let (theirs, ours, sign) = match (article.size, article.saves, before) {
        (None, Some(saves), Some(before)) => (saves, before.megabytes() - after.megabytes(), "−"),
        (size, ..) => (size.unwrap_or(f64::NAN), after.megabytes(), ""),
    };
    let off = ours / theirs - 1.0;
    if off.is_nan() || off.abs() > article.within {
        missed.push(format!(
            "{}: {ours:.1} MB against {theirs:.1} MB is {:+.1} %, {:.0} % is the bound",
            article.name,
            off * 100.0,
            article.within * 100.0
        ));
    }
    (format!("{sign}{theirs:.1} MB"), off)
}

#[expect(clippy::print_stdout, reason = "what the task is run for")]
fn print_rung(title: &str, measure: &Measure, compared: Option<(String, f64)>) {
    let (theirs, off) = compared.map_or_else(Default::default, |(theirs, off)| {
        (theirs, format!("{:+.1} %", off * 100.0))
    });
    println!("\n{title}");
    println!(
        "{theirs:>9} {:>6.1} MB {off:>7}  {:>6.1} MB {:>6.1} MB  {}",
        measure.megabytes(),
        megabytes(measure.compressed.expected),
        megabytes(measure.warm_pull),
        if measure.rebuilds.is_empty() {
            "nothing".to_owned()
        } else {
            measure.rebuilds.join(" · ")
        },
    );
}

#[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measure(bytes: u64) -> Measure {
        Measure {
            uncompressed: Range { expected: bytes },
            compressed: Range { expected: 0 },
            rebuilds: Vec::new(),
            warm_pull: 0,
        }
    }

    fn article(size: Option<f64>, saves: Option<f64>) -> Article {
        Article {
            name: "a".into(),
            pass: None,
            size,
            saves,
            within: 0.05,
        }
    }

    #[test]
    fn bounds_are_held_and_missed() {
        let mut missed = Vec::new();
        compare(
            &article(Some(100.0), None),
            None,
            &measure(104_000_000),
            &mut missed,
        );
        compare(
            &article(None, Some(10.0)),
            Some(&measure(50_000_000)),
            &measure(40_400_000),
            &mut missed,
        );
        assert!(missed.is_empty(), "{missed:?}");
        compare(
            &article(Some(100.0), None),
            None,
            &measure(94_000_000),
            &mut missed,
        );
        compare(
            &article(None, Some(10.0)),
            Some(&measure(50_000_000)),
            &measure(44_000_000),
            &mut missed,
        );
        compare(&article(None, None), None, &measure(1), &mut missed);
        assert_eq!(missed.len(), 3, "{missed:?}");
    }
}
