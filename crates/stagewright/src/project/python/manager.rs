//! Which tool installs the packages of a Python project, from which files, and what they list.

use toml::{Table, Value};

use super::{PythonManager, read as read_requirements};
use crate::context::Context;
use crate::facts::normalize_name;
use crate::project::ProjectError;

/// What the files say of a project's packages.
pub(super) struct Packages {
    pub(super) manager: PythonManager,
    /// The version of the manager that wrote the lock file.
    pub(super) version: Option<String>,
    /// What an install reads, the list of packages first.
    pub(super) manifests: Vec<String>,
    /// Normalised names.
    pub(super) names: Vec<String>,
    /// Commands that the project itself brings.
    pub(super) scripts: Vec<String>,
}

/// Lock files, who writes each, and the file of the project that the same tool reads.
const LOCKS: [(&str, PythonManager, &str); 4] = [
    ("uv.lock", PythonManager::Uv, "pyproject.toml"),
    ("poetry.lock", PythonManager::Poetry, "pyproject.toml"),
    ("pdm.lock", PythonManager::Pdm, "pyproject.toml"),
    ("Pipfile.lock", PythonManager::Pipenv, "Pipfile"),
];

/// A lock file, else a requirements file, else the project's own dependencies.
pub(super) fn read(context: &Context) -> Result<Option<Packages>, ProjectError> {
    let there = |file: &str| context.entry(file).is_some();
    let locks: Vec<_> = LOCKS.iter().filter(|(lock, ..)| there(lock)).collect();
    let pyproject = match context.text("pyproject.toml") {
        Some(text) => text
            .parse::<Table>()
            .map_err(|error| ProjectError::BadManifest {
                file: "pyproject.toml".into(),
                why: error.message().to_owned(),
            })?,
        None => Table::new(),
    };
    let scripts = scripts(context, &pyproject);
    match locks.as_slice() {
        [] => {}
        [(lock, manager, project)] => {
            let text = context.text(lock).unwrap_or_default();
            let mut manifests = vec![(*lock).to_owned()];
            manifests.extend(there(project).then(|| (*project).to_owned()));
            return Ok(Some(Packages {
                manager: *manager,
                version: version(text)
                    .or_else(|| named_version(context.text("Dockerfile")?, manager.program()?)),
                manifests,
                names: locked(text, *manager),
                scripts,
            }));
        }
        several => {
            return Err(ProjectError::LockConflict {
                files: several
                    .iter()
                    .map(|(lock, ..)| (*lock).to_owned())
                    .collect(),
            });
        }
    }
    let requirements = [
        "requirements.txt",
        "requirements/production.txt",
        "requirements/prod.txt",
        "requirements/base.txt",
    ]
    .into_iter()
    .find(|path| there(path));
    if let Some(file) = requirements {
        let read = read_requirements(context, file);
        let mut manifests = vec![file.to_owned()];
        manifests.extend(read.files.into_iter().filter(|other| other != file));
        let mut names: Vec<String> = Vec::new();
        for entry in read.entries {
            names.extend(with_server(
                &entry.name,
                entry.extras.iter().map(String::as_str),
            ));
        }
        return Ok(Some(Packages {
            manager: PythonManager::Pip,
            version: None,
            manifests,
            names,
            scripts,
        }));
    }
    Ok(built(context, &pyproject, scripts))
}

/// What `fastapi[standard]` brings is the server that people start it with.
fn with_server<'e>(name: &str, mut extras: impl Iterator<Item = &'e str>) -> Vec<String> {
    let mut names = vec![name.to_owned()];
    if name == "fastapi" && extras.any(|extra| matches!(extra, "standard" | "all")) {
        names.push("uvicorn".to_owned());
    }
    names
}

/// A project without a lock file that says itself what it depends on.
fn built(context: &Context, pyproject: &Table, scripts: Vec<String>) -> Option<Packages> {
    let of_project = pyproject.get("project").is_some() || pyproject.get("build-system").is_some();
    let files = ["pyproject.toml", "setup.cfg", "setup.py"];
    let manifests: Vec<String> = files
        .into_iter()
        .filter(|file| context.entry(file).is_some())
        .filter(|file| *file != "pyproject.toml" || of_project)
        .map(str::to_owned)
        .collect();
    if manifests.is_empty() {
        return None;
    }
    let dependencies = value(pyproject, &["project", "dependencies"]);
    let listed = dependencies.and_then(Value::as_array).into_iter().flatten();
    let mut names: Vec<String> = listed.filter_map(Value::as_str).flat_map(named).collect();
    let poetry = value(pyproject, &["tool", "poetry", "dependencies"]);
    names.extend(
        poetry
            .and_then(Value::as_table)
            .into_iter()
            .flat_map(Table::keys)
            .map(|name| normalize_name(name)),
    );
    if let Some(text) = context.text("setup.cfg") {
        names.extend(section(text, "install_requires").flat_map(named));
    }
    Some(Packages {
        manager: PythonManager::Build,
        version: None,
        manifests,
        names,
        scripts,
    })
}

/// The name in `fastapi[standard]>=0.1; python_version > "3"`.
fn named(requirement: &str) -> Vec<String> {
    let end = requirement
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(requirement.len());
    let extras = requirement[end..].trim_start().strip_prefix('[');
    let extras = extras
        .and_then(|rest| rest.split(']').next())
        .unwrap_or_default();
    with_server(
        &normalize_name(&requirement[..end]),
        extras.split(',').map(str::trim),
    )
}

/// Names of the packages in a lock file.
fn locked(text: &str, manager: PythonManager) -> Vec<String> {
    if manager == PythonManager::Pipenv {
        let lock = serde_json::from_str::<serde_json::Value>(text).unwrap_or_default();
        let names = lock.get("default").and_then(serde_json::Value::as_object);
        return names
            .into_iter()
            .flat_map(serde_json::Map::keys)
            .map(|name| normalize_name(name))
            .collect();
    }
    let lock = text.parse::<Table>().unwrap_or_default();
    let packages = lock.get("package").and_then(Value::as_array);
    packages
        .into_iter()
        .flatten()
        .filter_map(|package| package.get("name")?.as_str())
        .map(normalize_name)
        .collect()
}

/// The version in a line such as `# This file is automatically @generated by Poetry 2.1.3 and should not be changed by hand.`
fn version(lock: &str) -> Option<String> {
    let first = lock.lines().next()?.strip_prefix('#')?;
    let (_, rest) = first.split_once("generated by Poetry ")?;
    let version = rest.split_whitespace().next()?;
    version
        .starts_with(|c: char| c.is_ascii_digit())
        .then(|| version.to_owned())
}

/// The version in `pip install pdm==2.12.4` of a Dockerfile that is there already.
fn named_version(dockerfile: &str, program: &str) -> Option<String> {
    let start = format!("{program}==");
    let words = dockerfile.split_ascii_whitespace();
    let mut versions = words.filter_map(|word| word.trim_matches(['"', '\'']).strip_prefix(&start));
    let version = versions.next()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '.';
    (!version.is_empty() && version.chars().all(plain)).then(|| version.to_owned())
}

/// Commands that the project brings: `[project.scripts]`, Poetry's own table, or `console_scripts`.
fn scripts(context: &Context, pyproject: &Table) -> Vec<String> {
    for keys in [
        ["project", "scripts"].as_slice(),
        &["tool", "poetry", "scripts"],
    ] {
        if let Some(table) = value(pyproject, keys).and_then(Value::as_table) {
            return table.keys().cloned().collect();
        }
    }
    if let Some(text) = context.text("setup.cfg") {
        return section(text, "console_scripts")
            .filter_map(script)
            .collect();
    }
    let Some((_, rest)) = context
        .text("setup.py")
        .and_then(|text| text.split_once("console_scripts"))
    else {
        return Vec::new();
    };
    let list = rest
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'));
    list.map_or("", |(list, _)| list)
        .split(['"', '\''])
        .filter_map(script)
        .collect()
}

/// Whether a manager installs the project itself with its packages, unless the command says not to: uv and PDM where it is a package
/// (`[build-system]`), Poetry unless `package-mode` is off.
pub(crate) fn installs_itself(pyproject: &str, tool: &str, command: &str) -> bool {
    let told = [
        "--no-install-project",
        "--no-install-workspace",
        "--no-root",
        "--no-self",
        "--only-group",
        "--only-deps",
    ];
    if told.iter().any(|option| command.contains(option)) {
        return false;
    }
    let Some(table) = table(pyproject) else {
        return false;
    };
    let switch = |keys: &[&str]| value(&table, keys).and_then(Value::as_bool);
    let built = table.contains_key("build-system");
    match tool {
        "uv" => switch(&["tool", "uv", "package"]).unwrap_or(built),
        "pdm" => switch(&["tool", "pdm", "distribution"]).unwrap_or(built),
        "poetry" => switch(&["tool", "poetry", "package-mode"]).unwrap_or(true),
        _ => false,
    }
}

/// Whether the project gives a word behind `run` of a manager a meaning of its own: Poetry starts commands of the project that are not
/// installed, PDM and Pipenv have scripts, and Pipenv reads `.env` for everything that it starts.
pub(crate) fn gives_meaning(context: &Context, tool: &str, word: &str) -> bool {
    let file = |name: &str| context.text(name).and_then(table).unwrap_or_default();
    match tool {
        "poetry" => scripts(context, &file("pyproject.toml")).contains(&word.to_owned()),
        "pdm" => value(&file("pyproject.toml"), &["tool", "pdm", "scripts"]).is_some(),
        "pipenv" => file("Pipfile").contains_key("scripts") || context.holds(".env"),
        _ => false,
    }
}

/// Whether a `pyproject.toml` says itself what the project depends on, and leaves nothing of it to the build.
pub(crate) fn lists_dependencies(pyproject: &str) -> bool {
    let Some(table) = table(pyproject) else {
        return false;
    };
    let list = |name: &str| value(&table, &["project", name]).and_then(Value::as_array);
    let dynamic = list("dynamic").into_iter().flatten();
    list("dependencies").is_some_and(|list| !list.is_empty())
        && dynamic
            .filter_map(Value::as_str)
            .all(|name| name != "dependencies")
}

/// The name in `report = shop.report:main`.
fn script(line: &str) -> Option<String> {
    let (name, target) = line.split_once('=')?;
    let name = name.trim();
    (target.contains(':') && !name.is_empty()).then(|| name.to_owned())
}

/// The indented lines below `key =` in an ini file.
fn section<'t>(text: &'t str, key: &'t str) -> impl Iterator<Item = &'t str> {
    let mut lines = text
        .lines()
        .skip_while(move |line| line.split('=').next().is_none_or(|name| name.trim() != key));
    lines.next();
    lines
        .take_while(|line| line.starts_with([' ', '\t']))
        .map(str::trim)
        .filter(|line| !line.is_empty())
}

/// A TOML file that can be read.
pub(super) fn table(text: &str) -> Option<Table> {
    text.parse().ok()
}

pub(super) fn value<'t>(table: &'t Table, keys: &[&str]) -> Option<&'t Value> {
    let (first, rest) = keys.split_first()?;
    rest.iter()
        .try_fold(table.get(*first)?, |value, key| value.get(key))
}

/// A string of a TOML file.
pub(super) fn text(table: &Table, keys: &[&str]) -> Option<String> {
    value(table, keys)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_commands() {
        assert_eq!(named("Flask-Admin >=1.0"), ["flask-admin"]);
        assert_eq!(named("fastapi[standard]==0.1"), ["fastapi", "uvicorn"]);
        let config = "[options]\ninstall_requires =\n    click>=8\n    rich\n[options.entry_points]\nconsole_scripts =\n    report = shop.report:main\n";
        let requires: Vec<&str> = section(config, "install_requires").collect();
        assert_eq!(requires, ["click>=8", "rich"]);
        let commands: Vec<String> = section(config, "console_scripts")
            .filter_map(script)
            .collect();
        assert_eq!(commands, ["report"]);
    }

    #[test]
    fn a_project_that_is_installed_with_its_packages() {
        let package = "[build-system]\nrequires = []\n";
        assert!(installs_itself(package, "uv", "uv sync"));
        assert!(!installs_itself(
            package,
            "uv",
            "uv sync --no-install-project"
        ));
        assert!(!installs_itself("[project]\n", "uv", "uv sync"));
        assert!(installs_itself("[project]\n", "poetry", "poetry install"));
        let off = "[tool.poetry]\npackage-mode = false\n";
        assert!(!installs_itself(off, "poetry", "poetry install"));
    }

    #[test]
    fn the_version_that_wrote_a_lock_file() {
        let line = "# This file is automatically @generated by Poetry 2.1.3 and should not be changed by hand.\n";
        assert_eq!(version(line).as_deref(), Some("2.1.3"));
        assert_eq!(version("version = 1\n"), None);
        let file = "FROM python:3.12\nRUN pip install -U \"pdm==2.12.4\" && pdm sync\n";
        assert_eq!(named_version(file, "pdm").as_deref(), Some("2.12.4"));
        assert_eq!(named_version("RUN pip install pdm==$V\n", "pdm"), None);
    }
}
