//! Instructions whose argument is the whole rest of the line: `WORKDIR`, `USER`, `STOPSIGNAL`, `MAINTAINER`.

use super::exactly_one;
use super::flag::Flags;
use crate::logical::Logical;
use crate::parts::{Fault, Head};
use crate::text::Text;

#[inline]
fn value<'t>(line: &mut Logical<'t>, head: &Head<'t>, name: &str) -> Result<Text<'t>, Fault> {
    if head.args.is_empty() {
        return Err(exactly_one(line, head, name));
    }
    Ok(line.take(head.args.clone()).0)
}

/// `WORKDIR`: sets the working directory, and makes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workdir<'t> {
    /// The path, quotes and variables as written.
    pub value: Text<'t>,
}

impl<'t> Workdir<'t> {
    #[inline]
    pub(super) fn build(line: &mut Logical<'t>, head: &mut Head<'t>) -> Result<Self, Fault> {
        let value = value(line, head, "WORKDIR")?;
        Flags::none(head)?;
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
    #[inline]
    pub(super) fn build(line: &mut Logical<'t>, head: &mut Head<'t>) -> Result<Self, Fault> {
        let value = value(line, head, "USER")?;
        Flags::none(head)?;
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
    #[inline]
    pub(super) fn build(line: &mut Logical<'t>, head: &mut Head<'t>) -> Result<Self, Fault> {
        let value = value(line, head, "STOPSIGNAL")?;
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
    #[inline]
    pub(super) fn build(line: &mut Logical<'t>, head: &mut Head<'t>) -> Result<Self, Fault> {
        let value = value(line, head, "MAINTAINER")?;
        Flags::none(head)?;
        Ok(Self { value })
    }
}
