//! `uv`: environments from lock files, a pip of its own, tools and interpreters. Its cache shares the bytes of what is installed on the
//! same file system (hard links), unless told to copy.

use super::locked::{self, Locked};
use super::pip::{self, Closure};
use super::{CacheUse, Invocation, Machine, Model};
use crate::facts::{InstalledPackage, Wanted};
use crate::ledger::Part;
use crate::size::{Basis, Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["uv", "uvx"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "-p",
    "--python",
    "--group",
    "--no-group",
    "--only-group",
    "--extra",
    "--no-extra",
    "--project",
    "--directory",
    "--package",
    "--cache-dir",
    "--index-url",
    "-i",
    "--extra-index-url",
    "--index",
    "--default-index",
    "--link-mode",
    "--no-install-package",
    "--config-file",
    "--with",
    "--from",
    "-o",
    "--output-file",
    "--format",
    "--resolution",
    "--prerelease",
    "--exclude-newer",
    "--python-preference",
    "--color",
    "-f",
    "--find-links",
    "--torch-backend",
    "--index-strategy",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let folder = invocation
        .option(&["--directory", "--project"])
        .map_or_else(|| machine.cwd.clone(), |path| machine.absolute(&path));
    let command = if invocation.program == "uvx" {
        Some("run".to_owned())
    } else {
        invocation.command(WITH_VALUE)
    };
    match command.as_deref() {
        Some("sync") => sync(invocation, machine, &folder),
        Some("run") => {
            if !invocation.has(&["--no-sync", "--no-project"]) && invocation.program == "uv" {
                sync(invocation, machine, &folder);
            }
            super::script::run(invocation, machine, &folder);
        }
        Some("pip") => uv_pip(invocation, machine),
        Some("venv") => {
            let path = invocation
                .operands_after(WITH_VALUE)
                .into_iter()
                .next()
                .flatten();
            locked::environment(machine, path.as_deref().unwrap_or(".venv"));
        }
        Some("tool") => tool(invocation, machine),
        Some("python") => interpreter(invocation, machine),
        Some("add" | "remove" | "build" | "lock" | "export") => {
            machine.reads_anything(format!("`{}` resolves versions", invocation.text));
            machine.note(format!(
                "what `{}` finds depends on the day of the build",
                invocation.text
            ));
        }
        Some("cache") => {
            let path = cache_path(invocation, machine);
            machine.remove(&path);
        }
        _ => {}
    }
}

fn compiles(invocation: &Invocation, machine: &Machine<'_>) -> bool {
    invocation.has(&["--compile-bytecode", "--compile"])
        || matches!(machine.variable("UV_COMPILE_BYTECODE"), Some(value) if value != "0" && value != "false")
}

fn sync(invocation: &Invocation, machine: &mut Machine<'_>, folder: &str) {
    let path = machine.variable("UV_PROJECT_ENVIRONMENT").map_or_else(
        || format!("{folder}/.venv"),
        |path| {
            if path.starts_with('/') {
                path.to_owned()
            } else {
                format!("{folder}/{path}")
            }
        },
    );
    // `UV_PROJECT_ENVIRONMENT=/usr/local`: the interpreter's own folder.
    let own = machine.python_site("python");
    let site = if own.prefix == path {
        own
    } else {
        locked::environment(machine, &path)
    };
    let off = invocation.has(&["--no-dev", "--no-default-groups"])
        || matches!(machine.variable("UV_NO_DEV"), Some("1" | "true"));
    // Of its own accord uv installs one group, whatever the others are called.
    let own = if off {
        Vec::new()
    } else {
        vec!["dev".to_owned()]
    };
    let wanted = Wanted {
        development: false,
        groups: [
            own,
            invocation.options(&["--group"]),
            invocation.options(&["--extra"]),
            invocation.options(&["--only-group"]),
        ]
        .concat(),
        all: invocation.has(&["--all-groups", "--all-extras"]),
    };
    let packages = locked::install(
        invocation,
        machine,
        &Locked {
            tool: "uv",
            folder,
            names: &["uv.lock", "pylock.toml"],
            wanted,
            site: &site,
            byte_code: compiles(invocation, machine),
        },
    );
    cache(invocation, machine, &packages);
}

/// `uv pip install` and `uv pip sync`.
fn uv_pip(invocation: &Invocation, machine: &mut Machine<'_>) {
    let at = invocation
        .args
        .iter()
        .position(|arg| arg.as_deref() == Some("pip"))
        .map_or(0, |at| at + 1);
    let rest = invocation.args.get(at..).unwrap_or_default();
    let system = invocation.has(&["--system"])
        || matches!(machine.variable("UV_SYSTEM_PYTHON"), Some("1" | "true"));
    // Options that pip does not have, with their values.
    let mut args = Vec::new();
    let mut skip = false;
    for arg in rest {
        match arg.as_deref() {
            _ if skip => skip = false,
            Some(
                "-p" | "--python" | "--link-mode" | "--index-strategy" | "--torch-backend"
                | "--exclude-newer" | "--resolution" | "--prerelease",
            ) => skip = true,
            _ => args.push(arg.clone()),
        }
    }
    let inner = Invocation {
        args,
        ..invocation.clone()
    };
    let inner = match inner.command(&[]).as_deref() {
        Some("install") => inner,
        Some("sync") => {
            let files = inner.operands_after(WITH_VALUE);
            pip::files_as_requirements(&Invocation {
                args: files,
                ..inner
            })
        }
        _ => return,
    };
    let site = if system {
        machine.python_site("python")
    } else {
        let path = machine.variable("VIRTUAL_ENV").map(str::to_owned);
        let path = path.unwrap_or_else(|| ".venv".to_owned());
        if machine.is_environment(&machine.absolute(&path)) {
            locked::environment(machine, &path)
        } else {
            machine.python_site("python")
        }
    };
    let Closure {
        packages,
        manifests,
        unknown_needs,
    } = pip::closure(&inner, machine, &site);
    let folder = invocation
        .option(&["-t", "--target"])
        .map_or_else(|| site.packages.clone(), |path| machine.absolute(&path));
    let byte_code = compiles(invocation, machine);
    pip::store(machine, &folder, &packages, byte_code);
    pip::needs(machine, &folder, invocation.index, unknown_needs);
    cache(invocation, machine, &packages);
    machine.facts.installs.push(super::Install {
        tool: "uv",
        command: invocation.index,
        prefix: site.prefix,
        packages: pip::names(&packages),
        manifests,
        writes_manifests: false,
    });
}

/// `uv tool install`: an environment for each tool.
fn tool(invocation: &Invocation, machine: &mut Machine<'_>) {
    let mut operands = invocation.operands_after(WITH_VALUE).into_iter().flatten();
    if operands.next().as_deref() != Some("install") {
        return;
    }
    let folder = machine.variable("UV_TOOL_DIR").map_or_else(
        || format!("{}/.local/share/uv/tools", machine.home()),
        str::to_owned,
    );
    let names: Vec<String> = operands.collect();
    for name in names {
        let own = name
            .split(['=', '<', '>', '~', '[', '@'])
            .next()
            .unwrap_or(&name)
            .to_owned();
        let site = locked::environment(machine, &format!("{folder}/{own}"));
        let inner = Invocation {
            args: vec![Some("install".into()), Some(name.replace('@', "=="))],
            ..invocation.clone()
        };
        let Closure {
            packages,
            unknown_needs,
            ..
        } = pip::closure(&inner, machine, &site);
        let byte_code = compiles(invocation, machine);
        pip::store(machine, &site.packages, &packages, byte_code);
        pip::needs(machine, &site.packages, invocation.index, unknown_needs);
        cache(invocation, machine, &packages);
    }
}

/// `uv python install`: a Python of its own for each version.
fn interpreter(invocation: &Invocation, machine: &mut Machine<'_>) {
    let mut operands = invocation.operands_after(WITH_VALUE).into_iter().flatten();
    if operands.next().as_deref() != Some("install") {
        return;
    }
    let folder = invocation
        .option(&["--install-dir"])
        .or_else(|| machine.variable("UV_PYTHON_INSTALL_DIR").map(str::to_owned))
        .unwrap_or_else(|| format!("{}/.local/share/uv/python", machine.home()));
    let mut versions: Vec<String> = operands.collect();
    if versions.is_empty() {
        versions.push("default".into());
    }
    for version in versions {
        let size = machine.guess(|guess| &guess.interpreter);
        machine.scatter(
            &folder,
            &version,
            format!("Python {version}"),
            Kind::Binary,
            size,
        );
    }
}

fn cache_path(invocation: &Invocation, machine: &Machine<'_>) -> String {
    invocation
        .option(&["--cache-dir"])
        .or_else(|| machine.variable("UV_CACHE_DIR").map(str::to_owned))
        .map_or_else(
            || format!("{}/.cache/uv", machine.home()),
            |path| machine.absolute(&path),
        )
}

fn cache(invocation: &Invocation, machine: &mut Machine<'_>, packages: &[InstalledPackage]) {
    let path = cache_path(invocation, machine);
    let off = invocation.has(&["--no-cache", "-n", "--no-cache-dir"])
        || matches!(machine.variable("UV_NO_CACHE"), Some(value) if value != "0");
    if off || packages.is_empty() || machine.mounted(&path) {
        return;
    }
    let (installed, _) = locked::sums(packages);
    let copies = invocation.option(&["--link-mode"]).as_deref() == Some("copy")
        || machine.variable("UV_LINK_MODE") == Some("copy");
    let (size, basis): (Size, Basis) = if copies {
        (
            installed,
            Basis::new("a copy of what is installed, without byte code"),
        )
    } else {
        machine.catalog.tools().uv_cache(installed)
    };
    machine.put(
        &path,
        "uv's cache",
        vec![Part::main(Kind::Other, size)],
        &basis,
    );
    machine.facts.caches.push(CacheUse {
        tool: "uv",
        path,
        size,
        command: invocation.index,
    });
}
