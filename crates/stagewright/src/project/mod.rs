//! What kind of application a folder holds, as far as its files say.

pub mod python;

use serde::Serialize;
use stagewright_syntax::edit::EditError;
use thiserror::Error;

use crate::context::Context;
use crate::recipe::{self, RecipeOptions};

pub use self::python::PythonProject;

/// A project cannot be containerised by any recipe.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ProjectError {
    /// No file says what language the project is in.
    #[error("no recipe fits this project: there is no {looked_for}")]
    NoRecipe {
        /// The files that were looked for.
        looked_for: String,
    },
    /// The start command is not known, and was not given.
    #[error("the command that starts the application is not known: {why}; give it as `command`")]
    NoCommand {
        /// Why.
        why: String,
    },
    /// A value cannot be written in a Dockerfile.
    #[error("the Dockerfile cannot be written")]
    Unwritable {
        /// The value.
        #[source]
        source: EditError,
    },
}

impl ProjectError {
    /// A stable name in kebab-case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoRecipe { .. } => "no-recipe",
            Self::NoCommand { .. } => "no-command",
            Self::Unwritable { .. } => "unwritable",
        }
    }
}

/// A project of a known kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Project {
    /// A Python application with a requirements file.
    Python(PythonProject),
}

/// A Dockerfile with its `.dockerignore`, and what was taken for granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Generated {
    /// The recipe (`python`).
    pub recipe: &'static str,
    /// The Dockerfile.
    pub dockerfile: String,
    /// The `.dockerignore`.
    pub dockerignore: String,
    /// What was found in the project, in sentences.
    pub found: Vec<String>,
    /// What the files do not say, and what was taken; a person should answer.
    pub questions: Vec<String>,
}

impl Project {
    /// Looks at the files of a context.
    pub fn detect(context: &Context) -> Result<Self, ProjectError> {
        python::detect(context)
            .map(Self::Python)
            .ok_or_else(|| ProjectError::NoRecipe {
                looked_for: "`requirements.txt`".into(),
            })
    }

    /// Writes a Dockerfile and a `.dockerignore` for the project.
    pub fn generate(
        &self,
        context: &Context,
        options: &RecipeOptions,
    ) -> Result<Generated, ProjectError> {
        match self {
            Self::Python(project) => recipe::python::generate(project, context, options),
        }
    }
}
