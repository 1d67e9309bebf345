//! Reads images: archives of `docker save`, OCI layouts as a tar or as a folder.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, ErrorKind, Read as _, Seek as _, SeekFrom};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest as _, Sha256};

use super::parallel;
use crate::measure::blob::{self, Packing, Watched};
use crate::measure::entry::{self, Content, Used};
use crate::measure::manifest::{self, Blobs, Choice, DESCRIPTION, Promise, Source};
use crate::measure::tar::{MemberKind, Tar};
use crate::measure::{Image, Limits, MeasureError, MeasureOptions, Read};

/// How much of a tar's headers is read at a time where contents are passed over.
const HEADERS: usize = 16 * 1024;
/// How many links one name may lead through.
const LINKS: usize = 8;

impl Image {
    /// Measures an image: an archive of `docker save`, or an OCI layout as a tar or as a folder.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, MeasureError> {
        Self::open_with(path, &MeasureOptions::default())
    }

    /// As [`Image::open`], with options. Layers are read by as many threads as there are processors; the answer is the same with one.
    pub fn open_with(
        path: impl AsRef<Path>,
        options: &MeasureOptions,
    ) -> Result<Self, MeasureError> {
        let path = path.as_ref();
        let store = Store::open(path, &options.limits)?;
        let Some(choice) = manifest::choose(&store, options)? else {
            return Err(MeasureError::NoImage {
                path: path.to_owned(),
                why: "it holds neither a `manifest.json` as of `docker save` nor an OCI layout"
                    .to_owned(),
            });
        };
        let used = Used::default();
        let mut layers = in_parallel(choice.layers.len(), |at| {
            layer(&store, &choice, at, options, &used)
        })?;
        hash_alike(&store, &choice, &mut layers)?;
        Ok(Self::new(choice, layers, options))
    }
}

/// Where an image lies.
enum Store {
    /// A tar: its files with their places, its links with their targets.
    Tar {
        path: PathBuf,
        members: BTreeMap<String, Stored>,
    },
    /// A folder.
    Folder(PathBuf),
}

enum Stored {
    File { offset: u64, bytes: u64 },
    Link(String),
}

/// A file of the image, from its first byte to its last.
struct Blob {
    file: File,
    offset: u64,
    bytes: u64,
}

impl Store {
    fn open(path: &Path, limits: &Limits) -> Result<Self, MeasureError> {
        let metadata = fs::metadata(path).map_err(|source| match source.kind() {
            ErrorKind::NotFound => MeasureError::Missing {
                path: path.to_owned(),
            },
            _ => unreadable(path, source),
        })?;
        if metadata.is_dir() {
            let folder = fs::canonicalize(path).map_err(|source| unreadable(path, source))?;
            return Ok(Self::Folder(folder));
        }
        // A pipe cannot be read twice, and a device may have no end.
        if !metadata.is_file() {
            return Err(no_image(path, "it is neither a file nor a folder"));
        }
        let mut start = [0; 6];
        let mut file = File::open(path).map_err(|source| unreadable(path, source))?;
        let count = file
            .read(&mut start)
            .map_err(|source| unreadable(path, source))?;
        let packed = Packing::of(&start[..count]) != Packing::None
            || matches!(
                start,
                [0xfd, b'7', b'z', b'X', b'Z', 0] | [b'B', b'Z', b'h', ..]
            );
        if packed {
            return Err(no_image(
                path,
                "it is compressed as a whole; decompress it first",
            ));
        }
        file.rewind().map_err(|source| unreadable(path, source))?;
        let members = members(path, file, metadata.len(), limits)?;
        Ok(Self::Tar {
            path: path.to_owned(),
            members,
        })
    }

    /// A file of the image; none if it is not there.
    fn blob(&self, name: &str) -> Result<Option<Blob>, MeasureError> {
        let outside = || MeasureError::OutsideImage {
            name: name.to_owned(),
        };
        match self {
            Self::Folder(folder) => {
                let plain =
                    |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
                if !Path::new(name).components().all(plain) {
                    return Err(outside());
                }
                let path = match fs::canonicalize(folder.join(name)) {
                    Ok(path) => path,
                    Err(error)
                        if matches!(
                            error.kind(),
                            ErrorKind::NotFound | ErrorKind::NotADirectory
                        ) =>
                    {
                        return Ok(None);
                    }
                    Err(source) => return Err(unreadable(&folder.join(name), source)),
                };
                if !path.starts_with(folder) {
                    return Err(outside());
                }
                // Asked before it is opened: opening a pipe waits for its writer.
                let metadata = fs::metadata(&path).map_err(|source| unreadable(&path, source))?;
                if !metadata.is_file() {
                    return Ok(None);
                }
                let file = File::open(&path).map_err(|source| unreadable(&path, source))?;
                Ok(Some(Blob {
                    file,
                    offset: 0,
                    bytes: metadata.len(),
                }))
            }
            Self::Tar { path, members } => {
                let mut at = inside("", name).ok_or_else(outside)?;
                for _ in 0..LINKS {
                    match members.get(&at) {
                        None => return Ok(None),
                        Some(Stored::Link(target)) => {
                            let folder = at.rsplit_once('/').map_or("", |(folder, _)| folder);
                            at = inside(folder, target).ok_or_else(outside)?;
                        }
                        Some(Stored::File { offset, bytes }) => {
                            let file =
                                File::open(path).map_err(|source| unreadable(path, source))?;
                            return Ok(Some(Blob {
                                file,
                                offset: *offset,
                                bytes: *bytes,
                            }));
                        }
                    }
                }
                Err(outside())
            }
        }
    }

    fn required(&self, name: &str) -> Result<Blob, MeasureError> {
        self.blob(name)?.ok_or_else(|| MeasureError::BlobMissing {
            name: name.to_owned(),
        })
    }

    fn path(&self) -> &Path {
        match self {
            Self::Tar { path, .. } | Self::Folder(path) => path,
        }
    }
}

impl Blobs for Store {
    fn read(&self, name: &str) -> Result<Option<Vec<u8>>, MeasureError> {
        let Some(blob) = self.blob(name)? else {
            return Ok(None);
        };
        if blob.bytes > DESCRIPTION {
            return Err(MeasureError::BadManifest {
                name: name.to_owned(),
                why: format!(
                    "it has {} bytes, and no description has more than {DESCRIPTION}",
                    blob.bytes
                ),
            });
        }
        let bytes = blob.bytes;
        let mut content = Vec::new();
        let mut window = Window::new(blob);
        let read = window
            .seek(SeekFrom::Start(0))
            .and_then(|_| window.read_to_end(&mut content));
        read.map_err(|source| unreadable(self.path(), source))?;
        if content.len() as u64 != bytes {
            return Err(MeasureError::Truncated {
                place: format!("`{name}`"),
                offset: content.len() as u64,
            });
        }
        Ok(Some(content))
    }
}

/// The files and links of an archive. Later entries of a name win.
fn members(
    path: &Path,
    file: File,
    length: u64,
    limits: &Limits,
) -> Result<BTreeMap<String, Stored>, MeasureError> {
    let place = format!("`{}`", path.display());
    let mut members = BTreeMap::new();
    let mut tar = Tar::new(BufReader::with_capacity(HEADERS, file));
    loop {
        let member = match tar.next() {
            Ok(Some(member)) => member,
            Ok(None) => return Ok(members),
            // A first header that is none: whatever it is, it is no archive.
            Err(_) if members.is_empty() => return Err(no_image(path, "it is no tar")),
            Err(error) => return Err(entry::of_tar(error, &place, tar.offset())),
        };
        if members.len() as u64 >= limits.entries {
            return Err(MeasureError::TooLarge {
                what: "entries",
                most: limits.entries,
                option: "entries",
            });
        }
        let stored = match member.kind {
            MemberKind::File => Some(Stored::File {
                offset: tar.offset(),
                bytes: tar.stored(),
            }),
            MemberKind::SymbolicLink => str::from_utf8(&member.link)
                .ok()
                .map(|link| Stored::Link(link.to_owned())),
            // A hard link's target counts from the root of the archive.
            MemberKind::HardLink => str::from_utf8(&member.link)
                .ok()
                .map(|link| Stored::Link(format!("/{link}"))),
            _ => None,
        };
        if tar.offset() + tar.stored() > length {
            return Err(MeasureError::Truncated {
                place,
                offset: length,
            });
        }
        if let (Some(stored), Some(name)) = (
            stored,
            str::from_utf8(&member.name)
                .ok()
                .and_then(|name| inside("", name)),
        ) {
            members.insert(name, stored);
        }
        if let Err(error) = tar.seek_over() {
            return Err(entry::of_tar(error, &place, tar.offset()));
        }
    }
}

/// A name from the root of an archive down; none if it climbs above the root. A slash at the start means the root.
fn inside(folder: &str, name: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    let start = if name.starts_with('/') { "" } else { folder };
    for part in start.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Reads one layer.
fn layer(
    store: &Store,
    choice: &Choice,
    at: usize,
    options: &MeasureOptions,
    used: &Used,
) -> Result<Read, MeasureError> {
    let Source {
        name,
        promise,
        digest,
    } = &choice.layers[at];
    let place = format!(
        "layer {at} (`{}`)",
        if digest.is_empty() { name } else { digest }
    );
    let failed = |source| unreadable(store.path(), source);
    let mut window = Window::new(store.required(name)?);
    let stored = window.blob.bytes;
    let mut start = Vec::new();
    window.seek(SeekFrom::Start(0)).map_err(failed)?;
    (&mut window)
        .take(4)
        .read_to_end(&mut start)
        .map_err(failed)?;
    window.seek(SeekFrom::Start(0)).map_err(failed)?;
    let packing = Packing::of(&start);
    let entries;
    let mut verified = false;
    if packing == Packing::None && !(options.verify && *promise != Promise::Nothing) {
        let headers = BufReader::with_capacity(HEADERS, window);
        entries = entry::scan(headers, stored, &place, &options.limits, used)?;
    } else {
        let (watched, passed) = Watched::new(window);
        let tar = blob::unpacked(watched, packing);
        entries = entry::read(tar, &place, &options.limits, used, || passed.borrow().bytes)?;
        let expected = match promise {
            Promise::Stored(expected) => Some(expected),
            // The tar of an archive of old is stored as it is.
            Promise::Tar(expected) if packing == Packing::None => Some(expected),
            _ => None,
        };
        if let Some(expected) = expected {
            let found = passed.borrow().digest();
            if *expected != found {
                return Err(MeasureError::DigestMismatch {
                    place,
                    expected: expected.clone(),
                    found,
                });
            }
            verified = true;
        }
    }
    Ok(Read {
        entries,
        packing,
        stored,
        verified,
    })
}

/// Hashes those files that were passed over and whose size another file has too.
fn hash_alike(store: &Store, choice: &Choice, layers: &mut [Read]) -> Result<(), MeasureError> {
    let mut sizes: Vec<u64> = layers
        .iter()
        .flat_map(|layer| &layer.entries.all)
        .filter(|entry| entry.content != Content::Unknown)
        .map(|entry| entry.bytes)
        .collect();
    sizes.sort_unstable();
    let several = sizes
        .chunk_by(|a, b| a == b)
        .filter(|group| group.len() > 1);
    let several: Vec<u64> = several.map(|group| group[0]).collect();
    let wanted: Vec<Vec<(usize, u64, u64)>> = layers
        .iter()
        .map(|layer| {
            let files = layer.entries.all.iter().enumerate();
            let passed_over = files.filter_map(|(index, entry)| match entry.content {
                Content::At(offset) => Some((index, offset, entry.bytes)),
                _ => None,
            });
            passed_over
                .filter(|(_, _, bytes)| several.binary_search(bytes).is_ok())
                .collect()
        })
        .collect();
    let digests = in_parallel(wanted.len(), |at| {
        if wanted[at].is_empty() {
            return Ok(Vec::new());
        }
        let failed = |source| unreadable(store.path(), source);
        let mut window = Window::new(store.required(&choice.layers[at].name)?);
        let digest = |(index, offset, bytes): &(usize, u64, u64)| {
            Ok((*index, window.digest(*offset, *bytes)?))
        };
        wanted[at]
            .iter()
            .map(digest)
            .collect::<io::Result<Vec<_>>>()
            .map_err(failed)
    })?;
    for (layer, digests) in layers.iter_mut().zip(digests) {
        for entry in &mut layer.entries.all {
            if let Content::At(_) = entry.content {
                entry.content = Content::Unknown;
            }
        }
        for (index, digest) in digests {
            layer.entries.all[index].content = Content::Digest(digest);
        }
    }
    Ok(())
}

/// A file of the image, to be read here and there.
struct Window {
    blob: Blob,
    at: u64,
}

impl Window {
    fn new(blob: Blob) -> Self {
        // No place of the file yet: the first reading seeks.
        Self { blob, at: 0 }
    }

    /// The SHA-256 of some of its bytes.
    fn digest(&mut self, offset: u64, bytes: u64) -> io::Result<[u8; 32]> {
        let mut hash = Sha256::new();
        self.seek(SeekFrom::Start(offset))?;
        let hashed = io::copy(&mut self.take(bytes), &mut hash)?;
        if hashed == bytes {
            Ok(hash.finalize().into())
        } else {
            Err(ErrorKind::UnexpectedEof.into())
        }
    }
}

impl io::Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.blob.bytes.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let most = buffer.len().min(left);
        let count = self.blob.file.read(&mut buffer[..most])?;
        self.at += count as u64;
        Ok(count)
    }
}

impl io::Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::Current(distance) => self.at.checked_add_signed(distance),
            SeekFrom::End(distance) => self.blob.bytes.checked_add_signed(distance),
        };
        let at = at.ok_or(ErrorKind::InvalidInput)?;
        self.blob
            .file
            .seek(SeekFrom::Start(self.blob.offset.saturating_add(at)))?;
        self.at = at;
        Ok(at)
    }
}

/// Does some pieces of work at a time. The error of the first piece that has one.
fn in_parallel<T: Send>(
    count: usize,
    work: impl Fn(usize) -> Result<T, MeasureError> + Sync,
) -> Result<Vec<T>, MeasureError> {
    parallel::in_parallel(count, work).into_iter().collect()
}

fn unreadable(path: &Path, source: io::Error) -> MeasureError {
    MeasureError::Unreadable {
        path: path.to_owned(),
        source,
    }
}

fn no_image(path: &Path, why: &str) -> MeasureError {
    MeasureError::NoImage {
        path: path.to_owned(),
        why: why.to_owned(),
    }
}
