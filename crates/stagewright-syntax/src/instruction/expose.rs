//! `EXPOSE port[/protocol] …`.

use super::at_least_one;
use super::flag::Flags;
use crate::node::{Args, Fault, Node};
use crate::text::Text;

/// `EXPOSE`: names ports that the container listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expose<'t> {
    /// The words as written, in the order of the file; at least one. `BuildKit` sorts them, then expands each to any
    /// number of ports.
    pub ports: Vec<Text<'t>>,
}

impl<'t> Expose<'t> {
    pub(super) fn build(mut node: Node<'t>) -> Result<Self, Fault> {
        let Args::List(ports) = std::mem::replace(&mut node.args, Args::None) else {
            return Err(at_least_one(&node, "EXPOSE"));
        };
        Flags::none(&mut node)?;
        Ok(Self {
            ports: ports.into_vec(),
        })
    }
}
