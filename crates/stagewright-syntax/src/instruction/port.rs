//! The ports that a word of `EXPOSE` means (`dockerfile2llb/convert_expose.go` at v0.32.2).

use crate::go;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Why a word of `EXPOSE` names no ports, in `BuildKit`'s words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PortError {
    message: String,
}

impl PortError {
    /// The stable name of the fault, in kebab case.
    pub const fn code(&self) -> &'static str {
        "invalid-port"
    }

    /// `BuildKit`'s words.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for PortError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for PortError {}

/// The ports of one word after its expansion, as an image's configuration lists them: `8000-8001/UDP` means `8000/udp` and `8001/udp`.
///
/// Addresses and ports of the host may stand before (`[::1]:80:8000`); they are checked and have no effect.
///
/// ```
/// use stagewright_syntax::instruction::exposed_ports;
///
/// assert_eq!(exposed_ports("8000-8001").unwrap(), ["8000/tcp", "8001/tcp"]);
/// assert_eq!(exposed_ports("x").unwrap_err().message(), "invalid containerPort: x");
/// ```
pub fn exposed_ports(word: &str) -> Result<Vec<String>, PortError> {
    let mut parts = word.rsplitn(3, ':');
    let container = parts.next().unwrap_or_default();
    let host = parts.next().unwrap_or_default();
    let address = parts.next().unwrap_or_default();
    let (ports, protocol) = container.split_once('/').unwrap_or((container, ""));
    let invalid = |what: &str| fault(format!("invalid port: {}: {what}", go::quote(word)));
    if ports.is_empty() {
        return Err(invalid("no port specified"));
    }
    let protocol = match go::lower(protocol).as_str() {
        "" => "tcp".to_owned(),
        known @ ("tcp" | "udp" | "sctp") => known.to_owned(),
        _ => return Err(invalid(&format!("invalid proto: {protocol}"))),
    };
    check_address(address)?;
    let (first, last) =
        range(ports).ok_or_else(|| fault(format!("invalid containerPort: {ports}")))?;
    if !host.is_empty() {
        let (from, to) = range(host).ok_or_else(|| fault(format!("invalid hostPort: {host}")))?;
        if last - first != to - from && first != last {
            return Err(fault(format!(
                "invalid ranges specified for container and host Ports: {ports} and {host}"
            )));
        }
    }
    Ok((first..=last)
        .map(|port| format!("{port}/{protocol}"))
        .collect())
}

fn fault(message: String) -> PortError {
    PortError { message }
}

/// `net.SplitHostPort` and `net.ParseIP`.
fn check_address(text: &str) -> Result<(), PortError> {
    let mut address = text;
    if let Some(rest) = text.strip_prefix('[') {
        let problem = |what: &str| {
            fault(format!(
                "invalid IP address {text}: address {text}:: {what}"
            ))
        };
        let Some((inside, after)) = rest.split_once(']') else {
            return Err(problem("missing ']' in address"));
        };
        if !after.is_empty() {
            let many = after.starts_with(':');
            return Err(problem(if many {
                "too many colons in address"
            } else {
                "missing port in address"
            }));
        }
        if inside.contains('[') {
            return Err(problem("unexpected '[' in address"));
        }
        address = inside;
    }
    let valid = address.is_empty()
        || address.parse::<Ipv4Addr>().is_ok()
        || address.parse::<Ipv6Addr>().is_ok();
    if valid {
        Ok(())
    } else {
        Err(fault(format!("invalid IP address: {address}")))
    }
}

/// `first-last`, or one port twice.
fn range(text: &str) -> Option<(u16, u16)> {
    let (start, end) = text.split_once('-').unwrap_or((text, text));
    let first = number(start)?;
    if start == end {
        return Some((first, first));
    }
    let last = number(end)?;
    (last >= first).then_some((first, last))
}

/// `strconv.ParseInt`, which takes a sign; a port has none but a plus, or the minus of zero.
fn number(text: &str) -> Option<u16> {
    let number: i64 = text.parse().ok()?;
    u16::try_from(number).ok()
}
