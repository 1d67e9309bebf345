//! Packages of a Python project that only developers need, and whether the application names one all the same.

use super::manager::{table, value};
use crate::context::Context;
use crate::facts::PythonLock;

/// Packages whose module has a name that theirs does not tell.
const MODULES: [(&str, &str); 12] = [
    ("attrs", "attr"),
    ("beautifulsoup4", "bs4"),
    ("djangorestframework", "rest_framework"),
    ("dnspython", "dns"),
    ("factory-boy", "factory"),
    ("gitpython", "git"),
    ("grpcio", "grpc"),
    ("opencv-python", "cv2"),
    ("pillow", "pil"),
    ("protobuf", "google.protobuf"),
    ("scikit-learn", "sklearn"),
    ("setuptools", "pkg_resources"),
];

/// Names of the packages that a manager installs for developers alone unless told otherwise, normalised; `None` without a lock file that
/// says which.
pub(crate) fn development(context: &Context, tool: &str) -> Option<Vec<String>> {
    let name = match tool {
        "uv" => "uv.lock",
        "poetry" => "poetry.lock",
        "pdm" => "pdm.lock",
        _ => return None,
    };
    let manifest = context.text("pyproject.toml")?;
    // Then `dev` is one of several that uv installs, or none of them.
    let groups = value(&table(manifest)?, &["tool", "uv", "default-groups"]).is_some();
    let lock = PythonLock::read(name, context.text(name)?, Some(manifest)).ok()?;
    let listed = lock.grouped && !(tool == "uv" && groups);
    let of_developers = |groups: &[String]| match tool {
        "uv" => groups.iter().any(|group| group == "dev"),
        _ => !groups.is_empty(),
    };
    let packages = lock.packages.iter();
    let packages = packages.filter(|package| of_developers(&package.groups));
    listed.then(|| packages.map(|package| package.name.clone()).collect())
}

/// The first of some packages that a source of the application names as a module or a program, or that is among the programs that are
/// started.
pub(crate) fn named<'p>(
    packages: &'p [String],
    context: &Context,
    called: &[String],
) -> Option<&'p str> {
    let sources = context.files().map(|entry| entry.path);
    let sources: Vec<String> = sources
        .filter(|path| path.ends_with(".py") && !is_test(path))
        .filter_map(|path| Some(context.text(&path)?.to_lowercase()))
        .collect();
    let named = |package: &&String| {
        modules(package).iter().any(|module| {
            called
                .iter()
                .any(|word| holds(&word.to_lowercase(), module))
                || sources.iter().any(|text| names(text, module))
        })
    };
    packages.iter().find(named).map(String::as_str)
}

fn is_test(path: &str) -> bool {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let of_tests = |part: &str| matches!(part, "tests" | "test" | "docs");
    folder.split('/').any(of_tests)
        || file.starts_with("test_")
        || file.ends_with("_test.py")
        || matches!(file, "conftest.py" | "noxfile.py" | "tasks.py")
}

/// What the modules and programs of a package may be called, in small letters.
fn modules(package: &str) -> Vec<String> {
    let known = MODULES.iter().filter(|(name, _)| *name == package);
    let mut names: Vec<String> = known.map(|(_, module)| (*module).to_owned()).collect();
    let bare = ["python-", "django-", "py"]
        .iter()
        .filter_map(|start| package.strip_prefix(start));
    let bare = bare.chain(
        ["-python", "-py", "-binary"]
            .iter()
            .filter_map(|end| package.strip_suffix(end)),
    );
    for name in std::iter::once(package)
        .chain(bare)
        .filter(|name| !name.is_empty())
    {
        names.extend(["_", "", ".", "-"].map(|joint| name.replace('-', joint)));
    }
    names
}

/// Whether a source imports a module, or has its name in quotes, as settings and the start of a program do.
fn names(text: &str, module: &str) -> bool {
    let quoted = |line: &str| {
        ['"', '\''].iter().any(|quote| {
            let mut parts = line.split(*quote).skip(1);
            parts.any(|part| {
                part.strip_prefix(module)
                    .is_some_and(|rest| !rest.starts_with(is_part))
            })
        })
    };
    text.lines()
        .filter(|line| line.contains(module))
        .any(|line| {
            let start = line.trim_start();
            let imports = start.starts_with("import ") || start.starts_with("from ");
            imports && holds(line, module) || quoted(line)
        })
}

/// Whether a text has a word, and not as a part of another.
fn holds(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let after = &text[at + word.len()..];
        !text[..at].ends_with(is_part) && !after.starts_with(is_part)
    })
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_modules_in_sources() {
        for (package, text) in [
            ("pytest", "import pytest\n"),
            ("pyyaml", "    from yaml import load\n"),
            (
                "django-debug-toolbar",
                "INSTALLED_APPS += [\"debug_toolbar\"]\n",
            ),
            ("django-cors-headers", "APPS = ['corsheaders.x']\n"),
            ("pillow", "from PIL import Image\n"),
            ("python-dotenv", "import os, dotenv\n"),
            ("watchfiles", "run('watchfiles')\n"),
        ] {
            let text = text.to_lowercase();
            assert!(
                modules(package).iter().any(|one| names(&text, one)),
                "{package}"
            );
        }
        for (package, text) in [
            ("httpx", "from http import HTTPStatus\n"),
            ("pytest", "# pytest reads this\nimport pytest_like\n"),
            ("ruff", "print('ruffle')\n"),
        ] {
            assert!(
                !modules(package).iter().any(|one| names(text, one)),
                "{package}"
            );
        }
    }
}
