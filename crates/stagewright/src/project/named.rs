//! Files and folders that sources or scripts name: a running application reads them.

use crate::context::Context;

/// What lies at the top of `root` (`""` for the context itself) and a text names, besides what is taken already. A file counts where its
/// whole name stands somewhere, a folder where it is in quotes or begins a path that is.
pub(super) fn read(context: &Context, root: &str, texts: &[&str], taken: &[String]) -> Vec<String> {
    let is_named = |name: &String| {
        let (name, folder) = match name.strip_suffix('/') {
            Some(name) => (name, true),
            None => (name.as_str(), false),
        };
        let is_named = if folder { names_folder } else { names_file };
        let mut lines = texts.iter().flat_map(|text| text.lines());
        !is_never(name, folder) && lines.any(|line| !is_comment(line) && is_named(line, name))
    };
    let whole = |name: String| match root {
        "" => name,
        root => format!("{root}/{name}"),
    };
    let all = top(context, root).into_iter();
    let all = all.map(|name| (whole(name.clone()), name));
    all.filter(|(whole, name)| !taken.contains(whole) && is_named(name))
        .map(|(whole, _)| whole)
        .collect()
}

/// What lies at the top of a folder: names, folders with a slash at their end.
pub(super) fn top(context: &Context, folder: &str) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for entry in context.files() {
        let Some(rest) = (if folder.is_empty() {
            Some(entry.path.as_str())
        } else {
            entry
                .path
                .strip_prefix(folder)
                .and_then(|rest| rest.strip_prefix('/'))
        }) else {
            continue;
        };
        let name = match rest.split_once('/') {
            Some((first, _)) => format!("{first}/"),
            None => rest.to_owned(),
        };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// What is no part of a running application, whoever names it.
fn is_never(name: &str, folder: bool) -> bool {
    let folders = [
        "node_modules",
        "venv",
        "env",
        "tests",
        "test",
        "__pycache__",
    ];
    let files = [
        "package.json",
        "Dockerfile",
        "Makefile",
        "setup.py",
        "conftest.py",
    ];
    name.starts_with('.')
        || if folder {
            folders.contains(&name)
        } else {
            files.contains(&name) || !name.contains('.')
        }
}

fn is_comment(line: &str) -> bool {
    let line = line.trim_start();
    ["#", "//", "*", "/*", "\"\"\""]
        .iter()
        .any(|start| line.starts_with(start))
}

fn names_file(line: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].trim_end_matches("./").chars().next_back();
        let after = line[at + name.len()..].chars().next();
        !before.is_some_and(part) && !after.is_some_and(part)
    })
}

fn names_folder(line: &str, name: &str) -> bool {
    ['"', '\'', '`'].iter().any(|quote| {
        ["", "./"].iter().any(|start| {
            let begin = format!("{quote}{start}{name}");
            line.match_indices(&begin).any(|(at, _)| {
                let after = &line[at + begin.len()..];
                after.starts_with(*quote) || after.starts_with('/')
            })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_sources() {
        assert!(names_file("open('CHANGELOG.md')", "CHANGELOG.md"));
        assert!(names_file("file -b README.md\"", "README.md"));
        assert!(names_file("node ./a.config.js", "a.config.js"));
        assert!(!names_file("open('OLD-CHANGELOG.md')", "CHANGELOG.md"));
        assert!(names_folder("ROOT / \"docs\"", "docs"));
        assert!(names_folder("open('./docs/a.txt')", "docs"));
        assert!(!names_folder("read the docs", "docs"));
        assert!(!names_folder("'/docs'", "docs"));
    }
}
