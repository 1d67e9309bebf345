//! What the shell does with a script: conditions, variables, folders, redirections, and one model for each command.

use std::collections::BTreeSet;

use stagewright_syntax::Span;
use stagewright_syntax::shell::{Join, Script, SimpleCommand};

use crate::command::{self, Invocation, Machine};
use crate::kind;
use crate::ledger::Part;
use crate::size::{Basis, Size};

/// Runs the commands of a script in order. A command that runs only under a condition counts as "may run"; the right side of `||` is
/// what happens when things fail, and does not count.
pub(super) fn run(script: &Script<'_>, text: &str, machine: &mut Machine<'_>) {
    let mut folders: Vec<(usize, String)> = Vec::new();
    let mut programs = BTreeSet::new();
    let (mut tested, mut previous_is_test) = (false, false);
    for (index, command) in script.commands.iter().enumerate() {
        if command.join == Join::Or {
            continue;
        }
        // `cd` inside parentheses is over at the closing one.
        while folders
            .last()
            .is_some_and(|(subshell, _)| !command.subshells.contains(subshell))
        {
            if let Some((_, folder)) = folders.pop() {
                machine.cwd = folder;
            }
        }
        if let Some(&subshell) = command.subshells.last()
            && folders.last().is_none_or(|(open, _)| *open != subshell)
        {
            folders.push((subshell, machine.cwd.clone()));
        }
        // `[ -f x ] && y`: whether y runs is the outcome of the test.
        tested = command.join == Join::And && (tested || previous_is_test);
        previous_is_test = is_test(command);
        machine.conditional = command.conditional || tested;
        step(command, index, text, machine, &mut programs);
    }
    machine.facts.programs = programs.into_iter().collect();
    if !script.complete {
        machine.note("a part of the script cannot be read as shell: it is not counted".into());
        machine.reads_anything("a part of the script cannot be read as shell".into());
    }
}

/// Whether a command is run for its exit code.
fn is_test(command: &SimpleCommand<'_>) -> bool {
    command.words.first().is_some_and(|program| {
        matches!(
            program.raw,
            "[" | "[[" | "test" | "command" | "which" | "type" | "hash" | "grep" | "getent" | "id"
        )
    })
}

/// What the shell itself does around a command: input from files, output to files, words that only the build knows.
fn surroundings(
    command: &SimpleCommand<'_>,
    index: usize,
    words: &[Option<String>],
    machine: &mut Machine<'_>,
) {
    if words.iter().any(Option::is_none) {
        machine.reads_anything("a word of the script is only known to the build".into());
    }
    for redirect in &command.redirects {
        let Some(target) = redirect
            .target
            .expand(&|name| machine.variables.get(name).cloned())
        else {
            continue;
        };
        match redirect.operator {
            "<" => machine.touches(&target),
            ">" | ">>" if !target.starts_with("/dev/") => {
                // A here-document that is written to a file; what other commands print is small.
                let text = command.redirects.iter().find_map(|other| other.body);
                let size = text.map_or(Size::range(0, 100, 4096), |text| {
                    Size::exact(text.len() as u64)
                });
                let path = machine.absolute(&target);
                machine.put(
                    &path,
                    "",
                    vec![Part::main(kind::of_path(&path), size)],
                    &Basis::new(format!("output of command {}", index + 1)),
                );
            }
            _ => {}
        }
    }
}

fn step(
    command: &SimpleCommand<'_>,
    index: usize,
    text: &str,
    machine: &mut Machine<'_>,
    programs: &mut BTreeSet<String>,
) {
    let lookup = |name: &str, machine: &Machine<'_>| machine.variables.get(name).cloned();
    let words: Vec<Option<String>> = command
        .words
        .iter()
        .flat_map(|word| word.fields(&|name| lookup(name, machine)))
        .collect();
    let assignments: Vec<(String, Option<String>)> = command
        .assignments
        .iter()
        .map(|assignment| {
            (
                assignment.name.to_owned(),
                assignment.value.expand(&|name| lookup(name, machine)),
            )
        })
        .collect();
    surroundings(command, index, &words, machine);
    let Some((Some(program), args)) = words.split_first() else {
        for (name, value) in assignments {
            assign(machine, &name, value);
        }
        return;
    };
    // `A=1 command` sets A for that command alone.
    let saved = machine.variables.clone();
    for (name, value) in assignments {
        assign(machine, &name, value);
    }
    let (program, args) = unwrap(program, args);
    let Span { start, end } = command.span;
    let invocation = Invocation {
        program: basename(&program).to_owned(),
        program_path: program.clone(),
        args,
        text: text
            .get(start as usize..end as usize)
            .unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" "),
        index,
    };
    programs.insert(invocation.program.clone());
    match invocation.program.as_str() {
        "cd" => {
            if let Some(folder) = invocation.operands().next().flatten() {
                machine.cwd = machine.absolute(&folder);
            }
        }
        "export" => {
            machine.variables = saved;
            for arg in invocation.args.iter().flatten() {
                if let Some((name, value)) = arg.split_once('=') {
                    assign(machine, name, Some(value.to_owned()));
                }
            }
            return;
        }
        _ => command::run(&invocation, machine),
    }
    machine.variables = saved;
}

fn assign(machine: &mut Machine<'_>, name: &str, value: Option<String>) {
    match value {
        Some(value) => machine.variables.insert(name.to_owned(), value),
        None => machine.variables.remove(name),
    };
}

/// `sudo`, `exec`, `env A=1`, `time`, `nice`: the command is what follows.
fn unwrap(program: &str, args: &[Option<String>]) -> (String, Vec<Option<String>>) {
    let mut program = program.to_owned();
    let mut args = args.to_vec();
    while matches!(
        basename(&program),
        "sudo" | "exec" | "env" | "time" | "nice" | "nohup" | "command"
    ) {
        let skip = args
            .iter()
            .take_while(|arg| {
                arg.as_deref()
                    .is_some_and(|arg| arg.starts_with('-') || arg.contains('='))
            })
            .count();
        let Some(Some(next)) = args.get(skip).cloned() else {
            break;
        };
        args.drain(..=skip);
        program = next;
    }
    (program, args)
}

pub(super) fn basename(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}
