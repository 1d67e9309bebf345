//! Addresses as Go's `net/url` reads and writes them (Go 1.26): `BuildKit` hands git what `URL.String` gives back.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Which part of an address is read or written; each escapes other bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Path,
    Host,
    Zone,
    User,
    Query,
    Fragment,
}

/// An address without its query and fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Url {
    /// In lower case.
    pub(crate) scheme: String,
    user: Option<(Vec<u8>, Option<Vec<u8>>)>,
    host: Vec<u8>,
    /// The path, decoded.
    pub(crate) path: Vec<u8>,
    /// The path as written.
    raw_path: String,
    /// A question mark with nothing behind it stays in the address.
    force_query: bool,
}

impl Url {
    /// Reads `scheme://…` or a path, as far as `#`; `query` is what stands behind the first `?`, if one is there.
    pub(crate) fn parse(text: &str, query: Option<&str>) -> Option<Self> {
        if text
            .bytes()
            .chain(query.unwrap_or_default().bytes())
            .any(|b| b < b' ' || b == 0x7f)
        {
            return None;
        }
        let (scheme, rest) = match text.split_once("://") {
            Some((scheme, rest)) if scheme.bytes().all(|b| b.is_ascii_alphanumeric()) => {
                (scheme, Some(rest))
            }
            _ => ("", None),
        };
        let (mut user, mut host, mut path) = (None, Vec::new(), text);
        if let Some(rest) = rest {
            let (authority, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
            path = rest;
            let scheme = scheme.to_ascii_lowercase();
            let (info, name) = match authority.rsplit_once('@') {
                Some((info, name)) => (Some(info), name),
                None => (None, authority),
            };
            host = read_host(&scheme, name)?;
            if let Some(info) = info {
                user = Some(read_user(info)?);
            }
        }
        Some(Self {
            scheme: scheme.to_ascii_lowercase(),
            user,
            host,
            path: unescape(path, Part::Path)?.into_owned(),
            raw_path: path.to_owned(),
            force_query: query == Some(""),
        })
    }

    /// `URL.String`, without query and fragment.
    pub(crate) fn write(&self) -> String {
        let mut out = String::new();
        if !self.scheme.is_empty() {
            out.push_str(&self.scheme);
            out.push(':');
            if !self.host.is_empty() || !self.path.is_empty() || self.user.is_some() {
                out.push_str("//");
            }
        }
        if let Some((name, password)) = &self.user {
            escape_into(&mut out, name, Part::User);
            if let Some(password) = password {
                out.push(':');
                escape_into(&mut out, password, Part::User);
            }
            out.push('@');
        }
        escape_into(&mut out, &self.host, Part::Host);
        // What is written stays, unless it holds a byte that must be escaped.
        let kept = |b: u8| b"!$&'()*+,;=:@[]%".contains(&b) || !must_escape(b, Part::Path);
        if self.raw_path.bytes().all(kept) {
            out.push_str(&self.raw_path);
        } else {
            escape_into(&mut out, &self.path, Part::Path);
        }
        if self.force_query {
            out.push('?');
        }
        out
    }
}

/// `parseAuthority`: the name and the password, if there is one.
fn read_user(text: &str) -> Option<(Vec<u8>, Option<Vec<u8>>)> {
    let valid = |b: u8| b.is_ascii_alphanumeric() || b"-._:~!$&'()*+,;=%@".contains(&b);
    if !text.bytes().all(valid) {
        return None;
    }
    let read = |text| unescape(text, Part::User).map(Cow::into_owned);
    Some(match text.split_once(':') {
        Some((name, password)) => (read(name)?, Some(read(password)?)),
        None => (read(text)?, None),
    })
}

/// `parseHost`.
fn read_host(scheme: &str, text: &str) -> Option<Vec<u8>> {
    let read = |text, part| unescape(text, part).map(Cow::into_owned);
    let Some(bracket) = text.rfind('[') else {
        if let Some(first) = text.find(':') {
            let strict = matches!(scheme, "http" | "https");
            let port = if strict {
                first
            } else {
                text.rfind(':').unwrap_or(first)
            };
            if !is_port(&text[port..]) {
                return None;
            }
        }
        return read(text, Part::Host);
    };
    if bracket > 0 {
        return None;
    }
    let close = text.rfind(']')?;
    let (inside, port) = (&text[1..close], &text[close + 1..]);
    if !is_port(port) {
        return None;
    }
    let mut name = match inside.find("%25") {
        Some(zone) => {
            let mut name = read(&inside[..zone], Part::Host)?;
            name.extend(read(&inside[zone..], Part::Zone)?);
            name
        }
        None => read(inside, Part::Host)?,
    };
    if !is_address(&name) {
        return None;
    }
    name.insert(0, b'[');
    name.push(b']');
    name.extend(port.bytes());
    Some(name)
}

/// Nothing, or a colon with digits or none.
fn is_port(text: &str) -> bool {
    match text.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_digit()),
        None => text.is_empty(),
    }
}

/// What `netip.ParseAddr` reads as IPv6, with a zone or without.
fn is_address(bytes: &[u8]) -> bool {
    let (address, zone) = match bytes.iter().position(|&b| b == b'%') {
        Some(at) => (&bytes[..at], Some(&bytes[at + 1..])),
        None => (bytes, None),
    };
    let Ok(address) = std::str::from_utf8(address) else {
        return false;
    };
    zone.is_none_or(|zone| !zone.is_empty())
        && address.parse::<Ipv4Addr>().is_err()
        && address.parse::<Ipv6Addr>().is_ok()
}

/// `shouldEscape`.
fn must_escape(b: u8, part: Part) -> bool {
    if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
        return false;
    }
    let allowed: &[u8] = match part {
        Part::Path => b"$&+,/:;=@",
        Part::Host | Part::Zone => b"!\"$&'()*+,:;<=>[]",
        Part::User => b"$&+,;=",
        Part::Query => b"",
        Part::Fragment => b"!$&()*+,/:;=?@",
    };
    !allowed.contains(&b)
}

fn escape_into(out: &mut String, bytes: &[u8], part: Part) {
    for &b in bytes {
        if must_escape(b, part) {
            let _ = write!(out, "%{b:02X}");
        } else {
            out.push(char::from(b));
        }
    }
}

/// `unescape`: nothing if a `%` is no escape, or one that the part may not hold.
pub(crate) fn unescape(text: &str, part: Part) -> Option<Cow<'_, [u8]>> {
    let bytes = text.as_bytes();
    let host = matches!(part, Part::Host | Part::Zone);
    let escaped = bytes.contains(&b'%') || part == Part::Query && bytes.contains(&b'+');
    if !escaped {
        let valid = |b: u8| b >= 0x80 || !must_escape(b, part);
        return (!host || bytes.iter().all(|&b| valid(b))).then_some(Cow::Borrowed(bytes));
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&b) = bytes.get(at) {
        match b {
            b'%' => {
                let digit = |at: usize| char::from(*bytes.get(at)?).to_digit(16);
                let code = u8::try_from(16 * digit(at + 1)? + digit(at + 2)?).ok()?;
                let percent = code == b'%';
                // A host may escape bytes beyond ASCII, a zone what it could also hold plainly.
                let refused = match part {
                    Part::Host => code < 0x80 && !percent,
                    Part::Zone => !percent && code != b' ' && must_escape(code, Part::Host),
                    _ => false,
                };
                if refused {
                    return None;
                }
                out.push(code);
                at += 2;
            }
            b'+' if part == Part::Query => out.push(b' '),
            b if host && b < 0x80 && must_escape(b, part) => return None,
            b => out.push(b),
        }
        at += 1;
    }
    Some(Cow::Owned(out))
}

/// Bytes as text; each byte that is no part of a character becomes U+FFFD.
pub(crate) fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// `path.Join("/", path)` without its first slash: `.` and `..` are resolved and cannot leave the root.
pub(crate) fn clean(path: &str) -> String {
    let mut parts = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Option<String> {
        Url::parse(text, None).map(|url| url.write())
    }

    #[test]
    fn writes_what_it_read() {
        for text in [
            "https://a.b/c.git",
            "https://u:p@a.b:80/c%2fd!'()*",
            "ssh://a:b:1/c",
            "git://[::1]:9/x",
            "a/b",
            "https://",
        ] {
            let expected = if text == "https://" { "https:" } else { text };
            assert_eq!(written(text).as_deref(), Some(expected));
        }
        assert_eq!(written("HTTP://a/é b").unwrap(), "http://a/%C3%A9%20b");
        assert_eq!(
            written("ssh://[fe80::1%25en0]/").unwrap(),
            "ssh://[fe80::1%25en0]/"
        );
        assert_eq!(
            Url::parse("https://a/b", Some("")).unwrap().write(),
            "https://a/b?"
        );
    }

    #[test]
    fn refuses_what_go_refuses() {
        for text in [
            "https://a b/c",
            "https://a:b/c",
            "https://a:1:2/c",
            "https://a%41/c",
            "https://a/%4",
            "https://a/\u{1}",
            "https://u{@a/",
            "https://[1.2.3.4]/",
            "https://[::1/",
            "https://a[::1]/",
        ] {
            assert_eq!(written(text), None, "{text}");
        }
    }

    #[test]
    fn paths_stay_below_the_root() {
        assert_eq!(clean("../a/./b//../c/"), "a/c");
        assert_eq!(clean("/"), "");
    }
}
