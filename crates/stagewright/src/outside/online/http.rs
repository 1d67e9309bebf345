//! Questions over HTTP: bounded in time and bytes, asked again where that may help, never led around in circles.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ureq::http::HeaderMap;
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_RANGE, LOCATION, RETRY_AFTER};
use ureq::tls::{RootCerts, TlsConfig};

use super::address::Address;
use super::{OnlineError, Settings};

/// How often one answer may lead elsewhere.
const REDIRECTS: usize = 5;
/// The first pause before a question is asked again; each further one is twice as long.
const PAUSE: Duration = Duration::from_millis(250);
/// The longest pause, whatever the host asks for.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Asks.
pub(super) struct Client {
    agent: ureq::Agent,
    timeout: Duration,
    total: Duration,
    started: Instant,
    retries: u32,
    /// Bytes that may still be read, all answers together.
    left: AtomicU64,
    most: u64,
    /// Hosts that are not asked again, and why.
    dead: Mutex<BTreeMap<String, OnlineError>>,
}

/// A question.
#[derive(Clone, Debug)]
pub(super) struct Question<'q> {
    pub(super) address: Address,
    /// What is asked for, in words.
    pub(super) what: &'q str,
    pub(super) accept: &'q str,
    pub(super) authorization: Option<String>,
    pub(super) range: Option<Range>,
    /// The most bytes of the answer that are read.
    pub(super) most: u64,
}

/// A part of a file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Range {
    /// The last bytes.
    Last(u64),
    /// From a byte to before another.
    Bytes(u64, u64),
}

impl<'q> Question<'q> {
    pub(super) fn new(address: Address, what: &'q str, most: u64) -> Self {
        Self {
            authorization: address.authorization(),
            address,
            what,
            accept: "*/*",
            range: None,
            most,
        }
    }

    #[expect(
        clippy::needless_pass_by_value,
        reason = "errors and texts are handed over alike"
    )]
    pub(super) fn nonsense(&self, why: impl ToString) -> OnlineError {
        let why: String = why.to_string().chars().take(200).collect();
        OnlineError::Nonsense {
            host: self.address.host.clone(),
            what: self.what.to_owned(),
            why,
        }
    }

    fn too_large(&self) -> OnlineError {
        OnlineError::TooLarge {
            what: self.what.to_owned(),
            most: self.most,
        }
    }

    /// The error that a status stands for, if it is none of success.
    pub(super) fn refused(&self, status: u16) -> OnlineError {
        let (host, what) = (self.address.host.clone(), self.what.to_owned());
        match status {
            404 | 410 => OnlineError::NotFound { host, what },
            status => OnlineError::Status { host, what, status },
        }
    }
}

/// The beginning of an answer.
pub(super) struct Answer<'c> {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// Where it came from in the end.
    pub(super) from: Address,
    body: ureq::BodyReader<'static>,
    client: &'c Client,
}

impl Answer<'_> {
    pub(super) fn header(&self, name: impl ureq::http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Bytes that the answer says to have.
    pub(super) fn length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH)?.parse().ok()
    }

    /// First byte, last byte and whole length of an answer that is a part.
    pub(super) fn part(&self) -> Option<(u64, u64, u64)> {
        let (range, whole) = self
            .header(CONTENT_RANGE)?
            .strip_prefix("bytes ")?
            .split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let (first, last, whole) = (first.parse().ok()?, last.parse().ok()?, whole.parse().ok()?);
        (first <= last && last < whole).then_some((first, last, whole))
    }

    /// The answer, whole; an error if it is longer than the question allows.
    pub(super) fn bytes(&mut self, question: &Question<'_>) -> Result<Vec<u8>, OnlineError> {
        if self.length().is_some_and(|length| length > question.most) {
            return Err(question.too_large());
        }
        let mut bytes = Vec::new();
        let mut input = self.take(question.most.saturating_add(1));
        input
            .read_to_end(&mut bytes)
            .map_err(|error| self.client.broken(question, &error))?;
        if bytes.len() as u64 > question.most {
            return Err(question.too_large());
        }
        Ok(bytes)
    }
}

impl Read for Answer<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.body.read(buffer)?;
        let taken = self
            .client
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(count as u64)
            });
        match taken {
            Ok(_) => Ok(count),
            Err(_) => Err(io::Error::other(Spent)),
        }
    }
}

/// No more bytes may be read.
#[derive(Debug, thiserror::Error)]
#[error("all answers together are larger than is allowed")]
struct Spent;

impl Client {
    pub(super) fn new(settings: &Settings) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .unversioned_rustls_crypto_provider(provider)
            .build();
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            // Followed here: a password goes to no other host, and https does not become http.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("stagewright/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        Self {
            agent: config.new_agent(),
            timeout: settings.timeout,
            total: settings.total,
            started: Instant::now(),
            retries: settings.retries,
            left: AtomicU64::new(settings.max_total_bytes),
            most: settings.max_total_bytes,
            dead: Mutex::default(),
        }
    }

    /// Asks, and reads the answer. What broke on the way is asked again.
    pub(super) fn ask<T>(
        &self,
        question: &Question<'_>,
        mut read: impl FnMut(&mut Answer<'_>) -> Result<T, OnlineError>,
    ) -> Result<T, OnlineError> {
        for attempt in 0.. {
            let last = attempt >= self.retries;
            let answer = self.follow(question);
            let mut pause = PAUSE * 2_u32.saturating_pow(attempt);
            let outcome = match answer {
                Ok(answer) if !last && matches!(answer.status, 429 | 500 | 502 | 503 | 504) => {
                    let wanted = answer
                        .header(RETRY_AFTER)
                        .and_then(|text| text.parse().ok());
                    pause = wanted.map_or(pause, Duration::from_secs);
                    None
                }
                answer => Some(answer.and_then(|mut answer| read(&mut answer))),
            };
            match outcome {
                Some(Ok(value)) => return Ok(value),
                Some(Err(error)) => {
                    let Some(host) = error.silent_host() else {
                        return Err(error);
                    };
                    if last || self.dead().contains_key(host) {
                        self.dead().insert(host.to_owned(), error.clone());
                        return Err(error);
                    }
                }
                None => {}
            }
            thread::sleep(pause.min(LONGEST_PAUSE).min(self.remaining()));
        }
        unreachable!("the last attempt returns")
    }

    /// As [`Self::ask`], for an answer that is wanted whole.
    pub(super) fn get(&self, question: &Question<'_>) -> Result<(Vec<u8>, HeaderMap), OnlineError> {
        self.ask(question, |answer| match answer.status {
            200 => Ok((answer.bytes(question)?, std::mem::take(&mut answer.headers))),
            status => Err(question.refused(status)),
        })
    }

    fn dead(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, OnlineError>> {
        self.dead.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remaining(&self) -> Duration {
        self.total.saturating_sub(self.started.elapsed())
    }

    fn follow(&self, question: &Question<'_>) -> Result<Answer<'_>, OnlineError> {
        let mut address = question.address.clone();
        let mut authorization = question.authorization.clone();
        let led = |why| OnlineError::Redirects {
            host: question.address.host.clone(),
            why,
        };
        for _ in 0..=REDIRECTS {
            let answer = self.once(question, &address, authorization.as_deref())?;
            if !matches!(answer.status, 301 | 302 | 303 | 307 | 308) {
                return Ok(answer);
            }
            let Some(location) = answer.header(LOCATION) else {
                return Err(question.nonsense("it leads elsewhere and does not say where"));
            };
            let next = address.join(location)?;
            if address.secure && !next.secure {
                return Err(led("without TLS"));
            }
            if next.host != address.host || next.secure != address.secure {
                authorization = next.authorization();
            }
            address = next;
        }
        Err(led("again and again"))
    }

    fn once(
        &self,
        question: &Question<'_>,
        address: &Address,
        authorization: Option<&str>,
    ) -> Result<Answer<'_>, OnlineError> {
        if let Some(error) = self.dead().get(&address.host) {
            return Err(error.clone());
        }
        let limit = self.timeout.min(self.remaining());
        if limit.is_zero() {
            return Err(OnlineError::Deadline {
                host: address.host.clone(),
                seconds: self.total.as_secs(),
            });
        }
        let mut request = self
            .agent
            .get(address.shown())
            .header("Accept", question.accept);
        if let Some(authorization) = authorization {
            request = request.header(AUTHORIZATION, authorization);
        }
        request = match question.range {
            Some(Range::Last(count)) => request.header("Range", format!("bytes=-{count}")),
            Some(Range::Bytes(start, end)) => {
                request.header("Range", format!("bytes={start}-{}", end.saturating_sub(1)))
            }
            None => request,
        };
        let request = request.config().timeout_global(Some(limit)).build();
        match request.call() {
            Ok(response) => {
                let (head, body) = response.into_parts();
                Ok(Answer {
                    status: head.status.as_u16(),
                    headers: head.headers,
                    from: address.clone(),
                    body: body.into_reader(),
                    client: self,
                })
            }
            Err(error) => Err(self.fault(&address.host, question, &error)),
        }
    }

    fn fault(&self, host: &str, question: &Question<'_>, error: &ureq::Error) -> OnlineError {
        let unreachable = |why: String| OnlineError::Unreachable {
            host: host.to_owned(),
            why,
        };
        match error {
            ureq::Error::Timeout(_) => self.late(host),
            ureq::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut => self.late(host),
            ureq::Error::Io(error) => unreachable(error.to_string()),
            ureq::Error::HostNotFound => unreachable("no address is known of the host".to_owned()),
            ureq::Error::BadUri(_) | ureq::Error::Http(_) => OnlineError::BadAddress {
                address: question.address.shown(),
                why: "it is malformed",
            },
            ureq::Error::Protocol(error) => question.nonsense(error),
            error => unreachable(error.to_string()),
        }
    }

    fn late(&self, host: &str) -> OnlineError {
        OnlineError::Timeout {
            host: host.to_owned(),
            seconds: self.timeout.as_secs(),
        }
    }

    /// The error of an answer that breaks off.
    pub(super) fn broken(&self, question: &Question<'_>, error: &io::Error) -> OnlineError {
        if error
            .get_ref()
            .is_some_and(<dyn std::error::Error + Send + Sync>::is::<Spent>)
        {
            return OnlineError::TooLarge {
                what: "all that was asked for".to_owned(),
                most: self.most,
            };
        }
        match error
            .get_ref()
            .and_then(|inner| inner.downcast_ref::<ureq::Error>())
        {
            Some(inner) => self.fault(&question.address.host, question, inner),
            None if error.kind() == io::ErrorKind::TimedOut => self.late(&question.address.host),
            None => OnlineError::Unreachable {
                host: question.address.host.clone(),
                why: format!("{} breaks off: {error}", question.what),
            },
        }
    }
}
