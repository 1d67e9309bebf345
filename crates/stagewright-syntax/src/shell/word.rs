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
    /// it: an unknown variable without a default, a substitution, an operator that cuts by a pattern.
    pub fn expand(&self, lookup: &impl Fn(&str) -> Option<String>) -> Option<String> {
        self.expand_with(lookup, &|_| None)
    }

    /// As [`Self::expand`], where `run` tells the output of some of the scripts in `$(…)`.
    pub fn expand_with(&self, lookup: Look<'_>, run: Look<'_>) -> Option<String> {
        let mut value = String::with_capacity(self.raw.len());
        for part in &self.parts {
            value.push_str(&part.expand(lookup, run)?);
        }
        Some(value)
    }

    /// The arguments that the word becomes: a variable outside quotes may hold none or several. An argument is `None` where only a run of
    /// the script knows it.
    pub fn fields(&self, lookup: &impl Fn(&str) -> Option<String>) -> Vec<Option<String>> {
        self.fields_with(lookup, &|_| None)
    }

    /// As [`Self::fields`], where `run` tells the output of some of the scripts in `$(…)`.
    pub fn fields_with(&self, lookup: Look<'_>, run: Look<'_>) -> Vec<Option<String>> {
        let splits = |part: &Part<'_>| {
            matches!(
                part,
                Part::Variable { quoted: false, .. } | Part::Substitution { quoted: false, .. }
            )
        };
        if !self.parts.iter().any(splits) {
            return vec![self.expand_with(lookup, run)];
        }
        let mut fields: Vec<String> = Vec::new();
        let mut open: Option<String> = None;
        for part in &self.parts {
            let Some(value) = part.expand(lookup, run) else {
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

/// Tells a value by a name or a script, where it is known.
pub type Look<'l> = &'l dyn Fn(&str) -> Option<String>;

impl Part<'_> {
    fn expand(&self, lookup: Look<'_>, run: Look<'_>) -> Option<String> {
        match self {
            Part::Literal(text) | Part::Quoted(text) => Some(text.to_string()),
            Part::Glob(pattern) => Some(pattern.to_string()),
            Part::Substitution { script, .. } => run(script),
            Part::Arithmetic(_) => None,
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
                    (b'%' | b'#', Some(value)) => cut(&value, rest),
                    _ => None,
                }
            }
        }
    }
}

/// `%pattern`, `%%pattern`, `#pattern`, `##pattern`: the shortest or the longest end or beginning goes. Of patterns those with `*` alone
/// are read.
fn cut(value: &str, operator: &str) -> Option<String> {
    let end = operator.starts_with('%');
    let sign = &operator[..1];
    let pattern = operator.trim_start_matches(sign);
    let longest = match operator.len() - pattern.len() {
        1 => false,
        2 => true,
        _ => return None,
    };
    if pattern.contains(['$', '`', '"', '\'', '\\', '?', '[', '{']) {
        return None;
    }
    let fits = |text: &str| match pattern.split_once('*') {
        None => Some(text == pattern),
        Some((before, after)) if !after.contains('*') => Some(
            text.len() >= before.len() + after.len()
                && text.starts_with(before)
                && text.ends_with(after),
        ),
        Some(_) => None,
    };
    let mut places: Vec<usize> = value
        .char_indices()
        .map(|(at, _)| at)
        .chain([value.len()])
        .collect();
    // From the shortest piece to the longest.
    if end != longest {
        places.reverse();
    }
    for at in places {
        let (head, tail) = value.split_at(at);
        let (piece, rest) = if end { (tail, head) } else { (head, tail) };
        if fits(piece)? {
            return Some(rest.to_owned());
        }
    }
    Some(value.to_owned())
}
