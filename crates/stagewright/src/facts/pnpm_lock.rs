//! `pnpm-lock.yaml`, versions 5 to 9.

use std::collections::BTreeMap;

use super::lock::{LockError, bounded};
use super::lock_lines::{self, Entry};
use super::package_lock::{LockedPackage, PackageLock};
use super::yarn_lock::{Graph, name_of};

impl PackageLock {
    /// Reads a `pnpm-lock.yaml`. [`Self::version`] is the first number of `lockfileVersion`.
    pub fn read_pnpm(text: &str) -> Result<Self, LockError> {
        let root = lock_lines::read(bounded(text)?, true)?;
        let found = root.text("lockfileVersion");
        let number = found
            .split('.')
            .next()
            .unwrap_or_default()
            .parse::<u32>()
            .ok();
        let version = number
            .filter(|version| matches!(version, 5 | 6 | 9))
            .ok_or_else(|| {
                LockError::version(found, "versions 5, 6 and 9 of pnpm-lock.yaml are")
            })?;
        let mut graph = Graph::default();
        let mut snapshots: BTreeMap<&str, Vec<&Entry<'_>>> = BTreeMap::new();
        for entry in root
            .get("snapshots")
            .into_iter()
            .flat_map(|list| &list.below)
        {
            snapshots
                .entry(without_peers(&entry.key))
                .or_default()
                .push(entry);
        }
        for entry in root
            .get("packages")
            .into_iter()
            .flat_map(|list| &list.below)
        {
            let key = without_peers(entry.key.strip_prefix('/').unwrap_or(&entry.key));
            let (name, package_version) = parted(key, version);
            let package = LockedPackage {
                os: entry.list("os"),
                cpu: entry.list("cpu"),
                libc: entry.list("libc"),
                optional: entry.text("optional") == "true",
                dev: entry.text("dev") == "true",
                install_script: entry.text("requiresBuild") == "true",
                ..LockedPackage::named(name, package_version)
            };
            // Peers make several of one package in the graph, and one on the disk.
            let instances = snapshots.get(key).into_iter().flatten().copied();
            let lists = instances
                .chain((version < 9).then_some(entry))
                .flat_map(needs)
                .collect();
            let node = graph.add(package, lists);
            graph
                .known
                .insert(format!("{name}@{package_version}"), node);
        }
        // Before version 9 each package says whether it is for development.
        if version == 9 {
            let roots = root
                .get("importers")
                .into_iter()
                .flat_map(|list| &list.below)
                .flat_map(|importer| {
                    ["dependencies", "optionalDependencies"].map(|key| importer.get(key))
                })
                .flatten()
                .flat_map(|list| &list.below)
                .map(|need| key_of(&need.key, need.text("version")))
                .collect();
            graph.mark_from(roots);
        }
        Ok(Self {
            version,
            packages: graph.packages(),
        })
    }
}

fn needs(entry: &Entry<'_>) -> Vec<String> {
    ["dependencies", "optionalDependencies"]
        .iter()
        .filter_map(|key| entry.get(key))
        .flat_map(|list| &list.below)
        .map(|need| key_of(&need.key, need.value))
        .collect()
}

/// The key of what a dependency resolves to: a version, or `other-name@version`.
fn key_of(name: &str, version: &str) -> String {
    let version = without_peers(version);
    if version.get(1..).is_some_and(|rest| rest.contains('@')) {
        version.to_owned()
    } else {
        format!("{name}@{version}")
    }
}

/// `a@1.0.0(b@2.0.0)` and `a@1.0.0_b@2.0.0`: without the peers behind the version.
fn without_peers(key: &str) -> &str {
    key.split('(').next().unwrap_or(key)
}

/// Name and version: `a@1.0.0`, and `a/1.0.0` before version 6.
fn parted(key: &str, version: u32) -> (&str, &str) {
    if version == 5 {
        let (name, version) = key.rsplit_once('/').unwrap_or((key, ""));
        return (name, version.split('_').next().unwrap_or(version));
    }
    let name = name_of(key);
    (name, key[name.len()..].trim_start_matches('@'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(lock: &PackageLock, dev: bool) -> Vec<String> {
        lock.on_linux("x64", "glibc", dev)
            .map(|one| format!("{} {}", one.name, one.version))
            .collect()
    }

    #[test]
    fn version_9() {
        let text = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    dependencies:\n      a:\n        specifier: ^1.0.0\n        version: 1.2.0(p@5.0.0)\n    devDependencies:\n      t:\n        specifier: ^3\n        version: 3.0.0\n\npackages:\n\n  '@s/b@2.1.0':\n    resolution: {integrity: sha512-x==}\n\n  a@1.2.0:\n    resolution: {integrity: sha512-x==}\n    peerDependencies:\n      p: '*'\n\n  c@1.0.0:\n    resolution: {integrity: sha512-x==}\n    cpu: [arm64]\n    os: [darwin]\n\n  t@3.0.0:\n    resolution: {integrity: sha512-x==}\n\nsnapshots:\n\n  '@s/b@2.1.0': {}\n\n  a@1.2.0(p@5.0.0):\n    dependencies:\n      '@s/b': 2.1.0\n    optionalDependencies:\n      c: 1.0.0\n\n  c@1.0.0:\n    optional: true\n\n  t@3.0.0: {}\n";
        let lock = PackageLock::read_pnpm(text).expect("valid");
        assert_eq!(names(&lock, false), ["@s/b 2.1.0", "a 1.2.0"]);
        assert_eq!(names(&lock, true), ["@s/b 2.1.0", "a 1.2.0", "t 3.0.0"]);
    }

    #[test]
    fn before_version_9() {
        let six = "lockfileVersion: '6.0'\n\npackages:\n\n  /@s/b@2.1.0:\n    resolution: {integrity: x}\n    dev: false\n\n  /t@3.0.0(p@1.0.0):\n    resolution: {integrity: x}\n    dev: true\n";
        assert_eq!(
            names(&PackageLock::read_pnpm(six).expect("valid"), false),
            ["@s/b 2.1.0"]
        );
        let five = "lockfileVersion: 5.4\n\npackages:\n\n  /@s/b/2.1.0_p@1.0.0:\n    resolution: {integrity: x}\n    dev: false\n";
        assert_eq!(
            names(&PackageLock::read_pnpm(five).expect("valid"), true),
            ["@s/b 2.1.0"]
        );
    }

    #[test]
    fn others_are_errors() {
        let error = PackageLock::read_pnpm("lockfileVersion: '12.0'\n").expect_err("later");
        assert_eq!(error.code(), "unknown-lock-file-version");
        assert_eq!(
            PackageLock::read_pnpm("lockfileVersion\n")
                .expect_err("broken")
                .code(),
            "malformed-lock-file"
        );
    }
}
