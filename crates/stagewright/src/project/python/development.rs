//! Packages of a Python project that only developers need, and whether the application names one all the same.

use std::collections::HashSet;

use super::manager::{table, value};
use crate::context::Context;
use crate::facts::PythonLock;

/// Packages whose module has a name that theirs does not tell.
const MODULES: [(&str, &str); 20] = [
    ("attrs", "attr"),
    ("beautifulsoup4", "bs4"),
    ("djangorestframework", "rest_framework"),
    ("django-filter", "django_filters"),
    ("djangorestframework-simplejwt", "rest_framework_simplejwt"),
    ("dnspython", "dns"),
    ("factory-boy", "factory"),
    ("faiss-cpu", "faiss"),
    ("gitpython", "git"),
    ("google-api-python-client", "googleapiclient"),
    ("grpcio", "grpc"),
    ("grpcio-tools", "grpc_tools"),
    ("mysqlclient", "mysqldb"),
    ("opencv-python", "cv2"),
    ("opencv-python-headless", "cv2"),
    ("pillow", "pil"),
    ("protobuf", "google.protobuf"),
    ("pycryptodome", "crypto"),
    ("scikit-learn", "sklearn"),
    ("setuptools", "pkg_resources"),
];

/// What projects call the groups that only developers need, and the one that is always installed.
const FOR_DEVELOPERS: [&str; 16] = [
    "main",
    "default",
    "dev",
    "develop",
    "development",
    "test",
    "tests",
    "testing",
    "lint",
    "linting",
    "typing",
    "types",
    "style",
    "format",
    "ci",
    "docs",
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
    let own = table(manifest)?;
    let told = tool == "uv" && value(&own, &["tool", "uv", "default-groups"]).is_some();
    let text = context.text(name)?;
    // Poetry knows `--only` since 1.2, and writes this version since 1.3.
    let old = tool == "poetry" && !text.contains("lock-version = \"2.");
    let lock = PythonLock::read(name, text, Some(manifest)).ok()?;
    // A group of another name may be for a way to run the application.
    let mut all = lock.packages.iter().flat_map(|package| &package.groups);
    let other = tool != "uv" && all.any(|group| !FOR_DEVELOPERS.contains(&group.as_str()));
    let listed = lock.grouped && !old && !other && !told;
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
    let sources = sources.filter(|path| path.ends_with(".py") && !is_test(path));
    let sources = sources.filter_map(|path| context.text(&path));
    let sources: Vec<String> = sources.map(str::to_lowercase).collect();
    let called: Vec<String> = called.iter().map(|word| word.to_lowercase()).collect();
    let mut words = HashSet::new();
    for text in &sources {
        names(text, &mut words);
    }
    for word in &called {
        for run in runs(word) {
            parts(run, true, &mut words);
        }
    }
    let is_named = |module: &String| words.contains(module.as_str());
    let mut packages = packages.iter();
    let found = packages.find(|package| modules(package).iter().any(is_named));
    found.map(String::as_str)
}

fn is_test(path: &str) -> bool {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let of_tests = |part: &str| matches!(part, "tests" | "test" | "docs");
    folder.split('/').any(of_tests)
        || file.starts_with("test_")
        || file.ends_with("_test.py")
        || matches!(file, "conftest.py" | "noxfile.py")
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

/// The names of modules that a source imports or has in quotes, as settings and the start of a program do.
fn names<'t>(text: &'t str, words: &mut HashSet<&'t str>) {
    for line in text.lines() {
        for statement in line.split([':', ';']).map(str::trim_start) {
            if statement.starts_with("import ") || statement.starts_with("from ") {
                for run in runs(statement) {
                    parts(run, true, words);
                }
            }
        }
        for quote in ['"', '\''] {
            for quoted in line.split(quote).skip(1) {
                let end = quoted.find(|c| !is_joined(c)).unwrap_or(quoted.len());
                parts(&quoted[..end], false, words);
            }
        }
    }
}

/// The words of a text, `a.b-c` being one.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_joined(c)).filter(|run| !run.is_empty())
}

/// What stands between the dots and hyphens of a word: its beginnings, and where `inner` is set what begins further on as well. No module
/// has more than eight such parts.
fn parts<'t>(run: &'t str, inner: bool, words: &mut HashSet<&'t str>) {
    let joints = run.match_indices(|c| !is_part(c)).map(|(at, _)| at).take(8);
    let ends: Vec<usize> = joints.chain([run.len()]).collect();
    let mut start = 0;
    for &first in &ends {
        if start > first {
            continue;
        }
        let beginnings = ends.iter().filter(|end| **end >= first);
        words.extend(beginnings.map(|end| &run[start..*end]));
        if !inner {
            break;
        }
        start = first + 1;
    }
}

fn is_joined(c: char) -> bool {
    is_part(c) || c == '.' || c == '-'
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named_in(package: &str, text: &str) -> bool {
        let context = Context::builder().file("main.py", text).build().unwrap();
        named(&[package.to_owned()], &context, &[]).is_some()
    }

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
            ("pytest", "if debug: import pytest\n"),
            ("protobuf", "from google.protobuf.message import Message\n"),
            ("ruamel-yaml", "import ruamel.yaml\n"),
        ] {
            assert!(named_in(package, text), "{package}");
        }
        for (package, text) in [
            ("httpx", "from http import HTTPStatus\n"),
            ("pytest", "# pytest reads this\nimport pytest_like\n"),
            ("ruff", "print('ruffle')\n"),
        ] {
            assert!(!named_in(package, text), "{package}");
        }
    }
}
