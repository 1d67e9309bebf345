//! What is wrong with a Dockerfile or its project.

use serde::Serialize;
use serde::ser::SerializeStruct as _;
use stagewright_syntax::Span;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The build fails, or cannot be understood.
    Error,
    /// The build works, and does something its author would not want.
    Warning,
    /// Worth knowing: what an estimate does not cover, for example.
    Note,
}

impl Severity {
    /// The word used in all three languages: `error`, `warning`, `note`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        }
    }
}

/// A fault in the user's files, as a value: it never stops the analysis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// A stable name in kebab-case, for example `unknown-base`.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// The file the finding is in, relative to the context; empty for the Dockerfile.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub file: String,
    /// The line in that file, 1-based; 0 if it concerns the whole file.
    pub line: u32,
    /// The column, 1-based, in Unicode scalar values; 0 where only the line is known.
    pub column: u32,
    /// The bytes of the file it is about.
    #[serde(serialize_with = "span")]
    pub span: Span,
    /// One sentence.
    pub message: String,
}

impl Finding {
    /// A finding in the Dockerfile; line and column are filled in by [`crate::Analysis`].
    pub(crate) fn new(
        code: &'static str,
        severity: Severity,
        span: Span,
        message: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity,
            file: String::new(),
            line: 0,
            column: 0,
            span,
            message: message.into(),
        }
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn span<S: serde::Serializer>(span: &Span, serializer: S) -> Result<S::Ok, S::Error> {
    let mut map = serializer.serialize_struct("Span", 2)?;
    map.serialize_field("start", &span.start)?;
    map.serialize_field("end", &span.end)?;
    map.end()
}
