//! What uv, poetry, pdm and pipenv have in common: the packages of a lock file in an environment.

use super::pip::{self, Site};
use super::{Install, Invocation, Machine};
use crate::facts::{InstalledPackage, PythonLock, Wanted};
use crate::ledger::Part;
use crate::project::python;
use crate::size::{Kind, Size};

/// An installation from a lock file.
pub(super) struct Locked<'l> {
    /// The tool.
    pub(super) tool: &'static str,
    /// The project's folder.
    pub(super) folder: &'l str,
    /// Names of the lock files that the tool takes, the preferred one first.
    pub(super) names: &'l [&'l str],
    /// Which of its packages.
    pub(super) wanted: Wanted,
    /// Where they go.
    pub(super) site: &'l Site,
    /// Whether the tool compiles them.
    pub(super) byte_code: bool,
}

/// Puts the packages of a lock file in place, and says which they are.
pub(super) fn install(
    invocation: &Invocation,
    machine: &mut Machine<'_>,
    locked: &Locked<'_>,
) -> Vec<InstalledPackage> {
    let folder = locked.folder.trim_end_matches('/');
    let manifest = format!("{folder}/pyproject.toml");
    let mut manifests = Vec::new();
    let lock = locked
        .names
        .iter()
        .map(|name| (*name, format!("{folder}/{name}")))
        .find(|(_, path)| machine.tree.get(path).is_some());
    let others = ["pyproject.toml", "Pipfile", ".python-version", "uv.toml"]
        .map(|name| format!("{folder}/{name}"));
    for path in lock.iter().map(|(_, path)| path.clone()).chain(others) {
        if machine.tree.get(&path).is_some() {
            machine.reads(&path);
            manifests.push(path);
        }
    }
    let itself = machine
        .text(&manifest)
        .is_some_and(|text| python::installs_itself(text, locked.tool, &invocation.text));
    if itself {
        machine.reads_anything(format!("`{}` builds the project", invocation.text));
    }
    let read = lock.and_then(|(name, path)| {
        let text = machine.text(&path)?;
        Some((PythonLock::read(name, text, machine.text(&manifest)), path))
    });
    let lock = match read {
        Some((Ok(lock), _)) => lock,
        Some((Err(error), path)) => {
            machine.lock_problem(&path, &error);
            machine.unlisted(&locked.site.packages, invocation.index);
            return Vec::new();
        }
        None => {
            machine.note(format!(
                "`{}` finds no lock file among the files that COPY and ADD bring: what it installs is not known",
                invocation.text
            ));
            machine.unlisted(&locked.site.packages, invocation.index);
            return Vec::new();
        }
    };
    let python = locked.site.python;
    let platform = machine.wheel_platform();
    let mut packages = Vec::new();
    for package in lock.select(&locked.wanted, python) {
        if package.version.is_empty() {
            continue;
        }
        if package.local {
            machine.note(format!(
                "the size of `{}` is not known: it is no package of an index",
                package.name
            ));
            continue;
        }
        packages.push(InstalledPackage::locked(
            machine
                .catalog
                .locked_python_package(package, python, platform),
            package.version.clone(),
        ));
    }
    if !lock.grouped && !locked.wanted.development {
        machine.note(format!(
            "`{}` does not tell what only development needs: all of it is counted",
            manifests.first().map_or("the lock file", String::as_str)
        ));
    }
    packages.retain(|package| !pip::is_there(machine, &locked.site.packages, package));
    pip::store(machine, &locked.site.packages, &packages, locked.byte_code);
    machine.facts.installs.push(Install {
        tool: locked.tool,
        command: invocation.index,
        prefix: locked.site.prefix.clone(),
        packages: pip::names(&packages),
        manifests,
        writes_manifests: false,
    });
    packages
}

/// Byte code that a tool written in Python leaves where it is started first: of modules of the interpreter that nothing loaded before.
pub(super) fn started(machine: &mut Machine<'_>) {
    let path = format!(
        "{}/lib/python/tool/__pycache__",
        machine.interpreter_prefix()
    );
    let writes =
        machine.variable("PYTHONDONTWRITEBYTECODE").is_none() && machine.writes_byte_code();
    if writes && machine.tree.get(&path).is_none() {
        let (size, basis) = machine.catalog.tools().python_tool();
        let part = Part::main(Kind::ByteCode, size);
        machine.put(
            &path,
            "byte code of the modules that the tool loads",
            vec![part],
            &basis,
        );
    }
}

/// A virtual environment of the tool at a path, made if it is not there: without pip, links and scripts to activate it.
pub(super) fn environment(machine: &mut Machine<'_>, prefix: &str) -> Site {
    let prefix = machine.absolute(prefix);
    let python = machine.python_site("python").python;
    if !machine.is_environment(&prefix) {
        let (size, basis) = machine.catalog.tools().bare_environment();
        machine.put(
            &format!("{prefix}/pyvenv.cfg"),
            "a virtual environment",
            vec![Part::main(Kind::Text, size)],
            &basis,
        );
    }
    Site {
        packages: format!("{prefix}/lib/python{}.{}/site-packages", python.0, python.1),
        prefix,
        python,
    }
}

/// The same by virtualenv, which seeds it with pip, and on Pythons before 3.12 with setuptools, if the tool wants it there.
pub(super) fn seeded_environment(
    machine: &mut Machine<'_>,
    prefix: &str,
    setuptools: bool,
) -> Site {
    let made = machine.is_environment(&machine.absolute(prefix));
    let site = environment(machine, prefix);
    if !made {
        let catalog = machine.catalog;
        for (name, (size, basis)) in catalog.tools().seeded(setuptools && site.python < (3, 12)) {
            machine.put(
                &format!("{}/{name}", site.packages),
                format!("{name} of the environment"),
                vec![Part::main(Kind::PythonSource, size)],
                &basis,
            );
        }
    }
    site
}

/// Bytes of packages on the disk, and of the files that they came in.
pub(super) fn sums(packages: &[InstalledPackage]) -> (Size, Size) {
    (
        Size::sum(packages.iter().map(|package| package.facts.installed)),
        Size::sum(packages.iter().map(|package| package.facts.download)),
    )
}
