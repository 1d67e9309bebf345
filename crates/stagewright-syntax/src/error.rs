//! What is wrong with a Dockerfile.

use crate::text::Span;
use std::fmt;

/// What kind of fault a [`SyntaxError`] is; [`code`](ErrorKind::code) is its stable name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The text is 4 GiB or longer; it was not read.
    FileTooLarge,
    /// A physical line is longer than 65,535 bytes.
    LineTooLong,
    /// The file has no instruction.
    NoInstructions,
    /// A parser directive is given twice.
    DuplicateDirective,
    /// `# escape=` names something other than a backslash or a backtick.
    InvalidEscape,
    /// The line that ends a heredoc is missing.
    UnterminatedHeredoc,
    /// The word after `<<` cannot be read.
    InvalidHeredoc,
    /// An element of a JSON array is no string.
    JsonNotStrings,
    /// A word of `ENV` or `LABEL` has no `=`.
    MissingEquals,
    /// `ENV name` or `LABEL name` without a value.
    MissingValue,
    /// No instruction has this name.
    UnknownInstruction,
    /// The instruction has no such flag.
    UnknownFlag,
    /// A flag is given twice.
    DuplicateFlag,
    /// A flag lacks its value.
    MissingFlagValue,
    /// A flag has a value that it cannot have.
    InvalidFlagValue,
    /// Too few or too many arguments.
    ArgumentCount,
    /// The name of a build stage has forbidden characters.
    InvalidStageName,
    /// A key of `ENV`, `LABEL` or `ARG` is empty.
    BlankName,
    /// The destination of `COPY` or `ADD` is a heredoc.
    HeredocDestination,
    /// `SHELL` without a JSON array.
    ShellNotJson,
    /// `HEALTHCHECK` is followed by something other than `CMD` or `NONE`, or by nothing to run.
    InvalidHealthcheck,
    /// `ONBUILD` is followed by an instruction that it cannot hold.
    InvalidTrigger,
    /// `VOLUME` names an empty path.
    BlankVolume,
    /// A `--mount` or `--device` value cannot be read.
    InvalidMount,
    /// An instruction stands before the first `FROM`.
    NoStage,
}

impl ErrorKind {
    /// Every kind, for documentation and tests.
    pub const ALL: &'static [Self] = &[
        Self::FileTooLarge,
        Self::LineTooLong,
        Self::NoInstructions,
        Self::DuplicateDirective,
        Self::InvalidEscape,
        Self::UnterminatedHeredoc,
        Self::InvalidHeredoc,
        Self::JsonNotStrings,
        Self::MissingEquals,
        Self::MissingValue,
        Self::UnknownInstruction,
        Self::UnknownFlag,
        Self::DuplicateFlag,
        Self::MissingFlagValue,
        Self::InvalidFlagValue,
        Self::ArgumentCount,
        Self::InvalidStageName,
        Self::BlankName,
        Self::HeredocDestination,
        Self::ShellNotJson,
        Self::InvalidHealthcheck,
        Self::InvalidTrigger,
        Self::BlankVolume,
        Self::InvalidMount,
        Self::NoStage,
    ];

    /// The stable name of the fault, in kebab case.
    pub const fn code(self) -> &'static str {
        match self {
            Self::FileTooLarge => "file-too-large",
            Self::LineTooLong => "line-too-long",
            Self::NoInstructions => "no-instructions",
            Self::DuplicateDirective => "duplicate-directive",
            Self::InvalidEscape => "invalid-escape",
            Self::UnterminatedHeredoc => "unterminated-heredoc",
            Self::InvalidHeredoc => "invalid-heredoc",
            Self::JsonNotStrings => "json-not-strings",
            Self::MissingEquals => "missing-equals",
            Self::MissingValue => "missing-value",
            Self::UnknownInstruction => "unknown-instruction",
            Self::UnknownFlag => "unknown-flag",
            Self::DuplicateFlag => "duplicate-flag",
            Self::MissingFlagValue => "missing-flag-value",
            Self::InvalidFlagValue => "invalid-flag-value",
            Self::ArgumentCount => "argument-count",
            Self::InvalidStageName => "invalid-stage-name",
            Self::BlankName => "blank-name",
            Self::HeredocDestination => "heredoc-destination",
            Self::ShellNotJson => "shell-not-json",
            Self::InvalidHealthcheck => "invalid-healthcheck",
            Self::InvalidTrigger => "invalid-trigger",
            Self::BlankVolume => "blank-volume",
            Self::InvalidMount => "invalid-mount",
            Self::NoStage => "no-stage",
        }
    }

    /// Whether `BuildKit` finds the fault while it splits the file into nodes (`parser.Parse`), before it looks at the
    /// meaning of any instruction (`instructions.Parse`). Of several faults it reports an early one first.
    pub(crate) const fn is_early(self) -> bool {
        matches!(
            self,
            Self::FileTooLarge
                | Self::LineTooLong
                | Self::NoInstructions
                | Self::DuplicateDirective
                | Self::InvalidEscape
                | Self::UnterminatedHeredoc
                | Self::InvalidHeredoc
                | Self::JsonNotStrings
                | Self::MissingEquals
                | Self::MissingValue
        )
    }
}

/// A fault in a Dockerfile: a value, not a failure, since the tree is complete all the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyntaxError {
    pub(crate) kind: ErrorKind,
    pub(crate) message: String,
    pub(crate) line: u32,
    pub(crate) span: Span,
}

impl SyntaxError {
    /// What kind of fault it is.
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The stable name of the fault, in kebab case.
    pub const fn code(&self) -> &'static str {
        self.kind.code()
    }

    /// `BuildKit`'s words, without the place: `unknown instruction: FORM (did you mean FROM?)`.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The line that `BuildKit` reports, from 1: the first line of the instruction. A faulty parser directive is reported
    /// at the line before it (0 for the first line), because `BuildKit` counts that way (`parser/parser.go`).
    pub const fn line(&self) -> u32 {
        self.line
    }

    /// Where exactly the fault stands.
    pub const fn span(&self) -> Span {
        self.span
    }

    /// The whole sentence that `BuildKit` prints: faults in the meaning of an instruction carry a prefix with the line,
    /// faults of splitting do not (`instructions/parse.go`).
    pub fn buildkit_message(&self) -> String {
        if self.kind.is_early() || self.kind == ErrorKind::NoStage {
            self.message.clone()
        } else {
            format!(
                "dockerfile parse error on line {}: {}",
                self.line, self.message
            )
        }
    }
}

impl fmt::Display for SyntaxError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SyntaxError {}

/// Why bytes could not be read as a Dockerfile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadError {
    /// The bytes are not UTF-8.
    NotUtf8 {
        /// Offset of the first byte that is no part of a UTF-8 sequence.
        offset: usize,
    },
}

impl ReadError {
    /// The stable name of the error, in kebab case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotUtf8 { .. } => "not-utf8",
        }
    }
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotUtf8 { offset } => write!(
                f,
                "the Dockerfile is not UTF-8: invalid byte at offset {offset}"
            ),
        }
    }
}

impl std::error::Error for ReadError {}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn codes_are_unique_and_kebab() {
        let codes: BTreeSet<_> = ErrorKind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), ErrorKind::ALL.len());
        for code in codes {
            assert!(
                code.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{code}"
            );
        }
    }
}
