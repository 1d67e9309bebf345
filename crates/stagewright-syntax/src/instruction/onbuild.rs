//! `ONBUILD instruction`.

use super::flag::Flags;
use super::{Flag, Keyword, View, at_least_one};
use crate::error::ErrorKind;
use crate::go;
use crate::heredoc::Heredoc;
use crate::node::{Args, Fault, Node, Trigger};
use crate::text::Text;

/// `ONBUILD`: an instruction for the images built on this one.
#[derive(Clone, Debug)]
pub struct Onbuild<'t> {
    /// What is stored in the image, but for the bodies of heredocs: see [`expression`](Self::expression).
    pub text: Text<'t>,
    /// The heredocs of the instruction it holds.
    pub heredocs: Vec<Heredoc<'t>>,
    node: Node<'t>,
}

impl<'t> Onbuild<'t> {
    pub(super) fn build(mut node: Node<'t>, heredocs: Vec<Heredoc<'t>>) -> Result<Self, Fault> {
        let Args::Trigger(trigger) = std::mem::replace(&mut node.args, Args::None) else {
            return Err(at_least_one(&node, "ONBUILD"));
        };
        Flags::none(&mut node)?;
        let Trigger {
            chain,
            node,
            expression,
        } = *trigger;
        let name = chain.first().map_or(&node.name, |(name, _)| name);
        let fault = |message| Err(Fault::new(ErrorKind::InvalidTrigger, message, name.span));
        match go::upper(go::trim(name)).as_str() {
            "ONBUILD" => fault("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed".to_owned()),
            other @ ("MAINTAINER" | "FROM") => {
                fault(format!("{other} isn't allowed as an ONBUILD trigger"))
            }
            _ => Ok(Self {
                text: expression,
                heredocs,
                node,
            }),
        }
    }

    /// The name of the instruction it holds, as written.
    pub const fn keyword_text(&self) -> &Text<'t> {
        &self.node.name
    }

    /// The name of the instruction it holds.
    pub const fn keyword(&self) -> Keyword {
        self.node.keyword
    }

    /// The flags of the instruction it holds.
    pub fn flags(&self) -> &[Flag<'t>] {
        &self.node.flags
    }

    /// The instruction it holds, or what is wrong with it. `BuildKit` does not look at it before an image is built on this
    /// one, so a fault here is none of the file's errors. Triggers are then read with the backslash for escape
    /// character, whatever this file says; the view here follows this file.
    pub fn nested(&self) -> Result<View<'t>, String> {
        View::build(self.node.clone(), self.heredocs.clone()).map_err(|fault| fault.message)
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
