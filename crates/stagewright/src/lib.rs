//! Stages, cache and sizes of a Dockerfile, before it is built.

pub mod change;
pub mod context;
pub mod facts;
mod outside;
pub mod size;

pub use change::{Change, FileChange};
pub use context::{Context, ContextError};
pub use size::{Basis, Kind, Size};
