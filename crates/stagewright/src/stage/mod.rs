//! Stages as `BuildKit` resolves them: what each builds on, what holds before each instruction, and what each does.
//!
//! Rules: `frontend/dockerfile/dockerfile2llb/convert.go` at v0.32.2.

mod copy;
mod dispatch;
mod resolve;
mod run;
mod state;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use stagewright_syntax::{Keyword, Span};

pub use self::copy::{CopyOp, CopySource, From};
pub use self::resolve::{ImageConfigs, TargetError};
pub(crate) use self::state::is_root;
pub use self::state::{DEFAULT_PATH, EnvList, ImageConfig, State, join};
use crate::finding::Finding;
use crate::options::Platform;

/// The place of a stage in the file, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StageId(pub usize);

/// All stages of a file and how they hang together.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StageGraph {
    /// The stages, in the order of the file; never empty.
    pub stages: Vec<Stage>,
    /// The stage that is built.
    pub target: StageId,
    /// Arguments before the first FROM and the automatic platform arguments, as FROM sees them.
    pub global_args: EnvList,
    /// What `BuildKit` would reject, besides syntax.
    pub findings: Vec<Finding>,
}

/// A `FROM` and what follows.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stage {
    /// Its place in the file.
    pub id: StageId,
    /// Its name as written after `AS`.
    pub name: Option<String>,
    /// The index of its FROM in the file's instructions.
    pub from: usize,
    /// The line of its FROM, 1-based.
    pub line: u32,
    /// The bytes of its FROM.
    pub span: Span,
    /// What it builds on.
    pub base: Base,
    /// The platform it is built for.
    pub platform: Platform,
    /// Its instructions after FROM, those of ONBUILD triggers first.
    pub instructions: Vec<StageInstruction>,
    /// What holds at its end.
    pub end: Arc<State>,
    /// Whether the target needs it: `BuildKit` builds no other stage.
    pub reachable: bool,
    /// Stages it needs: the one it builds on and those it copies or mounts from.
    pub needs: Vec<StageId>,
}

/// What a stage builds on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Base {
    /// Nothing.
    Scratch,
    /// Another stage of the file.
    Stage(StageId),
    /// An image, by its expanded reference as written (`python:3.7`).
    Image(String),
    /// A named context of the build.
    Context(String),
    /// FROM could not be read.
    Invalid,
}

/// An instruction of a stage with everything expanded.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StageInstruction {
    /// The index in the file's instructions; for a trigger, that of the FROM it runs for.
    pub index: usize,
    /// The line, 1-based; for a trigger, that of FROM.
    pub line: u32,
    /// The bytes of the instruction.
    pub span: Span,
    /// What kind it is.
    pub keyword: Keyword,
    /// The instruction as one line: continuations joined, comments gone.
    pub text: String,
    /// Whether it comes from an ONBUILD of the base.
    pub trigger: bool,
    /// The words of an instruction that changes the configuration alone, expanded, as a history would show them.
    pub words: Vec<String>,
    /// What holds before it.
    pub before: Arc<State>,
    /// What it does to the file system.
    pub op: Op,
}

/// What an instruction does to the file system.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Op {
    /// Nothing: it changes the configuration alone.
    Config,
    /// Runs a command.
    Run(RunOp),
    /// Copies files (COPY and ADD).
    Copy(CopyOp),
    /// Makes the working directory.
    Workdir(String),
}

/// A command that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RunOp {
    /// The arguments of the process, the shell's own first where one is used.
    pub argv: Vec<String>,
    /// The script, where a POSIX-like shell runs one.
    pub script: Option<String>,
    /// The mounts, expanded.
    pub mounts: Vec<Mount>,
    /// `--network`, empty if absent.
    pub network: String,
    /// `--security`, empty if absent.
    pub security: String,
    /// A script that is mounted as a file and run because it starts with `#!`: its name and content.
    pub pipe: Option<(String, String)>,
}

/// A mount of a RUN, with its defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mount {
    /// The type.
    pub kind: MountKind,
    /// Where it is mounted, an absolute path; empty where there is no path (a secret that is only in the environment).
    pub target: String,
    /// The path in `from`.
    pub source: String,
    /// Where a bind or cache mount takes its content from.
    pub from: Option<From>,
    /// The id of a cache, a secret or an SSH agent, as `BuildKit` resolves it.
    pub id: String,
    /// Whether writes are forbidden.
    pub read_only: bool,
    /// The other options, as key and value, in order.
    pub options: Vec<(String, String)>,
}

/// The type of a mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum MountKind {
    /// Files of the context, a stage or an image.
    Bind,
    /// A directory that outlives the build and is in no layer.
    Cache,
    /// Memory.
    Tmpfs,
    /// A secret.
    Secret,
    /// An SSH agent.
    Ssh,
}

impl StageGraph {
    /// A stage by its place.
    pub fn stage(&self, id: StageId) -> &Stage {
        &self.stages[id.0]
    }

    /// The stage that is built.
    pub fn target_stage(&self) -> &Stage {
        self.stage(self.target)
    }

    /// A stage by its name, in any case; of several the last, as `COPY --from` finds it.
    pub fn find(&self, name: &str) -> Option<&Stage> {
        self.stages.iter().rev().find(|stage| {
            stage
                .name
                .as_deref()
                .is_some_and(|other| other.eq_ignore_ascii_case(name))
        })
    }

    /// The target and the stages it builds on by FROM, base first: the stages whose layers are in the image.
    pub fn chain(&self) -> Vec<StageId> {
        self.chain_of(self.target)
    }

    /// A stage and the stages it builds on by FROM, base first.
    pub(crate) fn chain_of(&self, id: StageId) -> Vec<StageId> {
        let mut chain = vec![id];
        let mut stage = self.stage(id);
        while let Base::Stage(id) = stage.base {
            chain.push(id);
            stage = self.stage(id);
        }
        chain.reverse();
        chain
    }
}

impl Stage {
    /// The name, or `stage-N` as `BuildKit` calls a stage without one.
    pub fn label(&self) -> String {
        self.name
            .clone()
            .unwrap_or_else(|| format!("stage-{}", self.id.0))
    }
}
