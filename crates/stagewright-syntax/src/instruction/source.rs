//! The sources and the destination of `COPY` and `ADD`.

use crate::error::ErrorKind;
use crate::heredoc::{self, Heredoc};
use crate::node::{Args, Fault, Node};
use crate::text::Text;

/// A source of `COPY` or `ADD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source<'t> {
    /// The word as written: a path, a pattern, an address or a heredoc.
    pub text: Text<'t>,
    /// The heredoc that the word names; its body becomes a file of that name.
    pub heredoc: Option<Heredoc<'t>>,
}

/// What `COPY` and `ADD` have in common (`parseSourcesAndDest` in `instructions/parse.go`).
pub(super) struct Sources<'t> {
    pub(super) list: Vec<Source<'t>>,
    pub(super) destination: Text<'t>,
    pub(super) json: bool,
}

impl<'t> Sources<'t> {
    /// Takes the words of an instruction; a fault if there are fewer than two.
    pub(super) fn words(node: &mut Node<'t>, name: &str) -> Result<(Vec<Text<'t>>, bool), Fault> {
        let span = node.args_span();
        let (words, json) = match std::mem::replace(&mut node.args, Args::None) {
            Args::List(words) => (words, false),
            Args::Json(words) => (words, true),
            _ => (Vec::new(), false),
        };
        if words.len() < 2 {
            return Err(Fault::new(
                ErrorKind::ArgumentCount,
                format!(
                    "{name} requires at least two arguments, but only one was provided. Destination could not be determined"
                ),
                span,
            ));
        }
        Ok((words, json))
    }

    pub(super) fn build(
        (mut words, json): (Vec<Text<'t>>, bool),
        heredocs: &[Heredoc<'t>],
        name: &str,
    ) -> Result<Self, Fault> {
        let destination = words.pop().expect("there are at least two words");
        if heredoc::declared(&destination).is_ok_and(|found| found.is_some()) {
            return Err(Fault::new(
                ErrorKind::HeredocDestination,
                format!("{name} cannot accept a heredoc as a destination"),
                destination.span,
            ));
        }
        let sources = words
            .into_iter()
            .map(|text| {
                let heredoc = if text.contains("<<") {
                    named(&text, heredocs)
                } else {
                    None
                };
                Source { text, heredoc }
            })
            .collect();
        Ok(Self {
            list: sources,
            destination,
            json,
        })
    }
}

/// The heredoc that a source names: of several with one name `BuildKit` takes the last body, and of a word that no heredoc
/// was read for (in the JSON form) an empty one.
fn named<'t>(text: &Text<'t>, heredocs: &[Heredoc<'t>]) -> Option<Heredoc<'t>> {
    let declared = heredoc::declared(text).ok()??;
    let body = heredocs
        .iter()
        .rev()
        .find(|heredoc| heredoc.name == declared.name.as_str());
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
