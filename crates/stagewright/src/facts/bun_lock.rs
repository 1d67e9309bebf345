//! `bun.lock`, the text lock file of bun.

use serde_json::Value;

use super::lock::{LockError, bounded};
use super::package_lock::{LockedPackage, PackageLock};
use super::yarn_lock::{Graph, name_of};

impl PackageLock {
    /// Reads a `bun.lock`: JSON with commas behind last members. [`Self::version`] is its `lockfileVersion`.
    pub fn read_bun(text: &str) -> Result<Self, LockError> {
        let text = without_trailing_commas(bounded(text)?);
        let lock: Value = serde_json::from_str(&text).map_err(LockError::malformed)?;
        let version = lock["lockfileVersion"].as_u64();
        let version = if let Some(version @ (0 | 1)) = version {
            u32::try_from(version).expect("0 or 1")
        } else {
            let found = version
                .map(|version| version.to_string())
                .unwrap_or_default();
            return Err(LockError::version(
                found,
                "versions 0 and 1 of bun.lock are",
            ));
        };
        let packages = lock["packages"].as_object();
        let mut graph = Graph::default();
        for (place, row) in packages.into_iter().flatten() {
            let resolved = row[0].as_str().unwrap_or_default();
            let name = name_of(resolved);
            let package_version = resolved[name.len()..].trim_start_matches('@');
            let about = row
                .as_array()
                .into_iter()
                .flatten()
                .find(|one| one.is_object())
                .unwrap_or(&Value::Null);
            let list = |key: &str| -> Vec<String> {
                match &about[key] {
                    Value::String(one) => vec![one.clone()],
                    Value::Array(more) => more
                        .iter()
                        .filter_map(Value::as_str)
                        .map(str::to_owned)
                        .collect(),
                    _ => Vec::new(),
                }
            };
            let needs = ["dependencies", "optionalDependencies"]
                .iter()
                .filter_map(|key| about[*key].as_object())
                .flatten()
                .map(|(need, _)| resolve(packages, place, need))
                .collect();
            let package = LockedPackage {
                os: list("os"),
                cpu: list("cpu"),
                libc: list("libc"),
                link: package_version.starts_with("workspace:")
                    || package_version.starts_with("link:"),
                ..LockedPackage::named(name, package_version)
            };
            let node = graph.add(package, needs);
            graph.known.insert(place.clone(), node);
        }
        let roots = lock["workspaces"]
            .as_object()
            .into_iter()
            .flatten()
            .flat_map(|(_, workspace)| {
                ["dependencies", "optionalDependencies"].map(|key| workspace[key].as_object())
            })
            .flatten()
            .flat_map(|list| list.keys().cloned())
            .collect();
        graph.mark_from(roots);
        Ok(Self {
            version,
            packages: graph.packages(),
        })
    }
}

/// Where a package finds what it needs: below itself, else beside those that it lies under, else at the top.
fn resolve(packages: Option<&serde_json::Map<String, Value>>, place: &str, need: &str) -> String {
    let mut folder = place;
    loop {
        let nested = format!("{folder}/{need}");
        if packages.is_some_and(|packages| packages.contains_key(&nested)) {
            return nested;
        }
        match folder.rsplit_once('/') {
            Some((outer, _)) => folder = outer,
            None => return need.to_owned(),
        }
    }
}

/// Leaves out commas before `}` and `]`, outside texts.
fn without_trailing_commas(text: &str) -> String {
    let mut gone = Vec::new();
    let (mut quoted, mut escaped, mut comma) = (false, false, None);
    for (at, byte) in text.bytes().enumerate() {
        if quoted {
            quoted = escaped || byte != b'"';
            escaped = !escaped && byte == b'\\';
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'}' | b']' => gone.extend(comma),
            _ => {}
        }
        if byte == b',' {
            comma = Some(at);
        } else if !byte.is_ascii_whitespace() {
            comma = None;
        }
    }
    let (mut out, mut start) = (String::with_capacity(text.len()), 0);
    for at in gone {
        out.push_str(&text[start..at]);
        start = at + 1;
    }
    out.push_str(&text[start..]);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_of_bun() {
        let text = "{\n \"lockfileVersion\": 1,\n \"workspaces\": {\"\": {\"name\": \"x,]\", \"dependencies\": {\"a\": \"^1\",}, \"devDependencies\": {\"t\": \"3\"},},},\n \"packages\": {\n  \"a\": [\"a@1.2.0\", \"\", {\"dependencies\": {\"@s/b\": \"^2\"}}, \"sha512-x\"],\n  \"@s/b\": [\"@s/b@2.1.0\", \"\", {\"os\": \"linux\", \"cpu\": \"x64\"}, \"x\"],\n  \"t\": [\"t@3.0.0\", \"\", {}, \"x\"],\n  \"t/@s/b\": [\"@s/b@1.0.0\", \"\", {}, \"x\"],\n }\n}\n";
        let lock = PackageLock::read_bun(text).expect("valid");
        let names = |dev| -> Vec<String> {
            lock.on_linux("x64", "glibc", dev)
                .map(|one| format!("{} {}", one.name, one.version))
                .collect()
        };
        assert_eq!(names(false), ["@s/b 2.1.0", "a 1.2.0"]);
        assert_eq!(names(true).len(), 4);
        assert_eq!(
            PackageLock::read_bun("{\"lockfileVersion\": 7}")
                .expect_err("later")
                .code(),
            "unknown-lock-file-version"
        );
        assert_eq!(
            PackageLock::read_bun("{").expect_err("broken").code(),
            "malformed-lock-file"
        );
    }
}
