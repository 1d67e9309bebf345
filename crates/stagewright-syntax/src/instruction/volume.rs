//! `VOLUME path …` and `VOLUME ["path", …]`.

use super::at_least_one;
use super::flag::Flags;
use crate::error::ErrorKind;
use crate::go;
use crate::node::{Args, Fault, Node};
use crate::text::Text;

/// `VOLUME`: names paths that are volumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume<'t> {
    /// The paths as written; at least one. `BuildKit` trims white space around each.
    pub paths: Vec<Text<'t>>,
    /// The paths stand in a JSON array.
    pub json: bool,
}

impl<'t> Volume<'t> {
    pub(super) fn build(mut node: Node<'t>) -> Result<Self, Fault> {
        let (paths, json) = match std::mem::replace(&mut node.args, Args::None) {
            Args::List(paths) => (paths.into_vec(), false),
            Args::Json(paths) if !paths.is_empty() => (paths, true),
            _ => return Err(at_least_one(&node, "VOLUME")),
        };
        Flags::none(&mut node)?;
        if let Some(blank) = paths.iter().find(|path| go::trim(path).is_empty()) {
            return Err(Fault::new(
                ErrorKind::BlankVolume,
                "VOLUME specified can not be an empty string",
                blank.span,
            ));
        }
        Ok(Self { paths, json })
    }
}
