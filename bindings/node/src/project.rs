//! `generate` and `Generated`.

use napi::bindgen_prelude::{ClassInstance, Either};
use napi_derive::napi;
use stagewright::report::{GenerateReport, to_json};
use stagewright::{Project, RecipeOptions};

use crate::context::{self, Context};
use crate::error::{Result, failure};
use crate::value::{Finding, Size, all};

/// A Dockerfile with its `.dockerignore`, and what was taken for granted.
#[napi]
pub struct Generated {
    report: GenerateReport,
}

/// What a caller decides for the recipe; what is left out is taken from the project's files.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct GenerateOptions {
    /// The port that the application listens on.
    pub port: Option<u16>,
    /// The base image.
    pub base: Option<String>,
    /// The folder of the application's package, in a repository with workspaces.
    pub package: Option<String>,
    /// The words of the command that starts the application.
    pub command: Option<Vec<String>>,
}

#[napi]
impl Generated {
    /// The recipe (`python`, `node`).
    #[napi(getter)]
    pub fn recipe(&self) -> &'static str {
        self.report.generated.recipe
    }

    /// The Dockerfile.
    #[napi(getter)]
    pub fn dockerfile(&self) -> &str {
        &self.report.generated.dockerfile
    }

    /// The `.dockerignore`.
    #[napi(getter)]
    pub fn dockerignore(&self) -> &str {
        &self.report.generated.dockerignore
    }

    /// What was found in the project, in sentences.
    #[napi(getter)]
    pub fn found(&self) -> Vec<String> {
        self.report.generated.found.clone()
    }

    /// What the files do not say, and what was taken; a person should answer.
    #[napi(getter)]
    pub fn questions(&self) -> Vec<String> {
        self.report.generated.questions.clone()
    }

    /// Bytes of the image on disk.
    #[napi(getter)]
    pub fn size(&self) -> Size {
        self.report.image.uncompressed.into()
    }

    /// Bytes of the image on the wire.
    #[napi(getter)]
    pub fn compressed(&self) -> Size {
        self.report.image.compressed.into()
    }

    /// What is wrong or not known, sorted by place.
    #[napi(getter)]
    pub fn findings(&self) -> Vec<Finding> {
        all(&self.report.findings)
    }

    /// Writes both files into a folder that has neither.
    ///
    /// Throws an error where one is there already (`file-exists`) or cannot be written (`file-unwritable`).
    #[napi]
    pub fn write(&self, folder: String) -> Result<()> {
        stagewright::BuildFiles::create(folder, self.dockerfile(), self.dockerignore())
            .map_err(failure)
    }

    /// The answer as JSON: the bytes that `stagewright generate --json` prints.
    #[napi]
    pub fn to_json(&self) -> String {
        to_json(&self.report)
    }
}

/// Makes a Dockerfile and a `.dockerignore` for the project in a folder (or a `Context`) that has none. Writes nothing.
///
/// Throws an error with a `code` where no recipe fits (`no-recipe`), nothing says how the application starts (`no-command`), a file
/// cannot be read (`bad-manifest`), lock files contradict each other (`lock-conflict`), or several packages of a repository could be the
/// application (`several-applications`).
#[napi]
pub fn generate(
    context: Either<String, ClassInstance<'_, Context>>,
    options: Option<GenerateOptions>,
) -> Result<Generated> {
    let asked = options.unwrap_or_default();
    let options = RecipeOptions {
        port: asked.port,
        base: asked.base,
        command: asked.command,
    };
    let context = context::open(Some(context)).map_err(failure)?;
    let project = Project::detect_package(&context, asked.package.as_deref()).map_err(failure)?;
    let generated = project.generate(&context, &options).map_err(failure)?;
    let report = GenerateReport::new(&context, generated).map_err(failure)?;
    Ok(Generated { report })
}
