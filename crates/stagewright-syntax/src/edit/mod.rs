//! Changes to a text: byte edits that leave every other byte alone.
//!
//! ```
//! use stagewright_syntax::edit::EditSet;
//! use stagewright_syntax::{Dockerfile, View};
//!
//! let text = "FROM python:3.7  # no comment\n  RUN a\n";
//! let file = Dockerfile::parse(text);
//! let mut edits = EditSet::new();
//! edits.set_flag(&file.instruction(1), "mount", Some("type=cache,target=/c")).unwrap();
//! edits.insert_after(&file.instruction(1), "RUN b").unwrap();
//! assert_eq!(
//!     edits.apply(text),
//!     "FROM python:3.7  # no comment\n  RUN --mount=type=cache,target=/c a\n  RUN b\n"
//! );
//! ```
//!
//! An [`EditSet`] writes what it is told. The methods of [`Dockerfile`](crate::Dockerfile) that are named after what they
//! change, such as [`set_flag`](crate::Dockerfile::set_flag), give the new text only if it is read back as it was meant.

mod checked;
mod error;
mod part;
mod read_back;

pub use error::EditError;

use crate::file::Instruction;
use crate::line::line_at;
use crate::text::{Span, Text, offset};
use crate::word;
use crate::write;

/// The replacement of some bytes; of none at an empty span, which inserts.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Edit {
    /// What is replaced.
    pub span: Span,
    /// What takes its place.
    pub content: String,
}

/// Edits of one text, sorted and disjoint. Several insertions at one place stay in the order in which they came.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EditSet {
    edits: Vec<Edit>,
}

impl EditSet {
    /// No edits.
    pub const fn new() -> Self {
        Self { edits: Vec::new() }
    }

    /// The edits, sorted by place.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    /// Whether there is nothing to change.
    pub fn is_empty(&self) -> bool {
        self.edits.is_empty()
    }

    /// Replaces the bytes of `span`.
    pub fn replace(&mut self, span: Span, content: impl Into<String>) -> Result<(), EditError> {
        let index = self
            .edits
            .partition_point(|edit| (edit.span.start, edit.span.end) <= (span.start, span.end));
        let conflict = |other: &Edit| {
            // Touching is allowed; so are two insertions at one place.
            other.span.start < span.end && span.start < other.span.end
                || (!span.is_empty() && other.span == span)
        };
        let neighbours = self.edits[index.saturating_sub(1)..].iter().take(2);
        if let Some(other) = neighbours.into_iter().find(|other| conflict(other)) {
            return Err(EditError::Overlap {
                earlier: other.span,
                later: span,
            });
        }
        self.edits.insert(
            index,
            Edit {
                span,
                content: content.into(),
            },
        );
        Ok(())
    }

    /// Inserts text before the byte at `offset`.
    pub fn insert(&mut self, offset: u32, content: impl Into<String>) -> Result<(), EditError> {
        self.replace(Span::new(offset, offset), content)
    }

    /// Deletes the bytes of `span`.
    pub fn delete(&mut self, span: Span) -> Result<(), EditError> {
        self.replace(span, "")
    }

    /// Adds the edits of another set of the same text; all of them or none.
    pub fn merge(&mut self, other: Self) -> Result<(), EditError> {
        let mut merged = self.clone();
        for edit in other.edits {
            merged.replace(edit.span, edit.content)?;
        }
        *self = merged;
        Ok(())
    }

    /// The changed text.
    ///
    /// # Panics
    ///
    /// If the edits are not those of this text: a span that reaches past its end or cuts a character.
    pub fn apply(&self, text: &str) -> String {
        let added: usize = self.edits.iter().map(|edit| edit.content.len()).sum();
        let mut out = String::with_capacity(text.len() + added);
        let mut at = 0;
        for edit in &self.edits {
            let range = edit.span.range();
            out.push_str(&text[at..range.start]);
            out.push_str(&edit.content);
            at = range.end;
        }
        out.push_str(&text[at..]);
        out
    }

    /// Puts lines before an instruction, indented like it, with the file's line ending. Comments above the instruction
    /// stay above the new lines.
    pub fn insert_before(
        &mut self,
        instruction: &Instruction<'_>,
        lines: &str,
    ) -> Result<(), EditError> {
        let text = instruction.file().text();
        let start = instruction.span().start as usize;
        let indent = &text[line_start(text, start)..start];
        let ending = line_ending(text);
        let mut content = indent_lines(lines, indent, ending);
        content.drain(..indent.len());
        content.push_str(ending);
        content.push_str(indent);
        self.insert(offset(start), content)
    }

    /// Puts lines after an instruction and its heredocs, indented like it, with the file's line ending.
    pub fn insert_after(
        &mut self,
        instruction: &Instruction<'_>,
        lines: &str,
    ) -> Result<(), EditError> {
        let text = instruction.file().text();
        let span = instruction.span();
        let start = span.start as usize;
        let indent = &text[line_start(text, start)..start];
        let ending = line_ending(text);
        let content = indent_lines(lines, indent, ending);
        // At the end of the last line: a file without a final line break stays one.
        let end = line_at(text.as_bytes(), line_start(text, span.end as usize)).end;
        self.insert(offset(end), format!("{ending}{content}"))
    }

    /// Replaces an instruction, heredocs included, by other lines. Indentation and line break stay.
    pub fn replace_instruction(
        &mut self,
        instruction: &Instruction<'_>,
        lines: &str,
    ) -> Result<(), EditError> {
        let text = instruction.file().text();
        let start = instruction.span().start as usize;
        let indent = &text[line_start(text, start)..start];
        let mut content = indent_lines(lines, indent, line_ending(text));
        content.drain(..indent.len());
        self.replace(instruction.span(), content)
    }

    /// Removes an instruction with its lines, and with the comment lines directly above it if `with_comments`.
    pub fn remove_instruction(
        &mut self,
        instruction: &Instruction<'_>,
        with_comments: bool,
    ) -> Result<(), EditError> {
        let text = instruction.file().text();
        let span = instruction.span();
        let mut start = line_start(text, span.start as usize);
        if with_comments {
            let directives = instruction.file().directives();
            let mark = if text.starts_with(BOM) { BOM.len() } else { 0 };
            let floor = directives
                .last()
                .map_or(mark, |directive| directive.span.end as usize);
            while start > floor {
                let above = line_start(text, start - 1);
                let comment = crate::go::trim(&text[above..start]).starts_with('#');
                if !comment || above < floor {
                    break;
                }
                start = above;
            }
        }
        let next = line_at(text.as_bytes(), line_start(text, span.end as usize)).next;
        if next == text.len() && !text.ends_with('\n') && start > 0 {
            // The last line has no break of its own: the one before it goes.
            let before = text[..start].strip_suffix('\n').map_or(start, str::len);
            start = text[..before].strip_suffix('\r').map_or(before, str::len);
        }
        self.delete(Span::from(start..next))
    }

    /// Sets a flag of an instruction: replaces its value if the flag stands there, adds it behind the other flags
    /// otherwise. Without a value the flag is a plain `--name`.
    pub fn set_flag(
        &mut self,
        instruction: &Instruction<'_>,
        name: &str,
        value: Option<&str>,
    ) -> Result<(), EditError> {
        match instruction
            .flags()
            .into_iter()
            .find(|flag| flag.name == *name)
        {
            Some(flag) => self.replace(
                flag.span,
                write::flag(name, value, instruction.file().escape())?,
            ),
            None => self.add_flag(instruction, name, value),
        }
    }

    /// Adds a flag behind the flags of an instruction, even if one of that name stands there (`--mount`, `--exclude`).
    pub fn add_flag(
        &mut self,
        instruction: &Instruction<'_>,
        name: &str,
        value: Option<&str>,
    ) -> Result<(), EditError> {
        let flag = write::flag(name, value, instruction.file().escape())?;
        let after = match instruction.flags().last() {
            Some(last) => last.span.end,
            None => instruction.keyword_text().span.end,
        };
        self.insert(after, format!(" {flag}"))
    }

    /// Removes every flag of that name, with the blanks around it or the line that it had for itself.
    pub fn remove_flag(
        &mut self,
        instruction: &Instruction<'_>,
        name: &str,
    ) -> Result<(), EditError> {
        let flags = instruction.flags();
        let spans: Vec<Span> = flags.iter().map(|flag| flag.span).collect();
        for (at, _) in flags
            .iter()
            .enumerate()
            .filter(|(_, flag)| flag.name == *name)
        {
            self.remove_part(instruction, &spans, at)?;
        }
        Ok(())
    }

    /// Replaces a part of an instruction by a text that is written as it is.
    pub fn replace_argument(&mut self, part: &Text<'_>, content: &str) -> Result<(), EditError> {
        self.replace(part.span, content)
    }

    /// Replaces everything behind name and flags of an instruction. Heredocs stay.
    pub fn replace_arguments(
        &mut self,
        instruction: &Instruction<'_>,
        content: &str,
    ) -> Result<(), EditError> {
        let line = instruction.logical();
        let (name, rest) = word::keyword(line.text(), 0..line.text().len());
        let (_, args) = word::flags(&line, rest, instruction.file().escape() as u8);
        if args.is_empty() {
            let end = instruction
                .flags()
                .last()
                .map_or(line.span(name).end, |flag| flag.span.end);
            return self.insert(end, format!(" {content}"));
        }
        self.replace(line.span(args), content)
    }
}

/// A byte order mark.
const BOM: &str = "\u{feff}";

/// Start of the line that holds the byte at `at`.
fn line_start(text: &str, at: usize) -> usize {
    let start = memchr::memrchr(b'\n', &text.as_bytes()[..at]).map_or(0, |newline| newline + 1);
    // A byte order mark is no part of the first line.
    if start == 0 && text.starts_with(BOM) {
        BOM.len()
    } else {
        start
    }
}

/// The line ending of a text: that of its first line.
pub fn line_ending(text: &str) -> &'static str {
    match memchr::memchr(b'\n', text.as_bytes()) {
        Some(at) if at > 0 && text.as_bytes()[at - 1] == b'\r' => "\r\n",
        _ => "\n",
    }
}

/// Gives the first line this indentation and every line this ending. Later lines are continuations, heredocs or further
/// instructions, whose own white space counts.
fn indent_lines(lines: &str, indent: &str, ending: &str) -> String {
    let lines = lines.strip_suffix('\n').unwrap_or(lines);
    let mut out = String::with_capacity(lines.len() + indent.len());
    out.push_str(indent);
    for (index, line) in lines.split('\n').enumerate() {
        if index > 0 {
            out.push_str(ending);
        }
        out.push_str(line.strip_suffix('\r').unwrap_or(line));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dockerfile;

    fn edit(text: &str, change: impl Fn(&mut EditSet, &Dockerfile<'_>)) -> String {
        let mut edits = EditSet::new();
        change(&mut edits, &Dockerfile::parse(text));
        edits.apply(text)
    }

    #[test]
    fn edits_are_sorted_and_disjoint() {
        let mut edits = EditSet::new();
        edits.replace(Span::new(4, 6), "X").unwrap();
        edits.insert(4, "a").unwrap();
        edits.insert(4, "b").unwrap();
        edits.insert(6, "c").unwrap();
        edits.delete(Span::new(0, 2)).unwrap();
        assert_eq!(edits.apply("0123456789"), "23abXc6789");
        for span in [
            Span::new(5, 5),
            Span::new(3, 5),
            Span::new(5, 9),
            Span::new(1, 2),
            Span::new(4, 6),
            Span::new(0, 9),
        ] {
            assert_eq!(
                edits.replace(span, "").unwrap_err().code(),
                "edits-overlap",
                "{span:?}"
            );
        }
    }

    #[test]
    fn instructions_come_and_go() {
        let text = "# top\r\n  FROM a\r\n\r\n# note\r\n  RUN <<E\r\nx\r\nE\r\nCMD b";
        assert_eq!(
            edit(text, |edits, file| edits
                .insert_before(&file.instruction(1), "RUN c \\\n d\n")
                .unwrap()),
            "# top\r\n  FROM a\r\n\r\n# note\r\n  RUN c \\\r\n d\r\n  RUN <<E\r\nx\r\nE\r\nCMD b"
        );
        assert_eq!(
            edit(text, |edits, file| edits
                .insert_after(&file.instruction(1), "RUN c")
                .unwrap()),
            "# top\r\n  FROM a\r\n\r\n# note\r\n  RUN <<E\r\nx\r\nE\r\n  RUN c\r\nCMD b"
        );
        assert_eq!(
            edit(text, |edits, file| edits
                .insert_after(&file.instruction(2), "CMD c")
                .unwrap()),
            format!("{text}\r\nCMD c")
        );
        assert_eq!(
            edit(text, |edits, file| edits
                .remove_instruction(&file.instruction(1), true)
                .unwrap()),
            "# top\r\n  FROM a\r\n\r\nCMD b"
        );
        assert_eq!(
            edit(text, |edits, file| edits
                .remove_instruction(&file.instruction(2), false)
                .unwrap()),
            "# top\r\n  FROM a\r\n\r\n# note\r\n  RUN <<E\r\nx\r\nE"
        );
        assert_eq!(
            edit(text, |edits, file| edits
                .replace_instruction(&file.instruction(1), "RUN x")
                .unwrap()),
            "# top\r\n  FROM a\r\n\r\n# note\r\n  RUN x\r\nCMD b"
        );
    }

    #[test]
    fn a_byte_order_mark_stays() {
        let text = "\u{feff}FROM a\nRUN b\n";
        let remove = |index: usize| {
            edit(text, |edits, file| {
                edits
                    .remove_instruction(&file.instruction(index), true)
                    .unwrap();
            })
        };
        assert_eq!(remove(0), "\u{feff}RUN b\n");
        assert_eq!(remove(1), "\u{feff}FROM a\n");
        assert_eq!(
            edit(text, |edits, file| edits
                .insert_before(&file.instruction(0), "ARG c")
                .unwrap()),
            "\u{feff}ARG c\nFROM a\nRUN b\n"
        );
    }

    #[test]
    fn flags_and_arguments_change() {
        let text = "FROM a\nCOPY --chown=a:b \\\n  --link a b\n";
        assert_eq!(
            edit(text, |edits, file| edits
                .set_flag(&file.instruction(1), "chown", Some("c d"))
                .unwrap()),
            "FROM a\nCOPY --chown=\"c d\" \\\n  --link a b\n"
        );
        assert_eq!(
            edit(text, |edits, file| edits
                .remove_flag(&file.instruction(1), "link")
                .unwrap()),
            "FROM a\nCOPY --chown=a:b \\\n  a b\n"
        );
        assert_eq!(
            edit(text, |edits, file| edits
                .remove_flag(&file.instruction(1), "chown")
                .unwrap()),
            "FROM a\nCOPY --link a b\n"
        );
        assert_eq!(
            edit(text, |edits, file| edits
                .set_flag(&file.instruction(0), "platform", Some("x"))
                .unwrap()),
            "FROM --platform=x a\nCOPY --chown=a:b \\\n  --link a b\n"
        );
        assert_eq!(
            edit(text, |edits, file| edits
                .replace_arguments(&file.instruction(1), ". /x")
                .unwrap()),
            "FROM a\nCOPY --chown=a:b \\\n  --link . /x\n"
        );
        assert_eq!(
            edit("CMD\n", |edits, file| edits
                .replace_arguments(&file.instruction(0), "[\"a\"]")
                .unwrap()),
            "CMD [\"a\"]\n"
        );
    }
}
