//! New instructions as data: a text, or an object whose first word is the instruction: `{"run": "make", "network": "none"}`.

use std::fmt;
use std::sync::Arc;

use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};
use stagewright_syntax::Dockerfile;
use stagewright_syntax::edit::EditError;
use stagewright_syntax::write::{self, Print};

use super::OperationError;

/// A new instruction, to be printed for the escape character of the file that it comes into.
///
/// In JSON it is a text, which is written as it is, or an object. Its options are those of the builders in
/// [`stagewright_syntax::write`], with the same names:
///
/// | instruction | and its options |
/// | --- | --- |
/// | `{"from": IMAGE}` | `name`, `platform` |
/// | `{"run": COMMAND}` | `mounts` (a list of [mounts](NewMount)), `network`, `security` |
/// | `{"copy": [SOURCE…], "to": PATH}` | `from`, `chown`, `chmod`, `link`, `parents`, `exclude` |
/// | `{"add": [SOURCE…], "to": PATH}` | `chown`, `chmod`, `link`, `exclude`, `checksum`, `keep_git_dir`, `unpack` |
/// | `{"env": {KEY: VALUE}}`, `{"label": {KEY: VALUE}}` | `literal`: values are exactly these texts, dollar signs included |
/// | `{"arg": NAME}` | `default` |
/// | `{"workdir": PATH}`, `{"user": USER}`, `{"stopsignal": SIGNAL}` | |
/// | `{"cmd": COMMAND}`, `{"entrypoint": COMMAND}` | |
/// | `{"shell": [WORD…]}`, `{"expose": [PORT…]}`, `{"volume": [PATH…]}` | |
/// | `{"healthcheck": COMMAND}`, `{"healthcheck": null}` for `NONE` | `interval`, `timeout`, `start_period`, `retries` |
/// | `{"onbuild": INSTRUCTION}` | |
///
/// A COMMAND is a text for the shell, or a list of words to be run without one; of `run` also `{"script": TEXT}`, which becomes a
/// heredoc, or `{"lines": [LINE…]}`, continued from one to the next. Where a list of texts stands, one text will do.
#[derive(Clone)]
pub struct NewInstruction(Arc<dyn Print + Send + Sync>);

impl fmt::Debug for NewInstruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NewInstruction")
            .field(&self.print('\\'))
            .finish()
    }
}

impl Print for NewInstruction {
    fn print(&self, escape: char) -> Result<String, EditError> {
        self.0.print(escape)
    }
}

impl NewInstruction {
    /// Reads a new instruction from its JSON form.
    pub fn from_json(json: &str) -> Result<Self, OperationError> {
        Self::from_value(serde_json::from_str(json)?)
    }

    /// As [`from_json`](Self::from_json), for JSON that is read already.
    pub fn from_value(value: Value) -> Result<Self, OperationError> {
        Ok(serde_json::from_value(value)?)
    }
}

/// A text that is written already.
struct Written(String);

impl Print for Written {
    fn print(&self, escape: char) -> Result<String, EditError> {
        self.0.as_str().print(escape)
    }
}

impl<'de> Deserialize<'de> for NewInstruction {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(text) => Ok(Self(Arc::new(Written(text)))),
            Value::Object(object) => read(object).map_err(D::Error::custom),
            _ => Err(D::Error::custom(
                "a new instruction is a text or an object such as {\"run\": \"make\"}",
            )),
        }
    }
}

fn read(object: Map<String, Value>) -> Result<NewInstruction, serde_json::Error> {
    type Read = fn(Value) -> Result<NewInstruction, serde_json::Error>;
    // `from` is also an option of `copy`, so it comes last.
    let known: [(&str, Read); 17] = [
        ("run", one::<Run>),
        ("copy", one::<Copy>),
        ("add", one::<Add>),
        ("env", one::<Env>),
        ("label", one::<Label>),
        ("arg", one::<Arg>),
        ("workdir", one::<Workdir>),
        ("user", one::<User>),
        ("stopsignal", one::<Stopsignal>),
        ("cmd", one::<Cmd>),
        ("entrypoint", one::<Entrypoint>),
        ("shell", one::<Shell>),
        ("expose", one::<Expose>),
        ("volume", one::<Volume>),
        ("healthcheck", one::<Healthcheck>),
        ("onbuild", one::<Onbuild>),
        ("from", one::<From>),
    ];
    let Some((name, read)) = known.iter().find(|(name, _)| object.contains_key(*name)) else {
        let names = known.map(|(name, _)| name).join("`, `");
        let message = format!("a new instruction has one of the keys `{names}`");
        return Err(serde_json::Error::custom(message));
    };
    read(Value::Object(object))
        .map_err(|error| serde_json::Error::custom(format!("`{name}`: {error}")))
}

/// An object that describes one instruction.
trait Describes: DeserializeOwned {
    fn build(self) -> Arc<dyn Print + Send + Sync>;
}

fn one<T: Describes>(object: Value) -> Result<NewInstruction, serde_json::Error> {
    Ok(NewInstruction(serde_json::from_value::<T>(object)?.build()))
}

/// Sets what is given.
fn with<B, T>(builder: B, value: Option<T>, set: impl Fn(B, T) -> B) -> B {
    match value {
        Some(value) => set(builder, value),
        None => builder,
    }
}

/// Switches on what is asked for.
fn when<B>(builder: B, on: bool, set: impl Fn(B) -> B) -> B {
    if on { set(builder) } else { builder }
}

/// One text or several.
#[derive(Deserialize)]
#[serde(untagged, expecting = "a text or a list of texts is wanted")]
enum Texts {
    One(String),
    Many(Vec<String>),
}

impl Texts {
    fn list(self) -> Vec<String> {
        match self {
            Self::One(text) => vec![text],
            Self::Many(list) => list,
        }
    }
}

impl Default for Texts {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

/// A command in one of its forms.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a command is a text for the shell or a list of words"
)]
enum Command {
    Shell(String),
    Exec(Vec<String>),
}

/// What a `RUN` runs.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a command is a text for the shell, a list of words, {\"script\": TEXT} or {\"lines\": [TEXT]}"
)]
enum Runs {
    Shell(String),
    Exec(Vec<String>),
    Script { script: String },
    Lines { lines: Vec<String> },
}

/// A new mount of a `RUN`: its options by name, as they stand in the flag. In JSON `{"type": "cache", "target": "/root/.cache/pip"}`; an
/// option without a value, such as `readonly`, is `true`.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Map<String, Value>")]
pub struct NewMount(pub(super) write::Mount);

impl NewMount {
    /// Reads a mount from its JSON form.
    pub fn from_json(json: &str) -> Result<Self, OperationError> {
        Self::from_value(serde_json::from_str(json)?)
    }

    /// As [`from_json`](Self::from_json), for JSON that is read already.
    pub fn from_value(value: Value) -> Result<Self, OperationError> {
        Ok(serde_json::from_value(value)?)
    }

    /// The mount.
    pub const fn mount(&self) -> &write::Mount {
        &self.0
    }
}

impl TryFrom<Map<String, Value>> for NewMount {
    type Error = String;

    fn try_from(options: Map<String, Value>) -> Result<Self, String> {
        let mut mount = write::Mount::new();
        for (name, value) in options {
            mount = match value {
                Value::String(text) => mount.option(name, text),
                Value::Number(number) => mount.option(name, number.to_string()),
                Value::Bool(true) => mount.with(name, None::<String>),
                Value::Bool(false) | Value::Null => mount,
                _ => {
                    return Err(format!(
                        "option `{name}` of a mount is a text, a number or true"
                    ));
                }
            };
        }
        Ok(Self(mount))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct From {
    from: String,
    name: Option<String>,
    platform: Option<String>,
}

impl Describes for From {
    fn build(self) -> Arc<dyn Print + Send + Sync> {
        let from = write::From::image(self.from);
        let from = with(from, self.name, write::From::named);
        Arc::new(with(from, self.platform, write::From::platform))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    run: Runs,
    #[serde(default)]
    mounts: Vec<NewMount>,
    network: Option<String>,
    security: Option<String>,
}

impl Describes for Run {
    fn build(self) -> Arc<dyn Print + Send + Sync> {
        let run = match self.run {
            Runs::Shell(command) => write::Run::shell(command),
            Runs::Exec(words) => write::Run::exec(words),
            Runs::Script { script } => write::Run::script(script),
            Runs::Lines { lines } => write::Run::lines(lines),
        };
        let mounts = self.mounts.into_iter();
        let run = mounts.fold(run, |run, mount| run.mount(mount.0));
        let run = with(run, self.network, write::Run::network);
        Arc::new(with(run, self.security, write::Run::security))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Copy {
    copy: Texts,
    to: String,
    from: Option<String>,
    chown: Option<String>,
    chmod: Option<String>,
    #[serde(default)]
    link: bool,
    #[serde(default)]
    parents: bool,
    #[serde(default)]
    exclude: Texts,
}

impl Describes for Copy {
    fn build(self) -> Arc<dyn Print + Send + Sync> {
        let copy = write::Copy::files(self.copy.list(), self.to);
        let copy = with(copy, self.from, write::Copy::from);
        let copy = with(copy, self.chown, write::Copy::chown);
        let copy = with(copy, self.chmod, write::Copy::chmod);
        let copy = when(copy, self.link, write::Copy::link);
        let copy = when(copy, self.parents, write::Copy::parents);
        let excludes = self.exclude.list().into_iter();
        Arc::new(excludes.fold(copy, write::Copy::exclude))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Add {
    add: Texts,
    to: String,
    chown: Option<String>,
    chmod: Option<String>,
    #[serde(default)]
    link: bool,
    #[serde(default)]
    exclude: Texts,
    checksum: Option<String>,
    #[serde(default, alias = "keepGitDir")]
    keep_git_dir: bool,
    unpack: Option<bool>,
}

impl Describes for Add {
    fn build(self) -> Arc<dyn Print + Send + Sync> {
        let add = write::Add::files(self.add.list(), self.to);
        let add = with(add, self.chown, write::Add::chown);
        let add = with(add, self.chmod, write::Add::chmod);
        let add = when(add, self.link, write::Add::link);
        let add = self
            .exclude
            .list()
            .into_iter()
            .fold(add, write::Add::exclude);
        let add = with(add, self.checksum, write::Add::checksum);
        let add = when(add, self.keep_git_dir, write::Add::keep_git_dir);
        Arc::new(with(add, self.unpack, write::Add::unpack))
    }
}

/// Keys and values in the order in which they are given.
#[derive(Deserialize)]
#[serde(try_from = "Map<String, Value>")]
struct Pairs(Vec<(String, String)>);

impl TryFrom<Map<String, Value>> for Pairs {
    type Error = String;

    fn try_from(pairs: Map<String, Value>) -> Result<Self, String> {
        let pairs = pairs.into_iter().map(|(key, value)| match value {
            Value::String(text) => Ok((key, text)),
            Value::Number(number) => Ok((key, number.to_string())),
            _ => Err(format!("the value of `{key}` is a text or a number")),
        });
        Ok(Self(pairs.collect::<Result<_, _>>()?))
    }
}

macro_rules! pairs {
    ($($name:ident $key:ident)*) => {$(
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $name {
            $key: Pairs,
            #[serde(default)]
            literal: bool,
        }

        impl Describes for $name {
            fn build(self) -> Arc<dyn Print + Send + Sync> {
                let pairs = self.$key.0.into_iter();
                Arc::new(pairs.fold(write::$name::new(), |all, (key, value)| {
                    if self.literal {
                        all.literal(key, value)
                    } else {
                        all.set(key, value)
                    }
                }))
            }
        }
    )*};
}

pairs!(Env env Label label);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arg {
    arg: String,
    default: Option<String>,
}

impl Describes for Arg {
    fn build(self) -> Arc<dyn Print + Send + Sync> {
        Arc::new(with(
            write::Arg::new(self.arg),
            self.default,
            write::Arg::default_value,
        ))
    }
}

macro_rules! simple {
    ($($name:ident $key:ident: $type:ty, $make:expr;)*) => {$(
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $name {
            $key: $type,
        }

        impl Describes for $name {
            fn build(self) -> Arc<dyn Print + Send + Sync> {
                let make: fn($type) -> _ = $make;
                Arc::new(make(self.$key))
            }
        }
    )*};
}

simple! {
    Workdir workdir: String, write::Workdir::new;
    User user: String, write::User::new;
    Stopsignal stopsignal: String, write::Stopsignal::new;
    Shell shell: Vec<String>, write::Shell::new;
    Volume volume: Texts, |paths| write::Volume::new(paths.list());
    Expose expose: Ports, |ports| write::Expose::new(ports.list());
    Cmd cmd: Command, |command| match command {
        Command::Shell(text) => write::Cmd::shell(text),
        Command::Exec(words) => write::Cmd::exec(words),
    };
    Entrypoint entrypoint: Command, |command| match command {
        Command::Shell(text) => write::Entrypoint::shell(text),
        Command::Exec(words) => write::Entrypoint::exec(words),
    };
    Onbuild onbuild: NewInstruction, Trigger;
}

/// A port, or several.
#[derive(Deserialize)]
#[serde(
    untagged,
    expecting = "a port is a number or a text such as 53/udp, or there is a list of them"
)]
enum Ports {
    Number(u16),
    Text(String),
    Many(Vec<Self>),
}

impl Ports {
    fn list(self) -> Vec<String> {
        match self {
            Self::Number(number) => vec![number.to_string()],
            Self::Text(text) => vec![text],
            Self::Many(ports) => ports.into_iter().flat_map(Self::list).collect(),
        }
    }
}

/// An instruction for later. What is wrong with it is said when it is printed, as of every other.
struct Trigger(NewInstruction);

impl Print for Trigger {
    fn print(&self, escape: char) -> Result<String, EditError> {
        write::Onbuild::new(&self.0)?.print(escape)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Healthcheck {
    healthcheck: Option<Command>,
    interval: Option<String>,
    timeout: Option<String>,
    #[serde(alias = "startPeriod")]
    start_period: Option<String>,
    retries: Option<u32>,
}

impl Describes for Healthcheck {
    fn build(self) -> Arc<dyn Print + Send + Sync> {
        let check = match self.healthcheck {
            None => write::Healthcheck::none(),
            Some(Command::Shell(text)) => write::Healthcheck::shell(text),
            Some(Command::Exec(words)) => write::Healthcheck::exec(words),
        };
        let check = with(check, self.interval, write::Healthcheck::interval);
        let check = with(check, self.timeout, write::Healthcheck::timeout);
        let check = with(check, self.start_period, write::Healthcheck::start_period);
        Arc::new(with(check, self.retries, write::Healthcheck::retries))
    }
}

/// The text of a new file: instructions, and lines written as they are (directives, comments, empty lines), in order.
pub fn compose<'i>(
    instructions: impl IntoIterator<Item = &'i NewInstruction>,
) -> Result<String, OperationError> {
    let mut text = String::new();
    for instruction in instructions {
        let file = Dockerfile::parse(&text);
        let lines = instruction.print(file.escape())?;
        if file.is_empty() && Dockerfile::parse(&lines).is_empty() {
            // Before the first instruction comments may be directives.
            text.push_str(lines.strip_suffix('\n').unwrap_or(&lines));
            text.push('\n');
        } else {
            text = file.append(lines.as_str())?;
        }
    }
    Ok(text)
}
