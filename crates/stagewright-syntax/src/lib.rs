//! Every Dockerfile `BuildKit` reads, read as `BuildKit` reads it.
//!
//! [`Dockerfile::parse`] never fails and loses nothing: `Dockerfile::parse(text).text() == text`. Instructions give typed
//! [views](View) with a [`Span`] for every part. What `BuildKit` would reject is in [`Dockerfile::errors`], with its message
//! and line, and the exact place. Texts change by [edits](edit), new ones are [written](mod@write).
//!
//! The rules are those of `frontend/dockerfile` in `BuildKit` v0.32.2; where a rule is surprising, the code names the file it
//! comes from.

mod buildkit;
mod check;
mod csv;
mod directive;
mod duration;
mod error;
mod file;
mod go;
mod heredoc;
mod json;
mod lex;
mod line;
mod logical;
mod parts;
mod suggest;
mod text;
mod url;
mod word;

pub mod edit;
pub mod expand;
pub mod format;
pub mod git;
pub mod image;
pub mod instruction;
pub mod shell;
pub mod write;

pub use buildkit::Verdict;
pub use check::{CheckOptions, CheckRules};
pub use directive::{Directive, Syntax, detect_check, detect_syntax};
pub use error::{ErrorKind, ReadError, SyntaxError};
pub use file::{Comment, Dockerfile, Instruction, MAX_ERRORS};
pub use go::quote;
pub use heredoc::Heredoc;
pub use instruction::{Command, Flag, Keyword, View};
pub use text::{LineIndex, Position, Span, Text};
