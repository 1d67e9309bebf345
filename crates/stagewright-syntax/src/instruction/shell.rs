//! `SHELL ["program", "argument", …]`.

use super::at_least_one;
use super::flag::Flags;
use crate::error::ErrorKind;
use crate::node::{Args, Fault, Node};
use crate::text::Text;

/// `SHELL`: what runs the shell forms that follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell<'t> {
    /// The words before the command; at least one. Their spans hold the quotes.
    pub words: Vec<Text<'t>>,
}

impl<'t> Shell<'t> {
    pub(super) fn build(mut node: Node<'t>) -> Result<Self, Fault> {
        Flags::none(&mut node)?;
        match node.args {
            Args::Json(words) if !words.is_empty() => Ok(Self { words }),
            Args::Whole(text, _) => Err(Fault::new(
                ErrorKind::ShellNotJson,
                "SHELL requires the arguments to be in JSON form",
                text.span,
            )),
            _ => Err(at_least_one(&node, "SHELL")),
        }
    }
}
