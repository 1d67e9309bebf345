//! Walks a folder as BuildKit's client does (fsutil's `fs.go`, `stat.go`, `filter.go`): links are not followed, folders that the ignore file
//! leaves out are not looked into. Folders are read side by side on all cores; what is found does not depend on which is first.

use std::fs::{self, Metadata};
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::context::{
    Content, ContextError, Directory, File, IgnoreFile, Node, PatternsMatched, Special, Stamp, join,
};

/// Reads all names below a folder, with what an earlier reading knows of what was not touched since.
pub(super) fn walk(
    folder: &Path,
    ignore: Option<&IgnoreFile>,
    since: Option<&Arc<Directory>>,
) -> Result<Arc<Directory>, ContextError> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let walker = Walker {
        folder,
        ignore,
        spare: AtomicUsize::new(cores - 1),
    };
    walker.folder_below(&Below {
        at: String::new(),
        mode: crate::context::DIRECTORY_MODE,
        matched: None,
        left_out: false,
        since,
    })
}

struct Walker<'f> {
    folder: &'f Path,
    ignore: Option<&'f IgnoreFile>,
    /// Threads that may still be started.
    spare: AtomicUsize,
}

/// A folder that is to be read.
struct Below<'s> {
    at: String,
    mode: u32,
    /// What matched it in the ignore file.
    matched: Option<PatternsMatched>,
    /// Whether the ignore file leaves it out, and only an exception may bring something of it back: then it does not matter when it
    /// cannot be read.
    left_out: bool,
    since: Option<&'s Arc<Directory>>,
}

/// An entry of a folder.
enum Found {
    /// What stood there before, at this place among the children.
    Same(usize),
    Node(Arc<str>, Node),
    /// A folder, which comes at this place among those that are to be read.
    Folder(Arc<str>, usize),
}

impl Walker<'_> {
    fn folder_below(&self, below: &Below<'_>) -> Result<Arc<Directory>, ContextError> {
        ContextError::check_depth(&below.at)?;
        let mut folders = Vec::new();
        let mut found = Vec::new();
        for entry in self.entries(below)? {
            found.extend(self.entry(below, &entry?, &mut folders)?);
        }
        let folders = self.all(&folders)?;
        let before = below.since.map_or(&[][..], |since| since.children());
        let same = |found: &Found| match found {
            Found::Same(_) => true,
            Found::Node(..) => false,
            Found::Folder(name, place) => {
                let before = below.since.and_then(|since| since.directory(name));
                before.is_some_and(|before| Arc::ptr_eq(before, &folders[*place]))
            }
        };
        // Shared with the earlier reading, a folder keeps the digest that was worked out for it.
        if let Some(since) = below.since
            && since.mode() == below.mode
            && before.len() == found.len()
            && found.iter().all(same)
        {
            return Ok(Arc::clone(since));
        }
        let children = found.into_iter().map(|found| match found {
            Found::Same(place) => before[place].clone(),
            Found::Node(name, node) => (name, node),
            Found::Folder(name, place) => (name, Node::Directory(Arc::clone(&folders[place]))),
        });
        let mut children: Vec<(Arc<str>, Node)> = children.collect();
        children.sort_unstable_by(|one, two| one.0.cmp(&two.0));
        Ok(Arc::new(Directory::new(below.mode, children)))
    }

    /// Reads folders, with another thread where one is to spare; the error of the first that has one.
    fn all(&self, folders: &[Below<'_>]) -> Result<Vec<Arc<Directory>>, ContextError> {
        let take = |spare: usize| spare.checked_sub(1);
        let order = Ordering::Relaxed;
        if folders.len() < 2 || self.spare.fetch_update(order, order, take).is_err() {
            return folders
                .iter()
                .map(|below| self.folder_below(below))
                .collect();
        }
        let next = AtomicUsize::new(0);
        let found = Mutex::new(Vec::with_capacity(folders.len()));
        let work = || {
            loop {
                let place = next.fetch_add(1, Ordering::Relaxed);
                let Some(below) = folders.get(place) else {
                    return;
                };
                let read = self.folder_below(below);
                found
                    .lock()
                    .expect("no thread panics while it holds the lock")
                    .push((place, read));
            }
        };
        std::thread::scope(|scope| {
            scope.spawn(|| {
                work();
                self.spare.fetch_add(1, Ordering::Relaxed);
            });
            work();
        });
        let mut found = found
            .into_inner()
            .expect("no thread panics while it holds the lock");
        found.sort_unstable_by_key(|(place, _)| *place);
        found.into_iter().map(|(_, read)| read).collect()
    }

    /// What stands in a folder, in any order.
    fn entries(
        &self,
        below: &Below<'_>,
    ) -> Result<impl Iterator<Item = Result<fs::DirEntry, ContextError>>, ContextError> {
        let at = below.at.clone();
        let root = self.folder;
        let unreadable = move |source| ContextError::Unreadable {
            path: if at.is_empty() {
                root.display().to_string()
            } else {
                at.clone()
            },
            source,
        };
        let entries = match fs::read_dir(self.folder.join(&below.at)) {
            Ok(entries) => Some(entries),
            Err(_) if below.left_out => None,
            Err(error) if !below.at.is_empty() && error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(unreadable(error)),
        };
        let entries = entries.into_iter().flatten();
        Ok(entries.map(move |entry| entry.map_err(&unreadable)))
    }

    /// What an entry is; nothing where it is gone, or of no interest.
    fn entry<'s>(
        &self,
        below: &Below<'s>,
        entry: &fs::DirEntry,
        folders: &mut Vec<Below<'s>>,
    ) -> Result<Option<Found>, ContextError> {
        let name = match entry.file_name().into_string() {
            Ok(name) => name,
            Err(name) => {
                let path = join(&below.at, &name.to_string_lossy());
                let ignored =
                    below.left_out || self.ignore.is_some_and(|ignore| ignore.ignores(&path));
                return if ignored {
                    Ok(None)
                } else {
                    Err(ContextError::NameNotUtf8 { path })
                };
            }
        };
        let path = || join(&below.at, &name);
        let (ignored, matched) = match self.ignore {
            Some(ignore) => ignore.ignores_below(&path(), below.matched.as_ref()),
            None => (false, None),
        };
        let unreadable = |source| ContextError::Unreadable {
            path: path(),
            source,
        };
        let metadata = match entry.metadata() {
            Ok(metadata) => metadata,
            // Gone since the folder was read, or of no interest.
            Err(error) if ignored || error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
        };
        let mode = permissions(&metadata);
        let before = below.since.and_then(|since| since.entry(&name));
        if let Some((place, (_, Node::File(before)))) = before
            && metadata.is_file()
            && before.stamp == Some(stamp(&metadata))
            && (before.size, before.mode) == (metadata.len(), mode)
        {
            return Ok(Some(Found::Same(place)));
        }
        let known = before.map(|(_, entry)| entry);
        let name_of =
            || known.map_or_else(|| Arc::from(name.as_str()), |(name, _)| Arc::clone(name));
        let found = if metadata.is_dir() {
            if ignored
                && !self
                    .ignore
                    .is_some_and(|ignore| ignore.may_keep_below(&path()))
            {
                Found::Node(name_of(), Node::Unread)
            } else {
                folders.push(Below {
                    at: path(),
                    mode,
                    matched,
                    left_out: ignored,
                    since: match known {
                        Some((_, Node::Directory(since))) => Some(since),
                        _ => None,
                    },
                });
                Found::Folder(name_of(), folders.len() - 1)
            }
        } else if metadata.is_symlink() {
            match fs::read_link(entry.path()) {
                Ok(target) => match target.into_os_string().into_string() {
                    Ok(target) => Found::Node(name_of(), Node::Symlink(Arc::from(target))),
                    Err(_) if ignored => return Ok(None),
                    Err(_) => return Err(ContextError::NameNotUtf8 { path: path() }),
                },
                Err(error) if ignored || error.kind() == io::ErrorKind::NotFound => {
                    return Ok(None);
                }
                Err(error) => return Err(unreadable(error)),
            }
        } else if metadata.is_file() {
            Found::Node(name_of(), Node::File(file(&path(), &metadata, mode)))
        } else {
            Found::Node(name_of(), Node::Special(special(&metadata, mode)))
        };
        Ok(Some(match (found, before) {
            // A link or a device that is what it was.
            (Found::Node(_, node), Some((place, (_, before)))) if node.is(before) => {
                Found::Same(place)
            }
            (found, _) => found,
        }))
    }
}

/// A file that is not read yet.
fn file(path: &str, metadata: &Metadata, mode: u32) -> Arc<File> {
    let (size, stamp) = (metadata.len(), stamp(metadata));
    let unread = format!(
        "{path} {size} {mode} {} {} {} {}",
        stamp.device, stamp.inode, stamp.modified, stamp.changed
    );
    Arc::new(File {
        size,
        mode,
        content: Content::Unread(crate::context::Digest::of(unread)),
        stamp: Some(stamp),
        text: None,
    })
}

#[cfg(unix)]
fn permissions(metadata: &Metadata) -> u32 {
    use std::os::unix::fs::MetadataExt as _;
    metadata.mode() & 0o7777
}

/// Clients on Windows send every file as executable (fsutil's `stat.go`).
#[cfg(not(unix))]
fn permissions(_: &Metadata) -> u32 {
    0o755
}

#[cfg(unix)]
pub(super) fn stamp(metadata: &Metadata) -> Stamp {
    use std::os::unix::fs::MetadataExt as _;
    let nanoseconds =
        |seconds: i64, rest: i64| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    Stamp {
        inode: metadata.ino(),
        device: metadata.dev(),
        modified: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
        changed: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
    }
}

#[cfg(not(unix))]
pub(super) fn stamp(metadata: &Metadata) -> Stamp {
    let modified = metadata
        .modified()
        .ok()
        .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    Stamp {
        inode: 0,
        device: 0,
        modified: modified.map_or(0, |time| time.as_nanos() as i128),
        changed: 0,
    }
}

#[cfg(unix)]
fn special(metadata: &Metadata, mode: u32) -> Special {
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
    let kind = metadata.file_type();
    let flag = if kind.is_fifo() {
        b'6'
    } else if kind.is_char_device() {
        b'3'
    } else if kind.is_block_device() {
        b'4'
    } else {
        b'0'
    };
    let number = metadata.rdev();
    let device = if matches!(flag, b'3' | b'4') {
        (
            (number >> 8) & 0xfff,
            (number & 0xff) | ((number >> 12) & 0xfff00),
        )
    } else {
        (0, 0)
    };
    Special { mode, flag, device }
}

#[cfg(not(unix))]
fn special(_: &Metadata, mode: u32) -> Special {
    Special {
        mode,
        flag: b'0',
        device: (0, 0),
    }
}
