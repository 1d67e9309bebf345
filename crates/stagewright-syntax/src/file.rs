//! A whole Dockerfile and its instructions.

use crate::directive::Directive;
use crate::error::{ErrorKind, ReadError, SyntaxError};
use crate::heredoc::{self, Heredoc};
use crate::instruction::{Flag, Invalid, Keyword, View};
use crate::lex::{self, Record};
use crate::line::{Inner, classify, line_at};
use crate::logical::{Logical, Piece};
use crate::parts::{Fault, Head};
use crate::text::{LineIndex, Span, Text, count_breaks};
use crate::word;
use std::borrow::Cow;
use std::fmt;
use std::sync::OnceLock;

/// Errors that [`Dockerfile::errors`] lists at most; a file of a million faults needs no list of them all.
pub const MAX_ERRORS: usize = 10_000;

/// A Dockerfile: its text, and where each instruction stands in it.
///
/// It never changes. To change a Dockerfile, apply an [`EditSet`](crate::edit::EditSet) to its text and parse the result:
/// parsing costs about a microsecond for each KiB.
///
/// ```
/// use stagewright_syntax::{Dockerfile, View};
///
/// let file = Dockerfile::parse("FROM alpine:3.20 AS base\nRUN apk add curl \\\n  git\n");
/// let View::From(from) = file.instruction(0).view() else { panic!() };
/// assert_eq!(from.image, "alpine:3.20");
/// assert_eq!(&file.text()[from.image.span.range()], "alpine:3.20");
/// let View::Run(run) = file.instruction(1).view() else { panic!() };
/// assert_eq!(*run.command.shell().unwrap(), "apk add curl   git");
/// assert!(file.errors().is_empty());
/// ```
pub struct Dockerfile<'t> {
    text: &'t str,
    escape: u8,
    directives: Vec<Directive<'t>>,
    records: Vec<Record>,
    /// The pieces of all lines with continuations.
    pieces: Vec<Piece>,
    /// Faults of lines and heredocs.
    faults: Vec<SyntaxError>,
    errors: OnceLock<Vec<SyntaxError>>,
    breaks: OnceLock<Vec<u32>>,
}

impl<'t> Dockerfile<'t> {
    /// Reads a Dockerfile. It never fails: what is wrong is in [`errors`](Self::errors). Takes time in proportion to the
    /// text, and nine bytes for each instruction and eight for each line of a continuation.
    pub fn parse(text: &'t str) -> Self {
        let found = lex::read(text);
        Self {
            text,
            escape: found.escape,
            directives: found.directives,
            records: found.records,
            pieces: found.pieces,
            faults: found.faults,
            errors: OnceLock::new(),
            breaks: OnceLock::new(),
        }
    }

    /// Reads a Dockerfile from bytes, which must be UTF-8.
    pub fn from_bytes(bytes: &'t [u8]) -> Result<Self, ReadError> {
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Self::parse(text)),
            Err(error) => Err(ReadError::NotUtf8 {
                offset: error.valid_up_to(),
            }),
        }
    }

    /// The text, as it was given.
    pub const fn text(&self) -> &'t str {
        self.text
    }

    /// The escape character: a backslash, or a backtick where a directive says so.
    pub fn escape(&self) -> char {
        char::from(self.escape)
    }

    /// The parser directives at the top of the file.
    pub fn directives(&self) -> &[Directive<'t>] {
        &self.directives
    }

    /// Number of instructions.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether the file has no instruction.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The instructions in order.
    pub fn instructions(
        &self,
    ) -> impl ExactSizeIterator<Item = Instruction<'_>> + DoubleEndedIterator + Clone {
        (0..self.records.len()).map(|index| self.instruction(index))
    }

    /// An instruction, counted from 0.
    ///
    /// # Panics
    ///
    /// If there is no such instruction.
    pub fn instruction(&self, index: usize) -> Instruction<'_> {
        Instruction {
            file: self,
            record: self.records[index],
            index,
        }
    }

    /// The instruction that holds the byte at `offset`, if one does.
    pub fn instruction_at(&self, offset: u32) -> Option<Instruction<'_>> {
        let index = self
            .records
            .partition_point(|record| record.start <= offset)
            .checked_sub(1)?;
        let instruction = self.instruction(index);
        (offset <= instruction.span().end).then_some(instruction)
    }

    /// Lines and columns of the text.
    pub fn line_index(&self) -> LineIndex<'_> {
        LineIndex::from_counts(
            self.text,
            self.breaks.get_or_init(|| count_breaks(self.text)),
        )
    }

    /// What `BuildKit` would reject, sorted by place; empty if it accepts the file. At most [`MAX_ERRORS`].
    pub fn errors(&self) -> &[SyntaxError] {
        self.errors.get_or_init(|| self.find_errors())
    }

    fn find_errors(&self) -> Vec<SyntaxError> {
        let mut errors = self.faults.clone();
        let mut late = 0;
        let mut staged = false;
        for instruction in self.instructions() {
            let found = match instruction.read() {
                Err(fault) => Some(fault),
                Ok(_) if staged || instruction.keyword() == Keyword::Arg => None,
                Ok(View::From(_)) => {
                    staged = true;
                    None
                }
                Ok(_) => {
                    // Said once, as BuildKit does; the instructions after it are no better.
                    staged = true;
                    Some(Fault::new(
                        ErrorKind::NoStage,
                        "no build stage in current context",
                        instruction.span(),
                    ))
                }
            };
            if let Some(fault) = found {
                // An early fault decides what BuildKit says, so one is kept even behind many others.
                let early =
                    fault.kind().is_early() && !errors.iter().any(|error| error.kind.is_early());
                late += 1;
                if late <= MAX_ERRORS || early {
                    errors.push(lex::locate(fault, instruction.lines().0));
                }
            }
        }
        errors.sort_by_key(|error| error.span);
        errors
    }

    /// The comments in order, parser directives not among them.
    pub fn comments(&self) -> impl Iterator<Item = Comment<'_>> {
        Comments {
            file: self,
            at: if self.text.starts_with('\u{feff}') {
                3
            } else {
                0
            },
            next: 0,
            bodies: None,
        }
    }
}

impl Dockerfile<'_> {
    pub(crate) const fn escape_byte(&self) -> u8 {
        self.escape
    }

    /// Faults of lines and heredocs.
    pub(crate) fn faults(&self) -> &[SyntaxError] {
        &self.faults
    }

    /// Whether lines and heredocs are without fault.
    pub(crate) fn faults_are_none(&self) -> bool {
        self.faults.is_empty()
    }
}

impl fmt::Debug for Dockerfile<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dockerfile")
            .field("bytes", &self.text.len())
            .field("instructions", &self.records.len())
            .finish_non_exhaustive()
    }
}

impl Clone for Dockerfile<'_> {
    fn clone(&self) -> Self {
        Self {
            text: self.text,
            escape: self.escape,
            directives: self.directives.clone(),
            records: self.records.clone(),
            pieces: self.pieces.clone(),
            faults: self.faults.clone(),
            errors: OnceLock::new(),
            breaks: OnceLock::new(),
        }
    }
}

/// A comment: a line that starts with `#`, after white space at most.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment<'t> {
    /// What follows the `#`, not trimmed.
    pub text: &'t str,
    /// From the `#` to the end of the line.
    pub span: Span,
    /// The instruction inside whose continuation the comment stands.
    pub inside: Option<usize>,
}

struct Comments<'a> {
    file: &'a Dockerfile<'a>,
    at: usize,
    /// The first instruction that does not end before `at`.
    next: usize,
    /// Where the bodies of its heredocs begin, if that is known.
    bodies: Option<usize>,
}

impl<'a> Iterator for Comments<'a> {
    type Item = Comment<'a>;

    fn next(&mut self) -> Option<Comment<'a>> {
        let file = self.file;
        let bytes = file.text.as_bytes();
        while self.at < bytes.len() {
            let mut inside = None;
            if let Some(record) = file.records.get(self.next) {
                if self.at > record.end as usize {
                    self.next += 1;
                    self.bodies = None;
                    continue;
                }
                let line = line_at(bytes, self.at);
                if record.start as usize <= line.end {
                    if !record.is_continued() || line.start <= record.start as usize {
                        // The first line of an instruction is no comment.
                        self.at = if record.is_continued() {
                            line.next
                        } else {
                            line_at(bytes, (record.end as usize).max(line.start)).next
                        };
                        continue;
                    }
                    if record.has_heredocs() {
                        let instruction = file.instruction(self.next);
                        let bodies = *self
                            .bodies
                            .get_or_insert_with(|| instruction.logical().next);
                        if self.at >= bodies {
                            self.at = line_at(bytes, record.end as usize).next;
                            continue;
                        }
                    }
                    inside = Some(self.next);
                }
            }
            let line = line_at(bytes, self.at);
            self.at = line.next;
            if let Inner::Comment(start) = classify(file.text, line) {
                let span = Span::from(start..line.end);
                if file
                    .directives
                    .iter()
                    .any(|directive| directive.span == span)
                {
                    continue;
                }
                return Some(Comment {
                    text: &file.text[start + 1..line.end],
                    span,
                    inside,
                });
            }
        }
        None
    }
}

/// One instruction of a file. Its parts are read from the text when they are asked for.
#[derive(Clone, Copy)]
pub struct Instruction<'t> {
    file: &'t Dockerfile<'t>,
    record: Record,
    index: usize,
}

impl<'t> Instruction<'t> {
    /// Its number in the file, from 0.
    pub const fn index(&self) -> usize {
        self.index
    }

    /// The file it stands in.
    pub const fn file(&self) -> &'t Dockerfile<'t> {
        self.file
    }

    /// What instruction it is.
    pub fn keyword(&self) -> Keyword {
        self.record.keyword()
    }

    /// Its name as written.
    pub fn keyword_text(&self) -> Text<'t> {
        let line = self.logical();
        let (name, _) = word::keyword(line.text(), 0..line.text().len());
        line.slice(name)
    }

    /// From the first byte of the name to the end of the last line, heredocs included, without the last line break.
    pub fn span(&self) -> Span {
        Span::new(self.record.start, self.record.end)
    }

    /// First and last line, from 1.
    pub fn lines(&self) -> (u32, u32) {
        let index = self.file.line_index();
        (index.line(self.record.start), index.line(self.record.end))
    }

    /// The flags as written, known or not.
    pub fn flags(&self) -> Vec<Flag<'t>> {
        let line = self.logical();
        let (_, rest) = word::keyword(line.text(), 0..line.text().len());
        word::flags(&line, rest, self.file.escape).0
    }

    /// Where the arguments stand: after name and flags, to the last byte that is no white space.
    pub fn arguments(&self) -> Text<'t> {
        let mut line = self.logical();
        let (_, rest) = word::keyword(line.text(), 0..line.text().len());
        let (_, args) = word::flags(&line, rest, self.file.escape);
        line.take(args).0
    }

    /// The logical line: continuations joined, comments and blank lines between them dropped (`Original` in `BuildKit`).
    pub fn original(&self) -> Cow<'t, str> {
        self.logical().into_text()
    }

    /// The heredocs in the order of their bodies.
    pub fn heredocs(&self) -> Vec<Heredoc<'t>> {
        if self.record.has_heredocs() {
            heredoc::read(self.file.text, &self.logical())
        } else {
            Vec::new()
        }
    }

    /// The instruction with its parts, by kind; [`View::Invalid`] if it is faulty.
    pub fn view(&self) -> View<'t> {
        self.read().unwrap_or_else(|fault| {
            View::Invalid(Invalid {
                keyword: self.keyword(),
                error: lex::locate(fault, self.lines().0),
            })
        })
    }

    /// What is wrong with the instruction itself, if anything is. Faults of its heredocs and of its place in the file are
    /// in [`Dockerfile::errors`].
    pub fn error(&self) -> Option<SyntaxError> {
        let fault = self.read().err()?;
        Some(lex::locate(fault, self.lines().0))
    }

    /// The comments directly above, as `BuildKit` attaches them to the instruction (`PrevComment`): those since the
    /// instruction before, or since the last empty comment; blank lines between them do not matter.
    pub fn comments(&self) -> Vec<&'t str> {
        let text = self.file.text;
        let start = match self.index.checked_sub(1) {
            Some(before) => self.file.records[before].end as usize,
            None if text.starts_with('\u{feff}') => 3,
            None => 0,
        };
        let mut found = Vec::new();
        let mut at = start;
        while at < self.record.start as usize {
            let line = line_at(text.as_bytes(), at);
            at = line.next;
            let Inner::Comment(sign) = classify(text, line) else {
                continue;
            };
            let span = Span::from(sign..line.end);
            if self
                .file
                .directives
                .iter()
                .any(|directive| directive.span == span)
            {
                continue;
            }
            // BuildKit drops the first byte of the line, which is the sign only if nothing stands before it.
            let from = if sign == line.start { sign + 1 } else { sign };
            match crate::go::trim(&text[from..line.end]) {
                "" => found.clear(),
                comment => found.push(comment),
            }
        }
        found
    }

    pub(crate) fn logical(&self) -> Logical<'t> {
        let record = self.record;
        let (start, end) = (record.start as usize, record.end as usize);
        let text = self.file.text;
        if record.is_continued() {
            let pieces = &self.file.pieces;
            let first = pieces.partition_point(|piece| piece.source < record.start);
            Logical::joined(text, start, &pieces[first..])
        } else if record.has_heredocs() {
            Logical::rest(text, start)
        } else {
            Logical::single(text, start, end)
        }
    }

    pub(crate) const fn escape(&self) -> u8 {
        self.file.escape
    }

    #[inline]
    fn read(&self) -> Result<View<'t>, Fault> {
        let mut line = self.logical();
        let heredocs = if self.record.has_heredocs() {
            heredoc::read(self.file.text, &line)
        } else {
            Vec::new()
        };
        // Filled where it lies: a move of what was just written would have to wait for it.
        let mut head = Head::new(self.keyword(), self.file.escape);
        head.read(&line);
        View::build(&mut line, &mut head, heredocs)
    }
}

impl fmt::Debug for Instruction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instruction")
            .field("index", &self.index)
            .field("keyword", &self.keyword())
            .field("span", &self.span())
            .finish_non_exhaustive()
    }
}
