//! "Did you mean": the nearest of some names (`util/suggest/error.go`).

use crate::go;

/// Appends ` (did you mean X?)` if a name is near enough to `value`: fewer than three edits, and not equal.
///
/// `BuildKit` goes through a Go map here, so of two names equally near it picks one by chance; we take the first.
pub(crate) fn did_you_mean(
    mut message: String,
    value: &str,
    names: &[&str],
    case_sensitive: bool,
) -> String {
    let wanted = if case_sensitive {
        value.to_owned()
    } else {
        go::lower(value)
    };
    let mut best = None;
    let mut limit = 3;
    for name in names {
        let name = if case_sensitive {
            (*name).to_owned()
        } else {
            go::lower(name)
        };
        if name == wanted {
            return message;
        }
        let distance = edit_distance(&wanted, &name, limit);
        if distance < limit {
            limit = distance;
            best = Some(name);
        }
    }
    if let Some(name) = best {
        let name = if !case_sensitive && value != go::lower(value) && value == go::upper(value) {
            go::upper(&name)
        } else {
            name
        };
        message.push_str(" (did you mean ");
        message.push_str(&name);
        message.push_str("?)");
    }
    message
}

/// Levenshtein distance in characters; at least `limit` when the lengths alone say so.
fn edit_distance(a: &str, b: &str, limit: usize) -> usize {
    let b: Vec<char> = b.chars().collect();
    // Names are short: an endless word is not worth the table.
    let a: Vec<char> = a.chars().take(b.len() + limit).collect();
    if a.len().abs_diff(b.len()) >= limit {
        return limit;
    }
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(value: &str) -> String {
        did_you_mean(String::new(), value, &["RUN", "FROM", "WORKDIR"], false)
    }

    #[test]
    fn suggests_the_nearest_in_the_case_of_the_word() {
        assert_eq!(ask("FORM"), " (did you mean FROM?)");
        assert_eq!(ask("wrkdir"), " (did you mean workdir?)");
        assert_eq!(ask("Rum"), " (did you mean run?)");
        assert_eq!(ask("ENTRYPONT"), "");
        assert_eq!(ask("run"), "");
        assert_eq!(ask(""), "");
    }
}
