//! CMD and ENTRYPOINT as lists, so that the application is process 1 and gets its signals; every argument an element of its own.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::Script;
use stagewright_syntax::{Command, Span, View as Typed, write};

use super::{Pass, View};
use crate::proposal::{Applicability, Proposal};

pub(super) const PASS: Pass = Pass {
    name: "exec_form",
    mends: true,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    let mut changed = Vec::new();
    for instruction in &view.analysis.graph().target_stage().instructions {
        let Some(source) = view.source(instruction) else {
            continue;
        };
        let command = match source.view() {
            Typed::Cmd(cmd) => cmd.command,
            Typed::Entrypoint(entrypoint) => entrypoint.command,
            _ => continue,
        };
        let words = match &command {
            Command::Exec(words) => {
                let split: Vec<String> = words.iter().flat_map(|word| split_option(word)).collect();
                if split.len() == words.len() {
                    continue;
                }
                split
            }
            // With a SHELL of its own, the shell form means that shell.
            Command::Shell(text) if instruction.before.config.shell.is_empty() => {
                match plain_words(text) {
                    Some(words) => words,
                    None => continue,
                }
            }
            Command::Shell(_) => continue,
        };
        changed.push(
            instruction
                .text
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase(),
        );
        edits.replace(
            Span::new(view.arguments_start(&source), source.span().end),
            write::json_array(&words),
        )?;
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    changed.dedup();
    Ok(vec![Proposal {
        title: format!(
            "{} as a list, one argument an element",
            changed.join(" and ")
        ),
        applicability: Applicability::Safe,
        assumptions: vec!["the program reads an option and its value as two arguments".into()],
        warnings: Vec::new(),
        edits,
        dockerignore: None,
    }])
}

/// `"-w 4"` is one argument that some programs happen to read as an option with its value: `-w` and `4` are two.
fn split_option(word: &str) -> Vec<String> {
    let Some((option, value)) = word.split_once(' ') else {
        return vec![word.to_owned()];
    };
    let short =
        option.len() == 2 && option.starts_with('-') && option.as_bytes()[1].is_ascii_alphabetic();
    let long = option.len() > 2 && option.starts_with("--") && !option.contains('=');
    let value = value.trim();
    if (short || long) && !value.is_empty() && !value.contains(' ') {
        vec![option.to_owned(), value.to_owned()]
    } else {
        vec![word.to_owned()]
    }
}

/// The words of a script that is one command and needs no shell: no variables, patterns, redirects or assignments.
pub(super) fn plain_words(text: &str) -> Option<Vec<String>> {
    let script = Script::parse(text);
    let [command] = script.commands.as_slice() else {
        return None;
    };
    if !script.complete
        || !command.redirects.is_empty()
        || !command.assignments.is_empty()
        || command.background
        || command.words.is_empty()
    {
        return None;
    }
    let mut words: Vec<String> = command
        .words
        .iter()
        .map(|word| word.literal().map(std::borrow::Cow::into_owned))
        .collect::<Option<_>>()?;
    if words.first().is_some_and(|word| word == "exec") && words.len() > 1 {
        words.remove(0);
    }
    // Names that only a shell knows.
    let builtin = matches!(
        words[0].as_str(),
        "cd" | "source" | "." | "export" | "set" | "ulimit" | "umask" | "trap" | "eval" | ":"
    );
    (!builtin).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_option_and_its_value_are_two_arguments() {
        assert_eq!(split_option("-w 4"), ["-w", "4"]);
        assert_eq!(split_option("--bind :8000"), ["--bind", ":8000"]);
        for whole in [
            "main:app",
            "hello world",
            "-c import x; y",
            "--flag=a b",
            "-",
        ] {
            assert_eq!(split_option(whole), [whole]);
        }
    }

    #[test]
    fn only_plain_commands_need_no_shell() {
        assert_eq!(
            plain_words("python main.py --port 80"),
            Some(vec![
                "python".into(),
                "main.py".into(),
                "--port".into(),
                "80".into()
            ])
        );
        assert_eq!(
            plain_words("exec gunicorn 'main:app'"),
            Some(vec!["gunicorn".into(), "main:app".into()])
        );
        for script in [
            "a && b",
            "echo $HOME",
            "a > b",
            "X=1 a",
            "cd /x",
            "a *",
            "a &",
        ] {
            assert_eq!(plain_words(script), None, "{script}");
        }
    }
}
