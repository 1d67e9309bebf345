//! Lock files of Python's package managers: uv, PEP 751, poetry, pdm, pipenv.

mod listed;
mod needs;
mod poetry;
#[cfg(test)]
mod tests;
mod uv;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use super::distro::Libc;
use super::lock::{LockError, bounded};
use super::marker::{self, Interpreter};
use super::wheel::{Arch, WheelPlatform};

/// What a lock file of Python packages lists.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PythonLock {
    /// The packages, in the order of the file.
    pub packages: Vec<LockedPython>,
    /// Whether the file tells which packages are needed for what; else all are taken.
    pub grouped: bool,
}

/// One package of a lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LockedPython {
    /// The name, normalized (PEP 503).
    pub name: String,
    /// The version; empty for the project itself.
    pub version: String,
    /// The groups that need it: empty for the application itself, else `dev` and the like.
    pub groups: Vec<String>,
    /// The marker behind the package, where it has one.
    pub marker: Option<String>,
    /// A folder of the project or a repository: not from an index.
    pub local: bool,
    /// Its files: name and, where the file tells it, bytes.
    pub files: Vec<LockedFile>,
}

/// A wheel or a source archive of a lock file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LockedFile {
    /// The file's name.
    pub name: String,
    /// Its bytes.
    pub size: Option<u64>,
}

/// Which packages of a lock file an installation wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Wanted {
    /// What only development needs: the groups that the tool installs unless told not to.
    pub development: bool,
    /// Groups and extras by name.
    pub groups: Vec<String>,
    /// Every group and extra.
    pub all: bool,
}

impl LockedPython {
    /// The bytes of the file that fits a platform: a wheel made for it, a wheel for any, the source.
    pub fn download(&self, python: (u32, u32), platform: WheelPlatform) -> Option<(u64, FileKind)> {
        let mut best: Option<(u8, u64, FileKind)> = None;
        for file in &self.files {
            let Some(size) = file.size else { continue };
            let Some((rank, kind)) = rank(&file.name, python, platform) else {
                continue;
            };
            if best.is_none_or(|(other, _, _)| rank > other) {
                best = Some((rank, size, kind));
            }
        }
        best.map(|(_, size, kind)| (size, kind))
    }
}

/// What a file of a lock file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum FileKind {
    /// A wheel for any platform.
    Pure,
    /// A wheel for this platform.
    Native,
    /// The source.
    Source,
}

/// How well a file fits, by the tags in its name (PEP 425, 600, 656).
pub(crate) fn rank(
    name: &str,
    python: (u32, u32),
    platform: WheelPlatform,
) -> Option<(u8, FileKind)> {
    let Some(stem) = name.strip_suffix(".whl") else {
        let source = [".tar.gz", ".zip", ".tar.bz2"]
            .iter()
            .any(|end| name.ends_with(end));
        return source.then_some((1, FileKind::Source));
    };
    let mut tags = stem.rsplitn(4, '-');
    let (system, abi, interpreter) = (tags.next()?, tags.next()?, tags.next()?);
    let own = format!("cp{}{}", python.0, python.1);
    let any = format!("py{}", python.0);
    let interpreters: Vec<&str> = interpreter.split('.').collect();
    let stable = abi.split('.').any(|abi| abi == "abi3")
        && interpreters.iter().any(|tag| {
            let minor = tag
                .strip_prefix("cp3")
                .and_then(|minor| minor.parse::<u32>().ok());
            minor.is_some_and(|minor| (3, minor) <= python)
        });
    let fits = interpreters
        .iter()
        .any(|tag| *tag == own || tag.starts_with(&any))
        || stable;
    if !fits || (abi.ends_with('t') && abi.starts_with("cp")) {
        return None;
    }
    if system == "any" {
        return Some((2, FileKind::Pure));
    }
    let arch = match platform.arch {
        Arch::X86_64 => "x86_64",
        Arch::Aarch64 => "aarch64",
    };
    let libc = match platform.libc {
        Libc::Musl => "musllinux",
        _ => "manylinux",
    };
    let made = system.split('.').any(|tag| {
        (tag.starts_with(libc) || (tag.starts_with("linux_") && libc == "manylinux"))
            && tag.ends_with(arch)
    });
    made.then_some((if stable { 3 } else { 4 }, FileKind::Native))
}

impl PythonLock {
    /// Whether a file of this name is such a lock file.
    pub fn is_lock(name: &str) -> bool {
        matches!(
            name,
            "uv.lock" | "poetry.lock" | "pdm.lock" | "Pipfile.lock"
        ) || (name.starts_with("pylock.") && name.ends_with(".toml"))
    }

    /// Reads a lock file by its name: `uv.lock`, `pylock.toml` and `pylock.NAME.toml`, `poetry.lock`, `pdm.lock`, `Pipfile.lock`. Where
    /// the file does not tell what development needs (poetry before 2.0), `manifest`, the text of `pyproject.toml`, does.
    pub fn read(name: &str, text: &str, manifest: Option<&str>) -> Result<Self, LockError> {
        let text = bounded(text)?;
        if name == "Pipfile.lock" {
            return listed::pipfile(text);
        }
        let table: Table = text.parse().map_err(LockError::malformed)?;
        match name {
            "uv.lock" => uv::read(&table),
            "poetry.lock" => poetry::read(&table, manifest),
            "pdm.lock" => listed::pdm(&table),
            _ => listed::pylock(&table),
        }
    }

    /// What an installation brings: packages of the groups that are wanted, whose markers hold. One whose marker cannot be read is taken.
    pub fn select<'l>(
        &'l self,
        wanted: &'l Wanted,
        python: (u32, u32),
    ) -> impl Iterator<Item = &'l LockedPython> {
        self.packages.iter().filter(move |package| {
            let group = package.groups.is_empty()
                || wanted.all
                || package.groups.iter().any(|group| {
                    wanted.groups.contains(group) || (wanted.development && is_development(group))
                });
            let holds = package
                .marker
                .as_deref()
                .is_none_or(|marker| holds(marker, python));
            group && holds
        })
    }
}

fn is_development(group: &str) -> bool {
    // pdm installs every group for development and poetry every group that is not optional unless told not to; `develop` is pipenv's.
    matches!(
        group,
        "dev" | "develop" | "test" | "tests" | "lint" | "docs"
    )
}

fn holds(marker: &str, python: (u32, u32)) -> bool {
    marker::applies(marker, Interpreter { python }).unwrap_or(true)
}

fn text<'t>(table: &'t Table, key: &str) -> &'t str {
    table.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn tables<'t>(table: &'t Table, key: &str) -> impl Iterator<Item = &'t Table> {
    table
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_table)
}

fn file(table: &Table) -> LockedFile {
    let name = ["name", "file", "url", "path"]
        .iter()
        .map(|key| text(table, key))
        .find(|name| !name.is_empty())
        .unwrap_or_default();
    let name = name.split(['?', '#']).next().unwrap_or(name);
    LockedFile {
        name: name.rsplit('/').next().unwrap_or(name).to_owned(),
        size: table
            .get("size")
            .and_then(Value::as_integer)
            .and_then(|size| u64::try_from(size).ok()),
    }
}

fn files(package: &Table) -> Vec<LockedFile> {
    let sdist = package.get("sdist").and_then(Value::as_table);
    tables(package, "wheels").chain(sdist).map(file).collect()
}
