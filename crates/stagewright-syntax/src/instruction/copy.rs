//! `COPY`.

use super::flag::{Flags, Takes};
use super::source::{FileWords, Source, Sources};
use crate::heredoc::Heredoc;
use crate::node::{Fault, Node};
use crate::text::Text;

/// `COPY`: files from the build context, another stage, an image or heredocs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copy<'t> {
    /// The value of `--from`: a stage, its index, an image or a named context. Never expanded.
    pub from: Option<Text<'t>>,
    /// The value of `--chown`.
    pub chown: Option<Text<'t>>,
    /// The value of `--chmod`.
    pub chmod: Option<Text<'t>>,
    /// `--link`.
    pub link: bool,
    /// `--parents`.
    pub parents: bool,
    /// The values of `--exclude`. Never expanded.
    pub excludes: Vec<Text<'t>>,
    /// What is copied; at least one.
    pub sources: Vec<Source<'t>>,
    /// Where it goes.
    pub destination: Text<'t>,
    /// Sources and destination stand in a JSON array.
    pub json: bool,
}

impl<'t> Copy<'t> {
    pub(super) fn build(mut node: Node<'t>, heredocs: &[Heredoc<'t>]) -> Result<Self, Fault> {
        let words = FileWords::of(&mut node, "COPY")?;
        let flags = Flags::check(
            &mut node,
            &[
                ("chown", Takes::One),
                ("from", Takes::One),
                ("chmod", Takes::One),
                ("link", Takes::Bool),
                ("exclude", Takes::Many),
                ("parents", Takes::Bool),
            ],
        )?;
        let Sources {
            list: sources,
            destination,
            json,
        } = words.split(heredocs, "COPY")?;
        Ok(Self {
            from: flags.one("from"),
            chown: flags.one("chown"),
            chmod: flags.one("chmod"),
            link: flags.bool("link").unwrap_or(false),
            parents: flags.bool("parents").unwrap_or(false),
            excludes: flags.many("exclude"),
            sources,
            destination,
            json,
        })
    }
}
