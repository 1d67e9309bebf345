//! Words: literal text, quotes, variables, substitutions.

use std::borrow::Cow;

use crate::text::Span;

/// A word of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word<'s> {
    /// The word as written.
    pub raw: &'s str,
    /// Its bytes in the script.
    pub span: Span,
    /// What it is made of, in order.
    pub parts: Vec<Part<'s>>,
}

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Part<'s> {
    /// Text outside quotes, backslashes removed.
    Literal(Cow<'s, str>),
    /// Text in quotes or behind a backslash.
    Quoted(Cow<'s, str>),
    /// A pattern character outside quotes: `*`, `?`, `[`.
    Glob(char),
    /// `$name` or `${name…}`.
    Variable {
        /// The name, or a special character.
        name: &'s str,
        /// What follows the name in braces (`:-default`, `%.*`); empty if nothing does.
        operator: &'s str,
        /// Whether it stands in double quotes.
        quoted: bool,
    },
    /// `$(…)` or `` `…` ``: the script inside.
    Substitution {
        /// The script.
        script: &'s str,
        /// Whether it stands in double quotes.
        quoted: bool,
    },
    /// `$((…))`: the expression inside.
    Arithmetic(&'s str),
}

impl Word<'_> {
    /// The word's value, where no variable, substitution or pattern has a say in it.
    pub fn literal(&self) -> Option<Cow<'_, str>> {
        match self.parts.as_slice() {
            [] => Some(Cow::Borrowed("")),
            [Part::Literal(text) | Part::Quoted(text)] => Some(Cow::Borrowed(text)),
            parts => {
                let mut value = String::with_capacity(self.raw.len());
                for part in parts {
                    match part {
                        Part::Literal(text) | Part::Quoted(text) => value.push_str(text),
                        _ => return None,
                    }
                }
                Some(Cow::Owned(value))
            }
        }
    }

    /// The word's value with variables looked up, as one string; patterns stay as written. `None` where only a run of the script knows
    /// it: an unknown variable without a default, a substitution, an operator that cuts text.
    pub fn expand(&self, lookup: &impl Fn(&str) -> Option<String>) -> Option<String> {
        let mut value = String::with_capacity(self.raw.len());
        for part in &self.parts {
            value.push_str(&part.expand(lookup)?);
        }
        Some(value)
    }

    /// The arguments that the word becomes: a variable outside quotes may hold none or several. An argument is `None` where only a run of
    /// the script knows it.
    pub fn fields(&self, lookup: &impl Fn(&str) -> Option<String>) -> Vec<Option<String>> {
        let splits = |part: &Part<'_>| matches!(part, Part::Variable { quoted: false, .. });
        if !self.parts.iter().any(splits) {
            return vec![self.expand(lookup)];
        }
        let mut fields: Vec<String> = Vec::new();
        let mut open: Option<String> = None;
        for part in &self.parts {
            let Some(value) = part.expand(lookup) else {
                return vec![None];
            };
            if !splits(part) {
                open.get_or_insert_default().push_str(&value);
                continue;
            }
            for (at, field) in value.split([' ', '\t', '\n']).enumerate() {
                if at > 0 {
                    fields.extend(open.take());
                }
                if !field.is_empty() {
                    open.get_or_insert_default().push_str(field);
                }
            }
        }
        fields.extend(open);
        fields.into_iter().map(Some).collect()
    }
}

impl Part<'_> {
    fn expand(&self, lookup: &impl Fn(&str) -> Option<String>) -> Option<String> {
        match self {
            Part::Literal(text) | Part::Quoted(text) => Some(text.to_string()),
            Part::Glob(pattern) => Some(pattern.to_string()),
            Part::Substitution { .. } | Part::Arithmetic(_) => None,
            Part::Variable { name, operator, .. } => {
                let value = lookup(name);
                if operator.is_empty() {
                    return value;
                }
                let (empty_counts, rest) = operator
                    .strip_prefix(':')
                    .map_or((false, *operator), |rest| (true, rest));
                let set = value.filter(|value| !(empty_counts && value.is_empty()));
                // A default is taken where it is plain text; anything deeper is for the shell.
                let plain = |word: &str| {
                    (!word.contains(['$', '`', '"', '\'', '\\'])).then(|| word.to_owned())
                };
                match (rest.as_bytes().first()?, set) {
                    (b'-' | b'=' | b'?', Some(value)) => Some(value),
                    (b'-' | b'=', None) | (b'+', Some(_)) => plain(&rest[1..]),
                    (b'+', None) => Some(String::new()),
                    _ => None,
                }
            }
        }
    }
}
