//! npm's lock file, versions 2 and 3: which packages `npm ci` installs, and where.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::lock::{LockError, bounded};

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

/// What needs what.
#[derive(Deserialize)]
struct Tree<'t> {
    #[serde(borrow)]
    packages: BTreeMap<Cow<'t, str>, Needs<'t>>,
}

/// Names, and the range of versions of each.
type Names<'t> = BTreeMap<Cow<'t, str>, Cow<'t, str>>;

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Needs<'t> {
    #[serde(borrow)]
    name: Option<Cow<'t, str>>,
    /// Of a link the folder that it leads to.
    #[serde(borrow)]
    resolved: Option<Cow<'t, str>>,
    link: bool,
    #[serde(borrow)]
    dependencies: Names<'t>,
    #[serde(borrow)]
    optional_dependencies: Names<'t>,
    #[serde(borrow)]
    peer_dependencies: Names<'t>,
    #[serde(borrow)]
    dev_dependencies: Names<'t>,
}

impl Tree<'_> {
    /// The paths of all packages that are reached from workspaces.
    fn needed_by(&self, workspaces: &[String], dev: bool) -> BTreeSet<&str> {
        let is_named = |path: &str, needs: &Needs| {
            workspaces.iter().any(|workspace| {
                let folder = workspace.trim_start_matches("./").trim_end_matches('/');
                let below = path.strip_prefix(folder);
                needs.name.as_deref() == Some(workspace)
                    || path == folder
                    || below.is_some_and(|rest| !folder.is_empty() && rest.starts_with('/'))
            })
        };
        let roots = self
            .packages
            .iter()
            .filter(|(path, needs)| !path.contains("node_modules/") && is_named(path, needs));
        let mut open: Vec<&str> = roots.map(|(path, _)| &**path).collect();
        let mut found: BTreeSet<&str> = open.iter().copied().collect();
        while let Some(path) = open.pop() {
            let Some(needs) = self.packages.get(path) else {
                continue;
            };
            let own = dev && !path.contains("node_modules/");
            let names = needs
                .dependencies
                .keys()
                .chain(needs.optional_dependencies.keys())
                .chain(needs.peer_dependencies.keys())
                .chain(needs.dev_dependencies.keys().filter(|_| own));
            let resolved = names.filter_map(|name| self.resolve(path, name));
            let behind = needs.resolved.as_deref().filter(|_| needs.link);
            for next in resolved.chain(behind) {
                if found.insert(next) {
                    open.push(next);
                }
            }
        }
        found
    }

    /// The package that a name stands for in a folder: in its own `node_modules`, else in the nearest above (Node.js, "Loading from
    /// `node_modules` folders").
    fn resolve(&self, folder: &str, name: &str) -> Option<&str> {
        let mut above = Some(folder);
        while let Some(folder) = above {
            let slash = if folder.is_empty() { "" } else { "/" };
            let path = format!("{folder}{slash}node_modules/{name}");
            if let Some((path, _)) = self.packages.get_key_value(&*path) {
                return Some(path);
            }
            above = match folder.rsplit_once('/') {
                Some((parent, _)) => Some(parent),
                None if folder.is_empty() => None,
                None => Some(""),
            };
        }
        None
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

    /// As [`Self::read`], and only what workspaces need, named by their name or their folder; an empty folder is that of the project itself.
    /// Everything, where the file has none of them (npm's CLI documentation, `workspace`).
    pub fn read_workspaces(
        text: &str,
        workspaces: &[String],
        dev: bool,
    ) -> Result<Self, LockError> {
        let mut lock = Self::read(text)?;
        let tree: Tree = serde_json::from_str(text).map_err(LockError::malformed)?;
        let needed = tree.needed_by(workspaces, dev);
        if !needed.is_empty() {
            lock.packages
                .retain(|package| needed.contains(package.path.as_str()));
        }
        Ok(lock)
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
    fn what_workspaces_need() {
        let lock = r#"{ "lockfileVersion": 3, "packages": {
          "": { "name": "all", "workspaces": ["packages/*"], "devDependencies": { "lint": "1" } },
          "packages/api": { "name": "@m/api", "dependencies": { "@m/shared": "*", "low": "^3", "web": "^1" }, "devDependencies": { "test": "1" } },
          "packages/shared": { "name": "@m/shared", "dependencies": { "low": "^2" } },
          "packages/guide": { "name": "@m/guide", "dependencies": { "print": "^1" } },
          "packages/api/node_modules/low": { "version": "3.0.0" },
          "node_modules/@m/api": { "resolved": "packages/api", "link": true },
          "node_modules/@m/shared": { "resolved": "packages/shared", "link": true },
          "node_modules/@m/guide": { "resolved": "packages/guide", "link": true },
          "node_modules/lint": { "version": "1.0.0", "dev": true },
          "node_modules/low": { "version": "2.0.0" },
          "node_modules/print": { "version": "1.0.0", "dependencies": { "low": "^2" } },
          "node_modules/test": { "version": "1.0.0", "dev": true },
          "node_modules/web": { "version": "1.0.0", "peerDependencies": { "peer": "1" } },
          "node_modules/peer": { "version": "1.0.0", "dependencies": { "web": "1" } }
        } }"#;
        let names = |workspaces: &[&str], dev| -> Vec<String> {
            let workspaces: Vec<String> = workspaces.iter().map(|&one| one.to_owned()).collect();
            let lock = PackageLock::read_workspaces(lock, &workspaces, dev).expect("valid");
            let packages = lock.on_linux("x64", "glibc", dev);
            packages.map(|one| one.name.clone()).collect()
        };
        for api in ["@m/api", "packages/api", "./packages/api/"] {
            assert_eq!(names(&[api], false), ["low", "peer", "web", "low"], "{api}");
        }
        assert_eq!(
            names(&["packages/api"], true),
            ["low", "peer", "test", "web", "low"]
        );
        assert_eq!(names(&["@m/guide"], false), ["low", "print"]);
        assert_eq!(
            names(&["packages"], false),
            ["low", "peer", "print", "web", "low"]
        );
        assert_eq!(names(&[""], true), ["lint"]);
        // npm refuses an unknown workspace; nothing is known of what it would install.
        assert_eq!(names(&["nowhere"], false).len(), 5);
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
