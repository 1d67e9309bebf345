//! Dockerfiles from nothing, one ecosystem a file.

pub mod python;

/// What a caller decides for the recipe; what is left out is taken from the project's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecipeOptions {
    /// The port that the application listens on.
    pub port: Option<u16>,
    /// The base image.
    pub base: Option<String>,
    /// The command that starts the application.
    pub command: Option<Vec<String>>,
}
