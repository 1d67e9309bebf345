//! What can be wrong with a build context.

/// Why a build context cannot be read or used. The message names the path.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ContextError {
    /// The folder does not exist.
    #[error("the build context `{path}` does not exist")]
    Missing {
        /// The folder as it was given.
        path: String,
    },
    /// Something other than a folder stands there.
    #[error("the build context `{path}` is not a folder")]
    NotAFolder {
        /// The path as it was given.
        path: String,
    },
    /// A file or folder that belongs to the context cannot be read.
    #[error("`{path}` cannot be read")]
    Unreadable {
        /// The path within the context, or the context itself.
        path: String,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// A name is not UTF-8; BuildKit cannot send it either.
    #[error("the name of `{path}` is not UTF-8")]
    NameNotUtf8 {
        /// The path with a replacement character for each wrong byte.
        path: String,
    },
    /// A file changed while it was read.
    #[error("`{path}` changed while it was read")]
    Changed {
        /// The path within the context.
        path: String,
    },
    /// Folders lie within one another deeper than any project needs.
    #[error("`{path}` lies in more than {most} folders")]
    TooDeep {
        /// The beginning of the path.
        path: String,
        /// How many folders are allowed.
        most: usize,
    },
    /// The ignore file holds a pattern that BuildKit rejects; the build would fail.
    #[error("`{file}` holds the pattern `{pattern}`, which BuildKit rejects")]
    BadIgnorePattern {
        /// The ignore file.
        file: String,
        /// The pattern.
        pattern: String,
    },
    /// A line of the ignore file is longer than BuildKit reads (65,535 bytes); the build would fail.
    #[error("line {line} of `{file}` is longer than the 65535 bytes that BuildKit reads")]
    IgnoreLineTooLong {
        /// The ignore file.
        file: String,
        /// The line, counted from 1.
        line: usize,
    },
    /// A pattern of a COPY or ADD is malformed; the build would fail.
    #[error("the pattern `{pattern}` is malformed")]
    BadPattern {
        /// The pattern as it was given.
        pattern: String,
    },
    /// A source of a COPY, ADD or bind mount is not in the context; the build would fail.
    #[error("`{path}` is not in the build context")]
    MissingSource {
        /// The source.
        path: String,
    },
    /// Symbolic links lead to one another without end.
    #[error("too many symbolic links on the way to `{path}`")]
    TooManyLinks {
        /// The path that was looked for.
        path: String,
    },
}

impl ContextError {
    /// An error where a path names too many folders.
    pub(crate) fn check_depth(path: &str) -> Result<(), Self> {
        if super::path::depth(path) <= super::DEEPEST {
            return Ok(());
        }
        Err(Self::TooDeep {
            path: path.chars().take(80).collect(),
            most: super::DEEPEST,
        })
    }

    /// A stable name for the kind of error, for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "context-missing",
            Self::NotAFolder { .. } => "context-not-a-folder",
            Self::Unreadable { .. } => "context-unreadable",
            Self::NameNotUtf8 { .. } => "context-name-not-utf8",
            Self::Changed { .. } => "context-changed",
            Self::TooDeep { .. } => "context-too-deep",
            Self::BadIgnorePattern { .. } => "ignore-bad-pattern",
            Self::IgnoreLineTooLong { .. } => "ignore-line-too-long",
            Self::BadPattern { .. } => "source-bad-pattern",
            Self::MissingSource { .. } => "source-missing",
            Self::TooManyLinks { .. } => "source-too-many-links",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique() {
        let path = String::new;
        let io = || std::io::Error::other("");
        let errors = [
            ContextError::Missing { path: path() },
            ContextError::NotAFolder { path: path() },
            ContextError::Unreadable {
                path: path(),
                source: io(),
            },
            ContextError::NameNotUtf8 { path: path() },
            ContextError::Changed { path: path() },
            ContextError::TooDeep {
                path: path(),
                most: 1,
            },
            ContextError::BadIgnorePattern {
                file: path(),
                pattern: path(),
            },
            ContextError::IgnoreLineTooLong {
                file: path(),
                line: 1,
            },
            ContextError::BadPattern { pattern: path() },
            ContextError::MissingSource { path: path() },
            ContextError::TooManyLinks { path: path() },
        ];
        let codes: std::collections::BTreeSet<_> = errors.iter().map(ContextError::code).collect();
        assert_eq!(codes.len(), errors.len());
    }
}
