//! What a layer holds, entry by entry.

use std::io::BufRead;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest as _, Sha256};

use super::error::MeasureError;
use super::kind;
use super::tar::{Member, MemberKind, Tar, TarError};
use crate::size::Kind;

/// How much an image may hold. What goes beyond ends in [`MeasureError::TooLarge`], before memory or time run out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Entries of all layers together, 2,000,000 by default; each takes about 150 bytes of memory. A name longer than 256 bytes counts
    /// once more for every further 256.
    pub entries: u64,
    /// Uncompressed bytes of all layers together, 100 GB by default.
    pub bytes: u64,
    /// Uncompressed bytes for each compressed one, once a layer has 256 MB: 250 by default. gzip can reach 1,032.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            entries: 2_000_000,
            bytes: 100_000_000_000,
            ratio: 250,
        }
    }
}

/// Below this size a layer may have any ratio.
const ANY_RATIO: u64 = 256_000_000;

/// What all layers together have used up of [`Limits`].
#[derive(Debug, Default)]
pub(crate) struct Used {
    entries: AtomicU64,
    bytes: AtomicU64,
}

impl Limits {
    fn entry(&self, used: &Used, name: &[u8]) -> Result<(), MeasureError> {
        let weight = 1 + name.len() as u64 / 256;
        if used.entries.fetch_add(weight, Ordering::Relaxed) + weight > self.entries {
            return Err(MeasureError::TooLarge {
                what: "entries",
                most: self.entries,
                option: "entries",
            });
        }
        Ok(())
    }

    fn bytes(&self, used: &Used, bytes: u64) -> Result<(), MeasureError> {
        if used
            .bytes
            .fetch_add(bytes, Ordering::Relaxed)
            .saturating_add(bytes)
            > self.bytes
        {
            return Err(MeasureError::TooLarge {
                what: "bytes",
                most: self.bytes,
                option: "bytes",
            });
        }
        Ok(())
    }

    fn ratio(&self, unpacked: u64, packed: u64) -> Result<(), MeasureError> {
        if unpacked > ANY_RATIO && unpacked / self.ratio.max(1) > packed {
            return Err(MeasureError::TooLarge {
                what: "bytes for each compressed one",
                most: self.ratio,
                option: "ratio",
            });
        }
        Ok(())
    }
}

/// What an entry is to the file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    File,
    Folder,
    /// A link, a device, a socket: no bytes.
    Other,
}

/// What is known of a file's content.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing: it has none, or no other file has its size.
    Unknown,
    /// It starts at this byte of the layer's tar and was passed over.
    At(u64),
    /// Its SHA-256.
    Digest([u8; 32]),
}

/// An entry of a layer.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Where it lies, without a slash at the start. White-outs are there under their own names.
    pub(crate) path: Box<str>,
    pub(crate) kind: EntryKind,
    pub(crate) made_of: Kind,
    pub(crate) bytes: u64,
    pub(crate) content: Content,
}

/// The entries of a layer as they stand in its tar.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entries {
    pub(crate) all: Vec<Entry>,
    /// Bytes of the tar.
    pub(crate) tar: u64,
    /// How many names started with a slash or climbed above the root.
    pub(crate) outside: u64,
    /// The text of `os-release`, where the layer has it.
    pub(crate) os_release: Option<String>,
}

/// Reads a layer's tar to the end of its stream. `packed` says how many bytes of the blob it took so far.
pub(crate) fn read(
    input: impl BufRead,
    place: &str,
    limits: &Limits,
    used: &Used,
    packed: impl Fn() -> u64,
) -> Result<Entries, MeasureError> {
    let mut tar = Tar::new(input);
    let mut entries = Entries::default();
    let mut charged = 0;
    let mut charge = |offset: u64| {
        limits.bytes(used, offset - charged)?;
        charged = offset;
        limits.ratio(offset, packed())
    };
    loop {
        let member = match tar.next() {
            Ok(Some(member)) => member,
            Ok(None) => break,
            Err(error) => return Err(of_tar(error, place, tar.offset())),
        };
        charge(tar.offset())?;
        limits.entry(used, &member.name)?;
        let mut hash = Sha256::new();
        let mut start = Start::new(&member);
        let mut left = tar.stored();
        let whole = member.is_whole(left);
        while left > 0 {
            let piece = match tar.content() {
                Ok(piece) => piece,
                Err(error) => return Err(of_tar(error, place, tar.offset())),
            };
            hash.update(piece);
            start.take(piece);
            let count = piece.len();
            tar.consume(count);
            left -= count as u64;
            charge(tar.offset())?;
        }
        let content = if whole {
            Content::Digest(hash.finalize().into())
        } else {
            Content::Unknown
        };
        entries.push(&member, &start, content);
    }
    // What stands behind the end belongs to the blob, and to its digest.
    let mut offset = tar.offset();
    let mut input = tar.into_inner();
    loop {
        let count = match input.fill_buf() {
            Ok(piece) => piece.len(),
            Err(error) => return Err(of_tar(error.into(), place, offset)),
        };
        if count == 0 {
            break;
        }
        input.consume(count);
        offset += count as u64;
        charge(offset)?;
    }
    entries.tar = offset;
    Ok(entries)
}

/// Reads the headers of a tar that is not compressed, and passes over its contents. `length` is the length of the tar.
pub(crate) fn scan(
    input: impl BufRead + std::io::Seek,
    length: u64,
    place: &str,
    limits: &Limits,
    used: &Used,
) -> Result<Entries, MeasureError> {
    limits.bytes(used, length)?;
    let mut tar = Tar::new(input);
    let mut entries = Entries::default();
    loop {
        let member = match tar.next() {
            Ok(Some(member)) => member,
            Ok(None) => break,
            Err(error) => return Err(of_tar(error, place, tar.offset())),
        };
        limits.entry(used, &member.name)?;
        let offset = tar.offset();
        if tar.stored() > length.saturating_sub(offset) {
            return Err(of_tar(TarError::Truncated, place, length));
        }
        let whole = member.is_whole(tar.stored());
        let mut start = Start::new(&member);
        while tar.stored() > 0 && start.wants() {
            let piece = match tar.content() {
                Ok(piece) => piece,
                Err(error) => return Err(of_tar(error, place, tar.offset())),
            };
            start.take(piece);
            let count = piece.len().min(Start::MOST);
            tar.consume(count);
        }
        if let Err(error) = tar.seek_over() {
            return Err(of_tar(error, place, tar.offset()));
        }
        let content = if whole {
            Content::At(offset)
        } else {
            Content::Unknown
        };
        entries.push(&member, &start, content);
    }
    entries.tar = length;
    Ok(entries)
}

pub(crate) fn of_tar(error: TarError, place: &str, offset: u64) -> MeasureError {
    let place = place.to_owned();
    match error {
        TarError::Truncated => MeasureError::Truncated { place, offset },
        TarError::Header(why) => MeasureError::BadTar {
            place,
            offset,
            why: why.to_owned(),
        },
        TarError::Io(error) => MeasureError::BadCompression {
            place,
            why: error.to_string(),
        },
    }
}

impl Entries {
    fn push(&mut self, member: &Member, start: &Start, content: Content) {
        let (path, inside) = clean(&member.name);
        if !inside {
            self.outside += 1;
        }
        // The root itself.
        if path.is_empty() {
            return;
        }
        if matches!(&*path, "etc/os-release" | "usr/lib/os-release")
            && member.kind == MemberKind::File
            && let Ok(text) = str::from_utf8(&start.bytes)
        {
            self.os_release = Some(text.to_owned());
        }
        self.all.push(Entry {
            kind: match member.kind {
                MemberKind::File => EntryKind::File,
                MemberKind::Folder => EntryKind::Folder,
                _ => EntryKind::Other,
            },
            made_of: kind::of_file(&path, &start.bytes),
            path,
            bytes: member.bytes,
            content,
        });
    }
}

/// The first bytes of a file: they tell what it is made of. Of `os-release` all, since it tells the distribution.
struct Start {
    bytes: Vec<u8>,
    most: usize,
}

impl Start {
    const MOST: usize = 4096;

    fn new(member: &Member) -> Self {
        let name: &[u8] = &member.name;
        let most = match member.kind {
            MemberKind::File if name.ends_with(b"/os-release") => Self::MOST,
            MemberKind::File => 4,
            _ => 0,
        };
        Self {
            bytes: Vec::new(),
            most,
        }
    }

    fn wants(&self) -> bool {
        self.bytes.len() < self.most
    }

    fn take(&mut self, piece: &[u8]) {
        let more = self.most.saturating_sub(self.bytes.len()).min(piece.len());
        self.bytes.extend_from_slice(&piece[..more]);
    }
}

/// A name from the root down: without empty parts, `.` and `..`, which cannot climb above the root, as containerd unpacks it
/// (`fs.RootPath`). Bytes that are no UTF-8 are written as `\xNN`. And whether it stayed inside by itself.
fn clean(name: &[u8]) -> (Box<str>, bool) {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        text.push_str(chunk.valid());
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    let mut inside = !text.starts_with('/');
    let plain = |part: &str| !matches!(part, "" | "." | "..");
    let trimmed = text.strip_prefix("./").unwrap_or(&text);
    let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
    if trimmed.split('/').all(plain) {
        return (Box::from(trimmed), inside);
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => inside &= parts.pop().is_some(),
            part => parts.push(part),
        }
    }
    (parts.join("/").into_boxed_str(), inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_under_the_root() {
        for (name, path, inside) in [
            (&b"./etc/passwd"[..], "etc/passwd", true),
            (b"etc/", "etc", true),
            (b"./", "", true),
            (b"a//b/./c", "a/b/c", true),
            (b"a/../b", "b", true),
            (b"/etc/passwd", "etc/passwd", false),
            (b"../../etc/passwd", "etc/passwd", false),
            (b"caf\xe9", "caf\\xe9", true),
        ] {
            assert_eq!(clean(name), (Box::from(path), inside), "{name:?}");
        }
    }
}
