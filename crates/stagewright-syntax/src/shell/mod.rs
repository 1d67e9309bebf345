//! The shell inside RUN: which commands a script holds, word by word.
//!
//! [`Script::parse`] reads POSIX shell and what bash adds to it in Dockerfiles (`[[ ]]`, `$'…'`, `<<<`, functions). It gives the simple
//! commands in the order of the text, each with the constructs it stands in, and never fails: what it cannot read is left out, and
//! [`Script::complete`] says so. Nothing is run or looked up.
//!
//! ```
//! use stagewright_syntax::shell::Script;
//!
//! let script = Script::parse("cd /tmp && pip install -r \"$FILE\"");
//! let words = script.commands[1].words.iter().map(|word| word.expand(&|name| (name == "FILE").then(|| "a b.txt".into())));
//! assert_eq!(words.map(|word| word.unwrap()).collect::<Vec<_>>(), ["pip", "install", "-r", "a b.txt"]);
//! ```

mod lex;
mod parse;
#[cfg(test)]
mod tests;
mod word;

pub use word::{Part, Word};

use crate::text::Span;

/// The commands of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script<'s> {
    /// The simple commands, in the order of the text.
    pub commands: Vec<SimpleCommand<'s>>,
    /// Whether the whole text was read. If not, the commands are those before the place that was not understood.
    pub complete: bool,
}

/// How a command follows the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Join {
    /// It is the first, or follows `;`, `&`, a line break or a keyword.
    Sequence,
    /// `&&`: it runs if the one before succeeds.
    And,
    /// `||`: it runs if the one before fails.
    Or,
    /// `|`: it reads what the one before writes.
    Pipe,
}

/// A command with its words, assignments and redirects.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a fact of its own about the command"
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimpleCommand<'s> {
    /// The words, the program first; none where only variables are set.
    pub words: Vec<Word<'s>>,
    /// Variables set before the words.
    pub assignments: Vec<Assignment<'s>>,
    /// Redirects, in order.
    pub redirects: Vec<Redirect<'s>>,
    /// Its bytes in the script.
    pub span: Span,
    /// How it follows the command before it.
    pub join: Join,
    /// Whether it stands in a construct that may not run it: a branch of `if` or `case`, the body of `while` or of a function.
    pub conditional: bool,
    /// Whether it stands in the body of a loop.
    pub looped: bool,
    /// The parentheses it stands in, outermost first, each with a number of its own in the script.
    pub subshells: Vec<usize>,
    /// Whether it ends with `&`.
    pub background: bool,
    /// Whether `!` stands before it.
    pub negated: bool,
}

/// `name=value` before a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment<'s> {
    /// The name.
    pub name: &'s str,
    /// The value; no parts if it is empty.
    pub value: Word<'s>,
}

/// A redirect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect<'s> {
    /// The number before the operator.
    pub fd: Option<u32>,
    /// The operator: `>`, `>>`, `<`, `<<`, `<<-`, `<<<`, `>&`, `<&`, `&>`, `&>>`, `<>`, `>|`.
    pub operator: &'s str,
    /// The file, the number, or the name of a here-document.
    pub target: Word<'s>,
    /// The lines of a here-document, with its tabs.
    pub body: Option<&'s str>,
}

impl<'s> Script<'s> {
    /// Reads a script. Time and memory grow linearly with its length.
    pub fn parse(text: &'s str) -> Self {
        parse::script(text)
    }
}

impl<'s> SimpleCommand<'s> {
    /// The program, where it is written out.
    pub fn program(&self) -> Option<std::borrow::Cow<'_, str>> {
        self.words.first().and_then(Word::literal)
    }

    /// The command as written.
    pub fn text(&self, script: &'s str) -> &'s str {
        &script[self.span.start as usize..self.span.end as usize]
    }
}
