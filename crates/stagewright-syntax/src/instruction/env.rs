//! `ENV` and `LABEL`: keys and values.

use super::flag::Flags;
use super::{at_least_one, blank_name};
use crate::logical::Logical;
use crate::parts::{self, Fault, Head, KeyValues};
use crate::text::{Span, Text};

/// A key and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair<'t> {
    /// The key as written: quotes and variables stand.
    pub key: Text<'t>,
    /// The value as written: quotes and variables stand.
    pub value: Text<'t>,
}

impl Pair<'_> {
    /// From the key to the end of the value.
    pub fn span(&self) -> Span {
        self.key.span.cover(self.value.span)
    }
}

/// `ENV`: sets environment variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Env<'t> {
    /// The variables in order; at least one.
    pub pairs: Vec<Pair<'t>>,
    /// The old form without `=`: `ENV key the whole rest`.
    pub legacy: bool,
}

impl<'t> Env<'t> {
    #[inline]
    pub(super) fn build(line: &mut Logical<'t>, head: &mut Head<'t>) -> Result<Self, Fault> {
        let KeyValues { pairs, legacy } = pairs(line, head, "ENV")?;
        Ok(Self { pairs, legacy })
    }
}

/// `LABEL`: adds metadata to the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label<'t> {
    /// The labels in order; at least one.
    pub pairs: Vec<Pair<'t>>,
    /// The old form without `=`: `LABEL key the whole rest`.
    pub legacy: bool,
}

impl<'t> Label<'t> {
    #[inline]
    pub(super) fn build(line: &mut Logical<'t>, head: &mut Head<'t>) -> Result<Self, Fault> {
        let KeyValues { pairs, legacy } = pairs(line, head, "LABEL")?;
        Ok(Self { pairs, legacy })
    }
}

#[inline]
fn pairs<'t>(line: &Logical<'t>, head: &mut Head<'t>, name: &str) -> Result<KeyValues<'t>, Fault> {
    let found = parts::pairs(line, head.args.clone(), head.escape, name)?;
    Flags::none(head)?;
    let Some(found) = found else {
        return Err(at_least_one(line, head, name));
    };
    match found.pairs.iter().find(|pair| pair.key.is_empty()) {
        Some(pair) => Err(blank_name(pair.span(), name)),
        None => Ok(found),
    }
}
