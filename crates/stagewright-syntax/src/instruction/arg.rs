//! `ARG name[=default] …`.

use super::{at_least_one, blank_name};
use crate::logical::Logical;
use crate::parts::{self, Fault, Head};
use crate::text::{Span, Text};

/// A build argument.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgPair<'t> {
    /// The name as written; it is never expanded.
    pub key: Text<'t>,
    /// The default as written: quotes and variables stand. An empty default differs from none.
    pub value: Option<Text<'t>>,
}

impl ArgPair<'_> {
    /// From the name to the end of the default.
    pub fn span(&self) -> Span {
        let key = self.key.span;
        self.value
            .as_ref()
            .map_or(key, |value| key.cover(value.span))
    }
}

/// `ARG`: declares build arguments. Flags before them are ignored, as `BuildKit` does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg<'t> {
    /// The arguments in order; at least one. Each default sees the ones before it.
    pub args: Vec<ArgPair<'t>>,
}

impl<'t> Arg<'t> {
    #[inline]
    pub(super) fn build(line: &mut Logical<'t>, head: &mut Head<'t>) -> Result<Self, Fault> {
        let args = parts::arguments(line, head.args.clone(), head.escape);
        if args.is_empty() {
            return Err(at_least_one(line, head, "ARG"));
        }
        match args.iter().find(|pair| pair.key.is_empty()) {
            Some(pair) => Err(blank_name(pair.span(), "ARG")),
            None => Ok(Self { args }),
        }
    }
}
