//! `Dockerfile`.

#![expect(
    clippy::needless_pass_by_value,
    reason = "what Python gives is extracted into values"
)]

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyType;
use stagewright::edit::compose;
use stagewright::report::parse::{ParsedDirective, ParsedError, ParsedInstruction};
use stagewright::report::{self, BuildkitReport, ParseReport, to_json};
use stagewright::syntax::edit::EditError;
use stagewright::{Inputs, OperationError, Options, RunOptions, RunWords, read_dockerfile};

use crate::analysis::Analysis;
use crate::context::ContextArgument;
use crate::error::Failure;
use crate::new::{New, NewMount};
use crate::online::{Asking, Online};
use crate::value::{Directive, Instruction, Span, SyntaxError, all};
use crate::view::InstructionView;

/// A Dockerfile: its text, lossless, and what stands in it. It never changes: what changes something gives a new file, in which every
/// other byte is as it was.
///
/// Edits count instructions from 0. New ones are texts, written as they are, or dictionaries such as `{"run": "make"}` (see
/// `stagewright.new`). The result is read back: `StagewrightError` is raised for an instruction, flag, mount, key or span that is not there
/// (`no-such-instruction`, `no-such-part`, `no-such-span`, `wrong-instruction`), for what cannot be written (`value-unwritable`, `bad-edit`),
/// for what BuildKit would reject (`instruction-invalid`), and for an edit that would be read as something else (`not-as-meant`).
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

    fn changed(
        &self,
        change: impl FnOnce(&stagewright::Dockerfile<'_>) -> Result<String, EditError>,
    ) -> Result<Self, Failure> {
        let text = change(&stagewright::Dockerfile::parse(&self.text));
        Ok(Self::new(text.map_err(OperationError::from)?))
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

    /// Makes a new file of instructions and of lines written as they are, such as comments and directives.
    #[staticmethod]
    fn of(instructions: Vec<New>) -> Result<Self, Failure> {
        let text = compose(instructions.iter().map(|new| &new.0))?;
        Ok(Self { text })
    }

    /// The escape character: a backslash, or a backtick where a directive says so.
    #[getter]
    fn escape(&self) -> char {
        stagewright::Dockerfile::parse(&self.text).escape()
    }

    /// The parser directives at the top, in order.
    #[getter]
    fn directives(&self) -> Vec<Directive> {
        all(ParsedDirective::all(&stagewright::Dockerfile::parse(
            &self.text,
        )))
    }

    /// The instructions, in order.
    #[getter]
    fn instructions(&self) -> Vec<Instruction> {
        all(ParsedInstruction::all(&stagewright::Dockerfile::parse(
            &self.text,
        )))
    }

    /// What BuildKit would reject, sorted by place; empty if it accepts the file.
    #[getter]
    fn errors(&self) -> Vec<SyntaxError> {
        all(&ParsedError::all(&stagewright::Dockerfile::parse(
            &self.text,
        )))
    }

    /// The parts of an instruction, counted from 0, each with its place.
    ///
    /// Raises `StagewrightError` if there is no such instruction (`no-such-instruction`).
    fn view(&self, index: usize) -> Result<InstructionView, Failure> {
        let file = stagewright::Dockerfile::parse(&self.text);
        Ok((&report::InstructionView::of(&file, index)?).into())
    }

    /// Inserts instructions before one, indented like it. Comments above that one stay above the new lines.
    fn insert_before(&self, index: usize, lines: New) -> Result<Self, Failure> {
        self.changed(|file| file.insert_before(index, &lines.0))
    }

    /// Inserts instructions after one and its heredocs, indented like it.
    fn insert_after(&self, index: usize, lines: New) -> Result<Self, Failure> {
        self.changed(|file| file.insert_after(index, &lines.0))
    }

    /// Adds instructions at the end of the file.
    fn append(&self, lines: New) -> Result<Self, Failure> {
        self.changed(|file| file.append(&lines.0))
    }

    /// Puts instructions in the place of one and its heredocs. Its indentation, and the comments above it, stay.
    fn replace(&self, index: usize, lines: New) -> Result<Self, Failure> {
        self.changed(|file| file.replace(index, &lines.0))
    }

    /// Removes an instruction with its heredocs, and with the comment lines directly above it if `comments`.
    #[pyo3(signature = (index, comments=false))]
    fn remove(&self, index: usize, comments: bool) -> Result<Self, Failure> {
        self.changed(|file| file.remove(index, comments))
    }

    /// Sets a flag: its value if it stands there, behind the other flags if not. Without a value it is a plain `--name`.
    #[pyo3(signature = (index, name, value=None))]
    fn set_flag(&self, index: usize, name: &str, value: Option<&str>) -> Result<Self, Failure> {
        self.changed(|file| file.set_flag(index, name, value))
    }

    /// Adds a flag behind the others, also where one of that name stands there (`--exclude`).
    #[pyo3(signature = (index, name, value=None))]
    fn add_flag(&self, index: usize, name: &str, value: Option<&str>) -> Result<Self, Failure> {
        self.changed(|file| file.add_flag(index, name, value))
    }

    /// Removes every flag of that name.
    fn remove_flag(&self, index: usize, name: &str) -> Result<Self, Failure> {
        self.changed(|file| file.remove_flag(index, name))
    }

    /// Adds a mount to a `RUN`, behind its other flags.
    fn add_mount(&self, index: usize, mount: NewMount) -> Result<Self, Failure> {
        self.changed(|file| file.add_mount(index, mount.0.mount()))
    }

    /// Sets an option of a mount, in the place of the one of that name or behind the others. Mounts are counted from 0. Without a
    /// value it is a plain `name`, such as `readonly`.
    #[pyo3(signature = (index, mount, name, value=None))]
    fn set_mount_option(
        &self,
        index: usize,
        mount: usize,
        name: &str,
        value: Option<&str>,
    ) -> Result<Self, Failure> {
        self.changed(|file| file.set_mount_option(index, mount, name, value))
    }

    /// Removes an option of a mount.
    fn remove_mount_option(&self, index: usize, mount: usize, name: &str) -> Result<Self, Failure> {
        self.changed(|file| file.remove_mount_option(index, mount, name))
    }

    /// Removes a mount.
    fn remove_mount(&self, index: usize, mount: usize) -> Result<Self, Failure> {
        self.changed(|file| file.remove_mount(index, mount))
    }

    /// Sets a variable of `ENV`, a key of `LABEL`, or the default of an `ARG`: in its place, or behind the others. Variables in
    /// the value are expanded, as in `$HOME/bin`.
    fn set_value(&self, index: usize, key: &str, value: &str) -> Result<Self, Failure> {
        self.changed(|file| file.set_value(index, key, value))
    }

    /// As `set_value`, for exactly this text: a dollar sign stays one.
    fn set_literal(&self, index: usize, key: &str, value: &str) -> Result<Self, Failure> {
        self.changed(|file| file.set_literal(index, key, value))
    }

    /// Removes a variable of `ENV`, a key of `LABEL` or an argument of `ARG`. The only one goes with its instruction, by
    /// `remove`.
    fn remove_value(&self, index: usize, key: &str) -> Result<Self, Failure> {
        self.changed(|file| file.remove_value(index, key))
    }

    /// Sets the image, or the stage, that a `FROM` builds on.
    fn set_image(&self, index: usize, image: &str) -> Result<Self, Failure> {
        self.changed(|file| file.set_image(index, image))
    }

    /// Sets the tag of the image of a `FROM`; without one, removes it. A digest stays; it wins over the tag.
    #[pyo3(signature = (index, tag=None))]
    fn set_tag(&self, index: usize, tag: Option<&str>) -> Result<Self, Failure> {
        self.changed(|file| file.set_tag(index, tag))
    }

    /// Sets the digest of the image of a `FROM`, with its algorithm (`sha256:…`); without one, removes it.
    #[pyo3(signature = (index, digest=None))]
    fn set_digest(&self, index: usize, digest: Option<&str>) -> Result<Self, Failure> {
        self.changed(|file| file.set_digest(index, digest))
    }

    /// Names a stage; without a name, takes its name away.
    #[pyo3(signature = (index, name=None))]
    fn set_stage_name(&self, index: usize, name: Option<&str>) -> Result<Self, Failure> {
        self.changed(|file| file.set_stage_name(index, name))
    }

    /// Replaces everything behind the name and the flags of an instruction by a text that is written as it is. Heredocs stay, and
    /// so must their names in the new text.
    fn set_arguments(&self, index: usize, content: &str) -> Result<Self, Failure> {
        self.changed(|file| file.set_arguments(index, content))
    }

    /// Replaces bytes inside one instruction, such as a word whose span `view` gives, by a text that is written as it is. The
    /// name of the instruction stays.
    fn replace_span(&self, span: Span, content: &str) -> Result<Self, Failure> {
        self.changed(|file| file.replace_span(span.into(), content))
    }

    /// Works out stages, sizes and cache of a build.
    ///
    /// `context` is a folder or a `Context`; `target` the stage to build, the last one if absent; `platform` for example
    /// `linux/arm64`; `as_of` a day (`YYYY-MM-DD`) for base images of another year; `build_contexts` named contexts, each a folder or
    /// `docker-image://REFERENCE`; `bases` what base images are, by their digest; `builder` is `buildkit` or `legacy`; `config` the
    /// text of a `stagewright.toml` (`BuildFiles.config`), `against` an answer of `Analysis.to_json` that was kept, for the budget of
    /// growth. The other arguments are those of `docker build`. With `online`, package indexes and registries are asked for measured
    /// sizes; what they cannot tell is a finding with a code (`online-…`).
    ///
    /// Raises `StagewrightError` for a folder that cannot be read, an unknown target (`unknown-target`) or a file without a stage
    /// (`no-stages`).
    #[pyo3(
        signature = (*, context=ContextArgument::here(), target=None, build_args=BTreeMap::new(), platform=None, as_of=None, build_contexts=BTreeMap::new(), bases=BTreeMap::new(), builder=None, network=None, add_hosts=Vec::new(), shm_size=None, ulimits=Vec::new(), cgroup_parent=None, config="", against=None, online=None),
        text_signature = "($self, *, context='.', target=None, build_args={}, platform=None, as_of=None, build_contexts={}, bases={}, builder=None, network=None, add_hosts=(), shm_size=None, ulimits=(), cgroup_parent=None, config='', against=None, online=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn analyze(
        &self,
        py: Python<'_>,
        context: ContextArgument,
        target: Option<&str>,
        build_args: BTreeMap<String, String>,
        platform: Option<&str>,
        as_of: Option<&str>,
        build_contexts: BTreeMap<String, String>,
        bases: BTreeMap<String, String>,
        builder: Option<&str>,
        network: Option<String>,
        add_hosts: Vec<String>,
        shm_size: Option<String>,
        ulimits: Vec<String>,
        cgroup_parent: Option<String>,
        config: &str,
        against: Option<&str>,
        online: Option<&Online>,
    ) -> Result<Analysis, Failure> {
        let words = RunWords {
            network,
            add_hosts,
            shm_size,
            ulimits,
            cgroup_parent,
        };
        let builder = builder.map(str::parse).transpose()?;
        let options = Options {
            builder: builder.unwrap_or_default(),
            named_contexts: build_contexts,
            run: RunOptions::from_words(&words)?,
            ..Options::from_words(target, build_args, platform, as_of)?
                .with_bases(bases)?
                .with_project(config, against)?
        };
        let asking = online.map(|online| Asking::of(py, online));
        py.detach(|| {
            let file = stagewright::Dockerfile::parse(&self.text);
            let inputs = Inputs::new(context.open()?).read_named(&options.named_contexts)?;
            let analysis = match asking {
                Some(asking) => stagewright::online::Online::new(asking.settings.clone())?
                    .analyze(&file, &inputs, &options, &mut |progress| {
                        asking.tell(progress);
                    })?,
                None => stagewright::Analysis::with_inputs(&file, &inputs, &options)?,
            };
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
        let file = stagewright::Dockerfile::parse(&self.text);
        format!(
            "<Dockerfile: {} instructions, {} errors>",
            file.len(),
            file.errors().len()
        )
    }

    fn __reduce__<'py>(this: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, (String,))> {
        let class: Bound<'py, PyType> = this.get_type();
        Ok((class.getattr("parse")?, (this.get().text.clone(),)))
    }
}
