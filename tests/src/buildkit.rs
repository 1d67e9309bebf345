//! Our answers to the questions that `tests/oracle` answers with BuildKit's own code, in the same form.
//!
//! A question has a kind: `text` (a Dockerfile: verdict, message, line, dump, places, every instruction with its parts), `word` (an
//! expansion), `directives`, `source` (what a source of ADD names), `image` (the configuration of the image that a Dockerfile makes, or why
//! it makes none) and `ignore` (what an ignore file matches).

use serde_json::{Map, Value, json};
use stagewright::Options;
use stagewright::context::IgnoreFile;
use stagewright::finding::Severity;
use stagewright::report::BuildkitReport;
use stagewright::stage::{ImageConfig, StageGraph, TargetError};
use stagewright_syntax::expand::Expander;
use stagewright_syntax::git::{GitPart, GitRef};
use stagewright_syntax::instruction::{
    Healthcheck, HealthcheckTest, Pair, ResolvedMount, Run, Source, SourceKind,
};
use stagewright_syntax::{
    CheckOptions, Command, Dockerfile, Heredoc, Instruction, Syntax, Text, Verdict, View,
    detect_check, detect_syntax,
};

/// Our answer to a question of a kind.
pub fn answer(kind: &str, question: &Value) -> Value {
    let text = question.as_str().unwrap_or_default();
    match kind {
        "text" => file(text),
        "word" => word(question),
        "directives" => json!({
            "syntax": detect_syntax(text).as_ref().map(directive), "check": detect_check(text).as_ref().map(directive),
        }),
        "source" => source(text),
        "image" => image(question["text"].as_str().unwrap_or_default()),
        "ignore" => ignored(question),
        _ => Value::Null,
    }
}

/// The fields in which two answers differ; a single one without a name for answers that have none.
pub fn differences(kind: &str, ours: &Value, theirs: &Value) -> Vec<String> {
    match (ours, theirs) {
        // BuildKit has several answers to what it decides by chance.
        (ours, Value::Array(all)) if kind == "source" => {
            let same = all.contains(ours);
            (!same).then(String::new).into_iter().collect()
        }
        (Value::Object(ours), Value::Object(theirs)) => {
            let mut keys: Vec<&String> = ours.keys().chain(theirs.keys()).collect();
            keys.sort();
            keys.dedup();
            let get = |map: &Map<String, Value>, key: &str| map.get(key).cloned();
            keys.into_iter()
                .filter(|key| {
                    let (ours, theirs) = (get(ours, key), get(theirs, key));
                    !is_same(&ours.unwrap_or_default(), &theirs.unwrap_or_default())
                })
                .cloned()
                .collect()
        }
        _ => (ours != theirs).then(String::new).into_iter().collect(),
    }
}

/// Whether a difference is one that ARCHITECTURE lists: what is left to a real build, and comments that BuildKit cuts inside a character.
pub fn is_known(kind: &str, fields: &[String], theirs: &Value) -> bool {
    let error = theirs["error"].as_str().unwrap_or_default();
    let cut = |comment: &Value| {
        comment
            .as_str()
            .is_some_and(|text| text.starts_with('\u{fffd}'))
    };
    if kind == "source" {
        // Bytes that are no UTF-8, from percent escapes.
        let error = theirs[0]["error"].as_str().unwrap_or_default();
        return error.contains("\\x");
    }
    let mut nodes = theirs["nodes"].as_array().into_iter().flatten();
    if fields == ["nodes"] {
        return nodes.any(|node| {
            let mut comments = node["comments"].as_array().into_iter().flatten();
            comments.any(cut)
        });
    }
    kind == "image"
        && (error.contains("SOURCE_DATE_EPOCH")
            || error.starts_with("device feature is only supported")
            || error.starts_with("failed to parse platform ")
            || error.starts_with("empty platform value from expression "))
}

/// Of two names equally near to a wrong one BuildKit suggests one by chance (it goes through a Go map).
fn is_same(ours: &Value, theirs: &Value) -> bool {
    if ours == theirs {
        return true;
    }
    // Images are looked up at once, and the first to fail is told.
    let image = |message: &Value| {
        let text = message.as_str().unwrap_or_default();
        text.starts_with("failed to parse stage name ")
    };
    if image(ours) && image(theirs) {
        return true;
    }
    let stem = |message: &Value| {
        let (stem, _) = message.as_str()?.split_once(" (did you mean ")?;
        Some(stem.to_owned())
    };
    stem(ours).is_some() && stem(ours) == stem(theirs)
}

/// A Dockerfile.
fn file(text: &str) -> Value {
    let file = Dockerfile::parse(text);
    let mut answer = json!(BuildkitReport::new("", &file));
    let nodes: Option<Vec<Value>> =
        (!answer["dump"].is_null()).then(|| file.instructions().map(|one| node(&one)).collect());
    let typed: Option<Vec<Value>> =
        (answer["ok"] == true).then(|| file.instructions().map(|one| view(&one.view())).collect());
    answer["nodes"] = json!(nodes);
    answer["typed"] = json!(typed);
    answer
}

fn node(instruction: &Instruction<'_>) -> Value {
    let (first, last) = instruction.lines();
    let mut node = json!({"lines": [first, last]});
    let comments = instruction.comments();
    if !comments.is_empty() {
        node["comments"] = json!(comments);
    }
    let heredocs: Vec<Value> = instruction.heredocs().iter().map(heredoc).collect();
    if !heredocs.is_empty() {
        node["heredocs"] = json!(heredocs);
    }
    node
}

fn heredoc(heredoc: &Heredoc<'_>) -> Value {
    json!({
        "name": *heredoc.name, "content": *heredoc.content, "expand": heredoc.expand, "chomp": heredoc.chomp, "fd": heredoc.fd,
    })
}

fn words(words: &[Text<'_>]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

fn optional(text: Option<&Text<'_>>) -> String {
    text.map(ToString::to_string).unwrap_or_default()
}

fn pairs(kind: &str, pairs: &[Pair<'_>], legacy: bool) -> Value {
    let list: Vec<_> = pairs
        .iter()
        .map(|pair| [pair.key.to_string(), pair.value.to_string()])
        .collect();
    json!({kind: list, "legacy": legacy})
}

fn command(kind: &str, command: &Command<'_>) -> Value {
    match command {
        // The shell is given an empty text, whether there is one word or none.
        Command::Shell(text) if text.is_empty() => json!({kind: [], "shell": true}),
        Command::Shell(text) => json!({kind: [text.to_string()], "shell": true}),
        Command::Exec(list) => json!({kind: words(list), "shell": false}),
    }
}

fn view(view: &View<'_>) -> Value {
    match view {
        View::From(from) => json!({
            "from": *from.image, "name": from.stage_name().unwrap_or_default(), "platform": optional(from.platform.as_ref()),
        }),
        View::Arg(arg) => {
            let args = arg.args.iter();
            json!({"arg": args.map(|arg| json!([*arg.key, arg.value.as_ref().map(ToString::to_string)])).collect::<Vec<_>>()})
        }
        View::Env(env) => pairs("env", &env.pairs, env.legacy),
        View::Label(label) => pairs("label", &label.pairs, label.legacy),
        View::Maintainer(maintainer) => json!({"maintainer": *maintainer.value}),
        View::Workdir(workdir) => json!({"workdir": *workdir.value}),
        View::User(user) => json!({"user": *user.value}),
        View::Stopsignal(signal) => json!({"stopsignal": *signal.value}),
        // BuildKit trims them when it reads the file, we when variables are put in: the view is as written.
        View::Volume(volume) => {
            let paths = volume.paths.iter();
            json!({"volume": paths.map(|path| path.trim()).collect::<Vec<_>>()})
        }
        View::Expose(expose) => {
            let mut ports = words(&expose.ports);
            ports.sort();
            json!({"expose": ports})
        }
        View::Shell(shell) => json!({"shell": words(&shell.words)}),
        View::Onbuild(onbuild) => json!({"onbuild": onbuild.expression()}),
        View::Cmd(cmd) => command("cmd", &cmd.command),
        View::Entrypoint(entrypoint) => command("entrypoint", &entrypoint.command),
        View::Healthcheck(check) => healthcheck(check),
        View::Add(add) => {
            let mut value = sources("add", &add.sources, &add.destination);
            value["chown"] = optional(add.chown.as_ref()).into();
            value["chmod"] = optional(add.chmod.as_ref()).into();
            value["link"] = add.link.into();
            value["exclude"] = words(&add.excludes).into();
            value["keep_git_dir"] = add.keep_git_dir.into();
            value["checksum"] = optional(add.checksum.as_ref()).into();
            value["unpack"] = add.unpack.into();
            value
        }
        View::Copy(copy) => {
            let mut value = sources("copy", &copy.sources, &copy.destination);
            value["from"] = optional(copy.from.as_ref()).into();
            value["chown"] = optional(copy.chown.as_ref()).into();
            value["chmod"] = optional(copy.chmod.as_ref()).into();
            value["link"] = copy.link.into();
            value["exclude"] = words(&copy.excludes).into();
            value["parents"] = copy.parents.into();
            value
        }
        View::Run(one) => run(one),
        _ => Value::Null,
    }
}

fn healthcheck(check: &Healthcheck<'_>) -> Value {
    let test = match &check.test {
        HealthcheckTest::None => vec!["NONE".to_owned()],
        HealthcheckTest::Shell(text) => vec!["CMD-SHELL".to_owned(), text.to_string()],
        HealthcheckTest::Exec(list) => {
            let first = std::iter::once("CMD".to_owned());
            first.chain(words(list)).collect()
        }
    };
    let time = |value: &Option<Text<'_>>| Healthcheck::nanoseconds(value.as_ref());
    let retries = check.retries.as_ref();
    json!({
        "healthcheck": test, "interval": time(&check.interval), "timeout": time(&check.timeout),
        "start_period": time(&check.start_period), "start_interval": time(&check.start_interval),
        "retries": retries.map_or(0, |text| text.parse().unwrap_or(0)),
    })
}

fn sources(kind: &str, sources: &[Source<'_>], destination: &Text<'_>) -> Value {
    let (mut paths, mut contents) = (Vec::new(), Vec::new());
    for source in sources {
        match &source.heredoc {
            Some(heredoc) => {
                contents.push(json!([*heredoc.name, heredoc.chomped(), heredoc.expand]));
            }
            None => paths.push(source.text.to_string()),
        }
    }
    json!({kind: paths, "contents": contents, "to": **destination})
}

fn run(run: &Run<'_>) -> Value {
    let mut value = command("run", &run.command);
    let files = run.heredocs.iter();
    value["files"] = files
        .map(|file| json!([*file.name, *file.content, file.chomp]))
        .collect();
    let or = |text: Option<&Text<'_>>, default: &str| {
        text.map_or_else(|| default.to_owned(), ToString::to_string)
    };
    value["network"] = or(run.network.as_ref(), "default").into();
    value["security"] = or(run.security.as_ref(), "sandbox").into();
    let mounts: Result<Vec<Value>, String> = run
        .mounts
        .iter()
        .map(|mount| {
            let resolved = mount.resolve(|word| Ok::<_, String>(word.to_owned()));
            resolved
                .map(|found| resolved_mount(&found))
                .map_err(|error| error.message().to_owned())
        })
        .collect();
    value["mounts"] = mounts.map_or_else(Value::from, Value::from);
    value
}

fn resolved_mount(mount: &ResolvedMount) -> Value {
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    json!({
        "type": mount.kind.as_str(), "from": text(&mount.from), "source": text(&mount.source), "target": text(&mount.target),
        "ro": mount.read_only, "size": mount.size, "id": text(&mount.id),
        "sharing": mount.sharing.map_or("", stagewright_syntax::instruction::Sharing::as_str), "required": mount.required,
        "env": mount.env, "mode": mount.mode, "uid": mount.uid, "gid": mount.gid,
    })
}

/// An expansion.
fn word(question: &Value) -> Value {
    let text = question["text"].as_str().unwrap_or_default();
    let env: Vec<(&str, &str)> = question["env"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|pair| pair.as_str())
        // A variable without a value is one with an empty value (`EnvsFromSlice`).
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    let escape = question["escape"]
        .as_str()
        .and_then(|text| text.chars().next());
    let expander = Expander::new(escape.unwrap_or('\\'));
    // Go prints an empty list as null.
    let list = |mut names: Vec<String>, sort: bool| {
        if sort {
            names.sort();
        }
        if names.is_empty() {
            Value::Null
        } else {
            json!(names)
        }
    };
    let (word, word_error, matched, unmatched) = match expander.word(text, env.as_slice()) {
        Ok(found) => (
            found.value.into_owned(),
            None,
            list(found.matched, true),
            list(found.unmatched, true),
        ),
        Err(error) => (
            String::new(),
            Some(error.message().to_owned()),
            Value::Null,
            Value::Null,
        ),
    };
    let (words, words_error) = match expander.words(text, env.as_slice()) {
        Ok(words) => (list(words, false), None),
        Err(error) => (Value::Null, Some(error.message().to_owned())),
    };
    json!({
        "word": word, "word_error": word_error, "matched": matched, "unmatched": unmatched,
        "words": words, "words_error": words_error,
    })
}

fn directive(found: &Syntax) -> Value {
    json!({"reference": found.reference, "command_line": found.command_line, "line": found.line})
}

/// What a source of ADD names.
fn source(text: &str) -> Value {
    let git = |kind: &str, git: &GitRef| {
        let mut value = json!({"kind": kind, "remote": git.remote});
        let parts = [
            ("ref", &git.reference),
            ("checksum", &git.checksum),
            ("subdir", &git.subdir),
            ("mtime", &git.mtime),
        ];
        for (key, part) in parts {
            if let Some(GitPart { value: part, .. }) = part {
                value[key] = json!(part);
            }
        }
        for (key, switch) in [
            ("keep_git_dir", git.keep_git_dir),
            ("submodules", git.submodules),
        ] {
            if let Some(switch) = switch {
                value[key] = json!(switch);
            }
        }
        for (key, flag) in [
            ("fetch_by_commit", git.fetch_by_commit),
            ("like_local", git.like_local),
            ("unencrypted", git.unencrypted),
        ] {
            if flag {
                value[key] = json!(true);
            }
        }
        value
    };
    match SourceKind::parse(text) {
        Ok(SourceKind::Git(found)) => git("git", &found),
        Ok(SourceKind::Http(download)) => json!({"kind": "http", "name": download.name}),
        Err(error) => json!({"kind": "error", "error": error.message()}),
        _ => match GitRef::parse(text) {
            Ok(found) => git("path", &found),
            Err(_) => json!({"kind": "path"}),
        },
    }
}

/// The configuration of the image that a Dockerfile makes; all base images have that of the oracle.
fn image(text: &str) -> Value {
    // Said before the file is read (`dockerfile2llb/convert.go`).
    if text.is_empty() {
        return json!({"error": "the Dockerfile cannot be empty", "config": null});
    }
    if let Some(Err(error)) = detect_check(text).map(|check| CheckOptions::parse(&check.reference))
    {
        let message = format!("failed to parse check options: {error}");
        return json!({"error": message, "config": null});
    }
    let file = Dockerfile::parse(text);
    if let Verdict::Rejected { message, .. } = file.buildkit_verdict() {
        return json!({"error": message, "config": null});
    }
    let base = |_: &str| {
        let mut config = ImageConfig::default();
        config.env = vec![
            ("PATH".to_owned(), "/bin".to_owned()),
            ("BASE".to_owned(), "1".to_owned()),
        ];
        "/base".clone_into(&mut config.workdir);
        "base".clone_into(&mut config.user);
        config.cmd = Some(vec!["base".to_owned()]);
        Some(config)
    };
    let graph = match StageGraph::new(&file, &Options::default(), &base) {
        Ok(graph) => graph,
        Err(error) => return json!({"error": no_target(&error), "config": null}),
    };
    let errors = graph.findings.iter();
    let mut errors = errors.filter(|finding| finding.severity == Severity::Error);
    if let Some(error) = errors.next() {
        return json!({"error": error.message, "config": null});
    }
    json!({"error": null, "config": config(&graph.target_stage().end.config)})
}

fn no_target(error: &TargetError) -> String {
    match error {
        TargetError::NoStages => "dockerfile contains no stages to build".to_owned(),
        TargetError::Unknown { target, .. } => {
            format!("target stage {target:?} could not be found")
        }
    }
}

fn config(config: &ImageConfig) -> Value {
    let set = |names: &[String]| -> Value {
        names
            .iter()
            .map(|name| (name.clone(), json!({})))
            .collect::<Map<_, _>>()
            .into()
    };
    let env = config.env.iter();
    // No working directory is the root, and so it is said.
    let workdir = config
        .workdir
        .strip_prefix('/')
        .filter(|rest| rest.is_empty())
        .unwrap_or(&config.workdir);
    let all = [
        (
            "Env",
            env.map(|(key, value)| format!("{key}={value}")).collect(),
        ),
        ("WorkingDir", json!(workdir)),
        ("User", json!(config.user)),
        ("Shell", json!(config.shell)),
        ("Entrypoint", json!(config.entrypoint)),
        ("Cmd", json!(config.cmd)),
        ("ExposedPorts", set(&config.ports)),
        ("Volumes", set(&config.volumes)),
        ("Labels", json!(config.labels)),
        ("StopSignal", json!(config.stop_signal)),
        ("OnBuild", json!(config.onbuild)),
    ];
    let there = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(map) => !map.is_empty(),
        _ => true,
    };
    let mut found: Map<String, Value> = all
        .into_iter()
        .filter(|(_, value)| there(value))
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
    if let Some(test) = &config.healthcheck {
        found.insert("Healthcheck".to_owned(), json!(test));
    }
    found.into()
}

/// What an ignore file matches.
fn ignored(question: &Value) -> Value {
    let text = question["text"].as_str().unwrap_or_default();
    let Ok(file) = IgnoreFile::parse(text) else {
        return json!({"error": true, "matched": null});
    };
    let paths = question["paths"].as_array().into_iter().flatten();
    let matched: Vec<&str> = paths
        .filter_map(Value::as_str)
        .filter(|path| file.ignores(path))
        .collect();
    json!({"error": false, "matched": matched})
}
