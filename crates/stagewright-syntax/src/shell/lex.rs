//! From bytes to words and operators.

use std::borrow::Cow;

use super::word::{Part, Word};
use crate::text::{Span, offset};

/// The reader of one script.
pub(super) struct Lexer<'s> {
    pub(super) text: &'s str,
    pub(super) at: usize,
    /// Set where a quote or a brace is never closed.
    pub(super) broken: bool,
}

/// Operators, longest first.
const OPERATORS: [&str; 20] = [
    "&>>", "<<-", "<<<", ";;&", "&&", "||", ";;", ";&", "|&", "&>", "<<", ">>", "<&", ">&", "<>",
    ">|", ";", "|", "&", "(",
];

pub(super) fn is_name(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

impl<'s> Lexer<'s> {
    pub(super) const fn new(text: &'s str) -> Self {
        Self {
            text,
            at: 0,
            broken: false,
        }
    }

    pub(super) fn rest(&self) -> &'s str {
        &self.text[self.at..]
    }

    fn byte(&self, ahead: usize) -> Option<u8> {
        self.text.as_bytes().get(self.at + ahead).copied()
    }

    /// Skips blanks, continued lines and comments up to the next token or line break.
    pub(super) fn skip_blanks(&mut self) {
        loop {
            match self.byte(0) {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\\') if self.rest().starts_with("\\\n") => self.at += 2,
                Some(b'\\') if self.rest().starts_with("\\\r\n") => self.at += 3,
                Some(b'#') => {
                    let rest = self.rest();
                    self.at += memchr::memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    /// The operator at this place, without moving.
    pub(super) fn operator(&self) -> Option<&'s str> {
        let rest = self.rest();
        if let Some(operator) = OPERATORS
            .iter()
            .find(|operator| rest.starts_with(**operator))
        {
            return Some(&rest[..operator.len()]);
        }
        matches!(rest.as_bytes().first(), Some(b')' | b'<' | b'>')).then(|| &rest[..1])
    }

    /// Reads a word; `None` at an operator, a line break or the end.
    pub(super) fn word(&mut self) -> Option<Word<'s>> {
        let start = self.at;
        let mut parts = Vec::new();
        while let Some(byte) = self.byte(0) {
            match byte {
                b' ' | b'\t' | b'\n' | b';' | b'&' | b'|' | b'(' | b')' | b'<' | b'>' => break,
                b'\r' if self.byte(1) == Some(b'\n') => break,
                b'\'' => {
                    self.at += 1;
                    let text = self.until(b'\'');
                    parts.push(Part::Quoted(Cow::Borrowed(text)));
                }
                b'"' => {
                    self.at += 1;
                    self.double(&mut parts);
                }
                b'\\' => self.backslash(&mut parts),
                b'$' => self.dollar(&mut parts, false),
                b'`' => {
                    self.at += 1;
                    let script = self.until_backtick();
                    parts.push(Part::Substitution {
                        script,
                        quoted: false,
                    });
                }
                b'*' | b'?' | b'[' => {
                    self.at += 1;
                    parts.push(Part::Glob(char::from(byte)));
                }
                _ => {
                    let end = self.rest().find(|c: char| {
                        matches!(
                            c,
                            ' ' | '\t'
                                | '\n'
                                | '\r'
                                | ';'
                                | '&'
                                | '|'
                                | '('
                                | ')'
                                | '<'
                                | '>'
                                | '\''
                                | '"'
                                | '\\'
                                | '$'
                                | '`'
                                | '*'
                                | '?'
                                | '['
                        )
                    });
                    // A carriage return in the middle of a line is text.
                    let len = end.unwrap_or(self.rest().len()).max(1);
                    parts.push(Part::Literal(Cow::Borrowed(&self.rest()[..len])));
                    self.at += len;
                }
            }
        }
        (self.at > start).then(|| Word {
            raw: &self.text[start..self.at],
            span: Span::new(offset(start), offset(self.at)),
            parts,
        })
    }

    /// The text up to a closing quote, which is passed.
    fn until(&mut self, quote: u8) -> &'s str {
        let rest = self.rest();
        if let Some(end) = memchr::memchr(quote, rest.as_bytes()) {
            self.at += end + 1;
            &rest[..end]
        } else {
            self.broken = true;
            self.at = self.text.len();
            rest
        }
    }

    fn until_backtick(&mut self) -> &'s str {
        let start = self.at;
        while let Some(byte) = self.byte(0) {
            match byte {
                b'\\' => {
                    self.at += 1 + usize::from(self.byte(1).is_some_and(|next| next.is_ascii()));
                }
                b'`' => {
                    self.at += 1;
                    return &self.text[start..self.at - 1];
                }
                _ => self.at += 1,
            }
        }
        self.broken = true;
        &self.text[start..]
    }

    fn backslash(&mut self, parts: &mut Vec<Part<'s>>) {
        self.at += 1;
        match self.rest().chars().next() {
            Some('\n') => self.at += 1,
            Some('\r') if self.byte(1) == Some(b'\n') => self.at += 2,
            Some(c) => {
                parts.push(Part::Quoted(Cow::Borrowed(&self.rest()[..c.len_utf8()])));
                self.at += c.len_utf8();
            }
            None => parts.push(Part::Literal(Cow::Borrowed("\\"))),
        }
    }

    /// Inside double quotes, up to the closing one.
    fn double(&mut self, parts: &mut Vec<Part<'s>>) {
        let before = parts.len();
        loop {
            let rest = self.rest();
            let Some(len) = memchr::memchr3(b'"', b'\\', b'$', rest.as_bytes())
                .map(|end| memchr::memchr(b'`', &rest.as_bytes()[..end]).unwrap_or(end))
                .or_else(|| memchr::memchr(b'`', rest.as_bytes()))
            else {
                self.broken = true;
                self.at = self.text.len();
                return;
            };
            if len > 0 {
                parts.push(Part::Quoted(Cow::Borrowed(&rest[..len])));
                self.at += len;
            }
            match self.byte(0) {
                Some(b'"') => {
                    self.at += 1;
                    // `""` is a word too.
                    if parts.len() == before {
                        parts.push(Part::Quoted(Cow::Borrowed("")));
                    }
                    return;
                }
                Some(b'\\') => {
                    self.at += 1;
                    match self.byte(0) {
                        Some(b'\n') => self.at += 1,
                        Some(b'$' | b'`' | b'"' | b'\\') => {
                            parts.push(Part::Quoted(Cow::Borrowed(&self.rest()[..1])));
                            self.at += 1;
                        }
                        _ => parts.push(Part::Quoted(Cow::Borrowed("\\"))),
                    }
                }
                Some(b'`') => {
                    self.at += 1;
                    let script = self.until_backtick();
                    parts.push(Part::Substitution {
                        script,
                        quoted: true,
                    });
                }
                _ => self.dollar(parts, true),
            }
        }
    }

    /// At a `$`.
    fn dollar(&mut self, parts: &mut Vec<Part<'s>>, quoted: bool) {
        self.at += 1;
        match self.byte(0) {
            Some(b'\'') if !quoted => {
                self.at += 1;
                let text = self.ansi_c();
                parts.push(Part::Quoted(text));
            }
            Some(b'"') if !quoted => {
                self.at += 1;
                self.double(parts);
            }
            Some(b'(') => {
                let arithmetic = self.byte(1) == Some(b'(');
                self.at += 1;
                let inner = self.balanced(b'(', b')');
                match inner
                    .strip_prefix('(')
                    .and_then(|inner| inner.strip_suffix(')'))
                    .filter(|_| arithmetic)
                {
                    Some(expression) => parts.push(Part::Arithmetic(expression)),
                    None => parts.push(Part::Substitution {
                        script: inner,
                        quoted,
                    }),
                }
            }
            Some(b'{') => {
                self.at += 1;
                let inner = self.balanced(b'{', b'}');
                // `${#name}` is a length, `${!name}` another variable.
                let name = inner
                    .bytes()
                    .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
                    .count();
                let name = if name == 0 {
                    usize::from(inner.is_char_boundary(1) && !inner.is_empty())
                } else {
                    name
                };
                parts.push(Part::Variable {
                    name: &inner[..name],
                    operator: &inner[name..],
                    quoted,
                });
            }
            Some(b) if b.is_ascii_alphabetic() || b == b'_' => {
                let len = self
                    .rest()
                    .bytes()
                    .take_while(|b| b.is_ascii_alphanumeric() || *b == b'_')
                    .count();
                self.variable(len, parts, quoted);
            }
            Some(b) if b.is_ascii_digit() || b"@*#?-$!".contains(&b) => {
                self.variable(1, parts, quoted);
            }
            _ => parts.push(if quoted {
                Part::Quoted(Cow::Borrowed("$"))
            } else {
                Part::Literal(Cow::Borrowed("$"))
            }),
        }
    }

    fn variable(&mut self, len: usize, parts: &mut Vec<Part<'s>>, quoted: bool) {
        parts.push(Part::Variable {
            name: &self.rest()[..len],
            operator: "",
            quoted,
        });
        self.at += len;
    }

    /// `$'…'`: the escapes that Dockerfiles use; others stay as written.
    fn ansi_c(&mut self) -> Cow<'s, str> {
        let start = self.at;
        let mut value: Option<String> = None;
        while let Some(c) = self.rest().chars().next() {
            self.at += c.len_utf8();
            match c {
                '\'' => {
                    return value
                        .map_or_else(|| Cow::Borrowed(&self.text[start..self.at - 1]), Cow::Owned);
                }
                '\\' => {
                    let so_far =
                        value.get_or_insert_with(|| self.text[start..self.at - 1].to_owned());
                    let next = self.text[self.at..].chars().next().unwrap_or('\\');
                    self.at += self.text[self.at..]
                        .chars()
                        .next()
                        .map_or(0, char::len_utf8);
                    match next {
                        'n' => so_far.push('\n'),
                        't' => so_far.push('\t'),
                        'r' => so_far.push('\r'),
                        '\\' | '\'' | '"' => so_far.push(next),
                        other => so_far.extend(['\\', other]),
                    }
                }
                c => {
                    if let Some(value) = &mut value {
                        value.push(c);
                    }
                }
            }
        }
        self.broken = true;
        Cow::Borrowed(&self.text[start..])
    }

    /// Passes everything up to the bracket that closes the one before, with quotes and inner brackets, and hands out what stands
    /// between, to the end of the text where nothing closes it; iterative, so that depth costs no stack.
    pub(super) fn balanced(&mut self, open: u8, close: u8) -> &'s str {
        let start = self.at;
        let mut closers = vec![close];
        while let Some(byte) = self.byte(0) {
            self.at += 1;
            let quoted = closers.last() == Some(&b'"');
            match byte {
                b'\\' => self.at += self.rest().chars().next().map_or(0, char::len_utf8),
                b'\'' if !quoted && close == b')' => {
                    self.until(b'\'');
                }
                b'"' if quoted => {
                    closers.pop();
                }
                b'"' => closers.push(b'"'),
                b'$' if matches!(self.byte(0), Some(b'{' | b'(')) => {
                    closers.push(if self.byte(0) == Some(b'{') {
                        b'}'
                    } else {
                        b')'
                    });
                    self.at += 1;
                }
                byte if !quoted && Some(&byte) == closers.last() => {
                    closers.pop();
                }
                byte if !quoted && byte == open && open == b'(' => closers.push(close),
                _ => {}
            }
            if closers.is_empty() {
                return &self.text[start..self.at - 1];
            }
        }
        self.broken = true;
        &self.text[start..]
    }
}
