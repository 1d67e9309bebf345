//! A small server on this machine, for tests of what is asked online. `tests/online/site.json` says what it answers.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde::Deserialize;

/// An answer to one path.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Route {
    /// Its status; 200 if absent.
    pub status: Option<u16>,
    /// Headers.
    pub headers: BTreeMap<String, String>,
    /// The body as text; `{base}` stands for the address of the server.
    pub text: Option<String>,
    /// The body as base64.
    pub base64: Option<String>,
    /// Whether parts of it are given.
    pub ranges: bool,
    /// Whether a token has to be shown.
    pub token: bool,
    /// What it does instead of answering as it should.
    pub fault: Option<Fault>,
    /// The body as bytes.
    #[serde(skip)]
    pub bytes: Vec<u8>,
}

/// What a server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum Fault {
    /// It says nothing.
    Hangs,
    /// It sends a byte from time to time.
    Drips,
    /// It closes the connection after half of the body.
    BreaksOff,
    /// Parts of it are said to be other parts.
    OtherParts,
    /// The body never ends.
    Endless,
}

/// A server that runs until it is dropped.
pub struct Server {
    /// Its address, `http://127.0.0.1:PORT`.
    pub base: String,
    /// The questions it was asked, as paths.
    asked: Arc<Mutex<Vec<String>>>,
    over: Arc<AtomicBool>,
    open: Arc<AtomicUsize>,
}

impl Server {
    /// Starts a server.
    pub fn start(routes: BTreeMap<String, Route>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let base = format!(
            "http://{}",
            listener.local_addr().expect("it has an address")
        );
        let server = Self {
            base: base.clone(),
            asked: Arc::default(),
            over: Arc::default(),
            open: Arc::default(),
        };
        let (asked, over, open) = (
            Arc::clone(&server.asked),
            Arc::clone(&server.over),
            Arc::clone(&server.open),
        );
        let routes = Arc::new(routes);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if over.load(Ordering::Relaxed) {
                    return;
                }
                let (routes, base) = (Arc::clone(&routes), base.clone());
                let (asked, over, open) =
                    (Arc::clone(&asked), Arc::clone(&over), Arc::clone(&open));
                thread::spawn(move || {
                    open.fetch_add(1, Ordering::Relaxed);
                    // Whoever closes the connection early wants no more of it.
                    let _ = serve(stream, &routes, &base, &asked, &over);
                });
            }
        });
        server
    }

    /// The questions so far.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("nobody panics").clone()
    }

    /// The host and port.
    pub fn host(&self) -> &str {
        self.base.trim_start_matches("http://")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // Wakes the listener, which then ends.
        let _ = TcpStream::connect(self.host());
    }
}

fn serve(
    stream: TcpStream,
    routes: &BTreeMap<String, Route>,
    base: &str,
    asked: &Mutex<Vec<String>>,
    over: &AtomicBool,
) -> std::io::Result<()> {
    let mut input = BufReader::new(stream.try_clone()?);
    let mut output = stream;
    loop {
        let (mut line, mut range, mut token) = (String::new(), None, false);
        if input.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        loop {
            let mut header = String::new();
            if input.read_line(&mut header)? <= 2 {
                break;
            }
            let header = header.trim_end();
            let (name, value) = header.split_once(": ").unwrap_or((header, ""));
            match &*name.to_ascii_lowercase() {
                "range" => range = value.strip_prefix("bytes=").map(str::to_owned),
                "authorization" => token = value == "Bearer open-sesame",
                _ => {}
            }
        }
        asked.lock().expect("nobody panics").push(path.clone());
        answer(
            &mut output,
            routes.get(&path),
            base,
            range.as_deref(),
            token,
            over,
        )?;
    }
}

fn answer(
    output: &mut TcpStream,
    route: Option<&Route>,
    base: &str,
    range: Option<&str>,
    token: bool,
    over: &AtomicBool,
) -> std::io::Result<()> {
    let Some(route) = route else {
        return output.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n");
    };
    if route.token && !token {
        let challenge = format!(
            "HTTP/1.1 401 Unauthorized\r\nwww-authenticate: Bearer realm=\"{base}/token\",service=\"registry.test\",scope=\"repository:team/base:pull\"\r\ncontent-length: 0\r\n\r\n"
        );
        return output.write_all(challenge.as_bytes());
    }
    let pause = Duration::from_millis(20);
    let body = route.body(base);
    let mut status = route.status.unwrap_or(200);
    let (mut from, mut to) = (0, body.len());
    let mut headers = String::new();
    for (name, value) in &route.headers {
        headers.push_str(&format!("{name}: {}\r\n", value.replace("{base}", base)));
    }
    if let Some(range) = range.filter(|_| route.ranges) {
        let (first, last) = range.split_once('-').unwrap_or_default();
        from = match first {
            "" => body.len().saturating_sub(last.parse().unwrap_or(0)),
            first => first.parse().unwrap_or(0),
        };
        if !first.is_empty() {
            to = last.parse::<usize>().map_or(to, |last| to.min(last + 1));
        }
        status = 206;
        let whole = body.len();
        let (said_from, said_to) = match route.fault {
            Some(Fault::OtherParts) => (from, to - 2),
            _ => (from, to - 1),
        };
        headers.push_str(&format!(
            "content-range: bytes {said_from}-{said_to}/{whole}\r\n"
        ));
    }
    match route.fault {
        Some(Fault::Hangs) => {
            while !over.load(Ordering::Relaxed) {
                thread::sleep(pause);
            }
            return Ok(());
        }
        Some(Fault::Endless | Fault::Drips) => headers.push_str("connection: close\r\n"),
        _ if headers.contains("content-length") => {}
        _ => headers.push_str(&format!("content-length: {}\r\n", to - from)),
    }
    output.write_all(format!("HTTP/1.1 {status} Answer\r\n{headers}\r\n").as_bytes())?;
    match route.fault {
        Some(Fault::Drips) => {
            while !over.load(Ordering::Relaxed) {
                output.write_all(b" ")?;
                thread::sleep(pause);
            }
            Ok(())
        }
        Some(Fault::Endless) => loop {
            output.write_all(&[b' '; 4096])?;
        },
        Some(Fault::BreaksOff) => {
            output.write_all(&body[from..from + (to - from) / 2])?;
            output.shutdown(std::net::Shutdown::Both)
        }
        _ => output.write_all(&body[from..to]),
    }
}

impl Route {
    /// A route that gives a text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            text: Some(text.into()),
            ..Self::default()
        }
    }

    /// A route that gives bytes.
    pub fn bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            ..Self::default()
        }
    }

    /// The same, with parts.
    #[must_use]
    pub fn in_parts(self) -> Self {
        Self {
            ranges: true,
            ..self
        }
    }

    /// The same, but wrong.
    #[must_use]
    pub fn but(self, fault: Fault) -> Self {
        Self {
            fault: Some(fault),
            ..self
        }
    }

    /// The body.
    pub fn body(&self, base: &str) -> Vec<u8> {
        match (&self.text, &self.base64) {
            (Some(text), _) => text.replace("{base}", base).into_bytes(),
            (None, Some(text)) => decoded(text),
            (None, None) => self.bytes.clone(),
        }
    }
}

/// RFC 4648, section 4.
fn decoded(text: &str) -> Vec<u8> {
    let digit = |byte: u8| match byte {
        b'A'..=b'Z' => u32::from(byte - b'A'),
        b'a'..=b'z' => u32::from(byte - b'a') + 26,
        b'0'..=b'9' => u32::from(byte - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u32> = text
        .bytes()
        .filter(|byte| *byte != b'=')
        .map(digit)
        .collect();
    let mut bytes = Vec::new();
    for four in digits.chunks(4) {
        let number = (0..4).fold(0, |number, at| {
            number << 6 | four.get(at).copied().unwrap_or(0)
        });
        bytes.extend_from_slice(&number.to_be_bytes()[1..four.len()]);
    }
    bytes
}
