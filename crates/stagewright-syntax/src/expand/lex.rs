//! The state machine behind [`Expander`](super::Expander), also used to find heredocs.

mod variable;

use super::{Env, ExpandError, ExpandErrorKind};
use crate::go;
use std::collections::HashSet;

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

/// ASCII without quotes, escape characters and what begins, ends or parts a substitution.
const ORDINARY: [bool; 256] = {
    let mut table = [false; 256];
    let mut b = 0;
    while b < 0x80 {
        table[b as usize] = !matches!(
            b,
            b'$' | b'<' | b'\'' | b'"' | b'\\' | b'`' | b'/' | b'{' | b'}'
        );
        b += 1;
    }
    table
};

type Fault = (ExpandErrorKind, String);

pub(crate) struct Lex<'a, E: ?Sized> {
    text: &'a str,
    at: usize,
    escape: char,
    env: &'a E,
    mode: Mode,
    depth: usize,
    /// Bytes that variables may still put in.
    room: usize,
    /// Whether an operator was read since the flag was cleared.
    nested: bool,
    /// The variables that were asked for.
    seen: HashSet<&'a str>,
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
            room: super::MAX_GROWTH,
            nested: false,
            seen: HashSet::new(),
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

    /// Takes the bytes ahead that are nothing but themselves, whatever the escape character and wherever they stand; tells
    /// whether there are any.
    fn ordinary(&mut self, out: &mut String) -> bool {
        let rest = &self.text[self.at..];
        let len = rest.bytes().take_while(|b| ORDINARY[*b as usize]).count();
        out.push_str(&rest[..len]);
        self.at += len;
        len > 0
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
            if self.ordinary(out) {
                continue;
            }
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
            self.ordinary(out);
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
