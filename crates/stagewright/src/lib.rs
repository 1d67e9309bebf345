//! Stages, cache and sizes of a Dockerfile, before it is built.

pub mod facts;
pub mod size;

pub use size::{Basis, Kind, Size};
