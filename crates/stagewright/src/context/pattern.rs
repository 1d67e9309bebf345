//! The patterns of `.dockerignore`, `--exclude` and `--parents`, matched as `github.com/moby/patternmatcher` v0.6.1 does.
//!
//! `*` and `?` stay within a name, `**` crosses directories, a pattern that matches a directory matches everything below it,
//! `!` takes back what earlier patterns matched, and the last pattern that matches wins.

use regex_lite::Regex;

use super::{glob, path};

/// A list of patterns.
#[derive(Clone, Debug, Default)]
pub(crate) struct PatternMatcher {
    patterns: Vec<Pattern>,
    exceptions: bool,
}

/// Which patterns matched a directory: what is below it needs no second look.
pub(crate) type Matched = Vec<bool>;

/// A pattern that BuildKit rejects.
#[derive(Debug)]
pub(crate) struct RejectedPattern(pub(crate) String);

impl PatternMatcher {
    /// Reads patterns; blank ones do not count.
    pub(crate) fn new<P: AsRef<str>>(
        patterns: impl IntoIterator<Item = P>,
    ) -> Result<Self, RejectedPattern> {
        let mut matcher = Self::default();
        for text in patterns {
            let text = text.as_ref().trim();
            if text.is_empty() {
                continue;
            }
            let cleaned = path::clean(text);
            let (exception, body) = match cleaned.strip_prefix('!') {
                Some(body) => (true, body),
                None => (false, &*cleaned),
            };
            if body.is_empty() || !glob::is_accepted(body) {
                return Err(RejectedPattern(text.to_owned()));
            }
            let form = Form::new(body).ok_or_else(|| RejectedPattern(text.to_owned()))?;
            matcher.exceptions |= exception;
            matcher.patterns.push(Pattern {
                text: body.to_owned(),
                exception,
                form,
            });
        }
        Ok(matcher)
    }

    /// Whether there is nothing to match.
    pub(crate) fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether the path, or a directory above it, is matched (`MatchesOrParentMatches`).
    pub(crate) fn matches(&self, file: &str) -> bool {
        self.matches_below(file, None).0
    }

    /// The same, told what matched the directory that holds the path (`MatchesUsingParentResults`).
    pub(crate) fn matches_below(&self, file: &str, parent: Option<&Matched>) -> (bool, Matched) {
        let mut matched = false;
        let mut each = vec![false; self.patterns.len()];
        for (index, pattern) in self.patterns.iter().enumerate() {
            let mut hit = parent.is_some_and(|parent| parent[index]);
            if !hit {
                if pattern.exception != matched {
                    continue;
                }
                hit = pattern.form.matches(file)
                    || (parent.is_none()
                        && ancestors(file).any(|above| pattern.form.matches(above)));
            }
            each[index] = hit;
            if hit {
                matched = !pattern.exception;
            }
        }
        (matched, each)
    }

    /// Whether a directory that is left out may still hold something that is kept, so that it must be walked
    /// (the shortcut in fsutil's `filter.go`).
    pub(crate) fn may_keep_below(&self, directory: &str) -> bool {
        if !self.exceptions {
            return false;
        }
        let exceptions = || self.patterns.iter().filter(|pattern| pattern.exception);
        let plain =
            exceptions().all(|pattern| !pattern.stem().contains(['*', '[', ']', '?', '^', '\\']));
        !plain
            || exceptions()
                .any(|pattern| format!("{}/", pattern.stem()).starts_with(&format!("{directory}/")))
    }
}

/// The directories above a path, from the top.
fn ancestors(file: &str) -> impl Iterator<Item = &str> {
    file.match_indices('/').map(|(at, _)| &file[..at])
}

#[derive(Clone, Debug)]
struct Pattern {
    /// Cleaned, without `!`.
    text: String,
    exception: bool,
    form: Form,
}

impl Pattern {
    /// The pattern without a `/**` or `/*` at its end.
    fn stem(&self) -> &str {
        let stem = self.text.strip_suffix("/**").unwrap_or(&self.text);
        stem.strip_suffix("/*").unwrap_or(stem)
    }
}

/// What a pattern compiles to.
#[derive(Clone, Debug)]
enum Form {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Glob(Vec<Token>),
    Regex(Regex),
}

#[derive(Clone, Debug)]
enum Token {
    Literal(String),
    /// `?`
    One,
    /// `*`
    Name,
    /// `**` or `**/` before something else: any directories, maybe none.
    Directories,
    /// `**` at the end.
    Anything,
}

#[derive(Clone, Copy, PartialEq)]
enum Type {
    Exact,
    Prefix,
    Suffix,
    Regex,
}

impl Form {
    /// Goes over the pattern as `Pattern.compile` does. That function builds a regular expression and takes what it needs only where
    /// it must; here the expression is built only for what a plain glob cannot say: classes and escapes, whose meaning is then Go's
    /// `regexp`'s (so that `\d` is a digit). `None` where the expression is malformed.
    fn new(pattern: &str) -> Option<Self> {
        let mut kind = Type::Exact;
        let mut tokens = Vec::new();
        let mut expression = String::from("^");
        let mut exotic = false;
        let mut literal = String::new();
        let mut characters = pattern.chars().peekable();
        let mut first = true;
        while let Some(character) = characters.next() {
            let leading = std::mem::take(&mut first);
            let token = match character {
                '*' if characters.next_if_eq(&'*').is_some() => {
                    characters.next_if_eq(&'/');
                    let last = characters.peek().is_none();
                    expression.push_str(if last { ".*" } else { "(.*/)?" });
                    kind = match (leading, last, kind) {
                        (true, ..) => Type::Suffix,
                        (_, true, Type::Exact) => Type::Prefix,
                        _ => Type::Regex,
                    };
                    if last {
                        Token::Anything
                    } else {
                        Token::Directories
                    }
                }
                '*' => {
                    kind = Type::Regex;
                    expression.push_str("[^/]*");
                    Token::Name
                }
                '?' => {
                    kind = Type::Regex;
                    expression.push_str("[^/]");
                    Token::One
                }
                '\\' => {
                    expression.push('\\');
                    if let Some(escaped) = characters.next() {
                        expression.push(escaped);
                        kind = Type::Regex;
                    }
                    exotic = true;
                    continue;
                }
                '[' | ']' => {
                    expression.push(character);
                    kind = Type::Regex;
                    exotic = true;
                    continue;
                }
                '.' | '+' | '(' | ')' | '|' | '{' | '}' | '$' => {
                    expression.push('\\');
                    expression.push(character);
                    literal.push(character);
                    continue;
                }
                _ => {
                    // A `^` is an anchor to the expression, which then cannot match.
                    exotic |= character == '^';
                    expression.push(character);
                    literal.push(character);
                    continue;
                }
            };
            if !literal.is_empty() {
                tokens.push(Token::Literal(std::mem::take(&mut literal)));
            }
            tokens.push(token);
        }
        if !literal.is_empty() {
            tokens.push(Token::Literal(literal));
        }
        Some(match kind {
            Type::Exact => Self::Exact(pattern.to_owned()),
            Type::Prefix => Self::Prefix(pattern[..pattern.len() - 2].to_owned()),
            Type::Suffix => Self::Suffix(pattern[2..].to_owned()),
            Type::Regex if exotic => Self::Regex(Regex::new(&format!("{expression}$")).ok()?),
            Type::Regex => Self::Glob(tokens),
        })
    }

    fn matches(&self, file: &str) -> bool {
        match self {
            Self::Exact(text) => file == text,
            Self::Prefix(text) => file.starts_with(text.as_str()),
            Self::Suffix(text) => {
                file.ends_with(text.as_str()) || text.strip_prefix('/') == Some(file)
            }
            Self::Glob(tokens) => glob_matches(tokens, file),
            Self::Regex(regex) => regex.is_match(file),
        }
    }
}

/// Matches tokens against a whole path: for each token, the set of places in the path that it may have reached. Linear in
/// tokens × bytes whatever the pattern, where backtracking would not be.
fn glob_matches(tokens: &[Token], file: &str) -> bool {
    let bytes = file.as_bytes();
    let mut reached = vec![false; bytes.len() + 1];
    reached[0] = true;
    for token in tokens {
        let mut next = vec![false; bytes.len() + 1];
        match token {
            Token::Literal(text) => {
                for at in 0..=bytes.len() {
                    if reached[at] && bytes[at..].starts_with(text.as_bytes()) {
                        next[at + text.len()] = true;
                    }
                }
            }
            Token::One => {
                for (at, character) in file.char_indices() {
                    if reached[at] && character != '/' {
                        next[at + character.len_utf8()] = true;
                    }
                }
            }
            Token::Name => spread(&reached, &mut next, bytes, |byte| byte != b'/'),
            // The dot of an expression does not match a line break.
            Token::Anything => spread(&reached, &mut next, bytes, |byte| byte != b'\n'),
            Token::Directories => {
                let mut any = vec![false; bytes.len() + 1];
                spread(&reached, &mut any, bytes, |byte| byte != b'\n');
                for at in 0..=bytes.len() {
                    next[at] = reached[at] || (at > 0 && bytes[at - 1] == b'/' && any[at - 1]);
                }
            }
        }
        if !next.contains(&true) {
            return false;
        }
        reached = next;
    }
    reached[bytes.len()]
}

/// From each reached place on, over every byte that `may` be passed.
fn spread(reached: &[bool], next: &mut [bool], bytes: &[u8], may: impl Fn(u8) -> bool) {
    let mut running = false;
    for at in 0..=bytes.len() {
        running = reached[at] || (running && may(bytes[at - 1]));
        next[at] = running;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rejects_what_buildkit_rejects() {
        for pattern in ["!", "[", "a[", "\\", "[-]"] {
            assert!(PatternMatcher::new([pattern]).is_err(), "{pattern}");
        }
        assert!(PatternMatcher::new(["", "  ", "a]"]).is_ok());
    }

    #[test]
    fn walks_only_where_an_exception_may_lead() {
        let matcher = PatternMatcher::new(["*", "!src/lib/**"]).unwrap();
        assert!(matcher.may_keep_below("src") && !matcher.may_keep_below("docs"));
        let matcher = PatternMatcher::new(["*", "!**/*.py"]).unwrap();
        assert!(matcher.may_keep_below("docs"));
    }
}
