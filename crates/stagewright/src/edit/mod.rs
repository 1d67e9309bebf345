//! Changes of a Dockerfile as data: what the command, Python and Node are told, in the words of [`Dockerfile`]'s own methods.
//!
//! ```
//! use stagewright::edit::{Operation, apply};
//!
//! let operations: Vec<Operation> = [
//!     r#"{"op": "set_tag", "index": 0, "tag": "3.12-slim"}"#,
//!     r#"{"op": "insert_after", "index": 0, "lines": {"run": "pip install flask", "mounts": [{"type": "cache", "target": "/c"}]}}"#,
//! ]
//! .iter()
//! .map(|json| Operation::from_json(json))
//! .collect::<Result<_, _>>()?;
//! assert_eq!(
//!     apply("ARG TAG=3.12\nFROM python:$TAG\n", &operations).unwrap_err().code(),
//!     "wrong-instruction"
//! );
//! assert_eq!(
//!     apply("# kept\nFROM python:3.12\n", &operations)?,
//!     "# kept\nFROM python:3.12-slim\nRUN --mount=type=cache,target=/c pip install flask\n"
//! );
//! # Ok::<(), stagewright::edit::OperationError>(())
//! ```

mod new;

pub use new::{NewInstruction, NewMount, compose};

use serde::Deserialize;
use serde_json::Value;
use stagewright_syntax::edit::EditError;
use stagewright_syntax::{Dockerfile, Span};
use thiserror::Error;

/// Why a Dockerfile is not changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum OperationError {
    /// What is asked for has not the form of an edit, of a new instruction or of a mount.
    #[error("{message}")]
    Bad {
        /// What is wrong with it.
        message: String,
    },
    /// The edit is refused.
    #[error(transparent)]
    Edit(#[from] EditError),
}

impl OperationError {
    /// A stable name in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Bad { .. } => "bad-edit",
            Self::Edit(error) => error.code(),
        }
    }
}

impl From<serde_json::Error> for OperationError {
    fn from(error: serde_json::Error) -> Self {
        Self::Bad {
            message: error.to_string(),
        }
    }
}

/// One change. `index` counts instructions from 0, in the text that is changed; each is the method of [`Dockerfile`] of that name, and
/// its JSON form is `{"op": NAME, …}` with the method's arguments.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are the arguments of the methods")]
pub enum Operation {
    /// [`Dockerfile::insert_before`].
    InsertBefore { index: usize, lines: NewInstruction },
    /// [`Dockerfile::insert_after`].
    InsertAfter { index: usize, lines: NewInstruction },
    /// [`Dockerfile::append`].
    Append { lines: NewInstruction },
    /// [`Dockerfile::replace`].
    Replace { index: usize, lines: NewInstruction },
    /// [`Dockerfile::remove`].
    Remove {
        index: usize,
        #[serde(default)]
        comments: bool,
    },
    /// [`Dockerfile::set_flag`].
    SetFlag {
        index: usize,
        name: String,
        value: Option<String>,
    },
    /// [`Dockerfile::add_flag`].
    AddFlag {
        index: usize,
        name: String,
        value: Option<String>,
    },
    /// [`Dockerfile::remove_flag`].
    RemoveFlag { index: usize, name: String },
    /// [`Dockerfile::add_mount`].
    AddMount { index: usize, mount: NewMount },
    /// [`Dockerfile::set_mount_option`].
    SetMountOption {
        index: usize,
        mount: usize,
        name: String,
        value: Option<String>,
    },
    /// [`Dockerfile::remove_mount_option`].
    RemoveMountOption {
        index: usize,
        mount: usize,
        name: String,
    },
    /// [`Dockerfile::remove_mount`].
    RemoveMount { index: usize, mount: usize },
    /// [`Dockerfile::set_value`].
    SetValue {
        index: usize,
        key: String,
        value: String,
    },
    /// [`Dockerfile::set_literal`].
    SetLiteral {
        index: usize,
        key: String,
        value: String,
    },
    /// [`Dockerfile::remove_value`].
    RemoveValue { index: usize, key: String },
    /// [`Dockerfile::set_image`].
    SetImage { index: usize, image: String },
    /// [`Dockerfile::set_tag`].
    SetTag { index: usize, tag: Option<String> },
    /// [`Dockerfile::set_digest`].
    SetDigest {
        index: usize,
        digest: Option<String>,
    },
    /// [`Dockerfile::set_stage_name`].
    SetStageName { index: usize, name: Option<String> },
    /// [`Dockerfile::set_arguments`].
    SetArguments { index: usize, content: String },
    /// [`Dockerfile::replace_span`].
    ReplaceSpan { span: Bytes, content: String },
}

/// Bytes of the text, from `start` up to `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bytes {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl Operation {
    /// Reads an operation from its JSON form.
    pub fn from_json(json: &str) -> Result<Self, OperationError> {
        // By way of a value, so that the message holds no place in a text that the caller never saw.
        let value: Value = serde_json::from_str(json)?;
        Ok(serde_json::from_value(value)?)
    }

    /// The changed text.
    pub fn apply(&self, text: &str) -> Result<String, OperationError> {
        let file = Dockerfile::parse(text);
        let changed = match self {
            Self::InsertBefore { index, lines } => file.insert_before(*index, lines),
            Self::InsertAfter { index, lines } => file.insert_after(*index, lines),
            Self::Append { lines } => file.append(lines),
            Self::Replace { index, lines } => file.replace(*index, lines),
            Self::Remove { index, comments } => file.remove(*index, *comments),
            Self::SetFlag { index, name, value } => file.set_flag(*index, name, value.as_deref()),
            Self::AddFlag { index, name, value } => file.add_flag(*index, name, value.as_deref()),
            Self::RemoveFlag { index, name } => file.remove_flag(*index, name),
            Self::AddMount { index, mount } => file.add_mount(*index, &mount.0),
            Self::SetMountOption {
                index,
                mount,
                name,
                value,
            } => file.set_mount_option(*index, *mount, name, value.as_deref()),
            Self::RemoveMountOption { index, mount, name } => {
                file.remove_mount_option(*index, *mount, name)
            }
            Self::RemoveMount { index, mount } => file.remove_mount(*index, *mount),
            Self::SetValue { index, key, value } => file.set_value(*index, key, value),
            Self::SetLiteral { index, key, value } => file.set_literal(*index, key, value),
            Self::RemoveValue { index, key } => file.remove_value(*index, key),
            Self::SetImage { index, image } => file.set_image(*index, image),
            Self::SetTag { index, tag } => file.set_tag(*index, tag.as_deref()),
            Self::SetDigest { index, digest } => file.set_digest(*index, digest.as_deref()),
            Self::SetStageName { index, name } => file.set_stage_name(*index, name.as_deref()),
            Self::SetArguments { index, content } => file.set_arguments(*index, content),
            Self::ReplaceSpan { span, content } => {
                file.replace_span(Span::new(span.start, span.end), content)
            }
        };
        Ok(changed?)
    }
}

/// The text after all changes, each made in the text that the one before it left; or the first that is refused.
pub fn apply(text: &str, operations: &[Operation]) -> Result<String, OperationError> {
    let mut text = text.to_owned();
    for operation in operations {
        text = operation.apply(&text)?;
    }
    Ok(text)
}
