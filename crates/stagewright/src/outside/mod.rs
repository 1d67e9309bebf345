//! The doors to the world. Nothing else in this crate touches files, processes, the clock or the network.

mod directory;

pub use directory::DirectoryOptions;
