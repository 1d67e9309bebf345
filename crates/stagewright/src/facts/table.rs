//! Compressed tables: tab-separated text under zstd, sorted by the first column, read where it lies.

use std::io::Read;
use std::ops::Range;

use ruzstd::decoding::StreamingDecoder;

use crate::size::Basis;

/// A table of the catalogue in memory: the text and where its rows start.
///
/// The first line holds the day and the source, the second the names of the columns; rows are sorted by the bytes of the first column.
pub(crate) struct Table {
    text: String,
    rows: Vec<Range<u32>>,
    basis: Basis,
}

impl Table {
    /// Unpacks a table that was embedded at build time.
    pub(crate) fn unpack(packed: &[u8]) -> Self {
        let mut text = String::new();
        StreamingDecoder::new(packed)
            .expect("an embedded table is a zstd frame")
            .read_to_string(&mut text)
            .expect("an embedded table is whole and UTF-8");
        Self::new(text)
    }

    /// A table from its text.
    pub(crate) fn new(text: String) -> Self {
        let offset = |at: usize| u32::try_from(at).expect("a table is smaller than 4 GiB");
        let (mut rows, mut start) = (Vec::with_capacity(text.len() / 96), 0);
        for end in memchr::memchr_iter(b'\n', text.as_bytes()) {
            rows.push(offset(start)..offset(end));
            start = end + 1;
        }
        let mut head = rows.drain(..2.min(rows.len()));
        let about = head
            .next()
            .map_or("", |line| &text[line.start as usize..line.end as usize]);
        let (date, source) = about.split_once('\t').unwrap_or(("", about));
        let basis = Basis::dated(source, date);
        drop(head);
        Self { text, rows, basis }
    }

    /// Source and date of the table.
    pub(crate) fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The number of rows.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The text of row `index`.
    pub(crate) fn line(&self, index: usize) -> &str {
        let row = &self.rows[index];
        &self.text[row.start as usize..row.end as usize]
    }

    /// The first column of row `index`.
    pub(crate) fn key(&self, index: usize) -> &str {
        let line = self.line(index);
        line.split_once('\t').map_or(line, |(key, _)| key)
    }

    /// The rows whose first column is `key`.
    pub(crate) fn find(&self, key: &str) -> Range<usize> {
        let start = self.lower_bound(|row| row < key);
        let end = self.lower_bound(|row| row <= key);
        start..end
    }

    fn lower_bound(&self, before: impl Fn(&str) -> bool) -> usize {
        let (mut low, mut high) = (0, self.rows.len());
        while low < high {
            let middle = low.midpoint(high);
            if before(self.key(middle)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_by_their_first_column() {
        let table =
            Table::new("2026-01-02\ta source\nname\tsize\na\t1\nb\t2\nb\t3\nc\t4\n".to_owned());
        assert_eq!(table.basis(), &Basis::dated("a source", "2026-01-02"));
        assert_eq!(table.len(), 4);
        assert_eq!(table.find("b"), 1..3);
        assert_eq!(table.line(2), "b\t3");
        assert!(table.find("bb").is_empty());
        assert!(table.find("").is_empty());
        assert!(table.find("d").is_empty());
    }
}
