//! What the file system says of an entry, and whether that can be trusted to tell of every change.

use std::fs::Metadata;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::context::Stamp;

/// What an entry is, links not followed.
pub(super) struct Status {
    pub(super) kind: Kind,
    /// Permissions with the set-user-id, set-group-id and sticky bits.
    pub(super) mode: u32,
    pub(super) size: u64,
    pub(super) stamp: Stamp,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Directory,
    Symlink,
    /// As in a tar header: the type, and the two numbers of a device.
    Special(u8, (u64, u64)),
}

/// How long after it was touched an entry may be touched again without another time to tell: two seconds on the coarsest file systems
/// still in use. What was touched that shortly before it was read is read again the next time, as git does ("racy git").
const GRAIN: i128 = 2 * SECOND;

/// In nanoseconds.
const SECOND: i128 = 1_000_000_000;

/// Now, in nanoseconds since 1970.
pub(super) fn now() -> i128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |time| time.as_nanos().cast_signed())
}

/// Whether what has this stamp when it was read, and still has, is the same.
pub(super) fn is_settled(stamp: &Stamp, read_at: i128) -> bool {
    let touched = if cfg!(unix) {
        stamp.changed
    } else {
        stamp.modified
    };
    touched + GRAIN < read_at
}

#[cfg(unix)]
impl From<&Metadata> for Status {
    fn from(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt as _;
        Self {
            kind: Kind::of(metadata.mode(), metadata.rdev()),
            mode: metadata.mode() & 0o7777,
            size: metadata.len(),
            stamp: Stamp {
                inode: metadata.ino(),
                device: metadata.dev(),
                modified: i128::from(metadata.mtime()) * SECOND + i128::from(metadata.mtime_nsec()),
                changed: i128::from(metadata.ctime()) * SECOND + i128::from(metadata.ctime_nsec()),
            },
        }
    }
}

/// Clients on Windows send every file as executable (fsutil's `stat.go`).
#[cfg(not(unix))]
impl From<&Metadata> for Status {
    fn from(metadata: &Metadata) -> Self {
        let modified = metadata
            .modified()
            .ok()
            .and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        let kind = if metadata.is_dir() {
            Kind::Directory
        } else if metadata.is_symlink() {
            Kind::Symlink
        } else if metadata.is_file() {
            Kind::File
        } else {
            Kind::Special(b'0', (0, 0))
        };
        Self {
            kind,
            mode: 0o755,
            size: metadata.len(),
            stamp: Stamp {
                inode: 0,
                device: 0,
                modified: modified.map_or(0, |time| time.as_nanos().cast_signed()),
                changed: 0,
            },
        }
    }
}

#[cfg(unix)]
impl Kind {
    fn of(mode: u32, device: u64) -> Self {
        let device = (
            (device >> 8) & 0xfff,
            (device & 0xff) | ((device >> 12) & 0xfff00),
        );
        match mode & 0o170_000 {
            0o100_000 => Self::File,
            0o040_000 => Self::Directory,
            0o120_000 => Self::Symlink,
            0o020_000 => Self::Special(b'3', device),
            0o060_000 => Self::Special(b'4', device),
            0o010_000 => Self::Special(b'6', (0, 0)),
            _ => Self::Special(b'0', (0, 0)),
        }
    }
}

/// A folder held open, so that its entries are found without going through its path, on a file system of which it is known that the time of
/// a folder tells whether names came or went.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
pub(super) struct Held {
    folder: std::os::fd::OwnedFd,
    device: u64,
}

#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
impl Held {
    /// ext2 to ext4, XFS, Btrfs, F2FS, ZFS, tmpfs, overlayfs (`linux/magic.h`).
    const DEPENDABLE: [rustix::fs::FsWord; 7] = [
        0xef53,
        0x5846_5342,
        0x9123_683e,
        0xf2f5_2010,
        0x2fc1_2fc1,
        0x0102_1994,
        0x794c_7630,
    ];

    pub(super) fn open(path: &std::path::Path) -> Option<Self> {
        use rustix::fs::{CWD, Mode, OFlags, fstat, fstatfs, openat};
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = openat(CWD, path, flags, Mode::empty()).ok()?;
        let system = fstatfs(&folder).ok()?.f_type;
        let device = fstat(&folder).ok()?.st_dev;
        Self::DEPENDABLE
            .contains(&system)
            .then_some(Self { folder, device })
    }

    /// A folder below, by its path, if it is still the one with this stamp and on the same file system.
    pub(super) fn below(&self, path: &str, stamp: &Stamp) -> Option<Self> {
        use rustix::fs::{Mode, OFlags, openat};
        if stamp.device != self.device {
            return None;
        }
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let path = if path.is_empty() { "." } else { path };
        let below = Self {
            folder: openat(&self.folder, path, flags, Mode::empty()).ok()?,
            device: self.device,
        };
        (below.status("")?.stamp == *stamp).then_some(below)
    }

    /// What an entry is, by its name; the folder itself without one.
    pub(super) fn status(&self, name: &str) -> Option<Status> {
        use rustix::fs::{AtFlags, statat};
        let flags = AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH;
        let found = statat(&self.folder, name, flags).ok()?;
        Some(Status {
            kind: Kind::of(found.st_mode, found.st_rdev),
            mode: found.st_mode & 0o7777,
            size: found.st_size.cast_unsigned(),
            stamp: Stamp {
                inode: found.st_ino,
                device: found.st_dev,
                modified: i128::from(found.st_mtime) * SECOND + i128::from(found.st_mtime_nsec),
                changed: i128::from(found.st_ctime) * SECOND + i128::from(found.st_ctime_nsec),
            },
        })
    }
}

/// Elsewhere the names of a folder are always read.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
pub(super) enum Held {}

#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
impl Held {
    pub(super) fn open(_: &std::path::Path) -> Option<Self> {
        None
    }

    pub(super) fn below(&self, _: &str, _: &Stamp) -> Option<Self> {
        match *self {}
    }

    pub(super) fn status(&self, _: &str) -> Option<Status> {
        match *self {}
    }
}
