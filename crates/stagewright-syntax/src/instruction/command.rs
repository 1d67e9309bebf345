//! Commands in shell or exec form, and the two instructions that hold nothing else: `CMD` and `ENTRYPOINT`.

use super::flag::Flags;
use crate::logical::Map;
use crate::node::{Args, Fault, Node};
use crate::text::{Span, Text};

/// What `RUN`, `CMD` and `ENTRYPOINT` run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'t> {
    /// The joined text as `BuildKit` hands it to the shell (`/bin/sh -c`, or what `SHELL` says).
    Shell(Text<'t>),
    /// The words of a JSON array; their spans hold the quotes.
    Exec(Vec<Text<'t>>),
}

impl<'t> Command<'t> {
    pub(super) fn build(node: Node<'t>) -> (Self, Map) {
        match node.args {
            Args::Json(words) => (Self::Exec(words), Map::default()),
            Args::Whole(text, map) => (Self::Shell(text), map),
            _ => (
                Self::Shell(Text {
                    value: "".into(),
                    span: Span::new(node.span.end, node.span.end),
                }),
                Map::default(),
            ),
        }
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
    pub(super) fn build(mut node: Node<'t>) -> Result<Self, Fault> {
        Flags::none(&mut node)?;
        Ok(Self {
            command: Command::build(node).0,
        })
    }
}

/// `ENTRYPOINT`: what the container runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entrypoint<'t> {
    /// The command; an empty one in exec form unsets it.
    pub command: Command<'t>,
}

impl<'t> Entrypoint<'t> {
    pub(super) fn build(mut node: Node<'t>) -> Result<Self, Fault> {
        Flags::none(&mut node)?;
        Ok(Self {
            command: Command::build(node).0,
        })
    }
}
