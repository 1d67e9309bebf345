//! `ARG name[=default] …`.

use super::{at_least_one, blank_name};
use crate::node::{Args, Fault, Node};
use crate::text::{Span, Text};

/// A build argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgPair<'t> {
    /// The name as written; it is never expanded.
    pub key: Text<'t>,
    /// The default as written: quotes and variables stand. An empty default differs from none.
    pub value: Option<Text<'t>>,
    /// From the name to the end of the default.
    pub span: Span,
}

/// `ARG`: declares build arguments. Flags before them are ignored, as `BuildKit` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg<'t> {
    /// The arguments in order; at least one. Each default sees the ones before it.
    pub args: Vec<ArgPair<'t>>,
}

impl<'t> Arg<'t> {
    pub(super) fn build(node: Node<'t>) -> Result<Self, Fault> {
        let Args::Arguments(args) = node.args else {
            return Err(at_least_one(&node, "ARG"));
        };
        match args.iter().find(|pair| pair.key.is_empty()) {
            Some(pair) => Err(blank_name(pair.span, "ARG")),
            None => Ok(Self { args }),
        }
    }
}
