//! `package.json`, and the words of its scripts.

use serde_json::Value;
use stagewright_syntax::shell::Script;

use crate::context::Context;

/// A `package.json`.
#[derive(Clone, Debug)]
pub(super) struct Manifest {
    value: Value,
    /// The folder that it lies in, `""` for the context itself.
    pub(super) folder: String,
}

/// A path in a folder of the context, `""` for the context itself.
pub(super) fn inside(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

impl Manifest {
    /// The manifest in a folder: `None` where there is none, and the reason where it cannot be read.
    pub(super) fn read(context: &Context, folder: &str) -> Option<Result<Self, String>> {
        let text = context.text(&inside(folder, "package.json"))?;
        let value = serde_json::from_str::<Value>(text).map_err(|error| error.to_string());
        Some(match value {
            Ok(value) if value.is_object() => Ok(Self {
                value,
                folder: folder.to_owned(),
            }),
            Ok(_) => Err("it is no object".into()),
            Err(why) => Err(why),
        })
    }

    pub(super) fn text(&self, keys: &[&str]) -> Option<&str> {
        let mut value = &self.value;
        for key in keys {
            value = value.get(key)?;
        }
        value.as_str()
    }

    pub(super) fn name(&self) -> &str {
        self.text(&["name"]).unwrap_or_default()
    }

    pub(super) fn script(&self, name: &str) -> Option<&str> {
        self.text(&["scripts", name])
    }

    /// Whether a package is among the dependencies that the application needs when it runs.
    pub(super) fn needs(&self, package: &str) -> bool {
        self.lists("dependencies", package) || self.lists("optionalDependencies", package)
    }

    /// What an install for production brings.
    pub(super) fn production(&self) -> Vec<String> {
        let kinds = ["dependencies", "optionalDependencies", "peerDependencies"];
        let lists = kinds
            .iter()
            .filter_map(|kind| self.value.get(kind).and_then(Value::as_object));
        lists.flat_map(serde_json::Map::keys).cloned().collect()
    }

    /// Whether a package is among the dependencies of any kind.
    pub(super) fn names(&self, package: &str) -> bool {
        self.needs(package) || self.lists("devDependencies", package)
    }

    fn lists(&self, kind: &str, package: &str) -> bool {
        self.value
            .get(kind)
            .is_some_and(|list| list.get(package).is_some())
    }

    /// Packages that only developers need.
    pub(super) fn development(&self) -> Vec<String> {
        let list = self.value.get("devDependencies").and_then(Value::as_object);
        let names = list.into_iter().flat_map(serde_json::Map::keys);
        names.filter(|name| !self.needs(name)).cloned().collect()
    }

    /// The patterns of npm's and yarn's workspaces.
    pub(super) fn workspaces(&self) -> Vec<String> {
        let list = self.value.get("workspaces");
        let list = list.and_then(|list| list.get("packages").or(Some(list)));
        let patterns = list.and_then(Value::as_array).into_iter().flatten();
        patterns
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    }

    /// Scripts that the package manager runs by itself when it installs.
    pub(super) fn lifecycle(&self) -> Vec<&'static str> {
        super::LIFECYCLE
            .into_iter()
            .filter(|name| self.script(name).is_some())
            .collect()
    }
}

/// The words of a script that is one plain command, without the assignment of `NODE_ENV` before it, which the image makes itself.
pub(super) fn words(script: &str) -> Option<Vec<String>> {
    let script = Script::parse(script);
    let [command] = script.commands.as_slice() else {
        return None;
    };
    let plain = script.complete && command.redirects.is_empty() && !command.background;
    let known = command
        .assignments
        .iter()
        .all(|assignment| assignment.name == "NODE_ENV");
    let mut words: Vec<String> = command
        .words
        .iter()
        .map(|word| word.literal().map(std::borrow::Cow::into_owned))
        .collect::<Option<_>>()?;
    if words.first().is_some_and(|word| word == "cross-env") {
        words.remove(0);
        words.retain(|word| !word.starts_with("NODE_ENV="));
    }
    (plain && known && !words.is_empty()).then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_of_one_command_is_its_words() {
        let plain = ["node server.js", "NODE_ENV=production node server.js"];
        for script in plain
            .into_iter()
            .chain(["cross-env NODE_ENV=production node server.js"])
        {
            assert_eq!(
                words(script),
                Some(vec!["node".to_owned(), "server.js".to_owned()]),
                "{script}"
            );
        }
        for script in [
            "a && b",
            "DEBUG=1 node a.js",
            "node a.js > log",
            "node $FILE",
            "",
        ] {
            assert_eq!(words(script), None, "{script}");
        }
    }
}
