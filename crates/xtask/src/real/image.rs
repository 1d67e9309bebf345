//! An image that BuildKit made: its layers and configuration, its root file system, the packages in it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use stagewright::facts::normalize_name;

use crate::Failure;
use crate::process::{capture, root};

/// What stands in an OCI archive, as `tests/real/measure_build.py` says it.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Image {
    pub(super) config: Map<String, Value>,
    pub(super) layers: Vec<Layer>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Layer {
    pub(super) instruction: String,
    pub(super) bytes: u64,
    pub(super) gzip: u64,
    pub(super) files: u64,
    pub(super) kinds: Map<String, Value>,
}

impl Layer {
    /// Bytes of the caches of package managers.
    pub(super) fn cache(&self) -> u64 {
        self.kinds
            .get("cache")
            .and_then(Value::as_u64)
            .unwrap_or_default()
    }
}

/// What of a configuration says how the image behaves.
const BEHAVIOUR: [&str; 11] = [
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "Labels",
    "Shell",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
];

impl Image {
    /// Reads the configuration and all layers, or so many of the topmost.
    pub(super) fn read(archive: &Path, last: Option<usize>) -> Result<Self, Failure> {
        let mut command = Command::new("python3");
        command
            .arg(root().join("tests/real/measure_build.py"))
            .arg("--archive")
            .arg(archive);
        if let Some(last) = last {
            command.args(["--last", &last.to_string()]);
        }
        Ok(serde_json::from_str(&capture(&mut command)?)?)
    }

    /// The parts of the configuration that are not the same in another image.
    pub(super) fn differences(&self, other: &Self) -> Vec<String> {
        BEHAVIOUR
            .into_iter()
            .filter(|key| self.config.get(*key) != other.config.get(*key))
            .map(str::to_owned)
            .collect()
    }

    /// The list of words under a key; empty where there is none.
    pub(super) fn words(&self, key: &str) -> Vec<String> {
        let words = self.config.get(key).and_then(Value::as_array);
        words
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    /// The text under a key.
    pub(super) fn text(&self, key: &str) -> &str {
        self.config
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
    }
}

/// The installed packages of a root file system: Python's by the folder of their metadata, npm's by their `package.json`. What an
/// interpreter's own image brings along to install with is not among them, with what that alone needs, nor is the project, which answers
/// its check itself.
pub(super) fn packages(root: &Path) -> Result<BTreeSet<String>, Failure> {
    let mut found = Found::default();
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        // A distribution's own packages are those of the base.
        if path.ends_with("usr") {
            walk(&path.join("local/lib"), &mut found)?;
            walk(&path.join("src"), &mut found)?;
        } else if path.is_dir()
            && !["proc", "sys", "dev", "var", "lib"]
                .iter()
                .any(|name| path.ends_with(name))
        {
            walk(&path, &mut found)?;
        }
    }
    let Found {
        mut packages,
        of_installers,
        of_others,
    } = found;
    packages.retain(|package| {
        let name = normalize_name(package.rsplit_once('-').map_or("", |(name, _)| name));
        !of_installers.contains(&name) || of_others.contains(&name)
    });
    Ok(packages)
}

#[derive(Default)]
struct Found {
    packages: BTreeSet<String>,
    /// Python packages that pip, setuptools and wheel need.
    of_installers: BTreeSet<String>,
    /// Python packages that others need or that were asked for.
    of_others: BTreeSet<String>,
}

impl Found {
    /// Takes a Python package by the folder of its metadata.
    fn python(&mut self, package: &str, metadata: &Path) {
        let package = package.split("-py3").next().unwrap_or(package);
        // Without a version it is what a build wrote beside the sources.
        let Some((name, _)) = package.split_once('-') else {
            return;
        };
        let is_installer = matches!(name, "pip" | "setuptools" | "wheel");
        let text = fs::read_to_string(metadata.join("METADATA")).unwrap_or_default();
        let needs = text
            .lines()
            .filter_map(|line| line.strip_prefix("Requires-Dist: "))
            .filter(|need| !need.contains("extra =="))
            .map(|need| {
                let end = |letter: char| !(letter.is_alphanumeric() || "-_.".contains(letter));
                normalize_name(need.split(end).next().unwrap_or_default())
            });
        if is_installer {
            self.of_installers.extend(needs);
            return;
        }
        self.of_others.extend(needs);
        if metadata.join("REQUESTED").is_file() {
            self.of_others.insert(normalize_name(name));
        }
        if !is_of_the_project(metadata) {
            self.packages.insert(package.to_owned());
        }
    }
}

fn walk(folder: &Path, found: &mut Found) -> Result<(), Failure> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(());
    };
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = entry.path();
        if let Some(package) = name
            .strip_suffix(".dist-info")
            .or_else(|| name.strip_suffix(".egg-info"))
        {
            if !is_carried(folder) {
                found.python(package, &path);
            }
        } else if entry.file_type()?.is_dir()
            && !path.ends_with("lib/node_modules/npm")
            && !path.ends_with("lib/node_modules/corepack")
        {
            walk(&path, found)?;
        } else if name == "package.json" && is_package(folder) {
            found.packages.extend(npm(&path));
        }
    }
    Ok(())
}

/// Whether packages in a folder are no installed ones: another package carries them inside itself (`setuptools/_vendor`).
fn is_carried(folder: &Path) -> bool {
    let mut packages = folder.ancestors().take(2);
    packages.any(|package| package.join("__init__.py").is_file())
}

/// Whether a Python package was installed from a folder, as its metadata says (PEP 610): a copy of the project, or a link to it.
fn is_of_the_project(metadata: &Path) -> bool {
    let text = fs::read_to_string(metadata.join("direct_url.json"));
    let url: Value = text
        .ok()
        .and_then(|text| serde_json::from_str(&text).ok())
        .unwrap_or_default();
    url.get("dir_info").is_some()
}

/// Whether a folder is `node_modules/NAME` or `node_modules/@SCOPE/NAME`.
fn is_package(folder: &Path) -> bool {
    let parent = folder.parent();
    let is = |path: Option<&Path>| path.is_some_and(|path| path.ends_with("node_modules"));
    is(parent) || is(parent.and_then(Path::parent)) && scoped(parent)
}

fn scoped(folder: Option<&Path>) -> bool {
    folder
        .and_then(Path::file_name)
        .is_some_and(|name| name.to_string_lossy().starts_with('@'))
}

fn npm(manifest: &Path) -> Option<String> {
    let manifest: Value = serde_json::from_str(&fs::read_to_string(manifest).ok()?).ok()?;
    let (name, version) = (manifest["name"].as_str()?, manifest["version"].as_str()?);
    Some(format!("{name}@{version}"))
}

/// Unpacks a tar archive into a new folder, with owners and modes.
pub(super) fn unpack(archive: &Path, folder: &Path) -> Result<PathBuf, Failure> {
    fs::create_dir_all(folder)?;
    let mut command = Command::new("tar");
    command
        .args(["--extract", "--preserve-permissions", "--numeric-owner"])
        .arg("--file")
        .arg(archive)
        .arg("--directory")
        .arg(folder);
    capture(&mut command)?;
    Ok(folder.to_owned())
}
