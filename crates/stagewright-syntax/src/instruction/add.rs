//! `ADD`.

use super::flag::{Flags, Takes};
use super::source::{FileWords, Source, Sources};
use crate::heredoc::Heredoc;
use crate::node::{Fault, Node};
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
    pub(super) fn build(mut node: Node<'t>, heredocs: &[Heredoc<'t>]) -> Result<Self, Fault> {
        let words = FileWords::of(&mut node, "ADD")?;
        let flags = Flags::check(
            &mut node,
            &[
                ("chown", Takes::One),
                ("chmod", Takes::One),
                ("link", Takes::Bool),
                ("keep-git-dir", Takes::Bool),
                ("checksum", Takes::One),
                ("unpack", Takes::Bool),
                ("exclude", Takes::Many),
            ],
        )?;
        let Sources {
            list: sources,
            destination,
            json,
        } = words.split(heredocs, "ADD")?;
        Ok(Self {
            chown: flags.one("chown"),
            chmod: flags.one("chmod"),
            link: flags.bool("link").unwrap_or(false),
            keep_git_dir: flags.bool("keep-git-dir"),
            checksum: flags.one("checksum"),
            unpack: flags.bool("unpack"),
            excludes: flags.many("exclude"),
            sources,
            destination,
            json,
        })
    }
}
