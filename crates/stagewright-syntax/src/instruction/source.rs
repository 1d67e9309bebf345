//! The sources and the destination of `COPY` and `ADD`.

use super::flag::{Flags, Takes};
use super::remote::SourceKind;
use crate::error::ErrorKind;
use crate::git::GitRefError;
use crate::go;
use crate::heredoc::{self, Heredoc};
use crate::logical::Logical;
use crate::parts::{self, Fault, Head};
use crate::text::Text;
use crate::word;
use std::collections::HashMap;

/// A source of `COPY` or `ADD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source<'t> {
    /// The word as written: a path, a pattern, an address or a heredoc.
    pub text: Text<'t>,
    /// The heredoc that the word names; its body becomes a file of that name.
    pub heredoc: Option<Box<Heredoc<'t>>>,
}

impl Source<'_> {
    /// What the word names if it stands in `ADD` and holds no variable; with variables, expand it and ask [`SourceKind::parse`].
    /// Nothing for a heredoc.
    pub fn kind(&self) -> Option<Result<SourceKind<'_>, GitRefError>> {
        self.heredoc
            .is_none()
            .then(|| SourceKind::parse(&self.text))
    }
}

/// What `COPY` and `ADD` have in common (`parseSourcesAndDest` in `instructions/parse.go`).
pub(super) struct Sources<'t> {
    pub(super) list: Vec<Source<'t>>,
    pub(super) destination: Text<'t>,
    pub(super) json: bool,
}

impl<'t> Sources<'t> {
    /// Reads the words of an instruction, and, between counting them and looking at them, its flags.
    #[inline]
    pub(super) fn read(
        line: &Logical<'t>,
        head: &mut Head<'t>,
        heredocs: &[Heredoc<'t>],
        name: &str,
        known: &[(&str, Takes)],
    ) -> Result<(Self, Flags<'t>), Fault> {
        let source = |text| Source {
            text,
            heredoc: None,
        };
        let args = head.args.clone();
        let words = parts::json(line, args.clone())?;
        let json = words.is_some();
        let mut list = words.map_or_else(
            || {
                let words = word::list(line.text(), args.clone());
                word::collect(words, &args, |word| source(line.slice(word)))
            },
            |words| words.into_iter().map(source).collect(),
        );
        if list.len() < 2 {
            return Err(Fault::new(
                ErrorKind::ArgumentCount,
                format!(
                    "{name} requires at least two arguments, but only one was provided. Destination could not be determined"
                ),
                head.args_span(line),
            ));
        }
        let flags = Flags::check(head, known)?;
        let destination = list.pop().expect("there are at least two words").text;
        // A string of a JSON array may hold the sign as an escape.
        let marked = json || go::find(b'<', &line.text().as_bytes()[args]).is_some();
        if marked && heredoc::declared(&destination).is_ok_and(|found| found.is_some()) {
            return Err(Fault::new(
                ErrorKind::HeredocDestination,
                format!("{name} cannot accept a heredoc as a destination"),
                destination.span,
            ));
        }
        if marked {
            // Of several with one name the last stays.
            let named: HashMap<&str, &Heredoc<'t>> = heredocs
                .iter()
                .map(|heredoc| (&*heredoc.name, heredoc))
                .collect();
            for source in &mut list {
                source.heredoc = of_source(&source.text, &named).map(Box::new);
            }
        }
        let sources = Self {
            list,
            destination,
            json,
        };
        Ok((sources, flags))
    }
}

/// The heredoc that a source names: of several with one name `BuildKit` takes the last body, and of a word that no heredoc
/// was read for (in the JSON form) an empty one.
fn of_source<'t>(text: &Text<'t>, named: &HashMap<&str, &Heredoc<'t>>) -> Option<Heredoc<'t>> {
    let declared = heredoc::declared(text).ok()??;
    let body = named.get(declared.name.as_str());
    Some(Heredoc {
        name: Text {
            value: declared.name.into(),
            span: text.span,
        },
        expand: declared.expand,
        chomp: declared.chomp,
        fd: declared.fd,
        content: body.map(|body| body.content.clone()).unwrap_or_default(),
        span: body.map(|body| body.span).unwrap_or_default(),
    })
}
