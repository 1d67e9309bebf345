//! Go's `path.Match`: how COPY and ADD read `*`, `?` and `[…]` in a source.

use super::error::ContextError;

/// Whether `name` as a whole matches `pattern`. `*` and `?` never cross a `/`; `\` takes the next character as it is.
pub(crate) fn matches(pattern: &str, name: &str) -> Result<bool, ContextError> {
    match_bytes(pattern.as_bytes(), name.as_bytes(), true).map_err(|BadPattern| {
        ContextError::BadPattern {
            pattern: pattern.to_owned(),
        }
    })
}

/// Whether an ignore file may hold the pattern: patternmatcher asks `filepath.Match` with the name `.`, which reads no further than the
/// first part that does not match.
pub(crate) fn is_accepted(pattern: &str) -> bool {
    match_bytes(pattern.as_bytes(), b".", false).is_ok()
}

/// Whether a path holds a wildcard (`*`, `?`, `[`) that no `\` takes away.
pub(crate) fn has_wildcards(path: &str) -> bool {
    let mut bytes = path.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'*' | b'?' | b'[' => return true,
            b'\\' => {
                bytes.next();
            }
            _ => {}
        }
    }
    false
}

/// The pattern is malformed.
struct BadPattern;

/// `thorough` tells `path.Match`, which looks at the whole pattern even where the name cannot match any more, from `filepath.Match`.
fn match_bytes(mut pattern: &[u8], mut name: &[u8], thorough: bool) -> Result<bool, BadPattern> {
    while !pattern.is_empty() {
        let (star, chunk, rest) = next_chunk(pattern);
        pattern = rest;
        if star && chunk.is_empty() {
            return Ok(!name.contains(&b'/'));
        }
        if let Some(left) = match_chunk(chunk, name)?
            && (left.is_empty() || !pattern.is_empty())
        {
            name = left;
            continue;
        }
        let mut found = None;
        if star {
            for skip in 0..name.len() {
                if name[skip] == b'/' {
                    break;
                }
                if let Some(left) = match_chunk(chunk, &name[skip + 1..])? {
                    if pattern.is_empty() && !left.is_empty() {
                        continue;
                    }
                    found = Some(left);
                    break;
                }
            }
        }
        if let Some(left) = found {
            name = left;
        } else {
            while thorough && !pattern.is_empty() {
                let (_, chunk, rest) = next_chunk(pattern);
                pattern = rest;
                match_chunk(chunk, b"")?;
            }
            return Ok(false);
        }
    }
    Ok(name.is_empty())
}

/// Whether a run of stars leads, the part up to the next star, and what follows.
fn next_chunk(pattern: &[u8]) -> (bool, &[u8], &[u8]) {
    let stars = pattern.iter().take_while(|byte| **byte == b'*').count();
    let pattern = &pattern[stars..];
    let (mut at, mut in_class) = (0, false);
    while at < pattern.len() {
        match pattern[at] {
            b'\\' => at += usize::from(at + 1 < pattern.len()),
            b'[' => in_class = true,
            b']' => in_class = false,
            b'*' if !in_class => break,
            _ => {}
        }
        at += 1;
    }
    let at = at.min(pattern.len());
    (stars > 0, &pattern[..at], &pattern[at..])
}

/// Matches a part without stars at the start of `name`: what is left of it, or `None`.
/// Goes on after a mismatch, since the rest of the part may be malformed.
fn match_chunk<'n>(mut chunk: &[u8], mut name: &'n [u8]) -> Result<Option<&'n [u8]>, BadPattern> {
    let mut failed = false;
    while !chunk.is_empty() {
        failed = failed || name.is_empty();
        match chunk[0] {
            b'[' => {
                let mut character = '\0';
                if !failed {
                    (character, name) = first(name);
                }
                chunk = &chunk[1..];
                let negated = chunk.first() == Some(&b'^');
                chunk = &chunk[usize::from(negated)..];
                let (mut matched, mut ranges) = (false, 0);
                loop {
                    if chunk.first() == Some(&b']') && ranges > 0 {
                        chunk = &chunk[1..];
                        break;
                    }
                    let low;
                    (low, chunk) = class_character(chunk)?;
                    let mut high = low;
                    if chunk[0] == b'-' {
                        (high, chunk) = class_character(&chunk[1..])?;
                    }
                    matched = matched || (low <= character && character <= high);
                    ranges += 1;
                }
                failed = failed || matched == negated;
            }
            b'?' => {
                if !failed {
                    failed = name[0] == b'/';
                    name = first(name).1;
                }
                chunk = &chunk[1..];
            }
            literal => {
                let mut literal = literal;
                if literal == b'\\' {
                    chunk = &chunk[1..];
                    literal = *chunk.first().ok_or(BadPattern)?;
                }
                if !failed {
                    failed = literal != name[0];
                    name = &name[1..];
                }
                chunk = &chunk[1..];
            }
        }
    }
    Ok((!failed).then_some(name))
}

/// One character of a class, maybe escaped; something must follow it.
fn class_character(chunk: &[u8]) -> Result<(char, &[u8]), BadPattern> {
    let chunk = match chunk.first() {
        None | Some(b'-' | b']') => return Err(BadPattern),
        Some(b'\\') => &chunk[1..],
        Some(_) => chunk,
    };
    if chunk.is_empty() {
        return Err(BadPattern);
    }
    let (character, rest) = first(chunk);
    if rest.is_empty() {
        return Err(BadPattern);
    }
    Ok((character, rest))
}

/// The first character of bytes that were a `str`, and what follows it.
fn first(bytes: &[u8]) -> (char, &[u8]) {
    let width = match bytes[0] {
        0xf0.. => 4,
        0xe0.. => 3,
        0xc0.. => 2,
        _ => 1,
    };
    let character = bytes
        .get(..width)
        .and_then(|head| std::str::from_utf8(head).ok());
    match character.and_then(|text| text.chars().next()) {
        Some(character) => (character, &bytes[width..]),
        None => (char::REPLACEMENT_CHARACTER, &bytes[1..]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_as_go_does() {
        for (pattern, name, expected) in [
            ("abc", "abc", Some(true)),
            ("*", "abc", Some(true)),
            ("*c", "abc", Some(true)),
            ("a*", "ab/c", Some(false)),
            ("a*/b", "abc/b", Some(true)),
            ("a*/b", "a/c/b", Some(false)),
            ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", Some(false)),
            ("a*b?c*x", "abxbbxdbxebxczzy", Some(false)),
            ("ab[c]", "abc", Some(true)),
            ("ab[b-d]", "abc", Some(true)),
            ("ab[^b-d]", "abc", Some(false)),
            ("a\\*b", "a*b", Some(true)),
            ("a?b", "a☺b", Some(true)),
            ("a[^a]b", "a☺b", Some(true)),
            ("a???b", "a☺b", Some(false)),
            ("[a-ζ]*", "α", Some(true)),
            ("*[a-ζ]", "A", Some(false)),
            ("a?b", "a/b", Some(false)),
            ("[\\]a]", "]", Some(true)),
            ("[\\-x]", "-", Some(true)),
            ("[]a]", "]", None),
            ("[-]", "-", None),
            ("[x-]", "x", None),
            ("[", "a", None),
            ("[^", "a", None),
            ("a[", "ab", None),
            ("a[", "x", None),
            ("a/b[", "x", None),
            ("*x", "xxx", Some(true)),
        ] {
            assert_eq!(matches(pattern, name).ok(), expected, "{pattern} {name}");
        }
        assert!(has_wildcards("a/*.py") && !has_wildcards("a/\\*.py"));
    }
}
