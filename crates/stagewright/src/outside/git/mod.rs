//! What git keeps: a build as it was at a revision, and which paths its commits changed. Read through the `git` program.

mod blobs;
mod tree;

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use thiserror::Error;

use super::files::{BuildFiles, folder_of};
use crate::context::{Context, ContextError, IgnoreFile};
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
        let mut beside = None;
        if self.context.dockerfile_name().is_empty()
            && let Some(text) = blobs.read(&format!("{place}.dockerignore"))?
        {
            let name = format!("{}.dockerignore", name.ok_or_else(missing)?);
            let ignore = IgnoreFile::named(&name, &String::from_utf8_lossy(&text))?;
            beside = Some(Arc::new(ignore));
        }
        let root = git.tree(
            &commit,
            revision,
            self.context.everything(),
            self.context.dockerfile_name(),
            beside.as_deref(),
        )?;
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
