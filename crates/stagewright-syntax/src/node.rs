//! The first of `BuildKit`'s two readings: an instruction split into its parts, without regard to their meaning
//! (`parser/parser.go`, `parser/line_parsers.go`). Typed views are made from it.

use crate::error::ErrorKind;
use crate::go;
use crate::instruction::{ArgPair, Flag, Keyword, Pair};
use crate::json;
use crate::logical::{Logical, Map};
use crate::text::{Span, Text};
use crate::word;
use smallvec::SmallVec;
use std::ops::Range;

/// What is wrong, before it is known in which line of the file.
#[derive(Clone, Debug)]
pub(crate) struct Fault {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) span: Span,
}

impl Fault {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>, span: Span) -> Self {
        Self {
            kind,
            message: message.into(),
            span,
        }
    }
}

/// An instruction split into its parts.
#[derive(Clone, Debug)]
pub(crate) struct Node<'t> {
    pub(crate) keyword: Keyword,
    pub(crate) name: Text<'t>,
    pub(crate) flags: Vec<Flag<'t>>,
    pub(crate) args: Args<'t>,
    /// From the name to the end of the arguments.
    pub(crate) span: Span,
}

/// A few words.
pub(crate) type Words<'t> = SmallVec<[Text<'t>; 4]>;

/// The arguments of an instruction.
#[derive(Clone, Debug)]
pub(crate) enum Args<'t> {
    /// Nothing follows.
    None,
    /// The rest of the line as one string, with the way back to the source.
    Whole(Text<'t>, Map),
    /// Words.
    List(Words<'t>),
    /// A JSON array of strings.
    Json(Vec<Text<'t>>),
    /// Keys and values.
    Pairs { pairs: Vec<Pair<'t>>, legacy: bool },
    /// The words of `ARG`.
    Arguments(Vec<ArgPair<'t>>),
    /// `HEALTHCHECK`: the first word and what follows.
    Health { kind: Text<'t>, rest: Box<Args<'t>> },
    /// `ONBUILD`: the instruction it holds.
    Trigger(Box<Trigger<'t>>),
    /// Of an unknown instruction: not looked at.
    Ignored(Text<'t>),
}

/// What stands after `ONBUILD`.
#[derive(Clone, Debug)]
pub(crate) struct Trigger<'t> {
    /// Further `ONBUILD`s before the instruction, which are faults; a list, so that a line of a million of them needs no
    /// deep recursion.
    pub(crate) chain: Vec<(Text<'t>, Vec<Flag<'t>>)>,
    pub(crate) node: Node<'t>,
    /// What `BuildKit` stores in the image, but for heredocs.
    pub(crate) expression: Text<'t>,
}

impl<'t> Node<'t> {
    /// Splits the joined line of an instruction, whose name is known.
    pub(crate) fn read(line: Logical<'t>, keyword: Keyword, escape: u8) -> Result<Self, Fault> {
        let (name, rest) = word::keyword(line.text(), 0..line.text().len());
        let head = Head::behind(&line, keyword, name, rest, escape);
        if head.keyword == Keyword::Onbuild && !head.args.is_empty() {
            return Self::onbuild(line, head, escape);
        }
        head.finish(line, escape)
    }

    fn onbuild(line: Logical<'t>, outer: Head<'t>, escape: u8) -> Result<Self, Fault> {
        let mut inner = Head::read(&line, outer.args.clone(), escape);
        let mut chain = Vec::new();
        while inner.keyword == Keyword::Onbuild && !inner.args.is_empty() {
            let next = Head::read(&line, inner.args, escape);
            chain.push((inner.name, inner.flags));
            inner = next;
        }
        let text = line.text();
        let start = outer.after_name
            + text.as_bytes()[outer.after_name..]
                .iter()
                .take_while(|b| matches!(b, b'\t' | b'\n' | 0x0c | b'\r' | b' '))
                .count();
        let expression = line.slice(start..text.len());
        let trigger = Trigger {
            chain,
            node: inner.finish(line, escape)?,
            expression,
        };
        Ok(Self {
            keyword: outer.keyword,
            name: outer.name,
            flags: outer.flags,
            span: outer.span,
            args: Args::Trigger(Box::new(trigger)),
        })
    }

    /// The span of the arguments, or of the name if there are none.
    pub(crate) fn args_span(&self) -> Span {
        fn of(texts: &[Text<'_>]) -> Option<Span> {
            Some(texts.first()?.span.cover(texts.last()?.span))
        }
        let span = match &self.args {
            Args::None => None,
            Args::Whole(text, _) | Args::Ignored(text) => Some(text.span),
            Args::List(texts) => of(texts),
            Args::Json(texts) => of(texts),
            Args::Pairs { pairs, .. } => pairs
                .first()
                .zip(pairs.last())
                .map(|(a, b)| a.span.cover(b.span)),
            Args::Arguments(args) => args
                .first()
                .zip(args.last())
                .map(|(a, b)| a.span.cover(b.span)),
            Args::Health { kind, .. } => Some(Span::new(kind.span.start, self.span.end)),
            Args::Trigger(trigger) => Some(trigger.node.span),
        };
        span.unwrap_or(self.name.span)
    }
}

/// Name and flags of an instruction, and where its arguments stand in the joined line.
struct Head<'t> {
    keyword: Keyword,
    name: Text<'t>,
    after_name: usize,
    flags: Vec<Flag<'t>>,
    args: Range<usize>,
    span: Span,
}

impl<'t> Head<'t> {
    fn read(line: &Logical<'t>, range: Range<usize>, escape: u8) -> Self {
        let (name, rest) = word::keyword(line.text(), range);
        Self::behind(
            line,
            Keyword::parse(&line.text()[name.clone()]),
            name,
            rest,
            escape,
        )
    }

    fn behind(
        line: &Logical<'t>,
        keyword: Keyword,
        name: Range<usize>,
        rest: Range<usize>,
        escape: u8,
    ) -> Self {
        let (flags, args) = word::flags(line, rest, escape);
        Self {
            keyword,
            after_name: name.end,
            span: line.span(name.start..args.end.max(name.end)),
            name: line.slice(name),
            flags,
            args,
        }
    }

    fn finish(self, line: Logical<'t>, escape: u8) -> Result<Node<'t>, Fault> {
        let args = self.args;
        let args = match self.keyword {
            Keyword::Unknown => Args::Ignored(line.slice(args)),
            _ if args.is_empty() => Args::None,
            Keyword::Run | Keyword::Cmd | Keyword::Entrypoint | Keyword::Shell => {
                match json(&line, args.clone())? {
                    Some(texts) => Args::Json(texts),
                    None => whole(line, args),
                }
            }
            Keyword::Copy | Keyword::Add | Keyword::Volume => match json(&line, args.clone())? {
                Some(texts) => Args::Json(texts),
                None => Args::List(word::list(&line, args)),
            },
            Keyword::From | Keyword::Expose => Args::List(word::list(&line, args)),
            Keyword::Env => pairs(&line, args, escape, "ENV")?,
            Keyword::Label => pairs(&line, args, escape, "LABEL")?,
            Keyword::Arg => arguments(&line, args, escape),
            Keyword::Healthcheck => health(line, args)?,
            Keyword::Workdir
            | Keyword::User
            | Keyword::Stopsignal
            | Keyword::Maintainer
            | Keyword::Onbuild => whole(line, args),
        };
        Ok(Node {
            keyword: self.keyword,
            name: self.name,
            flags: self.flags,
            args,
            span: self.span,
        })
    }
}

fn whole(line: Logical<'_>, range: Range<usize>) -> Args<'_> {
    let (text, map) = line.take(range);
    Args::Whole(text, map)
}

/// The words of `ARG` (`parseNameOrNameVal`), each split at its first `=`.
fn arguments<'t>(line: &Logical<'t>, args: Range<usize>, escape: u8) -> Args<'t> {
    let text = line.text();
    let pair = |word: Range<usize>| {
        let equals = memchr::memchr(b'=', &text.as_bytes()[word.clone()]).map(|at| word.start + at);
        ArgPair {
            key: line.slice(word.start..equals.unwrap_or(word.end)),
            value: equals.map(|equals| line.slice(equals + 1..word.end)),
            span: line.span(word),
        }
    };
    let pairs: Vec<_> = word::words(text, args, escape).map(pair).collect();
    if pairs.is_empty() {
        Args::None
    } else {
        Args::Arguments(pairs)
    }
}

/// The strings of a JSON array, if the arguments are one.
fn json<'t>(line: &Logical<'t>, args: Range<usize>) -> Result<Option<Vec<Text<'t>>>, Fault> {
    let text = line.text();
    if text.as_bytes()[args.start] != b'[' {
        return Ok(None);
    }
    let mut texts = Vec::with_capacity(4);
    let array = json::read(&text[args.clone()], &mut |value, range| {
        texts.push(word::json_text(line, args.start, value, range));
    });
    match array {
        json::Array::Not => Ok(None),
        json::Array::Strings => Ok(Some(texts)),
        json::Array::NotStrings => Err(Fault::new(
            ErrorKind::JsonNotStrings,
            "when using JSON array syntax, arrays must be comprised of strings only",
            line.span(args),
        )),
    }
}

/// The arguments of `ENV` and `LABEL` (`parseNameVal`).
fn pairs<'t>(
    line: &Logical<'t>,
    args: Range<usize>,
    escape: u8,
    name: &str,
) -> Result<Args<'t>, Fault> {
    let text = line.text();
    let mut words = word::words(text, args.clone(), escape).peekable();
    let Some(first) = words.peek() else {
        return Ok(Args::None);
    };
    // The first word decides for the whole instruction.
    if memchr::memchr(b'=', &text.as_bytes()[first.clone()]).is_none() {
        let span = line.span(args.clone());
        let Some((key, value)) = word::split_once(text, args) else {
            return Err(Fault::new(
                ErrorKind::MissingValue,
                format!("{name} must have two arguments"),
                span,
            ));
        };
        let pair = Pair {
            key: line.slice(key),
            value: line.slice(value),
            span,
        };
        return Ok(Args::Pairs {
            pairs: vec![pair],
            legacy: true,
        });
    }
    let mut pairs = Vec::with_capacity(1);
    for word in words {
        let Some(key) = memchr::memchr(b'=', &text.as_bytes()[word.clone()]) else {
            let shown = go::quote(&text[word.clone()]);
            return Err(Fault::new(
                ErrorKind::MissingEquals,
                format!("Syntax error - can't find = in {shown}. Must be of the form: name=value"),
                line.span(word),
            ));
        };
        let equals = word.start + key;
        pairs.push(Pair {
            key: line.slice(word.start..equals),
            value: line.slice(equals + 1..word.end),
            span: line.span(word),
        });
    }
    Ok(Args::Pairs {
        pairs,
        legacy: false,
    })
}

/// The arguments of `HEALTHCHECK` (`parseHealthConfig`), whose first word ends at a byte that is white space in Latin-1.
fn health(line: Logical<'_>, args: Range<usize>) -> Result<Args<'_>, Fault> {
    let text = line.text();
    let bytes = text.as_bytes();
    let mut stop = args.start;
    while stop < args.end && (!go::is_space_byte(bytes[stop]) || !text.is_char_boundary(stop)) {
        stop += 1;
    }
    let rest = go::skip_space(text, stop, args.end)..args.end;
    let kind = line.slice(args.start..stop);
    let rest = if rest.is_empty() {
        Args::None
    } else {
        match json(&line, rest.clone())? {
            Some(texts) => Args::Json(texts),
            None => whole(line, rest),
        }
    };
    Ok(Args::Health {
        kind,
        rest: Box::new(rest),
    })
}
