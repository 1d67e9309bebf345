//! Patterns of `${name#pattern}`, `${name%pattern}` and `${name/pattern/replacement}`.
//!
//! `BuildKit` turns them into regular expressions (`convertShellPatternToRegex`); what follows finds the same matches:
//! leftmost first, with lazy or greedy stars, and neither `*` nor `?` matches a line feed.

/// One element of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Literal(char),
    /// `?`
    Any,
    /// `*`
    Star,
}

/// Why a pattern is none: the pattern as it was read, and the fault.
type Fault = (String, String);

/// Removes what matches at the start.
pub(super) fn trim_prefix(pattern: &str, value: &str, greedy: bool) -> Result<String, Fault> {
    let tokens = tokens(pattern).map_err(|why| (pattern.to_owned(), why))?;
    let chars: Vec<char> = value.chars().collect();
    let end = Search::new(&tokens, greedy)
        .run(&chars, 0, true)
        .map_or(0, |(_, end)| end);
    Ok(chars[end..].iter().collect())
}

/// Removes what matches at the end, by matching the reversed pattern at the start of the reversed value.
pub(super) fn trim_suffix(pattern: &str, value: &str, greedy: bool) -> Result<String, Fault> {
    let value: String = value.chars().rev().collect();
    let rest = trim_prefix(&reverse(pattern), &value, greedy)?;
    Ok(rest.chars().rev().collect())
}

/// Replaces the first match by the replacement as it is.
pub(super) fn replace_first(
    pattern: &str,
    value: &str,
    replacement: &str,
) -> Result<String, String> {
    let tokens = tokens(pattern)?;
    let chars: Vec<char> = value.chars().collect();
    let mut out = String::with_capacity(value.len() + replacement.len());
    match Search::new(&tokens, true).run(&chars, 0, false) {
        Some((start, end)) => {
            out.extend(&chars[..start]);
            out.push_str(replacement);
            out.extend(&chars[end..]);
        }
        None => out.push_str(value),
    }
    Ok(out)
}

/// Replaces every match; `$0` in the replacement stands for the match, as in Go's `Regexp.ReplaceAllString`. What is longer than `room`
/// bytes is not made to its end.
pub(super) fn replace_all(
    pattern: &str,
    value: &str,
    replacement: &str,
    room: usize,
) -> Result<String, String> {
    let tokens = tokens(pattern)?;
    let chars: Vec<char> = value.chars().collect();
    let mut search = Search::new(&tokens, true);
    let mut out = String::with_capacity(value.len());
    let (mut copied, mut at) = (0, 0);
    while at <= chars.len() && out.len() <= room {
        let Some((start, end)) = search.run(&chars, at, false) else {
            break;
        };
        out.extend(&chars[copied..start]);
        // An empty match right after another match does not count.
        if end > copied || start == 0 {
            fill_template(&mut out, replacement, &chars[start..end], room);
        }
        copied = end;
        at = (at + 1).max(end);
    }
    out.extend(&chars[copied.min(chars.len())..]);
    Ok(out)
}

/// Reads a pattern; the fault is what is wrong with it.
fn tokens(pattern: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::with_capacity(pattern.len());
    let mut chars = pattern
        .strip_prefix('\u{feff}')
        .unwrap_or(pattern)
        .chars()
        .peekable();
    while let Some(c) = chars.next() {
        tokens.push(match c {
            '*' => Token::Star,
            '?' => Token::Any,
            '\\' => match chars.peek() {
                // The escape only kept `${…}` from ending here.
                Some('}' | '/') => continue,
                _ => match chars.next() {
                    Some(escaped @ ('*' | '?' | '\\')) => Token::Literal(escaped),
                    other => {
                        return Err(format!(
                            "invalid escape '\\{}'",
                            other.unwrap_or('\u{fffd}')
                        ));
                    }
                },
            },
            c => Token::Literal(c),
        });
    }
    Ok(tokens)
}

/// Reverses a pattern but keeps each escape before its character.
fn reverse(pattern: &str) -> String {
    let chars: Vec<char> = pattern.chars().collect();
    let mut out = vec!['\0'; chars.len()];
    let mut i = 0;
    while i < chars.len() {
        let mirrored = chars.len() - 1 - i;
        if chars[i] == '\\' && i + 1 < chars.len() {
            out[mirrored - 1] = '\\';
            out[mirrored] = chars[i + 1];
            i += 2;
        } else {
            out[mirrored] = chars[i];
            i += 1;
        }
    }
    out.into_iter().collect()
}

/// Simulates the automaton of a pattern with its threads in order of preference: time grows with the product of both
/// lengths at worst, never faster.
struct Search<'p> {
    tokens: &'p [Token],
    greedy: bool,
    /// Threads as (place in the pattern, start of the match), most preferred first.
    threads: Vec<(usize, usize)>,
    next: Vec<(usize, usize)>,
    /// For each place in the pattern, the step in which it was last entered.
    seen: Vec<usize>,
    step: usize,
}

impl<'p> Search<'p> {
    fn new(tokens: &'p [Token], greedy: bool) -> Self {
        Self {
            tokens,
            greedy,
            threads: Vec::new(),
            next: Vec::new(),
            seen: vec![0; tokens.len() + 1],
            step: 0,
        }
    }

    /// The leftmost match at or after `from` (at `from` only, if anchored), as start and end.
    fn run(&mut self, chars: &[char], from: usize, anchored: bool) -> Option<(usize, usize)> {
        self.threads.clear();
        let mut found = None;
        for at in from..=chars.len() {
            self.step += 1;
            let threads = std::mem::take(&mut self.threads);
            self.next.clear();
            let mut ended = false;
            // Threads of the step before were put in order when they were made; now follow their stars.
            for &(place, start) in &threads {
                if self.enter(place, start) {
                    found = Some((start, at));
                    ended = true;
                    break;
                }
            }
            if !ended && found.is_none() && (!anchored || at == from) && self.enter(0, at) {
                found = Some((at, at));
            }
            self.threads = threads;
            self.threads.clear();
            if let Some(&c) = chars.get(at) {
                for i in 0..self.next.len() {
                    let (place, start) = self.next[i];
                    match self.tokens[place] {
                        Token::Literal(wanted) if wanted == c => {
                            self.threads.push((place + 1, start));
                        }
                        Token::Any if c != '\n' => self.threads.push((place + 1, start)),
                        Token::Star if c != '\n' => self.threads.push((place, start)),
                        _ => {}
                    }
                }
            }
            if self.threads.is_empty() && (found.is_some() || anchored) {
                break;
            }
        }
        self.threads.clear();
        found
    }

    /// Adds a thread and those that its stars lead to without a character, in order of preference; tells whether the
    /// end of the pattern is reached before any less preferred thread.
    fn enter(&mut self, place: usize, start: usize) -> bool {
        if self.greedy {
            let mut place = place;
            loop {
                if self.seen[place] == self.step {
                    return false;
                }
                self.seen[place] = self.step;
                match self.tokens.get(place) {
                    None => return true,
                    Some(Token::Star) => {
                        self.next.push((place, start));
                        place += 1;
                    }
                    Some(_) => {
                        self.next.push((place, start));
                        return false;
                    }
                }
            }
        }
        // Lazy: past the stars first, then back through them.
        let mut end = place;
        while self.tokens.get(end) == Some(&Token::Star) && self.seen[end] != self.step {
            self.seen[end] = self.step;
            end += 1;
        }
        if self.seen[end] != self.step {
            self.seen[end] = self.step;
            match self.tokens.get(end) {
                None => return true,
                Some(Token::Star) => {}
                Some(_) => self.next.push((end, start)),
            }
        }
        for star in (place..end).rev() {
            self.next.push((star, start));
        }
        false
    }
}

/// Appends a template of Go's `Regexp.Expand` for an expression without groups: `$0` and `${0}` are the match, other
/// names are empty, `$$` is a dollar. Ends when there are more than `room` bytes.
fn fill_template(out: &mut String, template: &str, matched: &[char], room: usize) {
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('$') {
        out.push_str(before);
        if out.len() > room {
            return;
        }
        if let Some(after) = after.strip_prefix('$') {
            out.push('$');
            rest = after;
            continue;
        }
        let (inner, braced) = match after.strip_prefix('{') {
            Some(inner) => (inner, true),
            None => (after, false),
        };
        let len = inner
            .find(|c: char| c != '_' && !c.is_alphanumeric())
            .unwrap_or(inner.len());
        let (name, tail) = inner.split_at(len);
        let tail = if braced {
            tail.strip_prefix('}')
        } else {
            Some(tail)
        };
        match tail {
            Some(tail) if !name.is_empty() => {
                // Go takes a number with leading zeros for a name.
                if name == "0" {
                    out.extend(matched);
                }
                rest = tail;
            }
            _ => {
                out.push('$');
                rest = after;
            }
        }
    }
    out.push_str(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replaced(pattern: &str, value: &str, replacement: &str) -> Result<String, String> {
        replace_all(pattern, value, replacement, 1000)
    }

    #[test]
    fn trims() {
        let prefix = |p: &str, v: &str, greedy| trim_prefix(p, v, greedy).unwrap();
        assert_eq!(prefix("*b", "abcabc", false), "cabc");
        assert_eq!(prefix("*b", "abcabc", true), "c");
        assert_eq!(prefix("x", "abc", true), "abc");
        assert_eq!(prefix("*", "a\nb", true), "\nb");
        assert_eq!(prefix("*", "ab", false), "ab");
        assert_eq!(prefix("a**?c", "abcc", true), "");
        assert_eq!(prefix("a*?*c", "abccd", false), "cd");
        assert_eq!(prefix(r"\*", "*a", false), "a");
        assert_eq!(trim_suffix(".*", "a.b.c", false).unwrap(), "a.b");
        assert_eq!(trim_suffix(".*", "a.b.c", true).unwrap(), "a");
        assert_eq!(trim_suffix(r"\*?", "a*b", true).unwrap(), "a");
        assert_eq!(
            trim_prefix(r"\x", "a", false).unwrap_err().1,
            r"invalid escape '\x'"
        );
    }

    #[test]
    fn replaces() {
        assert_eq!(replace_first("b*", "abcb", "-").unwrap(), "a-");
        assert_eq!(replace_first("z", "abc", "-").unwrap(), "abc");
        assert_eq!(replaced("b", "abcb", "[$0]").unwrap(), "a[b]c[b]");
        assert_eq!(
            replaced("b", "abcb", "[${0}$$$1$a-$]").unwrap(),
            "a[b$-$]c[b$-$]"
        );
        assert_eq!(replaced("*", "abc", "-").unwrap(), "-");
        assert_eq!(replaced("", "ab", "-").unwrap(), "-a-b-");
        assert_eq!(replaced("?", "a\nb", "-").unwrap(), "-\n-");
        assert_eq!(replace_first("é?", "aéüb", "").unwrap(), "ab");
    }
}
