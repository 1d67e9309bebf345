//! A difference between two builds of one project.

/// What is different in the next build: files, build arguments, base images, the Dockerfile itself.
///
/// ```
/// use stagewright::Change;
///
/// let change = Change::files(["src/main.py"]).build_arg("VERSION", "2");
/// assert_eq!(change.file_changes().len(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    files: Vec<(String, FileChange)>,
    build_args: Vec<(String, Option<String>)>,
    bases: Vec<(String, Option<String>)>,
    downloads: Vec<(String, String)>,
    dockerfile: Option<String>,
}

/// What happens to one path of the build context.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileChange {
    /// The content is another one, of whatever kind; a folder stands for every file in it. What is not there yet is added.
    Edited,
    /// The file holds these bytes now. Its mode stays, or is 0644 for a new file.
    Written(Vec<u8>),
    /// The permissions are these now (12 bits, as `chmod` takes them).
    Mode(u32),
    /// The file or folder is gone.
    Removed,
}

impl Change {
    /// No difference at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// The contents of these files, or of every file in these folders, are different.
    pub fn files<P: Into<String>>(paths: impl IntoIterator<Item = P>) -> Self {
        Self {
            files: paths
                .into_iter()
                .map(|path| (path.into(), FileChange::Edited))
                .collect(),
            ..Self::default()
        }
    }

    /// One more path of the context changes.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>, change: FileChange) -> Self {
        self.files.push((path.into(), change));
        self
    }

    /// A build argument has another value.
    #[must_use]
    pub fn build_arg(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.build_args.push((name.into(), Some(value.into())));
        self
    }

    /// A build argument is no longer given.
    #[must_use]
    pub fn without_build_arg(mut self, name: impl Into<String>) -> Self {
        self.build_args.push((name.into(), None));
        self
    }

    /// A base image, named as in the Dockerfile, has this digest now.
    #[must_use]
    pub fn base(mut self, image: impl Into<String>, digest: impl Into<String>) -> Self {
        self.bases.push((image.into(), Some(digest.into())));
        self
    }

    /// It is no longer said which digest a base image has.
    #[must_use]
    pub fn without_base(mut self, image: impl Into<String>) -> Self {
        self.bases.push((image.into(), None));
        self
    }

    /// An address that an ADD downloads from serves this now: a checksum (`sha256:…`), or the id of a tree.
    #[must_use]
    pub fn download(mut self, address: impl Into<String>, identity: impl Into<String>) -> Self {
        self.downloads.push((address.into(), identity.into()));
        self
    }

    /// The Dockerfile reads so now.
    #[must_use]
    pub fn dockerfile(mut self, text: impl Into<String>) -> Self {
        self.dockerfile = Some(text.into());
        self
    }

    /// The paths that change, in their order.
    pub fn file_changes(&self) -> &[(String, FileChange)] {
        &self.files
    }

    /// The build arguments that change; `None` where one is no longer given.
    pub fn build_args(&self) -> &[(String, Option<String>)] {
        &self.build_args
    }

    /// The base images that change, with their new digests; `None` where that is no longer said.
    pub fn bases(&self) -> &[(String, Option<String>)] {
        &self.bases
    }

    /// The addresses that serve something else, with what they serve.
    pub fn downloads(&self) -> &[(String, String)] {
        &self.downloads
    }

    /// The new text of the Dockerfile, where it changes.
    pub fn dockerfile_text(&self) -> Option<&str> {
        self.dockerfile.as_deref()
    }
}

/// Whether builds give an argument of this name another value each time: what was checked out, when and as which run it is built, what
/// it is called. The names are those of CI systems, and what the labels of `org.opencontainers.image` are filled from.
pub(crate) fn changes_every_build(name: &str) -> bool {
    const NAMES: [&str; 56] = [
        "BUILDDATE",
        "BUILDTIME",
        "BUILD_COMMIT",
        "BUILD_DATE",
        "BUILD_DATETIME",
        "BUILD_HASH",
        "BUILD_ID",
        "BUILD_NO",
        "BUILD_NUM",
        "BUILD_NUMBER",
        "BUILD_REF",
        "BUILD_REVISION",
        "BUILD_SHA",
        "BUILD_TAG",
        "BUILD_TIME",
        "BUILD_TIMESTAMP",
        "BUILD_VERSION",
        "COMMIT",
        "COMMIT_DATE",
        "COMMIT_HASH",
        "COMMIT_ID",
        "COMMIT_REF",
        "COMMIT_SHA",
        "COMMIT_SHORT_SHA",
        "CREATED",
        "DATE_CREATED",
        "GITHUB_REF",
        "GITHUB_RUN_ID",
        "GITHUB_RUN_NUMBER",
        "GITHUB_SHA",
        "GIT_BRANCH",
        "GIT_COMMIT",
        "GIT_COMMIT_HASH",
        "GIT_COMMIT_SHA",
        "GIT_DESCRIBE",
        "GIT_HASH",
        "GIT_REF",
        "GIT_REV",
        "GIT_REVISION",
        "GIT_SHA",
        "GIT_SHORT_SHA",
        "GIT_TAG",
        "JOB_ID",
        "PIPELINE_ID",
        "RELEASE",
        "REVISION",
        "RUN_ID",
        "SHA",
        "SHORT_SHA",
        "SOURCE_COMMIT",
        "SOURCE_VERSION",
        "TAG",
        "VCS_REF",
        "VCS_REVISION",
        "VCS_SHA",
        "VERSION",
    ];
    // Of whom it is, or for which bundler.
    const OWNERS: [&str; 9] = [
        "APP_",
        "APPLICATION_",
        "CI_",
        "IMAGE_",
        "NEXT_PUBLIC_",
        "PROJECT_",
        "REACT_APP_",
        "SENTRY_",
        "VITE_",
    ];
    let upper = name.to_ascii_uppercase();
    let mut owners = OWNERS.iter().filter_map(|owner| upper.strip_prefix(owner));
    NAMES.contains(&upper.as_str()) || owners.any(|rest| NAMES.contains(&rest))
}

/// Whether a text has a name as a word of its own.
pub(crate) fn mentions(text: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(name)
        .any(|(at, _)| !text[..at].ends_with(part) && !text[at + name.len()..].starts_with(part))
}
