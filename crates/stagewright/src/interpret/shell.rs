//! What the shell does with a script: conditions, loops, functions, variables, folders, redirections, and one model for each command.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use stagewright_syntax::Span;
use stagewright_syntax::shell::{Join, Script, SimpleCommand, Word};

use super::branch::Runs;
use super::called::{Called, basename, unwrap};
use super::condition::{self, Outcome};
use crate::command::{self, Invocation, Machine};
use crate::kind;
use crate::ledger::Part;
use crate::size::{Basis, Size};

/// Scripts that call scripts nest no deeper than this.
const DEPTH: usize = 8;
/// Commands that are followed in one RUN, over all loops, functions and scripts that it calls.
const COMMANDS: usize = 20_000;

/// Runs the commands of a script in order, as far as they are known to run: a branch whose condition is known is taken or left, any other
/// counts as "may run"; the right side of `||` is what happens when things fail, and does not count where the left side is no test.
pub(super) fn run(script: &Script<'_>, text: &str, machine: &mut Machine<'_>) {
    let mut programs = BTreeSet::new();
    let mut commands = 0;
    follow(script, text, machine, &mut programs, &mut commands, 0);
    machine.facts.programs = programs.into_iter().collect();
}

fn follow(
    script: &Script<'_>,
    text: &str,
    machine: &mut Machine<'_>,
    programs: &mut BTreeSet<String>,
    commands: &mut usize,
    depth: usize,
) {
    let mut walk = Walk {
        script,
        text,
        machine,
        programs,
        commands,
        depth,
        functions: BTreeMap::new(),
    };
    walk.range(0..script.commands.len(), 0);
    if !script.complete {
        machine.note("a part of the script cannot be read as shell: it is not counted".into());
        machine.reads_anything("a part of the script cannot be read as shell".into());
    }
}

/// One script that is being followed.
pub(super) struct Walk<'w, 's, 'm> {
    pub(super) script: &'w Script<'s>,
    pub(super) text: &'w str,
    pub(super) machine: &'w mut Machine<'m>,
    pub(super) programs: &'w mut BTreeSet<String>,
    /// How many commands this RUN has run so far.
    pub(super) commands: &'w mut usize,
    /// How many scripts and functions stand around this one.
    pub(super) depth: usize,
    /// Bodies by name: the commands and the level of constructs that they stand at.
    pub(super) functions: BTreeMap<&'w str, (Range<usize>, usize)>,
}

impl Walk<'_, '_, '_> {
    /// Runs commands that stand `level` constructs deep: each is a command or belongs to a construct that starts at this level.
    pub(super) fn range(&mut self, range: Range<usize>, level: usize) -> Outcome {
        let commands = &self.script.commands;
        let outer = self.machine.conditional;
        let (mut outcome, mut ran) = (Outcome::Success, Runs::Yes);
        let mut at = range.start;
        while at < range.end {
            let place = commands[at].within.get(level).copied();
            let end = place.map_or(at + 1, |place| {
                let same = |command: &SimpleCommand<'_>| {
                    command
                        .within
                        .get(level)
                        .is_some_and(|other| other.construct == place.construct)
                };
                at + commands[at..range.end]
                    .iter()
                    .take_while(|one| same(one))
                    .count()
            });
            let join = match place {
                Some(place) => self.script.constructs[place.construct].join,
                None if at == range.start => Join::Sequence,
                None => commands[at].join,
            };
            ran = match (join, outcome) {
                (Join::Pipe, _) => ran,
                (Join::And, Outcome::Failure) | (Join::Or, Outcome::Success) => Runs::No,
                (Join::And | Join::Or, Outcome::Unknown) => Runs::Maybe,
                _ => Runs::Yes,
            };
            if join != Join::Pipe {
                self.machine.input = None;
            }
            if ran == Runs::No {
                at = end;
                continue;
            }
            self.machine.conditional = outer || ran == Runs::Maybe;
            let result = match place {
                Some(place) => self.construct(place, at..end, level + 1),
                None => self.step(at),
            };
            self.machine.input = self.machine.output.take();
            self.machine.conditional = outer;
            outcome = match (ran, result) {
                // `[ -f x ] && y`, and then `|| z`: whether y ran is not known.
                (Runs::Maybe, _) => Outcome::Unknown,
                (_, result) => result,
            };
            at = end;
        }
        self.machine.input = None;
        outcome
    }

    pub(super) fn value(&self, word: &Word<'_>) -> Option<String> {
        let machine = &*self.machine;
        word.expand_with(&|name| machine.variables.get(name).cloned(), &|script| {
            condition::output(script, machine)
        })
    }

    pub(super) fn fields(&self, word: &Word<'_>) -> Vec<Option<String>> {
        let machine = &*self.machine;
        word.fields_with(&|name| machine.variables.get(name).cloned(), &|script| {
            condition::output(script, machine)
        })
    }

    /// Whether no further command of this RUN is followed.
    pub(super) fn exhausted(&self) -> bool {
        *self.commands > COMMANDS
    }

    /// Runs one command.
    fn step(&mut self, index: usize) -> Outcome {
        *self.commands += 1;
        if self.exhausted() {
            self.machine
                .note("the script goes on for longer than it is followed".into());
            return Outcome::Unknown;
        }
        let script = self.script;
        let command = &script.commands[index];
        let words: Vec<Option<String>> = command
            .words
            .iter()
            .flat_map(|word| self.fields(word))
            .collect();
        let assignments: Vec<(&str, Option<String>)> = command
            .assignments
            .iter()
            .map(|assignment| (assignment.name, self.value(&assignment.value)))
            .collect();
        if words.iter().any(Option::is_none) {
            self.machine
                .reads_anything("a word of the script is only known to the build".into());
        }
        let Some((Some(program), args)) = words.split_first() else {
            for (name, value) in assignments {
                assign(self.machine, name, value);
            }
            return Outcome::Success;
        };
        let (program, args) = unwrap(program, args);
        let Span { start, end } = command.span;
        let invocation = Invocation {
            program: basename(&program).to_owned(),
            program_path: program,
            args,
            text: self
                .text
                .get(start as usize..end as usize)
                .unwrap_or_default()
                .split_whitespace()
                .collect::<Vec<_>>()
                .join(" "),
            index,
        };
        // `A=1 command` sets A for that command alone.
        let saved = (!assignments.is_empty()).then(|| self.machine.variables.clone());
        for (name, value) in assignments {
            assign(self.machine, name, value);
        }
        self.input(command);
        let keeps = self.dispatch(&invocation, command);
        self.output(command, index);
        if let Some(saved) = saved
            && !keeps
        {
            self.machine.variables = saved;
        }
        let outcome = condition::of(&invocation, self.machine);
        if command.negated {
            outcome.negated()
        } else {
            outcome
        }
    }

    /// Does what the command does; true where the variables it sets stay.
    fn dispatch(&mut self, invocation: &Invocation, command: &SimpleCommand<'_>) -> bool {
        let name = invocation.program.as_str();
        if let Some((range, level)) = self.functions.get(name).cloned() {
            if self.depth < DEPTH {
                self.depth += 1;
                for (at, arg) in invocation.args.iter().enumerate() {
                    assign(self.machine, &(at + 1).to_string(), arg.clone());
                }
                self.range(range, level);
                self.depth -= 1;
            }
            return true;
        }
        self.programs.insert(name.to_owned());
        match name {
            "cd" | "pushd" => {
                if let Some(folder) = invocation.operands().next() {
                    match folder {
                        Some(folder) => self.machine.cwd = self.machine.absolute(&folder),
                        None => self.machine.cwd = format!("{}/…", self.machine.cwd),
                    }
                }
            }
            "export" | "local" | "declare" | "readonly" | "typeset" => {
                for arg in invocation.args.iter().flatten() {
                    if let Some((name, value)) = arg.split_once('=') {
                        assign(self.machine, name, Some(value.to_owned()));
                    }
                }
                return true;
            }
            "unset" => {
                for name in invocation.operands().flatten() {
                    assign(self.machine, &name, None);
                }
                return true;
            }
            _ => match self.called(invocation, command) {
                Some(Called { text, own }) if self.depth < DEPTH => {
                    let before =
                        own.then(|| (self.machine.cwd.clone(), self.machine.variables.clone()));
                    follow(
                        &Script::parse(&text),
                        &text,
                        self.machine,
                        self.programs,
                        self.commands,
                        self.depth + 1,
                    );
                    if let Some((folder, variables)) = before {
                        self.machine.cwd = folder;
                        self.machine.variables = variables;
                    }
                    return !own;
                }
                _ => command::run(invocation, self.machine),
            },
        }
        false
    }

    /// What the command reads from a file.
    fn input(&mut self, command: &SimpleCommand<'_>) {
        for redirect in &command.redirects {
            if redirect.operator == "<"
                && let Some(path) = self.value(&redirect.target)
            {
                self.machine.touches(&path);
                let path = self.machine.absolute(&path);
                self.machine.input = self
                    .machine
                    .tree
                    .get(&path)
                    .map(|node| (node.size(), node.basis.clone()));
            }
        }
    }

    /// Where what the command writes goes: a file, or the next command of the pipe.
    fn output(&mut self, command: &SimpleCommand<'_>, index: usize) {
        for redirect in &command.redirects {
            if !matches!(redirect.operator, ">" | ">>" | ">|" | "&>" | "&>>") {
                continue;
            }
            let written = self.machine.output.take();
            let printed = self.machine.printed.take();
            let Some(target) = self.value(&redirect.target) else {
                continue;
            };
            if target.starts_with("/dev/") || redirect.fd == Some(2) {
                continue;
            }
            let path = self.machine.absolute(&target);
            // A here-document that is written to a file is known; what other commands print is small.
            let body = command.redirects.iter().find_map(|other| other.body);
            let own = || Basis::new(format!("output of command {}", index + 1));
            if let (Some(text), ">") = (printed, redirect.operator) {
                self.machine.put_text(&path, &text, &own());
                continue;
            }
            let (size, basis) = match (body, written) {
                (_, Some(written)) => written,
                (Some(body), None) => (Size::exact(body.len() as u64), own()),
                (None, None) => (Size::range(0, 100, 4096), own()),
            };
            let part = Part::main(kind::of_path(&path), size);
            if redirect.operator.ends_with(">>") {
                self.machine.append(&path, part, &basis);
            } else {
                self.machine.put(&path, "", vec![part], &basis);
            }
        }
    }
}

pub(super) fn assign(machine: &mut Machine<'_>, name: &str, value: Option<String>) {
    match value {
        Some(value) => machine.variables.insert(name.to_owned(), value),
        None => machine.variables.remove(name),
    };
}
