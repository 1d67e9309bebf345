//! Builders, one for each instruction.

mod files;

pub use files::{Add, Copy};

use super::{Print, flag, json_array};
use crate::edit::EditError;
use crate::instruction::{Command, ScriptForm, Sharing, View};

/// Puts the flags, if any, between name and arguments, and reads the result back.
pub(super) fn finish(
    name: &str,
    flags: &[Result<String, EditError>],
    arguments: &str,
    escape: char,
    is_same: impl FnOnce(View<'_>) -> bool,
) -> Result<String, EditError> {
    let mut text = name.to_owned();
    for flag in flags {
        text.push(' ');
        text.push_str(flag.as_ref().map_err(Clone::clone)?);
    }
    if arguments.starts_with("--") {
        // Or the arguments would be read as flags.
        text.push_str(" --");
    }
    if !arguments.is_empty() {
        text.push(' ');
        text.push_str(arguments);
    }
    let start = if escape == '`' { "# escape=`\n" } else { "" };
    let whole = format!("{start}{text}\n");
    let file = crate::Dockerfile::parse(&whole);
    let reads_back = file.len() == 1
        && file.faults_are_none()
        && file.instruction(0).span().range() == (start.len()..whole.len() - 1)
        && is_same(file.instruction(0).view());
    if reads_back {
        Ok(text)
    } else {
        Err(EditError::Unwritable { value: text })
    }
}

/// `FROM`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct From {
    image: String,
    name: Option<String>,
    platform: Option<String>,
}

impl From {
    /// A stage based on an image or another stage.
    pub fn image(image: impl Into<String>) -> Self {
        Self {
            image: image.into(),
            name: None,
            platform: None,
        }
    }

    /// Names the stage.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Sets `--platform`.
    #[must_use]
    pub fn platform(mut self, platform: impl Into<String>) -> Self {
        self.platform = Some(platform.into());
        self
    }
}

impl Print for From {
    fn print(&self, escape: char) -> Result<String, EditError> {
        let flags: Vec<_> = one("platform", self.platform.as_ref(), escape).collect();
        let arguments = match &self.name {
            Some(name) => format!("{} AS {name}", self.image),
            None => self.image.clone(),
        };
        finish("FROM", &flags, &arguments, escape, |view| match view {
            View::From(from) => {
                from.image == *self.image
                    && from.name.as_deref() == self.name.as_deref()
                    && from.platform.as_deref() == self.platform.as_deref()
            }
            _ => false,
        })
    }
}

fn one(
    name: &str,
    value: Option<&String>,
    escape: char,
) -> impl Iterator<Item = Result<String, EditError>> {
    value
        .map(|value| flag(name, Some(value), escape))
        .into_iter()
}

fn switch(name: &str, on: bool) -> impl Iterator<Item = Result<String, EditError>> {
    on.then(|| Ok(format!("--{name}"))).into_iter()
}

/// A `--mount` of `RUN`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mount(Vec<(String, Option<String>)>);

impl Mount {
    /// A mount without options yet; at least one is needed.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Adds an option, with a value or as a plain name.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: Option<impl Into<String>>) -> Self {
        self.0.push((key.into(), value.map(Into::into)));
        self
    }

    fn of(kind: &str) -> Self {
        Self(vec![("type".to_owned(), Some(kind.to_owned()))])
    }

    /// A cache that outlives the build.
    pub fn cache(target: impl Into<String>) -> Self {
        Self::of("cache").option("target", target)
    }

    /// Files of the build context, or, with [`from`](Self::from), of a stage or an image.
    pub fn bind(source: impl Into<String>, target: impl Into<String>) -> Self {
        Self::of("bind")
            .option("source", source)
            .option("target", target)
    }

    /// Memory.
    pub fn tmpfs(target: impl Into<String>) -> Self {
        Self::of("tmpfs").option("target", target)
    }

    /// A secret.
    pub fn secret(id: impl Into<String>) -> Self {
        Self::of("secret").option("id", id)
    }

    /// The socket of an SSH agent.
    pub fn ssh() -> Self {
        Self::of("ssh")
    }

    /// Adds an option with a value.
    #[must_use]
    pub fn option(self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.with(key, Some(value))
    }

    /// Sets the stage or image that the content comes from.
    #[must_use]
    pub fn from(self, from: impl Into<String>) -> Self {
        self.option("from", from)
    }

    /// Names the cache, secret or agent.
    #[must_use]
    pub fn id(self, id: impl Into<String>) -> Self {
        self.option("id", id)
    }

    /// Sets how builds share the cache.
    #[must_use]
    pub fn sharing(self, sharing: Sharing) -> Self {
        self.option("sharing", sharing.as_str())
    }

    /// Forbids writing.
    #[must_use]
    pub fn read_only(mut self) -> Self {
        self.0.push(("readonly".to_owned(), None));
        self
    }

    /// Makes the build fail if the secret or agent is missing.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.0.push(("required".to_owned(), None));
        self
    }

    /// The value of the flag.
    pub fn value(&self) -> String {
        let fields = self.0.iter().map(|(key, value)| {
            let field = match value {
                Some(value) => format!("{key}={value}"),
                None => key.clone(),
            };
            if field.contains([',', '"']) {
                format!("\"{}\"", field.replace('"', "\"\""))
            } else {
                field
            }
        });
        fields.collect::<Vec<_>>().join(",")
    }
}

/// What a builder for `RUN` runs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Runs {
    Shell(String),
    Lines(Vec<String>),
    Exec(Vec<String>),
    Script(String),
}

/// `RUN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    runs: Runs,
    mounts: Vec<Mount>,
    network: Option<String>,
    security: Option<String>,
}

impl Run {
    fn new(runs: Runs) -> Self {
        Self {
            runs,
            mounts: Vec::new(),
            network: None,
            security: None,
        }
    }

    /// A command for the shell, on one line.
    pub fn shell(command: impl Into<String>) -> Self {
        Self::new(Runs::Shell(command.into()))
    }

    /// A command for the shell over several lines, each but the first indented by four spaces; the shell gets one line.
    pub fn lines<S: Into<String>>(lines: impl IntoIterator<Item = S>) -> Self {
        Self::new(Runs::Lines(lines.into_iter().map(Into::into).collect()))
    }

    /// A program and its arguments.
    pub fn exec<S: Into<String>>(words: impl IntoIterator<Item = S>) -> Self {
        Self::new(Runs::Exec(words.into_iter().map(Into::into).collect()))
    }

    /// A script in a heredoc.
    pub fn script(body: impl Into<String>) -> Self {
        Self::new(Runs::Script(body.into()))
    }

    /// Adds a mount.
    #[must_use]
    pub fn mount(mut self, mount: Mount) -> Self {
        self.mounts.push(mount);
        self
    }

    /// Sets `--network`: `default`, `none` or `host`.
    #[must_use]
    pub fn network(mut self, mode: impl Into<String>) -> Self {
        self.network = Some(mode.into());
        self
    }

    /// Sets `--security`: `sandbox` or `insecure`.
    #[must_use]
    pub fn security(mut self, mode: impl Into<String>) -> Self {
        self.security = Some(mode.into());
        self
    }
}

impl Print for Run {
    fn print(&self, escape: char) -> Result<String, EditError> {
        let mounts = self
            .mounts
            .iter()
            .map(|mount| flag("mount", Some(&mount.value()), escape));
        let flags: Vec<_> = mounts
            .chain(one("network", self.network.as_ref(), escape))
            .chain(one("security", self.security.as_ref(), escape))
            .collect();
        let arguments = match &self.runs {
            Runs::Shell(command) => crate::go::trim(command).to_owned(),
            Runs::Lines(lines) => lines.join(&format!(" {escape}\n    ")),
            Runs::Exec(words) => json_array(words),
            Runs::Script(body) => {
                let end = heredoc_name(body);
                let break_before = if body.is_empty() || body.ends_with('\n') {
                    ""
                } else {
                    "\n"
                };
                format!("<<{end}\n{body}{break_before}{end}")
            }
        };
        finish("RUN", &flags, &arguments, escape, |view| {
            let View::Run(run) = view else { return false };
            let same_mounts = run.mounts.iter().map(|mount| mount.options.iter());
            let same_mounts = same_mounts.map(|options| {
                options
                    .map(|option| {
                        (
                            option.key.to_string(),
                            option.value.as_ref().map(ToString::to_string),
                        )
                    })
                    .collect()
            });
            same_mounts.map(Mount).eq(self.mounts.iter().cloned())
                && run.network.as_deref() == self.network.as_deref()
                && run.security.as_deref() == self.security.as_deref()
                && match (&self.runs, &run.command) {
                    (Runs::Shell(_), Command::Shell(text)) => {
                        *text == *arguments && run.heredocs.is_empty()
                    }
                    (Runs::Lines(lines), Command::Shell(text)) => {
                        *text == *crate::go::trim(&lines.join("     ")) && run.heredocs.is_empty()
                    }
                    (Runs::Exec(words), Command::Exec(found)) => same(found, words),
                    (Runs::Script(body), Command::Shell(_)) => run.script().is_some_and(|script| {
                        script.form != ScriptForm::Shell
                            && script.text.strip_suffix('\n').unwrap_or("")
                                == body.strip_suffix('\n').unwrap_or(body)
                    }),
                    _ => false,
                }
        })
    }
}

pub(super) fn same<T: AsRef<str>>(found: &[T], wanted: &[String]) -> bool {
    found
        .iter()
        .map(AsRef::as_ref)
        .eq(wanted.iter().map(String::as_str))
}

/// A name for a heredoc that no line of its body is equal to.
fn heredoc_name(body: &str) -> String {
    let mut name = "EOF".to_owned();
    while body
        .split('\n')
        .any(|line| line.trim_end_matches('\r') == name)
    {
        name.push('_');
    }
    name
}
