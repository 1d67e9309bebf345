//! Which index and registry the user has configured, as pip and npm find it out.

use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::OnlineError;
use super::address::Address;

/// The largest configuration that is read.
const LARGEST: u64 = 1 << 20;

fn variable(names: &[&str]) -> Option<String> {
    let values = names.iter().filter_map(|name| env::var(name).ok());
    values
        .map(|value| value.trim().to_owned())
        .find(|value| !value.is_empty())
}

fn text(path: &Path) -> Option<String> {
    let metadata = fs::metadata(path).ok()?;
    (metadata.is_file() && metadata.len() <= LARGEST).then(|| fs::read_to_string(path).ok())?
}

fn home() -> Option<PathBuf> {
    variable(&["HOME", "USERPROFILE"]).map(PathBuf::from)
}

/// The indexes of pip: what the caller says, else variables, else its configuration, else what pip itself says.
pub(super) fn indexes(named: Option<&str>, extra: &[String]) -> Result<Vec<Address>, OnlineError> {
    let (first, mut more) = if let Some(named) = named {
        (named.to_owned(), String::new())
    } else {
        let files = pip_files();
        let of_files = |key| files.iter().rev().find_map(|text| value(text, key));
        let first = variable(&["PIP_INDEX_URL"])
            .or_else(|| of_files("index-url"))
            .or_else(pips_own)
            .ok_or(OnlineError::Unconfigured {
                what: "package index",
                how: "`--index`, `PIP_INDEX_URL` or `index-url` in `pip.conf`",
            })?;
        let more = variable(&["PIP_EXTRA_INDEX_URL"]).or_else(|| of_files("extra-index-url"));
        (first, more.unwrap_or_default())
    };
    for one in extra {
        more.push(' ');
        more.push_str(one);
    }
    let texts = std::iter::once(&*first).chain(more.split_whitespace());
    texts.map(Address::parse).collect()
}

/// The configuration files of pip, the one that counts least first (`configuration.py` of pip).
fn pip_files() -> Vec<String> {
    let mut paths = vec![PathBuf::from("/etc/pip.conf")];
    if let Some(home) = home() {
        paths.push(home.join(".pip/pip.conf"));
        let own =
            variable(&["XDG_CONFIG_HOME"]).map_or_else(|| home.join(".config"), PathBuf::from);
        paths.push(own.join("pip/pip.conf"));
    }
    paths.extend(variable(&["VIRTUAL_ENV"]).map(|folder| Path::new(&folder).join("pip.conf")));
    paths.extend(variable(&["PIP_CONFIG_FILE"]).map(PathBuf::from));
    paths.iter().filter_map(|path| text(path)).collect()
}

/// A value of an INI file, of the sections that `pip download` reads; lines that are indented go on.
fn value(file: &str, key: &str) -> Option<String> {
    let (mut section, mut found, mut inside) = (String::new(), None::<String>, false);
    for line in file.lines() {
        let content = line.split(" #").next().unwrap_or_default().trim();
        if content.is_empty() || content.starts_with(['#', ';']) {
            continue;
        }
        if line.starts_with([' ', '\t']) && inside {
            let so_far = found.get_or_insert_default();
            so_far.push(' ');
            so_far.push_str(content);
        } else if let Some(name) = content
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
        {
            name.clone_into(&mut section);
            inside = false;
        } else if let Some((name, value)) = content.split_once(['=', ':']) {
            inside = matches!(&*section, "global" | "install" | "download")
                && name.trim().replace('_', "-") == key;
            if inside {
                found = Some(value.trim().to_owned());
            }
        }
    }
    found
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

/// What pip takes when nothing is configured stands in its help: `Base URL of the Python Package Index (default …)`.
fn pips_own() -> Option<String> {
    let words: [&[&str]; 3] = [&["pip"], &["python3", "-m", "pip"], &["pip3"]];
    let help = words
        .iter()
        .find_map(|words| output(words[0], &[&words[1..], &["install", "--help"]].concat()))?;
    of_help(&help)
}

fn of_help(help: &str) -> Option<String> {
    let option = &help[help.find("--index-url")?..];
    let value = &option[option.find("(default")? + "(default".len()..];
    value.split(')').next().map(|value| value.trim().to_owned())
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    output
        .status
        .success()
        .then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The registries of npm: one for all, some for scopes, and what to show them.
#[derive(Debug, Default)]
pub(super) struct Registries {
    default: Option<Address>,
    scopes: BTreeMap<String, Address>,
    /// Tokens by host and path: `//host/path/`.
    tokens: BTreeMap<String, String>,
}

impl Registries {
    /// What the caller says, else variables, else `.npmrc` of the project and of the user, else what npm itself says.
    pub(super) fn read(named: Option<&str>, project: Option<&Path>) -> Result<Self, OnlineError> {
        let mut registries = Self::default();
        let of = |folder: Option<&Path>| text(&folder?.join(".npmrc"));
        if let Some(file) = of(home().as_deref()) {
            registries.add(&file, true)?;
        }
        if let Some(file) = of(project) {
            registries.add(&file, false)?;
        }
        let named = named
            .map(str::to_owned)
            .or_else(|| variable(&["npm_config_registry", "NPM_CONFIG_REGISTRY"]));
        if let Some(named) = named {
            registries.default = Some(Address::parse(&named)?);
        }
        if registries.default.is_none() {
            let own = output("npm", &["config", "get", "registry"]);
            registries.default = own.map(|own| Address::parse(own.trim())).transpose()?;
        }
        Ok(registries)
    }

    /// Reads an `.npmrc`. What a project says is not believed beyond the registries: it shows no secrets of the user to anybody.
    fn add(&mut self, npmrc: &str, own: bool) -> Result<(), OnlineError> {
        for line in npmrc
            .lines()
            .map(str::trim)
            .filter(|line| !line.starts_with(['#', ';']))
        {
            let Some((key, value)) = line.split_once('=') else {
                continue;
            };
            let (key, value) = (key.trim(), value.trim().trim_matches('"'));
            let value = if own {
                expanded(value)
            } else {
                value.to_owned()
            };
            if key == "registry" {
                self.default = Some(Address::parse(&value)?);
            } else if let Some(scope) = key
                .strip_suffix(":registry")
                .filter(|scope| scope.starts_with('@'))
            {
                self.scopes
                    .insert(scope.to_owned(), Address::parse(&value)?);
            } else if let Some(place) = key.strip_suffix(":_authToken").filter(|_| own) {
                self.tokens
                    .insert(place.trim_end_matches('/').to_owned(), value);
            }
        }
        Ok(())
    }

    /// Where to ask for a package, and what to show there.
    pub(super) fn of(&self, package: &str) -> Result<(Address, Option<String>), OnlineError> {
        let scope = package.split_once('/').map_or("", |(scope, _)| scope);
        let registry =
            self.scopes
                .get(scope)
                .or(self.default.as_ref())
                .ok_or(OnlineError::Unconfigured {
                    what: "package registry",
                    how: "`--npm-registry`, `npm_config_registry` or `registry` in `.npmrc`",
                })?;
        let place = format!("//{}{}", registry.host, registry.path);
        let place = place.trim_end_matches('/');
        let token = self.tokens.iter().find(|(at, _)| {
            place
                .strip_prefix(at.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        let authorization = token
            .map(|(_, token)| format!("Bearer {token}"))
            .or_else(|| registry.authorization());
        Ok((registry.clone(), authorization))
    }
}

/// `${NAME}` of `.npmrc`.
fn expanded(value: &str) -> String {
    let mut text = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once("${") {
        text.push_str(before);
        let Some((name, after)) = after.split_once('}') else {
            return text + "${" + after;
        };
        text.push_str(&env::var(name).unwrap_or_default());
        rest = after;
    }
    text + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_pip_is_told() {
        let file = "[global]\ntimeout = 3\nindex_url = https://a.test/simple\nextra-index-url =\n    https://b.test/simple\n    https://c.test/simple\n[list]\nindex-url = https://no.test\n";
        assert_eq!(
            value(file, "index-url").as_deref(),
            Some("https://a.test/simple")
        );
        assert_eq!(
            value(file, "extra-index-url").as_deref(),
            Some("https://b.test/simple https://c.test/simple")
        );
        assert_eq!(value(file, "cert"), None);
        let help = "  -i, --index-url <url>       Base URL of the Python Package Index (default\n                              https://own.test/simple). This should";
        assert_eq!(of_help(help).as_deref(), Some("https://own.test/simple"));
        assert_eq!(of_help("nothing"), None);
    }

    #[test]
    fn what_npm_is_told() {
        let mut registries = Registries::default();
        registries
            .add(
                "; ours\nregistry = https://a.test/npm/\n@team:registry=https://b.test/\n//a.test/npm/:_authToken=secret\nnonsense\n",
                true,
            )
            .unwrap();
        let (address, authorization) = registries.of("express").unwrap();
        assert_eq!(address.shown(), "https://a.test/npm/");
        assert_eq!(authorization.as_deref(), Some("Bearer secret"));
        let (address, authorization) = registries.of("@team/x").unwrap();
        assert_eq!(
            (address.shown().as_str(), authorization),
            ("https://b.test/", None)
        );
        assert_eq!(registries.of("@other/x").unwrap().0.host, "a.test");
        assert_eq!(
            Registries::default().of("x").unwrap_err().code(),
            "online-unconfigured"
        );
        assert!(registries.add("registry = nowhere", true).is_err());
        assert_eq!(expanded("a${STAGEWRIGHT_NO_SUCH_VARIABLE}b${c"), "ab${c");
    }
}
