//! Compressed tables: tab-separated text under zstd, sorted by the first column, in blocks of which only those that are asked for are
//! unpacked.
//!
//! The file is an ordinary zstd file of several frames (RFC 8878): a skippable frame with the index, a frame with the head (day and
//! source in the first line, names of the columns in the second), and a frame for each block of rows. A line of the index holds the bytes of
//! a frame, its rows, and the first column of the first of them. Rows with the same first column are in one block.

use std::cmp::Ordering;
use std::io::Read;
use std::ops::Range;
use std::sync::OnceLock;

use ruzstd::decoding::StreamingDecoder;

use crate::size::Basis;

/// A table of the catalogue.
pub(crate) struct Table {
    blocks: Vec<Block>,
    basis: Basis,
}

struct Block {
    /// The number of its first row.
    first: usize,
    /// The first column of that row.
    key: &'static str,
    packed: &'static [u8],
    lines: OnceLock<Lines>,
}

/// Text, and where each of its lines ends.
struct Lines {
    text: String,
    ends: Vec<u32>,
}

/// The magic number of a skippable frame (RFC 8878, 3.1.2).
const SKIPPABLE: [u8; 4] = [0x50, 0x2a, 0x4d, 0x18];

impl Table {
    /// A table that was embedded at build time.
    pub(crate) fn embedded(packed: &'static [u8]) -> Self {
        let (index, mut frames) = index(packed).expect("an embedded table starts with its index");
        let (mut rows, mut blocks) = (0, Vec::new());
        let mut lines = index.lines().map(|line| {
            let mut columns = line.splitn(3, '\t');
            let mut number = || columns.next()?.parse::<usize>().ok();
            let (bytes, rows) = (number(), number());
            let read = bytes.zip(rows).zip(columns.next());
            let ((bytes, rows), key) = read.expect("a line of the index has three columns");
            let (frame, rest) = frames.split_at(bytes);
            frames = rest;
            (frame, rows, key)
        });
        let (head, _, _) = lines.next().expect("the first frame is the head");
        let basis = basis(unpack(head).lines().next().unwrap_or_default());
        for (packed, count, key) in lines {
            blocks.push(Block {
                first: rows,
                key,
                packed,
                lines: OnceLock::new(),
            });
            rows += count;
        }
        Self { blocks, basis }
    }

    /// A table from its text.
    #[cfg(test)]
    pub(crate) fn new(text: &str) -> Self {
        let mut parts = text.splitn(3, '\n');
        let basis = basis(parts.next().unwrap_or_default());
        let lines = Lines::new(parts.nth(1).unwrap_or_default().to_owned());
        let block = Block {
            first: 0,
            key: "",
            packed: &[],
            lines: OnceLock::from(lines),
        };
        Self {
            blocks: vec![block],
            basis,
        }
    }

    /// Source and date of the table.
    pub(crate) fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The number of rows.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        let last = self.blocks.last();
        last.map_or(0, |block| block.first + block.lines().ends.len())
    }

    /// The text of row `index`.
    pub(crate) fn line(&self, index: usize) -> &str {
        let after = self.blocks.partition_point(|block| block.first <= index);
        let block = &self.blocks[after - 1];
        block.lines().line(index - block.first)
    }

    /// The rows whose first column is `key`.
    pub(crate) fn find(&self, key: &str) -> Range<usize> {
        let after = self.blocks.partition_point(|block| block.key <= key);
        let Some(block) = after.checked_sub(1).map(|before| &self.blocks[before]) else {
            return 0..0;
        };
        let found = block.lines().find(key);
        block.first + found.start..block.first + found.end
    }
}

impl Block {
    fn lines(&self) -> &Lines {
        self.lines.get_or_init(|| Lines::new(unpack(self.packed)))
    }
}

impl Lines {
    fn new(text: String) -> Self {
        let offset = |at: usize| u32::try_from(at).expect("a table is smaller than 4 GiB");
        let ends = memchr::memchr_iter(b'\n', text.as_bytes())
            .map(offset)
            .collect();
        Self { text, ends }
    }

    fn line(&self, index: usize) -> &str {
        let start = match index.checked_sub(1) {
            Some(before) => self.ends[before] as usize + 1,
            None => 0,
        };
        &self.text[start..self.ends[index] as usize]
    }

    /// A tab comes before every character of a first column: lines stand in the order of their first columns.
    fn find(&self, key: &str) -> Range<usize> {
        let (mut start, mut end) = (0, self.ends.len());
        while start < end {
            let middle = start.midpoint(end);
            let line = self.line(middle).as_bytes();
            let (same, rest) = line.split_at(key.len().min(line.len()));
            let behind = || {
                rest.first()
                    .map_or(Ordering::Equal, |byte| byte.cmp(&b'\t'))
            };
            if same.cmp(key.as_bytes()).then_with(behind).is_lt() {
                start = middle + 1;
            } else {
                end = middle;
            }
        }
        let rows = (start..self.ends.len()).take_while(|row| {
            let after = self.line(*row).strip_prefix(key);
            after.is_some_and(|rest| rest.is_empty() || rest.starts_with('\t'))
        });
        start..start + rows.count()
    }
}

/// The text of the index, and the frames behind it.
fn index(packed: &'static [u8]) -> Option<(&'static str, &'static [u8])> {
    let (size, frames) = packed.strip_prefix(&SKIPPABLE)?.split_first_chunk()?;
    let (index, frames) = frames.split_at_checked(u32::from_le_bytes(*size) as usize)?;
    Some((std::str::from_utf8(index).ok()?, frames))
}

fn unpack(frame: &[u8]) -> String {
    let mut decoder = StreamingDecoder::new(frame).expect("a block of a table is a zstd frame");
    let size = usize::try_from(decoder.decoder.content_size()).unwrap_or_default();
    let mut text = String::with_capacity(size);
    decoder
        .read_to_string(&mut text)
        .expect("a block of a table is whole and UTF-8");
    text
}

fn basis(head: &str) -> Basis {
    let (date, source) = head.split_once('\t').unwrap_or(("", head));
    Basis::dated(source, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_first_column() {
        let table =
            Table::new("2026-01-02\ta source\nname\tsize\na\t1\nb\t2\nb\t3\nb-c\t5\nc\t4\nd\n");
        assert_eq!(table.basis(), &Basis::dated("a source", "2026-01-02"));
        assert_eq!(table.len(), 6);
        assert_eq!(table.find("b"), 1..3);
        assert_eq!(table.line(2), "b\t3");
        assert_eq!(table.find("b-c"), 3..4);
        assert_eq!(table.find("d"), 5..6);
        assert!(table.find("bb").is_empty());
        assert!(table.find("").is_empty());
        assert!(table.find("e").is_empty());
    }

    /// Every row of a table in blocks is found at its number and by its name, also the first and the last of a block.
    #[test]
    fn blocks_are_one_table() {
        let packed = include_bytes!("../../catalog/wheels.tsv.zst");
        let table = Table::embedded(packed);
        assert!(table.blocks.len() > 10, "{} blocks", table.blocks.len());
        let mut before = String::new();
        for row in 0..table.len() {
            let (name, _) = table.line(row).split_once('\t').expect("columns");
            assert!(*before <= *name, "{before} before {name}");
            assert!(table.find(name).contains(&row), "{name}");
            name.clone_into(&mut before);
        }
        assert!(table.find("zzzz").is_empty() && table.find(" ").is_empty());
    }
}
