//! Many builds in one call.

use std::path::Path;

use stagewright_syntax::Dockerfile;
use thiserror::Error;

use super::files::{BuildFiles, FilesError};
use super::parallel::in_parallel;
use crate::analysis::{Analysis, AnalysisError};
use crate::options::Options;

/// Why one of many builds has no analysis.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AnalyzeError {
    /// Its files cannot be read.
    #[error(transparent)]
    Files(#[from] FilesError),
    /// It cannot be analysed as asked.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// What it needs cannot be asked for.
    #[cfg(feature = "online")]
    #[error(transparent)]
    Online(#[from] super::online::OnlineError),
}

impl AnalyzeError {
    /// A stable name in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Files(error) => error.code(),
            Self::Analysis(error) => error.code(),
            #[cfg(feature = "online")]
            Self::Online(error) => error.code(),
        }
    }
}

/// Reads and analyses many builds, as many at a time as there are processors. A path is a folder or a Dockerfile, as for
/// [`BuildFiles::open`]. The answers are in the order of the paths and the same as one by one; an error of one leaves the others alone.
pub fn analyze_many<P: AsRef<Path> + Sync>(
    paths: &[P],
    options: &Options,
) -> Vec<Result<Analysis, AnalyzeError>> {
    in_parallel(paths.len(), |at| {
        let files = BuildFiles::open(&paths[at])?;
        let file = Dockerfile::parse(&files.text);
        Ok(Analysis::new(&file, &files.context, options)?)
    })
}
