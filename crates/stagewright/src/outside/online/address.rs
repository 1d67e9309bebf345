//! Addresses: as much of them as questions to an index need.

use super::OnlineError;

/// An address of `http` or `https`, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address {
    pub(super) secure: bool,
    /// Host and port as written.
    pub(super) host: String,
    /// Path and query, with the slash in front.
    pub(super) path: String,
    /// What stands before an `@`: name and password, as written.
    pub(super) user: Option<String>,
}

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, OnlineError> {
        let bad = |why| OnlineError::BadAddress {
            address: without_user(text),
            why,
        };
        let text = text.split('#').next().unwrap_or_default();
        let (secure, rest) = if let Some(rest) = strip_scheme(text, "https://") {
            (true, rest)
        } else if let Some(rest) = strip_scheme(text, "http://") {
            (false, rest)
        } else {
            return Err(bad("it starts with neither `https://` nor `http://`"));
        };
        if text.bytes().any(|byte| byte <= b' ' || byte == 0x7f) {
            return Err(bad("it has blanks"));
        }
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (Some(user.to_owned()), host),
            None => (None, authority),
        };
        if host.is_empty() || host.starts_with(':') {
            return Err(bad("it names no host"));
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Self {
            secure,
            host: host.to_ascii_lowercase(),
            path: format!("{slash}{path}"),
            user,
        })
    }

    /// Where a reference on the page at this address leads (RFC 3986, section 5.2).
    pub(super) fn join(&self, reference: &str) -> Result<Self, OnlineError> {
        let reference = reference.split('#').next().unwrap_or_default();
        let scheme = if self.secure { "https" } else { "http" };
        let is_absolute = reference.find(':').is_some_and(|colon| {
            let scheme = &reference[..colon];
            !scheme.is_empty()
                && scheme
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        });
        if is_absolute {
            return Self::parse(reference);
        }
        if reference.starts_with("//") {
            return Self::parse(&format!("{scheme}:{reference}"));
        }
        let own = self.path.split('?').next().unwrap_or_default();
        let path = if reference.starts_with('/') {
            reference.to_owned()
        } else {
            let folder = own.rfind('/').map_or("/", |slash| &own[..=slash]);
            format!("{folder}{reference}")
        };
        let (path, query) = path
            .split_once('?')
            .map_or((&*path, None), |(path, query)| (path, Some(query)));
        let mut parts: Vec<&str> = Vec::new();
        for part in path.split('/').skip(1) {
            match part {
                "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        let query = query.map(|query| format!("?{query}")).unwrap_or_default();
        let joined = format!("{scheme}://{}/{}{query}", self.host, parts.join("/"));
        let user = self.user.clone();
        Self::parse(&joined).map(|address| Self { user, ..address })
    }

    /// The address below this one, taken as a folder.
    pub(super) fn below(&self, path: &str) -> Self {
        let folder = self.path.split('?').next().unwrap_or_default();
        Self {
            path: format!("{}/{path}", folder.trim_end_matches('/')),
            ..self.clone()
        }
    }

    /// Without name and password.
    pub(super) fn shown(&self) -> String {
        let scheme = if self.secure { "https" } else { "http" };
        format!("{scheme}://{}{}", self.host, self.path)
    }

    /// Whether the host is this machine.
    pub(super) fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }

    /// What an `Authorization` header says for name and password in the address.
    pub(super) fn authorization(&self) -> Option<String> {
        let user = percent_decoded(self.user.as_deref()?);
        let user = if user.contains(':') {
            user
        } else {
            format!("{user}:")
        };
        Some(format!("Basic {}", base64(user.as_bytes())))
    }
}

fn strip_scheme<'t>(text: &'t str, scheme: &str) -> Option<&'t str> {
    let start = text.get(..scheme.len())?;
    start
        .eq_ignore_ascii_case(scheme)
        .then(|| &text[scheme.len()..])
}

/// Whether a host, with or without its port, is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => host.split(':').next().unwrap_or_default(),
    };
    let address: Result<std::net::IpAddr, _> = name.parse();
    name == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

fn without_user(text: &str) -> String {
    let shown: String = text.chars().take(200).collect();
    match shown.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let host = rest[..end].rsplit('@').next().unwrap_or_default();
            format!("{scheme}://{host}{}", &rest[end..])
        }
        None => shown,
    }
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) if first == b'%' => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// RFC 4648, section 4.
pub(super) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let number = (0..3).fold(0_usize, |number, at| {
            number << 8 | usize::from(three.get(at).copied().unwrap_or_default())
        });
        for at in 0..4 {
            let digit = DIGITS[number >> (18 - 6 * at) & 63];
            text.push(if at <= three.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_join_as_browsers_do() {
        let page =
            Address::parse("https://me:secret@index.test:8080/simple/flask/?x=1#top").unwrap();
        assert_eq!(page.shown(), "https://index.test:8080/simple/flask/?x=1");
        for (reference, joined) in [
            (
                "../../files/a.whl#sha256=1",
                "https://index.test:8080/files/a.whl",
            ),
            ("a.whl", "https://index.test:8080/simple/flask/a.whl"),
            ("/b/./c?d=../e", "https://index.test:8080/b/c?d=../e"),
            ("//other.test/x", "https://other.test/x"),
            ("http://other.test", "http://other.test/"),
            ("../../../../../x", "https://index.test:8080/x"),
        ] {
            assert_eq!(page.join(reference).unwrap().shown(), joined, "{reference}");
        }
        assert!(page.join("file:///etc/passwd").is_err());
        assert_eq!(page.join("x").unwrap().user, page.user);
        assert_eq!(page.join("http://other.test/x").unwrap().user, None);
    }

    #[test]
    fn what_is_no_address() {
        for text in [
            "",
            "index",
            "ftp://a",
            "https://",
            "https://:80/",
            "http://a b/",
            "http://a\n/",
        ] {
            assert_eq!(
                Address::parse(text).unwrap_err().code(),
                "online-bad-address",
                "{text}"
            );
        }
        let error = Address::parse("ftp://me:secret@a.test/")
            .unwrap_err()
            .to_string();
        assert!(!error.contains("secret"), "{error}");
    }

    #[test]
    fn basic_authorization() {
        // RFC 7617, section 2.
        let address = Address::parse("http://Aladdin:open%20sesame@a.test/").unwrap();
        assert_eq!(
            address.authorization().as_deref(),
            Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")
        );
        assert_eq!(base64(b"f"), "Zg==");
        assert_eq!(base64(b"fo"), "Zm8=");
    }

    #[test]
    fn this_machine() {
        for host in ["localhost", "127.0.0.1:5000", "[::1]:80", "127.9.9.9"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.test", "10.0.0.1", "1270.0.0.1", "128.0.0.1:127"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
}
