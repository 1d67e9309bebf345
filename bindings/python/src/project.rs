//! `generate` and `Generated`.

use std::path::PathBuf;

use pyo3::prelude::*;
use stagewright::report::{GenerateReport, to_json};
use stagewright::{Project, RecipeOptions};

use crate::context::ContextArgument;
use crate::error::Failure;
use crate::value::{Finding, Size, all};

/// A Dockerfile with its `.dockerignore`, and what was taken for granted.
#[pyclass(frozen, module = "stagewright")]
pub(crate) struct Generated {
    report: GenerateReport,
}

#[pymethods]
impl Generated {
    /// The recipe (`python`, `node`).
    #[getter]
    fn recipe(&self) -> &'static str {
        self.report.generated.recipe
    }

    /// The Dockerfile.
    #[getter]
    fn dockerfile(&self) -> &str {
        &self.report.generated.dockerfile
    }

    /// The `.dockerignore`.
    #[getter]
    fn dockerignore(&self) -> &str {
        &self.report.generated.dockerignore
    }

    /// What was found in the project, in sentences.
    #[getter]
    fn found(&self) -> Vec<String> {
        self.report.generated.found.clone()
    }

    /// What the files do not say, and what was taken; a person should answer.
    #[getter]
    fn questions(&self) -> Vec<String> {
        self.report.generated.questions.clone()
    }

    /// Bytes of the image on disk.
    #[getter]
    fn size(&self) -> Size {
        self.report.image.uncompressed.into()
    }

    /// Bytes of the image on the wire.
    #[getter]
    fn compressed(&self) -> Size {
        self.report.image.compressed.into()
    }

    /// What is wrong or not known, sorted by place.
    #[getter]
    fn findings(&self) -> Vec<Finding> {
        all(&self.report.findings)
    }

    /// Writes both files into a folder that has neither.
    ///
    /// Raises `StagewrightError` where one is there already (`file-exists`) or cannot be written (`file-unwritable`).
    fn write(&self, folder: PathBuf) -> Result<(), Failure> {
        Ok(stagewright::BuildFiles::create(
            folder,
            self.dockerfile(),
            self.dockerignore(),
        )?)
    }

    /// The answer as JSON: the bytes that `stagewright generate --json` prints.
    fn to_json(&self) -> String {
        to_json(&self.report)
    }

    fn __repr__(&self) -> String {
        format!("<Generated: {}>", self.report.generated.recipe)
    }
}

/// Makes a Dockerfile and a `.dockerignore` for the project in a folder (or a `Context`) that has none. Writes nothing.
///
/// `port` is the port that the application listens on, `base` the base image, `package` the folder of its package in a repository
/// with workspaces, `command` the words of the command that starts it; what is left out is taken from the project's files. Raises
/// `StagewrightError` where no recipe fits (`no-recipe`), nothing says how the application starts (`no-command`), a file cannot be read
/// (`bad-manifest`), lock files contradict each other (`lock-conflict`), or several packages could be the application
/// (`several-applications`).
#[pyfunction]
#[pyo3(
    signature = (context=ContextArgument::here(), *, port=None, base=None, package=None, command=None),
    text_signature = "(context='.', *, port=None, base=None, package=None, command=None)"
)]
pub(crate) fn generate(
    py: Python<'_>,
    context: ContextArgument,
    port: Option<u16>,
    base: Option<String>,
    package: Option<&str>,
    command: Option<Vec<String>>,
) -> Result<Generated, Failure> {
    let options = RecipeOptions {
        port,
        base,
        command,
    };
    py.detach(|| {
        let context = context.open()?;
        let generated = Project::detect_package(&context, package)?.generate(&context, &options)?;
        Ok(Generated {
            report: GenerateReport::new(&context, generated)?,
        })
    })
}
