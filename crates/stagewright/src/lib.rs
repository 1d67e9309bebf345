//! Stages, cache and sizes of a Dockerfile, before it is built.

pub mod build;
pub mod cache;
pub mod change;
pub mod context;
pub mod facts;
pub mod finding;
pub mod options;
mod outside;
pub mod size;
pub mod stage;

pub use build::{Build, Inputs};
pub use cache::{Prediction, Verdict};
pub use change::{Change, FileChange};
pub use context::{Context, ContextError};
pub use finding::{Finding, Severity};
pub use options::{Options, Platform};
pub use size::{Basis, Kind, Size};
