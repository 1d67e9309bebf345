//! What is known of a script before it runs: the outcome of a test, the output of a few commands in `$(…)`.

use stagewright_syntax::shell::Script;

use crate::command::machine::glob;
use crate::command::{Invocation, Machine};
use crate::facts::Arch;

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Success,
    Failure,
    Unknown,
}

impl Outcome {
    pub(super) fn negated(self) -> Self {
        match self {
            Self::Success => Self::Failure,
            Self::Failure => Self::Success,
            Self::Unknown => Self::Unknown,
        }
    }

    fn known(value: bool) -> Self {
        if value { Self::Success } else { Self::Failure }
    }
}

/// The outcome of a command. What is no test succeeds: a build whose commands fail makes no image.
pub(super) fn of(invocation: &Invocation, machine: &Machine<'_>) -> Outcome {
    match invocation.program.as_str() {
        "false" => Outcome::Failure,
        "[" | "[[" => {
            let words = invocation
                .args
                .split_last()
                .map_or(&[][..], |(_, rest)| rest);
            test(words, machine, invocation.program == "[[")
        }
        "test" => test(&invocation.args, machine, false),
        "command" | "which" | "type" | "hash" | "grep" | "egrep" | "fgrep" | "getent" | "id"
        | "cmp" | "diff" => Outcome::Unknown,
        _ => Outcome::Success,
    }
}

fn test(words: &[Option<String>], machine: &Machine<'_>, double: bool) -> Outcome {
    let text = |word: &Option<String>| word.clone();
    match words {
        [Some(not), rest @ ..] if not == "!" => test(rest, machine, double).negated(),
        [one] => text(one).map_or(Outcome::Unknown, |one| Outcome::known(!one.is_empty())),
        [Some(operator), operand] => {
            let Some(operand) = text(operand) else {
                return Outcome::Unknown;
            };
            match operator.as_str() {
                "-z" => Outcome::known(operand.is_empty()),
                "-n" => Outcome::known(!operand.is_empty()),
                "-f" | "-d" | "-e" | "-s" | "-r"
                    if !operand.is_empty() && machine.tree.has(&machine.absolute(&operand)) =>
                {
                    Outcome::Success
                }
                _ => Outcome::Unknown,
            }
        }
        [left, Some(operator), right] => {
            let (Some(left), Some(right)) = (text(left), text(right)) else {
                return Outcome::Unknown;
            };
            match operator.as_str() {
                "=" | "==" if double && right.contains(['*', '?', '[']) => {
                    if right.contains('[') {
                        Outcome::Unknown
                    } else {
                        Outcome::known(glob(&right, &left))
                    }
                }
                "=" | "==" => Outcome::known(left == right),
                "!=" if !(double && right.contains(['*', '?', '['])) => {
                    Outcome::known(left != right)
                }
                _ => Outcome::Unknown,
            }
        }
        _ => Outcome::Unknown,
    }
}

/// What a script in `$(…)` prints, for those few whose answer the machine knows.
pub(super) fn output(script: &str, machine: &Machine<'_>) -> Option<String> {
    let script = Script::parse(script);
    let [command] = script.commands.as_slice() else {
        return None;
    };
    let words: Option<Vec<String>> = command
        .words
        .iter()
        .map(|word| word.expand(&|name| machine.variables.get(name).cloned()))
        .collect();
    let words = words?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let x86 = machine.arch == Arch::X86_64;
    let name = |amd, arm: &str| Some(if x86 { amd } else { arm }.to_owned());
    match words.as_slice() {
        ["pwd"] => Some(machine.cwd.clone()),
        ["uname", "-m"] | ["arch"] | ["apk", "--print-arch"] => name("x86_64", "aarch64"),
        ["uname"] | ["uname", "-s"] => Some("Linux".to_owned()),
        ["dpkg", "--print-architecture"] => name("amd64", "arm64"),
        ["echo", words @ ..] if !words.iter().any(|word| word.starts_with('-')) => {
            Some(words.join(" "))
        }
        ["basename", path] => Some(super::called::basename(path).to_owned()),
        ["dirname", path] => Some(
            path.rsplit_once('/')
                .map_or(".", |(folder, _)| folder)
                .to_owned(),
        ),
        // A folder of its own: its place in the script makes it so.
        ["mktemp", ..]
            if !words
                .iter()
                .any(|word| word.starts_with("-t") || word.starts_with("-p")) =>
        {
            Some(format!("/tmp/tmp.{}", command.span.end))
        }
        _ => None,
    }
}
