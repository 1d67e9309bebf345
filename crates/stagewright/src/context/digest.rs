//! SHA-256 digests and BuildKit's record of a file.

use std::fmt;

use serde::{Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest; printed and serialised as `sha256:` and 64 hexadecimal digits, as BuildKit writes it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of bytes.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The 32 bytes.
    pub const fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads `sha256:` and 64 hexadecimal digits of lower case.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text
            .strip_prefix("sha256:")
            .filter(|digits| digits.len() == 64)?
            .as_bytes();
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            *byte = value(pair[0])? << 4 | value(pair[1])?;
        }
        Some(Self(bytes))
    }

    fn text(self) -> [u8; 71] {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [0; 71];
        text[..7].copy_from_slice(b"sha256:");
        for (pair, byte) in text[7..].chunks_exact_mut(2).zip(self.0) {
            pair[0] = DIGITS[usize::from(byte >> 4)];
            pair[1] = DIGITS[usize::from(byte & 15)];
        }
        text
    }
}

fn value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .write_str(std::str::from_utf8(&self.text()).expect("hexadecimal digits are ASCII"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A digest of parts that come one after the other.
#[derive(Clone, Default)]
pub(crate) struct Hasher(Sha256);

impl Hasher {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.update(bytes);
        self
    }

    /// The digest as text, which is how BuildKit hashes digests.
    pub(crate) fn digest(&mut self, digest: Digest) -> &mut Self {
        self.write(&digest.text())
    }

    pub(crate) fn finish(self) -> Digest {
        Digest(self.0.finalize().into())
    }
}

/// What the record of a file holds besides its content.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Header<'a> {
    /// Permissions with the set-user-id, set-group-id and sticky bits.
    pub(crate) mode: u32,
    /// Bytes of a regular file, 0 for everything else.
    pub(crate) size: u64,
    /// The type flag of a tar header: `0` file, `2` symbolic link, `3` and `4` devices, `5` directory, `6` pipe.
    pub(crate) flag: u8,
    /// Where a symbolic link leads.
    pub(crate) target: &'a str,
    /// Major and minor number of a device.
    pub(crate) device: (u64, u64),
}

impl Header<'_> {
    /// Starts a record; the content follows (`cache/contenthash/tarsum.go`: keys and values without separators, no time, owner 0
    /// because clients send a local context as root's). Extended attributes would follow; a context hardly ever has any, and none are read here.
    pub(crate) fn start(&self) -> Hasher {
        let mut hasher = Hasher::new();
        let head = format!(
            "namemode{}uid0gid0size{}typeflag{}linkname{}unamegnamedevmajor{}devminor{}",
            self.mode,
            self.size,
            char::from(self.flag),
            self.target,
            self.device.0,
            self.device.1,
        );
        hasher.write(head.as_bytes());
        hasher
    }
}

/// The record of a regular file whose content is at hand.
pub(crate) fn file_record(mode: u32, content: &[u8]) -> Digest {
    let mut hasher = Header {
        mode,
        size: content.len() as u64,
        flag: b'0',
        target: "",
        device: (0, 0),
    }
    .start();
    hasher.write(content);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_back() {
        let digest = Digest::of("");
        assert_eq!(
            digest.to_string(),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        assert_eq!(Digest::parse("sha256:e3"), None);
    }
}
