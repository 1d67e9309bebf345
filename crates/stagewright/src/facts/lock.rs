//! What all lock files have in common: why one cannot be read, and how much of one is read.

/// Why a lock file cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LockError {
    /// The file is not of the shape of a lock file.
    #[error("the lock file cannot be read: {reason}")]
    Malformed {
        /// What is wrong, with its place where one is known.
        reason: String,
    },
    /// Nobody knows what another version means.
    #[error("lock file version {version} is not supported: {supported}")]
    UnknownVersion {
        /// The version found; `none` where it says none.
        version: String,
        /// The versions that are.
        supported: &'static str,
    },
}

impl LockError {
    /// The stable code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Malformed { .. } => "malformed-lock-file",
            Self::UnknownVersion { .. } => "unknown-lock-file-version",
        }
    }

    pub(crate) fn malformed(reason: impl std::fmt::Display) -> Self {
        // Readers quote lines: one sentence is enough.
        let reason = reason.to_string();
        let first = reason.lines().find(|line| !line.trim().is_empty());
        Self::Malformed {
            reason: first.unwrap_or_default().chars().take(200).collect(),
        }
    }

    pub(crate) fn version(found: impl std::fmt::Display, supported: &'static str) -> Self {
        let version: String = found.to_string().chars().take(40).collect();
        Self::UnknownVersion {
            version: if version.is_empty() {
                "none".into()
            } else {
                version
            },
            supported,
        }
    }
}

/// Bytes of the largest lock file that is read; real ones reach a few megabytes.
pub(crate) const LARGEST: usize = 64 << 20;

/// Refuses what no tool writes.
pub(crate) fn bounded(text: &str) -> Result<&str, LockError> {
    if text.len() > LARGEST {
        return Err(LockError::malformed("it is larger than 64 MiB"));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}
