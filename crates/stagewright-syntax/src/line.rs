//! Physical lines: where each ends, and what each is inside a continuation.

use crate::go;

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
    let raw_end = memchr::memchr(b'\n', &bytes[start..]).map_or(bytes.len(), |len| start + len);
    Line::new(bytes, start, raw_end)
}

impl Line {
    /// The line from `start` to the line feed at `raw_end`, or to the end of the text.
    #[inline]
    fn new(bytes: &[u8], start: usize, raw_end: usize) -> Self {
        let mut end = raw_end;
        while end > start && bytes[end - 1] == b'\r' {
            end -= 1;
        }
        Self {
            start,
            end,
            next: bytes.len().min(raw_end + 1),
            too_long: raw_end - start > MAX_LINE,
        }
    }
}

/// The lines of a text, one after the other. Line feeds are looked for in blocks of 64 bytes, which finds those of
/// several short lines at once.
pub(crate) struct Lines<'t> {
    bytes: &'t [u8],
    /// Where the next line starts.
    at: usize,
    /// Where the block begins that `feeds` tells of.
    block: usize,
    /// The line feeds of the block that are still ahead, a bit for each byte.
    feeds: u64,
    /// Where the last block so far ends that has a `<`.
    marked: usize,
}

impl<'t> Lines<'t> {
    /// The lines from the one on that starts at `at`.
    #[inline]
    pub(crate) fn new(bytes: &'t [u8], at: usize) -> Self {
        let mut lines = Self {
            bytes,
            at,
            block: at,
            feeds: 0,
            marked: 0,
        };
        lines.look();
        lines
    }

    /// Looks at the block.
    #[inline]
    fn look(&mut self) {
        let (feeds, marked) = look(&self.bytes[self.block..]);
        self.feeds = feeds;
        if marked {
            self.marked = self.block + BLOCK;
        }
    }

    /// Whether there may be a `<` between `start` and the next line.
    #[inline]
    pub(crate) const fn marked_since(&self, start: usize) -> bool {
        self.marked > start
    }

    /// Where the next line starts; the length of the text if there is none.
    #[inline]
    pub(crate) const fn at(&self) -> usize {
        self.at
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    #[inline]
    fn next(&mut self) -> Option<Line> {
        let bytes = self.bytes;
        if self.at == bytes.len() {
            return None;
        }
        while self.feeds == 0 && bytes.len() - self.block > BLOCK {
            self.block += BLOCK;
            self.look();
        }
        let raw_end = if self.feeds == 0 {
            bytes.len()
        } else {
            self.block + self.feeds.trailing_zeros() as usize
        };
        self.feeds &= self.feeds.wrapping_sub(1);
        let line = Line::new(bytes, self.at, raw_end);
        self.at = line.next;
        Some(line)
    }
}

const BLOCK: usize = 64;

/// Which of the first 64 bytes are line feeds, bit `n` for byte `n`; and whether one of them is a `<`.
#[inline]
fn look(bytes: &[u8]) -> (u64, bool) {
    /// The bit that stands for a byte among the eight around it.
    const BIT: [u8; BLOCK] = {
        let mut bits = [0; BLOCK];
        let mut at = 0;
        while at < BLOCK {
            bits[at] = 1 << (at % 8);
            at += 1;
        }
        bits
    };
    let mut padded = [0; BLOCK];
    let block = bytes.first_chunk::<BLOCK>().unwrap_or_else(|| {
        padded[..bytes.len()].copy_from_slice(bytes);
        &padded
    });
    let mut marks = [0; BLOCK];
    for ((mark, b), bit) in marks.iter_mut().zip(block).zip(BIT) {
        *mark = if *b == b'\n' { bit } else { 0 };
    }
    let marked = block
        .iter()
        .fold(0, |marked, b| marked | u8::from(*b == b'<'))
        != 0;
    let mut feeds = 0;
    for (index, eight) in marks.as_chunks::<8>().0.iter().enumerate() {
        // The highest byte of the product is the sum of all eight.
        let sum = u64::from_le_bytes(*eight).wrapping_mul(u64::from_ne_bytes([1; 8])) >> 56;
        feeds |= sum << (8 * index);
    }
    (feeds, marked)
}

/// Where the line `start..end` ends without its continuation, or nothing if it is not continued: the escape character is
/// the last but for spaces and tabs, and does not follow itself (`lineContinuationRegex` in `parser/parser.go`).
#[inline]
pub(crate) fn continuation(bytes: &[u8], start: usize, end: usize, escape: u8) -> Option<usize> {
    match bytes[start..end] {
        [.., before, last] if last == escape => (before != escape).then_some(end - 1),
        [.., b' ' | b'\t'] => continuation_before_blanks(bytes, start, end, escape),
        [last] if last == escape => Some(start),
        _ => None,
    }
}

fn continuation_before_blanks(bytes: &[u8], start: usize, end: usize, escape: u8) -> Option<usize> {
    let line = &bytes[start..end];
    let len = line.iter().rposition(|b| !matches!(b, b' ' | b'\t'))?;
    continuation(bytes, start, start + len + 1, escape)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_follow_each_other() {
        for len in 0..200 {
            for step in [1, 2, 3, 7, 63, 64, 65, 130] {
                let text: Vec<u8> = (0..len)
                    .map(|at| if at % step == step - 1 { b'\n' } else { 0x8a })
                    .collect();
                let mut at = 0;
                for line in Lines::new(&text, 0) {
                    let wanted = line_at(&text, at);
                    assert_eq!(
                        (line.start, line.end, line.next),
                        (at, wanted.end, wanted.next)
                    );
                    at = line.next;
                }
                assert_eq!(at, len);
            }
        }
    }

    #[test]
    fn lines_over_the_limit_are_marked() {
        let text = format!("{}\n{}", "a".repeat(MAX_LINE), "b".repeat(MAX_LINE + 1));
        let first = line_at(text.as_bytes(), 0);
        assert!(!first.too_long);
        assert!(line_at(text.as_bytes(), first.next).too_long);
    }
}
