//! What BuildKit runs: the steps of a build with their keys.
//!
//! A step's definition holds exactly what BuildKit puts into the cache key of its operation
//! (`solver/llbsolver/ops/{exec,file,merge}.go` and `frontend/dockerfile/dockerfile2llb/convert*.go` at v0.32.2): for a RUN the
//! arguments, the whole environment in its order, the working directory, the user, and the mounts; for a COPY the names of its
//! sources, the destination and its flags; never a comment, a line number, a label or a default command.

mod legacy;
mod lower;
mod reads;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;
use stagewright_syntax::Span;

use crate::context::{Context, Digest, Hasher, Node, Selector};
use crate::options::{Builder, Options};
use crate::stage::{StageGraph, StageId, State, is_root};

pub(crate) use legacy::{ANY_PROXY, is_proxy};
pub(crate) use lower::LINK;

/// The place of a step in its build, from 0; what a step needs has a lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct StepId(pub usize);

/// All steps that a target needs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Build {
    /// The steps, each after those it needs.
    pub steps: Vec<Step>,
    /// The last step of each stage; `None` for a stage without any (`FROM scratch`), or one that the target does not need.
    pub ends: Vec<Option<StepId>>,
    /// The stage that is built.
    pub target: StageId,
    /// The names of all stages of the file, those that are not built too.
    pub(crate) stages: Vec<String>,
    pub(crate) context: Context,
    pub(crate) named: BTreeMap<String, Context>,
    pub(crate) args: BTreeMap<String, String>,
    pub(crate) builder: Builder,
}

/// What a build reads besides its Dockerfile.
#[derive(Clone, Debug)]
pub struct Inputs {
    context: Context,
    named: BTreeMap<String, Context>,
}

impl Inputs {
    /// The build context.
    pub fn new(context: Context) -> Self {
        Self {
            context,
            named: BTreeMap::new(),
        }
    }

    /// The build context that was given.
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// A local folder given as a named context (`--build-context NAME=FOLDER`).
    #[must_use]
    pub fn named_context(mut self, name: impl Into<String>, context: Context) -> Self {
        self.named.insert(name.into(), context);
        self
    }
}

/// One thing that BuildKit runs, or takes from its cache.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step {
    /// Its place in the build.
    pub id: StepId,
    /// The stage it belongs to.
    pub stage: StageId,
    /// The stage's name, or `stage-N`.
    pub stage_name: String,
    /// The index of its instruction in the file.
    pub instruction: usize,
    /// The line of its instruction, 1-based.
    pub line: u32,
    /// The bytes of its instruction.
    pub span: Span,
    /// What it does.
    pub kind: StepKind,
    /// Its number within its stage as BuildKit counts it (`[builder 2/5]`), from 1; 0 for an image that only files are taken from.
    pub ordinal: u32,
    /// The instruction as one line; of the merge of a `--link` as `BuildKit` names it, `LINK COPY --link …`.
    pub text: String,
    /// The digest of what it does, apart from what it does it to.
    pub definition: Digest,
    /// The parts of the definition, by which a difference can be told.
    pub components: Vec<Component>,
    /// What it does it to.
    pub inputs: Vec<Input>,
    /// What held before its instruction.
    pub(crate) before: Arc<State>,
    /// What a COPY or ADD puts where.
    pub(crate) copied: Option<Copied>,
    /// The script with an interpreter of its own that a RUN writes below itself.
    pub(crate) script: Option<String>,
}

/// What a COPY or ADD puts where.
#[derive(Clone, Debug)]
pub(crate) struct Copied {
    pub(crate) destination: String,
    pub(crate) chown: String,
    pub(crate) chmod: String,
    pub(crate) sources: Vec<CopiedSource>,
}

/// One source of a COPY or ADD.
#[derive(Clone, Debug)]
pub(crate) enum CopiedSource {
    Selected {
        origin: Origin,
        selector: Selector,
        unpack: bool,
    },
    Inline {
        name: String,
        node: Node,
    },
}

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum StepKind {
    /// Takes a base image.
    Base,
    /// Runs a command.
    Run,
    /// Copies files.
    Copy,
    /// Copies, downloads or unpacks files.
    Add,
    /// Makes the working directory.
    Workdir,
    /// Changes the configuration alone: a step of the builder before BuildKit.
    Config,
    /// Puts the layer of a `COPY --link` or `ADD --link` on top of what was there.
    Link,
}

/// One part of a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Component {
    /// What it is.
    pub kind: ComponentKind,
    /// Which of several, such as the name of a variable; empty if there is only one.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// What a part of a definition is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ComponentKind {
    /// The operation itself.
    Operation,
    /// The command with its arguments.
    Command,
    /// A source of a COPY or ADD.
    Source,
    /// Where files go, or the folder that is made.
    Destination,
    /// A flag.
    Flag,
    /// A mount.
    Mount,
    /// A variable of the environment; their order counts.
    Variable,
    /// The working directory.
    WorkingDirectory,
    /// The user.
    User,
    /// The platform.
    Platform,
    /// The base image.
    Image,
    /// `SOURCE_DATE_EPOCH`.
    Epoch,
}

impl ComponentKind {
    /// The word that stands for it in a digest.
    const fn name(self) -> &'static str {
        match self {
            Self::Operation => "Operation",
            Self::Command => "Command",
            Self::Source => "Source",
            Self::Destination => "Destination",
            Self::Flag => "Flag",
            Self::Mount => "Mount",
            Self::Variable => "Variable",
            Self::WorkingDirectory => "WorkingDirectory",
            Self::User => "User",
            Self::Platform => "Platform",
            Self::Image => "Image",
            Self::Epoch => "Epoch",
        }
    }
}

/// One thing that a step reads.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each holds whatever the others are"
)]
pub struct Input {
    /// Where it comes from.
    pub origin: Origin,
    /// Whether the same content is as good as the same history. Never for the file system that a step changes.
    pub by_content: bool,
    /// Whether it is the file system that the step changes.
    pub is_root: bool,
    /// Whether the paths, and the modes of folders, are compared with the content: so the builder before BuildKit does.
    pub(crate) named: bool,
    /// Whether a command mounts it to write to it.
    pub(crate) writable: bool,
    /// The sources as BuildKit keys them.
    pub(crate) selector: Digest,
    /// What of it counts where its content is compared; everything if empty.
    pub(crate) selectors: Vec<Selector>,
}

/// Where an input comes from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Origin {
    /// The result of a step.
    Step(StepId),
    /// The build context.
    Context,
    /// A named context that is a local folder.
    NamedContext(String),
    /// Something written in the Dockerfile itself; the digest of its content.
    Inline(Digest),
    /// A download or repository.
    Remote(Remote),
}

/// A download or a git repository.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Remote {
    /// The address as written, after expansion.
    pub address: String,
    /// What pins its content: a checksum or a commit. Without it, one address is taken to serve one content.
    pub pinned: Option<String>,
    /// Whether it is pinned to a commit: of another one the files may be the same, and then they count as the same.
    pub commit: bool,
}

impl Build {
    /// Lowers the stages that the target needs to steps.
    ///
    /// Total: what BuildKit rejects is told by the graph's findings, and the steps are what is left.
    pub fn new(graph: &StageGraph, options: &Options, inputs: &Inputs) -> Self {
        lower::lower(graph, options, inputs)
    }

    /// A step by its place.
    pub fn step(&self, id: StepId) -> &Step {
        &self.steps[id.0]
    }

    /// The keys of all steps, in their order: two steps with one key do the same to the same. A context counts with what its files hold.
    pub fn keys(&self) -> Vec<Digest> {
        let mut keys: Vec<Digest> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            let mut hasher = Hasher::new();
            hasher.digest(step.definition);
            for input in &step.inputs {
                hasher.digest(input.selector);
                match &input.origin {
                    Origin::Step(id) => hasher.digest(keys[id.0]),
                    Origin::Inline(digest) => hasher.digest(*digest),
                    Origin::Remote(remote) => hasher.write(remote.identity().as_bytes()),
                    Origin::Context => hasher.write(content_text(&self.context, input).as_bytes()),
                    Origin::NamedContext(name) => match self.named.get(name) {
                        Some(context) => hasher.write(content_text(context, input).as_bytes()),
                        None => hasher.write(name.as_bytes()),
                    },
                };
            }
            keys.push(hasher.finish());
        }
        keys
    }
}

impl Step {
    /// Where files go, or the folder that is made; empty for other steps.
    pub(crate) fn destination(&self) -> &str {
        self.component(ComponentKind::Destination)
            .unwrap_or_default()
    }

    /// Whether what the step makes belongs to root.
    pub(crate) fn user_is_root(&self) -> bool {
        let user = self.component(ComponentKind::User).unwrap_or_default();
        is_root(user)
    }

    fn component(&self, kind: ComponentKind) -> Option<&str> {
        let component = self
            .components
            .iter()
            .find(|component| component.kind == kind)?;
        Some(&component.value)
    }
}

fn content_text(context: &Context, input: &Input) -> String {
    match context.content_of(&input.selectors) {
        Ok(record) => record.digest.to_string(),
        Err(error) => error.to_string(),
    }
}

impl Remote {
    /// What stands for the content.
    pub(crate) fn identity(&self) -> &str {
        self.pinned.as_deref().unwrap_or(&self.address)
    }
}

/// Collects the parts of a definition.
#[derive(Default)]
struct Definition(Vec<Component>);

impl Definition {
    fn of(operation: &str) -> Self {
        let mut definition = Self::default();
        definition.add(ComponentKind::Operation, "", operation);
        definition
    }

    fn add(&mut self, kind: ComponentKind, name: impl Into<String>, value: impl Into<String>) {
        self.0.push(Component {
            kind,
            name: name.into(),
            value: value.into(),
        });
    }

    /// Adds a flag where it is set.
    fn flag(&mut self, name: &str, value: &str) {
        if !value.is_empty() {
            self.add(ComponentKind::Flag, name, value);
        }
    }

    /// A digest in which no two different lists of parts look alike.
    fn digest(&self) -> Digest {
        let mut hasher = Hasher::new();
        for component in &self.0 {
            for part in [component.kind.name(), &component.name, &component.value] {
                hasher
                    .write(&(part.len() as u64).to_le_bytes())
                    .write(part.as_bytes());
            }
        }
        hasher.finish()
    }
}
