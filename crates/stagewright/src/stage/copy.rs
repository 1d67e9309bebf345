//! Where COPY and ADD take their files from.

use super::StageId;

/// A COPY or an ADD with everything expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CopyOp {
    /// Whether it is ADD.
    pub add: bool,
    /// Where the paths among its sources lie.
    pub from: From,
    /// The sources, in order.
    pub sources: Vec<CopySource>,
    /// The destination as an absolute path, with a slash at its end where one was written.
    pub destination: String,
    /// `--chown`, empty if absent.
    pub chown: String,
    /// `--chmod`, empty if absent.
    pub chmod: String,
    /// `--link`.
    pub link: bool,
    /// `--parents`.
    pub parents: bool,
    /// `--exclude`, in order.
    pub excludes: Vec<String>,
    /// `--checksum`, empty if absent.
    pub checksum: String,
    /// `--keep-git-dir`.
    pub keep_git_dir: Option<bool>,
    /// `--unpack`.
    pub unpack: Option<bool>,
}

/// Where paths lie.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum From {
    /// The build context.
    Context,
    /// A stage of the file.
    Stage(StageId),
    /// An image, as written.
    Image(String),
    /// A named context of the build.
    Named(String),
}

/// One source of a COPY or ADD.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CopySource {
    /// A path or pattern.
    Path(String),
    /// A file written in the Dockerfile.
    Heredoc {
        /// Its name.
        name: String,
        /// Its content, expanded.
        content: String,
    },
    /// A download.
    Url(String),
    /// A git repository.
    Git(String),
}

impl CopySource {
    /// What an ADD's source is: `BuildKit` asks for git first, then for HTTP, and takes the rest as a path.
    ///
    /// Rules: `convert_copy.go` (`dispatchCopy`) and `dfgitutil/git_ref.go` (`ParseGitRef`) at v0.32.2. An `http` address is a repository
    /// where its path ends in `.git`; a name such as `github.com/x/y` without a scheme is a local path.
    pub(crate) fn of_add(source: &str) -> Self {
        let lower = source.to_ascii_lowercase();
        let http = lower.starts_with("http://") || lower.starts_with("https://");
        if http {
            let path = source.split(['#', '?']).next().unwrap_or(source);
            if path.ends_with(".git") {
                return Self::Git(source.to_owned());
            }
            return Self::Url(source.to_owned());
        }
        let scp_like = source.split_once('@').is_some_and(|(user, rest)| {
            !user.is_empty() && !user.contains('/') && rest.contains(':')
        });
        if lower.starts_with("git://") || lower.starts_with("ssh://") || scp_like {
            return Self::Git(source.to_owned());
        }
        Self::Path(source.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_of_add() {
        let git = |s: &str| CopySource::Git(s.into());
        for source in [
            "https://example.com/x.git#v1:sub",
            "git@example.com:x/y.git",
            "ssh://git@example.com/x",
            "git://example.com/x",
        ] {
            assert_eq!(CopySource::of_add(source), git(source));
        }
        assert_eq!(
            CopySource::of_add("https://example.com/a.tgz"),
            CopySource::Url("https://example.com/a.tgz".into())
        );
        assert_eq!(
            CopySource::of_add("github.com/x/y"),
            CopySource::Path("github.com/x/y".into())
        );
    }
}
