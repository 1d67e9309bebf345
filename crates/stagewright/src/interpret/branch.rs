//! Conditions, loops and functions: which commands of a construct run, and how often.

use std::ops::Range;

use stagewright_syntax::shell::{ConstructKind, Place, Word};

use super::condition::Outcome;
use super::shell::{Walk, assign};
use crate::command;

impl<'s> Walk<'_, 's, '_> {
    pub(super) fn construct(&mut self, place: Place, range: Range<usize>, level: usize) -> Outcome {
        let script = self.script;
        match &script.constructs[place.construct].kind {
            ConstructKind::Group => self.range(range, level),
            ConstructKind::Subshell => {
                let folder = self.machine.cwd.clone();
                let variables = self.machine.variables.clone();
                let outcome = self.range(range, level);
                self.machine.cwd = folder;
                self.machine.variables = variables;
                outcome
            }
            ConstructKind::Function(name) => {
                self.functions.insert(name, (range, level));
                Outcome::Success
            }
            ConstructKind::While => {
                let outer = self.machine.conditional;
                for (part, range) in self.parts(range, level) {
                    self.machine.conditional = outer || part > 0;
                    self.range(range, level);
                }
                self.machine.conditional = outer;
                Outcome::Success
            }
            ConstructKind::For { variable, words } => {
                self.repeat(variable, words.as_deref(), range, level);
                Outcome::Success
            }
            ConstructKind::If => {
                self.branches(range, level);
                Outcome::Success
            }
            ConstructKind::Case { word, arms } => {
                self.arms(word, arms, range, level);
                Outcome::Success
            }
            _ => {
                let outer = std::mem::replace(&mut self.machine.conditional, true);
                self.range(range, level);
                self.machine.conditional = outer;
                Outcome::Unknown
            }
        }
    }

    /// The commands of a construct by its parts.
    fn parts(&self, range: Range<usize>, level: usize) -> Vec<(usize, Range<usize>)> {
        let mut parts: Vec<(usize, Range<usize>)> = Vec::new();
        for at in range {
            let part = self.script.commands[at].within[level - 1].part;
            match parts.last_mut() {
                Some((last, commands)) if *last == part => commands.end = at + 1,
                _ => parts.push((part, at..at + 1)),
            }
        }
        parts
    }

    /// `for`: once for each word where all are known, else once with the variable unknown.
    fn repeat(
        &mut self,
        variable: &str,
        words: Option<&[Word<'s>]>,
        range: Range<usize>,
        level: usize,
    ) {
        let values: Option<Vec<String>> = words
            .into_iter()
            .flatten()
            .flat_map(|word| self.fields(word))
            .collect();
        match values {
            // A pattern is a value only where it is known what it matches.
            Some(values) if words.is_some() && !values.iter().any(|value| value.contains('*')) => {
                for value in values {
                    // Loops in loops would go round long after that.
                    if self.exhausted() {
                        break;
                    }
                    assign(self.machine, variable, Some(value));
                    self.range(range.clone(), level);
                }
            }
            _ => {
                assign(self.machine, variable, None);
                self.range(range, level);
            }
        }
    }

    /// `if`: the branch whose condition is known to hold, or all that may run.
    fn branches(&mut self, range: Range<usize>, level: usize) {
        let outer = self.machine.conditional;
        // What the conditions so far say about whether a later part is reached, and what the last one said.
        let (mut reached, mut last) = (Runs::Yes, Outcome::Failure);
        let mut condition_part = None;
        for (part, range) in self.parts(range, level) {
            if part % 2 == 0 {
                reached = reached.and(last, Outcome::Failure);
                last = if reached == Runs::No {
                    Outcome::Failure
                } else {
                    self.machine.conditional = outer || reached == Runs::Maybe;
                    self.range(range, level)
                };
                condition_part = Some(part);
                continue;
            }
            let taken = if condition_part == Some(part - 1) {
                reached.and(last, Outcome::Success)
            } else {
                // `else`
                reached.and(last, Outcome::Failure)
            };
            if taken != Runs::No {
                self.machine.conditional = outer || taken == Runs::Maybe;
                self.range(range, level);
            }
        }
        self.machine.conditional = outer;
    }

    /// `case`: the first arm that fits a known word, or all.
    fn arms(&mut self, word: &Word<'s>, arms: &[Vec<Word<'s>>], range: Range<usize>, level: usize) {
        let value = self.value(word);
        let fits = |patterns: &Vec<Word<'s>>| -> Outcome {
            let Some(value) = &value else {
                return Outcome::Unknown;
            };
            let mut all = Outcome::Failure;
            for pattern in patterns {
                match self.value(pattern) {
                    Some(pattern) if pattern.contains('[') => all = Outcome::Unknown,
                    Some(pattern) if command::machine::glob(&pattern, value) => {
                        return Outcome::Success;
                    }
                    Some(_) => {}
                    None => all = Outcome::Unknown,
                }
            }
            all
        };
        let mut reached = Runs::Yes;
        let mut takes = Vec::new();
        for patterns in arms {
            let fit = fits(patterns);
            takes.push(reached.and(fit, Outcome::Success));
            reached = reached.and(fit, Outcome::Failure);
        }
        let outer = self.machine.conditional;
        for (part, range) in self.parts(range, level) {
            let taken = takes.get(part).copied().unwrap_or(Runs::Maybe);
            if taken != Runs::No {
                self.machine.conditional = outer || taken == Runs::Maybe;
                self.range(range, level);
            }
        }
        self.machine.conditional = outer;
    }
}

/// Whether a command runs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Runs {
    Yes,
    Maybe,
    No,
}

impl Runs {
    /// Whether something is reached that needs one outcome of what came before.
    pub(super) fn and(self, outcome: Outcome, wanted: Outcome) -> Self {
        match (self, outcome) {
            (Self::No, _) => Self::No,
            (_, Outcome::Unknown) => Self::Maybe,
            (runs, outcome) if outcome == wanted => runs,
            _ => Self::No,
        }
    }
}
