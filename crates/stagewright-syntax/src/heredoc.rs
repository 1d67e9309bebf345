//! Heredocs: `<<EOF` in `RUN`, `COPY`, `ADD` and under `ONBUILD`, and the lines they take.

use crate::expand::{ExpandError, Lex, Mode, WordAt};
use crate::line::Lines;
use crate::logical::Logical;
use crate::text::{Span, Text};
use std::borrow::Cow;
use std::ops::Range;

/// A heredoc of an instruction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heredoc<'t> {
    /// The word after `<<`, quotes removed; for `COPY` and `ADD` the name of the file.
    pub name: Text<'t>,
    /// Whether variables in the body are expanded (`COPY`, `ADD`): no part of the word is quoted.
    pub expand: bool,
    /// `<<-`: leading tabs of the body do not count.
    pub chomp: bool,
    /// The number before `<<`, 0 if there is none. `BuildKit` reads it and does nothing with it.
    pub fd: u64,
    /// The body as it stands in the file, with its last line break, tabs included.
    pub content: Text<'t>,
    /// From the first line of the body to the end of the line that ends it, without that line's break. Empty, at the end
    /// of the instruction, if the body is cut off before its first line.
    pub span: Span,
}

impl<'t> Heredoc<'t> {
    /// The body without the leading tabs that `<<-` drops.
    pub fn chomped(&self) -> Cow<'t, str> {
        if self.chomp {
            chomp(self.content.value.clone())
        } else {
            self.content.value.clone()
        }
    }
}

/// Removes the tabs at the start of each line.
fn chomp(body: Cow<'_, str>) -> Cow<'_, str> {
    if !body.starts_with('\t') && !body.contains("\n\t") {
        return body;
    }
    let lines = body
        .split_inclusive('\n')
        .map(|line| line.trim_start_matches('\t'));
    Cow::Owned(lines.collect())
}

/// A heredoc as its word declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Declared {
    pub(crate) name: String,
    pub(crate) expand: bool,
    pub(crate) chomp: bool,
    pub(crate) fd: u64,
    /// The word in the joined line.
    pub(crate) range: Range<usize>,
}

/// Reads one word as a heredoc (`ParseHeredoc` in `parser/parser.go`): nothing if it is none.
pub(crate) fn declared(word: &str) -> Result<Option<Declared>, ExpandError> {
    let digits = word.bytes().take_while(u8::is_ascii_digit).count();
    let Some(rest) = word[digits..].strip_prefix("<<") else {
        return Ok(None);
    };
    let (chomp, rest) = match rest.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let rest = rest.trim_start_matches(['\t', '\n', '\x0c', '\r', ' ']);
    if rest.is_empty() || rest.contains('<') {
        return Ok(None);
    }
    let lex = |raw_quotes| {
        let mode = Mode {
            raw_quotes,
            skip_unset: true,
            ..Mode::default()
        };
        let mut words = Vec::new();
        Lex::new(rest, '\\', &(), mode)
            .process(&mut String::new(), Some(&mut words))
            .map(|()| words)
    };
    let Ok([name]) = <[WordAt; 1]>::try_from(lex(false)?) else {
        return Ok(None);
    };
    let raw = lex(true)?;
    let quotes = |text: &str| text.bytes().filter(|b| matches!(b, b'\'' | b'"')).count();
    // A quote that is gone without the raw form's quotes shows that a part of the word was quoted.
    let raw_quotes: usize = raw.first().map_or(0, |word| quotes(&word.value));
    Ok(Some(Declared {
        expand: quotes(&name.value) == raw_quotes,
        name: name.value,
        chomp,
        fd: match word[..digits].parse() {
            Ok(fd) => fd,
            Err(_) if digits == 0 => 0,
            Err(_) => u64::MAX,
        },
        range: 0..word.len(),
    }))
}

/// The heredocs that a joined line declares (`heredocsFromLine`). The escape character is always the backslash here,
/// and a line that cannot be split into words has no heredocs.
pub(crate) fn declared_in(line: &str) -> Result<Vec<Declared>, ExpandError> {
    let mode = Mode {
        raw_quotes: true,
        raw_escapes: true,
        skip_unset: true,
        ..Mode::default()
    };
    let mut words = Vec::new();
    if Lex::new(line, '\\', &(), mode)
        .process(&mut String::new(), Some(&mut words))
        .is_err()
    {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for word in words {
        if let Some(mut heredoc) = declared(&word.value)? {
            heredoc.range = word.start..word.end;
            found.push(heredoc);
        }
    }
    Ok(found)
}

/// Where the body of a heredoc stands.
pub(crate) struct Body {
    pub(crate) content: Range<usize>,
    /// End of the line that ends the heredoc, without its break.
    pub(crate) end: usize,
    /// The line that ends the heredoc is missing, or `BuildKit` gave up before it at a line that is too long.
    pub(crate) unterminated: bool,
}

/// Finds the body that starts at the next of the lines.
pub(crate) fn body(lines: &mut Lines<'_>, text: &str, name: &str, chomp: bool) -> Body {
    let bytes = text.as_bytes();
    let start = lines.at();
    let mut unterminated = false;
    for line in lines {
        unterminated |= line.too_long;
        let mut from = line.start;
        while chomp && from < line.end && bytes[from] == b'\t' {
            from += 1;
        }
        if &bytes[from..line.end] == name.as_bytes() {
            return Body {
                content: start..line.start,
                end: line.end,
                unterminated,
            };
        }
    }
    Body {
        content: start..bytes.len(),
        end: bytes.len(),
        unterminated: true,
    }
}

/// The heredocs of an instruction whose logical line is given, bodies included.
pub(crate) fn read<'t>(source: &'t str, line: &Logical<'t>) -> Vec<Heredoc<'t>> {
    let mut lines = Lines::new(source.as_bytes(), line.next);
    let mut heredocs = Vec::new();
    for found in declared_in(line.text()).unwrap_or_default() {
        let body = body(&mut lines, source, &found.name, found.chomp);
        heredocs.push(Heredoc {
            name: line.changed(found.name, found.range),
            expand: found.expand,
            chomp: found.chomp,
            fd: found.fd,
            span: Span::from(body.content.start..body.end),
            content: Text {
                span: Span::from(body.content.clone()),
                value: Cow::Borrowed(&source[body.content]),
            },
        });
    }
    heredocs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_declare_heredocs() {
        let cases = [
            ("<<EOF", Some(("EOF", true, false, 0))),
            ("<<-EOF", Some(("EOF", true, true, 0))),
            ("3<<EOF", Some(("EOF", true, false, 3))),
            ("<<'EOF'", Some(("EOF", false, false, 0))),
            ("<<\"E\"OF", Some(("EOF", false, false, 0))),
            ("<<\\'EOF", Some(("'EOF", true, false, 0))),
            ("<< -EOF", Some(("-EOF", true, false, 0))),
            ("<<", None),
            ("<<<EOF", None),
            ("a<<EOF", None),
            ("<<'a b'", Some(("a b", false, false, 0))),
        ];
        for (word, want) in cases {
            let found = declared(word).unwrap();
            let found = found
                .as_ref()
                .map(|h| (h.name.as_str(), h.expand, h.chomp, h.fd));
            assert_eq!(found, want, "{word}");
        }
    }

    #[test]
    fn lines_declare_heredocs() {
        let names = |line: &str| -> Vec<String> {
            declared_in(line)
                .unwrap()
                .into_iter()
                .map(|found| line[found.range].to_owned())
                .collect()
        };
        assert_eq!(names("RUN cat <<A 3<<-'B' > f"), ["<<A", "3<<-'B'"]);
        assert_eq!(names("RUN cat << EOF"), ["<< EOF"]);
        assert_eq!(names("RUN cat <<- EOF"), Vec::<String>::new());
        assert_eq!(names("RUN echo '<<A' \"<<B\" \\<<C"), Vec::<String>::new());
        assert_eq!(names("RUN echo 'open <<A"), Vec::<String>::new());
        assert_eq!(names("RUN cat <<\"a${b%c}\""), Vec::<String>::new());
    }
}
