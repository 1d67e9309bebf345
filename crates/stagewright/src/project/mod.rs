//! What kind of application a folder holds, as far as its files say.

mod named;
pub mod node;
pub mod python;
mod start;
mod writes;

use serde::Serialize;
use stagewright_syntax::edit::EditError;
use stagewright_syntax::{Dockerfile, View};
use thiserror::Error;

use crate::context::Context;
use crate::recipe::{self, CustomRecipe, RecipeOptions};

pub use self::node::NodeProject;
pub use self::python::PythonProject;
pub use self::writes::Writes;

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
    /// Files that list packages contradict each other.
    #[error("{} contradict each other about the package manager: keep one", list(.files))]
    LockConflict {
        /// The files.
        files: Vec<String>,
    },
    /// A file that says what the project is cannot be read.
    #[error("`{file}` cannot be read: {why}")]
    BadManifest {
        /// The file.
        file: String,
        /// Why.
        why: String,
    },
    /// Several packages of the repository could be the application, or the one that was given is none of them.
    #[error("which package is the application? there are {}; give one as `package`", list(.packages))]
    SeveralApplications {
        /// Their folders.
        packages: Vec<String>,
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
            Self::LockConflict { .. } => "lock-conflict",
            Self::BadManifest { .. } => "bad-manifest",
            Self::SeveralApplications { .. } => "several-applications",
            Self::NoCommand { .. } => "no-command",
            Self::Unwritable { .. } => "unwritable",
        }
    }
}

/// A project of a known kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Project {
    /// A Python application.
    Python(PythonProject),
    /// A Node application.
    Node(NodeProject),
}

/// A Dockerfile with its `.dockerignore`, and what was taken for granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Generated {
    /// The recipe (`python`, `node`).
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

impl From<EditError> for ProjectError {
    fn from(source: EditError) -> Self {
        Self::Unwritable { source }
    }
}

impl Generated {
    /// The files of a recipe; what it found and what it asks are added to the fields.
    pub fn new(
        recipe: &'static str,
        dockerfile: impl Into<String>,
        dockerignore: impl Into<String>,
    ) -> Self {
        Self {
            recipe,
            dockerfile: dockerfile.into(),
            dockerignore: dockerignore.into(),
            found: Vec::new(),
            questions: Vec::new(),
        }
    }
}

/// Writes a Dockerfile and a `.dockerignore` by the first of a caller's recipes that fits the project, and by the built-in ones where none
/// does.
pub fn generate_with_recipes(
    context: &Context,
    options: &RecipeOptions,
    recipes: &[&dyn CustomRecipe],
) -> Result<Generated, ProjectError> {
    for recipe in recipes {
        if let Some(generated) = recipe.generate(context, options)? {
            return Ok(generated);
        }
    }
    Project::detect(context)?.generate(context, options)
}

impl Project {
    /// Looks at the files of a context. Where it holds both a Python and a Node project, the one that says how it is started is meant.
    pub fn detect(context: &Context) -> Result<Self, ProjectError> {
        Self::detect_package(context, None)
    }

    /// As [`detect`](Self::detect), with the folder of the application's package where a repository holds several that could be it.
    pub fn detect_package(context: &Context, package: Option<&str>) -> Result<Self, ProjectError> {
        if package.is_some() {
            let node = node::detect(context, package)?;
            return node.map(Self::Node).ok_or_else(no_recipe);
        }
        match (python::detect(context)?, node::detect(context, None)) {
            (Some(python), Ok(Some(node))) if python.command.is_none() && node.command.is_ok() => {
                Ok(Self::Node(node))
            }
            (Some(python), _) => Ok(Self::Python(python)),
            (None, node) => node?.map(Self::Node).ok_or_else(no_recipe),
        }
    }

    /// Writes a Dockerfile and a `.dockerignore` for the project.
    pub fn generate(
        &self,
        context: &Context,
        options: &RecipeOptions,
    ) -> Result<Generated, ProjectError> {
        match self {
            Self::Python(project) => recipe::python::generate(project, context, options),
            Self::Node(project) => recipe::node::generate(project, options),
        }
    }
}

fn no_recipe() -> ProjectError {
    ProjectError::NoRecipe {
        looked_for:
            "`requirements.txt`, `pyproject.toml`, `Pipfile.lock`, `setup.py` or `package.json`"
                .into(),
    }
}

fn list(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    quoted.join(", ")
}

/// The tag of the official image of a language that a Dockerfile builds on, from its first number on.
fn base_version(dockerfile: &str, language: &str) -> Option<String> {
    let file = Dockerfile::parse(dockerfile);
    file.instructions().find_map(|instruction| {
        let View::From(from) = instruction.view() else {
            return None;
        };
        let (name, tag) = from.image.split_once(':')?;
        let numbered = tag.starts_with(|c: char| c.is_ascii_digit());
        (name.rsplit('/').next() == Some(language) && numbered).then(|| tag.to_owned())
    })
}
