//! `cargo xtask test`: every test of the three languages, and one line at the end.

use std::time::Instant;

use crate::Failure;
use crate::node::Node;
use crate::process::{Answer, cargo, watch};
use crate::python::Python;

/// How many checks passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    passed: usize,
    failed: usize,
}

impl Tally {
    /// One check that is not counted by a test runner.
    fn one(passed: bool) -> Self {
        Self {
            passed: usize::from(passed),
            failed: usize::from(!passed),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            passed: self.passed + other.passed,
            failed: self.failed + other.failed,
        }
    }

    /// What a runner counted. A runner that fails without a failed test (it did not compile, a file could not be collected) or that
    /// ran nothing counts as one failure.
    fn of(answer: &Answer, count: impl Fn(&str) -> Self) -> Self {
        let counted = answer
            .stdout
            .lines()
            .map(count)
            .fold(Self::default(), Self::plus);
        let silent = counted.failed == 0 && !answer.success || counted == Self::default();
        counted.plus(Self {
            passed: 0,
            failed: usize::from(silent),
        })
    }
}

/// Runs everything, to the end even where something fails.
#[expect(clippy::print_stdout, reason = "the one line that the task is run for")]
pub(crate) fn run() -> Result<(), Failure> {
    let start = Instant::now();
    let parts = [("Rust", rust()?), ("Python", python()), ("Node", node())];
    let all = parts
        .iter()
        .fold(Tally::default(), |sum, (_, tally)| sum.plus(*tally));
    for (name, tally) in parts {
        eprintln!(
            "    {name}: {} passed, {} failed",
            tally.passed, tally.failed
        );
    }
    eprintln!("    {:.0} s", start.elapsed().as_secs_f64());
    println!("{} passed, {} failed", all.passed, all.failed);
    if all.failed == 0 {
        Ok(())
    } else {
        Err("not every test passed".into())
    }
}

fn rust() -> Result<Tally, Failure> {
    let answer = watch("Rust: tests", cargo().args(["test", "--no-fail-fast"]))?;
    Ok(Tally::of(&answer, count_cargo))
}

fn python() -> Tally {
    let run = || -> Result<Tally, Failure> {
        let python = Python::build()?;
        let tests = watch(
            "Python: tests",
            python.module("pytest").args(["-q", "--color=no"]),
        )?;
        let stub = watch(
            "Python: stub",
            python.module("mypy.stubtest").arg("stagewright"),
        )?;
        Ok(Tally::of(&tests, count_pytest).plus(Tally::one(stub.success)))
    };
    run().unwrap_or_else(|error| failed(&error))
}

fn node() -> Tally {
    let run = || -> Result<Tally, Failure> {
        let node = Node::build()?;
        if !node.types_are_fresh {
            eprintln!(
                "bindings/node/index.d.ts was not what the build makes; it is now: commit it"
            );
        }
        let tests = watch(
            "Node: tests",
            node.command()
                .args(["--test", "--test-reporter=spec", "__test__"]),
        )?;
        Ok(Tally::of(&tests, count_node).plus(Tally::one(node.types_are_fresh)))
    };
    run().unwrap_or_else(|error| failed(&error))
}

/// Another language's tests run all the same.
fn failed(error: &Failure) -> Tally {
    eprintln!("{error}");
    Tally::one(false)
}

/// `test result: ok. 12 passed; 0 failed; 0 ignored; …`
fn count_cargo(line: &str) -> Tally {
    let Some(rest) = line.strip_prefix("test result: ") else {
        return Tally::default();
    };
    Tally {
        passed: number_before(rest, " passed"),
        failed: number_before(rest, " failed"),
    }
}

/// `1 failed, 12 passed, 2 errors in 0.34s`
fn count_pytest(line: &str) -> Tally {
    if !line.contains(" in ") || !line.trim_end_matches(" =").ends_with('s') {
        return Tally::default();
    }
    Tally {
        passed: number_before(line, " passed"),
        failed: number_before(line, " failed") + number_before(line, " error"),
    }
}

/// `ℹ pass 12`, `ℹ fail 1`, `ℹ cancelled 0`
fn count_node(line: &str) -> Tally {
    let number = |name: &str| {
        let rest = line
            .strip_prefix("ℹ ")
            .and_then(|rest| rest.strip_prefix(name));
        rest.and_then(|rest| rest.trim().parse().ok()).unwrap_or(0)
    };
    Tally {
        passed: number("pass "),
        failed: number("fail ") + number("cancelled "),
    }
}

/// The whole number that stands right before a word; 0 where there is none.
fn number_before(line: &str, word: &str) -> usize {
    let Some(end) = line.find(word) else { return 0 };
    let digits = line[..end]
        .bytes()
        .rev()
        .take_while(u8::is_ascii_digit)
        .count();
    line[end - digits..end].parse().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: usize, failed: usize) -> Tally {
        Tally { passed, failed }
    }

    fn answer(stdout: &str, success: bool) -> Answer {
        Answer {
            stdout: stdout.into(),
            success,
        }
    }

    #[test]
    fn runners_are_counted() {
        let cargo = "test a ... ok\ntest result: ok. 3 passed; 0 failed; 0 ignored\n\ntest result: FAILED. 4 passed; 2 failed; 1 ignored\n";
        assert_eq!(Tally::of(&answer(cargo, false), count_cargo), tally(7, 2));
        let pytest = "..F\nE  3 passed\n1 failed, 12 passed, 2 errors in 0.34s\n";
        assert_eq!(
            Tally::of(&answer(pytest, false), count_pytest),
            tally(12, 3)
        );
        let node = "✔ reads (1ms)\nℹ tests 5\nℹ pass 3\nℹ fail 1\nℹ cancelled 1\n";
        assert_eq!(Tally::of(&answer(node, false), count_node), tally(3, 2));
    }

    #[test]
    fn a_runner_that_breaks_or_runs_nothing_is_a_failure() {
        assert_eq!(
            Tally::of(&answer("error: could not compile\n", false), count_cargo),
            tally(0, 1)
        );
        assert_eq!(
            Tally::of(
                &answer("test result: ok. 3 passed; 0 failed\n", false),
                count_cargo
            ),
            tally(3, 1)
        );
        assert_eq!(
            Tally::of(&answer("no tests ran in 0.01s\n", true), count_pytest),
            tally(0, 1)
        );
        assert_eq!(
            Tally::of(
                &answer("test result: ok. 3 passed; 0 failed\n", true),
                count_cargo
            ),
            tally(3, 0)
        );
    }
}
