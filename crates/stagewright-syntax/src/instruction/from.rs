//! `FROM [--platform=…] image [AS name]`.

use super::flag::{Flags, Takes};
use crate::error::ErrorKind;
use crate::go;
use crate::logical::Logical;
use crate::parts::{Fault, Head};
use crate::text::Text;
use crate::word;

/// `FROM`: the start of a build stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct From<'t> {
    /// The value of `--platform`.
    pub platform: Option<Text<'t>>,
    /// The base: an image, another stage, or `scratch`; not expanded.
    pub image: Text<'t>,
    /// The word `AS`, as written.
    pub as_word: Option<Text<'t>>,
    /// The stage's name as written. `BuildKit` lowers it: see [`stage_name`](Self::stage_name).
    pub name: Option<Text<'t>>,
}

impl<'t> From<'t> {
    #[inline]
    pub(super) fn build(line: &mut Logical<'t>, head: &mut Head<'t>) -> Result<Self, Fault> {
        let mut args = word::list(line.text(), head.args.clone()).map(|word| line.slice(word));
        let (image, as_word, name) = match (args.next(), args.next(), args.next(), args.next()) {
            (Some(image), None, _, _) => (image, None, None),
            (Some(image), Some(as_word), Some(name), None) if is_as(&as_word) => {
                (image, Some(as_word), Some(name))
            }
            _ => {
                return Err(Fault::new(
                    ErrorKind::ArgumentCount,
                    "FROM requires either one or three arguments",
                    head.args_span(line),
                ));
            }
        };
        if let Some(name) = &name
            && !is_stage_name(&go::lower(name))
        {
            let shown = go::quote(name);
            return Err(Fault::new(
                ErrorKind::InvalidStageName,
                format!(
                    "invalid name for build stage: {shown}, name can't start with a number or contain symbols"
                ),
                name.span,
            ));
        }
        let flags = Flags::check(head, &[("platform", Takes::One)])?;
        Ok(Self {
            platform: flags.one("platform"),
            image,
            as_word,
            name,
        })
    }

    /// The stage's name as `BuildKit` knows it: in lower case.
    pub fn stage_name(&self) -> Option<String> {
        self.name.as_ref().map(|name| go::lower(name))
    }
}

/// `strings.EqualFold(word, "as")`, which takes the long s for an s.
fn is_as(word: &str) -> bool {
    let mut chars = word.chars();
    matches!(chars.next(), Some('a' | 'A'))
        && matches!(chars.next(), Some('s' | 'S' | 'ſ'))
        && chars.next().is_none()
}

/// `^[a-z][a-z0-9-_.]*$`.
fn is_stage_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name
            .bytes()
            .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.'))
}
