//! From stages to steps, as the builder before BuildKit runs them: one step for every instruction, each an image of its own.
//!
//! An image is found again by its parent and by the command that made it; a COPY or ADD by the paths, modes and contents of what it
//! copies instead of the command. Every stage up to the target is built.
//!
//! Rules: `builder/dockerfile/{dispatchers,internals,copy,buildargs}.go`, `builder/remotecontext/archive.go` and `image/cache/cache.go`
//! of moby at v20.10.24.

use std::collections::BTreeMap;

use stagewright_syntax::Keyword;

use super::lower::{Lowering, Place, quoted};
use super::reads::{history, plain};
use super::{ComponentKind, Copied, CopiedSource, Definition, Input, Origin, Remote, StepId};
use crate::build::StepKind;
use crate::context::{Digest, Selector, file_node, file_record};
use crate::stage::{CopyOp, CopySource, Op, RunOp, Stage, StageInstruction};

/// Build arguments that reach every RUN without a declaration (`builtinAllowedBuildArgs`).
const PROXIES: [&str; 8] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "NO_PROXY",
    "no_proxy",
];

impl Lowering<'_> {
    /// The steps of a stage; the last of them.
    pub(super) fn legacy(&mut self, stage: &Stage) -> Option<StepId> {
        let mut current = self.base(stage);
        let mut declared = BTreeMap::new();
        for instruction in &stage.instructions {
            let step = match &instruction.op {
                Op::Run(run) => self.legacy_run(stage, instruction, run, &declared, current),
                Op::Copy(copy) => self.legacy_copy(stage, instruction, copy, current),
                Op::Config | Op::Workdir(_) => {
                    if instruction.keyword == Keyword::Arg {
                        declared.extend(instruction.words.iter().map(|word| declaration(word)));
                    }
                    let mut definition = Definition::of("configuration");
                    let keyword = format!("{:?}", instruction.keyword);
                    definition.add(
                        ComponentKind::Operation,
                        keyword,
                        quoted(&instruction.words),
                    );
                    let kind = if let Op::Workdir(path) = &instruction.op {
                        definition.add(ComponentKind::Destination, "", path);
                        StepKind::Workdir
                    } else {
                        StepKind::Config
                    };
                    let inputs = current.map(history).into_iter().collect();
                    self.push(Place::of(stage, instruction), kind, definition, inputs)
                }
            };
            current = Some(step);
        }
        current
    }

    /// `dispatchRun`: the build arguments that it sees stand before its command.
    fn legacy_run(
        &mut self,
        stage: &Stage,
        instruction: &StageInstruction,
        run: &RunOp,
        declared: &BTreeMap<String, Option<String>>,
        current: Option<StepId>,
    ) -> StepId {
        let mut definition = Definition::of("run");
        definition.add(ComponentKind::Command, "", quoted(&run.argv));
        let args = &self.options.build_args;
        let in_image = |name: &str| {
            let mut env = instruction.before.config.env.iter();
            env.any(|(key, _)| key == name)
        };
        let mut seen = false;
        for (name, default) in declared.iter().filter(|(name, _)| !in_image(name)) {
            let global = || self.graph.global_args.get(name).map(str::to_owned);
            if let Some(value) = args.get(name).or(default.as_ref()).cloned().or_else(global) {
                definition.add(ComponentKind::Variable, name, value);
                seen = true;
            }
        }
        // One that is not declared is not in the key, but that there are any is.
        let proxies = PROXIES.iter().filter(|name| args.contains_key(**name));
        if !seen && proxies.clone().any(|name| !in_image(name)) {
            definition.flag(ANY_PROXY, "given");
        }
        let inputs = current.map(history).into_iter().collect();
        self.push(
            Place::of(stage, instruction),
            StepKind::Run,
            definition,
            inputs,
        )
    }

    /// `performCopy`.
    fn legacy_copy(
        &mut self,
        stage: &Stage,
        instruction: &StageInstruction,
        copy: &CopyOp,
        current: Option<StepId>,
    ) -> StepId {
        let place = Place::of(stage, instruction);
        let mut definition = Definition::of(if copy.add { "add" } else { "copy" });
        definition.add(ComponentKind::Destination, "", &copy.written_destination);
        definition.flag("--chown", &copy.chown);
        let mut inputs: Vec<Input> = current.map(history).into_iter().collect();
        let mut copied = Copied {
            destination: copy.destination.clone(),
            chown: copy.chown.clone(),
            chmod: copy.chmod.clone(),
            sources: Vec::new(),
        };
        for source in &copy.sources {
            let (origin, selector) = match source {
                CopySource::Path(path) => {
                    let selector = crate::context::Sources::new([path]).selectors().pop();
                    (self.origin(place, &copy.from), selector.unwrap_or_default())
                }
                CopySource::Heredoc { name, content } => {
                    let record = file_record(0o644, content.as_bytes());
                    copied.sources.push(CopiedSource::Inline {
                        name: name.clone(),
                        node: file_node(content.as_bytes(), 0o644),
                    });
                    inputs.push(content_of(Origin::Inline(record), plain(name)));
                    continue;
                }
                CopySource::Url { address, .. } | CopySource::Git { address, .. } => {
                    let remote = Remote {
                        address: address.clone(),
                        pinned: self.download(copy, address),
                        commit: false,
                    };
                    (Some(Origin::Remote(remote)), plain("/"))
                }
            };
            let Some(origin) = origin else {
                continue;
            };
            inputs.push(content_of(origin.clone(), selector.clone()));
            copied.sources.push(CopiedSource::Selected {
                origin,
                selector,
                unpack: copy.add,
            });
        }
        definition.add(ComponentKind::Source, "", copy.sources.len().to_string());
        let kind = if copy.add {
            StepKind::Add
        } else {
            StepKind::Copy
        };
        let step = self.push(place, kind, definition, inputs);
        self.steps[step.0].copied = Some(copied);
        step
    }
}

/// What a RUN has in its key when it sees proxy arguments alone.
pub(crate) const ANY_PROXY: &str = "a proxy";

/// Whether a build argument is a proxy, which reaches every RUN.
pub(crate) fn is_proxy(name: &str) -> bool {
    PROXIES.contains(&name)
}

/// The name of an ARG and its default.
fn declaration(word: &str) -> (String, Option<String>) {
    match word.split_once('=') {
        Some((name, default)) => (name.to_owned(), Some(default.to_owned())),
        None => (word.to_owned(), None),
    }
}

/// Something that is compared with its names and modes.
fn content_of(origin: Origin, selector: Selector) -> Input {
    Input {
        origin,
        is_root: false,
        by_content: true,
        named: true,
        writable: false,
        selector: Digest::of(format!("{selector:?}")),
        selectors: vec![selector],
    }
}
