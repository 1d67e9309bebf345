//! Parser directives: `# syntax=…`, `# escape=…`, `# check=…` (`parser/directives.go`).

use crate::go;
use crate::json;
use crate::line::line_at;
use crate::text::{Span, Text, offset};

/// A parser directive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directive<'t> {
    /// The name as written: `syntax`, `escape` or `check`, in any case.
    pub name: Text<'t>,
    /// The value, trimmed.
    pub value: Text<'t>,
    /// From the comment sign to the end of the line.
    pub span: Span,
}

impl Directive<'_> {
    /// Whether the directive has this name.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }
}

/// Reads one line, from its comment sign, as a directive: nothing if it is none, or none that `BuildKit` knows.
pub(crate) fn read<'t>(
    text: &'t str,
    start: usize,
    end: usize,
    sign: &str,
) -> Option<Directive<'t>> {
    if !text[start..end].starts_with(sign) {
        return None;
    }
    let bytes = &text.as_bytes()[..end];
    let name = go::skip_space(text, start + sign.len(), end);
    let mut at = name;
    while at < end && bytes[at].is_ascii_alphanumeric() {
        at += 1;
    }
    let name = name..at;
    let known = ["syntax", "escape", "check"];
    if !known
        .iter()
        .any(|known| text[name.clone()].eq_ignore_ascii_case(known))
    {
        return None;
    }
    let skip = |mut at: usize| {
        while at < end && matches!(bytes[at], b'\t' | b'\n' | 0x0c | b'\r' | b' ') {
            at += 1;
        }
        at
    };
    at = skip(at);
    if bytes.get(at) != Some(&b'=') {
        return None;
    }
    let value = skip(at + 1);
    let mut stop = end;
    while stop > value && matches!(bytes[stop - 1], b'\t' | b'\n' | 0x0c | b'\r' | b' ') {
        stop -= 1;
    }
    // The value has at least one character; if nothing else is left, it is the last blank.
    let value = if stop > value {
        value..stop
    } else {
        blank_value(at + 1, end)?
    };
    if text[value.clone()].contains('\n') {
        return None;
    }
    let part = |range: std::ops::Range<usize>| Text {
        value: text[range.clone()].into(),
        span: Span::from(range),
    };
    Some(Directive {
        name: part(name),
        value: part(value),
        span: Span::new(offset(start), offset(end)),
    })
}

/// The value of a directive with nothing but blanks after its `=`: the pattern `\s*(.+?)\s*$` then takes the first blank
/// that it is left, which is the last one.
fn blank_value(from: usize, end: usize) -> Option<std::ops::Range<usize>> {
    (end > from).then(|| end - 1..end)
}

/// The frontend that a file asks for (`DetectSyntax`): in `#` directives, in `//` directives, or as the key `syntax` of a
/// file that is one JSON object; a first line that starts with `#!` is skipped.
///
/// Unlike the parser of the file itself it wants the comment sign at the very start of the line.
pub fn detect_syntax(text: &str) -> Option<Syntax> {
    find(text, "syntax", true)
}

/// The linter's settings of a file: the directive `check`, found like [`detect_syntax`] but only behind `#`.
pub fn detect_check(text: &str) -> Option<Syntax> {
    find(text, "check", false)
}

/// A frontend, or another directive's value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// The value up to its first space: of `syntax`, the image reference.
    pub reference: String,
    /// The whole value.
    pub command_line: String,
    /// The line that says so, from 1; 0 or 1 for a JSON file, as `BuildKit` counts.
    pub line: u32,
}

fn find(text: &str, key: &str, any_form: bool) -> Option<Syntax> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (text, before) = if text.starts_with("#!") {
        (text.split_once('\n').map_or("", |(_, rest)| rest), 1)
    } else {
        (text, 0)
    };
    let found = find_after(text, key, "#", before);
    if found.is_some() || !any_form {
        return found;
    }
    find_after(text, key, "//", before).or_else(|| {
        let value = json::member(text, key)?;
        Some(Syntax {
            reference: value.clone(),
            command_line: value,
            line: before,
        })
    })
}

fn find_after(text: &str, key: &str, sign: &str, before: u32) -> Option<Syntax> {
    let mut seen: Vec<String> = Vec::new();
    let mut found = None;
    let (mut at, mut number) = (0, before);
    while at < text.len() {
        let line = line_at(text.as_bytes(), at);
        // The scanner here has the same limit, and takes one carriage return off each line; others are blanks.
        if line.too_long {
            break;
        }
        number += 1;
        let Some(directive) = read(text, at, line.end, sign) else {
            break;
        };
        let name = go::lower(&directive.name);
        if seen.contains(&name) {
            break;
        }
        if name == key {
            found = Some(Syntax {
                reference: directive
                    .value
                    .split(' ')
                    .next()
                    .unwrap_or_default()
                    .to_owned(),
                command_line: directive.value.to_string(),
                line: number,
            });
        }
        seen.push(name);
        at = line.next;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(line: &str) -> Option<String> {
        read(line, 0, line.len(), "#")
            .map(|directive| format!("{}={}", directive.name, directive.value))
    }

    #[test]
    fn reads_directives() {
        assert_eq!(
            value("# syntax=docker/dockerfile:1 ").unwrap(),
            "syntax=docker/dockerfile:1"
        );
        assert_eq!(value("#EsCaPe \t= `").unwrap(), "EsCaPe=`");
        assert_eq!(value("# check=skip=all; x").unwrap(), "check=skip=all; x");
        assert_eq!(value("# other=x"), None);
        assert_eq!(value("# syntax x"), None);
        assert_eq!(value("# syntax="), None);
        assert_eq!(value("# syntax=  ").unwrap(), "syntax= ");
    }

    #[test]
    fn detects_the_frontend() {
        let reference =
            |text: &str| detect_syntax(text).map(|syntax| (syntax.reference, syntax.line));
        assert_eq!(
            reference("# syntax = a/b:1 opts\nFROM x"),
            Some(("a/b:1".into(), 1))
        );
        assert_eq!(
            reference("#!/bin/sh\n# escape=`\n# syntax=a\n"),
            Some(("a".into(), 3))
        );
        assert_eq!(reference("// syntax=a\n"), Some(("a".into(), 1)));
        assert_eq!(
            reference("{\"x\": [1], \"syntax\": \"a b\"}"),
            Some(("a b".into(), 0))
        );
        assert_eq!(reference(" # syntax=a\n"), None);
        assert_eq!(reference("\n# syntax=a\n"), None);
        assert_eq!(
            detect_check("# check=skip=all\n").unwrap().command_line,
            "skip=all"
        );
        assert_eq!(detect_check("// check=skip=all\n"), None);
    }
}
