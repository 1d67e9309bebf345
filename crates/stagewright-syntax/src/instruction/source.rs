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
    pub heredoc: Option<Box<Heredoc<'t>>>,
}

/// What `COPY` and `ADD` have in common (`parseSourcesAndDest` in `instructions/parse.go`).
pub(super) struct Sources<'t> {
    pub(super) list: Vec<Source<'t>>,
    pub(super) destination: Text<'t>,
    pub(super) json: bool,
}

/// The words of a list or a JSON array.
pub(super) struct FileWords<'t> {
    args: Args<'t>,
}

impl<'t> FileWords<'t> {
    /// Takes the words of an instruction; a fault if there are fewer than two.
    pub(super) fn of(node: &mut Node<'t>, name: &str) -> Result<Self, Fault> {
        let count = match &node.args {
            Args::List(words) => words.len(),
            Args::Json(words) => words.len(),
            _ => 0,
        };
        if count < 2 {
            return Err(Fault::new(
                ErrorKind::ArgumentCount,
                format!(
                    "{name} requires at least two arguments, but only one was provided. Destination could not be determined"
                ),
                node.args_span(),
            ));
        }
        let args = std::mem::replace(&mut node.args, Args::None);
        Ok(Self { args })
    }

    /// Tells sources from destination.
    pub(super) fn split(self, heredocs: &[Heredoc<'t>], name: &str) -> Result<Sources<'t>, Fault> {
        match self.args {
            Args::List(words) => Sources::build(words.into_iter(), heredocs, name, false),
            Args::Json(words) => Sources::build(words.into_iter(), heredocs, name, true),
            _ => unreachable!("the words were counted"),
        }
    }
}

impl<'t> Sources<'t> {
    fn build(
        mut words: impl DoubleEndedIterator<Item = Text<'t>>,
        heredocs: &[Heredoc<'t>],
        name: &str,
        json: bool,
    ) -> Result<Self, Fault> {
        let destination = words.next_back().expect("there are at least two words");
        if destination.contains("<<")
            && heredoc::declared(&destination).is_ok_and(|found| found.is_some())
        {
            return Err(Fault::new(
                ErrorKind::HeredocDestination,
                format!("{name} cannot accept a heredoc as a destination"),
                destination.span,
            ));
        }
        let source = |text: Text<'t>| {
            let heredoc = if text.contains("<<") {
                named(&text, heredocs).map(Box::new)
            } else {
                None
            };
            Source { text, heredoc }
        };
        Ok(Self {
            list: words.map(source).collect(),
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
