//! Harness and data that the three languages share.

pub mod buildkit;
pub mod called;
pub mod changed;
pub mod conformance;
pub mod corpus;
pub mod mutate;
pub mod peers;
pub mod proof;
pub mod random;
pub mod scenario;
pub mod server;
pub mod shapes;
pub mod size_proof;

/// The README's Rust code, run as documentation tests are.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
