//! Splitting a logical line: the instruction's name, its flags, words and lists.

use crate::go;
use crate::instruction::Flag;
use crate::logical::Logical;
use crate::text::{Text, reserve};
use std::borrow::Cow;
use std::ops::Range;

/// The name of the instruction in `range` of a joined line, and where what follows it begins
/// (`splitCommand` in `parser/split_command.go`).
#[inline]
pub(crate) fn keyword(text: &str, range: Range<usize>) -> (Range<usize>, Range<usize>) {
    let start = go::skip_space(text, range.start, range.end);
    let end = go::trim_end(text, start, range.end);
    let bytes = &text.as_bytes()[..end];
    let mut stop = start;
    while stop < end && !go::is_blank(bytes[stop]) {
        stop += 1;
    }
    let mut rest = stop;
    while rest < end && go::is_blank(bytes[rest]) {
        rest += 1;
    }
    (start..stop, rest..end)
}

/// The flags at the start of `range` and the range of the arguments after them, trimmed (`extractBuilderFlags`).
pub(crate) fn flags<'t>(
    line: &Logical<'t>,
    range: Range<usize>,
    escape: u8,
) -> (Vec<Flag<'t>>, Range<usize>) {
    let mut found = Vec::new();
    let args = read_flags(line, range, escape, &mut found);
    (found, args)
}

/// Adds the flags at the start of `range` to a list; gives the range of the arguments after them, trimmed.
#[inline]
pub(crate) fn read_flags<'t>(
    line: &Logical<'t>,
    range: Range<usize>,
    escape: u8,
    found: &mut Vec<Flag<'t>>,
) -> Range<usize> {
    let text = line.text();
    match text.as_bytes().get(range.start) {
        Some(b'!'..=b',' | b'.'..=b'~') => range.start..go::trim_end(text, range.start, range.end),
        _ => read_some_flags(line, range, escape, found),
    }
}

fn read_some_flags<'t>(
    line: &Logical<'t>,
    range: Range<usize>,
    escape: u8,
    found: &mut Vec<Flag<'t>>,
) -> Range<usize> {
    let text = line.text();
    let bytes = &text.as_bytes()[..range.end];
    let mut at = range.start;
    loop {
        while at < bytes.len() && go::is_space_byte(bytes[at]) {
            at += 1;
        }
        if !bytes[at..].starts_with(b"--") {
            break;
        }
        let start = at;
        let (flag, end) = flag(line, at, range.end, escape);
        at = end;
        match flag {
            Some(flag) => {
                reserve(found, start - range.start, range.len());
                found.push(flag);
            }
            // A lone `--` ends the flags.
            None => break,
        }
    }
    let start = go::skip_space(text, boundary(text, at), range.end);
    start..go::trim_end(text, start, range.end)
}

/// Reads the flag that starts at `start`: nothing if it is `--` alone. Also gives the place after it.
fn flag<'t>(line: &Logical<'t>, start: usize, end: usize, escape: u8) -> (Option<Flag<'t>>, usize) {
    let bytes = &line.text().as_bytes()[..end];
    let mut at = start;
    let mut equals = None;
    while at < end && !go::is_space_byte(bytes[at]) {
        match bytes[at] {
            b'\'' | b'"' | 0x80.. => return unusual_flag(line, start, end, escape),
            b if b == escape => return unusual_flag(line, start, end, escape),
            b'=' if equals.is_none() => equals = Some(at),
            _ => {}
        }
        at += 1;
    }
    if at == start + 2 {
        return (None, at);
    }
    let flag = Flag {
        name: line.slice(start + 2..equals.unwrap_or(at)),
        value: equals.map(|equals| line.slice(equals + 1..at)),
        span: line.span(start..at),
    };
    (Some(flag), at)
}

/// A flag with quotes, escapes or characters beyond ASCII. `BuildKit` reads flags byte by byte and takes each byte for a
/// Latin-1 character; so does this.
fn unusual_flag<'t>(
    line: &Logical<'t>,
    start: usize,
    end: usize,
    escape: u8,
) -> (Option<Flag<'t>>, usize) {
    let text = line.text();
    let bytes = &text.as_bytes()[..end];
    let mut at = start;
    let mut quote = None;
    let mut word = String::new();
    // The first `=` of the word: its place in the word and in the line.
    let mut equals = None;
    while at < end {
        let mut b = bytes[at];
        match quote {
            None if go::is_space_byte(b) => break,
            None if matches!(b, b'\'' | b'"') => {
                quote = Some(b);
                at += 1;
                continue;
            }
            Some(open) if open == b => {
                quote = None;
                at += 1;
                continue;
            }
            _ => {}
        }
        if b == escape {
            if at + 1 == end {
                // Dropped at the very end.
                at += 1;
                break;
            }
            at += 1;
            b = bytes[at];
        }
        if b == b'=' && equals.is_none() {
            equals = Some((word.len(), at));
        }
        word.push(char::from(b));
        at += 1;
    }
    if word == "--" {
        return (None, at);
    }
    let stop = boundary(text, at);
    let part = |range: Range<usize>, value: &str| {
        let range = boundary(text, range.start)..boundary(text, range.end);
        let inner = range.start + 1..range.end.saturating_sub(1).max(range.start + 1);
        if text[range.clone()] == *value {
            line.slice(range)
        } else if text.get(inner.clone()) == Some(value)
            && matches!(text.as_bytes()[range.start], b'\'' | b'"')
        {
            // Quoted as a whole: the span is what stands between the quotes.
            line.slice(inner)
        } else {
            line.changed(value.to_owned(), range)
        }
    };
    let (name, value) = match equals {
        Some((middle, place)) => (
            part(start + 2..place, &word[2..middle]),
            Some(part(place + 1..at, &word[middle + 1..])),
        ),
        None => (part(start + 2..at, &word[2..]), None),
    };
    let flag = Flag {
        name,
        value,
        span: line.span(start..stop),
    };
    (Some(flag), at)
}

/// `at`, or the next place between two characters.
fn boundary(text: &str, at: usize) -> usize {
    let mut at = at;
    while !text.is_char_boundary(at) {
        at += 1;
    }
    at
}

/// The words of `ENV`, `LABEL` and `ARG`: split at white space, quotes and escapes kept (`parseWords` in
/// `parser/line_parsers.go`). Only an escape character at the very end is dropped.
pub(crate) fn words(
    text: &str,
    range: Range<usize>,
    escape: u8,
) -> impl Iterator<Item = Range<usize>> {
    let mut at = range.start;
    std::iter::from_fn(move || {
        loop {
            let word = next_word(text, at..range.end, escape)?;
            at = word.next;
            if !word.range.is_empty() {
                return Some(word.range);
            }
        }
    })
}

/// A word and the place where the search for the one after it begins.
struct Word {
    range: Range<usize>,
    next: usize,
}

/// Bytes that are nothing but themselves in a word of `ENV`, whatever the escape character.
const ORDINARY: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = b'!';
    while b <= b'~' {
        table[b as usize] = !matches!(b, b'\'' | b'"' | b'\\' | b'`');
        b += 1;
    }
    table
};

fn next_word(text: &str, range: Range<usize>, escape: u8) -> Option<Word> {
    let end = range.end;
    let start = go::skip_space(text, range.start, end);
    if start == end {
        return None;
    }
    let bytes = text.as_bytes();
    let mut at = start;
    let mut quote = None;
    while at < end {
        let b = bytes[at];
        if ORDINARY[b as usize] {
            at += 1;
            continue;
        }
        if b == escape && quote != Some(b'\'') {
            if at + 1 == end {
                return Some(Word {
                    range: start..at,
                    next: end,
                });
            }
            at += 1 + width(bytes[at + 1]);
            continue;
        }
        match quote {
            Some(open) => {
                if b == open {
                    quote = None;
                }
            }
            None => match b {
                b'\'' | b'"' => quote = Some(b),
                b'\t'..=b'\r' | b' ' => break,
                0x80.. if go::skip_space(text, at, end) > at => break,
                _ => {}
            },
        }
        at += width(b);
    }
    Some(Word {
        range: start..at,
        next: at,
    })
}

/// Length of the UTF-8 sequence that starts with this byte.
fn width(first: u8) -> usize {
    match first {
        0..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    }
}

/// A list of what `make` makes of each word of `range`.
#[inline]
pub(crate) fn collect<T>(
    words: impl Iterator<Item = Range<usize>>,
    range: &Range<usize>,
    mut make: impl FnMut(Range<usize>) -> T,
) -> Vec<T> {
    let mut list = Vec::with_capacity(2);
    for word in words {
        reserve(&mut list, word.start - range.start, range.len());
        list.push(make(word));
    }
    list
}

/// Splits at runs of blanks, as `FROM`, `COPY`, `EXPOSE` and others do (`parseStringsWhitespaceDelimited`).
#[inline]
pub(crate) fn list(text: &str, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let bytes = &text.as_bytes()[..range.end];
    let mut at = range.start;
    std::iter::from_fn(move || {
        let start = at;
        if start == bytes.len() {
            return None;
        }
        while at < bytes.len() && !go::is_blank(bytes[at]) {
            at += 1;
        }
        let end = at;
        while at < bytes.len() && go::is_blank(bytes[at]) {
            at += 1;
        }
        Some(start..end)
    })
}

/// Splits once at a run of blanks: what stands before it and after it.
pub(crate) fn split_once(text: &str, range: Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let bytes = text.as_bytes();
    let stop = range.clone().find(|&at| go::is_blank(bytes[at]))?;
    let rest = (stop..range.end)
        .find(|&at| !go::is_blank(bytes[at]))
        .unwrap_or(range.end);
    Some((range.start..stop, rest..range.end))
}

/// A string of a JSON array; its span holds the quotes.
pub(crate) fn json_text<'t>(
    line: &Logical<'t>,
    base: usize,
    value: Cow<'_, str>,
    range: Range<usize>,
) -> Text<'t> {
    let range = base + range.start..base + range.end;
    match value {
        Cow::Borrowed(_) => {
            let inner = line.slice(range.start + 1..range.end - 1);
            Text {
                value: inner.value,
                span: line.span(range),
            }
        }
        Cow::Owned(value) => line.changed(value, range),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> Logical<'_> {
        Logical::single(text, 0, text.len())
    }

    fn split(text: &str) -> (Vec<(String, Option<String>)>, &str) {
        let line = line(text);
        let (flags, args) = flags(&line, 0..text.len(), b'\\');
        let flags = flags
            .into_iter()
            .map(|flag| {
                (
                    flag.name.to_string(),
                    flag.value.map(|value| value.to_string()),
                )
            })
            .collect();
        (flags, &text[args])
    }

    #[test]
    fn flags_stand_before_the_arguments() {
        let one =
            |name: &str, value: Option<&str>| vec![(name.to_owned(), value.map(str::to_owned))];
        assert_eq!(split("a --b c"), (vec![], "a --b c"));
        assert_eq!(split("--a=b=c d "), (one("a", Some("b=c")), "d"));
        assert_eq!(split("--a --  --b c"), (one("a", None), "--b c"));
        assert_eq!(split("--a=\"b c\"'d' e"), (one("a", Some("b cd")), "e"));
        assert_eq!(split("--a=b\\ c\\"), (one("a", Some("b c")), ""));
        assert_eq!(split("--a=é x"), (one("a", Some("Ã©")), "x"));
        assert_eq!(split("--a=bàc x"), (one("a", Some("bÃ")), "c x"));
        assert_eq!(split("--\"\" x"), (vec![], "x"));
    }

    #[test]
    fn words_keep_quotes_and_escapes() {
        let cases: &[(&str, &[&str])] = &[
            ("a=b  c=d", &["a=b", "c=d"]),
            ("a=\"b c\" d='e \\' f", &["a=\"b c\"", "d='e \\'", "f"]),
            ("a=b\\ c \\\" d", &["a=b\\ c", "\\\"", "d"]),
            ("a\\", &["a"]),
            ("a \\", &["a"]),
            ("a=\"b c", &["a=\"b c"]),
            ("a\u{a0}b\u{3000}é", &["a", "b", "é"]),
            ("a=\"b\\", &["a=\"b"]),
        ];
        for (text, want) in cases {
            let found: Vec<_> = words(text, 0..text.len(), b'\\')
                .map(|range| &text[range])
                .collect();
            assert_eq!(&found, want, "{text}");
        }
    }
}
