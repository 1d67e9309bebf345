//! Mounts whose variables are known.

use super::{Mount, MountKind, Sharing};
use crate::error::ErrorKind;
use crate::go;
use crate::suggest;
use crate::text::Span;
use std::fmt;

/// A mount with its variables put in and its options checked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResolvedMount {
    /// What the mount holds.
    pub kind: MountKind,
    /// Where a bind or cache mount takes its content from: a stage, an image or a named context.
    pub from: Option<String>,
    /// The path in it.
    pub source: Option<String>,
    /// Where it is mounted.
    pub target: Option<String>,
    /// Whether `RUN` may not write to it.
    pub read_only: bool,
    /// Size limit of a tmpfs, in bytes; 0 means none.
    pub size: i64,
    /// The name of a cache, secret or agent.
    pub id: Option<String>,
    /// How builds share a cache; shared if nothing is said.
    pub sharing: Option<Sharing>,
    /// The build fails if the secret or agent is missing.
    pub required: bool,
    /// The environment variable that holds the secret; an empty name means the secret's own.
    pub env: Option<String>,
    /// File mode.
    pub mode: Option<u32>,
    /// User id.
    pub uid: Option<u32>,
    /// Group id.
    pub gid: Option<u32>,
}

/// Why a mount is refused, in `BuildKit`'s words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountError {
    message: String,
    span: Span,
}

impl MountError {
    /// The stable name of the error, in kebab case.
    pub const fn code(&self) -> &'static str {
        ErrorKind::InvalidMount.code()
    }

    /// `BuildKit`'s words.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The option at fault, or the whole value.
    pub const fn span(&self) -> Span {
        self.span
    }
}

impl fmt::Display for MountError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for MountError {}

/// The keys that `BuildKit` suggests.
const KEYS: [&str; 19] = [
    "type",
    "from",
    "source",
    "target",
    "readonly",
    "id",
    "sharing",
    "required",
    "size",
    "mode",
    "uid",
    "gid",
    "src",
    "dst",
    "destination",
    "ro",
    "rw",
    "readwrite",
    "env",
];

impl Mount<'_> {
    /// Whether `RUN` may not write to it, if its options are without fault and need no variable.
    pub fn read_only(&self) -> Option<bool> {
        if self.options.iter().any(|option| {
            option
                .value
                .as_ref()
                .is_some_and(|value| value.contains('$'))
        }) {
            return None;
        }
        let mount = self.resolve(|word| Ok::<_, String>(word.to_owned())).ok()?;
        Some(mount.read_only)
    }

    /// Puts variables into the options with `expand` and checks them as `BuildKit` does when the build gets there.
    pub fn resolve<F, E>(&self, mut expand: F) -> Result<ResolvedMount, MountError>
    where
        F: FnMut(&str) -> Result<String, E>,
        E: fmt::Display,
    {
        let mut mount = ResolvedMount::default();
        let mut read_only = None;
        for option in &self.options {
            let fault = |message: String| MountError {
                message,
                span: option.span(),
            };
            let key = go::lower(&option.key);
            let Some(value) = &option.value else {
                match key.as_str() {
                    "readonly" | "ro" => read_only = Some(true),
                    "readwrite" | "rw" => read_only = Some(false),
                    "required" if mount.may_be_required() => mount.required = true,
                    "required" => return Err(fault(mount.unexpected(&key))),
                    _ => {
                        return Err(fault(format!(
                            "invalid field '{}' must be a key=value pair",
                            option.key
                        )));
                    }
                }
                continue;
            };
            let value = expand(value).map_err(|error| fault(error.to_string()))?;
            match key.as_str() {
                "readonly" | "ro" => {
                    read_only =
                        Some(go::parse_bool(&value).ok_or_else(|| fault(invalid(&key, &value)))?);
                }
                "readwrite" | "rw" => {
                    read_only =
                        Some(!go::parse_bool(&value).ok_or_else(|| fault(invalid(&key, &value)))?);
                }
                _ => mount.set(&key, value, &option.key).map_err(fault)?,
            }
        }
        mount.read_only =
            read_only.unwrap_or(!matches!(mount.kind, MountKind::Cache | MountKind::Tmpfs));
        mount.check().map_err(|message| MountError {
            message,
            span: self.span,
        })?;
        Ok(mount)
    }
}

impl ResolvedMount {
    fn may_be_required(&self) -> bool {
        matches!(self.kind, MountKind::Secret | MountKind::Ssh)
    }

    fn unexpected(&self, key: &str) -> String {
        format!(
            "unexpected key '{key}' for mount type '{}'",
            self.kind.as_str()
        )
    }

    fn set(&mut self, key: &str, value: String, written: &str) -> Result<(), String> {
        match key {
            "type" => {
                self.kind = MountKind::parse(&value).ok_or_else(|| {
                    let names = MountKind::ALL.map(MountKind::as_str);
                    let message = format!("unsupported mount type {}", go::quote(&value));
                    suggest::did_you_mean(message, &value, &names, true)
                })?;
            }
            "from" => self.from = Some(value),
            "source" | "src" => self.source = Some(value),
            "target" | "dst" | "destination" => self.target = Some(value),
            "required" if self.may_be_required() => {
                self.required = go::parse_bool(&value).ok_or_else(|| invalid(key, &value))?;
            }
            "size" if self.kind == MountKind::Tmpfs => {
                self.size = parse_size(&value).ok_or_else(|| invalid(key, &value))?;
            }
            "required" | "size" => return Err(self.unexpected(key)),
            "id" => self.id = Some(value),
            "sharing" => {
                self.sharing = Some(Sharing::parse(&value).ok_or_else(|| {
                    let names = Sharing::ALL.map(Sharing::as_str);
                    let message = format!("unsupported sharing value {}", go::quote(&value));
                    suggest::did_you_mean(message, &value, &names, true)
                })?);
            }
            "mode" => self.mode = Some(number(key, &value, 8)?),
            "uid" => self.uid = Some(number(key, &value, 10)?),
            "gid" => self.gid = Some(number(key, &value, 10)?),
            "env" => self.env = Some(value),
            _ => {
                let message = format!("unexpected key '{key}' in '{written}={value}'");
                return Err(suggest::did_you_mean(message, key, &KEYS, true));
            }
        }
        Ok(())
    }

    fn check(&self) -> Result<(), String> {
        let kind = self.kind;
        if matches!(kind, MountKind::Bind | MountKind::Tmpfs) {
            for (key, value) in [("mode", self.mode), ("uid", self.uid), ("gid", self.gid)] {
                if value.is_some() {
                    return Err(format!(
                        "{key} not allowed for \"{}\" type mounts",
                        kind.as_str()
                    ));
                }
            }
        }
        let given = |value: &Option<String>| value.as_ref().is_some_and(|value| !value.is_empty());
        if kind == MountKind::Secret {
            if given(&self.from) {
                return Err("secret mount should not have a from".to_owned());
            }
            if self.sharing.is_some() {
                return Err("secret mount should not define sharing".to_owned());
            }
            if !given(&self.source) && !given(&self.target) && !given(&self.id) {
                return Err("invalid secret mount. one of source, target required".to_owned());
            }
            if given(&self.source) && given(&self.id) {
                return Err("both source and id can't be set".to_owned());
            }
        }
        if self.sharing.is_some() && kind != MountKind::Cache {
            return Err(format!(
                "invalid cache sharing set for {} mount",
                kind.as_str()
            ));
        }
        Ok(())
    }
}

pub(super) fn invalid(key: &str, value: &str) -> String {
    format!("invalid value for {key}: {value}")
}

/// `strconv.ParseUint(value, radix, 32)`.
fn number(key: &str, value: &str, radix: u32) -> Result<u32, String> {
    if value.starts_with('+') {
        return Err(format!("invalid value {value} for {key}"));
    }
    u32::from_str_radix(value, radix).map_err(|_| format!("invalid value {value} for {key}"))
}

/// `units.RAMInBytes`: a number and a binary unit.
#[allow(clippy::cast_possible_truncation, reason = "Go converts the same way")]
fn parse_size(value: &str) -> Option<i64> {
    let last = value.rfind(|c: char| c.is_ascii_digit() || matches!(c, '.' | ' '))?;
    let split = if value.as_bytes()[last] == b' ' {
        last
    } else {
        last + 1
    };
    let size: f64 = value[..split].parse().ok()?;
    if size < 0.0 {
        return None;
    }
    let factor = match go::lower(&value[last + 1..]).as_str() {
        "" | "b" => 1.0,
        "k" | "kb" | "kib" => 1024.0,
        "m" | "mb" | "mib" => 1024.0 * 1024.0,
        "g" | "gb" | "gib" => 1024.0 * 1024.0 * 1024.0,
        "t" | "tb" | "tib" => 1024.0 * 1024.0 * 1024.0 * 1024.0,
        "p" | "pb" | "pib" => 1024.0 * 1024.0 * 1024.0 * 1024.0 * 1024.0,
        _ => return None,
    };
    Some((size * factor) as i64)
}
