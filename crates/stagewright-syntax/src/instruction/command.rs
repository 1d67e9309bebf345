//! Commands in shell or exec form, and the two instructions that hold nothing else: `CMD` and `ENTRYPOINT`.

use super::flag::Flags;
use crate::logical::{Logical, Map};
use crate::parts::{self, Fault, Head};
use crate::text::Text;
use std::ops::Range;

/// What `RUN`, `CMD` and `ENTRYPOINT` run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'t> {
    /// The joined text as `BuildKit` hands it to the shell (`/bin/sh -c`, or what `SHELL` says).
    Shell(Text<'t>),
    /// The words of a JSON array; their spans hold the quotes.
    Exec(Vec<Text<'t>>),
}

impl<'t> Command<'t> {
    /// The command that stands in `args`, with the way back to the source of its text.
    #[inline]
    pub(super) fn read(
        line: &mut Logical<'t>,
        args: Range<usize>,
    ) -> Result<(Self, Map<'t>), Fault> {
        if let Some(words) = parts::json(line, args.clone())? {
            return Ok((Self::Exec(words), Map::default()));
        }
        let (text, map) = line.take(args);
        Ok((Self::Shell(text), map))
    }

    /// The text for the shell, if the command is in shell form.
    pub const fn shell(&self) -> Option<&Text<'t>> {
        match self {
            Self::Shell(text) => Some(text),
            Self::Exec(_) => None,
        }
    }
}

/// `CMD`: what the container runs by default, or its default arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cmd<'t> {
    /// The command; may be empty.
    pub command: Command<'t>,
}

impl<'t> Cmd<'t> {
    #[inline]
    pub(super) fn build(line: &mut Logical<'t>, head: &mut Head<'t>) -> Result<Self, Fault> {
        let (command, _) = Command::read(line, head.args.clone())?;
        Flags::none(head)?;
        Ok(Self { command })
    }
}

/// `ENTRYPOINT`: what the container runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrypoint<'t> {
    /// The command; an empty one in exec form unsets it.
    pub command: Command<'t>,
}

impl<'t> Entrypoint<'t> {
    #[inline]
    pub(super) fn build(line: &mut Logical<'t>, head: &mut Head<'t>) -> Result<Self, Fault> {
        let (command, _) = Command::read(line, head.args.clone())?;
        Flags::none(head)?;
        Ok(Self { command })
    }
}
