//! `ENV` and `LABEL`: keys and values.

use super::flag::Flags;
use super::{at_least_one, blank_name};
use crate::node::{Args, Fault, Node};
use crate::text::{Span, Text};

/// A key and a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair<'t> {
    /// The key as written: quotes and variables stand.
    pub key: Text<'t>,
    /// The value as written: quotes and variables stand.
    pub value: Text<'t>,
    /// From the key to the end of the value.
    pub span: Span,
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
    pub(super) fn build(node: Node<'t>) -> Result<Self, Fault> {
        let (pairs, legacy) = pairs(node, "ENV")?;
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
    pub(super) fn build(node: Node<'t>) -> Result<Self, Fault> {
        let (pairs, legacy) = pairs(node, "LABEL")?;
        Ok(Self { pairs, legacy })
    }
}

fn pairs<'t>(mut node: Node<'t>, name: &str) -> Result<(Vec<Pair<'t>>, bool), Fault> {
    Flags::none(&mut node)?;
    let Args::Pairs { pairs, legacy } = node.args else {
        return Err(at_least_one(&node, name));
    };
    match pairs.iter().find(|pair| pair.key.is_empty()) {
        Some(pair) => Err(blank_name(pair.span, name)),
        None => Ok((pairs, legacy)),
    }
}
