//! `Dockerfile`.

use std::collections::BTreeMap;

use napi::bindgen_prelude::{ClassInstance, Either};
use napi_derive::napi;
use stagewright::report::{BuildkitReport, ParseReport, to_json};
use stagewright::{Options, read_dockerfile};

use crate::analysis::Analysis;
use crate::context::{self, Context};
use crate::error::{Result, failure};
use crate::value::{Directive, Instruction, SyntaxError, all};

/// A Dockerfile: its text, lossless, and what stands in it. It never changes.
#[napi]
pub struct Dockerfile {
    text: String,
}

/// How a build is called.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct AnalyzeOptions<'a> {
    /// The build context, or the folder that holds it; the current folder if absent.
    pub context: Option<Either<String, ClassInstance<'a, Context>>>,
    /// The stage to build; the last one if absent.
    pub target: Option<String>,
    /// Build arguments, by name.
    pub build_args: Option<BTreeMap<String, String>>,
    /// The platform to build for, for example `linux/arm64`.
    pub platform: Option<String>,
    /// The day (`YYYY-MM-DD`) as of which the catalogue is read, for base images of another year.
    pub as_of: Option<String>,
}

impl Dockerfile {
    pub(crate) fn new(text: String) -> Self {
        Self { text }
    }

    fn report(&self) -> ParseReport {
        ParseReport::new(&stagewright::Dockerfile::parse(&self.text))
    }
}

#[napi]
impl Dockerfile {
    /// Reads a Dockerfile. It never fails: what is wrong is in `errors`.
    #[napi(factory)]
    pub fn parse(text: String) -> Self {
        Self { text }
    }

    /// Reads a Dockerfile, or the one in a folder, from disk.
    ///
    /// Throws an error with a `code` if it is not there (`path-missing`, `dockerfile-missing`), a folder (`dockerfile-is-folder`) or
    /// not UTF-8 (`not-utf8`).
    #[napi(factory)]
    pub fn read(path: String) -> Result<Self> {
        let text = read_dockerfile(path).map_err(failure)?;
        Ok(Self { text })
    }

    /// The text, as it was given.
    #[napi(getter)]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The escape character: a backslash, or a backtick where a directive says so.
    #[napi(getter)]
    pub fn escape(&self) -> String {
        stagewright::Dockerfile::parse(&self.text).escape().into()
    }

    /// The parser directives at the top, in order.
    #[napi(getter)]
    pub fn directives(&self) -> Vec<Directive> {
        all(&self.report().directives)
    }

    /// The instructions, in order.
    #[napi(getter)]
    pub fn instructions(&self) -> Vec<Instruction> {
        all(&self.report().instructions)
    }

    /// What BuildKit would reject, sorted by place; empty if it accepts the file.
    #[napi(getter)]
    pub fn errors(&self) -> Vec<SyntaxError> {
        all(&self.report().errors)
    }

    /// Works out stages, sizes and cache of a build.
    ///
    /// Throws an error with a `code` for a folder that cannot be read, an unknown target (`unknown-target`) or a file without a stage
    /// (`no-stages`).
    #[napi]
    pub fn analyze(&self, options: Option<AnalyzeOptions<'_>>) -> Result<Analysis> {
        let options = options.unwrap_or_default();
        let build_args = options.build_args.unwrap_or_default();
        let called = Options::from_words(
            options.target.as_deref(),
            build_args,
            options.platform.as_deref(),
            options.as_of.as_deref(),
        )
        .map_err(failure)?;
        let context = context::open(options.context).map_err(failure)?;
        let file = stagewright::Dockerfile::parse(&self.text);
        Ok(Analysis::new(
            stagewright::Analysis::new(&file, &context, &called).map_err(failure)?,
        ))
    }

    /// The file formatted: capital letters for names of instructions, no needless blanks and blank lines. What BuildKit reads stays
    /// the same, so that no step runs again; a file with `errors` is left as it is.
    #[napi]
    pub fn format(&self) -> Self {
        Self::new(stagewright::format(&self.text))
    }

    /// What BuildKit's own parser says of the file, as the line of JSON that `stagewright parse --as buildkit` prints: `file` (the
    /// name given here), `ok`, `error` and `line` if BuildKit rejects it, and `dump`, the tree.
    #[napi]
    pub fn to_buildkit_json(&self, name: String) -> String {
        BuildkitReport::new(name, &stagewright::Dockerfile::parse(&self.text)).to_json_line()
    }

    /// What stands in the file as JSON: the bytes that `stagewright parse --json` prints.
    #[napi]
    pub fn to_json(&self) -> String {
        to_json(&self.report())
    }
}
