//! Harness and data that the three languages share.

pub mod conformance;
pub mod corpus;
pub mod mutate;
pub mod proof;
pub mod scenario;
