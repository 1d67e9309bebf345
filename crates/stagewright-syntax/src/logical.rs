//! Logical lines: the physical lines of an instruction joined as `BuildKit` joins them.

use crate::line::{Inner, Lines, MAX_LINE, classify, continuation};
use crate::text::{Span, Text, offset};
use std::borrow::Cow;
use std::ops::Range;

/// A run of bytes that stands in one piece in the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Piece {
    joined: u32,
    source: u32,
}

impl Piece {
    const fn source_of(self, at: usize) -> usize {
        self.source as usize + (at - self.joined as usize)
    }
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
        self.pieces[self.after(at) - 1].source_of(at)
    }

    /// The number of the piece behind the one that holds the byte at `at` of the joined line.
    fn after(&self, at: usize) -> usize {
        self.pieces.partition_point(|piece| piece.joined as usize <= at)
    }

    /// The source span of a range of the text.
    #[inline]
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        if self.pieces.is_empty() {
            let start = self.start + self.shift;
            return Span::new(start + offset(range.start), start + offset(range.end));
        }
        let (first, last) = (self.shift as usize + range.start, self.shift as usize + range.end);
        let after = self.after(first);
        let start = self.pieces[after - 1].source_of(first);
        let end = match self.pieces.get(after) {
            _ if range.is_empty() => start,
            Some(piece) if (piece.joined as usize) < last => {
                self.pieces[self.after(last - 1) - 1].source_of(last - 1) + 1
            }
            _ => start + range.len(),
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
        let mut lines = Lines::new(bytes, start);
        let end = lines.next().map_or(start, |line| line.end);
        let Some(mut end) = continuation(bytes, start, end, escape) else {
            return Self {
                next: lines.at(),
                ..Self::single(source, start, end)
            };
        };
        let mut joined = String::with_capacity((limit - start).min(MAX_LINE));
        let mut pieces = Vec::with_capacity(8);
        let mut push = |start: usize, end: usize| {
            pieces.push(Piece {
                joined: offset(joined.len()),
                source: offset(start),
            });
            joined.push_str(&source[start..end]);
        };
        push(start, end);
        while lines.at() < limit
            && let Some(line) = lines.next()
        {
            if !matches!(classify(source, line), Inner::Data) {
                continue;
            }
            let piece = continuation(bytes, line.start, line.end, escape);
            end = piece.unwrap_or(line.end);
            if end > line.start {
                push(line.start, end);
            }
            if piece.is_none() {
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
            next: lines.at(),
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
}
