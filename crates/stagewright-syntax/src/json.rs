//! JSON arrays of strings, as Go's `encoding/json` reads them.

use std::borrow::Cow;
use std::ops::Range;

/// What the text of an argument list is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Array {
    /// No JSON array: the shell form or a list of words.
    Not,
    /// A JSON array with an element that is no string.
    NotStrings,
    /// A JSON array of strings.
    Strings,
}

/// How deep arrays and objects may stand in each other (`maxNestingDepth` in `encoding/json`).
const MAX_DEPTH: usize = 10_000;

/// Reads `text` as a JSON array (`parseJSON` in `parser/line_parsers.go`). Each string goes to `each` with its range, quotes
/// included; that counts only if the array turns out to be one of strings.
pub(crate) fn read<'j>(text: &'j str, each: &mut impl FnMut(Cow<'j, str>, Range<usize>)) -> Array {
    if !text.starts_with('[') {
        return Array::Not;
    }
    let mut scan = Scan { text, at: 1 };
    let mut others = false;
    scan.space();
    if !scan.eat(b']') {
        loop {
            scan.space();
            let start = scan.at;
            if scan.peek() == Some(b'"') {
                let Some(value) = scan.string() else {
                    return Array::Not;
                };
                each(value, start..scan.at);
            } else {
                if scan.value().is_none() {
                    return Array::Not;
                }
                others = true;
            }
            scan.space();
            if scan.eat(b']') {
                break;
            }
            if !scan.eat(b',') {
                return Array::Not;
            }
        }
    }
    scan.space();
    match (scan.at == text.len(), others) {
        (false, _) => Array::Not,
        (true, true) => Array::NotStrings,
        (true, false) => Array::Strings,
    }
}

/// The string behind `key` in a text that is one JSON object; of several the last.
pub(crate) fn member(text: &str, key: &str) -> Option<String> {
    let mut scan = Scan { text, at: 0 };
    let mut found = None;
    scan.space();
    if !scan.eat(b'{') {
        return None;
    }
    scan.space();
    if !scan.eat(b'}') {
        loop {
            scan.space();
            if scan.peek() != Some(b'"') {
                return None;
            }
            let name = scan.string()?;
            scan.space();
            if !scan.eat(b':') {
                return None;
            }
            scan.space();
            let string = if scan.peek() == Some(b'"') {
                Some(scan.string()?.into_owned())
            } else {
                scan.value()?;
                None
            };
            if name == key {
                found = string;
            }
            scan.space();
            if scan.eat(b'}') {
                break;
            }
            if !scan.eat(b',') {
                return None;
            }
        }
    }
    scan.space();
    if scan.at == text.len() { found } else { None }
}

struct Scan<'j> {
    text: &'j str,
    at: usize,
}

impl<'j> Scan<'j> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn eat(&mut self, wanted: u8) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    fn space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    /// A string with its quotes; nothing if it is malformed.
    fn string(&mut self) -> Option<Cow<'j, str>> {
        let bytes = self.text.as_bytes();
        self.at += 1;
        let start = self.at;
        let mut owned: Option<String> = None;
        let mut copied = start;
        loop {
            match *bytes.get(self.at)? {
                b'"' => {
                    let text: &'j str = self.text;
                    let rest = &text[copied..self.at];
                    self.at += 1;
                    return Some(match owned {
                        None => Cow::Borrowed(rest),
                        Some(mut value) => {
                            value.push_str(rest);
                            Cow::Owned(value)
                        }
                    });
                }
                b'\\' => {
                    let value = owned.get_or_insert_with(String::new);
                    value.push_str(&self.text[copied..self.at]);
                    self.at += 1;
                    let escape = *bytes.get(self.at)?;
                    self.at += 1;
                    value.push(match escape {
                        b'"' | b'\\' | b'/' => char::from(escape),
                        b'b' => '\x08',
                        b'f' => '\x0c',
                        b'n' => '\n',
                        b'r' => '\r',
                        b't' => '\t',
                        b'u' => self.unicode()?,
                        _ => return None,
                    });
                    copied = self.at;
                }
                0..0x20 => return None,
                _ => self.at += 1,
            }
        }
    }

    /// The character of a `\u` escape, after the `u`. Halves of a surrogate pair that stand alone become U+FFFD.
    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        if !(0xD800..0xE000).contains(&first) {
            return char::from_u32(first);
        }
        let back = self.at;
        if first < 0xDC00 && self.eat(b'\\') && self.eat(b'u') {
            let second = self.hex()?;
            if (0xDC00..0xE000).contains(&second) {
                return char::from_u32(0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00));
            }
        }
        self.at = back;
        Some('\u{fffd}')
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4)?;
        let mut value = 0;
        for &digit in digits {
            value = value * 16 + char::from(digit).to_digit(16)?;
        }
        self.at += 4;
        Some(value)
    }

    /// Any value but a string at the top level; nothing if it is malformed, too deep, or a number that no 64-bit float
    /// holds, which Go's decoder refuses as well.
    fn value(&mut self) -> Option<()> {
        // The open brackets around the place, the outermost array not counted: whether each is an object.
        let mut open: Vec<bool> = Vec::new();
        loop {
            self.space();
            match self.peek()? {
                b'"' => {
                    self.string()?;
                }
                bracket @ (b'[' | b'{') => {
                    self.at += 1;
                    open.push(bracket == b'{');
                    if open.len() + 1 > MAX_DEPTH {
                        return None;
                    }
                    self.space();
                    if self.eat(if bracket == b'{' { b'}' } else { b']' }) {
                        open.pop();
                    } else {
                        if bracket == b'{' {
                            self.key()?;
                        }
                        continue;
                    }
                }
                b't' => self.word("true")?,
                b'f' => self.word("false")?,
                b'n' => self.word("null")?,
                _ => self.number()?,
            }
            loop {
                let Some(&object) = open.last() else {
                    return Some(());
                };
                self.space();
                if self.eat(b',') {
                    if object {
                        self.key()?;
                    }
                    break;
                }
                if !self.eat(if object { b'}' } else { b']' }) {
                    return None;
                }
                open.pop();
            }
        }
    }

    /// The key of an object's member with its colon.
    fn key(&mut self) -> Option<()> {
        self.space();
        if self.peek() != Some(b'"') {
            return None;
        }
        self.string()?;
        self.space();
        self.eat(b':').then_some(())
    }

    fn word(&mut self, word: &str) -> Option<()> {
        self.text[self.at..]
            .starts_with(word)
            .then(|| self.at += word.len())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let start = self.at;
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            if !self.eat(b'+') {
                self.eat(b'-');
            }
            self.digits()?;
        }
        let value: f64 = self.text[start..self.at].parse().ok()?;
        value.is_finite().then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(text: &str) -> Option<Vec<String>> {
        let mut found = Vec::new();
        let array = read(text, &mut |value, range| {
            assert!(text[range].starts_with('"'));
            found.push(value.into_owned());
        });
        (array == Array::Strings).then_some(found)
    }

    fn kind(text: &str) -> Array {
        read(text, &mut |_, _| {})
    }

    #[test]
    fn reads_arrays_of_strings() {
        assert_eq!(strings("[]").unwrap(), Vec::<String>::new());
        assert_eq!(strings("[ \"a\" ,\t\"b\" ]").unwrap(), ["a", "b"]);
        assert_eq!(
            strings(r#"["\"\\\/\b\f\n\r\t"]"#).unwrap(),
            ["\"\\/\x08\x0c\n\r\t"]
        );
        assert_eq!(
            strings(r#"["\u00e9\ud83d\ude00\ud83d\u0041"]"#).unwrap(),
            ["é😀\u{fffd}A"]
        );
    }

    #[test]
    fn refuses_what_is_no_json() {
        let bad = [
            "",
            "a",
            "['a']",
            "[\"a\",]",
            "[\"a\"] b",
            "[\"a\"",
            "[\"\\w\"]",
            "[\"\\u12\"]",
            "[\"\t\"]",
            "[01]",
            "[1e999]",
            "[tru]",
            "[{\"a\"}]",
            "[,]",
            "[\"a\" \"b\"]",
            "[-]",
            "[1.]",
        ];
        for text in bad {
            assert_eq!(kind(text), Array::Not, "{text}");
        }
    }

    #[test]
    fn notices_elements_that_are_no_strings() {
        for text in [
            "[1]",
            "[\"a\", null]",
            "[[\"a\"]]",
            "[{\"a\": [true, {}], \"b\": -0.5e+3}]",
            "[[], {}]",
        ] {
            assert_eq!(kind(text), Array::NotStrings, "{text}");
        }
        let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(kind(&deep(MAX_DEPTH)), Array::NotStrings);
        assert_eq!(kind(&deep(MAX_DEPTH + 1)), Array::Not);
    }
}
