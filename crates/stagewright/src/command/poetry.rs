//! `poetry`: the packages of `poetry.lock`, in an environment or, where none is to be made, beside the interpreter.

use super::locked::{self, Locked};
use super::pip::Site;
use super::{CacheUse, Invocation, Machine, Model};
use crate::facts::Wanted;
use crate::ledger::Part;
use crate::size::{Basis, Kind};

pub(super) const MODEL: Model = Model {
    programs: &["poetry"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "--only",
    "--with",
    "--without",
    "--extras",
    "-E",
    "--directory",
    "-C",
    "--project",
    "-P",
    "-f",
    "--format",
    "-o",
    "--output",
];
/// Where a setting of `poetry config` is kept in mind.
const NO_ENVIRONMENT: &str = "/…/poetry-virtualenvs.create-false";
const IN_PROJECT: &str = "/…/poetry-virtualenvs.in-project-true";

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    locked::started(machine);
    let folder = invocation
        .option(&["--directory", "-C", "--project", "-P"])
        .map_or_else(|| machine.cwd.clone(), |path| machine.absolute(&path));
    match invocation.command(WITH_VALUE).as_deref() {
        Some("install" | "sync") => install(invocation, machine, &folder),
        Some("config") => {
            let words: Vec<String> = invocation
                .operands_after(WITH_VALUE)
                .into_iter()
                .flatten()
                .collect();
            let place = match words
                .iter()
                .map(String::as_str)
                .collect::<Vec<_>>()
                .as_slice()
            {
                ["virtualenvs.create", "false"] => NO_ENVIRONMENT,
                ["virtualenvs.in-project", "true"] => IN_PROJECT,
                _ => return,
            };
            machine.put(
                place,
                "a setting of poetry",
                Vec::new(),
                &Basis::new("the Dockerfile"),
            );
        }
        Some("export") => {
            machine.touches("poetry.lock");
            machine.touches("pyproject.toml");
        }
        Some("run") => super::script::run(invocation, machine, &folder),
        Some("add" | "update" | "lock" | "build" | "self") => {
            machine.reads_anything(format!("`{}` resolves versions", invocation.text));
            machine.note(format!(
                "what `{}` finds depends on the day of the build",
                invocation.text
            ));
        }
        Some("cache") => {
            let path = cache_path(machine);
            machine.remove(&path);
        }
        _ => {}
    }
}

fn cache_path(machine: &Machine<'_>) -> String {
    machine.variable("POETRY_CACHE_DIR").map_or_else(
        || format!("{}/.cache/pypoetry", machine.home()),
        str::to_owned,
    )
}

fn site(machine: &mut Machine<'_>, folder: &str) -> Site {
    let is =
        |value: Option<&str>, wanted: &[&str]| value.is_some_and(|value| wanted.contains(&value));
    let none = is(
        machine.variable("POETRY_VIRTUALENVS_CREATE"),
        &["0", "false"],
    ) || machine.tree.get(NO_ENVIRONMENT).is_some();
    let inside = is(
        machine.variable("POETRY_VIRTUALENVS_IN_PROJECT"),
        &["1", "true"],
    ) || machine.tree.get(IN_PROJECT).is_some();
    let active = machine
        .variable("VIRTUAL_ENV")
        .map(str::to_owned)
        .filter(|path| machine.is_environment(path));
    let setuptools = is_before_2(machine);
    match active {
        Some(path) => locked::environment(machine, &path),
        None if none => machine.python_site("python"),
        None if inside => {
            locked::seeded_environment(machine, &format!("{folder}/.venv"), setuptools)
        }
        None => {
            let path = machine.variable("POETRY_VIRTUALENVS_PATH").map_or_else(
                || format!("{}/virtualenvs", cache_path(machine)),
                str::to_owned,
            );
            locked::seeded_environment(machine, &format!("{path}/project"), setuptools)
        }
    }
}

/// Whether the Poetry that pip installed is older than 2.0, which gave its environments setuptools.
fn is_before_2(machine: &Machine<'_>) -> bool {
    let packages = machine.python_site("python").packages;
    let own = machine.tree.get(&format!("{packages}/poetry"));
    own.is_some_and(|node| {
        let version = node.label.strip_prefix("poetry ").unwrap_or_default();
        version.starts_with("0.") || version.starts_with("1.")
    })
}

fn install(invocation: &Invocation, machine: &mut Machine<'_>, folder: &str) {
    let split = |values: Vec<String>| -> Vec<String> {
        values
            .iter()
            .flat_map(|value| value.split([',', ' ']))
            .map(str::to_owned)
            .collect()
    };
    let only = split(invocation.options(&["--only"]));
    let without = split(invocation.options(&["--without"]));
    let off = invocation.has(&["--no-dev", "--only-root"])
        || !only.is_empty()
        || without.iter().any(|group| group == "dev");
    let wanted = Wanted {
        development: !off,
        groups: [only, split(invocation.options(&["--with"]))].concat(),
        all: invocation.has(&["--all-groups", "--all-extras"]),
    };
    let site = site(machine, folder);
    let packages = locked::install(
        invocation,
        machine,
        &Locked {
            tool: "poetry",
            folder,
            names: &["poetry.lock"],
            wanted,
            site: &site,
            byte_code: invocation.has(&["--compile"]),
        },
    );
    let path = format!("{}/cache", cache_path(machine));
    if packages.is_empty() || invocation.has(&["--no-cache"]) || machine.mounted(&path) {
        return;
    }
    let (size, basis) = machine
        .catalog
        .tools()
        .poetry_cache(locked::sums(&packages).1);
    let artifacts = format!("{}/artifacts", cache_path(machine));
    machine.put(
        &artifacts,
        "poetry's cache",
        vec![Part::main(Kind::Archive, size)],
        &basis,
    );
    machine.facts.caches.push(CacheUse {
        tool: "poetry",
        path: cache_path(machine),
        size,
        command: invocation.index,
    });
}
