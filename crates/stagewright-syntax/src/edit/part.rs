//! Removing one of several parts of an instruction, with its blanks or its line.

use super::{EditError, EditSet, line_start};
use crate::file::Instruction;
use crate::line::{Line, continuation, line_at};
use crate::text::{Span, offset};

impl EditSet {
    /// Removes one of the parts of an instruction, which stand in order: with the line that it has for itself, or with the
    /// blanks between it and its neighbour. Comments between parts stay.
    pub(super) fn remove_part(
        &mut self,
        instruction: &Instruction<'_>,
        parts: &[Span],
        at: usize,
    ) -> Result<(), EditError> {
        let file = instruction.file();
        let (text, escape) = (file.text(), file.escape_byte());
        let bytes = text.as_bytes();
        let part = parts[at];
        let (start, end) = (part.start as usize, part.end as usize);
        let whole = instruction.span();
        let first = line_at(bytes, line_start(text, start));
        let last = line_at(bytes, line_start(text, end));
        let content =
            |line: Line| continuation(bytes, line.start, line.end, escape).unwrap_or(line.end);
        let only_blanks = |from: usize, to: usize| bytes[from..to].iter().all(|b| is_blank(*b));
        let alone = first.start > whole.start as usize
            && only_blanks(first.start, start)
            && only_blanks(end, content(last));
        if alone && content(last) < last.end {
            return self.delete(Span::from(first.start..last.next));
        }
        let before = match at.checked_sub(1) {
            Some(before) => parts[before].end as usize,
            None => instruction.keyword_text().span.end as usize,
        };
        if alone {
            // The last line: what continued the one before goes with it, up to which comments may stand.
            let line = line_at(bytes, line_start(text, before));
            self.delete(Span::from(before..line.end))?;
            let above = text[..first.start]
                .strip_suffix('\n')
                .map_or(first.start, |above| {
                    above.strip_suffix('\r').unwrap_or(above).len()
                });
            return self.delete(Span::new(offset(above.max(line.end)), part.end));
        }
        // What stands behind: the next part, or the arguments.
        let next = match parts.get(at + 1) {
            Some(next) => Some(next.start as usize),
            None => Some(instruction.arguments().span)
                .filter(|rest| rest.start > part.end && !rest.is_empty())
                .map(|rest| rest.start as usize),
        };
        match next {
            Some(next) if !text[end..next].contains('#') => self.delete(Span::from(start..next)),
            Some(_) => {
                let blanks = bytes[end..].iter().take_while(|b| is_blank(**b)).count();
                self.delete(Span::from(start..end + blanks))
            }
            None if only_blanks(before, start) => self.delete(Span::from(before..end)),
            None => self.delete(part),
        }
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Dockerfile;

    #[test]
    fn parts_go_with_their_lines() {
        let remove = |text: &str, name: &str| {
            let file = Dockerfile::parse(text);
            let mut edits = EditSet::new();
            edits.remove_flag(&file.instruction(0), name).unwrap();
            edits.apply(text)
        };
        let cases = [
            ("RUN --a --b --c x", "b", "RUN --a --c x"),
            ("RUN --a x", "a", "RUN x"),
            (
                "RUN --a \\\n    --b \\\n    x\n",
                "a",
                "RUN --b \\\n    x\n",
            ),
            (
                "RUN --a \\\n    --b \\\n    x\n",
                "b",
                "RUN --a \\\n    x\n",
            ),
            (
                "RUN --a \\\n # why\n --b x\n",
                "a",
                "RUN \\\n # why\n --b x\n",
            ),
            (
                "RUN --a \\\n # why\n --b \\\n x\n",
                "b",
                "RUN --a \\\n # why\n x\n",
            ),
            ("RUN --a=1 --a=2 x\n", "a", "RUN x\n"),
        ];
        for (text, name, want) in cases {
            assert_eq!(remove(text, name), want, "{text:?}");
        }
    }

    #[test]
    fn the_last_part_goes_with_what_continues_the_line_before() {
        let remove = |text: &str, at: usize| {
            let file = Dockerfile::parse(text);
            let crate::View::Env(env) = file.instruction(0).view() else {
                panic!()
            };
            let spans: Vec<Span> = env
                .pairs
                .iter()
                .map(crate::instruction::Pair::span)
                .collect();
            let mut edits = EditSet::new();
            edits.remove_part(&file.instruction(0), &spans, at).unwrap();
            edits.apply(text)
        };
        let cases = [
            ("ENV A=1 B=2", 0, "ENV B=2"),
            ("ENV A=1  B=2", 1, "ENV A=1"),
            (
                "ENV A=1 \\\n    B=2 \\\n    C=3\n",
                0,
                "ENV B=2 \\\n    C=3\n",
            ),
            (
                "ENV A=1 \\\n    B=2 \\\n    C=3\n",
                1,
                "ENV A=1 \\\n    C=3\n",
            ),
            ("ENV A=1 \\\r\n    B=2\r\nRUN x", 1, "ENV A=1\r\nRUN x"),
            ("ENV A=1 \\\n # why\n B=2\n", 1, "ENV A=1\n # why\n"),
            ("ENV A=1 \\\n B=2 C=3\n", 1, "ENV A=1 \\\n C=3\n"),
        ];
        for (text, at, want) in cases {
            assert_eq!(remove(text, at), want, "{text:?}");
        }
    }
}
