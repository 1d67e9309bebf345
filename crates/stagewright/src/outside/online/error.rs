//! Why something could not be asked or was not answered.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use thiserror::Error;

/// Why something could not be asked or was not answered. Addresses are shown without names and passwords of users.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum OnlineError {
    /// No index or registry is configured for what has to be asked.
    #[error("no {what} is configured: name one with {how}")]
    Unconfigured {
        /// What is missing.
        what: &'static str,
        /// The options and variables that name one.
        how: &'static str,
    },
    /// An address cannot be asked.
    #[error("`{address}` is no address that can be asked: {why}")]
    BadAddress {
        /// The address.
        address: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The host cannot be reached, or the connection breaks.
    #[error("`{host}` cannot be reached: {why}")]
    Unreachable {
        /// The host.
        host: String,
        /// What the connection says.
        why: String,
    },
    /// The answer takes too long.
    #[error("`{host}` did not answer within {seconds} s")]
    Timeout {
        /// The host.
        host: String,
        /// The limit that was reached, in seconds.
        seconds: u64,
    },
    /// The whole call takes too long.
    #[error("there was no time left for `{host}`: all questions together took {seconds} s")]
    Deadline {
        /// The host that was to be asked next.
        host: String,
        /// The limit, in seconds.
        seconds: u64,
    },
    /// The host does not have it.
    #[error("`{host}` does not have {what}")]
    NotFound {
        /// The host.
        host: String,
        /// What was asked for.
        what: String,
    },
    /// The host refuses or fails.
    #[error("`{host}` answers the question for {what} with status {status}")]
    Status {
        /// The host.
        host: String,
        /// What was asked for.
        what: String,
        /// The status of the answer.
        status: u16,
    },
    /// The answer leads elsewhere without end, or where it must not lead.
    #[error("`{host}` leads elsewhere {why}")]
    Redirects {
        /// The host that was asked first.
        host: String,
        /// How.
        why: &'static str,
    },
    /// The answer is larger than is allowed.
    #[error("{what} has more than {most} bytes, the most that is read")]
    TooLarge {
        /// What was asked for.
        what: String,
        /// The limit, in bytes.
        most: u64,
    },
    /// The answer is not what it must be.
    #[error("{what} as `{host}` has it makes no sense: {why}")]
    Nonsense {
        /// The host.
        host: String,
        /// What was asked for.
        what: String,
        /// What is wrong.
        why: String,
    },
    /// No file or version fits.
    #[error("`{host}` has no {what} that fits")]
    NoneFits {
        /// The host.
        host: String,
        /// What was asked for.
        what: String,
    },
    /// The folder of the cache cannot be made or written.
    #[error("the cache `{}` cannot be written", path.display())]
    Cache {
        /// The folder.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: Arc<io::Error>,
    },
}

impl OnlineError {
    /// A stable name in kebab-case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Unconfigured { .. } => "online-unconfigured",
            Self::BadAddress { .. } => "online-bad-address",
            Self::Unreachable { .. } => "online-unreachable",
            Self::Timeout { .. } => "online-timeout",
            Self::Deadline { .. } => "online-deadline",
            Self::NotFound { .. } => "online-not-found",
            Self::Status { .. } => "online-status",
            Self::Redirects { .. } => "online-redirects",
            Self::TooLarge { .. } => "online-too-large",
            Self::Nonsense { .. } => "online-nonsense",
            Self::NoneFits { .. } => "online-none-fits",
            Self::Cache { .. } => "online-cache-unwritable",
        }
    }

    /// The host that does not answer, so that asking it for something else is in vain.
    pub(super) fn silent_host(&self) -> Option<&str> {
        match self {
            Self::Unreachable { host, .. } | Self::Timeout { host, .. } => Some(host),
            _ => None,
        }
    }
}
