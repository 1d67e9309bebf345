//! What git keeps: a build as it was at a revision, and which paths its commits changed. Read through the `git` program.

mod blobs;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use thiserror::Error;

use super::files::{BuildFiles, folder_of};
use crate::context::{
    Content, Context, ContextError, DIRECTORY_MODE, Digest, Directory, File, IgnoreFile, Node,
};
use crate::history::{Commit, History, HistoryOptions};
use blobs::Blobs;

/// Why git cannot tell. The message names what was asked for.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum GitError {
    /// The program is not installed.
    #[error("the program `git` is not there")]
    Missing,
    /// The folder is in no repository.
    #[error("`{}` is in no git repository", folder.display())]
    NoRepository {
        /// The folder.
        folder: PathBuf,
    },
    /// Nothing is called so.
    #[error("`{revision}` is no commit of the repository")]
    BadRevision {
        /// The words.
        revision: String,
    },
    /// The revision has no such path.
    #[error("`{}` is not in `{revision}`", path.display())]
    PathMissing {
        /// The path, as it is today.
        path: PathBuf,
        /// The revision.
        revision: String,
    },
    /// The Dockerfile of the revision is not UTF-8.
    #[error("`{}` in `{revision}` is not UTF-8", path.display())]
    NotUtf8 {
        /// The path, as it is today.
        path: PathBuf,
        /// The revision.
        revision: String,
    },
    /// The program failed.
    #[error("git says: {message}")]
    Failed {
        /// What it says.
        message: String,
    },
    /// What it keeps is no context that could be built.
    #[error(transparent)]
    Context(#[from] ContextError),
}

impl GitError {
    /// A stable name in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing => "git-missing",
            Self::NoRepository { .. } => "git-no-repository",
            Self::BadRevision { .. } => "git-bad-revision",
            Self::PathMissing { .. } => "git-path-missing",
            Self::NotUtf8 { .. } => "git-not-utf8",
            Self::Failed { .. } => "git-failed",
            Self::Context(error) => error.code(),
        }
    }

    fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed {
            message: error.to_string(),
        }
    }
}

impl BuildFiles {
    /// The same Dockerfile and context as they were at a revision, with digests; compare them with the files of today, which must
    /// have been opened with digests too.
    ///
    /// The context is that of a clean checkout: what git does not track is not in it. Of permissions git keeps the executable bit
    /// alone: a file or folder that is there today has those of today, unless that bit differs; others have 0644, 0755 and 0755 for
    /// folders. A submodule is empty unless it is checked out today.
    pub fn at_revision(&self, revision: &str) -> Result<Self, GitError> {
        let git = Git::open(&self.folder)?;
        let commit = git.commit(revision)?;
        let dockerfile = Git::open(&folder_of(&self.dockerfile))?;
        let missing = || GitError::PathMissing {
            path: self.dockerfile.clone(),
            revision: revision.to_owned(),
        };
        let name = self.dockerfile.file_name().and_then(OsStr::to_str);
        let place = format!(
            "{commit}:{}{}",
            dockerfile.prefix,
            name.ok_or_else(missing)?
        );
        let mut blobs = Blobs::open(&dockerfile.folder, true)?;
        let text = blobs.read(&place)?;
        let text = String::from_utf8(text.ok_or_else(missing)?);
        let text = text.map_err(|_| GitError::NotUtf8 {
            path: self.dockerfile.clone(),
            revision: revision.to_owned(),
        })?;
        let root = git.tree(
            &commit,
            revision,
            self.context.everything(),
            self.context.dockerfile_name(),
        )?;
        let mut beside = None;
        if self.context.dockerfile_name().is_empty()
            && let Some(text) = blobs.read(&format!("{place}.dockerignore"))?
        {
            let name = format!("{}.dockerignore", name.ok_or_else(missing)?);
            let ignore = IgnoreFile::named(&name, &String::from_utf8_lossy(&text))?;
            beside = Some(Arc::new(ignore));
        }
        Ok(Self {
            dockerfile: self.dockerfile.clone(),
            text,
            folder: self.folder.clone(),
            context: Context::from_tree(root, self.context.dockerfile_name(), beside, None)?,
            // What was measured and what is allowed today.
            config: self.config.clone(),
        })
    }

    /// Which paths of the context the commits changed that led to what is checked out, newest first.
    pub fn history(&self, options: &HistoryOptions) -> Result<History, GitError> {
        let git = Git::open(&self.folder)?;
        let dockerfile = Git::open(&folder_of(&self.dockerfile)).ok();
        let name = self.dockerfile.file_name().and_then(OsStr::to_str);
        let dockerfile = dockerfile
            .filter(|other| other.root == git.root)
            .and_then(|other| Some(format!("{}{}", other.prefix, name?)));
        git.log(options, dockerfile.as_deref())
    }
}

/// A folder in a repository.
struct Git {
    folder: PathBuf,
    /// The folder that holds the whole repository.
    root: String,
    /// The path of `folder` in it, with a `/` at its end where it is another.
    prefix: String,
}

/// One entry of a tree.
struct Tracked {
    mode: u32,
    object: String,
    size: u64,
    path: String,
}

const LINK: u32 = 0o120_000;
const SUBMODULE: u32 = 0o160_000;

impl Git {
    fn open(folder: &Path) -> Result<Self, GitError> {
        let answer = run(folder, ["rev-parse", "--show-toplevel", "--show-prefix"]);
        let answer = answer.map_err(|error| match error {
            GitError::Failed { message } if message.contains("not a git repository") => {
                GitError::NoRepository {
                    folder: folder.to_owned(),
                }
            }
            other => other,
        })?;
        let text = String::from_utf8(answer).map_err(GitError::failed)?;
        let mut lines = text.split('\n');
        Ok(Self {
            folder: folder.to_owned(),
            root: lines.next().unwrap_or_default().to_owned(),
            prefix: lines.next().unwrap_or_default().to_owned(),
        })
    }

    /// The id of a commit.
    fn commit(&self, revision: &str) -> Result<String, GitError> {
        let bad = || GitError::BadRevision {
            revision: revision.to_owned(),
        };
        // No revision begins so, and git would take it for an option.
        if revision.starts_with('-') || revision.contains(['\n', '\0']) {
            return Err(bad());
        }
        let wanted = format!("{revision}^{{commit}}");
        let answer = run(&self.folder, ["rev-parse", "--verify", "--quiet", &wanted]);
        let answer = answer.map_err(|error| match error {
            GitError::Failed { .. } => bad(),
            other => other,
        })?;
        Ok(String::from_utf8_lossy(&answer).trim_ascii().to_owned())
    }

    /// The files of the folder at a commit. What is the same today is taken from `today`.
    fn tree(
        &self,
        commit: &str,
        revision: &str,
        today: &Arc<Directory>,
        dockerfile: &str,
    ) -> Result<Arc<Directory>, GitError> {
        let tracked = self.tracked(commit)?;
        if tracked.is_empty() && !self.prefix.is_empty() {
            return Err(GitError::PathMissing {
                path: self.folder.clone(),
                revision: revision.to_owned(),
            });
        }
        let changed = self.changed(commit)?;
        let mut blobs = Blobs::open(&self.folder, false)?;
        let ignore = ignore_file(&tracked, dockerfile, &mut blobs)?;
        let mut root = Building::default();
        for entry in tracked {
            let now = today.node(&entry.path);
            let left_out = ignore
                .as_ref()
                .is_some_and(|ignore| ignore.ignores(&entry.path));
            let same = !changed.contains(&entry.path) && entry.mode != SUBMODULE;
            let node = match now {
                Some(Node::File(file)) if same && matches!(file.content, Content::Record(_)) => {
                    Node::File(Arc::clone(file))
                }
                Some(Node::Symlink(target)) if same => Node::Symlink(Arc::clone(target)),
                // Only the files that say what is left out must be known.
                _ if left_out && !entry.path.ends_with(".dockerignore") => entry.unread(),
                _ => self.node(&entry, now, revision, &mut blobs)?,
            };
            root.put(&entry.path, node);
        }
        Ok(root.finish(Some(today)))
    }

    fn tracked(&self, commit: &str) -> Result<Vec<Tracked>, GitError> {
        let answer = run(&self.folder, ["ls-tree", "-r", "-z", "-l", commit])?;
        let records = answer.split(|byte| *byte == 0);
        records
            .filter(|record| !record.is_empty())
            .map(Tracked::read)
            .collect()
    }

    /// Paths of the folder that are not today what they were.
    fn changed(&self, commit: &str) -> Result<BTreeSet<String>, GitError> {
        let answer = run(
            &self.folder,
            [
                "diff",
                "--raw",
                "-z",
                "--no-renames",
                "--no-abbrev",
                "--no-ext-diff",
                "--relative",
                commit,
                "--",
                ".",
            ],
        )?;
        Ok(raw(&answer)?
            .into_iter()
            .flat_map(|told| told.paths)
            .collect())
    }

    fn node(
        &self,
        entry: &Tracked,
        today: Option<&Node>,
        revision: &str,
        blobs: &mut Blobs,
    ) -> Result<Node, GitError> {
        if entry.mode == SUBMODULE {
            let folder = self.folder.join(&entry.path);
            let empty = Directory::empty();
            let today = match today {
                Some(Node::Directory(today)) => today,
                _ => &empty,
            };
            // A clean checkout has an empty folder.
            let checked_out = std::fs::symlink_metadata(folder.join(".git")).is_ok();
            let below = if checked_out {
                Self::open(&folder)?.tree(&entry.object, revision, today, "")?
            } else {
                Directory::empty()
            };
            return Ok(Node::Directory(below));
        }
        if entry.mode == LINK {
            let target = blobs.read(&entry.object)?.ok_or_else(|| entry.absent())?;
            let target = String::from_utf8(target).map_err(|_| ContextError::NameNotUtf8 {
                path: entry.path.clone(),
            })?;
            return Ok(Node::Symlink(Arc::from(target)));
        }
        let runs = entry.mode & 0o100 != 0;
        let mode = match today {
            Some(Node::File(file)) if (file.mode & 0o100 != 0) == runs => file.mode,
            _ if runs => 0o755,
            _ => 0o644,
        };
        blobs
            .file(&entry.object, mode)?
            .ok_or_else(|| entry.absent())
    }

    fn log(&self, options: &HistoryOptions, dockerfile: Option<&str>) -> Result<History, GitError> {
        // One more, since the first commit of all has nothing before it that a build could have made.
        let most = format!("--max-count={}", options.commits.saturating_add(1));
        let commit = self.commit(&options.revision)?;
        let answer = run(
            &self.folder,
            [
                "log",
                "-z",
                "--first-parent",
                "-m",
                "--raw",
                "--no-renames",
                "--no-abbrev",
                "--no-ext-diff",
                "--no-relative",
                "--format=%x01%H %ct %P",
                &most,
                &commit,
                "--",
            ],
        )?;
        let mut commits = Vec::new();
        for Told { head, paths } in raw(&answer)? {
            let mut words = head.split(' ').filter(|word| !word.is_empty());
            let id = words.next().unwrap_or_default().to_owned();
            let time = words.next().and_then(|time| time.parse().ok());
            let time = time.ok_or_else(|| GitError::failed(format!("commit {id} has no date")))?;
            if words.next().is_none() {
                continue;
            }
            let below = |path: &String| path.strip_prefix(self.prefix.as_str()).map(str::to_owned);
            commits.push(Commit {
                id,
                time,
                dockerfile: paths.iter().any(|path| dockerfile == Some(path.as_str())),
                paths: paths.iter().filter_map(below).collect(),
            });
        }
        let shallow = run(&self.folder, ["rev-parse", "--is-shallow-repository"])?;
        let history = History {
            commits,
            shallow: shallow.trim_ascii() == b"true",
        };
        Ok(history.within(options))
    }
}

/// What `--raw -z` tells of one commit, or of the working tree.
struct Told {
    /// What stands after the byte 1 of the format.
    head: String,
    /// The paths that differ.
    paths: Vec<String>,
}

fn raw(answer: &[u8]) -> Result<Vec<Told>, GitError> {
    let mut parts = answer.split(|byte| *byte == 0);
    let text = |bytes: &[u8]| {
        String::from_utf8(bytes.to_vec()).map_err(|error| ContextError::NameNotUtf8 {
            path: String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })
    };
    let mut found: Vec<Told> = Vec::new();
    while let Some(part) = parts.next() {
        let part = part.strip_prefix(b"\n").unwrap_or(part);
        match part.split_first() {
            None => {}
            Some((1, head)) => found.push(Told {
                head: text(head)?,
                paths: Vec::new(),
            }),
            // Modes, objects and a letter; then the path.
            Some((b':', _)) => {
                let path = text(parts.next().unwrap_or_default())?;
                match found.last_mut() {
                    Some(told) => told.paths.push(path),
                    None => found.push(Told {
                        head: String::new(),
                        paths: vec![path],
                    }),
                }
            }
            Some(_) => {
                let shown = String::from_utf8_lossy(part).into_owned();
                return Err(GitError::failed(format!(
                    "`{shown}`, which is not understood"
                )));
            }
        }
    }
    Ok(found)
}

/// The ignore file that holds, by the rule of [`Context::ignore_file`].
fn ignore_file(
    tracked: &[Tracked],
    dockerfile: &str,
    blobs: &mut Blobs,
) -> Result<Option<IgnoreFile>, GitError> {
    let names = [
        format!("{dockerfile}.dockerignore"),
        ".dockerignore".to_owned(),
    ];
    for name in names {
        let found = tracked
            .iter()
            .find(|entry| entry.path == name && entry.mode != LINK && entry.mode != SUBMODULE);
        if let Some(entry) = found {
            let text = blobs.read(&entry.object)?.ok_or_else(|| entry.absent())?;
            let text = String::from_utf8_lossy(&text);
            return Ok(Some(IgnoreFile::named(&name, &text)?));
        }
    }
    Ok(None)
}

impl Tracked {
    /// `100644 blob OBJECT    SIZE<tab>PATH`.
    fn read(record: &[u8]) -> Result<Self, GitError> {
        let tab = record.iter().position(|byte| *byte == b'\t');
        let (head, path) = record.split_at(tab.unwrap_or(record.len()));
        let path = path.get(1..).unwrap_or_default();
        let path = std::str::from_utf8(path).map_err(|_| ContextError::NameNotUtf8 {
            path: String::from_utf8_lossy(path).into_owned(),
        })?;
        let head = String::from_utf8_lossy(head);
        let words: Vec<&str> = head.split_ascii_whitespace().collect();
        let [mode, _, object, size] = words.as_slice() else {
            return Err(GitError::failed(format!(
                "`{head}`, which is not understood"
            )));
        };
        Ok(Self {
            mode: u32::from_str_radix(mode, 8).map_err(GitError::failed)?,
            object: (*object).to_owned(),
            // A submodule has none.
            size: size.parse().unwrap_or_default(),
            path: path.to_owned(),
        })
    }

    fn unread(&self) -> Node {
        Node::File(Arc::new(File {
            size: self.size,
            mode: self.mode & 0o777,
            content: Content::Unread(Digest::of(&self.object)),
            stamp: None,
            text: None,
        }))
    }

    fn absent(&self) -> GitError {
        GitError::failed(format!("`{}` is not in the repository", self.path))
    }
}

/// A tree that is being made.
#[derive(Default)]
struct Building(BTreeMap<String, Part>);

enum Part {
    Folder(Building),
    Leaf(Node),
}

impl Building {
    fn put(&mut self, path: &str, node: Node) {
        match path.split_once('/') {
            None => {
                self.0.insert(path.to_owned(), Part::Leaf(node));
            }
            Some((folder, rest)) => {
                let part = self.0.entry(folder.to_owned());
                let part = part.or_insert_with(|| Part::Folder(Self::default()));
                if let Part::Folder(below) = part {
                    below.put(rest, node);
                }
            }
        }
    }

    /// Folders have the permissions that they have today.
    fn finish(self, today: Option<&Arc<Directory>>) -> Arc<Directory> {
        let children = self.0.into_iter().map(|(name, part)| {
            let node = match part {
                Part::Leaf(node) => node,
                Part::Folder(below) => {
                    let today = today.and_then(|today| today.directory(&name));
                    Node::Directory(below.finish(today))
                }
            };
            (Arc::from(name), node)
        });
        let mode = today.map_or(DIRECTORY_MODE, |today| today.mode());
        Arc::new(Directory::new(mode, children.collect()))
    }
}

/// The program in a folder, told to ask nobody, to change nothing, and to speak plainly.
fn git(folder: &Path) -> Command {
    let mut command = Command::new("git");
    command
        .arg("-C")
        .arg(folder)
        .args(["-c", "color.ui=false", "-c", "log.showSignature=false"])
        .env("LC_ALL", "C")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("GIT_NO_LAZY_FETCH", "1");
    command
}

fn of_start(error: io::Error) -> GitError {
    if error.kind() == io::ErrorKind::NotFound {
        GitError::Missing
    } else {
        GitError::failed(error)
    }
}

fn run<'w>(folder: &Path, words: impl IntoIterator<Item = &'w str>) -> Result<Vec<u8>, GitError> {
    let output = git(folder)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .map_err(of_start)?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let line = said.split('\n').next().unwrap_or_default();
    Err(GitError::failed(line.trim_start_matches("fatal: ")))
}
