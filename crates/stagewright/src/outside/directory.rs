//! Reads a build context from a folder, as BuildKit's client does (fsutil's `fs.go`, `stat.go`, `filter.go`): links are not followed,
//! folders that the ignore file leaves out are not looked into.

use std::collections::BTreeMap;
use std::fs::{self, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::build::Inputs;
use crate::context::{
    Content, Context, ContextError, Directory, File, Header, IgnoreFile, LONGEST_TEXT, Node,
    PatternsMatched, Special, Stamp, file_record, join, rooted,
};

/// All texts that are kept of one context, in bytes.
const ALL_TEXTS: usize = 64 << 20;

/// How much of a file is read at a time, in bytes.
const CHUNK: usize = 256 << 10;

/// How a folder is read.
#[derive(Clone, Debug)]
pub struct DirectoryOptions {
    dockerfile: String,
    hash: bool,
    since: Option<Context>,
}

impl Default for DirectoryOptions {
    fn default() -> Self {
        Self {
            dockerfile: "Dockerfile".to_owned(),
            hash: false,
            since: None,
        }
    }
}

impl DirectoryOptions {
    /// Says where the Dockerfile is in the context: `<Dockerfile>.dockerignore` beside it wins over `.dockerignore`.
    #[must_use]
    pub fn dockerfile(mut self, path: &str) -> Self {
        self.dockerfile = rooted(path);
        self
    }

    /// Reads every file for its digest, which comparing two folders needs. Sizes, and changes to this one context, do not.
    #[must_use]
    pub fn hash(mut self, hash: bool) -> Self {
        self.hash = hash;
        self
    }

    /// Takes over what an earlier reading of the same folder found of files that have not been touched since (same size, mode, inode,
    /// times of change).
    #[must_use]
    pub fn since(mut self, earlier: Context) -> Self {
        self.since = Some(earlier);
        self
    }
}

impl Inputs {
    /// Reads the folders among named contexts (`--build-context NAME=FOLDER`), with digests where the build context has them. A value
    /// with a scheme (`docker-image://…`) is no folder.
    pub fn read_named(mut self, contexts: &BTreeMap<String, String>) -> Result<Self, ContextError> {
        let options = DirectoryOptions::default().hash(!self.context().tree().has_unread_files());
        let folders = contexts.iter().filter(|(_, place)| !place.contains("://"));
        for (name, folder) in folders {
            let context = Context::directory_with(folder, &options)?;
            self = self.named_context(name, context);
        }
        Ok(self)
    }
}

impl Context {
    /// Reads the build context in a folder: names, sizes, modes, and the texts that tools read. See [`Context::hashed`] for digests.
    pub fn directory(folder: impl AsRef<Path>) -> Result<Self, ContextError> {
        Self::directory_with(folder, &DirectoryOptions::default())
    }

    /// As [`Context::directory`], with options.
    pub fn directory_with(
        folder: impl AsRef<Path>,
        options: &DirectoryOptions,
    ) -> Result<Self, ContextError> {
        let folder = folder.as_ref();
        let shown = || folder.display().to_string();
        match fs::metadata(folder) {
            Ok(metadata) if metadata.is_dir() => {}
            Ok(_) => return Err(ContextError::NotAFolder { path: shown() }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ContextError::Missing { path: shown() });
            }
            Err(source) => {
                return Err(ContextError::Unreadable {
                    path: shown(),
                    source,
                });
            }
        }
        let mut loader = Loader {
            folder,
            ignore: read_ignore_file(folder, &options.dockerfile)?,
            texts: 0,
        };
        let since = options.since.as_ref().map(Context::everything);
        let root = loader.folder_below("", crate::context::DIRECTORY_MODE, None, false, since)?;
        let context = Self::from_tree(root, &options.dockerfile, Some(Arc::from(folder)))?;
        if options.hash {
            context.hashed()
        } else {
            Ok(context)
        }
    }

    /// The same context with the digest of every file that is sent, read with all cores. A context made in memory has them already.
    ///
    /// An error where a file cannot be read or has changed since the folder was.
    pub fn hashed(&self) -> Result<Self, ContextError> {
        let Some(folder) = &self.folder else {
            return Ok(self.clone());
        };
        if !self.tree().has_unread_files() {
            return Ok(self.clone());
        }
        let mut unread: Vec<(String, &File)> = Vec::new();
        self.tree().walk("", &mut |path, node| {
            if let Node::File(file) = node
                && matches!(file.content, Content::Unread(_))
            {
                unread.push((path.to_owned(), file));
            }
        });
        // The largest first, so that no core is left alone with one at the end.
        unread.sort_by_key(|(_, file)| std::cmp::Reverse(file.size));
        let found = hash_all(folder, &unread)?;
        let all = with_contents("", self.everything(), &found);
        Self::from_tree(all, self.dockerfile_name(), self.folder.clone())
    }
}

struct Loader<'f> {
    folder: &'f Path,
    ignore: Option<IgnoreFile>,
    texts: usize,
}

impl Loader<'_> {
    /// Reads a folder. `left_out` says that the ignore file leaves it out, and only an exception may bring something of it back: then
    /// it does not matter when it cannot be read.
    fn folder_below(
        &mut self,
        at: &str,
        mode: u32,
        parent: Option<&PatternsMatched>,
        left_out: bool,
        since: Option<&Arc<Directory>>,
    ) -> Result<Arc<Directory>, ContextError> {
        ContextError::check_depth(at)?;
        let mut children = Vec::new();
        for (name, entry) in self.names(at, left_out)? {
            let path = join(at, &name);
            let (ignored, matched) = match &self.ignore {
                Some(ignore) => ignore.ignores_below(&path, parent),
                None => (false, None),
            };
            let metadata = match entry.metadata() {
                Ok(metadata) => metadata,
                // Gone since the folder was read, or of no interest.
                Err(error) if ignored || error.kind() == io::ErrorKind::NotFound => continue,
                Err(source) => return Err(ContextError::Unreadable { path, source }),
            };
            let mode = permissions(&metadata);
            let node = if metadata.is_dir() {
                let needed = !ignored
                    || self
                        .ignore
                        .as_ref()
                        .is_some_and(|ignore| ignore.may_keep_below(&path));
                if needed {
                    let since = since.and_then(|since| since.directory(&name));
                    Node::Directory(self.folder_below(
                        &path,
                        mode,
                        matched.as_ref(),
                        ignored,
                        since,
                    )?)
                } else {
                    Node::Unread
                }
            } else if metadata.is_symlink() {
                match fs::read_link(entry.path()) {
                    Ok(target) => match target.into_os_string().into_string() {
                        Ok(target) => Node::Symlink(Arc::from(target)),
                        Err(_) if ignored => continue,
                        Err(_) => return Err(ContextError::NameNotUtf8 { path }),
                    },
                    Err(error) if ignored || error.kind() == io::ErrorKind::NotFound => continue,
                    Err(source) => return Err(ContextError::Unreadable { path, source }),
                }
            } else if metadata.is_file() {
                let before = since.and_then(|since| since.child(&name));
                match self.file(&path, &name, &entry, &metadata, mode, ignored, before) {
                    Ok(file) => Node::File(file),
                    Err(_) if ignored => continue,
                    Err(error) => return Err(error),
                }
            } else {
                Node::Special(special(&metadata, mode))
            };
            children.push((Arc::from(name), node));
        }
        // Shared with the earlier reading, a folder keeps the digest that was worked out for it.
        match since {
            Some(since) if since.mode() == mode && since.has_children(&children) => {
                Ok(Arc::clone(since))
            }
            _ => Ok(Arc::new(Directory::new(mode, children))),
        }
    }

    /// The names in a folder, sorted by their bytes.
    fn names(&self, at: &str, left_out: bool) -> Result<Vec<(String, fs::DirEntry)>, ContextError> {
        let shown = || {
            if at.is_empty() {
                self.folder.display().to_string()
            } else {
                at.to_owned()
            }
        };
        let unreadable = |source| ContextError::Unreadable {
            path: shown(),
            source,
        };
        let entries = match fs::read_dir(self.folder.join(at)) {
            Ok(entries) => entries,
            Err(error)
                if left_out || (!at.is_empty() && error.kind() == io::ErrorKind::NotFound) =>
            {
                drop(error);
                return Ok(Vec::new());
            }
            Err(error) => return Err(unreadable(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(unreadable)?;
            match entry.file_name().into_string() {
                Ok(name) => names.push((name, entry)),
                Err(name) => {
                    let path = join(at, &name.to_string_lossy());
                    let ignored = left_out
                        || self
                            .ignore
                            .as_ref()
                            .is_some_and(|ignore| ignore.ignores(&path));
                    if !ignored {
                        return Err(ContextError::NameNotUtf8 { path });
                    }
                }
            }
        }
        names.sort_unstable_by(|one, two| one.0.cmp(&two.0));
        Ok(names)
    }

    #[expect(clippy::too_many_arguments, reason = "what the walk knows of the file")]
    fn file(
        &mut self,
        path: &str,
        name: &str,
        entry: &fs::DirEntry,
        metadata: &Metadata,
        mode: u32,
        ignored: bool,
        before: Option<&Node>,
    ) -> Result<Arc<File>, ContextError> {
        let (size, stamp) = (metadata.len(), stamp(metadata));
        if let Some(Node::File(before)) = before
            && before.stamp == Some(stamp)
            && (before.size, before.mode) == (size, mode)
        {
            self.texts += before.text.as_ref().map_or(0, |text| text.len());
            return Ok(Arc::clone(before));
        }
        let unread = Content::Unread(crate::context::Digest::of(format!(
            "{path} {size} {mode} {} {} {} {}",
            stamp.device, stamp.inode, stamp.modified, stamp.changed
        )));
        let mut file = File {
            size,
            mode,
            content: unread,
            stamp: Some(stamp),
            text: None,
        };
        let small = usize::try_from(size)
            .is_ok_and(|size| size <= LONGEST_TEXT && self.texts + size <= ALL_TEXTS);
        if small && is_read_by_tools(path, name) && (!ignored || is_instruction_file(name)) {
            let content = fs::read(entry.path()).map_err(|source| ContextError::Unreadable {
                path: path.to_owned(),
                source,
            })?;
            if content.len() as u64 != size {
                return Err(ContextError::Changed {
                    path: path.to_owned(),
                });
            }
            file.content = Content::Record(file_record(mode, &content));
            file.text = String::from_utf8(content).ok().map(Arc::from);
            self.texts += file.text.as_ref().map_or(0, |text| text.len());
        }
        Ok(Arc::new(file))
    }
}

/// The ignore file must be known before anything is walked.
fn read_ignore_file(folder: &Path, dockerfile: &str) -> Result<Option<IgnoreFile>, ContextError> {
    for name in [
        format!("{dockerfile}.dockerignore"),
        ".dockerignore".to_owned(),
    ] {
        let place = folder.join(&name);
        match fs::metadata(&place) {
            Ok(metadata) if metadata.is_file() => {}
            _ => continue,
        }
        let text = fs::read(place).map_err(|source| ContextError::Unreadable {
            path: name.clone(),
            source,
        })?;
        return IgnoreFile::named(&name, &String::from_utf8_lossy(&text)).map(Some);
    }
    Ok(None)
}

/// Dockerfiles and ignore files are read even where they are ignored.
fn is_instruction_file(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    lower.ends_with(".dockerignore")
        || lower.starts_with("dockerfile")
        || lower.ends_with(".dockerfile")
}

/// Files whose text the models of tools read: dependency lists, locks, project files, build scripts, sources near the top.
fn is_read_by_tools(path: &str, name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let near_the_top = path.matches('/').count() <= 2;
    is_instruction_file(name)
        || name.starts_with("requirements")
        || matches!(
            name,
            "package.json"
                | "package-lock.json"
                | "npm-shrinkwrap.json"
                | "pnpm-lock.yaml"
                | "pnpm-workspace.yaml"
                | "go.mod"
                | "go.sum"
                | "Pipfile"
                | "Gemfile"
                | "Procfile"
                | "Makefile"
                | ".npmrc"
                | ".yarnrc.yml"
                | ".python-version"
                | ".nvmrc"
                | ".node-version"
        )
        || matches!(extension, "lock" | "toml" | "cfg" | "in")
        || (near_the_top
            && matches!(
                extension,
                "py" | "js" | "mjs" | "cjs" | "ts" | "json" | "sh" | "yaml" | "yml" | "txt"
            ))
}

/// Reads files with all cores; the digest of each path.
fn hash_all(
    folder: &Path,
    files: &[(String, &File)],
) -> Result<BTreeMap<String, Content>, ContextError> {
    let threads = std::thread::available_parallelism()
        .map_or(1, usize::from)
        .min(files.len().max(1));
    let next = AtomicUsize::new(0);
    let found = Mutex::new(BTreeMap::new());
    let failed = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut buffer = vec![0; CHUNK];
                let mut mine = Vec::new();
                while let Some((path, file)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                    match hash_one(folder, path, file, &mut buffer) {
                        Ok(content) => mine.push((path.clone(), content)),
                        Err(error) => {
                            next.store(files.len(), Ordering::Relaxed);
                            *failed
                                .lock()
                                .expect("no thread panics while it holds the lock") = Some(error);
                            return;
                        }
                    }
                }
                found
                    .lock()
                    .expect("no thread panics while it holds the lock")
                    .extend(mine);
            });
        }
    });
    match failed
        .into_inner()
        .expect("no thread panics while it holds the lock")
    {
        Some(error) => Err(error),
        None => Ok(found
            .into_inner()
            .expect("no thread panics while it holds the lock")),
    }
}

fn hash_one(
    folder: &Path,
    path: &str,
    file: &File,
    buffer: &mut [u8],
) -> Result<Content, ContextError> {
    let unreadable = |source| ContextError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut hasher = Header {
        mode: file.mode,
        size: file.size,
        flag: b'0',
        target: "",
        device: (0, 0),
    }
    .start();
    let mut open = fs::File::open(folder.join(path)).map_err(unreadable)?;
    let mut read = 0;
    loop {
        match open.read(buffer) {
            Ok(0) => break,
            Ok(count) => {
                read += count as u64;
                hasher.write(&buffer[..count]);
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    let now = open.metadata().map_err(unreadable)?;
    if read != file.size || file.stamp != Some(stamp(&now)) {
        return Err(ContextError::Changed {
            path: path.to_owned(),
        });
    }
    Ok(Content::Record(hasher.finish()))
}

/// The tree with the contents that were read put in.
fn with_contents(
    at: &str,
    directory: &Arc<Directory>,
    found: &BTreeMap<String, Content>,
) -> Arc<Directory> {
    let children = directory.children().iter().map(|(name, node)| {
        let path = join(at, name);
        let node = match node {
            Node::Directory(below) => Node::Directory(with_contents(&path, below, found)),
            Node::File(file) => match found.get(&path) {
                Some(content) => Node::File(Arc::new(File {
                    content: *content,
                    ..File::clone(file)
                })),
                None => node.clone(),
            },
            node => node.clone(),
        };
        (Arc::clone(name), node)
    });
    Arc::new(Directory::new(directory.mode(), children.collect()))
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
fn stamp(metadata: &Metadata) -> Stamp {
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
fn stamp(metadata: &Metadata) -> Stamp {
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
