//! A wrong call, as it is said in all languages: a stable code and one sentence.

use std::error::Error;

use serde::Serialize;

use super::SCHEMA;
use crate::analysis::AnalysisError;
use crate::context::ContextError;
use crate::options::OptionsError;
use crate::outside::FilesError;
use crate::project::ProjectError;

/// An error with a stable name.
pub trait Coded: Error {
    /// The name, in kebab-case.
    fn code(&self) -> &'static str;
}

macro_rules! coded {
    ($($error:ty),*) => {
        $(impl Coded for $error {
            fn code(&self) -> &'static str {
                <$error>::code(self)
            }
        })*
    };
}

coded!(
    AnalysisError,
    ContextError,
    FilesError,
    OptionsError,
    ProjectError
);

/// The answer to a wrong call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ErrorReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What is wrong.
    pub error: ErrorDetail,
}

/// What is wrong with a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ErrorDetail {
    /// A stable name in kebab-case.
    pub code: &'static str,
    /// The error and what caused it, as one sentence.
    pub message: String,
}

impl ErrorReport {
    /// The report of an error, with what caused it.
    pub fn new(error: &impl Coded) -> Self {
        let mut message = error.to_string();
        let mut source = error.source();
        while let Some(cause) = source {
            message = format!("{message}: {cause}");
            source = cause.source();
        }
        Self::of(error.code(), message)
    }

    /// The report of an error that has no type of its own.
    pub fn of(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            schema: SCHEMA,
            error: ErrorDetail {
                code,
                message: message.into(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_said_once() {
        let source = || std::io::Error::other("the disk is on fire");
        let error = ContextError::Unreadable {
            path: "main.py".into(),
            source: source(),
        };
        let expected = ErrorReport::of(
            "context-unreadable",
            "`main.py` cannot be read: the disk is on fire",
        );
        assert_eq!(ErrorReport::new(&error), expected);
        assert_eq!(ErrorReport::new(&FilesError::Context(error)), expected);
        let error = FilesError::Unreadable {
            path: "Dockerfile".into(),
            source: source(),
        };
        assert_eq!(
            ErrorReport::new(&error).error.message,
            "`Dockerfile` cannot be read: the disk is on fire"
        );
    }
}
