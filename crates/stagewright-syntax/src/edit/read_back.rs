//! Reading a changed text back: whether it says what was meant, and nothing else changed.

use super::EditError;
use crate::error::ErrorKind;
use crate::file::{Dockerfile, Instruction};
use crate::instruction::View;
use crate::text::offset;
use crate::write::Print;

/// A name and a value, as flags, mount options and pairs have them.
pub(super) type Named = (String, Option<String>);

impl Dockerfile<'_> {
    /// Reads a new text back: from `place` on, `removed` instructions became `added` ones that are as they are meant, and
    /// nothing else changed.
    pub(super) fn check(
        &self,
        text: &str,
        place: usize,
        removed: usize,
        added: usize,
        mut is_meant: impl FnMut(&Dockerfile<'_>, usize) -> bool,
    ) -> Result<(), EditError> {
        let new = Dockerfile::parse(text);
        let line = |index: usize| {
            let at = if index < new.len() {
                new.instruction(index).span().start
            } else {
                offset(text.len())
            };
            EditError::NotAsMeant {
                line: new.line_index().line(at),
            }
        };
        let tail = self.len() - place - removed;
        let before = |index: usize| same(&self.instruction(index), &new.instruction(index));
        let shared = place.min(new.len());
        if let Some(index) = (0..shared).find(|index| !before(*index)) {
            return Err(line(index));
        }
        if new.len() < place + added || !is_meant(&new, place) {
            return Err(line(place));
        }
        let after = |at: usize| {
            let (old, new_at) = (place + removed + at, place + added + at);
            new_at < new.len() && same(&self.instruction(old), &new.instruction(new_at))
        };
        if let Some(at) = (0..tail).find(|at| !after(*at)) {
            return Err(line(place + added + at));
        }
        let directives = |file: &Dockerfile<'_>| -> Vec<(String, String)> {
            let found = file.directives().iter();
            found
                .map(|found| (found.name.to_string(), found.value.to_string()))
                .collect()
        };
        if new.len() != place + added + tail
            || directives(self) != directives(&new)
            || split_faults(&new) > split_faults(self)
        {
            return Err(line(place + added));
        }
        Ok(())
    }
}

/// Instructions to insert, as they are read on their own.
pub(super) struct Lines {
    pub(super) text: String,
    whole: String,
    pub(super) count: usize,
}

impl Lines {
    pub(super) fn read<P: Print + ?Sized>(
        file: &Dockerfile<'_>,
        lines: &P,
    ) -> Result<Self, EditError> {
        let text = lines.print(file.escape())?;
        let whole = format!("{}{text}\n", prefix(file.escape()));
        let alone = Dockerfile::parse(&whole);
        if let Some(fault) = alone.instructions().find_map(|new| fault_of(&new)) {
            return Err(fault);
        }
        if split_faults(&alone) > 0 || alone.is_empty() {
            return Err(EditError::Unwritable { value: text });
        }
        let count = alone.len() - 1;
        Ok(Self { text, whole, count })
    }

    /// Whether they stand in the new file from this instruction on.
    pub(super) fn are(&self, new: &Dockerfile<'_>, at: usize) -> bool {
        let alone = Dockerfile::parse(&self.whole);
        (0..self.count)
            .all(|index| same(&alone.instruction(index + 1), &new.instruction(at + index)))
    }
}

/// What stands before instructions that are read on their own: a stage, behind which no directive can be.
pub(super) fn prefix(escape: char) -> &'static str {
    if escape == '`' {
        "# escape=`\nFROM scratch\n"
    } else {
        "FROM scratch\n"
    }
}

/// Faults of lines and heredocs.
fn split_faults(file: &Dockerfile<'_>) -> usize {
    let faults = file.faults().iter();
    faults
        .filter(|fault| fault.kind() != ErrorKind::NoInstructions)
        .count()
}

fn same(old: &Instruction<'_>, new: &Instruction<'_>) -> bool {
    old.keyword() == new.keyword()
        && old.original() == new.original()
        && heredocs_of(old) == heredocs_of(new)
}

/// What `BuildKit` has against an instruction, if anything.
pub(super) fn fault_of(instruction: &Instruction<'_>) -> Option<EditError> {
    let message = match instruction.view() {
        View::Invalid(invalid) => invalid.error.message().to_owned(),
        // Mounts are checked when the build gets there; those with variables only then.
        View::Run(run) => {
            let plain = run.mounts.iter().filter(|mount| {
                let mut values = mount
                    .options
                    .iter()
                    .filter_map(|option| option.value.as_ref());
                !values.any(|value| value.contains('$'))
            });
            let mut faults = plain
                .filter_map(|mount| mount.resolve(|word| Ok::<_, String>(word.to_owned())).err());
            faults.next()?.message().to_owned()
        }
        _ => return None,
    };
    Some(EditError::Invalid {
        text: instruction.original().into_owned(),
        message,
    })
}

pub(super) fn heredocs_of(instruction: &Instruction<'_>) -> Vec<(String, String)> {
    let heredocs = instruction.heredocs().into_iter();
    heredocs
        .map(|heredoc| (heredoc.name.to_string(), heredoc.content.to_string()))
        .collect()
}

pub(super) fn flags_of(instruction: &Instruction<'_>) -> Vec<Named> {
    let flags = instruction.flags().into_iter();
    flags
        .map(|flag| {
            (
                flag.name.to_string(),
                flag.value.map(|value| value.to_string()),
            )
        })
        .collect()
}
