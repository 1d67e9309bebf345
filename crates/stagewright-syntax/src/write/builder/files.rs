//! Builders for `COPY` and `ADD`.

use super::{finish, one, switch};
use crate::edit::EditError;
use crate::instruction::{Source, View};
use crate::write::{Print, flag, json_array};

/// What `COPY` and `ADD` have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Files {
    sources: Vec<String>,
    destination: String,
    chown: Option<String>,
    chmod: Option<String>,
    link: bool,
    excludes: Vec<String>,
}

impl Files {
    fn new<S: Into<String>>(
        sources: impl IntoIterator<Item = S>,
        destination: impl Into<String>,
    ) -> Self {
        Self {
            sources: sources.into_iter().map(Into::into).collect(),
            destination: destination.into(),
            ..Self::default()
        }
    }

    fn flags(&self, escape: char) -> Vec<Result<String, EditError>> {
        one("chown", self.chown.as_ref(), escape)
            .chain(one("chmod", self.chmod.as_ref(), escape))
            .chain(switch("link", self.link))
            .chain(
                self.excludes
                    .iter()
                    .map(|pattern| flag("exclude", Some(pattern), escape)),
            )
            .collect()
    }

    fn words(&self) -> Vec<&String> {
        self.sources.iter().chain([&self.destination]).collect()
    }

    fn arguments(&self) -> String {
        let words = self.words();
        let unusual = |word: &&String| word.is_empty() || word.contains(crate::go::is_space);
        if words.iter().any(unusual) || words[0].starts_with('[') {
            json_array(words)
        } else {
            words
                .into_iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .join(" ")
        }
    }

    fn is_same(&self, sources: &[Source<'_>], destination: &str) -> bool {
        sources.iter().all(|source| source.heredoc.is_none())
            && sources
                .iter()
                .map(|source| &*source.text)
                .eq(self.sources.iter().map(String::as_str))
            && destination == self.destination
    }
}

macro_rules! file_flags {
    ($name:ident) => {
        impl $name {
            /// Files to take, and where they go.
            pub fn files<S: Into<String>>(
                sources: impl IntoIterator<Item = S>,
                destination: impl Into<String>,
            ) -> Self {
                Self {
                    files: Files::new(sources, destination),
                    ..Self::default()
                }
            }

            /// Sets `--chown`.
            #[must_use]
            pub fn chown(mut self, owner: impl Into<String>) -> Self {
                self.files.chown = Some(owner.into());
                self
            }

            /// Sets `--chmod`.
            #[must_use]
            pub fn chmod(mut self, mode: impl Into<String>) -> Self {
                self.files.chmod = Some(mode.into());
                self
            }

            /// Sets `--link`.
            #[must_use]
            pub fn link(mut self) -> Self {
                self.files.link = true;
                self
            }

            /// Adds an `--exclude`.
            #[must_use]
            pub fn exclude(mut self, pattern: impl Into<String>) -> Self {
                self.files.excludes.push(pattern.into());
                self
            }
        }
    };
}

/// `COPY`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Copy {
    files: Files,
    from: Option<String>,
    parents: bool,
}

file_flags!(Copy);

impl Copy {
    /// Sets the stage or image that the files come from.
    #[must_use]
    pub fn from(mut self, from: impl Into<String>) -> Self {
        self.from = Some(from.into());
        self
    }

    /// Sets `--parents`.
    #[must_use]
    pub fn parents(mut self) -> Self {
        self.parents = true;
        self
    }
}

impl Print for Copy {
    fn print(&self, escape: char) -> Result<String, EditError> {
        let flags: Vec<_> = one("from", self.from.as_ref(), escape)
            .chain(self.files.flags(escape))
            .chain(switch("parents", self.parents))
            .collect();
        finish(
            "COPY",
            &flags,
            &self.files.arguments(),
            escape,
            |view| match view {
                View::Copy(copy) => self.files.is_same(&copy.sources, &copy.destination),
                _ => false,
            },
        )
    }
}

/// `ADD`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Add {
    files: Files,
    checksum: Option<String>,
    keep_git_dir: bool,
    unpack: Option<bool>,
}

file_flags!(Add);

impl Add {
    /// Sets `--checksum`.
    #[must_use]
    pub fn checksum(mut self, digest: impl Into<String>) -> Self {
        self.checksum = Some(digest.into());
        self
    }

    /// Sets `--keep-git-dir`.
    #[must_use]
    pub fn keep_git_dir(mut self) -> Self {
        self.keep_git_dir = true;
        self
    }

    /// Sets `--unpack`.
    #[must_use]
    pub fn unpack(mut self, unpack: bool) -> Self {
        self.unpack = Some(unpack);
        self
    }
}

impl Print for Add {
    fn print(&self, escape: char) -> Result<String, EditError> {
        let flags: Vec<_> = self
            .files
            .flags(escape)
            .into_iter()
            .chain(one("checksum", self.checksum.as_ref(), escape))
            .chain(switch("keep-git-dir", self.keep_git_dir))
            .chain(self.unpack.map(|unpack| Ok(format!("--unpack={unpack}"))))
            .collect();
        finish(
            "ADD",
            &flags,
            &self.files.arguments(),
            escape,
            |view| match view {
                View::Add(add) => self.files.is_same(&add.sources, &add.destination),
                _ => false,
            },
        )
    }
}
