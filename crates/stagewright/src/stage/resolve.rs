//! From instructions to stages: names, bases, arguments, environment, triggers, reachability.
//!
//! Every rule follows `frontend/dockerfile/dockerfile2llb/convert.go` at v0.32.2; functions name the one they imitate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stagewright_syntax::expand::Expander;
use stagewright_syntax::instruction::{HealthcheckTest, Source};
use stagewright_syntax::{Dockerfile, Instruction, Span, View};

use super::run::argv;
use super::state::{EnvList, ImageConfig, State, join};
use super::{Base, CopyOp, CopySource, From, Op, Stage, StageGraph, StageId, StageInstruction};
use crate::finding::{Finding, Severity};
use crate::options::{Options, Platform};

/// Looks up what is known of a base image's configuration, by its reference as written.
pub type ImageConfigs<'a> = dyn Fn(&str) -> Option<ImageConfig> + 'a;

/// `ARG`s that steer the frontend and never reach a command (`convert.go`, `nonEnvArgs`).
const NON_ENV_ARGS: [&str; 2] = ["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"];

impl StageGraph {
    /// Resolves the stages of a file.
    ///
    /// Total: what `BuildKit` would reject is in `findings`, and the rest is resolved all the same. `None` if the file has no FROM, or if
    /// `options.target` names no stage ([`super::super::AnalysisError`] says so to the caller).
    pub fn new(
        file: &Dockerfile<'_>,
        options: &Options,
        images: &ImageConfigs<'_>,
    ) -> Result<Self, TargetError> {
        let mut resolver = Resolver {
            file,
            options,
            images,
            expander: Expander::new(file.escape()),
            global_args: EnvList::default(),
            stages: Vec::new(),
            names: BTreeMap::new(),
            findings: Vec::new(),
        };
        resolver.collect();
        if resolver.stages.is_empty() {
            return Err(TargetError::NoStages);
        }
        let target = resolver.target()?;
        resolver.resolve();
        let mut graph = Self {
            stages: resolver.stages,
            target,
            global_args: resolver.global_args,
            findings: resolver.findings,
        };
        mark_reachable(&mut graph);
        Ok(graph)
    }
}

/// The file cannot be resolved for the target that was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TargetError {
    /// There is no FROM.
    NoStages,
    /// The target names no stage; the stages that have names are listed.
    Unknown {
        /// The target.
        target: String,
        /// The names there are.
        names: Vec<String>,
    },
}

pub(super) struct Resolver<'f, 't> {
    file: &'f Dockerfile<'t>,
    options: &'f Options,
    images: &'f ImageConfigs<'f>,
    pub(super) expander: Expander,
    global_args: EnvList,
    stages: Vec<Stage>,
    /// The last stage of each lower-case name (`findStateByName`).
    names: BTreeMap<String, StageId>,
    findings: Vec<Finding>,
}

impl Resolver<'_, '_> {
    /// Global arguments, then one stage for each FROM (`buildMetaArgs`, `buildDispatchStates`).
    fn collect(&mut self) {
        let last_name =
            self.file
                .instructions()
                .rev()
                .find_map(|instruction| match instruction.view() {
                    View::From(from) => Some(
                        from.name
                            .map(|name| name.value.to_lowercase())
                            .unwrap_or_default(),
                    ),
                    _ => None,
                });
        let target = self
            .options
            .target
            .clone()
            .or(last_name)
            .unwrap_or_default();
        self.automatic_args(&target);
        let mut seen: BTreeMap<String, StageId> = BTreeMap::new();
        for instruction in self.file.instructions() {
            match instruction.view() {
                View::Arg(arg) if self.stages.is_empty() => {
                    for pair in &arg.args {
                        self.global_arg(&pair.key, pair.value.as_deref(), instruction.span());
                    }
                }
                View::From(from) => {
                    let id = StageId(self.stages.len());
                    let image = self.expand_global(&from.image, instruction.span());
                    let platform = from
                        .platform
                        .as_ref()
                        .map(|text| (self.expand_global(text, instruction.span()), text.span));
                    let platform = platform.and_then(|(text, span)| {
                        let parsed = Platform::parse(&text);
                        if parsed.is_none() {
                            self.problem(
                                "invalid-platform",
                                span,
                                format!("failed to parse platform {text}"),
                            );
                        }
                        parsed
                    });
                    if image.is_empty() {
                        let message = format!("base name ({}) should not be blank", &*from.image);
                        self.problem("blank-base", from.image.span, message);
                    }
                    let name = from.name.as_ref().map(|name| name.value.to_string());
                    let lower = name.as_ref().map(|name| name.to_lowercase());
                    let earlier = seen.get(&image).copied();
                    let base = if image.is_empty() {
                        Base::Invalid
                    } else if let Some(named) = lower.as_ref().and_then(|name| self.named(name)) {
                        Base::Context(named)
                    } else if let Some(stage) = earlier {
                        Base::Stage(stage)
                    } else if let Some(named) = self.named(&image) {
                        Base::Context(named)
                    } else if image == "scratch" {
                        Base::Scratch
                    } else {
                        Base::Image(image)
                    };
                    if let Some(lower) = lower {
                        seen.insert(lower.clone(), id);
                        self.names.insert(lower, id);
                    }
                    let (line, _) = instruction.lines();
                    self.stages.push(Stage {
                        id,
                        name,
                        from: instruction.index(),
                        line,
                        span: instruction.span(),
                        base,
                        platform: platform.unwrap_or_else(|| self.options.platform.clone()),
                        instructions: Vec::new(),
                        end: Arc::default(),
                        reachable: false,
                        needs: Vec::new(),
                    });
                }
                _ => {}
            }
        }
    }

    /// The platform arguments that exist without a declaration (`platform.go`, `defaultArgs`).
    fn automatic_args(&mut self, target: &str) {
        let build = Platform::default();
        let wanted = &self.options.platform;
        let target = if target.is_empty() { "default" } else { target };
        let (build_text, target_text) = (build.to_string(), wanted.to_string());
        for (name, value) in [
            ("BUILDPLATFORM", build_text.as_str()),
            ("BUILDOS", &build.os),
            ("BUILDOSVERSION", ""),
            ("BUILDARCH", &build.arch),
            ("BUILDVARIANT", &build.variant),
            ("TARGETPLATFORM", &target_text),
            ("TARGETOS", &wanted.os),
            ("TARGETOSVERSION", ""),
            ("TARGETARCH", &wanted.arch),
            ("TARGETVARIANT", &wanted.variant),
            ("TARGETSTAGE", target),
        ] {
            let value = self
                .options
                .build_args
                .get(name)
                .map_or(value, String::as_str);
            self.global_args.set(name, value);
        }
    }

    /// An ARG before the first FROM: a build argument is taken as it is, a default is expanded (`buildMetaArgs`).
    fn global_arg(&mut self, name: &str, default: Option<&str>, span: Span) {
        let value = match (self.options.build_args.get(name), default) {
            (Some(value), _) => Some(value.clone()),
            (None, Some(default)) => Some(self.expand_global(default, span)),
            (None, None) => None,
        };
        if let Some(value) = value {
            self.global_args.set(name, &value);
        }
    }

    pub(super) fn named(&self, name: &str) -> Option<String> {
        self.options
            .named_contexts
            .contains_key(name)
            .then(|| name.to_owned())
    }

    fn expand_global(&mut self, word: &str, span: Span) -> String {
        match self.expander.word(word, &self.global_args) {
            Ok(expanded) => expanded.value,
            Err(error) => {
                self.problem("expansion", span, error.to_string());
                String::new()
            }
        }
    }

    pub(super) fn problem(&mut self, code: &'static str, span: Span, message: impl Into<String>) {
        self.findings
            .push(Finding::new(code, Severity::Error, span, message));
    }

    /// `resolveTarget`: a name in any case, or the last stage.
    fn target(&self) -> Result<StageId, TargetError> {
        let Some(target) = self
            .options
            .target
            .as_deref()
            .filter(|name| !name.is_empty())
        else {
            return Ok(StageId(self.stages.len() - 1));
        };
        let by_label =
            |stage: &&Stage| stage.name.is_none() && stage.label() == target.to_lowercase();
        self.names
            .get(&target.to_lowercase())
            .copied()
            .or_else(|| {
                target
                    .parse()
                    .ok()
                    .filter(|&n| n < self.stages.len())
                    .map(StageId)
            })
            .or_else(|| self.stages.iter().find(by_label).map(|stage| stage.id))
            .ok_or_else(|| TargetError::Unknown {
                target: target.to_owned(),
                names: self
                    .stages
                    .iter()
                    .filter_map(|stage| stage.name.clone())
                    .collect(),
            })
    }

    /// Runs every stage's instructions over its state, in file order (`dispatchStages`).
    fn resolve(&mut self) {
        let mut ranges = Vec::new();
        for (i, stage) in self.stages.iter().enumerate() {
            let end = self
                .stages
                .get(i + 1)
                .map_or(self.file.len(), |next| next.from);
            ranges.push(stage.from + 1..end);
        }
        let mut triggers_of: Vec<Vec<String>> = Vec::new();
        for (i, range) in ranges.into_iter().enumerate() {
            let id = StageId(i);
            let (mut state, mut triggers) = self.start(id, &triggers_of);
            let mut own_triggers = Vec::new();
            let mut walk = Walk {
                id,
                needs: BTreeSet::new(),
                has_cmd: false,
                instructions: Vec::new(),
            };
            if let Base::Stage(base) = self.stages[i].base {
                walk.needs.insert(base);
            }
            for trigger in std::mem::take(&mut triggers) {
                self.trigger(&trigger, &mut state, &mut walk);
            }
            for index in range {
                let instruction = self.file.instruction(index);
                if let View::Onbuild(onbuild) = instruction.view() {
                    own_triggers.push(onbuild.expression());
                }
                let place = Place {
                    index,
                    line: instruction.lines().0,
                    span: instruction.span(),
                    trigger: false,
                };
                self.step(&instruction, place, &mut state, &mut walk);
            }
            Arc::make_mut(&mut state)
                .config
                .onbuild
                .extend(own_triggers.iter().cloned());
            triggers_of.push(own_triggers);
            let stage = &mut self.stages[i];
            stage.instructions = walk.instructions;
            stage.needs = walk.needs.into_iter().collect();
            stage.end = state;
        }
    }

    /// The state at the start of a stage and the triggers that run first (`init`, `resolveStages`).
    fn start(&self, id: StageId, triggers_of: &[Vec<String>]) -> (Arc<State>, Vec<String>) {
        let stage = self.stages_ref(id);
        match &stage.base {
            Base::Stage(base) => {
                let state = self.stages_ref(*base).end.of_stage();
                (Arc::new(state), triggers_of[base.0].clone())
            }
            Base::Image(image) => {
                let mut config = (self.images)(image).unwrap_or_default();
                let triggers = std::mem::take(&mut config.onbuild);
                (
                    Arc::new(State::of_image(config, &stage.platform.os)),
                    triggers,
                )
            }
            _ => (
                Arc::new(State::of_image(ImageConfig::default(), &stage.platform.os)),
                Vec::new(),
            ),
        }
    }

    fn stages_ref(&self, id: StageId) -> &Stage {
        &self.stages[id.0]
    }

    /// A trigger is parsed on its own, with the default escape character, and must be one instruction (`initOnBuildTriggers`).
    fn trigger(&mut self, text: &str, state: &mut Arc<State>, walk: &mut Walk) {
        let stage = self.stages_ref(walk.id);
        let place = Place {
            index: stage.from,
            line: stage.line,
            span: stage.span,
            trigger: true,
        };
        let nested = Dockerfile::parse(text);
        if nested.len() != 1 {
            self.problem(
                "onbuild-trigger",
                place.span,
                "onbuild trigger should be a single expression",
            );
            return;
        }
        self.step(&nested.instruction(0), place, state, walk);
    }

    fn step(
        &mut self,
        instruction: &Instruction<'_>,
        place: Place,
        state: &mut Arc<State>,
        walk: &mut Walk,
    ) {
        let before = Arc::clone(state);
        let op = self.dispatch(instruction, place.span, state, walk);
        walk.instructions.push(StageInstruction {
            index: place.index,
            line: place.line,
            span: place.span,
            keyword: instruction.keyword(),
            text: instruction.original().trim_ascii().to_owned(),
            trigger: place.trigger,
            before,
            op,
        });
    }

    /// What an instruction does to the state and to the file system (`dispatch`).
    fn dispatch(
        &mut self,
        instruction: &Instruction<'_>,
        span: Span,
        state: &mut Arc<State>,
        walk: &mut Walk,
    ) -> Op {
        match instruction.view() {
            View::Run(run) => return Op::Run(self.run(&run, state, walk)),
            View::Copy(copy) => {
                let from = match copy.from.as_ref() {
                    None => From::Context,
                    Some(name) => self.copy_from(name, name.span, walk),
                };
                let op = CopyOp {
                    add: false,
                    from,
                    sources: self.sources(&copy.sources, state, span, false),
                    destination: self.destination(&copy.destination, state, span),
                    chown: self.optional(copy.chown.as_deref(), state, span),
                    chmod: self.optional(copy.chmod.as_deref(), state, span),
                    link: copy.link,
                    parents: copy.parents,
                    excludes: copy.excludes.iter().map(ToString::to_string).collect(),
                    checksum: String::new(),
                    keep_git_dir: None,
                    unpack: None,
                };
                return Op::Copy(op);
            }
            View::Add(add) => {
                let op = CopyOp {
                    add: true,
                    from: From::Context,
                    sources: self.sources(&add.sources, state, span, true),
                    destination: self.destination(&add.destination, state, span),
                    chown: self.optional(add.chown.as_deref(), state, span),
                    chmod: self.optional(add.chmod.as_deref(), state, span),
                    link: add.link,
                    parents: false,
                    excludes: add.excludes.iter().map(ToString::to_string).collect(),
                    checksum: self.optional(add.checksum.as_deref(), state, span),
                    keep_git_dir: add.keep_git_dir,
                    unpack: add.unpack,
                };
                return Op::Copy(op);
            }
            View::Workdir(workdir) => {
                let path = self.expand(&workdir.value, state, span);
                // An absolute path stays as it is written (`system.NormalizeWorkdir`), and so it is in the key of a RUN.
                let path = if path.starts_with('/') {
                    path
                } else {
                    join(state.workdir(), &path)
                };
                Arc::make_mut(state).config.workdir.clone_from(&path);
                if path != "/" {
                    return Op::Workdir(join("/", &path));
                }
            }
            View::Env(env) => {
                // The whole line sees the environment from before it.
                let pairs: Vec<_> = env
                    .pairs
                    .iter()
                    .map(|pair| {
                        (
                            self.expand(&pair.key, state, span),
                            self.expand(&pair.value, state, span),
                        )
                    })
                    .collect();
                let state = Arc::make_mut(state);
                for (key, value) in pairs {
                    state.env.set(&key, &value);
                    state.config.set_env(&key, &value);
                }
            }
            View::Arg(arg) => {
                for pair in &arg.args {
                    self.arg(&pair.key, pair.value.as_deref(), state, span);
                }
            }
            _ => self.configure(instruction, span, state, walk),
        }
        Op::Config
    }

    /// Instructions that change the image configuration alone.
    fn configure(
        &mut self,
        instruction: &Instruction<'_>,
        span: Span,
        state: &mut Arc<State>,
        walk: &mut Walk,
    ) {
        match instruction.view() {
            View::User(user) => {
                let user = self.expand(&user.value, state, span);
                Arc::make_mut(state).config.user = user;
            }
            View::Shell(shell) => {
                let words = shell.words.iter().map(ToString::to_string).collect();
                Arc::make_mut(state).config.shell = words;
            }
            View::Cmd(cmd) => {
                let argv = argv(&cmd.command, &state.config);
                Arc::make_mut(state).config.cmd = Some(argv);
                walk.has_cmd = true;
            }
            View::Entrypoint(entrypoint) => {
                let argv = argv(&entrypoint.command, &state.config);
                let config = &mut Arc::make_mut(state).config;
                config.entrypoint = Some(argv);
                // A CMD of the base goes; one of this stage stays.
                if !walk.has_cmd {
                    config.cmd = None;
                }
            }
            View::Expose(expose) => {
                for port in &expose.ports {
                    for word in self.expand_words(port, state, span) {
                        let port = if word.contains('/') {
                            word
                        } else {
                            format!("{word}/tcp")
                        };
                        let ports = &mut Arc::make_mut(state).config.ports;
                        if let Err(at) = ports.binary_search(&port) {
                            ports.insert(at, port);
                        }
                    }
                }
            }
            View::Volume(volume) => {
                for path in &volume.paths {
                    let path = self.expand(path, state, span);
                    let volumes = &mut Arc::make_mut(state).config.volumes;
                    if let Err(at) = volumes.binary_search(&path) {
                        volumes.insert(at, path);
                    }
                }
            }
            View::Label(label) => {
                let pairs: Vec<_> = label
                    .pairs
                    .iter()
                    .map(|pair| {
                        (
                            self.expand(&pair.key, state, span),
                            self.expand(&pair.value, state, span),
                        )
                    })
                    .collect();
                Arc::make_mut(state).config.labels.extend(pairs);
            }
            View::Stopsignal(signal) => {
                let signal = self.expand(&signal.value, state, span);
                Arc::make_mut(state).config.stop_signal = signal;
            }
            View::Healthcheck(check) => {
                let test = match &check.test {
                    HealthcheckTest::None => vec!["NONE".to_owned()],
                    HealthcheckTest::Shell(text) => vec!["CMD-SHELL".to_owned(), text.to_string()],
                    HealthcheckTest::Exec(words) => ["CMD".to_owned()]
                        .into_iter()
                        .chain(words.iter().map(ToString::to_string))
                        .collect(),
                };
                Arc::make_mut(state).config.healthcheck = Some(test);
            }
            _ => {}
        }
    }

    /// `dispatchArg`: a build argument, else the default, else the global value; what has a value is in the environment from here on.
    fn arg(&mut self, name: &str, default: Option<&str>, state: &mut Arc<State>, span: Span) {
        let value = match (self.options.build_args.get(name), default) {
            (Some(value), _) => Some(value.clone()),
            (None, Some(default)) => Some(self.expand(default, state, span)),
            (None, None) => self.global_args.get(name).map(str::to_owned),
        };
        let state = Arc::make_mut(state);
        if !state.args.iter().any(|arg| arg == name) {
            state.args.push(name.to_owned());
        }
        if let Some(value) = value.filter(|_| !NON_ENV_ARGS.contains(&name)) {
            state.env.set(name, &value);
        }
    }

    fn expand(&mut self, word: &str, state: &State, span: Span) -> String {
        match self.expander.word(word, &state.env) {
            Ok(expanded) => expanded.value,
            Err(error) => {
                self.problem("expansion", span, error.to_string());
                word.to_owned()
            }
        }
    }

    fn expand_words(&mut self, word: &str, state: &State, span: Span) -> Vec<String> {
        self.expander
            .words(word, &state.env)
            .unwrap_or_else(|error| {
                self.problem("expansion", span, error.to_string());
                Vec::new()
            })
    }

    fn optional(&mut self, word: Option<&str>, state: &State, span: Span) -> String {
        word.map(|word| self.expand(word, state, span))
            .unwrap_or_default()
    }

    /// `pathRelativeToWorkingDir`: the working directory is put before a relative path; a slash at the end stays.
    fn destination(&mut self, word: &str, state: &State, span: Span) -> String {
        let path = self.expand(word, state, span);
        let mut absolute = join(state.workdir(), &path);
        if (path.ends_with('/') || path == "." || path.is_empty() || path.ends_with("/."))
            && absolute != "/"
        {
            absolute.push('/');
        }
        absolute
    }

    fn sources(
        &mut self,
        sources: &[Source<'_>],
        state: &State,
        span: Span,
        add: bool,
    ) -> Vec<CopySource> {
        sources
            .iter()
            .map(|source| match &source.heredoc {
                Some(heredoc) => {
                    let raw = heredoc.chomped();
                    let content = if heredoc.expand {
                        Expander::heredoc().word(&raw, &state.env).map_or_else(
                            |error| {
                                self.problem("expansion", span, error.to_string());
                                String::new()
                            },
                            |expanded| expanded.value,
                        )
                    } else {
                        raw.into_owned()
                    };
                    CopySource::Heredoc {
                        name: heredoc.name.to_string(),
                        content,
                    }
                }
                None if add => CopySource::of_add(&self.expand(&source.text, state, span)),
                None => CopySource::Path(self.expand(&source.text, state, span)),
            })
            .collect()
    }

    /// `findStateByName`: a name in any case; of several stages the last.
    pub(super) fn stage_named(&self, name: &str) -> Option<StageId> {
        self.names.get(&name.to_lowercase()).copied()
    }

    /// `toCommand`: an index, a stage of any later or earlier place, or an image; a stage that is not there yet is an error.
    fn copy_from(&mut self, name: &str, span: Span, walk: &mut Walk) -> From {
        let stage = match name.parse::<usize>() {
            Ok(index) if index < self.stages.len() => Some(StageId(index)),
            Ok(index) => {
                self.problem(
                    "invalid-stage-index",
                    span,
                    format!("invalid stage index {index}"),
                );
                return From::Image(name.to_owned());
            }
            Err(_) => self.stage_named(name),
        };
        match stage {
            Some(stage) if stage >= walk.id => {
                let message = format!(
                    "cannot copy from stage {name:?}, it needs to be defined before current stage {:?}",
                    self.stages_ref(walk.id).label()
                );
                self.problem("copy-from-later-stage", span, message);
                From::Image(name.to_owned())
            }
            Some(stage) => {
                walk.needs.insert(stage);
                From::Stage(stage)
            }
            None => match self.named(name) {
                Some(named) => From::Named(named),
                None => From::Image(name.to_owned()),
            },
        }
    }
}

/// The target and everything it needs, directly or not (`allReachableStages`).
fn mark_reachable(graph: &mut StageGraph) {
    let mut open = vec![graph.target];
    while let Some(id) = open.pop() {
        let stage = &mut graph.stages[id.0];
        if !std::mem::replace(&mut stage.reachable, true) {
            open.extend(stage.needs.iter().copied());
        }
    }
}

/// Where an instruction stands, or for which FROM a trigger runs.
#[derive(Clone, Copy)]
struct Place {
    index: usize,
    line: u32,
    span: Span,
    trigger: bool,
}

/// A stage being resolved.
pub(super) struct Walk {
    pub(super) id: StageId,
    pub(super) needs: BTreeSet<StageId>,
    has_cmd: bool,
    instructions: Vec<StageInstruction>,
}
