//! The directory of a zip archive, read from its end: what lies in it without reading what lies in it.
//!
//! Source of the form: APPNOTE.TXT of the zip format, 4.3.7 to 4.3.16.

use std::io::Read as _;

use flate2::read::DeflateDecoder;

/// The most files that an archive may list.
pub(super) const ENTRIES: u64 = 500_000;
/// The most bytes that its directory may have.
pub(super) const DIRECTORY: u64 = 128 << 20;
/// The most that deflate makes of one byte, with room for a file of next to nothing.
const EXPANSION: u64 = 1_040;
const SLACK: u64 = 1 << 16;

/// A file of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) method: u16,
    pub(super) compressed: u64,
    pub(super) bytes: u64,
    /// Where its own header stands.
    pub(super) offset: u64,
}

/// Where the directory of an archive stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) bytes: u64,
    entries: u64,
}

/// A number of some bytes, the lowest first.
pub(super) fn number(bytes: &[u8], at: usize, count: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(count)?)?;
    Some(
        bytes
            .iter()
            .rev()
            .fold(0, |number, byte| number << 8 | u64::from(*byte)),
    )
}

fn small(bytes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(number(bytes, at, 2)?).ok()
}

/// Where the directory stands, by the last bytes of an archive of `whole` bytes.
pub(super) fn place(tail: &[u8], whole: u64) -> Result<Place, &'static str> {
    const END: &[u8] = b"PK\x05\x06";
    let found = (0..tail.len().saturating_sub(21)).rev().find(|at| {
        tail[*at..].starts_with(END) && small(tail, at + 20) == Some(tail.len() - at - 22)
    });
    let at = found.ok_or("it does not end as a zip archive does")?;
    let read = || {
        let entries = number(tail, at + 10, 2)?;
        let bytes = number(tail, at + 12, 4)?;
        let offset = number(tail, at + 16, 4)?;
        if entries != 0xffff && bytes != 0xffff_ffff && offset != 0xffff_ffff {
            return Some(Place {
                offset,
                bytes,
                entries,
            });
        }
        // A larger one has its numbers in a record before, and where that stands in a record between (4.3.14, 4.3.15).
        let locator = at.checked_sub(20)?;
        if !tail[locator..].starts_with(b"PK\x06\x07") {
            return Some(Place {
                offset,
                bytes,
                entries,
            });
        }
        let start = whole.checked_sub(tail.len() as u64)?;
        let record = usize::try_from(number(tail, locator + 8, 8)?.checked_sub(start)?).ok()?;
        if !tail.get(record..)?.starts_with(b"PK\x06\x06") {
            return None;
        }
        Some(Place {
            entries: number(tail, record + 32, 8)?,
            bytes: number(tail, record + 40, 8)?,
            offset: number(tail, record + 48, 8)?,
        })
    };
    let place = read().ok_or("the end of its directory is damaged")?;
    let end = place.offset.checked_add(place.bytes);
    if end.is_none_or(|end| end > whole) {
        return Err("its directory lies beyond its end");
    }
    if place.entries > ENTRIES || place.bytes > DIRECTORY {
        return Err("its directory is larger than is read");
    }
    Ok(place)
}

/// The files that a directory lists. `whole` is the length of the archive: its files cannot take more, nor be larger than deflate makes
/// them.
pub(super) fn entries(
    directory: &[u8],
    place: Place,
    whole: u64,
) -> Result<Vec<Entry>, &'static str> {
    let mut entries = Vec::new();
    let (mut at, mut stored) = (0, 0_u64);
    for _ in 0..place.entries {
        let (entry, next) = entry(directory, at).ok_or("its directory is damaged")?;
        at = next;
        stored = stored.saturating_add(entry.compressed);
        if stored > whole {
            return Err("the files in it are said to take more than it has");
        }
        if entry.bytes
            > entry
                .compressed
                .saturating_mul(EXPANSION)
                .saturating_add(SLACK)
        {
            return Err("a file in it is said to be larger than it can be");
        }
        entries.push(entry);
    }
    if at != directory.len() {
        return Err("its directory is damaged");
    }
    Ok(entries)
}

fn entry(directory: &[u8], at: usize) -> Option<(Entry, usize)> {
    let head = directory.get(at..)?;
    if !head.starts_with(b"PK\x01\x02") {
        return None;
    }
    let (name, extra, comment) = (small(head, 28)?, small(head, 30)?, small(head, 32)?);
    let mut entry = Entry {
        name: String::from_utf8_lossy(head.get(46..46 + name)?).into_owned(),
        method: u16::try_from(number(head, 10, 2)?).ok()?,
        compressed: number(head, 20, 4)?,
        bytes: number(head, 24, 4)?,
        offset: number(head, 42, 4)?,
    };
    // Numbers of 64 bits stand in an extra field, those that need it and in this order (4.5.3).
    let mut extras = head.get(46 + name..46 + name + extra)?;
    while extras.len() >= 4 {
        let (id, length) = (small(extras, 0)?, small(extras, 2)?);
        let field = extras.get(4..4 + length)?;
        if id == 1 {
            let mut from = 0;
            for value in [&mut entry.bytes, &mut entry.compressed, &mut entry.offset] {
                if *value == 0xffff_ffff {
                    *value = number(field, from, 8)?;
                    from += 8;
                }
            }
        }
        extras = &extras[4 + length..];
    }
    Some((entry, at + 46 + name + extra + comment))
}

/// The content of a file, by the bytes of the archive from its own header on; no more than `most` bytes of it.
pub(super) fn content(entry: &Entry, bytes: &[u8], most: u64) -> Option<Vec<u8>> {
    if !bytes.starts_with(b"PK\x03\x04") || entry.bytes > most {
        return None;
    }
    let start = 30 + small(bytes, 26)? + small(bytes, 28)?;
    let end = start.checked_add(usize::try_from(entry.compressed).ok()?)?;
    let stored = bytes.get(start..end)?;
    match entry.method {
        0 => Some(stored.to_vec()),
        8 => {
            let mut content = Vec::new();
            DeflateDecoder::new(stored)
                .take(most)
                .read_to_end(&mut content)
                .ok()?;
            Some(content)
        }
        _ => None,
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "archives of a few bytes")]
mod tests {
    use super::*;

    /// An archive of one file that is stored as it is, as Python's zipfile writes it.
    fn archive(name: &str, content: &[u8]) -> Vec<u8> {
        let mut zip = Vec::new();
        let (length, named) = (content.len() as u32, name.len() as u16);
        zip.extend(b"PK\x03\x04\x14\0\0\0\0\0\0\0\0\0\0\0\0\0");
        zip.extend(length.to_le_bytes().repeat(2));
        zip.extend(named.to_le_bytes());
        zip.extend([0, 0]);
        zip.extend(name.as_bytes());
        zip.extend(content);
        let directory = zip.len() as u32;
        zip.extend(b"PK\x01\x02\x14\x03\x14\0\0\0\0\0\0\0\0\0\0\0\0\0");
        zip.extend(length.to_le_bytes().repeat(2));
        zip.extend(named.to_le_bytes());
        zip.extend([0; 16]);
        zip.extend(name.as_bytes());
        let bytes = zip.len() as u32 - directory;
        zip.extend(b"PK\x05\x06\0\0\0\0\x01\0\x01\0");
        zip.extend(bytes.to_le_bytes());
        zip.extend(directory.to_le_bytes());
        zip.extend([0, 0]);
        zip
    }

    fn read(zip: &[u8]) -> Result<Vec<Entry>, &'static str> {
        let whole = zip.len() as u64;
        let place = place(zip, whole)?;
        let from = place.offset as usize;
        entries(&zip[from..from + place.bytes as usize], place, whole)
    }

    #[test]
    fn files_and_their_contents() {
        let zip = archive("a/METADATA", b"Requires-Dist: b");
        let entries = read(&zip).unwrap();
        assert_eq!(
            (entries[0].name.as_str(), entries[0].bytes),
            ("a/METADATA", 16)
        );
        assert_eq!(
            content(&entries[0], &zip, 100).as_deref(),
            Some(&b"Requires-Dist: b"[..])
        );
        assert_eq!(content(&entries[0], &zip, 10), None);
        assert_eq!(content(&entries[0], &zip[..40], 100), None);
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_survived() {
        let zip = archive("a.py", b"print(1)");
        for end in 0..zip.len() {
            assert!(read(&zip[..end]).is_err(), "{end}");
        }
        for at in 0..zip.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = zip.clone();
                changed[at] = value;
                for entry in read(&changed).unwrap_or_default() {
                    let _ = content(&entry, &changed, 1000);
                }
            }
        }
    }

    #[test]
    fn numbers_that_cannot_be() {
        let mut bomb = archive("a.py", b"print(1)");
        let directory = bomb
            .windows(4)
            .position(|four| four == b"PK\x01\x02")
            .unwrap();
        bomb[directory + 24..directory + 28].copy_from_slice(&0xf000_0000_u32.to_le_bytes());
        assert_eq!(
            read(&bomb),
            Err("a file in it is said to be larger than it can be")
        );
        bomb[directory + 20..directory + 24].copy_from_slice(&0xf000_0000_u32.to_le_bytes());
        assert_eq!(
            read(&bomb),
            Err("the files in it are said to take more than it has")
        );
    }
}
