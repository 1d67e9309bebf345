//! `VOLUME path …` and `VOLUME ["path", …]`.

use super::at_least_one;
use super::flag::Flags;
use crate::error::ErrorKind;
use crate::go;
use crate::logical::Logical;
use crate::parts::{self, Fault, Head};
use crate::text::Text;
use crate::word;

/// `VOLUME`: names paths that are volumes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume<'t> {
    /// The paths as written; at least one. `BuildKit` trims white space around each.
    pub paths: Vec<Text<'t>>,
    /// The paths stand in a JSON array.
    pub json: bool,
}

impl<'t> Volume<'t> {
    #[inline]
    pub(super) fn build(line: &mut Logical<'t>, head: &mut Head<'t>) -> Result<Self, Fault> {
        let strings = parts::json(line, head.args.clone())?;
        let json = strings.is_some();
        let paths = strings.unwrap_or_else(|| {
            let words = word::list(line.text(), head.args.clone());
            word::collect(words, &head.args, |word| line.slice(word))
        });
        if paths.is_empty() {
            return Err(at_least_one(line, head, "VOLUME"));
        }
        Flags::none(head)?;
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
