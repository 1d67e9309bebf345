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

pub use word::{Look, Part, Word};

use crate::text::Span;

/// The commands of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script<'s> {
    /// The simple commands, in the order of the text.
    pub commands: Vec<SimpleCommand<'s>>,
    /// The constructs that stand around commands, in the order of the text.
    pub constructs: Vec<Construct<'s>>,
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
    /// All constructs it stands in, outermost first.
    pub within: Vec<Place>,
    /// Whether it ends with `&`.
    pub background: bool,
    /// Whether `!` stands before it.
    pub negated: bool,
}

/// A construct around commands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Construct<'s> {
    /// How it follows what stands before it.
    pub join: Join,
    /// Which one it is.
    pub kind: ConstructKind<'s>,
}

/// The constructs of the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConstructKind<'s> {
    /// `{ … }`.
    Group,
    /// `( … )`.
    Subshell,
    /// `if`: part 0 is the first condition, part 1 its branch, part 2 the condition behind `elif`, and so on. The part of `else` is odd,
    /// and the even part before it is empty.
    If,
    /// `while` and `until`: part 0 is the condition, part 1 the body.
    While,
    /// `for` and `select`.
    For {
        /// The variable; empty for `for ((…))`.
        variable: &'s str,
        /// The words; `None` where they are not listed.
        words: Option<Vec<Word<'s>>>,
    },
    /// `case`: part n holds the commands of arm n.
    Case {
        /// The word that decides.
        word: Word<'s>,
        /// The patterns of each arm.
        arms: Vec<Vec<Word<'s>>>,
    },
    /// The body of a function of this name: it runs where the name is called.
    Function(&'s str),
}

/// Where a command stands in a construct.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The construct ([`Script::constructs`]).
    pub construct: usize,
    /// Which of its parts, counted from 0.
    pub part: usize,
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
