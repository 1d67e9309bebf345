//! Stages, cache and sizes of a Dockerfile, before it is built.

mod align;
pub mod analysis;
pub mod budget;
pub mod build;
pub mod cache;
pub mod change;
pub mod command;
pub mod comparison;
pub mod config;
pub mod context;
mod date;
pub mod diff;
pub mod duration;
pub mod edit;
pub mod estimate;
pub mod facts;
pub mod finding;
pub mod history;
pub mod interpret;
mod kind;
mod learn;
pub mod ledger;
pub mod measure;
pub mod options;
mod outside;
pub mod passes;
pub mod plan;
pub mod project;
pub mod proposal;
pub mod pull;
pub mod recipe;
pub mod report;
pub mod size;
pub mod snapshot;
pub mod stage;
pub mod trace;

pub use stagewright_syntax as syntax;

#[cfg(feature = "online")]
pub use outside::online;

pub use analysis::{Analysis, AnalysisError, compare};
pub use budget::SavedSize;
pub use build::{Build, Inputs};
pub use cache::{CacheOptions, Prediction, Verdict};
pub use change::{Change, FileChange};
pub use comparison::Comparison;
pub use config::{Budget, Config, ConfigError};
pub use context::{Context, ContextError};
pub use diff::Diff;
pub use duration::{DurationError, Durations};
pub use edit::{NewInstruction, NewMount, Operation, OperationError};
pub use finding::{Finding, Severity};
pub use history::{History, HistoryError, HistoryOptions};
pub use measure::{Image, MeasureError, MeasureOptions};
pub use options::{Options, OptionsError, Platform, RunOptions, RunWords};
pub use outside::{
    AnalyzeError, BuildFiles, FilesError, FilesOptions, GitError, analyze_many, dockerfile_path,
    read_bytes, read_config, read_dockerfile, read_file, read_standard_input, write_dockerfile,
    write_file,
};
pub use plan::{Plan, PlanOptions};
pub use project::Project;
pub use proposal::{Applicability, Objective};
pub use pull::{Host, Pull};
pub use recipe::RecipeOptions;
pub use size::{Basis, Kind, Size};
pub use snapshot::{Snapshot, SnapshotError};
pub use stagewright_syntax::Dockerfile;
pub use stagewright_syntax::format::format;
pub use trace::{Trace, TraceError};
