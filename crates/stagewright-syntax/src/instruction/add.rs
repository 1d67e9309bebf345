//! `ADD`.

use super::flag::Takes;
use super::source::{Source, Sources};
use crate::heredoc::Heredoc;
use crate::logical::Logical;
use crate::parts::{Fault, Head};
use crate::text::Text;

/// `ADD`: files from the build context, archives to unpack, addresses, git repositories or heredocs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Add<'t> {
    /// The value of `--chown`.
    pub chown: Option<Text<'t>>,
    /// The value of `--chmod`.
    pub chmod: Option<Text<'t>>,
    /// `--link`.
    pub link: bool,
    /// `--keep-git-dir`, if it is given.
    pub keep_git_dir: Option<bool>,
    /// The value of `--checksum`.
    pub checksum: Option<Text<'t>>,
    /// `--unpack`, if it is given.
    pub unpack: Option<bool>,
    /// The values of `--exclude`. Never expanded.
    pub excludes: Vec<Text<'t>>,
    /// What is added; at least one.
    pub sources: Vec<Source<'t>>,
    /// Where it goes.
    pub destination: Text<'t>,
    /// Sources and destination stand in a JSON array.
    pub json: bool,
}

impl<'t> Add<'t> {
    #[inline]
    pub(super) fn build(
        line: &mut Logical<'t>,
        head: &mut Head<'t>,
        heredocs: &[Heredoc<'t>],
    ) -> Result<Self, Fault> {
        let known = &[
            ("chown", Takes::One),
            ("chmod", Takes::One),
            ("link", Takes::Bool),
            ("keep-git-dir", Takes::Bool),
            ("checksum", Takes::One),
            ("unpack", Takes::Bool),
            ("exclude", Takes::Many),
        ];
        let (files, flags) = Sources::read(line, head, heredocs, "ADD", known)?;
        Ok(Self {
            chown: flags.one("chown"),
            chmod: flags.one("chmod"),
            link: flags.bool("link").unwrap_or(false),
            keep_git_dir: flags.bool("keep-git-dir"),
            checksum: flags.one("checksum"),
            unpack: flags.bool("unpack"),
            excludes: flags.many("exclude"),
            sources: files.list,
            destination: files.destination,
            json: files.json,
        })
    }
}
