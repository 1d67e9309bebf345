//! Instructions whose argument is the whole rest of the line: `WORKDIR`, `USER`, `STOPSIGNAL`, `MAINTAINER`.

use super::exactly_one;
use super::flag::Flags;
use crate::node::{Args, Fault, Node};
use crate::text::Text;

fn value<'t>(node: &mut Node<'t>, name: &str) -> Result<Text<'t>, Fault> {
    match std::mem::replace(&mut node.args, Args::None) {
        Args::Whole(value, _) => Ok(value),
        _ => Err(exactly_one(node, name)),
    }
}

/// `WORKDIR`: sets the working directory, and makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workdir<'t> {
    /// The path, quotes and variables as written.
    pub value: Text<'t>,
}

impl<'t> Workdir<'t> {
    pub(super) fn build(mut node: Node<'t>) -> Result<Self, Fault> {
        let value = value(&mut node, "WORKDIR")?;
        Flags::none(&mut node)?;
        Ok(Self { value })
    }
}

/// `USER`: sets user and group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User<'t> {
    /// User, or user and group with a colon between them; quotes and variables as written.
    pub value: Text<'t>,
}

impl<'t> User<'t> {
    pub(super) fn build(mut node: Node<'t>) -> Result<Self, Fault> {
        let value = value(&mut node, "USER")?;
        Flags::none(&mut node)?;
        Ok(Self { value })
    }
}

/// `STOPSIGNAL`: sets the signal that stops the container. Flags before it are ignored, as `BuildKit` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stopsignal<'t> {
    /// Name or number, quotes and variables as written.
    pub value: Text<'t>,
}

impl<'t> Stopsignal<'t> {
    pub(super) fn build(mut node: Node<'t>) -> Result<Self, Fault> {
        let value = value(&mut node, "STOPSIGNAL")?;
        Ok(Self { value })
    }
}

/// `MAINTAINER`: names the author. Deprecated in favor of a label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintainer<'t> {
    /// The author, as written.
    pub value: Text<'t>,
}

impl<'t> Maintainer<'t> {
    pub(super) fn build(mut node: Node<'t>) -> Result<Self, Fault> {
        let value = value(&mut node, "MAINTAINER")?;
        Flags::none(&mut node)?;
        Ok(Self { value })
    }
}
