//! Variables in words: `$name`, `${name:-word}` and the other operators, with `BuildKit`'s quoting.
//!
//! The rules are those of `frontend/dockerfile/shell/lex.go` at v0.32.2, quirks included.

mod lex;
mod pattern;

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::fmt;

pub(crate) use lex::{Lex, Mode, WordAt};

/// Where the values of variables come from.
pub trait Env {
    /// The value of a variable, or nothing if it is not set. An empty value is set.
    fn get(&self, name: &str) -> Option<&str>;
}

/// No variable is set.
impl Env for () {
    fn get(&self, _: &str) -> Option<&str> {
        None
    }
}

/// Of several pairs with one name the last holds.
impl Env for [(String, String)] {
    fn get(&self, name: &str) -> Option<&str> {
        let pair = self.iter().rev().find(|(key, _)| key == name)?;
        Some(&pair.1)
    }
}

/// Of several pairs with one name the last holds.
impl Env for [(&str, &str)] {
    fn get(&self, name: &str) -> Option<&str> {
        let pair = self.iter().rev().find(|(key, _)| *key == name)?;
        Some(pair.1)
    }
}

impl Env for Vec<(String, String)> {
    fn get(&self, name: &str) -> Option<&str> {
        Env::get(self.as_slice(), name)
    }
}

impl Env for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<&str> {
        Self::get(self, name).map(String::as_str)
    }
}

impl<S: std::hash::BuildHasher> Env for HashMap<String, String, S> {
    fn get(&self, name: &str) -> Option<&str> {
        Self::get(self, name).map(String::as_str)
    }
}

impl<E: Env + ?Sized> Env for &E {
    fn get(&self, name: &str) -> Option<&str> {
        (**self).get(name)
    }
}

/// How deep substitutions may stand in each other. `BuildKit` knows no limit but its memory.
pub const MAX_NESTING: usize = 500;

/// Bytes that variables may put into one text: what Linux takes as one argument or one variable of a program
/// (`MAX_ARG_STRLEN`). Substitutions in substitutions multiply lengths, so a text of a few hundred bytes could ask for more than any
/// machine has; `BuildKit` knows no limit but its memory.
pub const MAX_GROWTH: usize = 128 << 10;

/// What kind of fault an [`ExpandError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum ExpandErrorKind {
    /// A quote is not closed.
    UnbalancedQuote,
    /// A `${` is not closed, or names nothing.
    BadSubstitution,
    /// `${name…}` with an operator that does not exist.
    UnsupportedModifier,
    /// `${name?}` of a variable that is not set, or `${name:?}` of one that is empty.
    Required,
    /// A pattern with an escape that means nothing.
    InvalidPattern,
    /// Substitutions stand in each other more than [`MAX_NESTING`] deep.
    TooDeep,
    /// Variables put more than [`MAX_GROWTH`] bytes into the text, or patterns ask for as much work.
    TooLarge,
}

impl ExpandErrorKind {
    /// Whether it is a limit of ours: nothing behind the place is read, so that it is not taken for an open brace.
    const fn is_limit(self) -> bool {
        matches!(self, Self::TooDeep | Self::TooLarge)
    }
}

/// Why a word could not be expanded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExpandError {
    kind: ExpandErrorKind,
    message: String,
}

impl ExpandError {
    /// What kind of fault it is.
    pub const fn kind(&self) -> ExpandErrorKind {
        self.kind
    }

    /// The stable name of the fault, in kebab case.
    pub const fn code(&self) -> &'static str {
        match self.kind {
            ExpandErrorKind::UnbalancedQuote => "unbalanced-quote",
            ExpandErrorKind::BadSubstitution => "bad-substitution",
            ExpandErrorKind::UnsupportedModifier => "unsupported-modifier",
            ExpandErrorKind::Required => "required-variable",
            ExpandErrorKind::InvalidPattern => "invalid-pattern",
            ExpandErrorKind::TooDeep => "nesting-too-deep",
            ExpandErrorKind::TooLarge => "expansion-too-large",
        }
    }

    /// `BuildKit`'s words: `failed to process "${x": syntax error: missing '}'`.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for ExpandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ExpandError {}

/// A word after its variables were put in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expanded<'t> {
    /// The value, quotes removed; borrowed where the word stays as it is.
    pub value: Cow<'t, str>,
    /// Names of the set variables that were asked for, each once, in the order of their first use.
    pub matched: Vec<String>,
    /// Names of the variables that were asked for and are not set, likewise.
    pub unmatched: Vec<String>,
}

/// Expands words with the escape character of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expander {
    escape: char,
    keep_quotes: bool,
}

impl Expander {
    /// An expander for a file with this escape character (`Dockerfile::escape`).
    pub const fn new(escape: char) -> Self {
        Self {
            escape,
            keep_quotes: false,
        }
    }

    /// An expander for the bodies of heredocs: quotes are ordinary characters, and the escape character is always the
    /// backslash (`SkipProcessQuotes` in `dockerfile2llb/convert.go`).
    pub const fn heredoc() -> Self {
        Self {
            escape: '\\',
            keep_quotes: true,
        }
    }

    /// Puts variables into a word and removes its quotes; spaces stay (`Lex.ProcessWord`).
    pub fn word<'t, E: Env + ?Sized>(
        &self,
        text: &'t str,
        env: &E,
    ) -> Result<Expanded<'t>, ExpandError> {
        if self.is_plain(text) {
            return Ok(Expanded {
                value: Cow::Borrowed(text),
                ..Expanded::default()
            });
        }
        let mut value = String::with_capacity(text.len());
        let mut lex = Lex::new(text, self.escape, env, self.mode());
        lex.process(&mut value, None)?;
        Ok(Expanded {
            value: Cow::Owned(value),
            matched: lex.matched,
            unmatched: lex.unmatched,
        })
    }

    /// Puts variables into a text, removes its quotes and splits what results at white space (`Lex.ProcessWords`).
    ///
    /// `BuildKit` loses what stands before a `${name…}` with an operator in the same word; so does this.
    pub fn words<E: Env + ?Sized>(&self, text: &str, env: &E) -> Result<Vec<String>, ExpandError> {
        let mut words = Vec::new();
        let mut lex = Lex::new(text, self.escape, env, self.mode());
        lex.process(&mut String::new(), Some(&mut words))?;
        Ok(words.into_iter().map(|word| word.value).collect())
    }

    const fn mode(self) -> Mode {
        Mode {
            keep_quotes: self.keep_quotes,
            raw_quotes: false,
            raw_escapes: false,
            skip_unset: false,
        }
    }

    /// Whether expansion would leave the text as it is.
    fn is_plain(self, text: &str) -> bool {
        let escape = self.escape;
        text.bytes()
            .all(|b| !matches!(b, b'$' | b'\'' | b'"' | 0xEF) && char::from(b) != escape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENV: &[(&str, &str)] = &[("x", "one two"), ("empty", ""), ("path", "/a/b/c.tar.gz")];

    fn word(text: &str) -> String {
        match Expander::new('\\').word(text, ENV) {
            Ok(expanded) => expanded.value.into_owned(),
            Err(error) => format!("error: {error}"),
        }
    }

    #[test]
    fn expands_words() {
        let cases = [
            ("plain", "plain"),
            ("$x-$y.", "one two-."),
            ("${x}", "one two"),
            ("'$x'", "$x"),
            ("\"$x\"", "one two"),
            (r"\$x", "$x"),
            (r#""\$x\a""#, r"$x\a"),
            ("${y:-d}${empty:-e}${empty-f}", "de"),
            ("${y:+d}${x:+e}${empty+f}", "ef"),
            ("${y:-${x:-z}}", "one two"),
            ("${path##*/} ${path#*/}", "c.tar.gz a/b/c.tar.gz"),
            ("${path%.*} ${path%%.*}", "/a/b/c.tar /a/b/c"),
            (
                "${path/\\//_} ${path//\\//_}",
                "_a/b/c.tar.gz _a_b_c.tar.gz",
            ),
            ("$", "$"),
            ("$$x $1x $@", "x x "),
            ("a\\", "a"),
            ("<<EOF", "<<EOF"),
        ];
        for (text, want) in cases {
            assert_eq!(word(text), want, "{text}");
        }
    }

    #[test]
    fn reports_faults_in_buildkits_words() {
        let cases = [
            ("${x", "unsupported modifier (\u{fffd}) in substitution"),
            ("${x:-", "syntax error: missing '}'"),
            ("${}", "syntax error: bad substitution"),
            ("${x:=y}", "unsupported modifier (:=) in substitution"),
            ("${x:#y}", "unsupported modifier (:#) in substitution"),
            ("${y:?}", "y: is not allowed to be unset"),
            ("${empty:?}", "empty: is not allowed to be empty"),
            ("${y?why}", "y: why"),
            (
                "'x",
                "unexpected end of statement while looking for matching single-quote",
            ),
            (
                "\"x",
                "unexpected end of statement while looking for matching double-quote",
            ),
            (
                "${x#\\a}",
                "invalid pattern (\\a) in substitution: invalid escape '\\a'",
            ),
            ("${x/a}", "syntax error: missing '/' in ${}"),
        ];
        for (text, want) in cases {
            let quoted = crate::go::quote(text);
            assert_eq!(
                word(text),
                format!("error: failed to process {quoted}: {want}")
            );
        }
    }

    #[test]
    fn tells_which_names_were_asked_for() {
        let expanded = Expander::new('\\').word("$x$y$x${z:-$x}", ENV).unwrap();
        assert_eq!(expanded.matched, ["x"]);
        assert_eq!(expanded.unmatched, ["y", "z"]);
    }

    #[test]
    fn splits_after_expansion() {
        let expander = Expander::new('`');
        assert_eq!(
            expander.words("a $x 'b c' `$d", ENV).unwrap(),
            ["a", "one", "two", "b c", "$d"]
        );
        assert_eq!(expander.words("", ENV).unwrap(), Vec::<String>::new());
        assert_eq!(expander.words("abc${y:-def}", ENV).unwrap(), ["def"]);
    }

    #[test]
    fn heredoc_bodies_keep_quotes() {
        let expanded = Expander::heredoc().word("it's \"$x\" \\$x", ENV).unwrap();
        assert_eq!(expanded.value, "it's \"one two\" $x");
    }

    #[test]
    fn nesting_ends_in_an_error() {
        let deep = |levels: usize| format!("{}{}", "${a:-".repeat(levels), "}".repeat(levels));
        assert!(Expander::new('\\').word(&deep(MAX_NESTING), &()).is_ok());
        let error = Expander::new('\\').word(&deep(100_000), &()).unwrap_err();
        assert_eq!(error.kind(), ExpandErrorKind::TooDeep);
    }

    #[test]
    fn growth_ends_in_an_error() {
        let kind = |text: &str, env: &[(&str, &str)]| {
            let found = Expander::new('\\').word(text, env);
            found.map_or_else(|error| Some(error.kind()), |_| None)
        };
        let long = "x".repeat(1000);
        let env = [("a", long.as_str()), ("b", "1234567")];
        assert_eq!(kind(&"$a".repeat(131), &env), None);
        assert_eq!(
            kind(&"$a".repeat(132), &env),
            Some(ExpandErrorKind::TooLarge)
        );
        // Each level has as many bytes as the one inside, times the length of the value.
        let nested = (0..40).fold("$b".to_owned(), |inner, _| format!("${{b//?/{inner}}}"));
        assert_eq!(kind(&nested, &env), Some(ExpandErrorKind::TooLarge));
        let matches = format!("${{a//*/{}}}", "\\$0".repeat(3000));
        assert_eq!(kind(&matches, &env), Some(ExpandErrorKind::TooLarge));
        let work = format!("${{a//*{long}{long}/}}").repeat(17);
        assert_eq!(kind(&work, &env), Some(ExpandErrorKind::TooLarge));
    }
}
