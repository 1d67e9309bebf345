//! What a build is told about the commands that it runs.

use serde::{Deserialize, Serialize};

use super::OptionsError;

/// How a build runs its commands (`docker build --network …`). All of it is in the key of every RUN, and of nothing else; how much
/// memory or how many processors a command gets is not.
///
/// Rules: `frontend/dockerui/{config,attr}.go` and `solver/llbsolver/ops/exec.go` (`CacheMap`) at v0.32.2.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RunOptions {
    /// The network (`none`, `host`) of a RUN that does not say one itself; empty is the builder's own.
    pub network: String,
    /// Names that are resolved without a server, in lower case, in order. Where to is not in the key.
    pub hosts: Vec<String>,
    /// The size of `/dev/shm` in bytes; 0 is the builder's own.
    pub shm_size: u64,
    /// Limits, as `nofile=1024:2048`, in order.
    pub ulimits: Vec<String>,
    /// The control group that commands run below; empty is the builder's own.
    pub cgroup_parent: String,
}

/// [`RunOptions`] in the words that a person writes. What is left out is as [`RunOptions::default`] has it.
#[derive(Clone, Debug, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "made by every face with `..Default::default()`"
)]
pub struct RunWords {
    /// `--network`: `default`, `none` or `host`.
    pub network: Option<String>,
    /// `--add-host NAME=IP` or `NAME:IP`, in order.
    pub add_hosts: Vec<String>,
    /// `--shm-size`: bytes, or a number with `b`, `k`, `m` or `g`.
    pub shm_size: Option<String>,
    /// `--ulimit NAME=SOFT[:HARD]`, in order.
    pub ulimits: Vec<String>,
    /// `--cgroup-parent`.
    pub cgroup_parent: Option<String>,
}

impl RunOptions {
    /// The options from the words that a person writes.
    pub fn from_words(words: &RunWords) -> Result<Self, OptionsError> {
        Ok(Self {
            network: words
                .network
                .as_deref()
                .map_or_else(|| Ok(String::new()), network)?,
            hosts: words
                .add_hosts
                .iter()
                .map(|word| host(word))
                .collect::<Result<_, _>>()?,
            shm_size: words.shm_size.as_deref().map_or(Ok(0), bytes)?,
            ulimits: words
                .ulimits
                .iter()
                .map(|word| ulimit(word))
                .collect::<Result<_, _>>()?,
            cgroup_parent: words.cgroup_parent.clone().unwrap_or_default(),
        })
    }
}

/// `parseNetMode`.
fn network(word: &str) -> Result<String, OptionsError> {
    match word {
        "default" | "sandbox" | "" => Ok(String::new()),
        "none" | "host" => Ok(word.to_owned()),
        _ => Err(OptionsError::Network {
            word: word.to_owned(),
        }),
    }
}

/// The name of `NAME=IP`, which is all of it that counts (`parseExtraHosts`).
fn host(word: &str) -> Result<String, OptionsError> {
    match word.split_once('=').or_else(|| word.split_once(':')) {
        Some((name, address)) if !name.is_empty() && !address.is_empty() => {
            Ok(name.to_ascii_lowercase())
        }
        _ => Err(OptionsError::Host {
            word: word.to_owned(),
        }),
    }
}

/// A size as `docker build --shm-size` takes it (go-units' `RAMInBytes`, whole numbers).
fn bytes(word: &str) -> Result<u64, OptionsError> {
    let lower = word.to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: u64 = match &lower[digits.len()..] {
        "" | "b" => 1,
        "k" | "kb" | "kib" => 1 << 10,
        "m" | "mb" | "mib" => 1 << 20,
        "g" | "gb" | "gib" => 1 << 30,
        _ => 0,
    };
    let size = digits
        .parse()
        .ok()
        .and_then(|number: u64| number.checked_mul(factor));
    size.filter(|size| *size > 0)
        .ok_or_else(|| OptionsError::Size {
            word: word.to_owned(),
        })
}

/// One limit with both of its values (go-units' `ParseUlimit`).
fn ulimit(word: &str) -> Result<String, OptionsError> {
    let wrong = || OptionsError::Ulimit {
        word: word.to_owned(),
    };
    let (name, values) = word.split_once('=').ok_or_else(wrong)?;
    let (soft, hard) = values.split_once(':').unwrap_or((values, values));
    let number = |text: &str| text.parse::<i64>().map_err(|_| wrong());
    if name.is_empty() {
        return Err(wrong());
    }
    Ok(format!("{name}={}:{}", number(soft)?, number(hard)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words() {
        let words = |add: &[&str], ulimits: &[&str]| RunWords {
            network: Some("none".to_owned()),
            add_hosts: add.iter().map(ToString::to_string).collect(),
            shm_size: Some("64m".to_owned()),
            ulimits: ulimits.iter().map(ToString::to_string).collect(),
            cgroup_parent: None,
        };
        let options =
            RunOptions::from_words(&words(&["DB=10.0.0.1", "x:::1"], &["nofile=1024"])).unwrap();
        assert_eq!(options.hosts, ["db", "x"]);
        assert_eq!(options.shm_size, 64 << 20);
        assert_eq!(options.ulimits, ["nofile=1024:1024"]);
        for (word, code) in [("db", "bad-host"), ("=1.1.1.1", "bad-host")] {
            let error = RunOptions::from_words(&words(&[word], &[])).unwrap_err();
            assert_eq!(error.code(), code);
        }
        for word in ["nofile", "=1", "nofile=x", "nofile=1:"] {
            let error = RunOptions::from_words(&words(&[], &[word])).unwrap_err();
            assert_eq!(error.code(), "bad-ulimit");
        }
        for word in ["", "x", "1t", "0", "99999999999999999999"] {
            assert_eq!(bytes(word).unwrap_err().code(), "bad-size", "{word}");
        }
        assert_eq!(network("bridge").unwrap_err().code(), "unknown-network");
    }
}
