//! The bytes of a layer's blob: counted, hashed and unpacked as they pass.

use std::cell::RefCell;
use std::io::{self, BufRead, BufReader, ErrorKind, Read};
use std::rc::Rc;

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use serde::Serialize;
use sha2::{Digest as _, Sha256};

/// How much is read at a time.
const PIECE: usize = 256 * 1024;

/// How a layer's blob is compressed. Told from its first bytes, as containerd does (`DetectCompression` of its archive/compression
/// package), whatever its media type says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Packing {
    /// A tar as it is.
    None,
    /// gzip, in one piece or several.
    Gzip,
    /// Zstandard, in one frame or several.
    Zstd,
}

impl Packing {
    /// The word used in all three languages: `none`, `gzip`, `zstd`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// By the first bytes of a blob.
    pub(crate) fn of(start: &[u8]) -> Self {
        match start {
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            // A frame, or a skippable one, with which a stream may start too.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Self::Zstd,
            _ => Self::None,
        }
    }
}

/// What has passed.
#[derive(Default)]
pub(crate) struct Passed {
    pub(crate) bytes: u64,
    hash: Sha256,
}

impl Passed {
    /// The digest of all bytes, in hex.
    pub(crate) fn digest(&self) -> String {
        hex(&self.hash.clone().finalize())
    }
}

/// Counts and hashes what is read through it.
pub(crate) struct Watched<R> {
    inner: R,
    passed: Rc<RefCell<Passed>>,
}

impl<R: Read> Watched<R> {
    pub(crate) fn new(inner: R) -> (Self, Rc<RefCell<Passed>>) {
        let passed = Rc::default();
        let watched = Self {
            inner,
            passed: Rc::clone(&passed),
        };
        (watched, passed)
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        let mut passed = self.passed.borrow_mut();
        passed.bytes += count as u64;
        passed.hash.update(&buffer[..count]);
        Ok(count)
    }
}

/// The tar in a blob.
pub(crate) fn unpacked<'r>(blob: impl Read + 'r, packing: Packing) -> Box<dyn BufRead + 'r> {
    let blob = BufReader::with_capacity(PIECE, blob);
    match packing {
        Packing::None => Box::new(blob),
        Packing::Gzip => Box::new(BufReader::with_capacity(PIECE, MultiGzDecoder::new(blob))),
        Packing::Zstd => Box::new(BufReader::with_capacity(PIECE, Zstd::new(blob))),
    }
}

/// All frames of a zstd stream, one after the other (RFC 8878, section 3).
struct Zstd<R> {
    input: R,
    frame: FrameDecoder,
    inside: bool,
}

impl<R: BufRead> Zstd<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            frame: FrameDecoder::new(),
            inside: false,
        }
    }

    /// Starts the next frame, passing over skippable ones; false at the end.
    fn start(&mut self) -> io::Result<bool> {
        while !self.input.fill_buf()?.is_empty() {
            let mut magic = [0; 4];
            self.input.read_exact(&mut magic)?;
            if matches!(magic, [0x50..=0x5f, 0x2a, 0x4d, 0x18]) {
                let mut length = [0; 4];
                self.input.read_exact(&mut length)?;
                let length = u64::from(u32::from_le_bytes(length));
                let passed = io::copy(&mut (&mut self.input).take(length), &mut io::sink())?;
                if passed != length {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                continue;
            }
            self.frame
                .reset(magic.chain(&mut self.input))
                .map_err(io::Error::other)?;
            return Ok(true);
        }
        Ok(false)
    }
}

impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.inside && self.frame.can_collect() > 0 {
                return self.frame.read(buffer);
            }
            if self.inside && !self.frame.is_finished() {
                if self.input.fill_buf()?.is_empty() {
                    return Err(ErrorKind::UnexpectedEof.into());
                }
                self.frame
                    .decode_blocks(&mut self.input, BlockDecodingStrategy::UptoBytes(PIECE))
                    .map_err(io::Error::other)?;
                continue;
            }
            self.inside = self.start()?;
            if !self.inside {
                return Ok(0);
            }
        }
    }
}

/// A digest in hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes everything");
        text
    })
}
