//! Why a change of a Dockerfile is refused.

use crate::instruction::Keyword;
use crate::text::Span;
use std::fmt;

/// Why an edit is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EditError {
    /// It touches bytes that an earlier edit replaces.
    Overlap {
        /// The earlier edit.
        earlier: Span,
        /// The edit that is refused.
        later: Span,
    },
    /// The new value cannot be written in this place.
    Unwritable {
        /// The value.
        value: String,
    },
    /// The file has no instruction of this number.
    NoInstruction {
        /// The number that was asked for, from 0.
        index: usize,
        /// How many there are.
        count: usize,
    },
    /// The bytes are no part of one instruction.
    NoSpan {
        /// The bytes.
        span: Span,
    },
    /// The instruction has no such part.
    NoPart {
        /// The line of the instruction, from 1.
        line: u32,
        /// What it does not have: ``flag `--link` ``.
        part: String,
    },
    /// The instruction is of a kind that cannot have such a part.
    WrongInstruction {
        /// The line of the instruction, from 1.
        line: u32,
        /// The instruction.
        keyword: Keyword,
        /// What it cannot have: `mounts`.
        part: &'static str,
    },
    /// `BuildKit` would reject the instruction.
    Invalid {
        /// The instruction as it would be.
        text: String,
        /// `BuildKit`'s message.
        message: String,
    },
    /// The new text would be read back as something other than what was meant: a heredoc that never ends, a line that
    /// becomes part of the instruction before it.
    NotAsMeant {
        /// The line, from 1, of the first instruction that would differ; or the last line.
        line: u32,
    },
}

impl EditError {
    /// The stable name of the error, in kebab case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Overlap { .. } => "edits-overlap",
            Self::Unwritable { .. } => "value-unwritable",
            Self::NoInstruction { .. } => "no-such-instruction",
            Self::NoSpan { .. } => "no-such-span",
            Self::NoPart { .. } => "no-such-part",
            Self::WrongInstruction { .. } => "wrong-instruction",
            Self::Invalid { .. } => "instruction-invalid",
            Self::NotAsMeant { .. } => "not-as-meant",
        }
    }
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overlap { earlier, later } => write!(
                f,
                "the edit of bytes {}..{} overlaps the edit of bytes {}..{}",
                later.start, later.end, earlier.start, earlier.end
            ),
            Self::Unwritable { value } => {
                write!(f, "`{}` cannot be written here", value.escape_debug())
            }
            Self::NoInstruction { index, count } => {
                write!(
                    f,
                    "there is no instruction {index}: the file has {count}, counted from 0"
                )
            }
            Self::NoSpan { span } => write!(
                f,
                "bytes {}..{} are no part of one instruction",
                span.start, span.end
            ),
            Self::NoPart { line, part } => {
                write!(f, "the instruction on line {line} has no {part}")
            }
            Self::WrongInstruction {
                line,
                keyword,
                part,
            } => write!(f, "`{}` on line {line} has no {part}", keyword.as_str()),
            Self::Invalid { text, message } => {
                write!(f, "`{}` would be rejected: {message}", text.escape_debug())
            }
            Self::NotAsMeant { line } => write!(
                f,
                "line {line} of the new text would not be read as it is meant"
            ),
        }
    }
}

impl std::error::Error for EditError {}
