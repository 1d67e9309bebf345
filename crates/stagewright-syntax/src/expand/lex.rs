//! The state machine behind [`Expander`](super::Expander), also used to find heredocs.

use super::{Env, ExpandError, ExpandErrorKind, MAX_NESTING, pattern};
use crate::go;

/// What stays as written.
#[derive(Clone, Copy, Debug, Default)]
#[allow(
    clippy::struct_excessive_bools,
    reason = "the switches of BuildKit's `Lex`, each on its own"
)]
pub(crate) struct Mode {
    /// Quotes are ordinary characters.
    pub(crate) keep_quotes: bool,
    /// Quotes work, and stay in the result.
    pub(crate) raw_quotes: bool,
    /// Escapes work, and stay in the result.
    pub(crate) raw_escapes: bool,
    /// Variables that are not set stay as written.
    pub(crate) skip_unset: bool,
}

/// A word of the result and the bytes of the input that it was made of.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct WordAt {
    pub(crate) value: String,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

type Fault = (ExpandErrorKind, String);

pub(crate) struct Lex<'a, E: ?Sized> {
    text: &'a str,
    at: usize,
    escape: char,
    env: &'a E,
    mode: Mode,
    depth: usize,
    /// Whether an operator was read since the flag was cleared.
    nested: bool,
    pub(crate) matched: Vec<String>,
    pub(crate) unmatched: Vec<String>,
}

impl<'a, E: Env + ?Sized> Lex<'a, E> {
    pub(crate) fn new(text: &'a str, escape: char, env: &'a E, mode: Mode) -> Self {
        Self {
            text,
            // Go's text/scanner drops a byte order mark at the start of its input.
            at: if text.starts_with('\u{feff}') { 3 } else { 0 },
            escape,
            env,
            mode,
            depth: 0,
            nested: false,
            matched: Vec::new(),
            unmatched: Vec::new(),
        }
    }

    /// Reads the whole input: the result without splitting goes to `out`, the one with splitting to `words`.
    pub(crate) fn process(
        &mut self,
        out: &mut String,
        words: Option<&mut Vec<WordAt>>,
    ) -> Result<(), ExpandError> {
        let done = match words {
            Some(words) => self.split(out, words),
            None => self.until(None, self.mode.raw_escapes, out),
        };
        done.map_err(|(kind, message)| ExpandError {
            kind,
            message: format!("failed to process {}: {message}", go::quote(self.text)),
        })
    }

    fn peek(&self) -> Option<char> {
        match self.text.as_bytes().get(self.at) {
            Some(&b) if b < 0x80 => Some(char::from(b)),
            Some(_) => self.text[self.at..].chars().next(),
            None => None,
        }
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(c)
    }

    /// One step: a special character with all that belongs to it, or one ordinary character. Tells how the result may
    /// be split: at spaces, or not at all.
    fn step(&mut self, c: char, out: &mut String) -> Result<Step, Fault> {
        match c {
            '$' => {
                self.dollar(out)?;
                Ok(Step::Split)
            }
            '<' => {
                self.angle(out);
                Ok(Step::Whole)
            }
            '\'' if !self.mode.keep_quotes => {
                self.single_quotes(out)?;
                Ok(Step::Whole)
            }
            '"' if !self.mode.keep_quotes => {
                self.double_quotes(out)?;
                Ok(Step::Whole)
            }
            _ => {
                self.next();
                if c != self.escape {
                    out.push(c);
                    return Ok(Step::Split);
                }
                if self.mode.raw_escapes {
                    out.push(c);
                }
                match self.next() {
                    Some(escaped) => {
                        out.push(escaped);
                        Ok(Step::Whole)
                    }
                    // The escape character at the very end is dropped.
                    None if self.mode.raw_escapes => Ok(Step::Whole),
                    None => Ok(Step::Nothing),
                }
            }
        }
    }

    /// Reads up to the end, splitting into words.
    fn split(&mut self, out: &mut String, words: &mut Vec<WordAt>) -> Result<(), Fault> {
        let mut word = WordAt {
            value: String::new(),
            start: self.at,
            end: self.at,
        };
        let mut open = false;
        while let Some(c) = self.peek() {
            let (from, mark) = (self.at, out.len());
            self.nested = false;
            let step = self.step(c, out)?;
            if self.nested {
                // The word under construction shares its buffer with the words inside `${name:-…}` and is lost
                // (`wordsBuffer` in `shell/lex.go`).
                word.value.clear();
            }
            let result = &out[mark..];
            match step {
                Step::Nothing => {}
                Step::Whole => {
                    if word.value.is_empty() {
                        word.start = from;
                    }
                    word.value.push_str(result);
                    word.end = self.at;
                    open = true;
                }
                Step::Split => {
                    for c in result.chars() {
                        if !go::is_space(c) {
                            if word.value.is_empty() {
                                word.start = from;
                            }
                            word.value.push(c);
                            word.end = self.at;
                            open = true;
                        } else if open && !word.value.is_empty() {
                            words.push(std::mem::replace(
                                &mut word,
                                WordAt {
                                    value: String::new(),
                                    start: self.at,
                                    end: self.at,
                                },
                            ));
                            open = false;
                        }
                    }
                }
            }
        }
        if !word.value.is_empty() {
            words.push(word);
        }
        Ok(())
    }

    /// Reads up to `stop`, or to the end.
    fn until(
        &mut self,
        stop: Option<char>,
        raw_escapes: bool,
        out: &mut String,
    ) -> Result<(), Fault> {
        let outer = std::mem::replace(&mut self.mode.raw_escapes, raw_escapes);
        while let Some(c) = self.peek() {
            if Some(c) == stop {
                self.next();
                self.mode.raw_escapes = outer;
                return Ok(());
            }
            self.step(c, out)?;
        }
        self.mode.raw_escapes = outer;
        match stop {
            None => Ok(()),
            Some(stop) => Err((
                ExpandErrorKind::BadSubstitution,
                format!("unexpected end of statement while looking for matching {stop}"),
            )),
        }
    }

    fn single_quotes(&mut self, out: &mut String) -> Result<(), Fault> {
        let start = self.at;
        let body = start + 1;
        let Some(len) = memchr::memchr(b'\'', &self.text.as_bytes()[body..]) else {
            self.at = self.text.len();
            return Err(unbalanced("single"));
        };
        self.at = body + len + 1;
        let kept = if self.mode.raw_quotes {
            start..self.at
        } else {
            body..body + len
        };
        out.push_str(&self.text[kept]);
        Ok(())
    }

    fn double_quotes(&mut self, out: &mut String) -> Result<(), Fault> {
        self.next();
        if self.mode.raw_quotes {
            out.push('"');
        }
        loop {
            match self.peek() {
                None => return Err(unbalanced("double")),
                Some('"') => {
                    self.next();
                    if self.mode.raw_quotes {
                        out.push('"');
                    }
                    return Ok(());
                }
                Some('$') => self.dollar(out)?,
                Some(c) => {
                    self.next();
                    if c != self.escape {
                        out.push(c);
                        continue;
                    }
                    if self.mode.raw_escapes {
                        out.push(c);
                    }
                    match self.peek() {
                        None => {}
                        // Only these can be escaped; before others the escape character stays.
                        Some(escaped)
                            if escaped == '"' || escaped == '$' || escaped == self.escape =>
                        {
                            self.next();
                            out.push(escaped);
                        }
                        Some(_) => out.push(c),
                    }
                }
            }
        }
    }

    /// `<` or `<<` with the white space after it, which does not end the word: `<< EOF` names a heredoc.
    fn angle(&mut self, out: &mut String) {
        let start = self.at;
        self.next();
        if self.peek() == Some('<') {
            self.next();
            while matches!(self.peek(), Some('\t' | '\r' | ' ')) {
                self.next();
            }
        }
        out.push_str(&self.text[start..self.at]);
    }

    fn dollar(&mut self, out: &mut String) -> Result<(), Fault> {
        self.next();
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                out.push('$');
            } else if let Some(value) = self.get(name) {
                out.push_str(value);
            } else if self.mode.skip_unset {
                out.push('$');
                out.push_str(name);
            }
            return Ok(());
        }
        self.next();
        match self.peek() {
            None => return Err(missing("}")),
            Some('{' | '}' | ':') => {
                return Err((
                    ExpandErrorKind::BadSubstitution,
                    "syntax error: bad substitution".to_owned(),
                ));
            }
            Some(_) => {}
        }
        let name = self.name();
        let operator = self.next();
        match operator {
            Some('}') => {
                if let Some(value) = self.get(name) {
                    out.push_str(value);
                } else if self.mode.skip_unset {
                    out.push_str("${");
                    out.push_str(name);
                    out.push('}');
                }
                Ok(())
            }
            Some('/') => self.nested(|lex| lex.replace(name, out)),
            Some(':') => {
                let operator = self.next();
                let shown = format!(":{}", operator.unwrap_or('\u{fffd}'));
                if matches!(operator, Some('#' | '%')) {
                    return Err(unsupported(&shown));
                }
                self.nested(|lex| lex.substitute(name, operator, true, &shown, out))
            }
            Some('+' | '-' | '?' | '#' | '%') => {
                let shown = operator.map(String::from).unwrap_or_default();
                self.nested(|lex| lex.substitute(name, operator, false, &shown, out))
            }
            other => Err(unsupported(&other.unwrap_or('\u{fffd}').to_string())),
        }
    }

    fn nested(&mut self, read: impl FnOnce(&mut Self) -> Result<(), Fault>) -> Result<(), Fault> {
        if self.depth == MAX_NESTING {
            // Nothing after this place is read, so that no caller takes the fault for an open brace.
            return Err((
                ExpandErrorKind::TooDeep,
                format!("substitutions are nested more than {MAX_NESTING} deep"),
            ));
        }
        self.depth += 1;
        self.nested = true;
        let done = read(self);
        self.depth -= 1;
        done
    }

    /// The word of an operator, up to its brace or slash, onto `out`.
    fn operand(
        &mut self,
        stop: char,
        raw_escapes: bool,
        open: &str,
        out: &mut String,
    ) -> Result<(), Fault> {
        match self.until(Some(stop), raw_escapes, out) {
            Err((kind, _)) if kind != ExpandErrorKind::TooDeep && self.peek().is_none() => {
                Err(missing(open))
            }
            done => done,
        }
    }

    /// `${name:-word}` and its kin, after the operator.
    fn substitute(
        &mut self,
        name: &str,
        operator: Option<char>,
        null_is_unset: bool,
        shown: &str,
        out: &mut String,
    ) -> Result<(), Fault> {
        let mark = out.len();
        let pattern = matches!(operator, Some('#' | '%'));
        // The word is written where its value would go, and taken back if the value of the variable goes there.
        self.operand('}', pattern, "}", out)?;
        let value = self.get(name);
        if value.is_none() && self.mode.skip_unset {
            out.insert_str(mark, &format!("${{{name}{shown}"));
            out.push('}');
            return Ok(());
        }
        let has_value = value.is_some_and(|value| !(null_is_unset && value.is_empty()));
        let value = value.unwrap_or_default();
        match operator {
            Some('-') => {
                if has_value {
                    out.truncate(mark);
                    out.push_str(value);
                }
            }
            Some('+') => {
                if !has_value {
                    out.truncate(mark);
                }
            }
            Some('?') => {
                if !has_value {
                    let word = &out[mark..];
                    let why = match (word.is_empty(), self.env.get(name).is_some()) {
                        (false, _) => word,
                        (true, true) => "is not allowed to be empty",
                        (true, false) => "is not allowed to be unset",
                    };
                    return Err((ExpandErrorKind::Required, format!("{name}: {why}")));
                }
                out.truncate(mark);
                out.push_str(value);
            }
            Some(edge @ ('#' | '%')) => {
                let word = out.split_off(mark);
                let (word, greedy) = match word.strip_prefix(edge) {
                    Some(rest) => (rest, true),
                    None => (word.as_str(), false),
                };
                let trimmed = if edge == '#' {
                    pattern::trim_prefix(word, value, greedy)
                } else {
                    pattern::trim_suffix(word, value, greedy)
                };
                out.push_str(&trimmed.map_err(invalid_pattern)?);
            }
            _ => return Err(unsupported(shown)),
        }
        Ok(())
    }

    /// `${name/pattern/replacement}` and `${name//pattern/replacement}`, after the first slash.
    fn replace(&mut self, name: &str, out: &mut String) -> Result<(), Fault> {
        let all = self.peek() == Some('/');
        if all {
            self.next();
        }
        let (mut pattern, mut replacement) = (String::new(), String::new());
        match self.until(Some('/'), true, &mut pattern) {
            Err((kind, _)) if kind != ExpandErrorKind::TooDeep && self.peek().is_none() => {
                return Err((
                    ExpandErrorKind::BadSubstitution,
                    "syntax error: missing '/' in ${}".to_owned(),
                ));
            }
            done => done?,
        }
        self.operand('}', true, "}", &mut replacement)?;
        let value = self.get(name);
        if value.is_none() && self.mode.skip_unset {
            for part in ["${", name, "/", &pattern, "/", &replacement, "}"] {
                out.push_str(part);
            }
            return Ok(());
        }
        let value = value.unwrap_or_default();
        let replaced = if all {
            pattern::replace_all(&pattern, value, &replacement)
        } else {
            pattern::replace_first(&pattern, value, &replacement)
        };
        out.push_str(&replaced.map_err(|why| invalid_pattern((pattern, why)))?);
        Ok(())
    }

    /// A variable's name: letters, digits and `_`; or digits only; or one special character.
    fn name(&mut self) -> &'a str {
        let start = self.at;
        let Some(first) = self.peek() else { return "" };
        if is_digit(first) {
            while self.peek().is_some_and(is_digit) {
                self.next();
            }
        } else if matches!(first, '@' | '*' | '#' | '?' | '-' | '$' | '!') {
            self.next();
        } else {
            while self
                .peek()
                .is_some_and(|c| c == '_' || is_digit(c) || is_letter(c))
            {
                self.next();
            }
        }
        let text: &'a str = self.text;
        &text[start..self.at]
    }

    fn get(&mut self, name: &str) -> Option<&'a str> {
        let value = self.env.get(name);
        let seen = if value.is_some() {
            &mut self.matched
        } else {
            &mut self.unmatched
        };
        if !seen.iter().any(|other| other == name) {
            seen.push(name.to_owned());
        }
        value
    }
}

/// How the result of one step takes part in splitting.
enum Step {
    /// It splits at white space.
    Split,
    /// It is part of a word as a whole.
    Whole,
    /// There is no result.
    Nothing,
}

fn unbalanced(quote: &str) -> Fault {
    (
        ExpandErrorKind::UnbalancedQuote,
        format!("unexpected end of statement while looking for matching {quote}-quote"),
    )
}

fn missing(what: &str) -> Fault {
    (
        ExpandErrorKind::BadSubstitution,
        format!("syntax error: missing '{what}'"),
    )
}

fn unsupported(shown: &str) -> Fault {
    (
        ExpandErrorKind::UnsupportedModifier,
        format!("unsupported modifier ({shown}) in substitution"),
    )
}

fn invalid_pattern((pattern, why): (String, String)) -> Fault {
    (
        ExpandErrorKind::InvalidPattern,
        format!("invalid pattern ({pattern}) in substitution: {why}"),
    )
}

/// `unicode.IsLetter`, but for spacing vowel signs, which Rust counts among the letters.
fn is_letter(c: char) -> bool {
    c.is_ascii_alphabetic() || (!c.is_ascii() && c.is_alphabetic() && !c.is_numeric())
}

/// `unicode.IsDigit`: the decimal digits of every script.
fn is_digit(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_digit();
    }
    let c = c as u32;
    let next = ZEROS.partition_point(|&zero| zero <= c);
    next > 0 && c - ZEROS[next - 1] < 10
}

/// The digit zero of each script beyond ASCII (general category `Nd`, Unicode 15); its nine followers are the others.
#[rustfmt::skip]
const ZEROS: &[u32] = &[
    0x660, 0x6f0, 0x7c0, 0x966, 0x9e6, 0xa66, 0xae6, 0xb66, 0xbe6, 0xc66, 0xce6, 0xd66, 0xde6, 0xe50, 0xed0,
    0xf20, 0x1040, 0x1090, 0x17e0, 0x1810, 0x1946, 0x19d0, 0x1a80, 0x1a90, 0x1b50, 0x1bb0, 0x1c40, 0x1c50, 0xa620,
    0xa8d0, 0xa900, 0xa9d0, 0xa9f0, 0xaa50, 0xabf0, 0xff10, 0x104a0, 0x10d30, 0x11066, 0x110f0, 0x11136, 0x111d0,
    0x112f0, 0x11450, 0x114d0, 0x11650, 0x116c0, 0x11730, 0x118e0, 0x11950, 0x11c50, 0x11d50, 0x11da0, 0x16a60,
    0x16ac0, 0x16b50, 0x1d7ce, 0x1d7d8, 0x1d7e2, 0x1d7ec, 0x1d7f6, 0x1e140, 0x1e2f0, 0x1e950, 0x1fbf0,
];
