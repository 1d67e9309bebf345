//! The native half of the `stagewright` npm package: conversions only.

#![expect(
    unreachable_pub,
    reason = "the macros want public items, and no crate links to an addon"
)]
#![cfg_attr(
    test,
    allow(
        dead_code,
        reason = "the macros leave functions out of test builds, and there are no tests here"
    )
)]

mod analysis;
mod context;
mod diff;
mod dockerfile;
mod error;
mod history;
mod image;
mod literal;
mod online;
mod project;
mod snapshot;
mod value;
mod view;

use napi_derive::napi;

/// The version of the package.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
