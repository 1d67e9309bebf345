//! A formatter that never costs a rebuild.
//!
//! It changes only what `BuildKit` does not see: the case of instruction names, white space around names, flags and arguments,
//! white space at line ends, blank lines, the final line break. The leading white space of continuation lines is part of the
//! value (`parser/parser.go` trims the first line only) and stays. Every result is read back: if a value, a flag, a heredoc
//! or a directive would differ, nothing is changed at all.
//!
//! ```
//! use stagewright_syntax::format::format;
//!
//! let text = "from alpine  as base \n\n\n  RUN   apk add \\  \n\n      curl\t\nCMD [\"sh\"]";
//! assert_eq!(format(text), "FROM alpine  AS base\n\nRUN apk add \\\n      curl\nCMD [\"sh\"]\n");
//! ```

use crate::edit::{EditSet, line_ending};
use crate::file::{Dockerfile, Instruction};
use crate::go;
use crate::instruction::{Keyword, View};
use crate::line::{Inner, Line, classify, continuation, line_at};
use crate::text::{Span, offset};

/// The formatted text.
pub fn format(text: &str) -> String {
    edits(&Dockerfile::parse(text)).apply(text)
}

/// The edits that format a file; none if it is formatted, or has errors.
pub fn edits(file: &Dockerfile<'_>) -> EditSet {
    if !file.errors().is_empty() {
        return EditSet::new();
    }
    let mut formatter = Formatter {
        file,
        edits: EditSet::new(),
    };
    formatter.run();
    let edits = formatter.edits;
    let changed = edits.apply(file.text());
    if is_same(file, &Dockerfile::parse(&changed)) {
        edits
    } else {
        EditSet::new()
    }
}

/// Whether two files are the same to `BuildKit`.
fn is_same(old: &Dockerfile<'_>, new: &Dockerfile<'_>) -> bool {
    let directives = |file: &Dockerfile<'_>| -> Vec<(String, String)> {
        let directives = file.directives().iter();
        directives
            .map(|directive| (go::lower(&directive.name), directive.value.to_string()))
            .collect()
    };
    new.errors().is_empty()
        && old.len() == new.len()
        && directives(old) == directives(new)
        && old
            .instructions()
            .zip(new.instructions())
            .all(|(old, new)| {
                let heredocs = old.heredocs();
                old.keyword() == new.keyword()
                    && values(&old) == values(&new)
                    && heredocs.len() == new.heredocs().len()
                    && heredocs.iter().zip(new.heredocs()).all(|(old, new)| {
                        old.name.value == new.name.value && old.content.value == new.content.value
                    })
            })
}

/// Flags and arguments of an instruction as `BuildKit` reads them, without the case of `AS`.
fn values(instruction: &Instruction<'_>) -> Option<String> {
    match instruction.view() {
        View::From(from) => Some(format!(
            "{:?}",
            (
                from.platform.map(|text| text.value),
                from.image.value,
                from.name.map(|text| text.value)
            )
        )),
        _ => instruction.dump(),
    }
}

struct Formatter<'f> {
    file: &'f Dockerfile<'f>,
    edits: EditSet,
}

impl Formatter<'_> {
    fn run(&mut self) {
        let text = self.file.text();
        let mut at = if text.starts_with('\u{feff}') { 3 } else { 0 };
        for instruction in self.file.instructions() {
            let start = instruction.span().start as usize;
            let line = memchr::memrchr(b'\n', &text.as_bytes()[at..start])
                .map_or(at, |newline| at + newline + 1);
            self.between(at, line);
            self.replace(line, start, "");
            self.head(&instruction);
            at = self.lines(&instruction);
        }
        self.between(at, text.len());
        let last = memchr::memrchr(b'\n', text.as_bytes()).map_or(0, |newline| newline + 1);
        if !go::trim(&text[last..]).is_empty() {
            self.replace(text.len(), text.len(), line_ending(text));
        }
    }

    /// Replaces bytes, if that changes anything.
    fn replace(&mut self, start: usize, end: usize, content: &str) {
        if &self.file.text()[start..end] != content {
            let span = Span::new(offset(start), offset(end));
            self.edits
                .replace(span, content)
                .expect("each place is formatted once");
        }
    }

    /// Lines between instructions: blanks at their ends go, and all but one of several blank lines.
    fn between(&mut self, start: usize, end: usize) {
        let text = self.file.text();
        let mut blank = false;
        let mut at = start;
        while at < end {
            let line = line_at(text.as_bytes(), at);
            at = line.next;
            if let Inner::Blank = classify(text, line) {
                if blank {
                    self.replace(line.start, line.next, "");
                } else {
                    self.replace(line.start, line.end, "");
                }
                blank = true;
            } else {
                self.line_end(line);
                blank = false;
            }
        }
    }

    /// White space at the end of a line.
    fn line_end(&mut self, line: Line) {
        let end = blanks_before(self.file.text(), line.start, line.end);
        self.replace(end, line.end, "");
    }

    /// Name, flags, and the blanks between them and the arguments.
    fn head(&mut self, instruction: &Instruction<'_>) {
        let name = instruction.keyword_text();
        if name.span.len() as usize == name.len() {
            self.replace(
                name.span.start as usize,
                name.span.end as usize,
                instruction.keyword().as_str(),
            );
        }
        let arguments = instruction.arguments();
        let mut parts = vec![name.span];
        parts.extend(instruction.flags().iter().map(|flag| flag.span));
        if !arguments.is_empty() {
            parts.push(arguments.span);
        }
        let text = self.file.text();
        for pair in parts.windows(2) {
            let (start, end) = (pair[0].end as usize, pair[1].start as usize);
            if start < end && text[start..end].bytes().all(|b| matches!(b, b' ' | b'\t')) {
                self.replace(start, end, " ");
            }
        }
        if instruction.keyword() == Keyword::From
            && let View::From(from) = instruction.view()
            && let Some(word) = from.as_word
            && word.eq_ignore_ascii_case("as")
            && word.span.len() == 2
        {
            self.replace(word.span.start as usize, word.span.end as usize, "AS");
        }
    }

    /// The lines of an instruction, heredocs left alone: where the lines after it begin.
    fn lines(&mut self, instruction: &Instruction<'_>) -> usize {
        let text = self.file.text();
        let bytes = text.as_bytes();
        let escape = self.file.escape_byte();
        let end = instruction.span().end as usize;
        let mut at = instruction.span().start as usize;
        loop {
            let line = line_at(bytes, at);
            let is_first = at == instruction.span().start as usize;
            let kind = if is_first {
                Inner::Data
            } else {
                classify(text, line)
            };
            let continued = match kind {
                Inner::Blank => {
                    self.replace(line.start, line.next, "");
                    true
                }
                Inner::Comment(_) => {
                    self.line_end(line);
                    true
                }
                Inner::Data => {
                    let stop = continuation(bytes, line.start, line.end, escape);
                    match stop {
                        Some(stop) => self.replace(stop + 1, line.end, ""),
                        None => self.line_end(line),
                    }
                    stop.is_some()
                }
            };
            at = line.next;
            if !continued || at > end || at == bytes.len() {
                break;
            }
        }
        if at > end || at == bytes.len() {
            at
        } else {
            line_at(bytes, end).next
        }
    }
}

/// The end of a line without blanks: spaces and tabs, and carriage returns among them.
fn blanks_before(text: &str, start: usize, end: usize) -> usize {
    let bytes = text.as_bytes();
    let mut end = end;
    while end > start && matches!(bytes[end - 1], b' ' | b'\t' | b'\r') {
        end -= 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_what_buildkit_does_not_see() {
        let cases = [
            ("", ""),
            ("FROM a", "FROM a\n"),
            ("FROM a\r\nrun\tb  \r\n", "FROM a\r\nRUN b\r\n"),
            (
                "FROM a\ncopy  --from=b \t --link   c d\n",
                "FROM a\nCOPY --from=b --link c d\n",
            ),
            (
                "FROM a\nRUN b \\ \n\n # c  \n\td  \n",
                "FROM a\nRUN b \\\n # c\n\td\n",
            ),
            (
                "FROM a\nRUN <<E  \n x  \n\n\nE\n\n\n\nCMD b\n",
                "FROM a\nRUN <<E\n x  \n\n\nE\n\nCMD b\n",
            ),
            ("\n\n\n# x \nFROM a\n", "\n# x\nFROM a\n"),
            ("FROM a\n\n  ", "FROM a\n\n"),
            ("FROM a\nENV  b  c  d\n", "FROM a\nENV b  c  d\n"),
            ("FORM a\n\n\n\n", "FORM a\n\n\n\n"),
            ("FROM a\nRUN f\r\r\t\r\r ", "FROM a\nRUN f\n"),
            ("FROM a\r\t\r\r\nRUN b\r \n", "FROM a\r\r\nRUN b\n"),
        ];
        for (text, want) in cases {
            assert_eq!(format(text), want, "{text:?}");
            assert_eq!(format(want), want, "formatting twice changes nothing");
        }
    }
}
