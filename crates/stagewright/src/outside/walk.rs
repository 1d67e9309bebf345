//! Walks a folder as BuildKit's client does (fsutil's `fs.go`, `stat.go`, `filter.go`): links are not followed, folders that the ignore file
//! leaves out are not looked into. Folders are read side by side on all cores; what is found does not depend on which is first.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::parallel::cores;
use super::status::{Held, Kind, Status, is_settled};
use crate::context::{
    Content, Context, ContextError, Directory, File, IgnoreFile, Node, PatternsMatched, Special,
    Stamp, join,
};

/// Reads all names below a folder, whose stamp is given, with what an earlier reading knows of what was not touched since.
pub(super) fn walk(
    folder: &Path,
    stamp: Stamp,
    ignore: Option<&IgnoreFile>,
    since: Option<&Context>,
) -> Result<Arc<Directory>, ContextError> {
    // Under other patterns other names may have been passed over.
    let patterns =
        |ignore: Option<&IgnoreFile>| ignore.map_or(Vec::new(), |one| one.patterns().to_vec());
    let same_names = since.is_some_and(|since| patterns(since.ignore_file()) == patterns(ignore));
    let walker = Walker {
        folder,
        ignore,
        held: same_names.then(|| Held::open(folder)).flatten(),
        read_at: since.and_then(Context::read_at).unwrap_or(i128::MIN),
        spare: AtomicUsize::new(cores() - 1),
    };
    walker.folder_below(&Below {
        at: String::new(),
        mode: crate::context::DIRECTORY_MODE,
        stamp,
        matched: None,
        left_out: false,
        since: since.map(Context::everything),
    })
}

struct Walker<'f> {
    folder: &'f Path,
    ignore: Option<&'f IgnoreFile>,
    /// The folder, where the time of a folder can be relied on.
    held: Option<Held>,
    /// When the earlier reading began.
    read_at: i128,
    /// Threads that may still be started.
    spare: AtomicUsize,
}

/// A folder that is to be read.
struct Below<'s> {
    at: String,
    mode: u32,
    stamp: Stamp,
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

/// What stands in a folder, in any order, and the folders among it.
type Entries<'s> = (Vec<Found>, Vec<Below<'s>>);

impl Walker<'_> {
    fn folder_below(&self, below: &Below<'_>) -> Result<Arc<Directory>, ContextError> {
        ContextError::check_depth(&below.at)?;
        let (found, folders) = match self.as_before(below) {
            Some(found) => found,
            None => self.anew(below)?,
        };
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
        Ok(Arc::new(Directory::read(below.mode, below.stamp, children)))
    }

    /// What stands in a folder, whose names are read.
    fn anew<'s>(&self, below: &Below<'s>) -> Result<Entries<'s>, ContextError> {
        let mut folders = Vec::new();
        let mut found = Vec::new();
        for entry in self.entries(below)? {
            found.extend(self.entry(below, &entry?, &mut folders)?);
        }
        Ok((found, folders))
    }

    /// What stands in a folder in which no name came or went since the earlier reading: then it is enough to ask for each of them.
    /// Nothing where that is not sure; the names are read then.
    fn as_before<'s>(&self, below: &Below<'s>) -> Option<Entries<'s>> {
        let since = below.since?;
        if since.stamp() != Some(below.stamp) || !is_settled(&below.stamp, self.read_at) {
            return None;
        }
        let held = self.held.as_ref()?.below(&below.at, &below.stamp)?;
        let mut folders = Vec::new();
        let mut found = Vec::with_capacity(since.children().len());
        for (place, child) in since.children().iter().enumerate() {
            let status = held.status(&child.0)?;
            let one = self.found(below, &child.0, &status, Some((place, child)), &mut folders);
            found.push(one.ok()??);
        }
        Some((found, folders))
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
        let status = match entry.metadata() {
            Ok(metadata) => Status::from(&metadata),
            // Gone since the folder was read.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                let path = join(&below.at, &name);
                // Of no interest, perhaps.
                return if self.ignores(&path, below).0 {
                    Ok(None)
                } else {
                    Err(ContextError::Unreadable { path, source })
                };
            }
        };
        let before = below.since.and_then(|since| since.entry(&name));
        self.found(below, &name, &status, before, folders)
    }

    fn ignores(&self, path: &str, below: &Below<'_>) -> (bool, Option<PatternsMatched>) {
        self.ignore.map_or((false, None), |ignore| {
            ignore.ignores_below(path, below.matched.as_ref())
        })
    }

    /// What an entry is, with what stood there before; nothing where it is gone, or of no interest.
    fn found<'s>(
        &self,
        below: &Below<'s>,
        name: &str,
        status: &Status,
        before: Option<(usize, &'s (Arc<str>, Node))>,
        folders: &mut Vec<Below<'s>>,
    ) -> Result<Option<Found>, ContextError> {
        if let Some((place, (_, Node::File(before)))) = before
            && status.kind == Kind::File
            && before.stamp == Some(status.stamp)
            && (before.size, before.mode) == (status.size, status.mode)
            && is_settled(&status.stamp, self.read_at)
        {
            return Ok(Some(Found::Same(place)));
        }
        let known = before.map(|(_, entry)| entry);
        let name_of = || known.map_or_else(|| Arc::from(name), |(name, _)| Arc::clone(name));
        let path = join(&below.at, name);
        let node = match status.kind {
            Kind::File => Node::File(file(&path, status)),
            Kind::Special(flag, device) => Node::Special(Special {
                mode: status.mode,
                flag,
                device,
            }),
            Kind::Symlink => {
                let ignored = || self.ignores(&path, below).0;
                match fs::read_link(self.folder.join(&path)) {
                    Ok(target) => match target.into_os_string().into_string() {
                        Ok(target) => Node::Symlink(Arc::from(target)),
                        Err(_) if ignored() => return Ok(None),
                        Err(_) => return Err(ContextError::NameNotUtf8 { path }),
                    },
                    Err(error) if error.kind() == io::ErrorKind::NotFound || ignored() => {
                        return Ok(None);
                    }
                    Err(source) => return Err(ContextError::Unreadable { path, source }),
                }
            }
            Kind::Directory => {
                let (left_out, matched) = self.ignores(&path, below);
                if left_out
                    && !self
                        .ignore
                        .is_some_and(|ignore| ignore.may_keep_below(&path))
                {
                    Node::Unread
                } else {
                    folders.push(Below {
                        at: path,
                        mode: status.mode,
                        stamp: status.stamp,
                        matched,
                        left_out,
                        since: match known {
                            Some((_, Node::Directory(since))) => Some(since),
                            _ => None,
                        },
                    });
                    return Ok(Some(Found::Folder(name_of(), folders.len() - 1)));
                }
            }
        };
        Ok(Some(match before {
            // A link or a device that is what it was.
            Some((place, (_, before))) if node.is(before) => Found::Same(place),
            _ => Found::Node(name_of(), node),
        }))
    }
}

/// A file that is not read yet.
fn file(path: &str, status: &Status) -> Arc<File> {
    let (size, mode, stamp) = (status.size, status.mode, status.stamp);
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
