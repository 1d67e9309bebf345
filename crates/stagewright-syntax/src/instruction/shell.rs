//! `SHELL ["program", "argument", …]`.

use super::at_least_one;
use super::flag::Flags;
use crate::error::ErrorKind;
use crate::logical::Logical;
use crate::parts::{self, Fault, Head};
use crate::text::Text;

/// `SHELL`: what runs the shell forms that follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell<'t> {
    /// The words before the command; at least one. Their spans hold the quotes.
    pub words: Vec<Text<'t>>,
}

impl<'t> Shell<'t> {
    #[inline]
    pub(super) fn build(line: &mut Logical<'t>, head: &mut Head<'t>) -> Result<Self, Fault> {
        let words = parts::json(line, head.args.clone())?;
        Flags::none(head)?;
        match words {
            Some(words) if !words.is_empty() => Ok(Self { words }),
            None if !head.args.is_empty() => Err(Fault::new(
                ErrorKind::ShellNotJson,
                "SHELL requires the arguments to be in JSON form",
                head.args_span(line),
            )),
            _ => Err(at_least_one(line, head, "SHELL")),
        }
    }
}
