//! `RUN`.

use super::command::Command;
use super::flag::{Flags, Takes};
use super::mount::{self, Mount};
use crate::error::ErrorKind;
use crate::go;
use crate::heredoc::{self, Heredoc};
use crate::logical::{Logical, Map};
use crate::parts::{Fault, Head};
use crate::text::{Span, Text, offset};
use std::borrow::Cow;

/// `RUN`: runs a command and keeps what it changes as a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run<'t> {
    /// The values of `--mount`.
    pub mounts: Vec<Mount<'t>>,
    /// The value of `--network`: `default`, `none` or `host`.
    pub network: Option<Text<'t>>,
    /// The value of `--security`: `sandbox` or `insecure`.
    pub security: Option<Text<'t>>,
    /// The values of `--device`.
    pub devices: Vec<Text<'t>>,
    /// What is run; see [`script`](Self::script) for what heredocs make of it.
    pub command: Command<'t>,
    /// The heredocs of the command.
    pub heredocs: Vec<Heredoc<'t>>,
    map: Map<'t>,
}

/// How a script comes to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScriptForm {
    /// The shell gets the text of the instruction.
    Shell,
    /// The command is nothing but a heredoc: the shell gets its body.
    Body,
    /// The command is nothing but a heredoc whose body starts with `#!`: it is run as a file.
    File,
}

/// The text that a shell, or an interpreter, reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunScript<'t> {
    /// How it comes to run.
    pub form: ScriptForm,
    /// The text.
    pub text: Cow<'t, str>,
    parts: Vec<Part<'t>>,
}

/// A part of a script that stands in the source in one way.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part<'t> {
    /// Where the part begins in the script.
    at: usize,
    place: Place<'t>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place<'t> {
    /// As a joined line.
    Line(Map<'t>),
    /// In one piece from here.
    Piece(usize),
    /// Not at all; this place stands for it.
    Nowhere(usize),
}

impl<'t> Run<'t> {
    #[inline]
    pub(super) fn build(
        line: &mut Logical<'t>,
        head: &mut Head<'t>,
        heredocs: Vec<Heredoc<'t>>,
    ) -> Result<Self, Fault> {
        let (command, map) = Command::read(line, head.args.clone())?;
        if !head.flags.is_empty() {
            return Self::with_flags(head, command, map, heredocs);
        }
        Ok(Self {
            mounts: Vec::new(),
            network: None,
            security: None,
            devices: Vec::new(),
            command,
            heredocs,
            map,
        })
    }

    fn with_flags(
        head: &mut Head<'t>,
        command: Command<'t>,
        map: Map<'t>,
        heredocs: Vec<Heredoc<'t>>,
    ) -> Result<Self, Fault> {
        let flags = Flags::check(
            head,
            &[
                ("device", Takes::Many),
                ("mount", Takes::Many),
                ("network", Takes::One),
                ("security", Takes::One),
            ],
        )?;
        let devices = flags.many("device");
        devices.iter().try_for_each(mount::check_device)?;
        let mut mounts = Vec::with_capacity(flags.values("mount").count());
        for value in flags.values("mount") {
            mounts.push(Mount::build(value)?);
        }
        let network = flags.one("network");
        if let Some(mode) = &network
            && !matches!(&**mode, "default" | "none" | "host")
        {
            let message = format!("invalid network mode {}", go::quote(mode));
            return Err(refused(mode, message));
        }
        let security = flags.one("security");
        if let Some(mode) = &security
            && !matches!(&**mode, "sandbox" | "insecure")
        {
            let message = format!("security {} is not valid", go::quote(mode));
            return Err(refused(mode, message));
        }
        Ok(Self {
            mounts,
            network,
            security,
            devices,
            command,
            heredocs,
            map,
        })
    }

    /// The text that the shell or the interpreter reads; nothing in exec form (`dispatchRun` in
    /// `dockerfile2llb/convert.go`).
    pub fn script(&self) -> Option<RunScript<'t>> {
        let command = self.command.shell()?;
        let line = Part {
            at: 0,
            place: Place::Line(self.map),
        };
        let Some(first) = self.heredocs.first() else {
            return Some(RunScript {
                form: ScriptForm::Shell,
                text: command.value.clone(),
                parts: vec![line],
            });
        };
        if heredoc::declared(command).is_ok_and(|found| found.is_some()) {
            let text = first.chomped();
            return Some(RunScript {
                form: if text.starts_with("#!") {
                    ScriptForm::File
                } else {
                    ScriptForm::Body
                },
                parts: body_parts(first, &text, 0),
                text,
            });
        }
        let mut text = command.to_string();
        let mut parts = vec![line];
        for heredoc in &self.heredocs {
            text.push('\n');
            parts.push(Part {
                at: text.len(),
                place: Place::Piece(heredoc.content.span.start as usize),
            });
            text.push_str(&heredoc.content);
            parts.push(Part {
                at: text.len(),
                place: terminator(heredoc),
            });
            text.push_str(&heredoc.name);
        }
        Some(RunScript {
            form: ScriptForm::Shell,
            text: Cow::Owned(text),
            parts,
        })
    }
}

impl Run<'_> {
    /// Where a range of [`script`](Self::script) stands in the Dockerfile; nothing in exec form. To ask several times, ask the
    /// script itself.
    pub fn source_span(&self, span: Span) -> Option<Span> {
        Some(self.script()?.source_span(span))
    }
}

/// The lines of a heredoc's body, whose leading tabs may be gone.
fn body_parts(heredoc: &Heredoc<'_>, text: &str, at: usize) -> Vec<Part<'static>> {
    let start = heredoc.content.span.start as usize;
    if text.len() == heredoc.content.len() {
        return vec![Part {
            at,
            place: Place::Piece(start),
        }];
    }
    let mut parts = Vec::new();
    let (mut at, mut source) = (at, start);
    for line in heredoc.content.split_inclusive('\n') {
        let kept = line.trim_start_matches('\t');
        parts.push(Part {
            at,
            place: Place::Piece(source + line.len() - kept.len()),
        });
        at += kept.len();
        source += line.len();
    }
    parts
}

impl std::ops::Deref for RunScript<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.text
    }
}

impl<'t> RunScript<'t> {
    /// Where a range of the script stands in the source of the Dockerfile: from its first byte to its last, over
    /// continuations and comments between them.
    ///
    /// # Panics
    ///
    /// If the range does not lie in the script.
    pub fn source_span(&self, span: Span) -> Span {
        assert!(
            span.start <= span.end && span.end as usize <= self.text.len(),
            "the span lies in the script"
        );
        let start = self.source_of(span.start as usize);
        let end = if span.is_empty() {
            start
        } else {
            self.source_end(span.end as usize)
        };
        Span::new(offset(start), offset(end.max(start)))
    }

    /// Where the byte at `at` stands.
    fn source_of(&self, at: usize) -> usize {
        let Some(part) = self.part(at) else { return 0 };
        match &part.place {
            Place::Line(map) => map.source_of(at - part.at),
            Place::Piece(start) => start + (at - part.at),
            Place::Nowhere(place) => *place,
        }
    }

    /// Where the byte before `at` ends.
    fn source_end(&self, at: usize) -> usize {
        match self.part(at - 1) {
            Some(Part {
                place: Place::Nowhere(place),
                ..
            }) => *place,
            _ => self.source_of(at - 1) + 1,
        }
    }

    fn part(&self, at: usize) -> Option<&Part<'t>> {
        let index = self.parts.partition_point(|part| part.at <= at).max(1) - 1;
        self.parts.get(index)
    }
}

/// Where the word that ends a heredoc stands: at the end of its last line, or nowhere if that line is missing.
fn terminator(heredoc: &Heredoc<'_>) -> Place<'static> {
    let (body, end) = (heredoc.content.span.end as usize, heredoc.span.end as usize);
    if end >= body + heredoc.name.len() {
        Place::Piece(end - heredoc.name.len())
    } else {
        Place::Nowhere(end)
    }
}

fn refused(value: &Text<'_>, message: String) -> Fault {
    Fault::new(ErrorKind::InvalidFlagValue, message, value.span)
}
