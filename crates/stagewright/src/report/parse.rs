//! The answer of `parse`: what stands where.

use serde::Serialize;
use stagewright_syntax::{Dockerfile, Instruction, Span};

use super::SCHEMA;
use super::view::InstructionView;

/// Bytes of the text, from `start` up to `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Range {
    /// The first byte.
    pub start: u32,
    /// The byte after the last.
    pub end: u32,
}

impl From<Span> for Range {
    fn from(span: Span) -> Self {
        Self {
            start: span.start,
            end: span.end,
        }
    }
}

/// The answer of `parse`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ParseReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The escape character.
    pub escape: char,
    /// Parser directives, in order.
    pub directives: Vec<ParsedDirective>,
    /// Instructions, in order.
    pub instructions: Vec<ViewedInstruction>,
    /// What `BuildKit` would reject.
    pub errors: Vec<ParsedError>,
}

/// An instruction with its parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ViewedInstruction {
    /// What it is and where it stands.
    #[serde(flatten)]
    pub instruction: ParsedInstruction,
    /// Its parts.
    pub view: InstructionView,
}

/// A parser directive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ParsedDirective {
    /// Its name in lower case.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// An instruction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ParsedInstruction {
    /// Its name in upper case; as written where no instruction has it.
    pub keyword: String,
    /// The first line, 1-based.
    pub line: u32,
    /// The last line, 1-based.
    pub end_line: u32,
    /// Its bytes.
    pub span: Range,
    /// Its flags, in order.
    pub flags: Vec<ParsedFlag>,
    /// The instruction as one line: continuations joined, comments gone.
    pub text: String,
    /// Its here-documents, in order.
    pub heredocs: Vec<ParsedHeredoc>,
}

/// A flag.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ParsedFlag {
    /// Its name.
    pub name: String,
    /// Its value; nothing for a bare flag.
    pub value: Option<String>,
    /// Its bytes.
    pub span: Range,
}

/// A here-document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ParsedHeredoc {
    /// Its name.
    pub name: String,
    /// Its body.
    pub content: String,
    /// Whether variables in it are expanded.
    pub expand: bool,
    /// From the first line of its body to the end of the line that ends it.
    pub span: Range,
}

/// What `BuildKit` would reject.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ParsedError {
    /// A stable name in kebab-case.
    pub code: &'static str,
    /// `BuildKit`'s message.
    pub message: String,
    /// The line, 1-based.
    pub line: u32,
    /// The column, 1-based, in Unicode scalar values.
    pub column: u32,
    /// The bytes at fault.
    pub span: Range,
}

impl ParseReport {
    /// The report of a file.
    pub fn new(file: &Dockerfile<'_>) -> Self {
        Self {
            schema: SCHEMA,
            escape: file.escape(),
            directives: ParsedDirective::all(file),
            instructions: file
                .instructions()
                .map(|instruction| ViewedInstruction {
                    instruction: ParsedInstruction::new(&instruction),
                    view: InstructionView::new(&instruction),
                })
                .collect(),
            errors: ParsedError::all(file),
        }
    }
}

impl ParsedDirective {
    /// The directives of a file, in order.
    pub fn all(file: &Dockerfile<'_>) -> Vec<Self> {
        let directives = file.directives().iter();
        directives
            .map(|directive| Self {
                name: directive.name.to_lowercase(),
                value: directive.value.to_string(),
            })
            .collect()
    }
}

impl ParsedInstruction {
    /// The instructions of a file, in order.
    pub fn all(file: &Dockerfile<'_>) -> Vec<Self> {
        file.instructions()
            .map(|instruction| Self::new(&instruction))
            .collect()
    }

    fn new(instruction: &Instruction<'_>) -> Self {
        let (line, end_line) = instruction.lines();
        let name = instruction.keyword().as_str();
        Self {
            keyword: if name.is_empty() {
                instruction.keyword_text().to_string()
            } else {
                name.to_owned()
            },
            line,
            end_line,
            span: instruction.span().into(),
            flags: instruction
                .flags()
                .into_iter()
                .map(|flag| ParsedFlag {
                    name: flag.name.to_string(),
                    value: flag.value.as_ref().map(ToString::to_string),
                    span: flag.span.into(),
                })
                .collect(),
            text: instruction.original().into_owned(),
            heredocs: instruction
                .heredocs()
                .into_iter()
                .map(|heredoc| ParsedHeredoc {
                    name: heredoc.name.to_string(),
                    content: heredoc.content.to_string(),
                    expand: heredoc.expand,
                    span: heredoc.span.into(),
                })
                .collect(),
        }
    }
}

impl ParsedError {
    /// The errors of a file, sorted by place.
    pub fn all(file: &Dockerfile<'_>) -> Vec<Self> {
        let lines = file.line_index();
        let errors = file.errors().iter().map(|error| {
            let position = lines.position(error.span().start);
            Self {
                code: error.code(),
                message: error.message().to_owned(),
                line: position.line,
                column: position.column,
                span: error.span().into(),
            }
        });
        errors.collect()
    }
}
