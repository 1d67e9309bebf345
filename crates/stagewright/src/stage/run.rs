//! RUN, CMD and ENTRYPOINT: what really runs, and with which mounts.
//!
//! Rules: `convert.go` (`dispatchRun`, `withShell`) and `convert_runmount.go` (`dispatchRunMounts`) at v0.32.2.

use std::sync::Arc;

use stagewright_syntax::instruction::{self, ResolvedMount, Run, ScriptForm};
use stagewright_syntax::{Command, Span, quote};

use super::resolve::{Resolver, Walk};
use super::state::{ImageConfig, State, join};
use super::{From, Mount, MountKind, RunOp};

impl Resolver<'_, '_> {
    pub(super) fn run(&mut self, run: &Run<'_>, state: &Arc<State>, walk: &mut Walk) -> RunOp {
        let mut op = RunOp {
            argv: Vec::new(),
            script: None,
            mounts: Vec::new(),
            network: run.network.as_deref().unwrap_or_default().to_owned(),
            security: run.security.as_deref().unwrap_or_default().to_owned(),
            pipe: None,
        };
        match run.script() {
            None => op.argv = argv(&run.command, &state.config),
            Some(script) => {
                let shell = state.config.shell();
                let text = script.text.to_string();
                if script.form == ScriptForm::File {
                    // A body that starts with `#!` is mounted as a file, and that file is run.
                    let name = run
                        .heredocs
                        .first()
                        .map(|heredoc| heredoc.name.to_string())
                        .unwrap_or_default();
                    op.argv = shell
                        .iter()
                        .cloned()
                        .chain([format!("/dev/pipes/{name}")])
                        .collect();
                    op.script = is_shell(&first_line_program(&text)).then(|| text.clone());
                    op.pipe = Some((name, text));
                } else {
                    op.argv = shell.iter().cloned().chain([text.clone()]).collect();
                    op.script = shell
                        .first()
                        .is_some_and(|program| is_shell(program))
                        .then_some(text);
                }
            }
        }
        for mount in &run.mounts {
            let env = &state.env;
            let expander = &self.expander;
            match mount.resolve(|word| {
                expander
                    .word(word, env)
                    .map(|expanded| expanded.value.into_owned())
            }) {
                Ok(resolved) => {
                    let mount = self.mount(&resolved, state, walk, mount.span);
                    op.mounts.push(mount);
                }
                Err(error) => self.problem(error.code(), error.span(), error.message()),
            }
        }
        op
    }

    fn mount(
        &mut self,
        mount: &ResolvedMount,
        state: &State,
        walk: &mut Walk,
        span: Span,
    ) -> Mount {
        use instruction::MountKind as Syntax;
        let kind = match mount.kind {
            Syntax::Cache => MountKind::Cache,
            Syntax::Tmpfs => MountKind::Tmpfs,
            Syntax::Secret => MountKind::Secret,
            Syntax::Ssh => MountKind::Ssh,
            _ => MountKind::Bind,
        };
        let target = mount
            .target
            .as_deref()
            .map(|target| join(state.workdir(), target))
            .unwrap_or_default();
        if matches!(kind, MountKind::Bind | MountKind::Cache | MountKind::Tmpfs) && target == "/" {
            self.problem("invalid-mount", span, "invalid mount target \"/\"");
        }
        let from = mount.from.as_ref().filter(|name| !name.is_empty());
        let from = match (from, kind) {
            (Some(name), MountKind::Bind | MountKind::Cache) => {
                Some(self.mount_from(name, span, walk))
            }
            (None, MountKind::Bind) => Some(From::Context),
            _ => None,
        };
        let id = match (&mount.id, kind) {
            // A cache without an id is named by its target as written (`path.Clean`).
            (None, MountKind::Cache) => clean(mount.target.as_deref().unwrap_or_default()),
            (id, _) => id.clone().unwrap_or_default(),
        };
        let mut options = Vec::new();
        let mut option = |name: &str, value: Option<String>| {
            options.extend(value.map(|value| (name.to_owned(), value)));
        };
        option(
            "sharing",
            mount.sharing.map(|sharing| sharing.as_str().to_owned()),
        );
        option("required", mount.required.then(|| "true".to_owned()));
        option("size", (mount.size != 0).then(|| mount.size.to_string()));
        option("mode", mount.mode.map(|mode| format!("{mode:o}")));
        option("uid", mount.uid.map(|uid| uid.to_string()));
        option("gid", mount.gid.map(|gid| gid.to_string()));
        option("env", mount.env.clone());
        Mount {
            kind,
            target,
            source: mount.source.clone().unwrap_or_default(),
            from,
            id,
            read_only: mount.read_only,
            options,
        }
    }

    /// `detectRunMount`: names only, no indexes; a stage that is not there yet is an error.
    fn mount_from(&mut self, name: &str, span: Span, walk: &mut Walk) -> From {
        let stage = self.stage_named(name);
        self.edges.extend(stage.map(|stage| (walk.id, stage)));
        match stage {
            Some(stage) if stage >= walk.id => {
                self.problem(
                    "mount-from-later-stage",
                    span,
                    format!("cannot mount from stage {}, stage needs to be defined before current command", quote(name)),
                );
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

/// The words of a process, the shell's own first in shell form (`withShell`).
pub(super) fn argv(command: &Command<'_>, config: &ImageConfig) -> Vec<String> {
    match command {
        Command::Exec(words) => words.iter().map(ToString::to_string).collect(),
        Command::Shell(text) => config
            .shell()
            .into_iter()
            .chain([text.to_string()])
            .collect(),
    }
}

/// Whether a program reads scripts as POSIX shells do.
fn is_shell(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or(program);
    matches!(
        name,
        "sh" | "bash" | "ash" | "dash" | "busybox" | "ksh" | "zsh"
    )
}

/// The interpreter after `#!`.
fn first_line_program(text: &str) -> String {
    let line = text
        .split('\n')
        .next()
        .unwrap_or_default()
        .trim_start_matches("#!");
    let mut words = line.split_ascii_whitespace();
    match words.next() {
        Some(env) if env.ends_with("/env") => words.next().unwrap_or_default().to_owned(),
        program => program.unwrap_or_default().to_owned(),
    }
}

/// Go's `path.Clean`.
fn clean(path: &str) -> String {
    let absolute = path.starts_with('/');
    let joined = join("/", path);
    if absolute {
        joined
    } else {
        joined.trim_start_matches('/').to_owned()
    }
}
