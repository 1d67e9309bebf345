//! The first pass over a file: where each instruction begins and ends (`Parse` in `parser/parser.go`).
//!
//! It keeps nine bytes for each instruction, and eight for each line of a continuation; everything else is read again when
//! it is asked for.

use crate::directive::{self, Directive};
use crate::error::{ErrorKind, SyntaxError};
use crate::heredoc;
use crate::instruction::Keyword;
use crate::json;
use crate::line::{Inner, Lines, classify, continuation};
use crate::logical::{Logical, Piece};
use crate::parts::{Fault, FaultParts};
use crate::text::{Span, offset, reserve};
use crate::word;

/// An instruction's place and kind.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed)]
pub(crate) struct Record {
    /// Offset of the instruction's name.
    pub(crate) start: u32,
    /// End of its last line, heredocs included, without the line break.
    pub(crate) end: u32,
    kind: u8,
}

/// Bits of [`Record::kind`] beside the keyword.
const HEREDOCS: u8 = 0x20;
const CONTINUED: u8 = 0x40;

impl Record {
    pub(crate) fn keyword(self) -> Keyword {
        Keyword::from_index(self.kind & 0x1f)
    }

    /// Whether the instruction has heredocs.
    pub(crate) fn has_heredocs(self) -> bool {
        self.kind & HEREDOCS != 0
    }

    /// Whether the instruction's logical line ends in an escape character or goes on in another physical line.
    pub(crate) fn is_continued(self) -> bool {
        self.kind & CONTINUED != 0
    }
}

/// What the first pass finds.
#[derive(Clone, Debug)]
pub(crate) struct Lexed<'t> {
    pub(crate) escape: u8,
    pub(crate) directives: Vec<Directive<'t>>,
    pub(crate) records: Vec<Record>,
    /// The pieces of all lines with continuations, by place.
    pub(crate) pieces: Vec<Piece>,
    /// Faults of lines and heredocs, in the order of the file.
    pub(crate) faults: Vec<SyntaxError>,
}

/// Reads a file.
pub(crate) fn read(text: &str) -> Lexed<'_> {
    let bom = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let mut lexer = Lexer {
        text,
        lines: Lines::new(text.as_bytes(), bom),
        in_directives: true,
        found: Lexed {
            escape: b'\\',
            directives: Vec::new(),
            records: Vec::new(),
            pieces: Vec::new(),
            faults: Vec::new(),
        },
    };
    if u32::try_from(text.len()).is_err() {
        let message = "the file is 4 GiB or larger and was not read".to_owned();
        lexer.fault(ErrorKind::FileTooLarge, message, Span::new(0, 0), 0);
        return lexer.found;
    }
    lexer.run();
    lexer.found
}

struct Lexer<'t> {
    text: &'t str,
    lines: Lines<'t>,
    in_directives: bool,
    found: Lexed<'t>,
}

impl Lexer<'_> {
    fn run(&mut self) {
        let bytes = self.text.as_bytes();
        self.found
            .records
            .reserve_exact((bytes.len() / 48).clamp(4, 1024));
        while let Some(line) = self.lines.next() {
            if line.too_long {
                self.too_long(line.start, line.end);
                self.in_directives = false;
                continue;
            }
            let start = crate::go::skip_space(self.text, line.start, line.end);
            if start == line.end {
                self.in_directives = false;
            } else if bytes[start] == b'#' {
                if self.in_directives {
                    self.directive(start, line.end);
                }
            } else {
                self.in_directives = false;
                self.instruction(start, line.end);
            }
        }
        if self.found.records.is_empty() && self.found.faults.is_empty() {
            let end = offset(bytes.len());
            let unended = !self.text.is_empty() && !self.text.ends_with('\n');
            let lines = self.lines_before(bytes.len()) + u32::from(unended);
            self.fault(
                ErrorKind::NoInstructions,
                "file with no instructions".to_owned(),
                Span::new(end, end),
                lines,
            );
        }
    }

    fn directive(&mut self, start: usize, end: usize) {
        let Some(directive) = directive::read(self.text, start, end, "#") else {
            self.in_directives = false;
            return;
        };
        let line = self.lines_before(start);
        let name = crate::go::lower(&directive.name);
        if self.found.directives.iter().any(|other| other.is(&name)) {
            let message = format!("only one {name} parser directive can be used");
            self.fault(ErrorKind::DuplicateDirective, message, directive.span, line);
            return;
        }
        if name == "escape" {
            match &*directive.value {
                "\\" => self.found.escape = b'\\',
                "`" => self.found.escape = b'`',
                other => {
                    let message = format!("invalid escape token '{other}' does not match ` or \\");
                    self.fault(
                        ErrorKind::InvalidEscape,
                        message,
                        directive.value.span,
                        line,
                    );
                }
            }
        }
        self.found.directives.push(directive);
    }

    fn instruction(&mut self, start: usize, first_end: usize) {
        let bytes = self.text.as_bytes();
        let escape = self.found.escape;
        let (mut kind, mut end) = (0, first_end);
        let first_piece = self.found.pieces.len();
        if let Some(piece_end) = continuation(bytes, start, first_end, escape) {
            kind = CONTINUED;
            end = self.continued(start, piece_end, first_end);
        }
        let keyword = Keyword::at_start(&bytes[start..]).unwrap_or_else(|| {
            // Or it is unknown, or short of arguments; or the name may go on in the next line, or end in white space beyond ASCII.
            let line = match kind {
                0 => Logical::single(self.text, start, end),
                _ => Logical::joined(self.text, start, &self.found.pieces[first_piece..]),
            };
            let (name, _) = word::keyword(line.text(), 0..line.text().len());
            Keyword::parse(&line.text()[name])
        });
        if (keyword.takes_heredocs() || keyword == Keyword::Onbuild)
            && self.lines.marked_since(start)
            && memchr::memchr(b'<', &bytes[start..end]).is_some()
        {
            let pieces = std::mem::take(&mut self.found.pieces);
            let line = match kind {
                0 => Logical::single(self.text, start, end),
                _ => Logical::joined(self.text, start, &pieces[first_piece..]),
            };
            if let Some(last) = self.heredocs(&line, start) {
                kind |= HEREDOCS;
                end = last;
            }
            self.found.pieces = pieces;
        }
        reserve(&mut self.found.records, self.lines.at(), bytes.len());
        self.found.records.push(Record {
            start: offset(start),
            end: offset(end),
            kind: kind | keyword as u8,
        });
    }

    /// Notes the pieces of an instruction whose first line is continued; gives the end of its last line.
    fn continued(&mut self, start: usize, piece_end: usize, first_end: usize) -> usize {
        let bytes = self.text.as_bytes();
        let mut end = first_end;
        let mut joined = 0;
        if self.found.pieces.is_empty() {
            let pieces = (bytes.len() - start) / 64;
            self.found.pieces.reserve_exact(pieces.clamp(4, 1024));
        }
        self.piece(&mut joined, start, piece_end);
        while let Some(line) = self.lines.next() {
            if line.too_long {
                // The main loop reports it; the instruction ends before it.
                self.lines = Lines::new(bytes, line.start);
                break;
            }
            end = line.end;
            if !matches!(classify(self.text, line), Inner::Data) {
                continue;
            }
            let piece = continuation(bytes, line.start, line.end, self.found.escape);
            self.piece(&mut joined, line.start, piece.unwrap_or(line.end));
            if piece.is_none() {
                break;
            }
        }
        let next = self.lines.at();
        let last = next - usize::from(bytes[next - 1] == b'\n');
        self.found.pieces.push(Piece {
            joined: offset(joined),
            source: offset(last),
        });
        end
    }

    /// Notes a piece, if it is not empty; there is room for another one then.
    #[inline]
    fn piece(&mut self, joined: &mut usize, start: usize, end: usize) {
        reserve(&mut self.found.pieces, self.lines.at(), self.text.len());
        if end > start {
            self.found.pieces.push(Piece {
                joined: offset(*joined),
                source: offset(start),
            });
            *joined += end - start;
            reserve(&mut self.found.pieces, self.lines.at(), self.text.len());
        }
    }

    /// Skips the bodies of an instruction's heredocs: where the last one ends.
    fn heredocs(&mut self, line: &Logical<'_>, start: usize) -> Option<usize> {
        if !may_hold_heredocs(line, self.found.escape) {
            return None;
        }
        let declared = match heredoc::declared_in(line.text()) {
            Ok(declared) => declared,
            Err(error) => {
                let number = self.lines_before(start) + 1;
                let span = line.span(0..line.text().len());
                self.fault(
                    ErrorKind::InvalidHeredoc,
                    error.message().to_owned(),
                    span,
                    number,
                );
                return None;
            }
        };
        let mut end = None;
        for found in declared {
            let body = heredoc::body(&mut self.lines, self.text, &found.name, found.chomp);
            if body.unterminated {
                let number = self.lines_before(start) + 1;
                let message = "unterminated heredoc".to_owned();
                self.fault(
                    ErrorKind::UnterminatedHeredoc,
                    message,
                    line.span(found.range),
                    number,
                );
            }
            end = Some(body.end);
        }
        end
    }

    fn too_long(&mut self, start: usize, end: usize) {
        let line = self.lines_before(start);
        let span = Span::from(start..end);
        if self.found.records.is_empty() && self.found.faults.is_empty() {
            // BuildKit stops reading here and then finds that it has read nothing.
            let message = "file with no instructions".to_owned();
            self.fault(
                ErrorKind::NoInstructions,
                message,
                Span::new(span.start, span.start),
                line,
            );
        }
        let message = "dockerfile line greater than max allowed size of 65535".to_owned();
        self.fault(ErrorKind::LineTooLong, message, span, line);
    }

    /// Number of line breaks before a place. Only asked for faults, of which there are few.
    fn lines_before(&self, at: usize) -> u32 {
        offset(memchr::memchr_iter(b'\n', &self.text.as_bytes()[..at]).count())
    }

    fn fault(&mut self, kind: ErrorKind, message: String, span: Span, line: u32) {
        if self.found.faults.len() < crate::file::MAX_ERRORS {
            self.found.faults.push(SyntaxError {
                kind,
                message,
                line,
                span,
            });
        }
    }
}

/// Whether heredocs count in an instruction (`canContainHeredoc`): not in exec form, and under `ONBUILD` only directly.
fn may_hold_heredocs(line: &Logical<'_>, escape: u8) -> bool {
    let text = line.text();
    if !text.contains("<<") {
        return false;
    }
    let (name, rest) = word::keyword(text, 0..text.len());
    let mut keyword = Keyword::parse(&text[name]);
    let (_, mut args) = word::flags(line, rest, escape);
    if keyword == Keyword::Onbuild {
        let (name, rest) = word::keyword(text, args);
        keyword = Keyword::parse(&text[name]);
        args = word::flags(line, rest, escape).1;
    }
    keyword.takes_heredocs() && json::read(&text[args], &mut |_, _| {}) == json::Array::Not
}

/// The fault of an instruction as an error of the file.
pub(crate) fn locate(fault: Fault, line: u32) -> SyntaxError {
    let FaultParts {
        kind,
        message,
        span,
    } = fault.parts();
    SyntaxError {
        kind,
        message,
        line,
        span,
    }
}
