//! `HEALTHCHECK [flags] CMD command` and `HEALTHCHECK NONE`.

use super::at_least_one;
use super::command::Command;
use super::flag::{Flags, Takes};
use crate::duration;
use crate::error::ErrorKind;
use crate::go;
use crate::logical::Logical;
use crate::parts::{self, Fault, Head};
use crate::text::Text;

/// What a health check runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HealthcheckTest<'t> {
    /// `NONE`: the check of the base image is switched off.
    None,
    /// A text for the shell. `SHELL` does not apply: it is run by the image's default shell.
    Shell(Text<'t>),
    /// Program and arguments; at least one word.
    Exec(Vec<Text<'t>>),
}

/// `HEALTHCHECK`: how to tell whether the container works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Healthcheck<'t> {
    /// The value of `--interval`, a Go duration.
    pub interval: Option<Text<'t>>,
    /// The value of `--timeout`, a Go duration.
    pub timeout: Option<Text<'t>>,
    /// The value of `--start-period`, a Go duration.
    pub start_period: Option<Text<'t>>,
    /// The value of `--start-interval`, a Go duration.
    pub start_interval: Option<Text<'t>>,
    /// The value of `--retries`.
    pub retries: Option<Text<'t>>,
    /// What is run.
    pub test: HealthcheckTest<'t>,
}

const DURATIONS: [&str; 4] = ["interval", "timeout", "start-period", "start-interval"];

impl<'t> Healthcheck<'t> {
    #[inline]
    pub(super) fn build(line: &mut Logical<'t>, head: &mut Head<'t>) -> Result<Self, Fault> {
        if head.args.is_empty() {
            return Err(at_least_one(line, head, "HEALTHCHECK"));
        }
        let span = head.args_span(line);
        let (kind, rest) = parts::health(line, head.args.clone());
        let nothing = rest.is_empty();
        let kind = line.slice(kind);
        let test = match Command::read(line, rest)?.0 {
            Command::Shell(text) => HealthcheckTest::Shell(text),
            Command::Exec(words) => HealthcheckTest::Exec(words),
        };
        let nothing = nothing || matches!(&test, HealthcheckTest::Exec(words) if words.is_empty());
        let name = go::upper(&kind);
        if name == "NONE" {
            // The flags of `HEALTHCHECK NONE` are never looked at.
            if !nothing {
                return Err(invalid("HEALTHCHECK NONE takes no arguments", span));
            }
            return Ok(Self {
                interval: None,
                timeout: None,
                start_period: None,
                start_interval: None,
                retries: None,
                test: HealthcheckTest::None,
            });
        }
        let flags = Flags::check(
            head,
            &[
                ("interval", Takes::One),
                ("timeout", Takes::One),
                ("start-period", Takes::One),
                ("start-interval", Takes::One),
                ("retries", Takes::One),
            ],
        )?;
        if name != "CMD" {
            let message = format!("Unknown type {} in HEALTHCHECK (try CMD)", go::quote(&name));
            return Err(invalid(message, kind.span));
        }
        if nothing {
            return Err(invalid("Missing command after HEALTHCHECK CMD", span));
        }
        for name in DURATIONS {
            if let Some(value) = flags.one(name) {
                check_interval(name, &value)?;
            }
        }
        let retries = flags.one("retries");
        if let Some(retries) = &retries {
            check_retries(retries)?;
        }
        Ok(Self {
            interval: flags.one("interval"),
            timeout: flags.one("timeout"),
            start_period: flags.one("start-period"),
            start_interval: flags.one("start-interval"),
            retries,
            test,
        })
    }

    /// One of the durations in nanoseconds; 0, which means `BuildKit`'s default, where nothing is said.
    pub fn nanoseconds(value: Option<&Text<'_>>) -> i64 {
        // Views exist for durations that can be read only.
        value.map_or(0, |value| duration::parse(value).unwrap_or(0))
    }

    /// The check as a command; nothing for `NONE`.
    pub fn command(&self) -> Option<Command<'t>> {
        match &self.test {
            HealthcheckTest::None => None,
            HealthcheckTest::Shell(text) => Some(Command::Shell(text.clone())),
            HealthcheckTest::Exec(words) => Some(Command::Exec(words.clone())),
        }
    }
}

fn invalid(message: impl Into<String>, span: crate::Span) -> Fault {
    Fault::new(ErrorKind::InvalidHealthcheck, message, span)
}

/// A duration is nothing, zero, or at least a millisecond (`parseOptInterval`).
fn check_interval(name: &str, value: &Text<'_>) -> Result<(), Fault> {
    let fault = |message| Fault::new(ErrorKind::InvalidFlagValue, message, value.span);
    if value.is_empty() {
        return Ok(());
    }
    match duration::parse(value) {
        Err(message) => Err(fault(message)),
        Ok(nanoseconds) if nanoseconds != 0 && nanoseconds < 1_000_000 => Err(fault(format!(
            "Interval {} cannot be less than 1ms",
            go::quote(name)
        ))),
        Ok(_) => Ok(()),
    }
}

/// `strconv.ParseInt(value, 10, 32)`, and not negative.
fn check_retries(value: &Text<'_>) -> Result<(), Fault> {
    let fault = |message| Err(Fault::new(ErrorKind::InvalidFlagValue, message, value.span));
    if value.is_empty() {
        return Ok(());
    }
    let digits = value.strip_prefix(['+', '-']).unwrap_or(value);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return fault(format!(
            "strconv.ParseInt: parsing {}: invalid syntax",
            go::quote(value)
        ));
    }
    match value.parse::<i32>() {
        Err(_) => fault(format!(
            "strconv.ParseInt: parsing {}: value out of range",
            go::quote(value)
        )),
        Ok(retries) if retries < 0 => fault(format!("--retries cannot be negative ({retries})")),
        Ok(_) => Ok(()),
    }
}
