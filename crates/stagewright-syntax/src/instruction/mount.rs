//! `RUN --mount=…` and `RUN --device=…` (`instructions/commands_runmount.go`, `commands_rundevice.go`).

mod resolve;

pub use resolve::{MountError, ResolvedMount};

use crate::csv;
use crate::error::ErrorKind;
use crate::go;
use crate::parts::Fault;
use crate::suggest;
use crate::text::{Span, Text, offset};
use resolve::invalid;

/// One `key=value` or `key` of a mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountOption<'t> {
    /// The key as written; keys have no case.
    pub key: Text<'t>,
    /// The value as written: variables stand.
    pub value: Option<Text<'t>>,
}

impl MountOption<'_> {
    /// From the key to the end of the value.
    pub fn span(&self) -> Span {
        let key = self.key.span;
        self.value
            .as_ref()
            .map_or(key, |value| key.cover(value.span))
    }
}

/// A `--mount` of `RUN` as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount<'t> {
    /// The options in order.
    pub options: Vec<MountOption<'t>>,
    /// The value of the flag.
    pub span: Span,
}

/// What a mount holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum MountKind {
    /// Files of the build context, a stage or an image.
    #[default]
    Bind,
    /// A folder that outlives the build.
    Cache,
    /// Memory.
    Tmpfs,
    /// A secret.
    Secret,
    /// The socket of an SSH agent.
    Ssh,
}

impl MountKind {
    const ALL: [Self; 5] = [
        Self::Bind,
        Self::Cache,
        Self::Tmpfs,
        Self::Secret,
        Self::Ssh,
    ];

    /// The name as it stands in `type=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bind => "bind",
            Self::Cache => "cache",
            Self::Tmpfs => "tmpfs",
            Self::Secret => "secret",
            Self::Ssh => "ssh",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let name = go::lower(name);
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How builds share a cache mount.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Sharing {
    /// All at once.
    Shared,
    /// Each its own.
    Private,
    /// One after the other.
    Locked,
}

impl Sharing {
    const ALL: [Self; 3] = [Self::Shared, Self::Private, Self::Locked];

    /// The name as it stands in `sharing=`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shared => "shared",
            Self::Private => "private",
            Self::Locked => "locked",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        let name = go::lower(name);
        Self::ALL
            .into_iter()
            .find(|sharing| sharing.as_str() == name)
    }
}

impl<'t> Mount<'t> {
    /// Reads the value of the flag. Before variables are known only its form and `from` are checked.
    pub(super) fn build(value: &Text<'t>) -> Result<Self, Fault> {
        let fields = csv::fields(value).map_err(|why| {
            let message = format!("failed to parse csv mounts: {why}");
            Fault::new(ErrorKind::InvalidMount, message, value.span)
        })?;
        let mut options = Vec::with_capacity(fields.len());
        for (field, range) in fields {
            let quoted = field.len() != range.len();
            let part = |start: usize, end: usize| -> Text<'t> {
                let whole = sub(value, range.clone());
                if quoted {
                    Text {
                        value: field[start..end].to_owned().into(),
                        span: whole.span,
                    }
                } else {
                    sub(value, range.start + start..range.start + end)
                }
            };
            let option = match field.find('=') {
                Some(equals) => MountOption {
                    key: part(0, equals),
                    value: Some(part(equals + 1, field.len())),
                },
                None => MountOption {
                    key: part(0, field.len()),
                    value: None,
                },
            };
            if let Some(from) = &option.value
                && go::lower(&option.key) == "from"
                && from.find('$').is_some_and(|at| at + 1 != from.len())
            {
                return Err(Fault::new(
                    ErrorKind::InvalidMount,
                    "'from' doesn't support variable expansion, define alias stage instead",
                    from.span,
                ));
            }
            options.push(option);
        }
        Ok(Self {
            options,
            span: value.span,
        })
    }

    /// The value of the last option with one of these keys.
    fn value(&self, keys: &[&str]) -> Option<&Text<'t>> {
        let options = self.options.iter().rev();
        let mut named =
            options.filter(|option| keys.iter().any(|key| option.key.eq_ignore_ascii_case(key)));
        named.find_map(|option| option.value.as_ref())
    }

    /// What the mount holds, if `type` is a plain name or missing.
    pub fn kind(&self) -> Option<MountKind> {
        self.value(&["type"])
            .map_or(Some(MountKind::Bind), |kind| MountKind::parse(kind))
    }

    /// Where it is mounted, as written.
    pub fn target(&self) -> Option<&Text<'t>> {
        self.value(&["target", "dst", "destination"])
    }

    /// The path in its source, as written.
    pub fn source(&self) -> Option<&Text<'t>> {
        self.value(&["source", "src"])
    }

    /// The stage, image or named context it takes its content from.
    pub fn from(&self) -> Option<&Text<'t>> {
        self.value(&["from"])
    }

    /// The name of the cache, secret or agent, as written.
    pub fn id(&self) -> Option<&Text<'t>> {
        self.value(&["id"])
    }

    /// How builds share the cache, if that is a plain name.
    pub fn sharing(&self) -> Option<Sharing> {
        self.value(&["sharing"])
            .and_then(|sharing| Sharing::parse(sharing))
    }
}

/// A part of a flag's value with its own span, if the value stands in the source as it is.
fn sub<'t>(text: &Text<'t>, range: std::ops::Range<usize>) -> Text<'t> {
    match text.value {
        std::borrow::Cow::Borrowed(value) if value.len() == text.span.len() as usize => Text {
            span: Span::new(
                text.span.start + offset(range.start),
                text.span.start + offset(range.end),
            ),
            value: value[range].into(),
        },
        _ => Text {
            value: text.value[range].to_owned().into(),
            span: text.span,
        },
    }
}

/// Checks a `--device` (`ParseDevice`).
pub(super) fn check_device(value: &Text<'_>) -> Result<(), Fault> {
    let fault = |message: String| Err(Fault::new(ErrorKind::InvalidMount, message, value.span));
    let fields = match csv::fields(value) {
        Ok(fields) => fields,
        Err(why) => return fault(format!("failed to parse csv devices: {why}")),
    };
    let mut name = String::new();
    for (field, _) in fields {
        let (key, setting) = match field.split_once('=') {
            Some((key, setting)) => (go::lower(key), Some(setting)),
            None => (go::lower(&field), None),
        };
        match (key.as_str(), setting) {
            ("required", None) => {}
            ("required", Some(setting)) => {
                if go::parse_bool(setting).is_none() {
                    return fault(invalid("required", setting));
                }
            }
            ("name", Some(setting)) => {
                if !name.is_empty() {
                    return fault(format!("device name already set to {name}"));
                }
                setting.clone_into(&mut name);
            }
            _ if name.is_empty() => name = field.into_owned(),
            (_, None) => return fault(format!("invalid field '{field}' must be a key=value pair")),
            (key, Some(_)) => {
                let message = format!("unexpected key '{key}' in '{field}'");
                return fault(suggest::did_you_mean(
                    message,
                    key,
                    &["name", "required"],
                    true,
                ));
            }
        }
    }
    Ok(())
}
