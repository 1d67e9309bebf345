//! Places in a text: byte spans, lines and columns.

use std::borrow::Cow;
use std::fmt;
use std::ops::{Deref, Range};

/// A half-open range of bytes in the text of a Dockerfile.
///
/// Both ends always lie on character boundaries of the text they were made for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// Offset of the first byte.
    pub start: u32,
    /// Offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The span from `start` up to, not including, `end`.
    pub const fn new(start: u32, end: u32) -> Self {
        Self { start, end }
    }

    /// The span as a range to slice the text with.
    pub const fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Length in bytes.
    pub const fn len(self) -> u32 {
        self.end - self.start
    }

    /// Whether the span holds no byte.
    pub const fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether the byte at `offset` lies inside.
    pub const fn contains(self, offset: u32) -> bool {
        self.start <= offset && offset < self.end
    }

    /// The smallest span that holds both.
    #[must_use]
    pub fn cover(self, other: Self) -> Self {
        Self::new(self.start.min(other.start), self.end.max(other.end))
    }
}

impl From<Range<usize>> for Span {
    /// Ends beyond 4 GiB are cut to 32 bits; no text that is read is that long.
    fn from(range: Range<usize>) -> Self {
        Self::new(offset(range.start), offset(range.end))
    }
}

/// A byte offset as spans store it. Texts of 4 GiB and more are refused before they are read.
#[inline]
#[allow(
    clippy::cast_possible_truncation,
    reason = "checked by `lex::read`, and here in debug builds"
)]
pub(crate) fn offset(value: usize) -> u32 {
    debug_assert!(
        u32::try_from(value).is_ok(),
        "texts of 4 GiB and more are refused"
    );
    value as u32
}

/// Makes room in a list that is made from a text of `len` bytes, of which `at` are read: a long list gets room for as much
/// as the rest holds if it is like the part before. Doubling would cost more memory than a text of tiny parts may take.
#[inline]
pub(crate) fn reserve<T>(list: &mut Vec<T>, at: usize, len: usize) {
    if list.len() == list.capacity() {
        reserve_some(list, at, len);
    }
}

#[cold]
fn reserve_some<T>(list: &mut Vec<T>, at: usize, len: usize) {
    let count = list.len();
    if count < 64 {
        list.reserve_exact(count.max(4));
    } else {
        let rest = count.saturating_mul(len - at) / at.max(1);
        list.reserve_exact(rest + rest / 64 + 16);
    }
}

/// A line and a column, both counted from 1; the column in Unicode scalar values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// Line, from 1. Only `\n` ends a line, as in `BuildKit`.
    pub line: u32,
    /// Column, from 1, in Unicode scalar values.
    pub column: u32,
}

/// Bytes that one entry of a [`LineIndex`] covers.
const BLOCK: usize = 1024;

/// Translates byte offsets to lines and columns.
///
/// It keeps one counter for each KiB of text, so that it stays small even for texts of empty lines, and a
/// look-up reads at most one KiB plus one line.
#[derive(Clone, Debug)]
pub struct LineIndex<'t> {
    text: &'t str,
    /// Number of line breaks before each block.
    breaks: Cow<'t, [u32]>,
}

impl<'t> LineIndex<'t> {
    /// Indexes a text.
    pub fn new(text: &'t str) -> Self {
        Self {
            text,
            breaks: Cow::Owned(count_breaks(text)),
        }
    }

    pub(crate) fn from_counts(text: &'t str, breaks: &'t [u32]) -> Self {
        Self {
            text,
            breaks: Cow::Borrowed(breaks),
        }
    }

    /// The line, from 1, that holds the byte at `offset`. Offsets past the end count as the end.
    pub fn line(&self, offset: u32) -> u32 {
        let offset = (offset as usize).min(self.text.len());
        let block = (offset / BLOCK).min(self.breaks.len() - 1);
        let rest = &self.text.as_bytes()[block * BLOCK..offset];
        self.breaks[block] + crate::text::offset(memchr::memchr_iter(b'\n', rest).count()) + 1
    }

    /// Line and column of the byte at `offset`. Offsets past the end count as the end, offsets inside a
    /// character as its start.
    pub fn position(&self, offset: u32) -> Position {
        let mut end = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let start = memchr::memrchr(b'\n', &self.text.as_bytes()[..end]).map_or(0, |at| at + 1);
        Position {
            line: self.line(offset),
            column: crate::text::offset(self.text[start..end].chars().count()) + 1,
        }
    }

    /// The span of a line without its line break (`\n` or `\r\n`), or nothing if there is no such line.
    /// Lines count from 1; a text that ends in a line break has one empty line after it.
    pub fn line_span(&self, line: u32) -> Option<Span> {
        let wanted = line.checked_sub(1)?;
        let block = self.breaks.partition_point(|&count| count < wanted);
        let block = block.saturating_sub(1);
        let bytes = self.text.as_bytes();
        let mut at = block * BLOCK;
        let mut left = wanted - self.breaks[block];
        if wanted == 0 {
            at = 0;
        }
        while left > 0 {
            at += memchr::memchr(b'\n', &bytes[at..])? + 1;
            left -= 1;
        }
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |len| at + len);
        let end = if end > at && bytes[end - 1] == b'\r' {
            end - 1
        } else {
            end
        };
        Some(Span::from(at..end))
    }

    /// Number of lines; an empty text has one.
    pub fn line_count(&self) -> u32 {
        self.line(offset(self.text.len()))
    }
}

/// Line breaks before each block of a text.
pub(crate) fn count_breaks(text: &str) -> Vec<u32> {
    let mut total = 0;
    let mut counts = Vec::with_capacity(text.len() / BLOCK + 1);
    counts.push(0);
    for block in text.as_bytes().chunks_exact(BLOCK) {
        total += offset(memchr::memchr_iter(b'\n', block).count());
        counts.push(total);
    }
    counts
}

/// A piece of text with the place it came from.
///
/// `value` is what `BuildKit` reads: line continuations and the comments between them are gone, quotes are as
/// written unless the field says otherwise. `span` is where it stands in the source, from the first byte of the
/// value to its last, so it may cover continuations that `value` does not show.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Text<'t> {
    /// The text as `BuildKit` reads it.
    pub value: Cow<'t, str>,
    /// Where it stands in the source.
    pub span: Span,
}

impl Text<'_> {
    /// Where a part of the value stands in the source; nothing where the source has other bytes, as between two continued lines.
    ///
    /// ```
    /// use stagewright_syntax::{Dockerfile, View, image::ImageRef};
    ///
    /// let file = Dockerfile::parse("FROM alpine:3.20");
    /// let View::From(from) = file.instruction(0).view() else { panic!() };
    /// let tag = ImageRef::parse(&from.image).unwrap().tag_range.unwrap();
    /// assert_eq!(&file.text()[from.image.part(tag).unwrap().range()], "3.20");
    /// ```
    pub fn part(&self, range: Range<usize>) -> Option<Span> {
        let same = self.span.len() as usize == self.value.len();
        let inside = range.start <= range.end && range.end <= self.value.len();
        (same && inside).then(|| {
            let start = self.span.start as usize;
            Span::from(start + range.start..start + range.end)
        })
    }
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.value
    }
}

impl AsRef<str> for Text<'_> {
    fn as_ref(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.value)
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        *self.value == *other
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        *self.value == **other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_count_lines_and_scalar_values() {
        let text = "a\nüb\r\n\n";
        let index = LineIndex::new(text);
        let at = |offset| {
            let position = index.position(offset);
            (position.line, position.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(2), (2, 1));
        assert_eq!(at(3), (2, 1), "inside the character");
        assert_eq!(at(4), (2, 2));
        assert_eq!(at(7), (3, 1));
        assert_eq!(at(8), (4, 1));
        assert_eq!(at(99), (4, 1));
        assert_eq!(index.line_count(), 4);
        assert_eq!(index.line_span(2), Some(Span::new(2, 5)));
        assert_eq!(index.line_span(4), Some(Span::new(8, 8)));
        assert_eq!(index.line_span(5), None);
        assert_eq!(index.line_span(0), None);
    }

    #[test]
    fn lines_are_found_across_blocks() {
        let text = "0123456789\n".repeat(1000);
        let index = LineIndex::new(&text);
        for line in [1, 2, 93, 94, 95, 500, 1000] {
            let span = index.line_span(line).expect("the line exists");
            assert_eq!(span.start, (line - 1) * 11);
            assert_eq!(index.line(span.start), line);
            assert_eq!(index.line(span.end), line);
        }
        assert_eq!(index.line_span(1001), Some(Span::new(11000, 11000)));
        assert_eq!(index.line_span(1002), None);
    }
}
