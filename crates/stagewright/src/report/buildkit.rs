//! The answer of `parse --as buildkit`: what BuildKit's own parser says of a file, in the form of `tests/oracle`.

use serde::Serialize;
use stagewright_syntax::{Dockerfile, Verdict};

/// What BuildKit says of one file: `parser.Parse` (`frontend/dockerfile/parser/parser.go`), then `instructions.Parse`
/// (`frontend/dockerfile/instructions/parse.go`), at v0.32.2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BuildkitReport {
    /// Its path as it was given.
    pub file: String,
    /// Whether BuildKit accepts it.
    pub ok: bool,
    /// BuildKit's whole message, where it does not.
    pub error: Option<String>,
    /// The line that BuildKit reports with it, from 1; 0 where it counts one too few.
    pub line: Option<u32>,
    /// The tree as `parser.Node.Dump` prints it, also where a later step rejects the file; nothing where the parser gives none.
    pub dump: Option<String>,
}

impl BuildkitReport {
    /// The report of a file, under this name.
    pub fn new(name: impl Into<String>, file: &Dockerfile<'_>) -> Self {
        let (ok, error, line) = match file.buildkit_verdict() {
            Verdict::Accepted => (true, None, None),
            Verdict::Rejected { message, line } => (false, Some(message), Some(line)),
        };
        Self {
            file: name.into(),
            ok,
            error,
            line,
            dump: file.buildkit_dump(),
        }
    }

    /// The report as one line of JSON, with a line break at its end.
    pub fn to_json_line(&self) -> String {
        let mut line =
            serde_json::to_string(self).expect("reports are plain data with string keys");
        line.push('\n');
        line
    }
}
