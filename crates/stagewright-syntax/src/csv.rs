//! One line of comma-separated values, as `github.com/tonistiigi/go-csvvalue` reads `--mount` and `--device`.

use std::borrow::Cow;
use std::ops::Range;

/// A field and where it stands, quotes included.
pub(crate) type Field<'c> = (Cow<'c, str>, Range<usize>);

/// The fields of a line, or Go's words for what is wrong with it.
pub(crate) fn fields(line: &str) -> Result<Vec<Field<'_>>, String> {
    if line.is_empty() {
        return Err("EOF".to_owned());
    }
    let fault =
        |at: usize, what: &str| Err(format!("parse error on line 1, column {}: {what}", at + 1));
    let mut fields = Vec::with_capacity(4);
    let mut at = 0;
    loop {
        let rest = &line[at..];
        if !rest.starts_with('"') {
            let len = rest.find(',').unwrap_or(rest.len());
            if let Some(quote) = rest[..len].find('"') {
                return fault(at + quote, "bare \" in non-quoted field");
            }
            fields.push((Cow::Borrowed(&rest[..len]), at..at + len));
            if len == rest.len() {
                return Ok(fields);
            }
            at += len + 1;
            continue;
        }
        let start = at;
        at += 1;
        let mut value = Cow::Borrowed("");
        loop {
            let Some(len) = line[at..].find('"') else {
                return fault(at, "extraneous or missing \" in quoted-field");
            };
            value += &line[at..at + len];
            at += len + 1;
            match line.as_bytes().get(at) {
                Some(b'"') => {
                    value += "\"";
                    at += 1;
                }
                Some(b',') => {
                    fields.push((value, start..at));
                    at += 1;
                    break;
                }
                None => {
                    fields.push((value, start..at));
                    return Ok(fields);
                }
                Some(_) => return fault(at - 1, "extraneous or missing \" in quoted-field"),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Vec<String>, String> {
        fields(line).map(|fields| {
            fields
                .into_iter()
                .map(|(value, _)| value.into_owned())
                .collect()
        })
    }

    #[test]
    fn reads_fields() {
        assert_eq!(read("a=b,c,").unwrap(), ["a=b", "c", ""]);
        assert_eq!(read("\"a,b\",\"c\"\"d\"").unwrap(), ["a,b", "c\"d"]);
        assert_eq!(read("").unwrap_err(), "EOF");
        assert_eq!(
            read("a\"b").unwrap_err(),
            "parse error on line 1, column 2: bare \" in non-quoted field"
        );
        assert_eq!(
            read("\"a").unwrap_err(),
            "parse error on line 1, column 2: extraneous or missing \" in quoted-field"
        );
        assert_eq!(
            read("\"a\"b").unwrap_err(),
            "parse error on line 1, column 3: extraneous or missing \" in quoted-field"
        );
    }
}
