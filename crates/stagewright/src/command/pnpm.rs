//! `pnpm`: one store, and `node_modules` that share its bytes by hard links.

use super::{CacheUse, Install, Invocation, Machine, Model, corepack, npm, script};
use crate::facts::PackageLock;
use crate::ledger::Part;
use crate::size::{Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["pnpm", "pnpx"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "-C",
    "--dir",
    "--filter",
    "-F",
    "--store-dir",
    "--reporter",
    "--loglevel",
    "--registry",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    if corepack::is_enabled(machine) {
        corepack::manager(machine);
    }
    let folder = invocation
        .option(&["-C", "--dir"])
        .map_or_else(|| machine.cwd.clone(), |path| machine.absolute(&path));
    match invocation.command(WITH_VALUE).as_deref() {
        None | Some("install" | "i" | "ci" | "fetch") => install(invocation, machine, &folder, &[]),
        Some("add") => {
            let named: Vec<String> = invocation
                .operands_after(WITH_VALUE)
                .into_iter()
                .flatten()
                .collect();
            let folder = if invocation.has(&["-g", "--global"]) {
                format!("{}/global", home(machine))
            } else {
                folder
            };
            install(invocation, machine, &folder, &named);
        }
        Some("deploy") => {
            // The packages of one workspace, in a folder of their own.
            if let Some(target) = invocation
                .operands_after(WITH_VALUE)
                .into_iter()
                .next()
                .flatten()
            {
                let target = machine.absolute(&target);
                machine.copy(
                    &format!("{folder}/node_modules"),
                    &format!("{target}/node_modules"),
                );
            }
        }
        Some("prune") => npm::prune(machine, &folder),
        Some(
            "store" | "config" | "env" | "setup" | "list" | "ls" | "why" | "audit" | "licenses",
        ) => {}
        Some(_) => script::run(invocation, machine, "."),
    }
}

fn home(machine: &Machine<'_>) -> String {
    machine.variable("PNPM_HOME").map_or_else(
        || format!("{}/.local/share/pnpm", machine.home()),
        str::to_owned,
    )
}

fn install(invocation: &Invocation, machine: &mut Machine<'_>, folder: &str, named: &[String]) {
    let folder = folder.trim_end_matches('/');
    let manifests = npm::read_manifests(
        invocation,
        machine,
        folder,
        &[
            "package.json",
            "pnpm-lock.yaml",
            "pnpm-workspace.yaml",
            ".npmrc",
        ],
    );
    let production = invocation.has(&["--prod", "-P", "--production"])
        || (machine.variable("NODE_ENV") == Some("production")
            && !invocation.has(&["-D", "--dev"]));
    let lock = format!("{folder}/pnpm-lock.yaml");
    let path = machine.tree.get(&lock).is_some().then(|| lock.clone());
    let locked = named.is_empty() && path.is_some();
    let packages = if named.is_empty() {
        npm::read_lock(
            invocation,
            machine,
            folder,
            path,
            production,
            PackageLock::read_pnpm,
        )
    } else {
        npm::with_needs(
            machine,
            &format!("{folder}/node_modules"),
            invocation.index,
            named,
        )
    };
    let (installed, _) = npm::place(machine, &format!("{folder}/node_modules"), &packages);
    let all = Size::sum(installed);
    // A copy of the lock file says what is installed.
    if let Some((size, basis)) = machine.matching(&lock).next() {
        let copy = format!("{folder}/node_modules/.pnpm/lock.yaml");
        machine.put_guess(
            &copy,
            "pnpm's list of what is installed",
            Kind::Text,
            (size, basis),
        );
    }
    let path = invocation.option(&["--store-dir"]).map_or_else(
        || format!("{}/store", home(machine)),
        |path| machine.absolute(&path),
    );
    let metadata = format!("{}/.cache/pnpm", machine.home());
    if !packages.is_empty() && !machine.mounted(&metadata) {
        let (size, basis) = machine.catalog.tools().pnpm_metadata(all, locked);
        machine.put(
            &metadata,
            "what the registry said, as pnpm keeps it",
            vec![Part::main(Kind::Text, size)],
            &basis,
        );
        machine.facts.caches.push(CacheUse {
            tool: "pnpm",
            path: metadata,
            size,
            command: invocation.index,
        });
    }
    if !packages.is_empty() && !machine.mounted(&path) {
        let (size, basis) = machine.catalog.tools().pnpm_store(all);
        machine.put(
            &path,
            "pnpm's store, without what node_modules shares with it",
            vec![Part::main(Kind::Text, size)],
            &basis,
        );
        machine.facts.caches.push(CacheUse {
            tool: "pnpm",
            path,
            size,
            command: invocation.index,
        });
    }
    machine.facts.installs.push(Install {
        tool: "pnpm",
        command: invocation.index,
        prefix: folder.to_owned(),
        packages: packages
            .into_iter()
            .map(|package| (package.name, package.version))
            .collect(),
        manifests,
        writes_manifests: !invocation.has(&["--frozen-lockfile"]),
    });
}
