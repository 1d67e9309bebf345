//! Typed views of instructions, one kind a file.
//!
//! Views are made on demand from an [`Instruction`](crate::Instruction). What they hold is what `BuildKit` holds after
//! `instructions.Parse`, before any variable is expanded (`frontend/dockerfile/instructions` at v0.32.2).

mod add;
mod arg;
mod command;
mod copy;
mod env;
mod expose;
mod flag;
mod from;
mod healthcheck;
mod mount;
mod onbuild;
mod port;
mod remote;
mod run;
mod shell;
mod source;
mod value;
mod volume;

pub use add::Add;
pub use arg::{Arg, ArgPair};
pub use command::{Cmd, Command, Entrypoint};
pub use copy::Copy;
pub use env::{Env, Label, Pair};
pub use expose::Expose;
pub use flag::Flag;
pub use from::From;
pub use healthcheck::{Healthcheck, HealthcheckTest};
pub use mount::{Mount, MountError, MountKind, MountOption, ResolvedMount, Sharing};
pub use onbuild::Onbuild;
pub use port::{PortError, exposed_ports};
pub use remote::{Download, SourceKind};
pub use run::{Run, RunScript, ScriptForm};
pub use shell::Shell;
pub use source::Source;
pub use value::{Maintainer, Stopsignal, User, Workdir};
pub use volume::Volume;

use crate::error::{ErrorKind, SyntaxError};
use crate::go;
use crate::heredoc::Heredoc;
use crate::logical::Logical;
use crate::parts::{Fault, Head};
use crate::suggest;
use crate::text::Span;

/// The name of an instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the variants are the names themselves")]
pub enum Keyword {
    From,
    Run,
    Copy,
    Add,
    Env,
    Arg,
    Label,
    Workdir,
    User,
    Cmd,
    Entrypoint,
    Expose,
    Volume,
    Shell,
    Stopsignal,
    Healthcheck,
    Onbuild,
    Maintainer,
    /// No instruction has this name.
    Unknown,
}

impl Keyword {
    /// Every keyword, [`Unknown`](Self::Unknown) last.
    pub const ALL: [Self; 19] = [
        Self::From,
        Self::Run,
        Self::Copy,
        Self::Add,
        Self::Env,
        Self::Arg,
        Self::Label,
        Self::Workdir,
        Self::User,
        Self::Cmd,
        Self::Entrypoint,
        Self::Expose,
        Self::Volume,
        Self::Shell,
        Self::Stopsignal,
        Self::Healthcheck,
        Self::Onbuild,
        Self::Maintainer,
        Self::Unknown,
    ];

    /// The keyword in upper case; empty for [`Unknown`](Self::Unknown).
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::From => "FROM",
            Self::Run => "RUN",
            Self::Copy => "COPY",
            Self::Add => "ADD",
            Self::Env => "ENV",
            Self::Arg => "ARG",
            Self::Label => "LABEL",
            Self::Workdir => "WORKDIR",
            Self::User => "USER",
            Self::Cmd => "CMD",
            Self::Entrypoint => "ENTRYPOINT",
            Self::Expose => "EXPOSE",
            Self::Volume => "VOLUME",
            Self::Shell => "SHELL",
            Self::Stopsignal => "STOPSIGNAL",
            Self::Healthcheck => "HEALTHCHECK",
            Self::Onbuild => "ONBUILD",
            Self::Maintainer => "MAINTAINER",
            Self::Unknown => "",
        }
    }

    /// Reads the name of an instruction, in any case.
    pub fn parse(name: &str) -> Self {
        // Go lowers a few characters beyond ASCII to ASCII letters: the Kelvin sign, the dotted capital I.
        if !name.is_ascii() {
            return Self::from_lower(&go::lower(name));
        }
        let mut padded = [0; 16];
        match padded.get_mut(..name.len()) {
            Some(bytes) => bytes.copy_from_slice(name.as_bytes()),
            None => return Self::Unknown,
        }
        Self::from_code(code(padded, first_bytes(name.len())))
    }

    /// The keyword at the start of a text, if it is quickly told: a name with a space behind it.
    #[inline]
    pub(crate) fn at_start(text: &[u8]) -> Option<Self> {
        const ONES: u128 = u128::from_ne_bytes([0x01; 16]);
        let bytes = *text.first_chunk::<16>()?;
        // Spaces become zero; the lowest zero gets its high bit set.
        let differing = u128::from_le_bytes(bytes) ^ (ONES * u128::from(b' '));
        let spaces = differing.wrapping_sub(ONES) & !differing & (ONES << 7);
        let name = (spaces & spaces.wrapping_neg()).wrapping_sub(1) >> 7;
        let keyword = Self::from_code(code(bytes, name));
        (spaces != 0 && keyword != Self::Unknown).then_some(keyword)
    }

    /// The keyword with this [`code`].
    #[inline]
    fn from_code(code: u128) -> Self {
        let (known, keyword) = CODES[slot(code)];
        if known == code {
            keyword
        } else {
            Self::Unknown
        }
    }

    fn from_lower(name: &str) -> Self {
        let found = Self::ALL
            .into_iter()
            .find(|keyword| keyword.as_str().eq_ignore_ascii_case(name));
        match found {
            Some(keyword) if name.is_ascii() => keyword,
            _ => Self::Unknown,
        }
    }

    pub(crate) const fn from_index(index: u8) -> Self {
        Self::ALL[index as usize]
    }

    /// Whether the instruction may hold heredocs itself.
    pub(crate) const fn takes_heredocs(self) -> bool {
        matches!(self, Self::Run | Self::Copy | Self::Add)
    }
}

/// The name that stands in the bytes of a mask, as a number that does not tell upper from lower case. The bits of the other
/// bytes are set, as they are in no byte of a name.
#[inline]
const fn code(bytes: [u8; 16], mask: u128) -> u128 {
    u128::from_le_bytes(bytes) & u128::from_ne_bytes([!0x20; 16]) | !mask
}

/// The mask of the first bytes of sixteen.
const fn first_bytes(len: usize) -> u128 {
    match len {
        16.. => u128::MAX,
        _ => (1 << (8 * len)) - 1,
    }
}

/// The keywords by the [`slot`] of their [`code`]s.
static CODES: [(u128, Keyword); 64] = {
    let mut codes = [(0, Keyword::Unknown); 64];
    let mut index = 0;
    while index < Keyword::ALL.len() - 1 {
        let keyword = Keyword::ALL[index];
        let name = keyword.as_str().as_bytes();
        let mut padded = [0; 16];
        padded.split_at_mut(name.len()).0.copy_from_slice(name);
        let code = code(padded, first_bytes(name.len()));
        assert!(
            codes[slot(code)].0 == 0,
            "each keyword has a slot of its own"
        );
        codes[slot(code)] = (code, keyword);
        index += 1;
    }
    codes
};

/// A place among 64 for a [`code`]; the factor is one that gives each keyword its own.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "the halves of a number")]
const fn slot(code: u128) -> usize {
    let folded = code as u64 ^ (code >> 64) as u64;
    (folded.wrapping_mul(0xcd61_d8f1_6adf) >> 58) as usize
}

/// An instruction with its parts, by kind.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the variants are the names themselves")]
pub enum View<'t> {
    From(From<'t>),
    Run(Run<'t>),
    Copy(Copy<'t>),
    Add(Add<'t>),
    Env(Env<'t>),
    Arg(Arg<'t>),
    Label(Label<'t>),
    Workdir(Workdir<'t>),
    User(User<'t>),
    Cmd(Cmd<'t>),
    Entrypoint(Entrypoint<'t>),
    Expose(Expose<'t>),
    Volume(Volume<'t>),
    Shell(Shell<'t>),
    Stopsignal(Stopsignal<'t>),
    Healthcheck(Healthcheck<'t>),
    Onbuild(Onbuild<'t>),
    Maintainer(Maintainer<'t>),
    /// The instruction is faulty.
    Invalid(Invalid),
}

/// A faulty instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// What the instruction was meant to be.
    pub keyword: Keyword,
    /// What is wrong with it.
    pub error: SyntaxError,
}

impl<'t> View<'t> {
    /// Gives the parts of an instruction their meaning, or the fault that `BuildKit` reports for it.
    #[inline]
    pub(crate) fn build(
        line: &mut Logical<'t>,
        head: &mut Head<'t>,
        heredocs: Vec<Heredoc<'t>>,
    ) -> Result<Self, Fault> {
        Ok(match head.keyword {
            Keyword::From => Self::From(From::build(line, head)?),
            Keyword::Run => Self::Run(Run::build(line, head, heredocs)?),
            Keyword::Copy => Self::Copy(Copy::build(line, head, &heredocs)?),
            Keyword::Add => Self::Add(Add::build(line, head, &heredocs)?),
            Keyword::Env => Self::Env(Env::build(line, head)?),
            Keyword::Arg => Self::Arg(Arg::build(line, head)?),
            Keyword::Label => Self::Label(Label::build(line, head)?),
            Keyword::Workdir => Self::Workdir(Workdir::build(line, head)?),
            Keyword::User => Self::User(User::build(line, head)?),
            Keyword::Cmd => Self::Cmd(Cmd::build(line, head)?),
            Keyword::Entrypoint => Self::Entrypoint(Entrypoint::build(line, head)?),
            Keyword::Expose => Self::Expose(Expose::build(line, head)?),
            Keyword::Volume => Self::Volume(Volume::build(line, head)?),
            Keyword::Shell => Self::Shell(Shell::build(line, head)?),
            Keyword::Stopsignal => Self::Stopsignal(Stopsignal::build(line, head)?),
            Keyword::Healthcheck => Self::Healthcheck(Healthcheck::build(line, head)?),
            Keyword::Onbuild => Self::Onbuild(Onbuild::build(line, head, heredocs)?),
            Keyword::Maintainer => Self::Maintainer(Maintainer::build(line, head)?),
            Keyword::Unknown => return Err(unknown(line, head)),
        })
    }

    /// The keyword of the instruction.
    pub const fn keyword(&self) -> Keyword {
        match self {
            Self::From(_) => Keyword::From,
            Self::Run(_) => Keyword::Run,
            Self::Copy(_) => Keyword::Copy,
            Self::Add(_) => Keyword::Add,
            Self::Env(_) => Keyword::Env,
            Self::Arg(_) => Keyword::Arg,
            Self::Label(_) => Keyword::Label,
            Self::Workdir(_) => Keyword::Workdir,
            Self::User(_) => Keyword::User,
            Self::Cmd(_) => Keyword::Cmd,
            Self::Entrypoint(_) => Keyword::Entrypoint,
            Self::Expose(_) => Keyword::Expose,
            Self::Volume(_) => Keyword::Volume,
            Self::Shell(_) => Keyword::Shell,
            Self::Stopsignal(_) => Keyword::Stopsignal,
            Self::Healthcheck(_) => Keyword::Healthcheck,
            Self::Onbuild(_) => Keyword::Onbuild,
            Self::Maintainer(_) => Keyword::Maintainer,
            Self::Invalid(invalid) => invalid.keyword,
        }
    }
}

#[cold]
fn unknown(line: &Logical<'_>, head: &Head<'_>) -> Fault {
    let mut names: Vec<&str> = Keyword::ALL
        .iter()
        .map(|keyword| keyword.as_str())
        .collect();
    names.pop();
    let name = &line.text()[head.name.clone()];
    let message = format!("unknown instruction: {name}");
    Fault::new(
        ErrorKind::UnknownInstruction,
        suggest::did_you_mean(message, name, &names, false),
        line.span(head.name.clone()),
    )
}

/// `X requires at least one argument`.
#[cold]
fn at_least_one(line: &Logical<'_>, head: &Head<'_>, name: &str) -> Fault {
    Fault::new(
        ErrorKind::ArgumentCount,
        format!("{name} requires at least one argument"),
        line.span(head.name.clone()),
    )
}

/// `X requires exactly one argument`.
#[cold]
fn exactly_one(line: &Logical<'_>, head: &Head<'_>, name: &str) -> Fault {
    Fault::new(
        ErrorKind::ArgumentCount,
        format!("{name} requires exactly one argument"),
        line.span(head.name.clone()),
    )
}

/// `X names can not be blank`.
fn blank_name(span: Span, name: &str) -> Fault {
    Fault::new(
        ErrorKind::BlankName,
        format!("{name} names can not be blank"),
        span,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_have_no_case() {
        for (index, keyword) in Keyword::ALL.into_iter().enumerate() {
            assert_eq!(keyword as usize, index);
            if keyword != Keyword::Unknown {
                assert_eq!(Keyword::parse(keyword.as_str()), keyword);
                assert_eq!(Keyword::parse(&keyword.as_str().to_lowercase()), keyword);
            }
        }
        assert_eq!(Keyword::parse("WOR\u{212a}DİR"), Keyword::Workdir);
        assert_eq!(Keyword::parse(""), Keyword::Unknown);
        for name in [
            "RUNS",
            "RUN\0",
            "ENTRYPOINT\0",
            "HEALTHCHECKHEALTHCHECK",
            "2UN",
            "Ru\u{6e}\u{ff}",
        ] {
            assert_eq!(Keyword::parse(name), Keyword::Unknown, "{name:?}");
            assert_eq!(
                Keyword::at_start(format!("{name} and the rest").as_bytes()),
                None
            );
        }
        assert_eq!(
            Keyword::at_start(b"healthCheck NONE"),
            Some(Keyword::Healthcheck)
        );
        assert_eq!(Keyword::at_start(b"from a"), None, "left to the longer way");
    }
}
