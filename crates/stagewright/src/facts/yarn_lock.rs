//! `yarn.lock`, of yarn 1 and of yarn 2 and later.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::lock::{LockError, bounded};
use super::lock_lines::{self, Entry};
use super::package_lock::{LockedPackage, PackageLock};

/// Versions of the file that yarn 2, 3 and 4 write.
const VERSIONS: std::ops::RangeInclusive<u32> = 4..=8;

impl PackageLock {
    /// Reads a `yarn.lock`. Which packages only development needs follows from `manifest`, the text of `package.json`; without it all
    /// count as needed. [`Self::version`] is 1 for yarn 1, else that of `__metadata`.
    pub fn read_yarn(text: &str, manifest: Option<&str>) -> Result<Self, LockError> {
        let text = bounded(text)?;
        let later = text.contains("\n__metadata:") || text.starts_with("__metadata:");
        let root = lock_lines::read(text, later)?;
        let version = if later {
            let found = root
                .get("__metadata")
                .map_or("", |metadata| metadata.text("version"));
            let number = found
                .parse()
                .ok()
                .filter(|version| VERSIONS.contains(version));
            number.ok_or_else(|| {
                LockError::version(found, "versions 1 and 4 to 8 of yarn.lock are")
            })?
        } else {
            1
        };
        let mut graph = Graph::default();
        for entry in root.below.iter().filter(|entry| entry.key != "__metadata") {
            let resolution = entry.text("resolution");
            let local = ["@workspace:", "@link:", "@portal:", "@file:"]
                .iter()
                .any(|mark| resolution.contains(mark));
            let names: Vec<&str> = entry
                .key
                .split(", ")
                .map(|name| name.trim_matches('"'))
                .collect();
            let name = if later {
                name_of(resolution)
            } else {
                name_of(names.first().copied().unwrap_or_default())
            };
            if name.is_empty() {
                continue;
            }
            let conditions = entry.text("conditions");
            let node = graph.add(
                package(name, entry.text("version"), conditions, local),
                needs(entry),
            );
            for key in names {
                graph.known.insert(plain(key), node);
            }
        }
        graph.mark(manifest);
        Ok(Self {
            version,
            packages: graph.packages(),
        })
    }
}

/// The name in `name@range`, where a scope starts with `@` too.
pub(super) fn name_of(key: &str) -> &str {
    let at = key
        .get(1..)
        .and_then(|rest| rest.find('@'))
        .map(|at| at + 1);
    at.map_or(key, |at| &key[..at])
}

/// `a@npm:^1` and `a@^1` are one range: manifests write the second.
fn plain(key: &str) -> String {
    key.replacen("@npm:", "@", 1)
}

fn needs(entry: &Entry<'_>) -> Vec<String> {
    ["dependencies", "optionalDependencies"]
        .iter()
        .filter_map(|key| entry.get(key))
        .flat_map(|list| &list.below)
        .map(|need| plain(&format!("{}@{}", need.key, need.value)))
        .collect()
}

fn package(name: &str, version: &str, conditions: &str, local: bool) -> LockedPackage {
    let of = |key: &str| -> Vec<String> {
        conditions
            .split(['&', '|', '(', ')'])
            .filter_map(|one| one.trim().strip_prefix(key)?.strip_prefix('='))
            .map(str::to_owned)
            .collect()
    };
    LockedPackage {
        os: of("os"),
        cpu: of("cpu"),
        libc: of("libc"),
        link: local,
        ..LockedPackage::named(name, version)
    }
}

/// Packages and what they need, by keys of the lock file.
#[derive(Default)]
pub(super) struct Graph {
    nodes: Vec<(LockedPackage, Vec<String>)>,
    /// Keys to nodes.
    pub(super) known: BTreeMap<String, usize>,
}

impl Graph {
    pub(super) fn add(&mut self, package: LockedPackage, needs: Vec<String>) -> usize {
        self.nodes.push((package, needs));
        self.nodes.len() - 1
    }

    /// Marks what only development needs, by the dependencies of a manifest.
    fn mark(&mut self, manifest: Option<&str>) {
        let Some(manifest) =
            manifest.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok())
        else {
            return;
        };
        let roots: Vec<String> = ["dependencies", "optionalDependencies"]
            .iter()
            .filter_map(|key| manifest.get(key)?.as_object())
            .flatten()
            .map(|(name, range)| plain(&format!("{name}@{}", range.as_str().unwrap_or_default())))
            .collect();
        self.mark_from(roots);
    }

    /// Marks what these keys do not lead to.
    pub(super) fn mark_from(&mut self, roots: Vec<String>) {
        let mut open: VecDeque<String> = roots.into();
        let mut needed = BTreeSet::new();
        while let Some(key) = open.pop_front() {
            if let Some(&node) = self.known.get(&key)
                && needed.insert(node)
            {
                open.extend(self.nodes[node].1.iter().cloned());
            }
        }
        for (at, (package, _)) in self.nodes.iter_mut().enumerate() {
            package.dev = !needed.contains(&at);
        }
    }

    /// The packages in order of their paths; a second version of a name lies deeper.
    pub(super) fn packages(self) -> Vec<LockedPackage> {
        let mut packages: Vec<LockedPackage> =
            self.nodes.into_iter().map(|(package, _)| package).collect();
        packages.sort_by(|a, b| (&a.name, &a.version).cmp(&(&b.name, &b.version)));
        packages.dedup_by(|a, b| a.name == b.name && a.version == b.version);
        let mut last = String::new();
        for package in &mut packages {
            if package.name == last {
                package.path = format!("{}@{}", package.path, package.version);
            } else {
                last.clone_from(&package.name);
            }
        }
        packages
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANIFEST: &str = r#"{"dependencies":{"a":"^1.0.0"},"devDependencies":{"t":"^3.0.0"}}"#;

    fn names(lock: &PackageLock, dev: bool) -> Vec<String> {
        lock.on_linux("x64", "glibc", dev)
            .map(|one| format!("{} {}", one.name, one.version))
            .collect()
    }

    #[test]
    fn yarn_1() {
        let text = "# yarn lockfile v1\n\n\n\"@s/b@^2.0.0\":\n  version \"2.1.0\"\n  resolved \"https://files.invalid/b.tgz\"\n\na@^1.0.0:\n  version \"1.2.0\"\n  dependencies:\n    \"@s/b\" \"^2.0.0\"\n\nt@^3.0.0:\n  version \"3.0.0\"\n";
        let lock = PackageLock::read_yarn(text, Some(MANIFEST)).expect("valid");
        assert_eq!(names(&lock, false), ["@s/b 2.1.0", "a 1.2.0"]);
        assert_eq!(names(&lock, true).len(), 3);
        assert_eq!(
            names(&PackageLock::read_yarn(text, None).expect("valid"), false).len(),
            3
        );
    }

    #[test]
    fn yarn_4() {
        let text = "__metadata:\n  version: 8\n  cacheKey: 10\n\n\"a@npm:^1.0.0\":\n  version: 1.2.0\n  resolution: \"a@npm:1.2.0\"\n  dependencies:\n    c-linux: \"npm:1.0.0\"\n    c-mac: \"npm:1.0.0\"\n  languageName: node\n\n\"c-linux@npm:1.0.0\":\n  version: 1.0.0\n  resolution: \"c-linux@npm:1.0.0\"\n  conditions: os=linux & cpu=x64 & libc=glibc\n\n\"c-mac@npm:1.0.0\":\n  version: 1.0.0\n  resolution: \"c-mac@npm:1.0.0\"\n  conditions: os=darwin & cpu=arm64\n\n\"app@workspace:.\":\n  version: 0.0.0-use.local\n  resolution: \"app@workspace:.\"\n";
        let lock = PackageLock::read_yarn(text, Some(MANIFEST)).expect("valid");
        assert_eq!(
            (lock.version, names(&lock, false)),
            (8, vec!["a 1.2.0".to_owned(), "c-linux 1.0.0".to_owned()])
        );
        let error = PackageLock::read_yarn(&text.replace("version: 8", "version: 99"), None)
            .expect_err("later");
        assert_eq!(error.code(), "unknown-lock-file-version");
        let error = PackageLock::read_yarn("a b c\n d", None).expect_err("no key");
        assert_eq!(error.code(), "malformed-lock-file");
        assert!(PackageLock::read_yarn("{}", None).is_err());
    }
}
