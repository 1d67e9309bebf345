//! Logical lines: the physical lines of an instruction joined as `BuildKit` joins them.

use crate::go;
use crate::text::{Span, Text, offset};
use std::borrow::Cow;
use std::ops::Range;

/// The longest physical line without its line break, in bytes (`bufio.MaxScanTokenSize - 1`).
pub(crate) const MAX_LINE: usize = 65_535;

/// One physical line of a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    /// Offset of the first byte.
    pub(crate) start: usize,
    /// End without the line break and the carriage returns before it.
    pub(crate) end: usize,
    /// Start of the next line; the length of the text if there is none.
    pub(crate) next: usize,
    /// Whether `BuildKit` refuses the line for its length.
    pub(crate) too_long: bool,
}

/// The physical line that starts at `start`.
#[inline]
pub(crate) fn line_at(bytes: &[u8], start: usize) -> Line {
    let (raw_end, next) = match go::find(b'\n', &bytes[start..]) {
        Some(len) => (start + len, start + len + 1),
        None => (bytes.len(), bytes.len()),
    };
    let mut end = raw_end;
    while end > start && bytes[end - 1] == b'\r' {
        end -= 1;
    }
    Line {
        start,
        end,
        next,
        too_long: raw_end - start > MAX_LINE,
    }
}

/// Where the line `start..end` ends without its continuation, or nothing if it is not continued: the escape character is
/// the last but for spaces and tabs, and does not follow itself (`lineContinuationRegex` in `parser/parser.go`).
#[inline]
pub(crate) fn continuation(bytes: &[u8], start: usize, end: usize, escape: u8) -> Option<usize> {
    let mut at = end;
    if at > start && bytes[at - 1] != escape && !matches!(bytes[at - 1], b' ' | b'\t') {
        return None;
    }
    while at > start && matches!(bytes[at - 1], b' ' | b'\t') {
        at -= 1;
    }
    if at == start || bytes[at - 1] != escape {
        return None;
    }
    at -= 1;
    (at == start || bytes[at - 1] != escape).then_some(at)
}

/// What a physical line inside a continuation is.
pub(crate) enum Inner {
    /// A comment, from its `#`: skipped.
    Comment(usize),
    /// White space only: skipped, and the continuation goes on.
    Blank,
    /// Data.
    Data,
}

#[inline]
pub(crate) fn classify(text: &str, line: Line) -> Inner {
    let first = go::skip_space(text, line.start, line.end);
    if first == line.end {
        Inner::Blank
    } else if text.as_bytes()[first] == b'#' {
        Inner::Comment(first)
    } else {
        Inner::Data
    }
}

/// A run of bytes that stands in one piece in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    joined: u32,
    source: u32,
}

/// The way from a joined text back to its source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Map {
    /// Where the first byte of the joined line stands in the source.
    start: u32,
    /// How many bytes of the joined line lie before the text.
    shift: u32,
    /// Empty if the line is one piece.
    pieces: Vec<Piece>,
}

impl Map {
    /// Where the byte at `at` of the text stands in the source.
    pub(crate) fn source_of(&self, at: usize) -> usize {
        let at = self.shift as usize + at;
        if self.pieces.is_empty() {
            return self.start as usize + at;
        }
        let index = self
            .pieces
            .partition_point(|piece| piece.joined as usize <= at);
        let piece = self.pieces[index.saturating_sub(1)];
        piece.source as usize + (at - piece.joined as usize)
    }

    /// The source span of a range of the text.
    #[inline]
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        if self.pieces.is_empty() {
            let start = self.start + self.shift;
            return Span::new(start + offset(range.start), start + offset(range.end));
        }
        let start = self.source_of(range.start);
        let end = if range.is_empty() {
            start
        } else {
            self.source_of(range.end - 1) + 1
        };
        Span::from(start..end)
    }
}

/// A logical line with the way back to its source.
#[derive(Clone, Debug)]
pub(crate) struct Logical<'t> {
    source: &'t str,
    joined: Cow<'t, str>,
    map: Map,
    /// Start of the physical line after the logical one: where the bodies of heredocs begin.
    pub(crate) next: usize,
}

impl<'t> Logical<'t> {
    /// A logical line that is known to be one physical line without continuation.
    #[inline]
    pub(crate) fn single(source: &'t str, start: usize, end: usize) -> Self {
        Self {
            source,
            joined: Cow::Borrowed(&source[start..end]),
            map: Map {
                start: offset(start),
                ..Map::default()
            },
            next: end,
        }
    }

    /// The logical line of the instruction that starts at `start`; lines from `limit` on do not belong to it.
    pub(crate) fn read(source: &'t str, start: usize, limit: usize, escape: u8) -> Self {
        let bytes = source.as_bytes();
        let mut line = line_at(bytes, start);
        let Some(mut end) = continuation(bytes, start, line.end, escape) else {
            return Self {
                next: line.next,
                ..Self::single(source, start, line.end)
            };
        };
        let mut joined = String::with_capacity((limit - start).min(MAX_LINE));
        let mut pieces = Vec::with_capacity(8);
        let mut from = start;
        loop {
            if end > from || pieces.is_empty() {
                pieces.push(Piece {
                    joined: offset(joined.len()),
                    source: offset(from),
                });
                joined.push_str(&source[from..end]);
            }
            let mut continued = true;
            loop {
                if line.next >= limit || line.next == bytes.len() {
                    continued = false;
                    break;
                }
                line = line_at(bytes, line.next);
                if matches!(classify(source, line), Inner::Data) {
                    break;
                }
            }
            if !continued {
                break;
            }
            from = line.start;
            if let Some(at) = continuation(bytes, line.start, line.end, escape) {
                end = at;
            } else {
                pieces.push(Piece {
                    joined: offset(joined.len()),
                    source: offset(from),
                });
                joined.push_str(&source[from..line.end]);
                break;
            }
        }
        Self {
            source,
            joined: Cow::Owned(joined),
            map: Map {
                start: offset(start),
                shift: 0,
                pieces,
            },
            next: line.next,
        }
    }

    /// The joined line (`Original` in `BuildKit`).
    pub(crate) fn text(&self) -> &str {
        &self.joined
    }

    /// The joined line, without a copy where it is one piece of the source.
    pub(crate) fn into_text(self) -> Cow<'t, str> {
        self.joined
    }

    /// The source span of a range of the joined line.
    #[inline]
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        self.map.span(range)
    }

    /// A range of the joined line with its span; borrowed from the source if it stands there in one piece.
    #[inline]
    pub(crate) fn slice(&self, range: Range<usize>) -> Text<'t> {
        let source: &'t str = self.source;
        let span = self.span(range.clone());
        let value = if span.range().len() == range.len() {
            Cow::Borrowed(&source[span.range()])
        } else {
            Cow::Owned(self.joined[range].to_owned())
        };
        Text { value, span }
    }

    /// Like [`slice`](Self::slice), but takes the joined line and the way back out instead of copying from them; nothing
    /// else can be asked of the line then.
    #[inline]
    pub(crate) fn take(&mut self, range: Range<usize>) -> (Text<'t>, Map) {
        if self.map.pieces.is_empty() {
            let map = Map {
                start: self.map.start,
                shift: offset(range.start),
                pieces: Vec::new(),
            };
            return (self.slice(range), map);
        }
        let span = self.span(range.clone());
        let mut map = std::mem::take(&mut self.map);
        map.shift = offset(range.start);
        let mut joined = std::mem::take(&mut self.joined).into_owned();
        joined.truncate(range.end);
        joined.drain(..range.start);
        let text = Text {
            value: Cow::Owned(joined),
            span,
        };
        (text, map)
    }

    /// A value that differs from what is written, with the span of what is written.
    pub(crate) fn changed(&self, value: String, range: Range<usize>) -> Text<'t> {
        Text {
            value: Cow::Owned(value),
            span: self.span(range),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Logical<'_> {
        Logical::read(text, 0, text.len(), b'\\')
    }

    #[test]
    fn joins_as_buildkit_does() {
        let cases = [
            ("RUN a\nRUN b", "RUN a"),
            ("RUN a \\\n  b\n", "RUN a   b"),
            ("RUN a\\\nb", "RUN ab"),
            ("RUN a \\ \t\r\n\n \n # note \\\n\tb\r\nc", "RUN a \tb"),
            ("RUN a\\\\\nb", "RUN a\\\\"),
            ("RUN a\\\\\\\nb", "RUN a\\\\\\"),
            ("RUN a \\", "RUN a "),
            ("\\\n\\\nRUN a", "RUN a"),
            ("RUN \\\n# only a comment", "RUN "),
        ];
        for (text, want) in cases {
            assert_eq!(read(text).text(), want, "{text:?}");
        }
    }

    #[test]
    fn finds_the_way_back() {
        let text = "RUN ab\\\n# x\n cd \\\nef";
        let line = read(text);
        assert_eq!(line.text(), "RUN ab cd ef");
        let whole = line.slice(4..12);
        assert_eq!(&text[whole.span.range()], "ab\\\n# x\n cd \\\nef");
        assert_eq!(whole.value, "ab cd ef");
        let word = line.slice(7..9);
        assert!(matches!(word.value, Cow::Borrowed("cd")));
        assert_eq!(&text[word.span.range()], "cd");
        let mut line = line;
        let (rest, map) = line.take(4..12);
        assert_eq!(rest.value, "ab cd ef");
        assert_eq!(&text[map.span(6..8).range()], "ef");
    }

    #[test]
    fn lines_over_the_limit_are_marked() {
        let text = format!("{}\n{}", "a".repeat(MAX_LINE), "b".repeat(MAX_LINE + 1));
        let first = line_at(text.as_bytes(), 0);
        assert!(!first.too_long);
        assert!(line_at(text.as_bytes(), first.next).too_long);
    }
}
