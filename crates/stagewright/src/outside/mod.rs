//! The doors to the world. Nothing else in this crate touches files, processes, the clock or the network.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this is where they are allowed"
)]

mod archive;
mod directory;
mod files;
mod git;
mod many;
#[cfg(feature = "online")]
pub mod online;
mod parallel;
mod status;
mod walk;

pub use directory::DirectoryOptions;
pub use files::{
    BuildFiles, FilesError, FilesOptions, dockerfile_path, read_bytes, read_config,
    read_dockerfile, read_file, read_standard_input, write_dockerfile, write_file,
};
pub use git::GitError;
pub use many::{AnalyzeError, analyze_many};
