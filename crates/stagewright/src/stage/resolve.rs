//! From instructions to stages: names, bases, arguments, environment, triggers, reachability.
//!
//! Every rule follows `frontend/dockerfile/dockerfile2llb/convert.go` at v0.32.2; functions name the one they imitate.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stagewright_syntax::expand::Expander;
use stagewright_syntax::image::ImageRef;
use stagewright_syntax::{CheckOptions, Dockerfile, Instruction, Span, View, detect_check, quote};

use super::state::{EnvList, ImageConfig, State};
use super::{Base, From, Op, Stage, StageGraph, StageId, StageInstruction};
use crate::finding::{Finding, Severity};
use crate::options::{IMAGE_CONTEXT, Options, Platform};

/// Looks up what is known of a base image's configuration, by its reference as written.
pub type ImageConfigs<'a> = dyn Fn(&str) -> Option<ImageConfig> + 'a;

impl StageGraph {
    /// Resolves the stages of a file.
    ///
    /// Total: what `BuildKit` would reject is in `findings`, and the rest is resolved all the same. An error if the file has no FROM, or
    /// if `options.target` names no stage.
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
            edges: Vec::new(),
            marks: Vec::new(),
        };
        resolver.check_options();
        resolver.collect();
        if resolver.stages.is_empty() {
            return Err(TargetError::NoStages);
        }
        let target = resolver.target()?;
        let from_files = resolver.findings.len();
        resolver.resolve();
        let circular = resolver.circular();
        let marks = resolver.marks;
        let mut graph = Self {
            stages: resolver.stages,
            target,
            global_args: resolver.global_args,
            findings: resolver.findings,
        };
        mark_reachable(&mut graph);
        graph.settle(from_files, &marks);
        if let Some(stage) = circular {
            let stage = &graph.stages[stage.0];
            let message = format!("circular dependency detected on stage: {}", stage.label());
            let finding = Finding::new("circular-dependency", Severity::Error, stage.span, message);
            graph.findings.insert(from_files, finding);
        }
        Ok(graph)
    }
}

impl StageGraph {
    /// Faults of stages that nothing needs are only warnings, since `BuildKit` does not look at those; but all images must have the form of a
    /// reference (`resolveBaseImage`). `marks` holds how many findings there were after each stage.
    fn settle(&mut self, first: usize, marks: &[usize]) {
        let early = |finding: &Finding| EARLY.contains(&finding.code);
        let mut bases = Vec::new();
        let mut from = first;
        for (stage, &to) in self.stages.iter().zip(marks) {
            bases.extend(stage.images().filter_map(|(image, span)| {
                let error = ImageRef::parse(image).err()?;
                let message = format!("failed to parse stage name {}: {error}", quote(image));
                Some(Finding::new(
                    "invalid-reference",
                    Severity::Error,
                    span,
                    message,
                ))
            }));
            if !stage.reachable {
                for finding in &mut self.findings[from..to] {
                    if !early(finding) {
                        finding.severity = Severity::Warning;
                    }
                }
            }
            from = to;
        }
        // They are read before any instruction is looked at, and after the names of stages.
        if !self.findings.iter().any(early) {
            self.findings.splice(first..first, bases);
        }
    }
}

impl Stage {
    /// Whether a named context stands for the stage, whose name it has.
    fn is_replaced(&self) -> bool {
        match (&self.base, &self.name) {
            (Base::Context(context), Some(name)) => name.to_lowercase() == *context,
            _ => false,
        }
    }

    /// The images that the stage is built on and takes files from, as written, with the places that say so.
    fn images(&self) -> impl Iterator<Item = (&str, Span)> {
        let base = match &self.base {
            Base::Image(image) => Some((image.as_str(), self.span)),
            _ => None,
        };
        base.into_iter()
            .chain(self.instructions.iter().flat_map(|instruction| {
                let froms: Vec<&From> = match &instruction.op {
                    Op::Copy(copy) => vec![&copy.from],
                    Op::Run(run) => run
                        .mounts
                        .iter()
                        .filter_map(|mount| mount.from.as_ref())
                        .collect(),
                    _ => Vec::new(),
                };
                froms.into_iter().filter_map(|from| match from {
                    From::Image(image) => Some((image.as_str(), instruction.span)),
                    _ => None,
                })
            }))
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

/// Faults that `BuildKit` finds in every stage, needed or not (`buildStageDependencyGraph`).
const EARLY: [&str; 2] = ["invalid-stage-index", "variable-in-from"];

pub(super) struct Resolver<'f, 't> {
    file: &'f Dockerfile<'t>,
    pub(super) options: &'f Options,
    images: &'f ImageConfigs<'f>,
    pub(super) expander: Expander,
    pub(super) global_args: EnvList,
    pub(super) stages: Vec<Stage>,
    /// The last stage of each lower-case name (`findStateByName`).
    pub(super) names: BTreeMap<String, StageId>,
    findings: Vec<Finding>,
    /// What stages copy or mount from, whether it may be or not.
    pub(super) edges: Vec<(StageId, StageId)>,
    /// How many findings there were at the end of each stage.
    marks: Vec<usize>,
}

impl Resolver<'_, '_> {
    /// The settings of the linter, which are read before anything else (`newRuleLinter`).
    fn check_options(&mut self) {
        let Some(check) = detect_check(self.file.text()) else {
            return;
        };
        if let Err(error) = CheckOptions::parse(&check.reference) {
            let span = self.file.line_index().line_span(check.line);
            let message = format!("failed to parse check options: {error}");
            self.problem("invalid-check", span.unwrap_or_default(), message);
        }
    }

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
                    let platform = from.platform.as_ref().and_then(|written| {
                        let text = self.expand_global(written, instruction.span());
                        let parsed = Platform::parse(&text);
                        if parsed.is_none() {
                            let message = if text.is_empty() {
                                format!("empty platform value from expression {written}")
                            } else {
                                format!("failed to parse platform {written}")
                            };
                            self.problem("invalid-platform", written.span, message);
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
            Ok(expanded) => expanded.value.into_owned(),
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
                words: Vec::new(),
                instructions: Vec::new(),
            };
            if let Base::Stage(base) = self.stages[i].base {
                walk.needs.insert(base);
            }
            // Nothing of a stage is run for which a named context stands (`resolveBaseImage`, `dispatched`).
            let replaced = self.stages[i].is_replaced();
            for trigger in std::mem::take(&mut triggers) {
                if !replaced {
                    self.trigger(&trigger, &mut state, &mut walk);
                }
            }
            for index in range {
                let instruction = self.file.instruction(index);
                if let View::Onbuild(onbuild) = instruction.view() {
                    own_triggers.push(onbuild.expression());
                }
                if replaced {
                    continue;
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
            self.marks.push(self.findings.len());
        }
    }

    /// The first stage from which copies and mounts lead back to where they were (`validateCircularDependency`).
    fn circular(&self) -> Option<StageId> {
        let mut done = vec![false; self.stages.len()];
        (0..self.stages.len())
            .map(StageId)
            .find(|&root| self.leads_back(root, &mut done))
    }

    /// Whether a way from `root` through stages that are not done comes back to itself. Without recursion: files may have many stages.
    fn leads_back(&self, root: StageId, done: &mut [bool]) -> bool {
        if std::mem::replace(&mut done[root.0], true) {
            return false;
        }
        let mut path = vec![(root, 0)];
        while let Some((stage, next)) = path.last_mut() {
            let stage = *stage;
            let mut edges = self.edges.iter().filter(|edge| edge.0 == stage);
            let Some(&(_, to)) = edges.nth(*next) else {
                path.pop();
                continue;
            };
            *next += 1;
            if path.iter().any(|&(on, _)| on == to) {
                return true;
            }
            if !std::mem::replace(&mut done[to.0], true) {
                path.push((to, 0));
            }
        }
        false
    }

    /// The state at the start of a stage and the triggers that run first (`init`, `resolveStages`).
    fn start(&self, id: StageId, triggers_of: &[Vec<String>]) -> (Arc<State>, Vec<String>) {
        let stage = self.stages_ref(id);
        match &stage.base {
            Base::Stage(base) => {
                let state = self.stages_ref(*base).end.of_stage();
                (Arc::new(state), triggers_of[base.0].clone())
            }
            Base::Image(_) | Base::Context(_) => {
                let image = match &stage.base {
                    Base::Context(name) => self.options.named_contexts.get(name),
                    Base::Image(image) => Some(image),
                    _ => None,
                };
                let image = image.map_or("", |image| {
                    image.strip_prefix(IMAGE_CONTEXT).unwrap_or(image)
                });
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

    pub(super) fn stages_ref(&self, id: StageId) -> &Stage {
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
            words: std::mem::take(&mut walk.words),
            before,
            op,
        });
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
    pub(super) has_cmd: bool,
    /// The words of the instruction at hand.
    pub(super) words: Vec<String>,
    instructions: Vec<StageInstruction>,
}
