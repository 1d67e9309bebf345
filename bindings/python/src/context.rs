//! `Context` and `BuildFiles`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::prelude::*;
use stagewright::context::DirectoryOptions;
use stagewright::{FilesOptions, HistoryOptions};

use crate::analysis::Plan;
use crate::dockerfile::Dockerfile;
use crate::error::Failure;
use crate::history::History;

/// The files that a build is given, after `.dockerignore`. It never changes.
#[pyclass(frozen, from_py_object, module = "stagewright")]
#[derive(Clone)]
pub(crate) struct Context {
    inner: stagewright::Context,
}

#[pymethods]
impl Context {
    /// Reads the context in a folder. With `hash` every file is read for its digest, which `Analysis.since` needs.
    ///
    /// Raises `StagewrightError` if the folder or a file in it cannot be read.
    #[staticmethod]
    #[pyo3(signature = (path, *, hash=false))]
    fn directory(py: Python<'_>, path: PathBuf, hash: bool) -> Result<Self, Failure> {
        let options = DirectoryOptions::default().hash(hash);
        py.detach(|| {
            Ok(Self {
                inner: stagewright::Context::directory_with(path, &options)?,
            })
        })
    }

    /// Makes a context in memory, from paths and contents. A `.dockerignore` among them holds.
    #[staticmethod]
    fn files(files: BTreeMap<String, TextOrBytes>) -> Result<Self, Failure> {
        let builder = files.into_iter().fold(
            stagewright::Context::builder(),
            |builder, (path, content)| builder.file(&path, content),
        );
        Ok(Self {
            inner: builder.build()?,
        })
    }

    /// The files that are sent, with their sizes in bytes.
    #[getter]
    fn sizes(&self) -> BTreeMap<String, u64> {
        self.inner
            .files()
            .map(|entry| (entry.path.clone(), entry.size()))
            .collect()
    }

    /// What `.dockerignore` leaves out: files, and folders of which nothing is sent.
    #[getter]
    fn ignored(&self) -> Vec<String> {
        self.inner.ignored()
    }

    /// The bytes of all files that are sent.
    #[getter]
    fn size(&self) -> u64 {
        self.inner.size()
    }

    fn __repr__(&self) -> String {
        format!(
            "<Context: {} files, {} bytes>",
            self.inner.file_count(),
            self.inner.size()
        )
    }
}

/// The content of a file, as text or as bytes.
#[derive(FromPyObject)]
pub(crate) enum TextOrBytes {
    Text(String),
    Bytes(Vec<u8>),
}

impl AsRef<[u8]> for TextOrBytes {
    fn as_ref(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// A context, or the folder that holds it.
#[derive(FromPyObject)]
pub(crate) enum ContextArgument {
    Context(Context),
    Folder(PathBuf),
}

impl ContextArgument {
    /// The current folder, as for the command.
    pub(crate) fn here() -> Self {
        Self::Folder(".".into())
    }

    pub(crate) fn open(self) -> Result<stagewright::Context, stagewright::ContextError> {
        match self {
            Self::Context(context) => Ok(context.inner),
            Self::Folder(folder) => stagewright::Context::directory(folder),
        }
    }
}

/// The Dockerfile and the context of a build, read from disk as the command reads them.
#[pyclass(frozen, module = "stagewright")]
pub(crate) struct BuildFiles {
    inner: stagewright::BuildFiles,
}

#[pymethods]
impl BuildFiles {
    /// Opens a folder, which is the context and holds a Dockerfile; or a Dockerfile, whose folder is the context.
    ///
    /// `file` names a Dockerfile that stands elsewhere, `context` a context that does. With `hash` every file is read for its digest,
    /// which `Analysis.since` needs; `config` names a `stagewright.toml` that stands elsewhere. Raises `StagewrightError` for what cannot be found or read.
    #[staticmethod]
    #[pyo3(
        signature = (path=PathBuf::from("."), *, file=None, context=None, hash=false, config=None),
        text_signature = "(path='.', *, file=None, context=None, hash=False, config=None)"
    )]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        file: Option<PathBuf>,
        context: Option<PathBuf>,
        hash: bool,
        config: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let options = FilesOptions {
            file,
            context,
            hash,
            config,
        };
        py.detach(|| {
            Ok(Self {
                inner: stagewright::BuildFiles::open_with(path, &options)?,
            })
        })
    }

    /// Where the Dockerfile is.
    #[getter]
    fn path(&self) -> PathBuf {
        self.inner.dockerfile.clone()
    }

    /// The Dockerfile.
    #[getter]
    fn dockerfile(&self) -> Dockerfile {
        Dockerfile::new(self.inner.text.clone())
    }

    /// The context.
    #[getter]
    fn context(&self) -> Context {
        Context {
            inner: self.inner.context.clone(),
        }
    }

    /// The same Dockerfile and context as they were at a revision of git, with digests. What git does not track was not there; of
    /// permissions git keeps the executable bit alone, the others are those of today.
    ///
    /// Raises `StagewrightError` where git cannot tell (`git-missing`, `git-no-repository`, `git-bad-revision`, `git-path-missing`).
    fn at_revision(&self, py: Python<'_>, revision: &str) -> Result<Self, Failure> {
        py.detach(|| {
            Ok(Self {
                inner: self.inner.at_revision(revision)?,
            })
        })
    }

    /// Which paths of the context the commits of git changed, newest first: `commits` at the most (1,000 if absent), and none before
    /// `since`, a day (`YYYY-MM-DD`) or so many days or weeks before the newest (`90d`, `12w`).
    #[pyo3(signature = (*, commits=None, since=None))]
    fn history(
        &self,
        py: Python<'_>,
        commits: Option<usize>,
        since: Option<&str>,
    ) -> Result<History, Failure> {
        let window = HistoryOptions::from_words(commits, since)?;
        py.detach(|| Ok(History::new(self.inner.history(&window)?)))
    }

    /// The text of the project's `stagewright.toml`; empty if it has none.
    #[getter]
    fn config(&self) -> &str {
        &self.inner.config
    }

    /// Writes what a plan leads to: the Dockerfile in the place of the old one, and the `.dockerignore`. There is no moment at which
    /// half a file stands there.
    ///
    /// Raises `StagewrightError` (`file-unwritable`) where that cannot be done.
    fn write(&self, py: Python<'_>, plan: &Plan) -> Result<(), Failure> {
        let plan = plan.plan();
        py.detach(|| {
            Ok(self
                .inner
                .write(&plan.dockerfile, plan.dockerignore.as_deref())?)
        })
    }

    fn __repr__(&self) -> String {
        format!("<BuildFiles: {}>", self.inner.dockerfile.display())
    }
}
