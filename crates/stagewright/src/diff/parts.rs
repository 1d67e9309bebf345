//! What an instruction is made of, what holds where it stands, and what a container gets: each as named values that can be compared.

use std::collections::BTreeMap;

use serde::Serialize;
use stagewright_syntax::Keyword;

use crate::stage::{
    CopyOp, CopySource, From, ImageConfig, Mount, MountKind, Op, RunOp, StageGraph,
    StageInstruction, State,
};

/// One thing that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Part {
    /// What it is. Of an instruction: `instruction` (its name), `command`, `mount`, `source`, `from`, `destination`, `flag` or `value`;
    /// of what holds before it: `variable`, `working-directory`, `user` or `shell`; of an image's configuration: `env`, `user`,
    /// `entrypoint`, `cmd`, `workdir`, `port`, `volume`, `label`, `stop-signal`, `healthcheck`, `shell` or `onbuild`.
    pub part: &'static str,
    /// Which of several: the name of a flag, variable or label, the target of a mount; empty where there is only one.
    pub name: String,
    /// The value before, if there was one. Lists of words are JSON.
    pub before: Option<String>,
    /// The value after, if there is one.
    pub after: Option<String>,
}

/// A named value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    part: &'static str,
    name: String,
    value: String,
}

/// Collects named values; those that are empty are not there.
#[derive(Default)]
struct Entries(Vec<Entry>);

impl Entries {
    fn add(&mut self, part: &'static str, name: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.push(Entry {
                part,
                name: name.to_owned(),
                value,
            });
        }
    }

    fn flag(&mut self, name: &str, set: bool) {
        self.add("flag", name, if set { "true" } else { "" });
    }
}

/// Words as JSON: what a list says of them, and a text does not.
fn list(words: &[String]) -> String {
    serde_json::to_string(words).expect("a list of texts is JSON")
}

/// What an instruction is made of, variables put in.
pub(super) fn of_instruction(instruction: &StageInstruction, graph: &StageGraph) -> Vec<Entry> {
    let mut entries = Entries::default();
    entries.add("instruction", "", instruction.keyword.as_str());
    match &instruction.op {
        Op::Run(run) => of_run(run, graph, &mut entries),
        Op::Copy(copy) => of_copy(copy, graph, &mut entries),
        Op::Workdir(path) => entries.add("value", "", path),
        Op::Config if instruction.words.is_empty() => entries.add("value", "", &instruction.text),
        Op::Config
            if matches!(
                instruction.keyword,
                Keyword::Cmd | Keyword::Entrypoint | Keyword::Shell
            ) =>
        {
            entries.add("value", "", list(&instruction.words));
        }
        Op::Config => entries.add("value", "", instruction.words.join(" ")),
    }
    entries.0
}

fn of_run(run: &RunOp, graph: &StageGraph, entries: &mut Entries) {
    let piped = run.pipe.as_ref().map(|(_, content)| content);
    match piped.or(run.script.as_ref()) {
        Some(script) => entries.add("command", "", script),
        None => entries.add("command", "", list(&run.argv)),
    }
    for mount in &run.mounts {
        let name = if mount.target.is_empty() {
            &mount.id
        } else {
            &mount.target
        };
        entries.add("mount", name, of_mount(mount, graph));
    }
    entries.add("flag", "network", &run.network);
    entries.add("flag", "security", &run.security);
}

fn of_mount(mount: &Mount, graph: &StageGraph) -> String {
    let kind = match mount.kind {
        MountKind::Bind => "bind",
        MountKind::Cache => "cache",
        MountKind::Tmpfs => "tmpfs",
        MountKind::Secret => "secret",
        MountKind::Ssh => "ssh",
    };
    let mut text = format!("type={kind}");
    let from = mount.from.as_ref().map(|from| origin(from, graph));
    let given = [
        ("id", mount.id.as_str()),
        ("from", from.as_deref().unwrap_or_default()),
        ("source", mount.source.as_str()),
    ];
    let options = mount
        .options
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    for (key, value) in given.into_iter().chain(options) {
        if !value.is_empty() {
            text.push_str(&format!(",{key}={value}"));
        }
    }
    // What is bound cannot be written unless that is said; everything else can.
    if mount.read_only != (mount.kind == MountKind::Bind) {
        text.push_str(if mount.read_only {
            ",readonly"
        } else {
            ",readwrite"
        });
    }
    text
}

fn origin(from: &From, graph: &StageGraph) -> String {
    match from {
        From::Context => String::new(),
        From::Stage(id) => graph.stage(*id).label(),
        From::Image(name) | From::Named(name) => name.clone(),
    }
}

fn of_copy(copy: &CopyOp, graph: &StageGraph, entries: &mut Entries) {
    entries.add("from", "", origin(&copy.from, graph));
    for source in &copy.sources {
        match source {
            CopySource::Path(path) => entries.add("source", "", path),
            CopySource::Heredoc { name, content } => entries.add("source", name, content),
            CopySource::Url { address, .. } | CopySource::Git { address, .. } => {
                entries.add("source", "", address);
            }
        }
    }
    entries.add("destination", "", &copy.destination);
    entries.add("flag", "chown", &copy.chown);
    entries.add("flag", "chmod", &copy.chmod);
    entries.flag("link", copy.link);
    entries.flag("parents", copy.parents);
    for pattern in &copy.excludes {
        entries.add("flag", "exclude", pattern);
    }
    entries.add("flag", "checksum", &copy.checksum);
    let told = |flag: Option<bool>| flag.map(|flag| flag.to_string()).unwrap_or_default();
    entries.add("flag", "keep-git-dir", told(copy.keep_git_dir));
    entries.add("flag", "unpack", told(copy.unpack));
}

/// What a command sees of what stands before it.
pub(super) fn of_state(state: &State) -> Vec<Entry> {
    let mut entries = Entries::default();
    for (name, value) in state.env.iter() {
        // A variable that is empty is set.
        entries.0.push(Entry {
            part: "variable",
            name: name.to_owned(),
            value: value.to_owned(),
        });
    }
    entries.add("working-directory", "", state.workdir());
    entries.add("user", "", &state.config.user);
    entries.add("shell", "", list(&state.config.shell()));
    entries.0
}

/// What a container gets.
pub(super) fn of_config(config: &ImageConfig) -> Vec<Entry> {
    let mut entries = Entries::default();
    for (name, value) in &config.env {
        entries.0.push(Entry {
            part: "env",
            name: name.clone(),
            value: value.clone(),
        });
    }
    entries.add("user", "", &config.user);
    let words = |words: &Option<Vec<String>>| words.as_deref().map(list).unwrap_or_default();
    entries.add("entrypoint", "", words(&config.entrypoint));
    entries.add("cmd", "", words(&config.cmd));
    entries.add("workdir", "", &config.workdir);
    for port in &config.ports {
        entries.add("port", port, port);
    }
    for volume in &config.volumes {
        entries.add("volume", volume, volume);
    }
    for (name, value) in &config.labels {
        entries.0.push(Entry {
            part: "label",
            name: name.clone(),
            value: value.clone(),
        });
    }
    entries.add("stop-signal", "", &config.stop_signal);
    entries.add("healthcheck", "", words(&config.healthcheck));
    if !config.shell.is_empty() {
        entries.add("shell", "", list(&config.shell));
    }
    for trigger in &config.onbuild {
        entries.add("onbuild", "", trigger);
    }
    entries.0
}

/// What differs between two lists of named values. Of several values of one name those that both have are the same, and the others
/// stand against each other in their order.
pub(super) fn difference(before: &[Entry], after: &[Entry]) -> Vec<Part> {
    type Values<'e> = (Vec<&'e str>, Vec<&'e str>);
    let mut order = Vec::new();
    let mut values: BTreeMap<(&'static str, &str), Values<'_>> = BTreeMap::new();
    for (entries, is_after) in [(before, false), (after, true)] {
        for Entry { part, name, value } in entries {
            let key = (*part, name.as_str());
            let (was, is) = values.entry(key).or_insert_with(|| {
                order.push(key);
                Values::default()
            });
            if is_after { is } else { was }.push(value);
        }
    }
    let mut parts = Vec::new();
    for key in order {
        let (was, is) = &values[&key];
        let pairs = crate::align::common(was, is, |one, two| one == two);
        let rest = |list: &[&str], place: fn(&(usize, usize)) -> usize| -> Vec<String> {
            let kept: std::collections::BTreeSet<usize> = pairs.iter().map(place).collect();
            let rest = list.iter().enumerate().filter(|(at, _)| !kept.contains(at));
            rest.map(|(_, value)| (*value).to_owned()).collect()
        };
        let mut gone = rest(was, |pair| pair.0).into_iter();
        let mut new = rest(is, |pair| pair.1).into_iter();
        loop {
            let (before, after) = (gone.next(), new.next());
            if before.is_none() && after.is_none() {
                break;
            }
            parts.push(Part {
                part: key.0,
                name: key.1.to_owned(),
                before,
                after,
            });
        }
    }
    parts
}
