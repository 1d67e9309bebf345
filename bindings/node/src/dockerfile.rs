//! `Dockerfile`.

#![expect(
    clippy::needless_pass_by_value,
    reason = "what JavaScript gives is converted into values"
)]

use std::collections::BTreeMap;

use napi::Env;
use napi::bindgen_prelude::{AsyncTask, ClassInstance, Either, Object};
use napi_derive::napi;
use serde_json::Value;
use stagewright::edit::compose;
use stagewright::report::parse::{ParsedDirective, ParsedError, ParsedInstruction};
use stagewright::report::{self, BuildkitReport, ParseReport, to_json};
use stagewright::syntax::edit::EditError;
use stagewright::{
    Inputs, NewInstruction, NewMount, OperationError, Options, RunOptions, RunWords,
    read_dockerfile,
};

use crate::analysis::Analysis;
use crate::context::{self, Context};
use crate::error::{Result, failure};
use crate::literal;
use crate::online::{Asking, OnlineOptions};
use crate::value::{Directive, Span, SyntaxError, all};
use crate::view::InstructionView;

/// A Dockerfile: its text, lossless, and what stands in it. It never changes: what changes something gives a new file, in which every
/// other byte is as it was.
///
/// Edits count instructions from 0. New ones are texts, written as they are, or objects such as `{ run: 'make' }`. The result is read back:
/// an error is thrown for an instruction, flag, mount, key or span that is not there (`no-such-instruction`, `no-such-part`,
/// `no-such-span`, `wrong-instruction`), for what cannot be written (`value-unwritable`, `bad-edit`), for what BuildKit would reject
/// (`instruction-invalid`), and for an edit that would be read as something else (`not-as-meant`).
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
    /// Named contexts, each a folder or `docker-image://REFERENCE`.
    pub build_contexts: Option<BTreeMap<String, String>>,
    /// What base images are, by their digest.
    pub bases: Option<BTreeMap<String, String>>,
    /// The builder; `buildkit` if absent.
    #[napi(ts_type = "'buildkit' | 'legacy'")]
    pub builder: Option<String>,
    /// The network of commands.
    #[napi(ts_type = "'default' | 'none' | 'host'")]
    pub network: Option<String>,
    /// Names that commands find without a server, as `NAME=IP`.
    pub add_hosts: Option<Vec<String>>,
    /// The size of `/dev/shm`, for example `64m`.
    pub shm_size: Option<String>,
    /// Limits of commands, as `NAME=SOFT[:HARD]`.
    pub ulimits: Option<Vec<String>>,
    /// The control group that commands run below.
    pub cgroup_parent: Option<String>,
    /// The text of a `stagewright.toml` (`BuildFiles.config`).
    pub config: Option<String>,
    /// An answer of `Analysis.toJson` that was kept, for the budget of growth.
    pub against: Option<String>,
}

impl AnalyzeOptions<'_> {
    /// The context, read, and the options of the library.
    fn open(self) -> Result<(Inputs, Options)> {
        let build_args = self.build_args.unwrap_or_default();
        let words = RunWords {
            network: self.network,
            add_hosts: self.add_hosts.unwrap_or_default(),
            shm_size: self.shm_size,
            ulimits: self.ulimits.unwrap_or_default(),
            cgroup_parent: self.cgroup_parent,
        };
        let called = Options::from_words(
            self.target.as_deref(),
            build_args,
            self.platform.as_deref(),
            self.as_of.as_deref(),
        )
        .and_then(|called| called.with_bases(self.bases.unwrap_or_default()))
        .map_err(failure)?
        .with_project(&self.config.unwrap_or_default(), self.against.as_deref())
        .map_err(failure)?;
        let builder = self.builder.as_deref().map(str::parse).transpose();
        let called = Options {
            builder: builder.map_err(failure)?.unwrap_or_default(),
            named_contexts: self.build_contexts.unwrap_or_default(),
            run: RunOptions::from_words(&words).map_err(failure)?,
            ..called
        };
        let context = context::open(self.context).map_err(failure)?;
        let inputs = Inputs::new(context)
            .read_named(&called.named_contexts)
            .map_err(failure)?;
        Ok((inputs, called))
    }
}

impl Dockerfile {
    pub(crate) fn new(text: String) -> Self {
        Self { text }
    }

    fn changed(
        &self,
        change: impl FnOnce(&stagewright::Dockerfile<'_>) -> std::result::Result<String, EditError>,
    ) -> Result<Self> {
        let text = change(&stagewright::Dockerfile::parse(&self.text));
        let text = text.map_err(OperationError::from).map_err(failure)?;
        Ok(Self::new(text))
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

    /// Makes a new file of instructions and of lines written as they are, such as comments and directives.
    #[napi(factory, ts_args_type = "instructions: Array<NewInstruction>")]
    pub fn of(instructions: Vec<Value>) -> Result<Self> {
        let new = instructions.into_iter().map(NewInstruction::from_value);
        let new = new.collect::<std::result::Result<Vec<_>, _>>();
        let text = new.and_then(|new| compose(&new)).map_err(failure)?;
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
        all(ParsedDirective::all(&stagewright::Dockerfile::parse(
            &self.text,
        )))
    }

    /// The instructions, in order.
    #[napi(getter, ts_return_type = "Array<Instruction>")]
    pub fn instructions(&self, env: Env) -> napi::Result<Vec<Object<'static>>> {
        let file = stagewright::Dockerfile::parse(&self.text);
        literal::instructions(env, ParsedInstruction::all(&file))
    }

    /// What BuildKit would reject, sorted by place; empty if it accepts the file.
    #[napi(getter)]
    pub fn errors(&self) -> Vec<SyntaxError> {
        all(&ParsedError::all(&stagewright::Dockerfile::parse(
            &self.text,
        )))
    }

    /// The parts of an instruction, counted from 0, each with its place.
    ///
    /// Throws an error with the code `no-such-instruction` if there is none.
    #[napi]
    pub fn view(&self, index: u32) -> Result<InstructionView> {
        let file = stagewright::Dockerfile::parse(&self.text);
        let view = report::InstructionView::of(&file, index as usize).map_err(failure)?;
        Ok((&view).into())
    }

    /// Inserts instructions before one, indented like it. Comments above that one stay above the new lines.
    #[napi(ts_args_type = "index: number, lines: NewInstruction")]
    pub fn insert_before(&self, index: u32, lines: Value) -> Result<Self> {
        let lines = NewInstruction::from_value(lines).map_err(failure)?;
        self.changed(|file| file.insert_before(index as usize, &lines))
    }

    /// Inserts instructions after one and its heredocs, indented like it.
    #[napi(ts_args_type = "index: number, lines: NewInstruction")]
    pub fn insert_after(&self, index: u32, lines: Value) -> Result<Self> {
        let lines = NewInstruction::from_value(lines).map_err(failure)?;
        self.changed(|file| file.insert_after(index as usize, &lines))
    }

    /// Adds instructions at the end of the file.
    #[napi(ts_args_type = "lines: NewInstruction")]
    pub fn append(&self, lines: Value) -> Result<Self> {
        let lines = NewInstruction::from_value(lines).map_err(failure)?;
        self.changed(|file| file.append(&lines))
    }

    /// Puts instructions in the place of one and its heredocs. Its indentation, and the comments above it, stay.
    #[napi(ts_args_type = "index: number, lines: NewInstruction")]
    pub fn replace(&self, index: u32, lines: Value) -> Result<Self> {
        let lines = NewInstruction::from_value(lines).map_err(failure)?;
        self.changed(|file| file.replace(index as usize, &lines))
    }

    /// Removes an instruction with its heredocs, and with the comment lines directly above it if `comments`.
    #[napi]
    pub fn remove(&self, index: u32, comments: Option<bool>) -> Result<Self> {
        self.changed(|file| file.remove(index as usize, comments.unwrap_or_default()))
    }

    /// Sets a flag: its value if it stands there, behind the other flags if not. Without a value it is a plain `--name`.
    #[napi]
    pub fn set_flag(&self, index: u32, name: String, value: Option<String>) -> Result<Self> {
        self.changed(|file| file.set_flag(index as usize, &name, value.as_deref()))
    }

    /// Adds a flag behind the others, also where one of that name stands there (`--exclude`).
    #[napi]
    pub fn add_flag(&self, index: u32, name: String, value: Option<String>) -> Result<Self> {
        self.changed(|file| file.add_flag(index as usize, &name, value.as_deref()))
    }

    /// Removes every flag of that name.
    #[napi]
    pub fn remove_flag(&self, index: u32, name: String) -> Result<Self> {
        self.changed(|file| file.remove_flag(index as usize, &name))
    }

    /// Adds a mount to a `RUN`, behind its other flags.
    #[napi(ts_args_type = "index: number, mount: NewMount")]
    pub fn add_mount(&self, index: u32, mount: Value) -> Result<Self> {
        let mount = NewMount::from_value(mount).map_err(failure)?;
        self.changed(|file| file.add_mount(index as usize, mount.mount()))
    }

    /// Sets an option of a mount, in the place of the one of that name or behind the others. Mounts are counted from 0. Without a
    /// value it is a plain `name`, such as `readonly`.
    #[napi]
    pub fn set_mount_option(
        &self,
        index: u32,
        mount: u32,
        name: String,
        value: Option<String>,
    ) -> Result<Self> {
        self.changed(|file| {
            file.set_mount_option(index as usize, mount as usize, &name, value.as_deref())
        })
    }

    /// Removes an option of a mount.
    #[napi]
    pub fn remove_mount_option(&self, index: u32, mount: u32, name: String) -> Result<Self> {
        self.changed(|file| file.remove_mount_option(index as usize, mount as usize, &name))
    }

    /// Removes a mount.
    #[napi]
    pub fn remove_mount(&self, index: u32, mount: u32) -> Result<Self> {
        self.changed(|file| file.remove_mount(index as usize, mount as usize))
    }

    /// Sets a variable of `ENV`, a key of `LABEL`, or the default of an `ARG`: in its place, or behind the others. Variables in
    /// the value are expanded, as in `$HOME/bin`.
    #[napi]
    pub fn set_value(&self, index: u32, key: String, value: String) -> Result<Self> {
        self.changed(|file| file.set_value(index as usize, &key, &value))
    }

    /// As `setValue`, for exactly this text: a dollar sign stays one.
    #[napi]
    pub fn set_literal(&self, index: u32, key: String, value: String) -> Result<Self> {
        self.changed(|file| file.set_literal(index as usize, &key, &value))
    }

    /// Removes a variable of `ENV`, a key of `LABEL` or an argument of `ARG`. The only one goes with its instruction, by
    /// `remove`.
    #[napi]
    pub fn remove_value(&self, index: u32, key: String) -> Result<Self> {
        self.changed(|file| file.remove_value(index as usize, &key))
    }

    /// Sets the image, or the stage, that a `FROM` builds on.
    #[napi]
    pub fn set_image(&self, index: u32, image: String) -> Result<Self> {
        self.changed(|file| file.set_image(index as usize, &image))
    }

    /// Sets the tag of the image of a `FROM`; without one, removes it. A digest stays; it wins over the tag.
    #[napi]
    pub fn set_tag(&self, index: u32, tag: Option<String>) -> Result<Self> {
        self.changed(|file| file.set_tag(index as usize, tag.as_deref()))
    }

    /// Sets the digest of the image of a `FROM`, with its algorithm (`sha256:…`); without one, removes it.
    #[napi]
    pub fn set_digest(&self, index: u32, digest: Option<String>) -> Result<Self> {
        self.changed(|file| file.set_digest(index as usize, digest.as_deref()))
    }

    /// Names a stage; without a name, takes its name away.
    #[napi]
    pub fn set_stage_name(&self, index: u32, name: Option<String>) -> Result<Self> {
        self.changed(|file| file.set_stage_name(index as usize, name.as_deref()))
    }

    /// Replaces everything behind the name and the flags of an instruction by a text that is written as it is. Heredocs stay, and
    /// so must their names in the new text.
    #[napi]
    pub fn set_arguments(&self, index: u32, content: String) -> Result<Self> {
        self.changed(|file| file.set_arguments(index as usize, &content))
    }

    /// Replaces bytes inside one instruction, such as a word whose span `view` gives, by a text that is written as it is. The
    /// name of the instruction stays.
    #[napi]
    pub fn replace_span(&self, span: Span, content: String) -> Result<Self> {
        self.changed(|file| file.replace_span(span.into(), &content))
    }

    /// Works out stages, sizes and cache of a build.
    ///
    /// Throws an error with a `code` for a folder that cannot be read, an unknown target (`unknown-target`) or a file without a stage
    /// (`no-stages`).
    #[napi]
    pub fn analyze(&self, options: Option<AnalyzeOptions<'_>>) -> Result<Analysis> {
        let (inputs, called) = options.unwrap_or_default().open()?;
        let file = stagewright::Dockerfile::parse(&self.text);
        Ok(Analysis::new(
            stagewright::Analysis::with_inputs(&file, &inputs, &called).map_err(failure)?,
        ))
    }

    /// As `analyze`, and package indexes and registries are asked for measured sizes; what they cannot tell is a finding with a code
    /// (`online-…`).
    ///
    /// Rejects with an error with a `code` for what `analyze` throws for, and for a cache that cannot be written
    /// (`online-cache-unwritable`).
    #[napi(ts_return_type = "Promise<Analysis>")]
    pub fn analyze_online(
        &self,
        options: Option<AnalyzeOptions<'_>>,
        online: Option<OnlineOptions>,
    ) -> Result<AsyncTask<Asking>> {
        let (inputs, options) = options.unwrap_or_default().open()?;
        Ok(AsyncTask::new(Asking {
            text: self.text.clone(),
            inputs,
            options,
            settings: online.unwrap_or_default().settings(),
        }))
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
