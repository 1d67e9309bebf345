//! Reads a build context from a folder, as BuildKit's client does (fsutil's `fs.go`, `stat.go`, `filter.go`): links are not followed,
//! folders that the ignore file leaves out are not looked into.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use crate::build::Inputs;
use crate::context::{
    Content, Context, ContextError, Directory, File, Header, IgnoreFile, LONGEST_TEXT, Node,
    ReadFrom, base_name, file_record, join, rooted,
};
use crate::outside::parallel::cores;
use crate::outside::status::{self, Status};
use crate::outside::walk;

/// All texts that are kept of one context, in bytes.
const ALL_TEXTS: usize = 64 << 20;

/// How much of a file is read at a time, in bytes.
const CHUNK: usize = 256 << 10;

/// How a folder is read.
#[derive(Clone, Debug)]
pub struct DirectoryOptions {
    dockerfile: String,
    beside: Option<IgnoreFile>,
    hash: bool,
    since: Option<Context>,
}

impl Default for DirectoryOptions {
    fn default() -> Self {
        Self {
            dockerfile: "Dockerfile".to_owned(),
            beside: None,
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

    /// Says that the Dockerfile is not in the context: the ignore file beside it, if there is one, wins over `.dockerignore`
    /// (`frontend/dockerui/config.go`).
    #[must_use]
    pub fn dockerfile_outside(mut self, ignore: Option<IgnoreFile>) -> Self {
        self.dockerfile.clear();
        self.beside = ignore;
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
        let read_at = status::now();
        let stamp = match fs::metadata(folder) {
            Ok(metadata) if metadata.is_dir() => Status::from(&metadata).stamp,
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
        };
        let ignore = match &options.beside {
            Some(beside) => Some(beside.clone()),
            None => read_ignore_file(folder, &options.dockerfile)?,
        };
        let root = walk::walk(folder, stamp, ignore.as_ref(), options.since.as_ref())?;
        let context = match &options.since {
            // Nothing was touched: then nothing is to be worked out anew either.
            Some(since)
                if Arc::ptr_eq(&root, since.everything())
                    && since.dockerfile_name() == options.dockerfile
                    && since.beside().map(|beside| beside.text())
                        == options.beside.as_ref().map(IgnoreFile::text) =>
            {
                since.clone()
            }
            _ => {
                let sent = match &ignore {
                    Some(ignore) => ignore.filter(&root, None),
                    None => Arc::clone(&root),
                };
                let root = with_texts(folder, &root, &sent)?;
                let origin = ReadFrom {
                    folder: folder.to_owned(),
                    at: read_at,
                };
                let beside = options.beside.clone().map(Arc::new);
                Self::from_tree(root, &options.dockerfile, beside, Some(Arc::new(origin)))?
            }
        };
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
        let Some(origin) = &self.origin else {
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
        let found = hash_all(&origin.folder, &unread)?;
        let all = with_contents("", self.everything(), &found);
        let beside = self.beside().cloned();
        Self::from_tree(all, self.dockerfile_name(), beside, self.origin.clone())
    }
}

/// The same tree with the texts that tools read, as long as there is room for them; in the order of the tree, so that it is always the
/// same files that have one. A file that is left out has none, but for those with instructions.
fn with_texts(
    folder: &Path,
    all: &Arc<Directory>,
    sent: &Directory,
) -> Result<Arc<Directory>, ContextError> {
    let mut texts = 0;
    let mut wanted: Vec<(String, &File)> = Vec::new();
    all.walk("", &mut |path, node| {
        let Node::File(file) = node else { return };
        let name = base_name(path);
        if let Some(text) = &file.text {
            texts += text.len();
        } else if matches!(file.content, Content::Unread(_))
            && file.size <= LONGEST_TEXT as u64
            && is_read_by_tools(path, name)
            && (is_instruction_file(name) || sent.node(path).is_some())
        {
            wanted.push((path.to_owned(), file));
        }
    });
    let mut found = BTreeMap::new();
    for (path, file) in wanted {
        if texts as u64 + file.size > ALL_TEXTS as u64 {
            continue;
        }
        let content = match fs::read(folder.join(&path)) {
            Ok(content) => content,
            Err(_) if sent.node(&path).is_none() => continue,
            Err(source) => return Err(ContextError::Unreadable { path, source }),
        };
        if content.len() as u64 != file.size {
            return Err(ContextError::Changed { path });
        }
        let record = Content::Record(file_record(file.mode, &content));
        let text = String::from_utf8(content).ok().map(Arc::from);
        texts += text.as_ref().map_or(0, |text: &Arc<str>| text.len());
        found.insert(path, (record, text));
    }
    Ok(with_contents("", all, &found))
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
    let near_the_top = path.matches('/').count() <= 3;
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
) -> Result<BTreeMap<String, Read>, ContextError> {
    let threads = cores().min(files.len().max(1));
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
                        Ok(content) => mine.push((path.clone(), (content, None))),
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
    if read != file.size || file.stamp != Some(Status::from(&now).stamp) {
        return Err(ContextError::Changed {
            path: path.to_owned(),
        });
    }
    Ok(Content::Record(hasher.finish()))
}

/// What was read of a file: its record, and its text where that is kept.
type Read = (Content, Option<Arc<str>>);

/// The tree with what was read put in; folders of which nothing was read are shared.
fn with_contents(
    at: &str,
    directory: &Arc<Directory>,
    found: &BTreeMap<String, Read>,
) -> Arc<Directory> {
    let start = if at.is_empty() {
        String::new()
    } else {
        format!("{at}/")
    };
    let first = found.range(start.clone()..).next();
    if first.is_none_or(|(path, _)| !path.starts_with(&start)) {
        return Arc::clone(directory);
    }
    let children = directory.children().iter().map(|(name, node)| {
        let path = join(at, name);
        let node = match node {
            Node::Directory(below) => Node::Directory(with_contents(&path, below, found)),
            Node::File(file) => match found.get(&path) {
                Some((content, text)) => Node::File(Arc::new(File {
                    content: *content,
                    text: text.clone().or_else(|| file.text.clone()),
                    ..File::clone(file)
                })),
                None => node.clone(),
            },
            node => node.clone(),
        };
        (Arc::clone(name), node)
    });
    Arc::new(directory.holding(children.collect()))
}
