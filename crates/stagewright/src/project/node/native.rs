//! Packages that do more than lie there when they are installed: they run a script of theirs, or are compiled.

use serde_json::Value;

use crate::context::Context;
use crate::facts::{Catalog, PackageLock};

/// Packages that run a script of theirs, and whether only developers need them. npm alone writes that down.
pub(super) fn scripted(context: &Context, lock: Option<&str>) -> Option<Vec<(String, bool)>> {
    let lock = lock.filter(|lock| lock.ends_with(".json"))?;
    let lock = PackageLock::read(context.text(lock)?).ok()?;
    let mut found: Vec<(String, bool)> = Vec::new();
    for package in lock
        .packages
        .iter()
        .filter(|package| package.install_script)
    {
        match found.iter_mut().find(|(name, _)| *name == package.name) {
            Some((_, dev)) => *dev &= package.dev,
            None => found.push((package.name.clone(), package.dev)),
        }
    }
    Some(found)
}

/// Packages that are compiled when they are installed: their dependencies tell them.
pub(super) fn compiled(context: &Context, lock: Option<&str>) -> Vec<String> {
    let Some((name, text)) = lock.and_then(|name| Some((name, context.text(name)?))) else {
        return Vec::new();
    };
    compiled_in(name, text)
}

/// The same of the text of a lock file.
pub(crate) fn compiled_in(name: &str, text: &str) -> Vec<String> {
    let packages = if name.ends_with(".json") {
        of_npm(text).unwrap_or_default()
    } else {
        of_lines(text)
    };
    let gyp = Catalog::builtin().tools().node_gyp();
    let any = |list: &[String], names: &[String]| names.iter().any(|name| list.contains(name));
    let mut found: Vec<String> = packages
        .into_iter()
        .filter(|(_, needs)| any(&gyp.compiled_with, needs) && !any(&gyp.instead, needs))
        // A program for each platform is a package of its own.
        .filter(|(_, needs)| !needs.iter().any(|need| need.contains("linux-")))
        .map(|(name, _)| name)
        .collect();
    found.sort();
    found.dedup();
    found
}

/// Each package of npm's lock file with what it needs; an optional one may fail.
fn of_npm(text: &str) -> Option<Vec<(String, Vec<String>)>> {
    let lock: Value = serde_json::from_str(text).ok()?;
    let packages = lock.get("packages")?.as_object()?.iter();
    let is_set = |entry: &Value, key: &str| entry.get(key).and_then(Value::as_bool) == Some(true);
    let names = |entry: &Value, key: &str| {
        let list = entry.get(key).and_then(Value::as_object);
        list.into_iter()
            .flat_map(serde_json::Map::keys)
            .cloned()
            .collect::<Vec<_>>()
    };
    let found = packages
        .filter(|(_, entry)| !is_set(entry, "optional"))
        .map(|(path, entry)| {
            let name = path.rsplit("node_modules/").next().unwrap_or(path);
            let needs = [
                names(entry, "dependencies"),
                names(entry, "optionalDependencies"),
            ];
            (name.to_owned(), needs.concat())
        });
    Some(found.collect())
}

/// The same of the lock files of pnpm and yarn, by their lines: a package `name@version:`, below it `dependencies:`, below that a name a line.
fn of_lines(text: &str) -> Vec<(String, Vec<String>)> {
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let mut found: Vec<(String, Vec<String>)> = Vec::new();
    // The last package, and how far its list of dependencies is indented.
    let (mut package, mut list): (Option<(usize, String)>, Option<usize>) = (None, None);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let (depth, words) = (indent(line), line.trim());
        if let Some(above) = list {
            if depth > above {
                if let (Some((_, name)), Some(need)) = (&package, first_name(words)) {
                    match found.last_mut().filter(|(last, _)| last == name) {
                        Some((_, needs)) => needs.push(need),
                        None => found.push((name.clone(), vec![need])),
                    }
                }
                continue;
            }
            list = None;
        }
        let head = words.strip_suffix(':');
        match head {
            Some("dependencies" | "optionalDependencies")
                if package.as_ref().is_some_and(|(above, _)| depth > *above) =>
            {
                list = Some(depth);
            }
            Some(head) if package.as_ref().is_none_or(|(above, _)| depth <= *above) => {
                let head = head.trim_matches(['"', '\'']).trim_start_matches('/');
                let at = head.get(1..).and_then(|rest| rest.find('@'));
                package = at.map(|at| (depth, head[..=at].to_owned()));
            }
            _ => {}
        }
    }
    found
}

/// The name at the start of `"@scope/name" "^1.0.0"` or `name: 1.0.0`.
fn first_name(line: &str) -> Option<String> {
    let line = line.trim_start_matches(['"', '\'']);
    let end = line.find(['"', '\'', ':', ' '])?;
    Some(line[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(text: &str) -> Vec<(String, Vec<String>)> {
        of_lines(text)
    }

    #[test]
    fn dependencies_in_the_lock_files_of_yarn_and_pnpm() {
        let expat = || {
            (
                "node-expat".to_owned(),
                vec!["bindings".to_owned(), "nan".to_owned()],
            )
        };
        let classic = "# yarn lockfile v1\n\n\nms@^2.1.1:\n  version \"2.1.3\"\n\nnode-expat@^2.4.1:\n  version \"2.4.1\"\n  dependencies:\n    bindings \"^1.5.0\"\n    nan \"^2.19.0\"\n";
        assert_eq!(needs(classic), [expat()]);
        let berry = "__metadata:\n  version: 8\n\n\"node-expat@npm:^2.4.1\":\n  version: 2.4.1\n  dependencies:\n    bindings: \"npm:^1.5.0\"\n    nan: \"npm:^2.19.0\"\n  languageName: node\n";
        assert_eq!(needs(berry), [expat()]);
        let pnpm = "importers:\n\n  .:\n    dependencies:\n      nan:\n        specifier: ^2\n        version: 2.19.0\n\nsnapshots:\n\n  ms@2.1.3: {}\n\n  node-expat@2.4.1:\n    dependencies:\n      bindings: 1.5.0\n      nan: 2.19.0\n";
        assert_eq!(needs(pnpm), [expat()]);
    }

    #[test]
    fn a_package_that_brings_what_is_compiled_is_not_compiled() {
        let lock = |needs: &str| {
            format!(
                "{{\"lockfileVersion\":3,\"packages\":{{\"node_modules/bcrypt\":{{\"version\":\"5.1.1\",\"hasInstallScript\":true,\"dependencies\":{{{needs}}}}}}}}}"
            )
        };
        let of = |needs: &str| {
            let context = Context::builder().file("package-lock.json", lock(needs));
            let context = context.build().unwrap();
            compiled(&context, Some("package-lock.json"))
        };
        assert_eq!(of("\"node-addon-api\":\"^5.0.0\""), ["bcrypt"]);
        assert!(
            of("\"node-addon-api\":\"^5.0.0\",\"@mapbox/node-pre-gyp\":\"^1.0.11\"").is_empty()
        );
        assert!(of("\"bindings\":\"^1.5.0\"").is_empty());
    }
}
