//! `Context` and `BuildFiles`.

use std::collections::BTreeMap;

use napi::bindgen_prelude::{Buffer, ClassInstance, Either};
use napi_derive::napi;
use stagewright::FilesOptions;
use stagewright::context::DirectoryOptions;

use crate::analysis::Plan;
use crate::dockerfile::Dockerfile;
use crate::error::{Result, failure};
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
