//! Stages, cache and sizes of a Dockerfile, before it is built.

pub mod analysis;
pub mod build;
pub mod cache;
pub mod change;
pub mod command;
pub mod context;
pub mod estimate;
pub mod facts;
pub mod finding;
pub mod interpret;
mod kind;
pub mod ledger;
pub mod measure;
pub mod options;
mod outside;
pub mod passes;
pub mod plan;
pub mod project;
pub mod proposal;
pub mod recipe;
pub mod report;
pub mod size;
pub mod stage;

pub use stagewright_syntax as syntax;

pub use analysis::{Analysis, AnalysisError};
pub use build::{Build, Inputs};
pub use cache::{Prediction, Verdict};
pub use change::{Change, FileChange};
pub use context::{Context, ContextError};
pub use finding::{Finding, Severity};
pub use measure::{Image, MeasureError, MeasureOptions};
pub use options::{Options, OptionsError, Platform};
pub use outside::{
    BuildFiles, FilesError, FilesOptions, dockerfile_path, read_dockerfile, read_standard_input,
    write_dockerfile,
};
pub use plan::{Plan, PlanOptions};
pub use project::Project;
pub use proposal::{Applicability, Objective};
pub use recipe::RecipeOptions;
pub use size::{Basis, Kind, Size};
pub use stagewright_syntax::Dockerfile;
pub use stagewright_syntax::format::format;
