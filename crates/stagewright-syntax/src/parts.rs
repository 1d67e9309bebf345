//! The first of `BuildKit`'s two readings: an instruction split into its parts, without regard to their meaning
//! (`parser/parser.go`, `parser/line_parsers.go`). Typed views are made from them, and `BuildKit`'s dump.

use crate::error::ErrorKind;
use crate::go;
use crate::instruction::{ArgPair, Flag, Keyword, Pair};
use crate::json;
use crate::logical::Logical;
use crate::text::{Span, Text, reserve};
use crate::word;
use std::ops::Range;

/// What is wrong, before it is known in which line of the file. Boxed, so that what is right stays small.
#[derive(Clone, Debug)]
pub(crate) struct Fault(Box<FaultParts>);

/// The parts of a fault.
#[derive(Clone, Debug)]
pub(crate) struct FaultParts {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) span: Span,
}

impl Fault {
    #[cold]
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>, span: Span) -> Self {
        Self(Box::new(FaultParts {
            kind,
            message: message.into(),
            span,
        }))
    }

    pub(crate) fn parts(self) -> FaultParts {
        *self.0
    }

    pub(crate) const fn kind(&self) -> ErrorKind {
        self.0.kind
    }
}

/// Name and flags of an instruction, and where its arguments stand in the joined line.
pub(crate) struct Head<'t> {
    pub(crate) keyword: Keyword,
    pub(crate) escape: u8,
    pub(crate) name: Range<usize>,
    pub(crate) flags: Vec<Flag<'t>>,
    /// Without white space at the ends.
    pub(crate) args: Range<usize>,
}

impl<'t> Head<'t> {
    /// The head of an instruction that is not read yet.
    #[inline]
    pub(crate) const fn new(keyword: Keyword, escape: u8) -> Self {
        Self {
            keyword,
            escape,
            name: 0..0,
            flags: Vec::new(),
            args: 0..0,
        }
    }

    /// Reads a whole line, the name of whose instruction is known.
    #[inline]
    pub(crate) fn read(&mut self, line: &Logical<'t>) {
        let text = line.text();
        // Names with characters beyond ASCII are longer; and white space comes first where the line before was a continuation and no more.
        let len = self.keyword.as_str().len();
        let (name, rest) = match text.as_bytes().get(len) {
            Some(b' ') if len > 0 && text.as_bytes()[0].is_ascii_graphic() => {
                let start = go::skip_blanks(text.as_bytes(), len + 1);
                (0..len, start..go::trim_end(text, start, text.len()))
            }
            _ => word::keyword(text, 0..text.len()),
        };
        self.name = name;
        self.args = word::read_flags(line, rest, self.escape, &mut self.flags);
    }

    /// Reads the instruction that stands in `range`.
    pub(crate) fn within(line: &Logical<'t>, range: Range<usize>, escape: u8) -> Self {
        let (name, rest) = word::keyword(line.text(), range);
        let (flags, args) = word::flags(line, rest, escape);
        Self {
            keyword: Keyword::parse(&line.text()[name.clone()]),
            escape,
            name,
            flags,
            args,
        }
    }

    /// The span of the arguments, or of the name if there are none.
    pub(crate) fn args_span(&self, line: &Logical<'t>) -> Span {
        let range = if self.args.is_empty() {
            &self.name
        } else {
            &self.args
        };
        line.span(range.clone())
    }
}

/// The words of `ARG` (`parseNameOrNameVal`), each split at its first `=`.
#[inline]
pub(crate) fn arguments<'t>(
    line: &Logical<'t>,
    args: Range<usize>,
    escape: u8,
) -> Vec<ArgPair<'t>> {
    let text = line.text();
    let pair = |word: Range<usize>| {
        let equals = go::find(b'=', &text.as_bytes()[word.clone()]).map(|at| word.start + at);
        ArgPair {
            key: line.slice(word.start..equals.unwrap_or(word.end)),
            value: equals.map(|equals| line.behind(equals, word.end)),
        }
    };
    word::collect(word::words(text, args.clone(), escape), &args, pair)
}

/// The strings of a JSON array, if the arguments are one.
#[inline]
pub(crate) fn json<'t>(
    line: &Logical<'t>,
    args: Range<usize>,
) -> Result<Option<Vec<Text<'t>>>, Fault> {
    let text = line.text();
    if text.as_bytes().get(args.start) != Some(&b'[') || args.is_empty() {
        return Ok(None);
    }
    json_array(line, args)
}

fn json_array<'t>(line: &Logical<'t>, args: Range<usize>) -> Result<Option<Vec<Text<'t>>>, Fault> {
    let text = line.text();
    let mut texts = Vec::with_capacity(4);
    let array = json::read(&text[args.clone()], &mut |value, range| {
        reserve(&mut texts, range.start, args.len());
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

/// Keys and values, in the old form or the new one.
pub(crate) struct KeyValues<'t> {
    pub(crate) pairs: Vec<Pair<'t>>,
    pub(crate) legacy: bool,
}

/// The arguments of `ENV` and `LABEL` (`parseNameVal`); nothing if there are none.
#[inline]
pub(crate) fn pairs<'t>(
    line: &Logical<'t>,
    args: Range<usize>,
    escape: u8,
    name: &str,
) -> Result<Option<KeyValues<'t>>, Fault> {
    let text = line.text();
    let (start, len) = (args.start, args.len());
    let mut words = word::words(text, args.clone(), escape);
    let Some(mut word) = words.next() else {
        return Ok(None);
    };
    // The first word decides for the whole instruction.
    if go::find(b'=', &text.as_bytes()[word.clone()]).is_none() {
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
        };
        return Ok(Some(KeyValues {
            pairs: vec![pair],
            legacy: true,
        }));
    }
    let mut pairs = Vec::with_capacity(1);
    loop {
        reserve(&mut pairs, word.start - start, len);
        let Some(key) = go::find(b'=', &text.as_bytes()[word.clone()]) else {
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
            value: line.behind(equals, word.end),
        });
        match words.next() {
            Some(next) => word = next,
            None => break,
        }
    }
    Ok(Some(KeyValues {
        pairs,
        legacy: false,
    }))
}

/// The arguments of `HEALTHCHECK` (`parseHealthConfig`): the first word, which ends at a byte that is white space in
/// Latin-1, and what follows it.
pub(crate) fn health(line: &Logical<'_>, args: Range<usize>) -> (Range<usize>, Range<usize>) {
    let text = line.text();
    let bytes = text.as_bytes();
    let mut stop = args.start;
    while stop < args.end && (!go::is_space_byte(bytes[stop]) || !text.is_char_boundary(stop)) {
        stop += 1;
    }
    let mut rest = stop;
    while rest < args.end && bytes[rest].is_ascii() && go::is_space_byte(bytes[rest]) {
        rest += 1;
    }
    (args.start..stop, rest..args.end)
}

/// What stands behind `ONBUILD` as `BuildKit` stores it: all of the line after the name.
pub(crate) fn expression(line: &Logical<'_>, head: &Head<'_>) -> Range<usize> {
    let bytes = line.text().as_bytes();
    let blank = |b: &&u8| matches!(b, b'\t' | b'\n' | 0x0c | b'\r' | b' ');
    let start = head.name.end + bytes[head.name.end..].iter().take_while(blank).count();
    start..bytes.len()
}
