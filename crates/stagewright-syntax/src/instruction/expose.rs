//! `EXPOSE port[/protocol] …`.

use super::at_least_one;
use super::flag::Flags;
use crate::logical::Logical;
use crate::parts::{Fault, Head};
use crate::text::Text;
use crate::word;

/// `EXPOSE`: names ports that the container listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expose<'t> {
    /// The words as written, in the order of the file; at least one. `BuildKit` sorts them, then expands each to any
    /// number of ports.
    pub ports: Vec<Text<'t>>,
}

impl<'t> Expose<'t> {
    #[inline]
    pub(super) fn build(line: &mut Logical<'t>, head: &mut Head<'t>) -> Result<Self, Fault> {
        if head.args.is_empty() {
            return Err(at_least_one(line, head, "EXPOSE"));
        }
        Flags::none(head)?;
        Ok(Self {
            ports: word::collect(
                word::list(line.text(), head.args.clone()),
                &head.args,
                |word| line.slice(word),
            ),
        })
    }
}
