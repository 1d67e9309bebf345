//! Flags: `--name` and `--name=value` before the arguments (`instructions/bflag.go`).

use crate::error::ErrorKind;
use crate::parts::{Fault, Head};
use crate::suggest;
use crate::text::{Span, Text};

/// A flag as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag<'t> {
    /// The name without dashes.
    pub name: Text<'t>,
    /// The value, quotes removed; nothing if there is no `=`.
    pub value: Option<Text<'t>>,
    /// From the dashes to the end of the value.
    pub span: Span,
}

impl Flag<'_> {
    /// The flag as `BuildKit` prints it: quotes removed.
    pub(crate) fn word(&self) -> String {
        match &self.value {
            Some(value) => format!("--{}={value}", self.name),
            None => format!("--{}", self.name),
        }
    }
}

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// Nothing, `true` or `false`.
    Bool,
    /// A value.
    One,
    /// A value; the flag may stand several times.
    Many,
}

/// The flags of one instruction, checked.
pub(super) struct Flags<'t>(Vec<Flag<'t>>);

impl<'t> Flags<'t> {
    /// Checks the flags of an instruction against those it knows.
    #[inline]
    pub(super) fn check(head: &mut Head<'t>, known: &[(&str, Takes)]) -> Result<Self, Fault> {
        if head.flags.is_empty() {
            return Ok(Self(Vec::new()));
        }
        Self::check_some(head, known)
    }

    fn check_some(head: &mut Head<'t>, known: &[(&str, Takes)]) -> Result<Self, Fault> {
        let flags = std::mem::take(&mut head.flags);
        for (index, flag) in flags.iter().enumerate() {
            let name = &flag.name;
            let Some(&(_, takes)) = known.iter().find(|(known, _)| *name == *known) else {
                let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                let message =
                    suggest::did_you_mean(format!("unknown flag: --{name}"), name, &names, true);
                return Err(Fault::new(ErrorKind::UnknownFlag, message, flag.span));
            };
            if takes != Takes::Many
                && flags[..index]
                    .iter()
                    .any(|other| other.name.value == name.value)
            {
                let message = format!("duplicate flag specified: --{name}");
                return Err(Fault::new(ErrorKind::DuplicateFlag, message, flag.span));
            }
            let missing = match (&flag.value, takes) {
                (None, Takes::Bool) => false,
                (None, _) => true,
                (Some(value), Takes::Bool) => value.is_empty(),
                (Some(_), _) => false,
            };
            if missing {
                let message = format!("missing a value on flag: --{name}");
                return Err(Fault::new(ErrorKind::MissingFlagValue, message, flag.span));
            }
            if let (Takes::Bool, Some(value)) = (takes, &flag.value)
                && !value.eq_ignore_ascii_case("true")
                && !value.eq_ignore_ascii_case("false")
            {
                let message = format!("expecting boolean value for flag --{name}, not: {value}");
                return Err(Fault::new(ErrorKind::InvalidFlagValue, message, value.span));
            }
        }
        Ok(Self(flags))
    }

    /// Checks that there is no flag at all.
    #[inline]
    pub(super) fn none(head: &mut Head<'t>) -> Result<(), Fault> {
        if head.flags.is_empty() {
            return Ok(());
        }
        Self::check(head, &[]).map(|_| ())
    }

    /// The value of a flag that stands at most once.
    #[inline]
    pub(super) fn one(&self, name: &str) -> Option<Text<'t>> {
        self.0.iter().find(|flag| flag.name == *name)?.value.clone()
    }

    /// The values of a flag.
    #[inline]
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &Text<'t>> {
        let flags = self.0.iter().filter(move |flag| flag.name == *name);
        flags.filter_map(|flag| flag.value.as_ref())
    }

    /// A list of the values of a flag.
    #[inline]
    pub(super) fn many(&self, name: &str) -> Vec<Text<'t>> {
        let mut values = Vec::with_capacity(self.values(name).count());
        values.extend(self.values(name).cloned());
        values
    }

    /// Whether a boolean flag is set, if it stands there.
    #[inline]
    pub(super) fn bool(&self, name: &str) -> Option<bool> {
        let flag = self.0.iter().find(|flag| flag.name == *name)?;
        Some(
            flag.value
                .as_ref()
                .is_none_or(|value| value.eq_ignore_ascii_case("true")),
        )
    }
}
