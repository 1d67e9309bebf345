//! npm's lock file, versions 2 and 3: which packages `npm ci` installs, and where.

use serde::{Deserialize, Serialize};

use super::lock::{LockError, bounded};
use std::collections::BTreeMap;

/// What a lock file of npm, yarn, pnpm or bun installs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PackageLock {
    /// The version of the lock file: 2 or 3 for npm.
    pub version: u32,
    /// The packages below `node_modules`, in the order of their paths.
    pub packages: Vec<LockedPackage>,
}

/// One package of a lock file.
#[expect(
    clippy::struct_excessive_bools,
    reason = "npm's own flags, each true or absent"
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LockedPackage {
    /// The name, `@scope/name` where it has a scope.
    pub name: String,
    /// The version; empty for a link to a folder of the project.
    pub version: String,
    /// Where it is installed, relative to the project: `node_modules/a/node_modules/b`.
    pub path: String,
    /// Only needed for development: left out by `--omit=dev`.
    pub dev: bool,
    /// Optional: left out by `--omit=optional`, and where it does not fit the platform.
    pub optional: bool,
    /// Only needed by a development or an optional package.
    pub dev_optional: bool,
    /// Only a peer.
    pub peer: bool,
    /// A symbolic link to a folder of the project (a workspace).
    pub link: bool,
    /// It runs a script on installation, and may compile or download.
    pub install_script: bool,
    /// Operating systems it is for; empty: all. `!win32` excludes one.
    pub os: Vec<String>,
    /// Processors it is for; empty: all.
    pub cpu: Vec<String>,
    /// C libraries it is for (`glibc`, `musl`); empty: all.
    pub libc: Vec<String>,
}

impl LockedPackage {
    /// A package for every platform, needed by the application itself.
    pub(super) fn named(name: &str, version: &str) -> Self {
        Self {
            name: name.to_owned(),
            version: version.to_owned(),
            path: format!("node_modules/{name}"),
            dev: false,
            optional: false,
            dev_optional: false,
            peer: false,
            link: false,
            install_script: false,
            os: Vec::new(),
            cpu: Vec::new(),
            libc: Vec::new(),
        }
    }

    /// Whether npm installs it on Linux with this processor (`x64`, `arm64`) and C library (`glibc`, `musl`).
    pub fn fits_linux(&self, cpu: &str, libc: &str) -> bool {
        allows(&self.os, "linux") && allows(&self.cpu, cpu) && allows(&self.libc, libc)
    }
}

fn allows(list: &[String], value: &str) -> bool {
    let excluded = list.iter().any(|one| one.strip_prefix('!') == Some(value));
    let named = list.iter().any(|one| one == value || one == "any");
    let only_exclusions = list.iter().all(|one| one.starts_with('!'));
    !excluded && (named || only_exclusions)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct File {
    #[serde(default)]
    lockfile_version: u32,
    #[serde(default)]
    packages: BTreeMap<String, Entry>,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "npm's own flags, each true or absent"
)]
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Entry {
    name: Option<String>,
    version: String,
    dev: bool,
    optional: bool,
    dev_optional: bool,
    peer: bool,
    link: bool,
    has_install_script: bool,
    os: OneOrMore,
    cpu: OneOrMore,
    libc: OneOrMore,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

impl Default for OneOrMore {
    fn default() -> Self {
        Self::More(Vec::new())
    }
}

impl From<OneOrMore> for Vec<String> {
    fn from(list: OneOrMore) -> Self {
        match list {
            OneOrMore::One(one) => vec![one],
            OneOrMore::More(more) => more,
        }
    }
}

impl PackageLock {
    /// Reads a lock file.
    pub fn read(text: &str) -> Result<Self, LockError> {
        let file: File = serde_json::from_str(bounded(text)?).map_err(LockError::malformed)?;
        if !matches!(file.lockfile_version, 2 | 3) {
            return Err(LockError::version(
                file.lockfile_version,
                "versions 2 and 3 of package-lock.json are",
            ));
        }
        let packages = file.packages.into_iter().filter_map(|(path, entry)| {
            // The project itself and its workspaces are not below `node_modules`.
            let (_, name) = path.rsplit_once("node_modules/")?;
            Some(LockedPackage {
                name: entry.name.unwrap_or_else(|| name.to_owned()),
                version: entry.version,
                dev: entry.dev,
                optional: entry.optional,
                dev_optional: entry.dev_optional,
                peer: entry.peer,
                link: entry.link,
                install_script: entry.has_install_script,
                os: entry.os.into(),
                cpu: entry.cpu.into(),
                libc: entry.libc.into(),
                path,
            })
        });
        Ok(Self {
            version: file.lockfile_version,
            packages: packages.collect(),
        })
    }

    /// What an installation on Linux brings: links and packages for other platforms left out, development packages on request.
    pub fn on_linux<'l>(
        &'l self,
        cpu: &'l str,
        libc: &'l str,
        dev: bool,
    ) -> impl Iterator<Item = &'l LockedPackage> {
        self.packages
            .iter()
            .filter(move |one| !one.link && (dev || !one.dev) && one.fits_linux(cpu, libc))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = r#"{
      "name": "app", "lockfileVersion": 3,
      "packages": {
        "": { "name": "app", "dependencies": { "a": "^1.0.0" } },
        "packages/own": { "version": "1.0.0" },
        "node_modules/own": { "resolved": "packages/own", "link": true },
        "node_modules/a": { "version": "1.2.3", "hasInstallScript": true },
        "node_modules/a/node_modules/@s/b": { "version": "2.0.0" },
        "node_modules/tool": { "version": "3.0.0", "dev": true },
        "node_modules/c-musl": { "name": "c", "version": "4.0.0", "optional": true, "os": ["linux"], "cpu": ["x64"], "libc": "musl" },
        "node_modules/d": { "version": "5.0.0", "os": ["!win32"] },
        "node_modules/e": { "version": "6.0.0", "optional": true, "os": ["darwin"] }
      }
    }"#;

    #[test]
    fn names_versions_flags() {
        let lock = PackageLock::read(LOCK).expect("valid");
        assert_eq!((lock.version, lock.packages.len()), (3, 7));
        let names = |dev, libc| -> Vec<&str> {
            lock.on_linux("x64", libc, dev)
                .map(|one| one.name.as_str())
                .collect()
        };
        assert_eq!(names(false, "glibc"), ["a", "@s/b", "d"]);
        assert_eq!(names(true, "musl"), ["a", "@s/b", "c", "d", "tool"]);
        let a = lock
            .packages
            .iter()
            .find(|one| one.name == "a")
            .expect("listed");
        assert!(a.install_script && a.version == "1.2.3");
    }

    #[test]
    fn broken_files_are_errors() {
        for text in [
            "",
            "{",
            "{\"lockfileVersion\": \"x\"}",
            "{\"lockfileVersion\": 3, \"packages\": {\"node_modules/a\": 1}}",
        ] {
            assert_eq!(
                PackageLock::read(text).expect_err(text).code(),
                "malformed-lock-file"
            );
        }
        for text in [
            "{}",
            "[]",
            "{\"lockfileVersion\": 1}",
            "{\"lockfileVersion\": 4}",
        ] {
            assert_eq!(
                PackageLock::read(text).expect_err(text).code(),
                "unknown-lock-file-version"
            );
        }
        let deep = "[".repeat(100_000);
        assert!(PackageLock::read(&deep).is_err());
    }
}
