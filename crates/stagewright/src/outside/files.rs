//! Finds and reads the two things that a build is given, its Dockerfile and its context; and writes a new Dockerfile in the place of the old.

use std::fs;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::config::CONFIG_FILE;
use crate::context::{Context, ContextError, IgnoreFile};
use crate::outside::DirectoryOptions;

/// The Dockerfile and the context of a build, read from disk.
///
/// ```no_run
/// use stagewright::{Analysis, BuildFiles, Dockerfile, Options};
///
/// let files = BuildFiles::open("project")?;
/// let analysis = Analysis::new(&Dockerfile::parse(&files.text), &files.context, &Options::default())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BuildFiles {
    /// Where the Dockerfile is.
    pub dockerfile: PathBuf,
    /// Its text.
    pub text: String,
    /// The folder of the context.
    pub folder: PathBuf,
    /// The context.
    pub context: Context,
    /// The text of the project's `stagewright.toml` ([`Config::parse`](crate::Config::parse)); empty if it has none.
    pub config: String,
}

/// Which files to open, where it is not the `Dockerfile` in the folder that is the context.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FilesOptions {
    /// The Dockerfile (`--file`).
    pub file: Option<PathBuf>,
    /// The folder of the context, where the first path names a Dockerfile and the context is not the folder that it is in.
    pub context: Option<PathBuf>,
    /// Reads every file for its digest, which comparing two folders needs.
    pub hash: bool,
    /// The `stagewright.toml`, where it is not the one in the folder of the context (`--config`).
    pub config: Option<PathBuf>,
}

/// Why the files of a build cannot be read or written. The message names the path.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FilesError {
    /// Nothing stands at the path.
    #[error("`{}` does not exist", path.display())]
    Missing {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The folder holds no Dockerfile.
    #[error("there is no Dockerfile in `{}`", folder.display())]
    NoDockerfile {
        /// The folder.
        folder: PathBuf,
    },
    /// A folder stands in the place of the Dockerfile.
    #[error("`{}` is a folder, not a Dockerfile", path.display())]
    DockerfileIsFolder {
        /// The folder.
        path: PathBuf,
    },
    /// The Dockerfile cannot be read.
    #[error("`{}` cannot be read", path.display())]
    Unreadable {
        /// The Dockerfile.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// Another file cannot be read.
    #[error("`{}` cannot be read", path.display())]
    FileUnreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The Dockerfile is not UTF-8.
    #[error("`{}` is not UTF-8: the byte at offset {offset} belongs to no character", path.display())]
    NotUtf8 {
        /// The Dockerfile.
        path: PathBuf,
        /// The offset of the first byte that is no part of a character.
        offset: usize,
    },
    /// A file cannot be written; the one before stands as it was.
    #[error("`{}` cannot be written", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// A file that would be made is there already.
    #[error("`{}` is there already", path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The context cannot be read.
    #[error(transparent)]
    Context(#[from] ContextError),
}

impl FilesError {
    /// A stable name in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "path-missing",
            Self::NoDockerfile { .. } => "dockerfile-missing",
            Self::DockerfileIsFolder { .. } => "dockerfile-is-folder",
            Self::Unreadable { .. } => "dockerfile-unreadable",
            Self::FileUnreadable { .. } => "file-unreadable",
            Self::NotUtf8 { .. } => "not-utf8",
            Self::Unwritable { .. } => "file-unwritable",
            Self::Exists { .. } => "file-exists",
            Self::Context(error) => error.code(),
        }
    }
}

impl BuildFiles {
    /// Opens a folder, which is the context and holds a `Dockerfile` (or a `dockerfile`, as `docker build` takes it); or a Dockerfile,
    /// whose folder is the context.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FilesError> {
        Self::open_with(path, &FilesOptions::default())
    }

    /// As [`BuildFiles::open`], with a Dockerfile or a context that stands elsewhere.
    pub fn open_with(path: impl AsRef<Path>, options: &FilesOptions) -> Result<Self, FilesError> {
        let path = path.as_ref();
        let is_folder = match fs::metadata(path) {
            Ok(metadata) => metadata.is_dir(),
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(FilesError::Missing {
                    path: path.to_owned(),
                });
            }
            Err(source) => {
                return Err(FilesError::Unreadable {
                    path: path.to_owned(),
                    source,
                });
            }
        };
        let folder = match &options.context {
            Some(context) => context.clone(),
            None if is_folder || options.file.is_some() => path.to_owned(),
            None => folder_of(path),
        };
        let dockerfile = match &options.file {
            Some(file) => file.clone(),
            None if is_folder => find(path)?,
            None => path.to_owned(),
        };
        let text = read(&dockerfile)?;
        let mut reading = DirectoryOptions::default().hash(options.hash);
        reading = match name_in(&dockerfile, &folder) {
            Some(name) => reading.dockerfile(&name),
            None => reading.dockerfile_outside(ignore_beside(&dockerfile)?),
        };
        let config = match &options.config {
            Some(path) => read_file(path)?,
            None => read_config(&folder)?,
        };
        Ok(Self {
            text,
            context: Context::directory_with(&folder, &reading)?,
            dockerfile,
            folder,
            config,
        })
    }

    /// Writes a Dockerfile in the place of the one that was read, and a `.dockerignore` where one is given. Each is written beside its
    /// place, brought to disk and renamed, so that there is no moment at which half a file stands there. Links are followed, modes stay.
    pub fn write(&self, dockerfile: &str, dockerignore: Option<&str>) -> Result<(), FilesError> {
        let mut prepared = Vec::new();
        if let Some(text) = dockerignore {
            prepared.push(Replacement::prepare(
                &self.folder.join(".dockerignore"),
                text,
            )?);
        }
        if dockerfile != self.text {
            prepared.push(Replacement::prepare(&self.dockerfile, dockerfile)?);
        }
        prepared.into_iter().try_for_each(Replacement::finish)
    }

    /// Writes a Dockerfile and a `.dockerignore` into a folder that has neither.
    pub fn create(
        folder: impl AsRef<Path>,
        dockerfile: &str,
        dockerignore: &str,
    ) -> Result<(), FilesError> {
        let files = [(".dockerignore", dockerignore), ("Dockerfile", dockerfile)];
        let mut prepared = Vec::new();
        for (name, text) in files {
            let path = folder.as_ref().join(name);
            if fs::symlink_metadata(&path).is_ok() {
                return Err(FilesError::Exists { path });
            }
            prepared.push(Replacement::prepare(&path, text)?);
        }
        prepared.into_iter().try_for_each(Replacement::finish)
    }
}

/// Reads a Dockerfile, or the one in a folder, from disk.
pub fn read_dockerfile(path: impl AsRef<Path>) -> Result<String, FilesError> {
    read(&dockerfile_path(path)?)
}

/// Where the Dockerfile is: the path itself, or the Dockerfile in that folder.
pub fn dockerfile_path(path: impl AsRef<Path>) -> Result<PathBuf, FilesError> {
    let path = path.as_ref();
    if path.is_dir() {
        find(path)
    } else {
        Ok(path.to_owned())
    }
}

/// Reads a Dockerfile from standard input, to its end.
pub fn read_standard_input() -> Result<String, FilesError> {
    let path = Path::new("standard input");
    let mut bytes = Vec::new();
    match io::stdin().lock().read_to_end(&mut bytes) {
        Ok(_) => text(path, bytes),
        Err(source) => Err(FilesError::Unreadable {
            path: path.to_owned(),
            source,
        }),
    }
}

/// Reads a file that is none of a build: a snapshot, a trace, a list of commits or of durations, a saved report.
pub fn read_file(path: impl AsRef<Path>) -> Result<String, FilesError> {
    text(path.as_ref(), read_bytes(&path)?)
}

/// As [`read_file`], for a file that may be cut anywhere, such as a trace: also inside a character.
pub fn read_bytes(path: impl AsRef<Path>) -> Result<Vec<u8>, FilesError> {
    let path = path.as_ref().to_owned();
    match fs::read(&path) {
        Ok(bytes) => Ok(bytes),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(FilesError::Missing { path }),
        Err(source) => Err(FilesError::FileUnreadable { path, source }),
    }
}

/// Writes a file, such as a snapshot; what stood there before is replaced in one moment.
pub fn write_file(path: impl AsRef<Path>, text: &str) -> Result<(), FilesError> {
    Replacement::prepare(path.as_ref(), text)?.finish()
}

/// Writes a Dockerfile in the place of the one at the path, as [`BuildFiles::write`] does.
pub fn write_dockerfile(path: impl AsRef<Path>, text: &str) -> Result<(), FilesError> {
    Replacement::prepare(path.as_ref(), text)?.finish()
}

/// Reads the `stagewright.toml` of a folder; an empty text if it has none.
pub fn read_config(folder: impl AsRef<Path>) -> Result<String, FilesError> {
    match read_file(folder.as_ref().join(CONFIG_FILE)) {
        Err(FilesError::Missing { .. }) => Ok(String::new()),
        other => other,
    }
}

fn read(path: &Path) -> Result<String, FilesError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(FilesError::Missing {
                path: path.to_owned(),
            });
        }
        Err(_) if path.is_dir() => {
            return Err(FilesError::DockerfileIsFolder {
                path: path.to_owned(),
            });
        }
        Err(source) => {
            return Err(FilesError::Unreadable {
                path: path.to_owned(),
                source,
            });
        }
    };
    text(path, bytes)
}

fn text(path: &Path, bytes: Vec<u8>) -> Result<String, FilesError> {
    String::from_utf8(bytes).map_err(|error| FilesError::NotUtf8 {
        path: path.to_owned(),
        offset: error.utf8_error().valid_up_to(),
    })
}

/// The Dockerfile of a folder (`commands/build.go` of buildx falls back on the name in lower case).
fn find(folder: &Path) -> Result<PathBuf, FilesError> {
    let names = ["Dockerfile", "dockerfile"].map(|name| folder.join(name));
    let found = names
        .into_iter()
        .find(|path| fs::symlink_metadata(path).is_ok());
    found.ok_or_else(|| FilesError::NoDockerfile {
        folder: folder.to_owned(),
    })
}

pub(super) fn folder_of(file: &Path) -> PathBuf {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// The ignore file beside a Dockerfile that is not in the context.
fn ignore_beside(dockerfile: &Path) -> Result<Option<IgnoreFile>, FilesError> {
    let Some(name) = dockerfile.file_name() else {
        return Ok(None);
    };
    let mut name = name.to_os_string();
    name.push(".dockerignore");
    let path = dockerfile.with_file_name(&name);
    match fs::read(&path) {
        Ok(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            Ok(Some(IgnoreFile::named(&name.to_string_lossy(), &text)?))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(source) => Err(FilesError::FileUnreadable { path, source }),
    }
}

/// The path of the Dockerfile in the context, if it is in there: `<name>.dockerignore` beside it wins over `.dockerignore`.
fn name_in(dockerfile: &Path, folder: &Path) -> Option<String> {
    let parent = fs::canonicalize(folder_of(dockerfile)).ok()?;
    let inside = parent.strip_prefix(fs::canonicalize(folder).ok()?).ok()?;
    let parts = inside
        .iter()
        .chain(dockerfile.file_name())
        .map(|part| part.to_str());
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}

/// A file that is written, and waits beside the one that it will replace. Removed again if it is dropped before.
struct Replacement {
    place: PathBuf,
    waiting: Option<PathBuf>,
}

impl Replacement {
    fn prepare(path: &Path, text: &str) -> Result<Self, FilesError> {
        let unwritable = |source| FilesError::Unwritable {
            path: path.to_owned(),
            source,
        };
        // Through links, to the file that they stand for.
        let place = match fs::canonicalize(path) {
            Ok(place) => place,
            Err(error)
                if error.kind() == ErrorKind::NotFound && fs::symlink_metadata(path).is_err() =>
            {
                path.to_owned()
            }
            Err(error) => return Err(unwritable(error)),
        };
        let name = place.file_name().unwrap_or_default().to_string_lossy();
        let waiting = place.with_file_name(format!(".{name}.{}.new", std::process::id()));
        let mut file = fs::File::options()
            .write(true)
            .create_new(true)
            .open(&waiting)
            .map_err(unwritable)?;
        let replacement = Self {
            place,
            waiting: Some(waiting),
        };
        let written = (|| {
            if let Ok(before) = fs::metadata(&replacement.place) {
                file.set_permissions(before.permissions())?;
            }
            file.write_all(text.as_bytes())?;
            file.sync_all()
        })();
        written.map_err(unwritable)?;
        Ok(replacement)
    }

    fn finish(mut self) -> Result<(), FilesError> {
        let Some(waiting) = self.waiting.as_ref() else {
            return Ok(());
        };
        fs::rename(waiting, &self.place).map_err(|source| FilesError::Unwritable {
            path: self.place.clone(),
            source,
        })?;
        self.waiting = None;
        Ok(())
    }
}

impl Drop for Replacement {
    fn drop(&mut self) {
        if let Some(waiting) = &self.waiting {
            // Nothing more can be done about a file that cannot be removed.
            let _ = fs::remove_file(waiting);
        }
    }
}
