//! `Dockerfile`.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyType;
use stagewright::report::{BuildkitReport, ParseReport, to_json};
use stagewright::{Options, read_dockerfile};

use crate::analysis::Analysis;
use crate::context::ContextArgument;
use crate::error::Failure;
use crate::value::{Directive, Instruction, SyntaxError, all};

/// A Dockerfile: its text, lossless, and what stands in it. It never changes.
///
/// Make one with `Dockerfile.parse(text)` or `Dockerfile.read(path)`.
#[pyclass(frozen, eq, hash, from_py_object, module = "stagewright")]
#[derive(Clone, PartialEq, Eq, Hash)]
pub(crate) struct Dockerfile {
    /// The text, as it was given.
    #[pyo3(get)]
    text: String,
}

impl Dockerfile {
    pub(crate) fn new(text: String) -> Self {
        Self { text }
    }

    fn report(&self) -> ParseReport {
        ParseReport::new(&stagewright::Dockerfile::parse(&self.text))
    }
}

#[pymethods]
impl Dockerfile {
    /// Reads a Dockerfile. It never fails: what is wrong is in `errors`.
    #[staticmethod]
    fn parse(text: String) -> Self {
        Self { text }
    }

    /// Reads a Dockerfile, or the one in a folder, from disk.
    ///
    /// Raises `StagewrightError` if it is not there (`path-missing`, `dockerfile-missing`), a folder (`dockerfile-is-folder`) or not
    /// UTF-8 (`not-utf8`).
    #[staticmethod]
    fn read(path: PathBuf) -> Result<Self, Failure> {
        Ok(Self {
            text: read_dockerfile(path)?,
        })
    }

    /// The escape character: a backslash, or a backtick where a directive says so.
    #[getter]
    fn escape(&self) -> char {
        stagewright::Dockerfile::parse(&self.text).escape()
    }

    /// The parser directives at the top, in order.
    #[getter]
    fn directives(&self) -> Vec<Directive> {
        all(&self.report().directives)
    }

    /// The instructions, in order.
    #[getter]
    fn instructions(&self) -> Vec<Instruction> {
        all(&self.report().instructions)
    }

    /// What BuildKit would reject, sorted by place; empty if it accepts the file.
    #[getter]
    fn errors(&self) -> Vec<SyntaxError> {
        all(&self.report().errors)
    }

    /// Works out stages, sizes and cache of a build.
    ///
    /// `context` is a folder or a `Context`; `target` the stage to build, the last one if absent; `platform` for example
    /// `linux/arm64`; `as_of` a day (`YYYY-MM-DD`) for base images of another year.
    ///
    /// Raises `StagewrightError` for a folder that cannot be read, an unknown target (`unknown-target`) or a file without a stage
    /// (`no-stages`).
    #[pyo3(
        signature = (*, context=ContextArgument::here(), target=None, build_args=BTreeMap::new(), platform=None, as_of=None),
        text_signature = "($self, *, context='.', target=None, build_args={}, platform=None, as_of=None)"
    )]
    fn analyze(
        &self,
        py: Python<'_>,
        context: ContextArgument,
        target: Option<&str>,
        build_args: BTreeMap<String, String>,
        platform: Option<&str>,
        as_of: Option<&str>,
    ) -> Result<Analysis, Failure> {
        let options = Options::from_words(target, build_args, platform, as_of)?;
        py.detach(|| {
            let file = stagewright::Dockerfile::parse(&self.text);
            let analysis = stagewright::Analysis::new(&file, &context.open()?, &options)?;
            Ok(Analysis::new(analysis))
        })
    }

    /// The file formatted: capital letters for names of instructions, no needless blanks and blank lines. What BuildKit reads stays
    /// the same, so that no step runs again; a file with `errors` is left as it is.
    fn format(&self) -> Self {
        Self::new(stagewright::format(&self.text))
    }

    /// What BuildKit's own parser says of the file, as the line of JSON that `stagewright parse --as buildkit` prints: `file` (the
    /// name given here), `ok`, `error` and `line` if BuildKit rejects it, and `dump`, the tree.
    fn to_buildkit_json(&self, name: &str) -> String {
        BuildkitReport::new(name, &stagewright::Dockerfile::parse(&self.text)).to_json_line()
    }

    /// What stands in the file as JSON: the bytes that `stagewright parse --json` prints.
    fn to_json(&self) -> String {
        to_json(&self.report())
    }

    fn __repr__(&self) -> String {
        let report = self.report();
        format!(
            "<Dockerfile: {} instructions, {} errors>",
            report.instructions.len(),
            report.errors.len()
        )
    }

    fn __reduce__<'py>(this: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        let class: Bound<'py, PyType> = this.get_type();
        Ok((class.getattr("parse")?, (this.get().text.clone(),)))
    }
}
