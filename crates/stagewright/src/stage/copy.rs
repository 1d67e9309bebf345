//! Where COPY and ADD take their files from.

use stagewright_syntax::git::{GitRef, GitRefError};
use stagewright_syntax::instruction::SourceKind;
use stagewright_syntax::quote;

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
    /// The destination as it is written, after expansion.
    pub written_destination: String,
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
    Url {
        /// The address.
        address: String,
        /// What the file is called.
        name: String,
    },
    /// A git repository.
    Git {
        /// The reference as written.
        address: String,
        /// What it says.
        reference: Box<GitRef>,
    },
}

impl CopySource {
    /// What a source of ADD is, variables put in.
    fn of_add(source: &str) -> Result<Self, GitRefError> {
        Ok(match SourceKind::parse(source)? {
            SourceKind::Git(reference) => Self::Git {
                address: source.to_owned(),
                reference,
            },
            SourceKind::Http(download) => Self::Url {
                address: source.to_owned(),
                name: download.name,
            },
            _ => Self::Path(source.to_owned()),
        })
    }

    /// What a source of COPY or ADD is, variables put in, or why `BuildKit` refuses it (`dispatchCopy` in
    /// `dockerfile2llb/convert_copy.go` at v0.32.2).
    pub(super) fn read(source: &str, add: bool) -> Result<Self, String> {
        match Self::of_add(source).map_err(|error| error.to_string())? {
            Self::Git { .. } if !add => Err("source can't be a git ref for COPY".to_owned()),
            Self::Url { .. } if !add => Err("source can't be a URL for COPY".to_owned()),
            source => Ok(source),
        }
    }
}

impl CopyOp {
    /// The parameters of git references become the flags that they stand for; `--checksum` must fit what is added.
    pub(super) fn settle(&mut self) -> Result<(), String> {
        let remote =
            |source: &CopySource| matches!(source, CopySource::Url { .. } | CopySource::Git { .. });
        // Heredocs are no sources to this check.
        let mut checked = self
            .sources
            .iter()
            .filter(|source| !matches!(source, CopySource::Heredoc { .. }));
        if !self.checksum.is_empty() {
            match (checked.next(), checked.next()) {
                (Some(source), None) if remote(source) => {}
                (Some(_), None) => {
                    return Err("checksum requires HTTP(S) or Git sources".to_owned());
                }
                _ => return Err("checksum can't be specified for multiple sources".to_owned()),
            }
        }
        for source in &self.sources {
            let CopySource::Git { reference, .. } = source else {
                continue;
            };
            match (self.keep_git_dir, reference.keep_git_dir) {
                (Some(flag), Some(query)) if flag != query => {
                    return Err("inconsistent keep-git-dir configuration".to_owned());
                }
                (_, Some(query)) => self.keep_git_dir = Some(query),
                _ => {}
            }
            if let Some(checksum) = &reference.checksum {
                if !self.checksum.is_empty() && self.checksum != checksum.value {
                    let (flag, query) = (&self.checksum, &checksum.value);
                    let (flag, query) = (quote(flag), quote(query));
                    return Err(format!("checksum mismatch {flag} != {query}"));
                }
                self.checksum.clone_from(&checksum.value);
            }
        }
        Ok(())
    }
}

/// `--chmod`: octal up to 07777, or symbolic as `chmod(1)` has it (`github.com/tonistiigi/dchapes-mode`).
pub(super) fn check_mode(mode: &str) -> Result<(), String> {
    let octal = u32::from_str_radix(mode, 8)
        .ok()
        .filter(|_| !mode.starts_with('+'));
    if mode.is_empty() || octal.is_some_and(|mode| mode <= 0o7777) || is_symbolic(mode) {
        return Ok(());
    }
    if octal.is_some() || mode.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!(
            "invalid chmod parameter: '{mode}'. it should be octal string and between 0 and 07777"
        ));
    }
    Err("invalid syntax".to_owned())
}

/// Clauses with commas between them: whose bits, then operations with their permissions.
fn is_symbolic(mode: &str) -> bool {
    mode.split(',').all(|clause| {
        let operations = clause.trim_start_matches(['a', 'u', 'g', 'o']);
        operations.starts_with(['+', '-', '='])
            && operations.chars().all(|c| "+-=rwxXstugo".contains(c))
    })
}
