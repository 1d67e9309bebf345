//! From stages to steps.

use std::sync::Arc;

use stagewright_syntax::image::ImageRef;

use super::reads::{Reads, history, plain};
use super::{
    Build, ComponentKind, Copied, CopiedSource, Definition, Input, Inputs, Origin, Remote, Step,
    StepId, StepKind,
};
use crate::context::{Digest, Sources, base_name, file_node, file_record};
use crate::options::{Builder, IMAGE_CONTEXT, Options, Platform};
use crate::stage::{
    Base, CopyOp, CopySource, From, Mount, MountKind, Op, RunOp, Stage, StageGraph, StageId,
    StageInstruction, State,
};

/// What `BuildKit` puts before an instruction to name the merge of its layer (`dispatchCopy` in `convert.go`).
pub(crate) const LINK: &str = "LINK ";

/// The argument that dates every folder that WORKDIR makes (`dispatchWorkdir`).
const EPOCH: &str = "SOURCE_DATE_EPOCH";

/// The argument that names the machine that commands see (`frontend/dockerui/config.go`).
const HOSTNAME: &str = "BUILDKIT_SANDBOX_HOSTNAME";

/// The argument that names the cache mounts of a build.
const CACHE_NAMESPACE: &str = "BUILDKIT_CACHE_MOUNT_NS";

pub(super) fn lower(graph: &StageGraph, options: &Options, inputs: &Inputs) -> Build {
    let epoch = options.build_args.get(EPOCH).map(String::as_str);
    let mut lowering = Lowering {
        graph,
        options,
        inputs,
        epoch: epoch
            .or_else(|| graph.global_args.get(EPOCH))
            .filter(|epoch| !epoch.is_empty()),
        steps: Vec::new(),
        ends: vec![None; graph.stages.len()],
    };
    for stage in &graph.stages {
        lowering.ends[stage.id.0] = match options.builder {
            Builder::BuildKit if stage.reachable => {
                let base = lowering.base(stage);
                stage
                    .instructions
                    .iter()
                    .fold(base, |current, instruction| {
                        lowering.instruction(stage, instruction, current)
                    })
            }
            Builder::Legacy if stage.id <= graph.target => lowering.legacy(stage),
            _ => None,
        };
    }
    Build {
        steps: lowering.steps,
        ends: lowering.ends,
        target: graph.target,
        stages: graph.stages.iter().map(Stage::label).collect(),
        context: inputs.context.clone(),
        named: inputs.named.clone(),
        args: options.build_args.clone(),
        builder: options.builder,
    }
}

pub(super) struct Lowering<'g> {
    pub(super) graph: &'g StageGraph,
    pub(super) options: &'g Options,
    inputs: &'g Inputs,
    epoch: Option<&'g str>,
    pub(super) steps: Vec<Step>,
    ends: Vec<Option<StepId>>,
}

/// Where a step stands in the file.
#[derive(Clone, Copy)]
pub(super) struct Place<'s> {
    stage: &'s Stage,
    instruction: usize,
    line: u32,
    span: stagewright_syntax::Span,
    text: &'s str,
    before: &'s Arc<State>,
}

impl<'s> Place<'s> {
    pub(super) fn of(stage: &'s Stage, instruction: &'s StageInstruction) -> Self {
        Self {
            stage,
            instruction: instruction.index,
            line: instruction.line,
            span: instruction.span,
            text: &instruction.text,
            before: &instruction.before,
        }
    }
}

impl Lowering<'_> {
    pub(super) fn push(
        &mut self,
        place: Place<'_>,
        kind: StepKind,
        definition: Definition,
        inputs: Vec<Input>,
    ) -> StepId {
        let id = StepId(self.steps.len());
        let numbered = |step: &&Step| step.stage == place.stage.id && step.kind != StepKind::Link;
        let last = self.steps.iter().filter(numbered).map(|step| step.ordinal);
        // The merge of a `--link` has the number of its copy.
        let ordinal = last.max().unwrap_or_default() + u32::from(kind != StepKind::Link);
        self.steps.push(Step {
            id,
            stage: place.stage.id,
            stage_name: place.stage.label(),
            instruction: place.instruction,
            line: place.line,
            span: place.span,
            kind,
            ordinal,
            text: place.text.to_owned(),
            definition: definition.digest(),
            components: definition.0,
            inputs,
            before: Arc::clone(place.before),
            copied: None,
            script: None,
        });
        id
    }

    pub(super) fn base(&mut self, stage: &Stage) -> Option<StepId> {
        let image = match &stage.base {
            Base::Scratch | Base::Invalid => return None,
            Base::Stage(id) => return self.ends[id.0],
            Base::Image(reference) => reference,
            Base::Context(name) => &self.named_image(name),
        };
        let text = format!("FROM {image}");
        let before = Arc::default();
        let place = Place {
            stage,
            instruction: stage.from,
            line: stage.line,
            span: stage.span,
            text: &text,
            before: &before,
        };
        if let Base::Context(name) = &stage.base
            && self.inputs.named.contains_key(name)
        {
            return Some(self.folder(place, name));
        }
        Some(self.image(place, image, &stage.platform))
    }

    /// The image that a named context stands for.
    fn named_image(&self, name: &str) -> String {
        let told = self.options.named_contexts.get(name);
        let told = told.map_or(name, String::as_str);
        told.strip_prefix(IMAGE_CONTEXT).unwrap_or(told).to_owned()
    }

    /// A local folder as a base: its key is another one in every build (`source/local/source.go`).
    fn folder(&mut self, place: Place<'_>, name: &str) -> StepId {
        let input = Input {
            origin: Origin::NamedContext(name.to_owned()),
            is_root: true,
            by_content: false,
            named: false,
            writable: false,
            selector: Digest::of(""),
            selectors: Vec::new(),
        };
        self.push(place, StepKind::Base, Definition::of("folder"), vec![input])
    }

    /// An image is keyed by what its reference leads to, and by the platform (`source/containerimage/pull.go`). The other key that
    /// `BuildKit` gives it, the chain of its layers, is taken to differ between platforms, as it does in an image made for each of them; of an
    /// image for one platform that is asked for under another, a COPY onto it would be taken from the cache.
    fn image(&mut self, place: Place<'_>, reference: &str, platform: &Platform) -> StepId {
        let mut definition = Definition::of("image");
        let (name, identity) = self.identity(reference);
        definition.add(ComponentKind::Image, name, &identity);
        definition.add(ComponentKind::Platform, "", platform.to_string());
        // The name is told, but it is no part of the key.
        let mut keyed = Definition::of("image");
        keyed.add(ComponentKind::Image, "", identity);
        keyed.add(ComponentKind::Platform, "", platform.to_string());
        let id = self.push(place, StepKind::Base, definition, Vec::new());
        self.steps[id.0].definition = keyed.digest();
        id
    }

    /// The repository's name, and what stands for the image: a digest, else the reference in full.
    fn identity(&self, reference: &str) -> (String, String) {
        let parsed = ImageRef::parse(reference).ok();
        let name = parsed
            .as_ref()
            .map_or_else(|| reference.to_owned(), ImageRef::familiar_name);
        let full = parsed
            .as_ref()
            .and_then(ImageRef::effective_tag)
            .map(|tag| format!("{name}:{tag}"));
        let same = |given: &str| {
            let parsed = ImageRef::parse(given).ok();
            let tag = parsed.as_ref().and_then(ImageRef::effective_tag);
            let given = parsed.as_ref().map(ImageRef::familiar_name).zip(tag);
            given.map(|(name, tag)| format!("{name}:{tag}")) == full && full.is_some()
        };
        let bases = &self.options.bases;
        let given = bases
            .get(reference)
            .or_else(|| Some(bases.iter().find(|(given, _)| same(given))?.1));
        let pinned = given.cloned().or_else(|| parsed?.digest);
        (
            name,
            pinned.or(full).unwrap_or_else(|| reference.to_owned()),
        )
    }

    fn instruction(
        &mut self,
        stage: &Stage,
        instruction: &StageInstruction,
        current: Option<StepId>,
    ) -> Option<StepId> {
        match &instruction.op {
            Op::Config => current,
            Op::Run(run) => Some(self.run(stage, instruction, run, current)),
            Op::Copy(copy) => Some(self.copy(stage, instruction, copy, current)),
            Op::Workdir(path) => {
                let mut definition = Definition::of("mkdir");
                definition.add(ComponentKind::Destination, "", path);
                definition.add(
                    ComponentKind::User,
                    "",
                    owner(&instruction.before.config.user),
                );
                if let Some(epoch) = self.epoch {
                    definition.add(ComponentKind::Epoch, EPOCH, epoch);
                }
                let inputs = current.map(history).into_iter().collect();
                Some(self.push(
                    Place::of(stage, instruction),
                    StepKind::Workdir,
                    definition,
                    inputs,
                ))
            }
        }
    }

    /// `ExecOp.CacheMap`.
    fn run(
        &mut self,
        stage: &Stage,
        instruction: &StageInstruction,
        run: &RunOp,
        current: Option<StepId>,
    ) -> StepId {
        let state = &instruction.before;
        let mut definition = Definition::of("exec");
        definition.add(ComponentKind::Command, "", quoted(&run.argv));
        definition.add(ComponentKind::WorkingDirectory, "", state.workdir());
        definition.add(ComponentKind::User, "", &state.config.user);
        definition.add(ComponentKind::Platform, "", stage.platform.to_string());
        let told = &self.options.run;
        let network = match run.network.as_str() {
            "" | "default" => &told.network,
            own => own,
        };
        definition.flag("--network", network);
        definition.flag("--add-host", &told.hosts.join(","));
        definition.flag("--ulimit", &told.ulimits.join(","));
        definition.flag("--cgroup-parent", &told.cgroup_parent);
        if told.shm_size > 0 {
            definition.flag("--shm-size", &told.shm_size.to_string());
        }
        let hostname = self.options.build_args.get(HOSTNAME);
        definition.flag(HOSTNAME, hostname.map_or("", String::as_str));
        definition.flag(
            "--security",
            if run.security == "sandbox" {
                ""
            } else {
                &run.security
            },
        );

        let mut reads = Reads::default();
        if let Some(current) = current {
            reads.root(current);
        }
        let mut mounts: Vec<&Mount> = run.mounts.iter().collect();
        mounts.sort_by(|one, two| one.target.cmp(&two.target));
        let place = Place::of(stage, instruction);
        for mount in mounts {
            self.mount(place, mount, &mut definition, &mut reads);
        }
        if let Some((name, content)) = &run.pipe {
            let record = file_record(0o755, content.as_bytes());
            let read = reads.mount(Origin::Inline(record), "/", false);
            definition.add(
                ComponentKind::Mount,
                "/dev/pipes/",
                format!("script {name} {read}"),
            );
        }
        for (name, value) in state.env.iter() {
            definition.add(ComponentKind::Variable, name, value);
        }
        let id = self.push(place, StepKind::Run, definition, reads.finish());
        self.steps[id.0].script = run.pipe.as_ref().map(|(_, content)| content.clone());
        id
    }

    fn mount(
        &mut self,
        place: Place<'_>,
        mount: &Mount,
        definition: &mut Definition,
        reads: &mut Reads,
    ) {
        let option = |key: &str| {
            mount
                .options
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.as_str())
        };
        let access = if mount.read_only { "ro" } else { "rw" };
        let source = crate::stage::join("/", &mount.source);
        let mut value = match mount.kind {
            MountKind::Tmpfs => vec![format!("tmpfs {}", option("size").unwrap_or("0"))],
            MountKind::Bind => vec![format!("bind {access}")],
            MountKind::Cache => {
                let namespace = self.options.build_args.get(CACHE_NAMESPACE);
                let namespace = namespace.map_or("", String::as_str);
                let sharing = option("sharing").unwrap_or("shared");
                let id = cache_identity(namespace, &mount.id, &mount.target, sharing);
                vec![
                    format!("cache {access}"),
                    id.unwrap_or_else(|| "of its own".to_owned()),
                ]
            }
            MountKind::Secret | MountKind::Ssh => {
                let set = |key: &str| Some(format!("{key}={}", option(key)?));
                let kind = if mount.kind == MountKind::Secret {
                    "secret"
                } else {
                    "ssh"
                };
                let mut value = vec![kind.to_owned(), mount.id.clone()];
                value.extend(
                    ["uid", "gid", "mode", "required", "env"]
                        .into_iter()
                        .filter_map(set),
                );
                value
            }
        };
        let from = match mount.kind {
            MountKind::Bind => Some(mount.from.clone().unwrap_or(From::Context)),
            MountKind::Cache => mount.from.clone(),
            _ => None,
        };
        if let Some(origin) = from.and_then(|from| self.origin(place, &from)) {
            value.push(reads.mount(origin, &source, !mount.read_only));
        }
        // A cache mount with an owner or a mode starts as a folder that is made for it (`setCacheUIDGID`).
        let set = |key: &str| Some(format!("{key}={}", option(key)?));
        let owner: Vec<String> = ["uid", "gid", "mode"].into_iter().filter_map(set).collect();
        if mount.kind == MountKind::Cache && source == "/" && !owner.is_empty() {
            let made = Origin::Inline(Digest::of(owner.join(" ")));
            value.push(reads.mount(made, "/cache", false));
            value.extend(owner);
        }
        definition.add(ComponentKind::Mount, &mount.target, value.join(" "));
    }

    /// `FileOp.CacheMap`, and for `--link` the merge on top of it (`dispatchCopy`).
    fn copy(
        &mut self,
        stage: &Stage,
        instruction: &StageInstruction,
        copy: &CopyOp,
        current: Option<StepId>,
    ) -> StepId {
        let place = Place::of(stage, instruction);
        let linked = copy.link && copy.chmod.is_empty();
        let mut definition = Definition::of("copy");
        definition.add(ComponentKind::Destination, "", &copy.destination);
        definition.flag("--chown", &owner(&copy.chown));
        definition.flag("--chmod", &copy.chmod);
        let mut reads = Reads::default();
        if let (Some(current), false) = (current, linked) {
            reads.root(current);
        }
        let mut copied = Copied {
            destination: copy.destination.clone(),
            chown: copy.chown.clone(),
            chmod: copy.chmod.clone(),
            sources: Vec::new(),
        };
        for source in &copy.sources {
            let source = self.source(place, copy, source, &mut definition, &mut reads);
            copied.sources.extend(source);
        }
        let kind = if copy.add {
            StepKind::Add
        } else {
            StepKind::Copy
        };
        let step = self.push(place, kind, definition, reads.finish());
        self.steps[step.0].copied = Some(copied);
        match current {
            // A merge of one thing is that thing (`client/llb/merge.go`).
            Some(current) if linked => {
                let inputs = vec![history(current), history(step)];
                let text = format!("{LINK}{}", place.text);
                let place = Place {
                    text: &text,
                    ..place
                };
                self.push(place, StepKind::Link, Definition::of("merge"), inputs)
            }
            _ => step,
        }
    }

    fn source(
        &mut self,
        place: Place<'_>,
        copy: &CopyOp,
        source: &CopySource,
        definition: &mut Definition,
        reads: &mut Reads,
    ) -> Option<CopiedSource> {
        let unpack = copy.unpack.unwrap_or(copy.add);
        let (origin, selector, mut value) = match source {
            CopySource::Path(path) => {
                let sources = Sources::new([path])
                    .exclude(copy.excludes.iter().cloned())
                    .parents(copy.parents);
                let selector = sources.selectors().pop()?;
                let mut value = vec![base_name(&selector.path).to_owned()];
                value.extend(selector.include.iter().map(|pattern| format!("+{pattern}")));
                value.extend(selector.exclude.iter().map(|pattern| format!("-{pattern}")));
                value.extend(selector.required.iter().map(|path| format!("!{path}")));
                if unpack {
                    value.push("(unpacked)".to_owned());
                }
                (self.origin(place, &copy.from), selector, value)
            }
            CopySource::Heredoc { name, content } => {
                let record = file_record(0o644, content.as_bytes());
                (
                    Some(Origin::Inline(record)),
                    plain(&format!("/{name}")),
                    vec![name.clone()],
                )
            }
            CopySource::Url { address, name } => {
                let unpacked = (copy.unpack == Some(true)).then(|| "(unpacked)".to_owned());
                let remote = Remote {
                    address: address.clone(),
                    pinned: self.download(copy, address),
                    commit: false,
                };
                let value = std::iter::once(name.clone()).chain(unpacked).collect();
                (
                    Some(Origin::Remote(remote)),
                    plain(&format!("/{name}")),
                    value,
                )
            }
            CopySource::Git { address, .. } => {
                let kept = if copy.keep_git_dir == Some(true) {
                    " with .git"
                } else {
                    ""
                };
                let remote = Remote {
                    address: format!("{address}{kept}"),
                    pinned: self.download(copy, address),
                    commit: !copy.checksum.is_empty(),
                };
                (
                    Some(Origin::Remote(remote)),
                    plain("/"),
                    vec!["git".to_owned()],
                )
            }
        };
        let inline = match source {
            CopySource::Heredoc { name, content } => Some(CopiedSource::Inline {
                name: name.clone(),
                node: file_node(content.as_bytes(), 0o644),
            }),
            _ => None,
        };
        let copied = origin.map(|origin| {
            value.push(reads.select(origin.clone(), selector.clone()));
            inline.unwrap_or(CopiedSource::Selected {
                origin,
                selector,
                unpack,
            })
        });
        definition.add(ComponentKind::Source, "", value.join(" "));
        copied
    }

    /// What stands for what an address serves, where that is known.
    pub(super) fn download(&self, copy: &CopyOp, address: &str) -> Option<String> {
        let pinned = (!copy.checksum.is_empty()).then(|| copy.checksum.clone());
        pinned.or_else(|| self.options.downloads.get(address).cloned())
    }

    /// Where files come from; nothing for a stage without any step.
    pub(super) fn origin(&mut self, place: Place<'_>, from: &From) -> Option<Origin> {
        match from {
            From::Context => Some(Origin::Context),
            From::Stage(StageId(stage)) => self.ends[*stage].map(Origin::Step),
            From::Named(name) if self.inputs.named.contains_key(name) => {
                Some(Origin::NamedContext(name.clone()))
            }
            From::Named(name) => {
                let image = self.named_image(name);
                Some(Origin::Step(self.source_image(place, &image)))
            }
            From::Image(image) => Some(Origin::Step(self.source_image(place, image))),
        }
    }

    /// An image that only files are taken from; one step for each, whoever takes from it.
    fn source_image(&mut self, place: Place<'_>, reference: &str) -> StepId {
        let text = format!("FROM {reference}");
        let known = self
            .steps
            .iter()
            .find(|step| step.kind == StepKind::Base && step.text == text);
        if let Some(known) = known {
            return known.id;
        }
        let platform = self.graph.target_stage().platform.clone();
        let id = self.image(
            Place {
                text: &text,
                ..place
            },
            reference,
            &platform,
        );
        self.steps[id.0].ordinal = 0;
        id
    }
}

/// The id of a cache mount, where it counts: only that of a mount that has none of its own (`checkShouldClearCacheOpts`).
fn cache_identity(namespace: &str, id: &str, target: &str, sharing: &str) -> Option<String> {
    let full = format!("{namespace}/{id}");
    let own = full.split_once('/').map(|(_, rest)| rest);
    (sharing == "shared" && (full == target || own == Some(target))).then_some(full)
}

/// An owner as BuildKit reads it: `root` and `0` are one (`client/llb/fileop.go`, `WithUser`).
fn owner(text: &str) -> String {
    let part = |part: &str| match part {
        "root" => "0".to_owned(),
        part => part
            .parse::<i32>()
            .map_or_else(|_| part.to_owned(), |id| id.to_string()),
    };
    text.splitn(2, ':').map(part).collect::<Vec<_>>().join(":")
}

/// Arguments in a form in which no two lists look alike.
pub(super) fn quoted(arguments: &[String]) -> String {
    serde_json::to_string(arguments).expect("strings serialise")
}
