//! `ONBUILD instruction`.

use super::flag::Flags;
use super::{Flag, Keyword, View, at_least_one};
use crate::error::ErrorKind;
use crate::go;
use crate::heredoc::Heredoc;
use crate::logical::Logical;
use crate::parts::{self, Fault, Head};
use crate::text::Text;

/// `ONBUILD`: an instruction for the images built on this one.
#[derive(Clone, Debug)]
pub struct Onbuild<'t> {
    /// What is stored in the image, but for the bodies of heredocs: see [`expression`](Self::expression).
    pub text: Text<'t>,
    /// The heredocs of the instruction it holds.
    pub heredocs: Vec<Heredoc<'t>>,
    keyword: Keyword,
    name: Text<'t>,
    flags: Vec<Flag<'t>>,
    nested: Box<Result<View<'t>, String>>,
}

impl<'t> Onbuild<'t> {
    pub(super) fn build(
        line: &mut Logical<'t>,
        head: &mut Head<'t>,
        heredocs: Vec<Heredoc<'t>>,
    ) -> Result<Self, Fault> {
        if head.args.is_empty() {
            return Err(at_least_one(line, head, "ONBUILD"));
        }
        let mut inner = Head::within(line, head.args.clone(), head.escape);
        let (keyword, name, flags) = (
            inner.keyword,
            line.slice(inner.name.clone()),
            inner.flags.clone(),
        );
        let text = line.slice(parts::expression(line, head));
        // A fault of splitting counts however many `ONBUILD`s stand before it.
        while inner.keyword == Keyword::Onbuild && !inner.args.is_empty() {
            inner = Head::within(line, inner.args, inner.escape);
        }
        let nested = match inner.keyword {
            Keyword::Onbuild => Err(String::new()),
            _ => match View::build(line, &mut inner, heredocs.clone()) {
                Ok(view) => Ok(view),
                Err(fault) if fault.kind().is_early() => return Err(fault),
                Err(fault) => Err(fault.parts().message),
            },
        };
        Flags::none(head)?;
        let fault = |message| Err(Fault::new(ErrorKind::InvalidTrigger, message, name.span));
        match go::upper(go::trim(&name)).as_str() {
            "ONBUILD" => fault("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed".to_owned()),
            other @ ("MAINTAINER" | "FROM") => {
                fault(format!("{other} isn't allowed as an ONBUILD trigger"))
            }
            _ => Ok(Self {
                text,
                heredocs,
                keyword,
                name,
                flags,
                nested: Box::new(nested),
            }),
        }
    }

    /// The name of the instruction it holds, as written.
    pub const fn keyword_text(&self) -> &Text<'t> {
        &self.name
    }

    /// The name of the instruction it holds.
    pub const fn keyword(&self) -> Keyword {
        self.keyword
    }

    /// The flags of the instruction it holds.
    pub fn flags(&self) -> &[Flag<'t>] {
        &self.flags
    }

    /// The instruction it holds, or what is wrong with it in `BuildKit`'s words. `BuildKit` does not look at it before an
    /// image is built on this one, so a fault here is none of the file's errors. Triggers are then read with the backslash
    /// for escape character, whatever this file says; the view here follows this file.
    pub fn nested(&self) -> Result<&View<'t>, &str> {
        (*self.nested).as_ref().map_err(String::as_str)
    }

    /// What is stored in the image: the instruction, and the bodies of its heredocs each on lines of their own.
    pub fn expression(&self) -> String {
        let mut expression = self.text.to_string();
        for heredoc in &self.heredocs {
            expression.push('\n');
            expression.push_str(&heredoc.content);
            expression.push_str(&heredoc.name);
        }
        expression
    }
}
