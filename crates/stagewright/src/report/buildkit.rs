//! The answer of `parse --as buildkit`: what BuildKit's own parser says of each file, in its own form.

use serde::Serialize;
use stagewright_syntax::{Dockerfile, Verdict};

use super::SCHEMA;

/// The answer of `parse --as buildkit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BuildkitReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The files, in the order in which they were given.
    pub files: Vec<BuildkitFile>,
}

/// What BuildKit says of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BuildkitFile {
    /// Its path as it was given.
    pub path: String,
    /// Whether BuildKit builds it.
    pub accepted: bool,
    /// BuildKit's message, where it does not.
    pub message: Option<String>,
    /// The line that BuildKit reports, from 1; 0 where it counts one too few.
    pub line: Option<u32>,
    /// The tree as BuildKit dumps it; nothing where its parser stops before there is one.
    pub dump: Option<String>,
}

impl BuildkitReport {
    /// The report of files, each with its path.
    pub fn new<'f>(files: impl IntoIterator<Item = (&'f str, &'f Dockerfile<'f>)>) -> Self {
        let files = files.into_iter().map(|(path, file)| {
            let (accepted, message, line) = match file.buildkit_verdict() {
                Verdict::Accepted => (true, None, None),
                Verdict::Rejected { message, line } => (false, Some(message), Some(line)),
            };
            BuildkitFile {
                path: path.to_owned(),
                accepted,
                message,
                line,
                dump: file.buildkit_dump(),
            }
        });
        Self {
            schema: SCHEMA,
            files: files.collect(),
        }
    }
}
