//! What Go's standard library does to strings where `BuildKit` relies on it and Rust's differs.

use std::fmt::Write as _;

/// `unicode.IsSpace`: the same set as Unicode's `White_Space`.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where the two are known to agree"
)]
pub(crate) fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// `unicode.IsSpace(rune(b))` for a single byte, as `BuildKit`'s byte-wise loops ask it: bytes 0x85 and 0xA0 count,
/// even in the middle of a UTF-8 sequence (`parser/split_command.go`).
pub(crate) fn is_space_byte(b: u8) -> bool {
    matches!(b, b'\t'..=b'\r' | b' ' | 0x85 | 0xA0)
}

/// The class `[\t\v\f\r ]` that `parser/parser.go` splits arguments by.
pub(crate) fn is_blank(b: u8) -> bool {
    matches!(b, b'\t' | 0x0b | 0x0c | b'\r' | b' ')
}

/// First byte at or after `at` that is no [blank](is_blank).
#[inline]
pub(crate) fn skip_blanks(bytes: &[u8], at: usize) -> usize {
    let mut at = at;
    while at < bytes.len() && is_blank(bytes[at]) {
        at += 1;
    }
    at
}

/// The first `needle`. Lines and words are short: the first 64 bytes are searched here, eight at a time, which is quicker
/// than a call.
#[inline]
pub(crate) fn find(needle: u8, bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = u64::from_ne_bytes([0x01; 8]);
    const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);
    let (chunks, rest) = bytes.as_chunks::<8>();
    for (index, chunk) in chunks.iter().take(8).enumerate() {
        // The bytes that are equal become zero; the lowest of them gets its high bit set.
        let differing = u64::from_le_bytes(*chunk) ^ (ONES * u64::from(needle));
        let found = differing.wrapping_sub(ONES) & !differing & HIGHS;
        if found != 0 {
            return Some(8 * index + found.trailing_zeros() as usize / 8);
        }
    }
    if chunks.len() > 8 {
        return memchr::memchr(needle, &bytes[64..]).map(|at| at + 64);
    }
    rest.iter()
        .position(|&b| b == needle)
        .map(|at| 8 * chunks.len() + at)
}

/// First byte at or after `at` that is no white space (`strings.TrimLeft` with `unicode.IsSpace`).
#[inline]
pub(crate) fn skip_space(text: &str, at: usize, end: usize) -> usize {
    const SPACES: u64 = u64::from_ne_bytes([b' '; 8]);
    let bytes = text.as_bytes();
    let graphic = |at: usize| at < end && matches!(bytes.get(at), Some(b'!'..=b'~'));
    if graphic(at) {
        return at;
    }
    // A few spaces before a word are usual.
    if let Some(eight) = bytes.get(at..).and_then(|rest| rest.first_chunk()) {
        let others = u64::from_le_bytes(*eight) ^ SPACES;
        let first = at + others.trailing_zeros() as usize / 8;
        if graphic(first) {
            return first;
        }
    }
    skip_some_space(text, at, end)
}

fn skip_some_space(text: &str, at: usize, end: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = at;
    while at < end {
        match bytes[at] {
            b'\t'..=b'\r' | b' ' => at += 1,
            b if b < 0x80 => break,
            _ => match text[at..end].chars().next() {
                Some(c) if is_space(c) => at += c.len_utf8(),
                _ => break,
            },
        }
    }
    at
}

/// End of `text[start..end]` without trailing white space (`strings.TrimRight` with `unicode.IsSpace`).
#[inline]
pub(crate) fn trim_end(text: &str, start: usize, end: usize) -> usize {
    match text.as_bytes().get(end.wrapping_sub(1)) {
        Some(b'!'..=b'~') if end > start => end,
        _ => trim_some_end(text, start, end),
    }
}

fn trim_some_end(text: &str, start: usize, end: usize) -> usize {
    let bytes = text.as_bytes();
    let mut end = end;
    while end > start {
        match bytes[end - 1] {
            b'\t'..=b'\r' | b' ' => end -= 1,
            b if b < 0x80 => break,
            _ => match text[start..end].chars().next_back() {
                Some(c) if is_space(c) => end -= c.len_utf8(),
                _ => break,
            },
        }
    }
    end
}

/// `strconv.ParseBool`.
pub(crate) fn parse_bool(value: &str) -> Option<bool> {
    match value {
        "1" | "t" | "T" | "TRUE" | "true" | "True" => Some(true),
        "0" | "f" | "F" | "FALSE" | "false" | "False" => Some(false),
        _ => None,
    }
}

/// `strings.TrimSpace`.
pub(crate) fn trim(text: &str) -> &str {
    let start = skip_space(text, 0, text.len());
    &text[start..trim_end(text, start, text.len())]
}

/// `unicode.ToLower`: the simple mapping, one character to one.
fn lower_char(c: char) -> char {
    match c {
        // The full mapping that Rust uses gives two characters here.
        'İ' => 'i',
        c => c.to_lowercase().next().unwrap_or(c),
    }
}

/// `strings.ToLower`.
pub(crate) fn lower(text: &str) -> String {
    if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        text.chars().map(lower_char).collect()
    }
}

/// `strings.ToUpper`: the simple mapping, so that characters whose upper case is longer stay as they are.
pub(crate) fn upper(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_uppercase();
    }
    text.chars()
        .map(|c| {
            let mut mapped = c.to_uppercase();
            match (mapped.next(), mapped.next()) {
                (Some(one), None) => one,
                _ => c,
            }
        })
        .collect()
}

/// Appends `strconv.Quote(text)`.
pub(crate) fn quote_into(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\x07' => out.push_str("\\a"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x0b' => out.push_str("\\v"),
            ' '..='~' => out.push(c),
            c if (c as u32) < 0x20 || c == '\x7f' => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c if is_print(c) => out.push(c),
            c if (c as u32) < 0x1_0000 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => {
                let _ = write!(out, "\\U{:08x}", c as u32);
            }
        }
    }
    out.push('"');
}

/// A text in double quotes as `BuildKit` shows it in messages (Go's `strconv.Quote`).
pub fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    quote_into(&mut out, text);
    out
}

/// `strconv.IsPrint` for characters beyond ASCII: letters, marks, numbers, punctuation and symbols, no spaces.
fn is_print(c: char) -> bool {
    // Rust's debug form escapes what is not printable, by the same categories; behind another character it leaves
    // combining marks alone, as Go does.
    let mut text = [0; 8];
    text[0] = b'a';
    let len = 1 + c.encode_utf8(&mut text[1..]).len();
    let shown = std::str::from_utf8(&text[..len]).map(|text| text.escape_debug().count());
    !is_space(c) && shown == Ok(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_like_go() {
        assert_eq!(quote("a\"b\\c\t\x01\x7f"), r#""a\"b\\c\t\x01\x7f""#);
        assert_eq!(quote("한국어 é"), "\"한국어 é\"");
        assert_eq!(
            quote("\u{a0}\u{feff}\u{200b}\u{e000}"),
            r#""\u00a0\ufeff\u200b\ue000""#
        );
        assert_eq!(quote("e\u{301}\u{301}"), "\"e\u{301}\u{301}\"");
        assert_eq!(
            quote("\u{85}\u{ad}\u{f0000}"),
            r#""\u0085\u00ad\U000f0000""#
        );
    }

    #[test]
    fn lower_case_is_simple() {
        assert_eq!(lower("WOR\u{212a}DİR"), "workdir");
        assert_eq!(upper("straße"), "STRAßE");
    }

    #[test]
    fn finds_the_first() {
        for len in 0..200 {
            let mut bytes = vec![b'a'; len];
            assert_eq!(find(b'\n', &bytes), None);
            for at in (0..len).rev() {
                bytes[at] = b'\n';
                assert_eq!(find(b'\n', &bytes), Some(at));
                bytes[at] = 0x8a;
                assert_eq!(find(b'\n', &bytes), None);
                bytes[at] = 0x0b;
            }
        }
    }

    #[test]
    fn trims_unicode_space() {
        assert_eq!(trim("\u{3000} a\u{a0}b\u{85}"), "a\u{a0}b");
        assert_eq!(trim(" \t"), "");
    }
}
