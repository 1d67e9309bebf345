//! What stands behind a `$`: names, operators and their operands.

use super::{Fault, Lex};
use crate::expand::{Env, ExpandErrorKind, MAX_GROWTH, MAX_NESTING, pattern};

impl<'a, E: Env + ?Sized> Lex<'a, E> {
    pub(super) fn dollar(&mut self, out: &mut String) -> Result<(), Fault> {
        self.next();
        if self.peek() != Some('{') {
            let name = self.name();
            if name.is_empty() {
                out.push('$');
            } else if let Some(value) = self.get(name) {
                self.put(value, out)?;
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
                    self.put(value, out)?;
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
            Err((kind, _)) if !kind.is_limit() && self.peek().is_none() => Err(missing(open)),
            done => done,
        }
    }

    /// `${name:-word}` and its kin, after the operator.
    fn substitute(
        &mut self,
        name: &'a str,
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
                    self.put(value, out)?;
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
                self.put(value, out)?;
            }
            Some(edge @ ('#' | '%')) => {
                let word = out.split_off(mark);
                self.search(&word, value)?;
                let (word, greedy) = match word.strip_prefix(edge) {
                    Some(rest) => (rest, true),
                    None => (word.as_str(), false),
                };
                let trimmed = if edge == '#' {
                    pattern::trim_prefix(word, value, greedy)
                } else {
                    pattern::trim_suffix(word, value, greedy)
                };
                self.put(&trimmed.map_err(invalid_pattern)?, out)?;
            }
            _ => return Err(unsupported(shown)),
        }
        Ok(())
    }

    /// `${name/pattern/replacement}` and `${name//pattern/replacement}`, after the first slash.
    fn replace(&mut self, name: &'a str, out: &mut String) -> Result<(), Fault> {
        let all = self.peek() == Some('/');
        if all {
            self.next();
        }
        let (mut pattern, mut replacement) = (String::new(), String::new());
        match self.until(Some('/'), true, &mut pattern) {
            Err((kind, _)) if !kind.is_limit() && self.peek().is_none() => {
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
        self.search(&pattern, value)?;
        let replaced = if all {
            pattern::replace_all(&pattern, value, &replacement, self.room)
        } else {
            pattern::replace_first(&pattern, value, &replacement)
        };
        self.put(
            &replaced.map_err(|why| invalid_pattern((pattern, why)))?,
            out,
        )
    }

    /// Puts in what a variable stands for.
    fn put(&mut self, value: &str, out: &mut String) -> Result<(), Fault> {
        self.spend(value.len())?;
        out.push_str(value);
        Ok(())
    }

    /// Counts what it takes to look for a pattern in a value.
    fn search(&mut self, pattern: &str, value: &str) -> Result<(), Fault> {
        self.spend(pattern.len().saturating_mul(value.len()) / 256)
    }

    fn spend(&mut self, bytes: usize) -> Result<(), Fault> {
        self.room = self.room.checked_sub(bytes).ok_or_else(|| {
            let message = format!(
                "variables put more than {} KiB into the text",
                MAX_GROWTH >> 10
            );
            (ExpandErrorKind::TooLarge, message)
        })?;
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

    fn get(&mut self, name: &'a str) -> Option<&'a str> {
        let value = self.env.get(name);
        if self.seen.insert(name) {
            let list = if value.is_some() {
                &mut self.matched
            } else {
                &mut self.unmatched
            };
            list.push(name.to_owned());
        }
        value
    }
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
