//! The answer of `format`: what a formatted file looks like, and which of its lines differ.

use serde::Serialize;
use stagewright_syntax::{Dockerfile, format};

use super::SCHEMA;
use super::parse::ParsedError;

/// The answer of `format`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FormatReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The files, in the order in which they were given.
    pub files: Vec<FormattedFile>,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FormattedFile {
    /// Its path.
    pub path: String,
    /// The lines that formatting changes, 1-based; none if the file is formatted.
    pub lines: Vec<u32>,
    /// The formatted text.
    pub text: String,
    /// What `BuildKit` would reject. Such a file is left as it is.
    pub errors: Vec<ParsedError>,
}

impl FormatReport {
    /// The report of files.
    pub fn new(files: Vec<FormattedFile>) -> Self {
        Self {
            schema: SCHEMA,
            files,
        }
    }
}

impl FormattedFile {
    /// Formats a file.
    pub fn new(path: impl Into<String>, file: &Dockerfile<'_>) -> Self {
        let edits = format::edits(file);
        let index = file.line_index();
        let mut lines: Vec<u32> = edits
            .edits()
            .iter()
            .map(|edit| index.line(edit.span.start))
            .collect();
        lines.dedup();
        Self {
            path: path.into(),
            lines,
            text: edits.apply(file.text()),
            errors: ParsedError::all(file),
        }
    }
}
