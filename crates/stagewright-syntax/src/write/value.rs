//! Builders for instructions that hold values, commands or lists.

use super::builder::{finish, same};
use super::{Print, flag, json_array, literal, value};
use crate::edit::EditError;
use crate::expand::Expander;
use crate::instruction::{Command, HealthcheckTest, Pair, View};

/// A value: with variables, or as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Value {
    text: String,
    variables: bool,
}

impl Value {
    fn print(&self, escape: char) -> Result<String, EditError> {
        if self.variables {
            value(&self.text, escape)
        } else {
            literal(&self.text, escape)
        }
    }
}

/// Whether what was read stands for what was meant.
fn is_pair(pair: &Pair<'_>, key: &str, wanted: &Value, escape: char) -> bool {
    if pair.key != *key {
        return false;
    }
    if wanted.variables {
        return wanted.print(escape).is_ok_and(|text| pair.value == *text);
    }
    Expander::new(escape)
        .word(&pair.value, &())
        .is_ok_and(|expanded| expanded.value == wanted.text)
}

macro_rules! pairs {
    ($(#[$doc:meta] $name:ident $word:literal)*) => {$(
        #[$doc]
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name(Vec<(String, Value)>);

        impl $name {
            /// No keys yet; at least one is needed.
            pub const fn new() -> Self {
                Self(Vec::new())
            }

            /// Adds a key with a value in which variables are expanded.
            #[must_use]
            pub fn set(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
                self.0.push((key.into(), Value { text: value.into(), variables: true }));
                self
            }

            /// Adds a key with exactly this value.
            #[must_use]
            pub fn literal(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
                self.0.push((key.into(), Value { text: value.into(), variables: false }));
                self
            }
        }

        impl Print for $name {
            fn print(&self, escape: char) -> Result<String, EditError> {
                let mut words = Vec::with_capacity(self.0.len());
                for (key, value) in &self.0 {
                    words.push(format!("{key}={}", value.print(escape)?));
                }
                finish($word, &[], &words.join(" "), escape, |view| match view {
                    View::$name(found) => {
                        found.pairs.len() == self.0.len()
                            && found.pairs.iter().zip(&self.0).all(|(pair, (key, value))| is_pair(pair, key, value, escape))
                    }
                    _ => false,
                })
            }
        }
    )*};
}

pairs! {
    /// `ENV`.
    Env "ENV"
    /// `LABEL`.
    Label "LABEL"
}

/// `ARG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arg {
    name: String,
    default: Option<Value>,
}

impl Arg {
    /// A build argument without a default.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            default: None,
        }
    }

    /// Sets the default, in which variables are expanded.
    #[must_use]
    pub fn default_value(mut self, default: impl Into<String>) -> Self {
        self.default = Some(Value {
            text: default.into(),
            variables: true,
        });
        self
    }
}

impl Print for Arg {
    fn print(&self, escape: char) -> Result<String, EditError> {
        let default = self
            .default
            .as_ref()
            .map(|default| default.print(escape))
            .transpose()?;
        let word = match &default {
            Some(default) => format!("{}={default}", self.name),
            None => self.name.clone(),
        };
        finish("ARG", &[], &word, escape, |view| match view {
            View::Arg(arg) => {
                arg.args.len() == 1
                    && arg.args[0].key == *self.name
                    && arg.args[0].value.as_deref() == default.as_deref()
            }
            _ => false,
        })
    }
}

macro_rules! wholes {
    ($(#[$doc:meta] $name:ident $word:literal)*) => {$(
        #[$doc]
        ///
        /// The text is written as it is: quotes and variables work.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(pub String);

        impl $name {
            /// An instruction with this argument.
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }
        }

        impl Print for $name {
            fn print(&self, escape: char) -> Result<String, EditError> {
                finish($word, &[], &self.0, escape, |view| match view {
                    View::$name(found) => found.value == *self.0,
                    _ => false,
                })
            }
        }
    )*};
}

wholes! {
    /// `WORKDIR`.
    Workdir "WORKDIR"
    /// `USER`.
    User "USER"
    /// `STOPSIGNAL`.
    Stopsignal "STOPSIGNAL"
}

/// A command in one of its forms.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    Shell(String),
    Exec(Vec<String>),
}

impl Form {
    fn print(&self) -> String {
        match self {
            Self::Shell(command) => crate::go::trim(command).to_owned(),
            Self::Exec(words) => json_array(words),
        }
    }

    fn is_same(&self, command: &Command<'_>) -> bool {
        match (self, command) {
            (Self::Shell(_), Command::Shell(text)) => *text == *self.print(),
            (Self::Exec(words), Command::Exec(found)) => same(found, words),
            _ => false,
        }
    }
}

macro_rules! commands {
    ($(#[$doc:meta] $name:ident $word:literal)*) => {$(
        #[$doc]
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(Form);

        impl $name {
            /// A command for the shell.
            pub fn shell(command: impl Into<String>) -> Self {
                Self(Form::Shell(command.into()))
            }

            /// A program and its arguments.
            pub fn exec<S: Into<String>>(words: impl IntoIterator<Item = S>) -> Self {
                Self(Form::Exec(words.into_iter().map(Into::into).collect()))
            }
        }

        impl Print for $name {
            fn print(&self, escape: char) -> Result<String, EditError> {
                finish($word, &[], &self.0.print(), escape, |view| match view {
                    View::$name(found) => self.0.is_same(&found.command),
                    _ => false,
                })
            }
        }
    )*};
}

commands! {
    /// `CMD`.
    Cmd "CMD"
    /// `ENTRYPOINT`.
    Entrypoint "ENTRYPOINT"
}

/// `HEALTHCHECK`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healthcheck {
    test: Option<Form>,
    flags: Vec<(&'static str, String)>,
}

impl Healthcheck {
    /// Switches the check of the base image off.
    pub const fn none() -> Self {
        Self {
            test: None,
            flags: Vec::new(),
        }
    }

    /// A command for the shell.
    pub fn shell(command: impl Into<String>) -> Self {
        Self {
            test: Some(Form::Shell(command.into())),
            flags: Vec::new(),
        }
    }

    /// A program and its arguments.
    pub fn exec<S: Into<String>>(words: impl IntoIterator<Item = S>) -> Self {
        Self {
            test: Some(Form::Exec(words.into_iter().map(Into::into).collect())),
            flags: Vec::new(),
        }
    }

    /// Sets `--interval`, a Go duration such as `30s`.
    #[must_use]
    pub fn interval(mut self, duration: impl Into<String>) -> Self {
        self.flags.push(("interval", duration.into()));
        self
    }

    /// Sets `--timeout`, a Go duration.
    #[must_use]
    pub fn timeout(mut self, duration: impl Into<String>) -> Self {
        self.flags.push(("timeout", duration.into()));
        self
    }

    /// Sets `--start-period`, a Go duration.
    #[must_use]
    pub fn start_period(mut self, duration: impl Into<String>) -> Self {
        self.flags.push(("start-period", duration.into()));
        self
    }

    /// Sets `--retries`.
    #[must_use]
    pub fn retries(mut self, retries: u32) -> Self {
        self.flags.push(("retries", retries.to_string()));
        self
    }
}

impl Print for Healthcheck {
    fn print(&self, escape: char) -> Result<String, EditError> {
        let flags: Vec<_> = self
            .flags
            .iter()
            .map(|(name, value)| flag(name, Some(value), escape))
            .collect();
        let arguments = match &self.test {
            None => "NONE".to_owned(),
            Some(form) => format!("CMD {}", form.print()),
        };
        finish(
            "HEALTHCHECK",
            &flags,
            &arguments,
            escape,
            |view| match view {
                View::Healthcheck(found) => match (&self.test, &found.test) {
                    (None, HealthcheckTest::None) => self.flags.is_empty(),
                    (Some(Form::Shell(_)), HealthcheckTest::Shell(text)) => *text == arguments[4..],
                    (Some(Form::Exec(words)), HealthcheckTest::Exec(found)) => same(found, words),
                    _ => false,
                },
                _ => false,
            },
        )
    }
}

/// `SHELL`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shell(Vec<String>);

impl Shell {
    /// The words before the command; at least one.
    pub fn new<S: Into<String>>(words: impl IntoIterator<Item = S>) -> Self {
        Self(words.into_iter().map(Into::into).collect())
    }
}

impl Print for Shell {
    fn print(&self, escape: char) -> Result<String, EditError> {
        finish(
            "SHELL",
            &[],
            &json_array(&self.0),
            escape,
            |view| match view {
                View::Shell(found) => same(&found.words, &self.0),
                _ => false,
            },
        )
    }
}

/// `EXPOSE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expose(Vec<String>);

impl Expose {
    /// Ports, each with a protocol or none; at least one.
    pub fn new<S: ToString>(ports: impl IntoIterator<Item = S>) -> Self {
        Self(ports.into_iter().map(|port| port.to_string()).collect())
    }
}

impl Print for Expose {
    fn print(&self, escape: char) -> Result<String, EditError> {
        finish(
            "EXPOSE",
            &[],
            &self.0.join(" "),
            escape,
            |view| match view {
                View::Expose(found) => same(&found.ports, &self.0),
                _ => false,
            },
        )
    }
}

/// `VOLUME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Volume(Vec<String>);

impl Volume {
    /// Paths; at least one.
    pub fn new<S: Into<String>>(paths: impl IntoIterator<Item = S>) -> Self {
        Self(paths.into_iter().map(Into::into).collect())
    }
}

impl Print for Volume {
    fn print(&self, escape: char) -> Result<String, EditError> {
        finish(
            "VOLUME",
            &[],
            &json_array(&self.0),
            escape,
            |view| match view {
                View::Volume(found) => same(&found.paths, &self.0),
                _ => false,
            },
        )
    }
}

/// `ONBUILD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Onbuild(String);

impl Onbuild {
    /// The instruction for images built on this one. Triggers are read with the backslash for escape character.
    ///
    /// An error if that instruction cannot be written.
    pub fn new(instruction: &impl Print) -> Result<Self, EditError> {
        Ok(Self(instruction.print('\\')?))
    }
}

impl Print for Onbuild {
    fn print(&self, escape: char) -> Result<String, EditError> {
        finish("ONBUILD", &[], &self.0, escape, |view| match view {
            View::Onbuild(found) => found.nested().is_ok(),
            _ => false,
        })
    }
}
