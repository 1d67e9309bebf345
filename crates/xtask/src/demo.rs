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
    #[serde(flatten)]
    bound: Bound,
}

/// What the article measured, in megabytes, and the largest deviation from it, as a share.
#[derive(Deserialize)]
#[serde(untagged)]
enum Bound {
    /// The image.
    Size { size: f64, within: f64 },
    /// Less than the rung before.
    Saves { saves: f64, within: f64 },
    /// The image, which it did not build.
    Below { below: f64 },
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
        None,
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
            Some(&rung.before),
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

/// The article's number, and how far ours is from it.
fn compare(
    article: &Article,
    before: Option<&Measure>,
    after: &Measure,
    missed: &mut Vec<String>,
) -> (String, String) {
    let saved = before.map_or(0.0, Measure::megabytes) - after.megabytes();
    let (theirs, shown, ours, within) = match article.bound {
        Bound::Size { size, within } => (size, format!("{size:.1} MB"), after.megabytes(), within),
        Bound::Saves { saves, within } => (saves, format!("−{saves:.1} MB"), saved, within),
        Bound::Below { below } => {
            if after.megabytes() >= below {
                missed.push(format!(
                    "{}: {:.1} MB, less than {below:.1} MB is the bound",
                    article.name,
                    after.megabytes()
                ));
            }
            return (format!("< {below:.0} MB"), String::new());
        }
    };
    let off = ours / theirs - 1.0;
    if off.abs() > within {
        missed.push(format!(
            "{}: {ours:.1} MB against {theirs:.1} MB is {:+.1} %, {:.0} % is the bound",
            article.name,
            off * 100.0,
            within * 100.0
        ));
    }
    (shown, format!("{:+.1} %", off * 100.0))
}

#[expect(clippy::print_stdout, reason = "what the task is run for")]
fn print_rung(
    title: &str,
    before: Option<&Measure>,
    measure: &Measure,
    compared: Option<(String, String)>,
) {
    let (theirs, off) = compared.unwrap_or_default();
    println!("\n{title}");
    println!(
        "{theirs:>9} {:>9} {off:>7}  {:>9} {:>9}  {}",
        bytes(measure.uncompressed.expected),
        bytes(measure.compressed.expected),
        bytes(measure.warm_pull),
        if measure.rebuilds.is_empty() {
            "nothing".to_owned()
        } else {
            measure.rebuilds.join(" · ")
        },
    );
    if let Some(before) = before {
        let gains = [
            (before.uncompressed.expected, measure.uncompressed.expected),
            (before.compressed.expected, measure.compressed.expected),
            (before.warm_pull, measure.warm_pull),
        ];
        let [size, cold, warm] = gains.map(|(before, after)| {
            if before > after {
                format!("−{}", bytes(before - after))
            } else {
                String::new()
            }
        });
        let line = format!("{:>9} {size:>9} {:>7}  {cold:>9} {warm:>9}", "", "");
        if !line.trim().is_empty() {
            println!("{}", line.trim_end());
        }
    }
}

/// Bytes with a decimal unit.
fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..99_950 => format!("{:.1} kB", megabytes(bytes) * 1e3),
        _ => format!("{:.1} MB", megabytes(bytes)),
    }
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

    fn article(bound: Bound) -> Article {
        Article {
            name: "a".into(),
            pass: None,
            bound,
        }
    }

    #[test]
    fn bounds_are_held_and_missed() {
        let mut missed = Vec::new();
        let image = || {
            article(Bound::Size {
                size: 100.0,
                within: 0.05,
            })
        };
        let saved = || {
            article(Bound::Saves {
                saves: 10.0,
                within: 0.05,
            })
        };
        let below = || article(Bound::Below { below: 70.0 });
        let before = measure(50_000_000);
        compare(&image(), None, &measure(104_000_000), &mut missed);
        compare(&saved(), Some(&before), &measure(40_400_000), &mut missed);
        compare(&below(), None, &measure(69_999_999), &mut missed);
        assert!(missed.is_empty(), "{missed:?}");
        compare(&image(), None, &measure(94_000_000), &mut missed);
        compare(&saved(), Some(&before), &measure(44_000_000), &mut missed);
        compare(&saved(), None, &measure(44_000_000), &mut missed);
        compare(&below(), None, &measure(70_000_000), &mut missed);
        assert_eq!(missed.len(), 4, "{missed:?}");
    }

    #[test]
    fn the_ladder_is_read() {
        let text = std::fs::read_to_string(root().join("tests/projects/flask-article.ladder.toml"))
            .expect("it is there");
        let ladder: Ladder = toml::from_str(&text).expect("it can be read");
        assert_eq!(ladder.rung.len(), 5);
        assert!(ladder.rung[0].pass.is_none());
    }

    #[test]
    fn bytes_with_units() {
        assert_eq!(
            [0, 1_700, 99_949, 149_000, 958_000_000].map(bytes),
            ["0 B", "1.7 kB", "99.9 kB", "0.1 MB", "958.0 MB"]
        );
    }
}
