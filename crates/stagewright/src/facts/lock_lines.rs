//! Lock files that are indented lines (`yarn.lock`, `pnpm-lock.yaml`): keys, values and what is indented below them.
//!
//! A reader of the subset of YAML that these tools write: no anchors, tags, block texts or documents. Total, in one pass; depth and
//! size are bounded.

use super::lock::LockError;

/// One key with its value or with what stands below it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Entry<'t> {
    pub(crate) key: String,
    /// The text behind the key, without quotes.
    pub(crate) value: &'t str,
    pub(crate) below: Vec<Entry<'t>>,
}

/// Deeper than any of these tools nests.
const DEPTH: usize = 32;

impl<'t> Entry<'t> {
    /// The entry below with this key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.below.iter().find(|entry| entry.key == key)
    }

    /// The value of the entry below with this key.
    pub(crate) fn text(&self, key: &str) -> &'t str {
        self.get(key).map_or("", |entry| entry.value)
    }

    /// A list: `[a, b]` behind the key, or `- a` lines below it.
    pub(crate) fn list(&self, key: &str) -> Vec<String> {
        let Some(entry) = self.get(key) else {
            return Vec::new();
        };
        if let Some(inner) = entry.value.strip_prefix('[') {
            let inner = inner.strip_suffix(']').unwrap_or(inner);
            return inner
                .split(',')
                .map(|word| unquoted(word.trim()).to_owned())
                .filter(|word| !word.is_empty())
                .collect();
        }
        entry
            .below
            .iter()
            .filter_map(|line| {
                line.key
                    .strip_prefix("- ")
                    .map(|word| unquoted(word).to_owned())
            })
            .collect()
    }
}

/// Reads all lines; keys and values are parted by `: ` or, in the first kind of `yarn.lock`, by a blank.
pub(crate) fn read(text: &str, colon: bool) -> Result<Entry<'_>, LockError> {
    let mut stack: Vec<(usize, Entry<'_>)> = vec![(0, Entry::default())];
    for (number, line) in (1_u32..).zip(text.lines()) {
        let bare = line.trim_start_matches(' ');
        if bare.trim_end().is_empty() || bare.starts_with('#') || bare.trim_end() == "---" {
            continue;
        }
        let indent = line.len() - bare.len() + 1;
        // Close what is not above this line.
        while stack.last().is_some_and(|(open, _)| *open >= indent) && stack.len() > 1 {
            close(&mut stack);
        }
        if stack.len() > DEPTH {
            return Err(LockError::malformed(format!(
                "line {number} is indented too deep"
            )));
        }
        let bare = bare.trim_end();
        if let Some(item) = bare.strip_prefix("- ") {
            stack.push((
                indent,
                Entry {
                    key: format!("- {item}"),
                    ..Entry::default()
                },
            ));
            continue;
        }
        let (key, value) = parted(bare, colon)
            .ok_or_else(|| LockError::malformed(format!("line {number} has no key")))?;
        stack.push((
            indent,
            Entry {
                key: key.to_owned(),
                value,
                below: Vec::new(),
            },
        ));
    }
    while stack.len() > 1 {
        close(&mut stack);
    }
    let (_, root) = stack.pop().expect("the root is never closed");
    Ok(root)
}

fn close(stack: &mut Vec<(usize, Entry<'_>)>) {
    if let Some((_, entry)) = stack.pop()
        && let Some((_, above)) = stack.last_mut()
    {
        above.below.push(entry);
    }
}

/// Key and value of a line. A list of quoted keys, as `yarn.lock` has them, is one key with its quotes.
fn parted(line: &str, colon: bool) -> Option<(&str, &str)> {
    if let Some(key) = line.strip_suffix(':') {
        // `"a@^1", "a@^2":`
        let one =
            key.len() > 1 && key.starts_with('"') && key[1..].find('"') == Some(key.len() - 2);
        let quoted = one || (key.starts_with('\'') && key.ends_with('\'') && key.len() > 1);
        return Some((if quoted { &key[1..key.len() - 1] } else { key }, ""));
    }
    let first = line.chars().next()?;
    let end = if first == '"' || first == '\'' {
        line[1..].find(first)? + 2
    } else if colon {
        line.find(": ")?
    } else {
        line.find(' ')?
    };
    let (key, rest) = line.split_at(end);
    let value = rest.trim_start_matches(':').trim_start();
    Some((unquoted(key), unquoted(value)))
}

fn unquoted(text: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = text
            .strip_prefix(quote)
            .and_then(|rest| rest.strip_suffix(quote))
        {
            return inner;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_lines() {
        let yaml = "a: '1'\nb:\n  c: [x, 'y']\n  'd e':\n    - f\n    - \"g\"\n\n# no\nh: 2\n";
        let root = read(yaml, true).expect("valid");
        assert_eq!((root.text("a"), root.text("h")), ("1", "2"));
        let b = root.get("b").expect("there");
        assert_eq!(
            (b.list("c"), b.list("d e")),
            (
                vec!["x".into(), "y".into()],
                vec!["f".into(), "g".to_owned()]
            )
        );
        let classic = "# yarn lockfile v1\n\"@s/a@^1\", \"@s/a@^2\":\n  version \"1.0.0\"\n  dependencies:\n    b \"^1\"\n";
        let root = read(classic, false).expect("valid");
        assert_eq!(root.below[0].key, "\"@s/a@^1\", \"@s/a@^2\"");
        assert_eq!(root.below[0].text("version"), "1.0.0");
        assert_eq!(
            root.below[0].get("dependencies").expect("there").text("b"),
            "^1"
        );
    }

    #[test]
    fn anything_else_is_an_error_or_nothing() {
        assert!(read("no key here\n", true).is_err() && read("\"a", true).is_err());
        let mut deep = String::new();
        for depth in 0..1000 {
            deep += &" ".repeat(depth);
            deep += "a:\n";
        }
        assert!(read(&deep, true).is_err());
        assert_eq!(read("", true).expect("empty").below, []);
    }
}
