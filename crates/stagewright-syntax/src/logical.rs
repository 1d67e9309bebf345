//! Logical lines: the physical lines of an instruction joined as `BuildKit` joins them.

use crate::line::line_at;
use crate::text::{Span, Text, offset};
use std::borrow::Cow;
use std::ops::Range;

/// A run of bytes of a joined line that stands in one piece in the source.
///
/// The pieces of a line lie one after the other, none of them empty, and behind them one more that marks the end: it
/// stands where the last physical line ends. So a piece that begins at 0 is the first of its line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Where it begins in the joined line.
    pub(crate) joined: u32,
    /// Where it begins in the source.
    pub(crate) source: u32,
}

impl Piece {
    const fn source_of(self, at: usize) -> usize {
        self.source as usize + (at - self.joined as usize)
    }
}

/// The way from a joined text back to its source.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Map<'t> {
    /// Where the first byte of the joined line stands in the source.
    start: u32,
    /// How many bytes of the joined line lie before the text.
    shift: u32,
    /// Empty if the line is one piece.
    pieces: &'t [Piece],
}

impl Map<'_> {
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
        self.pieces
            .partition_point(|piece| piece.joined as usize <= at)
    }

    /// The source span of a range of the text.
    #[inline]
    pub(crate) fn span(&self, range: Range<usize>) -> Span {
        if self.pieces.is_empty() {
            let start = self.start + self.shift;
            return Span::new(start + offset(range.start), start + offset(range.end));
        }
        let (first, last) = (
            self.shift as usize + range.start,
            self.shift as usize + range.end,
        );
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
    map: Map<'t>,
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

    /// The rest of a physical line without continuation.
    pub(crate) fn rest(source: &'t str, start: usize) -> Self {
        let line = line_at(source.as_bytes(), start);
        Self {
            next: line.next,
            ..Self::single(source, start, line.end)
        }
    }

    /// A logical line with continuations that starts at `start`; `pieces` begins with its own.
    pub(crate) fn joined(source: &'t str, start: usize, pieces: &'t [Piece]) -> Self {
        let others = pieces[1..].iter().position(|piece| piece.joined == 0);
        let end = others.unwrap_or(pieces.len() - 1);
        let (pieces, end) = (&pieces[..end], pieces[end]);
        let mut joined = String::with_capacity(end.joined as usize);
        for (index, piece) in pieces.iter().enumerate() {
            let next = pieces.get(index + 1).unwrap_or(&end);
            let from = piece.source as usize;
            joined.push_str(&source[from..from + (next.joined - piece.joined) as usize]);
        }
        Self {
            source,
            joined: Cow::Owned(joined),
            map: Map {
                start: offset(start),
                shift: 0,
                pieces,
            },
            next: source.len().min(end.source as usize + 1),
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
    #[expect(
        clippy::inline_always,
        reason = "what it returns is put together where it goes, and not moved there"
    )]
    #[inline(always)]
    pub(crate) fn slice(&self, range: Range<usize>) -> Text<'t> {
        if self.map.pieces.is_empty() {
            let start = self.map.start as usize;
            let range = start + range.start..start + range.end;
            return Text {
                value: Cow::Borrowed(&self.source[range.clone()]),
                span: Span::from(range),
            };
        }
        self.slice_joined(range)
    }

    fn slice_joined(&self, range: Range<usize>) -> Text<'t> {
        let source: &'t str = self.source;
        let span = self.span(range.clone());
        let value = if span.range().len() == range.len() {
            Cow::Borrowed(&source[span.range()])
        } else {
            Cow::Owned(self.joined[range].to_owned())
        };
        Text { value, span }
    }

    /// What stands between the byte at `at` and `end`; if that is nothing, directly behind the byte, also where the source
    /// goes on in another line.
    #[inline]
    pub(crate) fn behind(&self, at: usize, end: usize) -> Text<'t> {
        if at + 1 < end {
            return self.slice(at + 1..end);
        }
        let place = self.span(at..at + 1).end;
        Text {
            value: Cow::Borrowed(""),
            span: Span::new(place, place),
        }
    }

    /// Like [`slice`](Self::slice), but takes the joined line instead of copying from it, and gives the way back as well;
    /// nothing else can be asked of the line then.
    #[inline]
    pub(crate) fn take(&mut self, range: Range<usize>) -> (Text<'t>, Map<'t>) {
        let map = Map {
            shift: offset(range.start),
            ..self.map
        };
        if map.pieces.is_empty() {
            return (self.slice(range), map);
        }
        (self.take_joined(range), map)
    }

    fn take_joined(&mut self, range: Range<usize>) -> Text<'t> {
        let span = self.span(range.clone());
        let mut joined = std::mem::take(&mut self.joined).into_owned();
        joined.truncate(range.end);
        joined.drain(..range.start);
        Text {
            value: Cow::Owned(joined),
            span,
        }
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
    use crate::Dockerfile;

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
            let file = Dockerfile::parse(text);
            assert_eq!(file.instruction(0).logical().text(), want, "{text:?}");
        }
    }

    #[test]
    fn finds_the_way_back() {
        let text = "RUN ab\\\n# x\n cd \\\nef";
        let file = Dockerfile::parse(text);
        let line = file.instruction(0).logical();
        assert_eq!(line.text(), "RUN ab cd ef");
        let whole = line.slice(4..12);
        assert_eq!(&text[whole.span.range()], "ab\\\n# x\n cd \\\nef");
        assert_eq!(whole.value, "ab cd ef");
        let word = line.slice(7..9);
        assert!(matches!(word.value, Cow::Borrowed("cd")));
        assert_eq!(&text[word.span.range()], "cd");
        assert_eq!(line.slice(6..6).span, Span::new(12, 12));
        assert_eq!(line.behind(5, 6).span, Span::new(6, 6));
        let mut line = line;
        let (rest, map) = line.take(4..12);
        assert_eq!(rest.value, "ab cd ef");
        assert_eq!(&text[map.span(6..8).range()], "ef");
    }
}
