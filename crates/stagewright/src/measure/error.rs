//! Why an image cannot be measured.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why an image cannot be measured. The message names the place: the file, the layer, the byte.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MeasureError {
    /// Nothing stands at the path.
    #[error("`{}` does not exist", path.display())]
    Missing {
        /// The path as it was given.
        path: PathBuf,
    },
    /// The operating system cannot read it.
    #[error("`{}` cannot be read", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// It is neither an archive of `docker save` nor an OCI layout.
    #[error("`{}` is no image: {why}", path.display())]
    NoImage {
        /// The path as it was given.
        path: PathBuf,
        /// What is missing or in the way.
        why: String,
    },
    /// It ends too early.
    #[error("{place} ends too early, after {offset} bytes")]
    Truncated {
        /// The archive or the layer.
        place: String,
        /// Bytes read of the tar.
        offset: u64,
    },
    /// An entry of a tar makes no sense.
    #[error("{place} is broken at byte {offset}: {why}")]
    BadTar {
        /// The archive or the layer.
        place: String,
        /// The place of the entry in the tar, in bytes.
        offset: u64,
        /// What is wrong.
        why: String,
    },
    /// A layer cannot be decompressed.
    #[error("{place} cannot be decompressed: {why}")]
    BadCompression {
        /// The layer.
        place: String,
        /// What the decoder says.
        why: String,
    },
    /// A description in the image is not what it must be.
    #[error("`{name}` of the image cannot be understood: {why}")]
    BadManifest {
        /// Its name in the image.
        name: String,
        /// What is wrong, with line and column where it is no JSON.
        why: String,
    },
    /// Something that the image names is not in it.
    #[error("the image names `{name}`, which is not in it")]
    BlobMissing {
        /// The name.
        name: String,
    },
    /// The bytes are not those that the image promises.
    #[error("{place} has the digest sha256:{found}, and the image promises sha256:{expected}")]
    DigestMismatch {
        /// The layer or description.
        place: String,
        /// What the image says, in hex.
        expected: String,
        /// What it is, in hex.
        found: String,
    },
    /// A name or a link leads out of the image.
    #[error("`{name}` leads out of the image")]
    OutsideImage {
        /// The name as it stands in the image.
        name: String,
    },
    /// The image is larger than the caller allows.
    #[error("the image has more than {most} {what}: `{option}` raises the limit")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// The limit.
        most: u64,
        /// The option of [`super::Limits`].
        option: &'static str,
    },
    /// There are several images, and none was named.
    #[error("there are several images, name one: {names}")]
    SeveralImages {
        /// Their names.
        names: String,
    },
    /// No image is called so.
    #[error("no image is called `{name}`: there are {names}")]
    UnknownImage {
        /// The name.
        name: String,
        /// The names there are.
        names: String,
    },
    /// The image is not there for the platform.
    #[error("the image is not there for `{platform}`: there are {platforms}")]
    NoPlatform {
        /// The platform that was asked for.
        platform: String,
        /// The platforms there are.
        platforms: String,
    },
    /// The image uses what cannot be read here.
    #[error("{place} cannot be read here: {why}")]
    Unsupported {
        /// The layer or description.
        place: String,
        /// What it is.
        why: String,
    },
}

impl MeasureError {
    /// A stable name in kebab-case.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "image-missing",
            Self::Unreadable { .. } => "image-unreadable",
            Self::NoImage { .. } => "no-image",
            Self::Truncated { .. } => "image-truncated",
            Self::BadTar { .. } => "image-bad-tar",
            Self::BadCompression { .. } => "image-bad-compression",
            Self::BadManifest { .. } => "image-bad-manifest",
            Self::BlobMissing { .. } => "image-blob-missing",
            Self::DigestMismatch { .. } => "image-digest-mismatch",
            Self::OutsideImage { .. } => "image-outside",
            Self::TooLarge { .. } => "image-too-large",
            Self::SeveralImages { .. } => "several-images",
            Self::UnknownImage { .. } => "unknown-image",
            Self::NoPlatform { .. } => "no-platform",
            Self::Unsupported { .. } => "image-unsupported",
        }
    }
}
