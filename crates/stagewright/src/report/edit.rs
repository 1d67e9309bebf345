//! The answer of `edit`: the new text, and what `BuildKit` would have against it.

use serde::Serialize;
use stagewright_syntax::Dockerfile;

use super::SCHEMA;
use super::parse::ParsedError;
use crate::edit::{Operation, OperationError, apply};

/// The answer of `edit`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct EditReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The path of the file.
    pub path: String,
    /// The new text.
    pub text: String,
    /// What `BuildKit` would reject in it.
    pub errors: Vec<ParsedError>,
}

impl EditReport {
    /// The report of a file that is changed, one operation after the other.
    pub fn new(
        path: impl Into<String>,
        text: &str,
        operations: &[Operation],
    ) -> Result<Self, OperationError> {
        let text = apply(text, operations)?;
        Ok(Self {
            schema: SCHEMA,
            path: path.into(),
            errors: ParsedError::all(&Dockerfile::parse(&text)),
            text,
        })
    }
}
