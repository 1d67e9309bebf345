//! `cargo xtask bench [FILTER]`: the benches, optimised as a release is.

use crate::Failure;
use crate::process::{cargo, must};

/// Runs the benches whose names hold one of the filters; all without a filter.
pub(crate) fn run(filters: &[&str]) -> Result<(), Failure> {
    must(
        "benches",
        cargo()
            .args(["bench", "--package", "stagewright-benches", "--"])
            .args(filters),
    )
}
