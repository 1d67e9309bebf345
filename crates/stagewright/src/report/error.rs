//! A wrong call, as it is said in all languages: a stable code and one sentence.

use std::error::Error;

use serde::Serialize;

use super::SCHEMA;
use crate::analysis::AnalysisError;
use crate::cache::ExpectationError;
use crate::config::ConfigError;
use crate::context::ContextError;
use crate::duration::DurationError;
use crate::edit::OperationError;
use crate::history::HistoryError;
use crate::measure::MeasureError;
use crate::options::OptionsError;
use crate::outside::{AnalyzeError, FilesError, GitError};
use crate::project::ProjectError;
use crate::snapshot::SnapshotError;
use crate::trace::TraceError;

/// An error with a stable name: `error.code()`, in Python `exc.code`, in Node `err.code`, from the command `error[code]`.
///
/// | code | what is wrong |
/// | --- | --- |
/// | `path-missing` | nothing stands at the path |
/// | `dockerfile-missing` | the folder holds no Dockerfile |
/// | `dockerfile-is-folder` | a folder stands in the place of the Dockerfile |
/// | `dockerfile-unreadable` | the Dockerfile cannot be read |
/// | `not-utf8` | the Dockerfile is not UTF-8; the message says the offset |
/// | `file-unreadable` | a snapshot, a trace or another file of data cannot be read |
/// | `file-unwritable` | a file cannot be written; the one before stands as it was |
/// | `file-exists` | a file that would be made is there already |
/// | `context-missing` | the folder of the context does not exist |
/// | `context-not-a-folder` | the context is something other than a folder |
/// | `context-unreadable` | a file of the context cannot be read |
/// | `context-name-not-utf8` | a name in the context is not UTF-8, which `BuildKit` cannot send |
/// | `context-changed` | a file changed while it was read |
/// | `context-too-deep` | folders lie too deep within one another |
/// | `ignore-bad-pattern` | the ignore file holds a pattern that `BuildKit` rejects |
/// | `ignore-line-too-long` | a line of the ignore file is longer than `BuildKit` reads |
/// | `source-bad-pattern` | a pattern of a COPY or ADD is malformed |
/// | `source-missing` | a source of a COPY, ADD or bind mount is not in the context |
/// | `source-too-many-links` | symbolic links lead to one another without end |
/// | `no-stages` | the Dockerfile has no stage to build |
/// | `unknown-target` | no stage has the name |
/// | `unknown-pass` | no pass has the name |
/// | `unknown-objective` | no objective has the name |
/// | `unknown-applicability` | no applicability has the name |
/// | `unknown-platform` | no platform has the name |
/// | `bad-date` | a word is no date of the form YYYY-MM-DD |
/// | `bad-build-arg` | a word is no build argument of the form NAME=VALUE |
/// | `bad-base` | a word is no base image of the form NAME=DIGEST |
/// | `unknown-builder` | no builder has the name |
/// | `unknown-network` | no network of a build has the name |
/// | `bad-host` | a word is no host of the form NAME=IP |
/// | `bad-size` | a word is no size |
/// | `bad-ulimit` | a word is no limit of the form `NAME=SOFT[:HARD]` |
/// | `unknown-export` | no way to export a cache has the name |
/// | `bad-weight` | the weight of an objective is no number above zero |
/// | `bad-threshold` | a threshold is not from 0 to 1 |
/// | `bad-since` | a word is no day and no number of days or weeks |
/// | `snapshot-version` | a snapshot was written in the form of another version |
/// | `bad-snapshot` | a snapshot is none, or damaged; the message says where |
/// | `snapshot-unread` | a file that a step reads was not read for its digest |
/// | `git-missing` | the program `git` is not there |
/// | `git-no-repository` | the folder is in no git repository |
/// | `git-bad-revision` | nothing in the repository is called so |
/// | `git-path-missing` | the revision has no such folder or Dockerfile |
/// | `git-not-utf8` | the Dockerfile of the revision is not UTF-8 |
/// | `git-failed` | git failed; the message says what it says |
/// | `no-history` | there is no commit to learn from |
/// | `bad-history` | a list of commits is none; the message says where |
/// | `bad-durations` | durations of steps are none; the message says where |
/// | `bad-seconds` | a step cannot take so many seconds |
/// | `bad-trace` | a line of a trace is damaged |
/// | `no-trace` | no line of a file is what BuildKit writes |
/// | `unknown-step` | words pick no step |
/// | `step-reruns` | a step that should be cached runs again |
/// | `step-unknown` | whether a step runs again is not known |
/// | `step-cached` | a step that should run again is cached |
/// | `no-recipe` | no recipe fits the project |
/// | `lock-conflict` | files that list packages contradict each other about the package manager |
/// | `bad-manifest` | a file that says what the project is cannot be read |
/// | `several-applications` | several packages of a repository could be the application |
/// | `no-command` | nothing says how the application starts |
/// | `bad-edit` | an edit, a new instruction or a mount has not the form of one |
/// | `no-such-instruction` | the file has no instruction of the number |
/// | `no-such-span` | the bytes are no part of one instruction |
/// | `no-such-part` | the instruction has no such flag, mount, key, tag or name |
/// | `wrong-instruction` | the instruction is of a kind that has no such parts |
/// | `value-unwritable` | a value cannot be written in its place |
/// | `instruction-invalid` | `BuildKit` would reject the new instruction |
/// | `not-as-meant` | the new text would be read as something else |
/// | `edits-overlap` | two edits touch the same bytes |
/// | `unwritable` | a value cannot be written in a Dockerfile |
/// | `image-missing` | nothing stands at the path of an image |
/// | `image-unreadable` | an image cannot be read |
/// | `no-image` | a file or a folder is neither an archive of `docker save` nor an OCI layout |
/// | `image-truncated` | an archive or a layer ends too early |
/// | `image-bad-tar` | an entry of an archive or a layer makes no sense |
/// | `image-bad-compression` | a layer cannot be decompressed |
/// | `image-bad-manifest` | a manifest, an index or a configuration makes no sense |
/// | `image-blob-missing` | the image names what is not in it |
/// | `image-digest-mismatch` | bytes are not those that the image promises |
/// | `image-outside` | a name or a link leads out of the image |
/// | `image-too-large` | the image goes beyond a limit; the message names it |
/// | `several-images` | the archive holds several images, and none was named |
/// | `unknown-image` | no image of the archive has the name |
/// | `no-platform` | the image is not there for the platform |
/// | `config-syntax` | the `stagewright.toml` is no TOML |
/// | `config-unknown-key` | the `stagewright.toml` has a key that nobody knows |
/// | `config-bad-value` | a value of the `stagewright.toml` is not of the kind that its key takes |
/// | `config-missing-key` | a measured base of the `stagewright.toml` has no size |
/// | `no-image-name` | an image is learned that has no name |
/// | `bad-report` | a saved report is no answer of `size` |
/// | `online-unconfigured` | no package index or registry is configured for what has to be asked |
/// | `online-bad-address` | an address cannot be asked |
/// | `online-unreachable` | a host cannot be reached, or the connection breaks |
/// | `online-timeout` | a host does not answer in time |
/// | `online-deadline` | all questions together take too long |
/// | `online-not-found` | a host does not have what was asked for |
/// | `online-status` | a host refuses or fails |
/// | `online-redirects` | a host leads elsewhere without end, or where it must not lead |
/// | `online-too-large` | an answer is larger than is allowed |
/// | `online-nonsense` | an answer is not what it must be |
/// | `online-none-fits` | a host has no version or file that fits |
/// | `online-cache-unwritable` | the folder of the cache cannot be written |
/// | `image-unsupported` | a layer is encrypted, or a digest is no SHA-256 |
///
/// The command has three of its own: `usage` (its arguments cannot be understood), `several-files` (only `parse --as` reads more than
/// one) and `output-unwritable` (its answer cannot be printed).
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
    ConfigError,
    AnalyzeError,
    ContextError,
    DurationError,
    ExpectationError,
    FilesError,
    MeasureError,
    GitError,
    HistoryError,
    OperationError,
    OptionsError,
    ProjectError,
    SnapshotError,
    TraceError
);
#[cfg(feature = "online")]
coded!(crate::outside::online::OnlineError);

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
