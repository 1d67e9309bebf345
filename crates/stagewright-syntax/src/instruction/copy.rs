//! `COPY`.

use super::flag::Takes;
use super::source::{Source, Sources};
use crate::heredoc::Heredoc;
use crate::logical::Logical;
use crate::parts::{Fault, Head};
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
    #[inline]
    pub(super) fn build(
        line: &mut Logical<'t>,
        head: &mut Head<'t>,
        heredocs: &[Heredoc<'t>],
    ) -> Result<Self, Fault> {
        let known = &[
            ("chown", Takes::One),
            ("from", Takes::One),
            ("chmod", Takes::One),
            ("link", Takes::Bool),
            ("exclude", Takes::Many),
            ("parents", Takes::Bool),
        ];
        let (files, flags) = Sources::read(line, head, heredocs, "COPY", known)?;
        Ok(Self {
            from: flags.one("from"),
            chown: flags.one("chown"),
            chmod: flags.one("chmod"),
            link: flags.bool("link").unwrap_or(false),
            parents: flags.bool("parents").unwrap_or(false),
            excludes: flags.many("exclude"),
            sources: files.list,
            destination: files.destination,
            json: files.json,
        })
    }
}
