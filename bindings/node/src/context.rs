//! `Context` and `BuildFiles`.

#![expect(
    clippy::needless_pass_by_value,
    reason = "what JavaScript gives is converted into values"
)]

use std::collections::BTreeMap;

use napi::bindgen_prelude::{Buffer, ClassInstance, Either};
use napi_derive::napi;
use stagewright::context::DirectoryOptions;
use stagewright::{FilesOptions, HistoryOptions};

use crate::analysis::Plan;
use crate::dockerfile::Dockerfile;
use crate::error::{Result, failure};
use crate::history::History;
use crate::value::bytes;

/// The files that a build is given, after `.dockerignore`. It never changes.
#[napi]
pub struct Context {
    inner: stagewright::Context,
}

/// How a folder is read.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct DirectoryContextOptions {
    /// Read every file for its digest, which `Analysis.since` needs.
    pub hash: Option<bool>,
}

#[napi]
impl Context {
    /// Reads the context in a folder.
    ///
    /// Throws an error with a `code` if the folder or a file in it cannot be read.
    #[napi(factory)]
    pub fn directory(path: String, options: Option<DirectoryContextOptions>) -> Result<Self> {
        let hash = options.unwrap_or_default().hash.unwrap_or_default();
        let inner =
            stagewright::Context::directory_with(path, &DirectoryOptions::default().hash(hash))
                .map_err(failure)?;
        Ok(Self { inner })
    }

    /// Makes a context in memory, from paths and contents. A `.dockerignore` among them holds.
    #[napi(factory)]
    pub fn files(files: BTreeMap<String, Either<String, Buffer>>) -> Result<Self> {
        let builder = files.into_iter().fold(
            stagewright::Context::builder(),
            |builder, (path, content)| match content {
                Either::A(text) => builder.file(&path, text),
                Either::B(bytes) => builder.file(&path, bytes),
            },
        );
        let inner = builder.build().map_err(failure)?;
        Ok(Self { inner })
    }

    /// The files that are sent, with their sizes in bytes.
    #[napi(getter)]
    pub fn sizes(&self) -> BTreeMap<String, i64> {
        self.inner
            .files()
            .map(|entry| (entry.path.clone(), bytes(entry.size())))
            .collect()
    }

    /// What `.dockerignore` leaves out: files, and folders of which nothing is sent.
    #[napi(getter)]
    pub fn ignored(&self) -> Vec<String> {
        self.inner.ignored()
    }

    /// The bytes of all files that are sent.
    #[napi(getter)]
    pub fn size(&self) -> i64 {
        bytes(self.inner.size())
    }
}

/// The context that was given, or the one in the folder; the current folder if neither, as for the command.
pub(crate) fn open(
    context: Option<Either<String, ClassInstance<'_, Context>>>,
) -> std::result::Result<stagewright::Context, stagewright::ContextError> {
    match context {
        Some(Either::B(context)) => Ok(context.inner.clone()),
        Some(Either::A(folder)) => stagewright::Context::directory(folder),
        None => stagewright::Context::directory("."),
    }
}

/// The Dockerfile and the context of a build, read from disk as the command reads them.
#[napi]
pub struct BuildFiles {
    inner: stagewright::BuildFiles,
}

/// Which files to open, where it is not the `Dockerfile` in the folder that is the context.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct BuildFilesOptions {
    /// A Dockerfile that stands elsewhere.
    pub file: Option<String>,
    /// A context that stands elsewhere.
    pub context: Option<String>,
    /// Read every file for its digest, which `Analysis.since` needs.
    pub hash: Option<bool>,
    /// A `stagewright.toml` that stands elsewhere.
    pub config: Option<String>,
}

/// Which commits are looked at.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct HistoryWindow {
    /// How many at the most; 1,000 if absent.
    pub commits: Option<u32>,
    /// None before a day (`YYYY-MM-DD`), or before so many days or weeks before the newest (`90d`, `12w`).
    pub since: Option<String>,
}

#[napi]
impl BuildFiles {
    /// Opens a folder, which is the context and holds a Dockerfile; or a Dockerfile, whose folder is the context.
    ///
    /// Throws an error with a `code` for what cannot be found or read.
    #[napi(factory)]
    pub fn open(path: String, options: Option<BuildFilesOptions>) -> Result<Self> {
        let options = options.unwrap_or_default();
        let files = FilesOptions {
            file: options.file.map(Into::into),
            context: options.context.map(Into::into),
            hash: options.hash.unwrap_or_default(),
            config: options.config.map(Into::into),
        };
        let inner = stagewright::BuildFiles::open_with(path, &files).map_err(failure)?;
        Ok(Self { inner })
    }

    /// Where the Dockerfile is.
    #[napi(getter)]
    pub fn path(&self) -> String {
        self.inner.dockerfile.display().to_string()
    }

    /// The Dockerfile.
    #[napi(getter)]
    pub fn dockerfile(&self) -> Dockerfile {
        Dockerfile::new(self.inner.text.clone())
    }

    /// The context.
    #[napi(getter)]
    pub fn context(&self) -> Context {
        Context {
            inner: self.inner.context.clone(),
        }
    }

    /// The same Dockerfile and context as they were at a revision of git, with digests. What git does not track was not there; of
    /// permissions git keeps the executable bit alone, the others are those of today.
    ///
    /// Throws an error where git cannot tell (`git-missing`, `git-no-repository`, `git-bad-revision`, `git-path-missing`).
    #[napi]
    pub fn at_revision(&self, revision: String) -> Result<Self> {
        let inner = self.inner.at_revision(&revision).map_err(failure)?;
        Ok(Self { inner })
    }

    /// Which paths of the context the commits of git changed, newest first.
    #[napi]
    pub fn history(&self, options: Option<HistoryWindow>) -> Result<History> {
        let options = options.unwrap_or_default();
        let commits = options.commits.map(|commits| commits as usize);
        let window =
            HistoryOptions::from_words(commits, options.since.as_deref()).map_err(failure)?;
        Ok(History::new(self.inner.history(&window).map_err(failure)?))
    }

    /// The text of the project's `stagewright.toml`; empty if it has none.
    #[napi(getter)]
    pub fn config(&self) -> &str {
        &self.inner.config
    }

    /// Writes what a plan leads to: the Dockerfile in the place of the old one, and the `.dockerignore`. There is no moment at which
    /// half a file stands there.
    ///
    /// Throws an error (`file-unwritable`) where that cannot be done.
    #[napi]
    pub fn write(&self, plan: &Plan) -> Result<()> {
        let plan = plan.plan();
        self.inner
            .write(&plan.dockerfile, plan.dockerignore.as_deref())
            .map_err(failure)
    }
}
