//! Reads a tar as a stream: one header at a time, never a content, whatever the sizes in it say.
//!
//! The forms that Go's `archive/tar` writes and those that it reads: ustar, PAX, GNU long names and GNU sparse files. Off-the-shelf
//! readers keep long names and PAX records of any size in memory; here they end at [`RECORD`] bytes, as in Go.

use std::io::{self, BufRead, ErrorKind, Read as _, Seek};

/// A block of a tar.
const BLOCK: usize = 512;

/// The most that a long name or the PAX records of one entry may take (`maxSpecialFileSize` of Go's `archive/tar`).
const RECORD: u64 = 1 << 20;

/// One entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) name: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) kind: MemberKind,
    /// The bytes of the file: those that it has when it is unpacked, holes and all.
    pub(crate) bytes: u64,
}

impl Member {
    /// Whether the content that is stored is that of the file: no holes are left out.
    pub(crate) fn is_whole(&self, stored: u64) -> bool {
        self.kind == MemberKind::File && self.bytes > 0 && self.bytes == stored
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemberKind {
    File,
    HardLink,
    SymbolicLink,
    Folder,
    Other,
}

/// Why a tar cannot be read.
#[derive(Debug)]
pub(crate) enum TarError {
    /// It ends inside an entry.
    Truncated,
    /// A header makes no sense.
    Header(&'static str),
    /// What it is read from fails.
    Io(io::Error),
}

impl From<io::Error> for TarError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::UnexpectedEof => Self::Truncated,
            _ => Self::Io(error),
        }
    }
}

/// A tar that is read.
pub(crate) struct Tar<R> {
    input: R,
    offset: u64,
    /// Bytes of the current entry's content that are not read yet.
    content: u64,
    /// Bytes that fill its last block.
    padding: u64,
}

impl<R: BufRead> Tar<R> {
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            offset: 0,
            content: 0,
            padding: 0,
        }
    }

    /// Bytes read so far: the place of the next header, or of the one that is wrong.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Bytes of the current entry's content in the stream.
    pub(crate) fn stored(&self) -> u64 {
        self.content
    }

    pub(crate) fn into_inner(self) -> R {
        self.input
    }

    /// The next entry; none at the end. What was not read of the last one's content is passed over.
    pub(crate) fn next(&mut self) -> Result<Option<Member>, TarError> {
        while !self.content()?.is_empty() {
            self.consume(usize::MAX);
        }
        self.skip(self.padding)?;
        self.padding = 0;
        let (mut long_name, mut long_link, mut pax) = (None, None, Pax::default());
        loop {
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let size =
                number(&header[124..136]).ok_or(TarError::Header("its size is no number"))?;
            match header[156] {
                b'L' => long_name = Some(self.record(size)?),
                b'K' => long_link = Some(self.record(size)?),
                b'x' => pax = Pax::read(&self.record(size)?)?,
                // What holds for all further entries: a time or a comment, in the archives that have it.
                b'g' => drop(self.record(size)?),
                _ => {
                    return self
                        .member(&header, size, long_name, long_link, pax)
                        .map(Some);
                }
            }
        }
    }

    fn member(
        &mut self,
        header: &[u8; 512],
        size: u64,
        long_name: Option<Vec<u8>>,
        long_link: Option<Vec<u8>>,
        pax: Pax,
    ) -> Result<Member, TarError> {
        let name = pax
            .path
            .or(long_name.map(until_nul))
            .unwrap_or_else(|| plain_name(header));
        let kind = match header[156] {
            // Before POSIX, a folder was a file whose name ends in a slash.
            0 | b'0' | b'7' if name.ends_with(b"/") => MemberKind::Folder,
            0 | b'0' | b'7' | b'S' => MemberKind::File,
            b'1' => MemberKind::HardLink,
            b'2' => MemberKind::SymbolicLink,
            b'5' => MemberKind::Folder,
            _ => MemberKind::Other,
        };
        let stored = match header[156] {
            // `isHeaderOnly` of Go's `archive/tar`: whatever the header says, no content follows.
            b'1'..=b'6' => 0,
            _ => pax.size.unwrap_or(size),
        };
        let mut bytes = if kind == MemberKind::File { stored } else { 0 };
        if header[156] == b'S' {
            bytes =
                number(&header[483..495]).ok_or(TarError::Header("its real size is no number"))?;
            let mut more = header[482] != 0;
            while more {
                let Some(map) = self.block()? else {
                    return Err(TarError::Truncated);
                };
                more = map[504] != 0;
            }
        }
        if kind == MemberKind::File
            && let Some(real) = pax.real_size
        {
            bytes = real;
        }
        self.content = stored;
        self.padding = filler(stored);
        Ok(Member {
            name,
            link: pax
                .link
                .or(long_link.map(until_nul))
                .unwrap_or_else(|| until_nul(header[157..257].to_vec())),
            kind,
            bytes,
        })
    }

    /// The next piece of the current entry's content; empty at its end.
    pub(crate) fn content(&mut self) -> Result<&[u8], TarError> {
        if self.content == 0 {
            return Ok(&[]);
        }
        let piece = self.input.fill_buf()?;
        if piece.is_empty() {
            return Err(TarError::Truncated);
        }
        Ok(&piece[..piece.len().min(at_most(self.content))])
    }

    /// Passes over what [`Self::content`] gave, or the start of it.
    pub(crate) fn consume(&mut self, most: usize) {
        let piece = self.input.fill_buf().map_or(0, <[u8]>::len);
        let count = piece.min(most).min(at_most(self.content));
        self.input.consume(count);
        self.content -= count as u64;
        self.offset += count as u64;
    }

    /// A header with the right sum; none at the end, which is two blocks of zeros, or the end of the stream between two entries.
    fn header(&mut self) -> Result<Option<[u8; 512]>, TarError> {
        let Some(header) = self.block()? else {
            return Ok(None);
        };
        if header.iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        // The sum is taken with spaces in its own place; old programs summed signed bytes (`verifyChecksum` in Go).
        let rest = || header[..148].iter().chain(&header[156..]);
        let unsigned: i64 = rest().map(|byte| i64::from(*byte)).sum::<i64>() + 8 * 32;
        let signed: i64 = rest()
            .map(|byte| i64::from(byte.cast_signed()))
            .sum::<i64>()
            + 8 * 32;
        match number(&header[148..156]).and_then(|sum| i64::try_from(sum).ok()) {
            Some(sum) if sum == unsigned || sum == signed => Ok(Some(header)),
            _ => Err(TarError::Header("its check sum is wrong")),
        }
    }

    fn block(&mut self) -> Result<Option<[u8; 512]>, TarError> {
        let mut block = [0; BLOCK];
        if self.input.fill_buf()?.is_empty() {
            return Ok(None);
        }
        self.input.read_exact(&mut block)?;
        self.offset += BLOCK as u64;
        Ok(Some(block))
    }

    fn record(&mut self, size: u64) -> Result<Vec<u8>, TarError> {
        if size > RECORD {
            return Err(TarError::Header(
                "its name or its records are longer than 1 MiB",
            ));
        }
        let mut record = Vec::new();
        (&mut self.input).take(size).read_to_end(&mut record)?;
        if record.len() as u64 != size {
            return Err(TarError::Truncated);
        }
        self.offset += size;
        self.skip(filler(size))?;
        Ok(record)
    }

    /// Passes over some bytes; the last ones may be missing, as some programs leave out what fills the last block.
    fn skip(&mut self, mut count: u64) -> Result<(), TarError> {
        while count > 0 {
            let piece = self.input.fill_buf()?.len().min(at_most(count));
            if piece == 0 {
                break;
            }
            self.input.consume(piece);
            self.offset += piece as u64;
            count -= piece as u64;
        }
        Ok(())
    }
}

impl<R: BufRead + Seek> Tar<R> {
    /// Passes over the rest of the current entry's content without reading it.
    pub(crate) fn seek_over(&mut self) -> Result<(), TarError> {
        let distance = i64::try_from(self.content).map_err(|_| TarError::Truncated)?;
        self.input.seek_relative(distance)?;
        self.offset += self.content;
        self.content = 0;
        Ok(())
    }
}

/// What PAX records say of the entry that follows; later records win.
#[derive(Default)]
struct Pax {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    real_size: Option<u64>,
}

impl Pax {
    /// Records are `LENGTH KEY=VALUE\n`, with the length of the whole record in decimal.
    fn read(mut records: &[u8]) -> Result<Self, TarError> {
        const WRONG: TarError = TarError::Header("its PAX records are malformed");
        let mut pax = Self::default();
        while !records.is_empty() && records[0] != 0 {
            let space = records.iter().position(|byte| *byte == b' ').ok_or(WRONG)?;
            let length = decimal(&records[..space]).ok_or(WRONG)?;
            let length = usize::try_from(length).map_err(|_| WRONG)?;
            let record = records.get(space + 1..length).ok_or(WRONG)?;
            let record = record.strip_suffix(b"\n").ok_or(WRONG)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or(WRONG)?;
            let value = &record[equals + 1..];
            match &record[..equals] {
                b"path" | b"GNU.sparse.name" => pax.path = Some(value.to_vec()),
                b"linkpath" => pax.link = Some(value.to_vec()),
                b"size" => pax.size = Some(decimal(value).ok_or(WRONG)?),
                b"GNU.sparse.realsize" | b"GNU.sparse.size" => {
                    pax.real_size = Some(decimal(value).ok_or(WRONG)?);
                }
                _ => {}
            }
            records = &records[length..];
        }
        Ok(pax)
    }
}

/// The name in the header itself; the prefix is ustar's alone, since old GNU headers keep times there.
fn plain_name(header: &[u8; 512]) -> Vec<u8> {
    let name = until_nul(header[..100].to_vec());
    let prefix = until_nul(header[345..500].to_vec());
    if &header[257..263] == b"ustar\0" && !prefix.is_empty() {
        return [prefix, name].join(&b'/');
    }
    name
}

/// How many bytes fill the last block after so many.
fn filler(bytes: u64) -> u64 {
    bytes.wrapping_neg() % BLOCK as u64
}

fn until_nul(mut text: Vec<u8>) -> Vec<u8> {
    if let Some(end) = text.iter().position(|byte| *byte == 0) {
        text.truncate(end);
    }
    text
}

/// A number field: octal text, or base 256 where the first bit is set. None for anything else, and below zero.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 != 0 {
        let first = u64::from(field[0] & 0x7f);
        return field[1..].iter().try_fold(first, |sum, byte| {
            sum.checked_mul(256)?.checked_add(u64::from(*byte))
        });
    }
    let text = field
        .split(|byte| *byte == 0)
        .next()
        .unwrap_or_default()
        .trim_ascii();
    text.iter().try_fold(0_u64, |sum, byte| match byte {
        b'0'..=b'7' => sum.checked_mul(8)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

fn decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, byte| match byte {
        b'0'..=b'9' => sum.checked_mul(10)?.checked_add(u64::from(byte - b'0')),
        _ => None,
    })
}

fn at_most(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
