//! `bun`: `node_modules` that share the bytes of its cache by hard links.

use super::{CacheUse, Install, Invocation, Machine, Model, npm, script};
use crate::facts::PackageLock;
use crate::kind;
use crate::ledger::Part;
use crate::size::{Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["bun"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "--cwd",
    "--cache-dir",
    "--registry",
    "--outfile",
    "--outdir",
    "--target",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let folder = invocation
        .option(&["--cwd"])
        .map_or_else(|| machine.cwd.clone(), |path| machine.absolute(&path));
    match invocation.command(WITH_VALUE).as_deref() {
        Some("install" | "i" | "ci") => install(invocation, machine, &folder, &[]),
        Some("add" | "a") => {
            let named: Vec<String> = invocation
                .operands_after(WITH_VALUE)
                .into_iter()
                .flatten()
                .collect();
            install(invocation, machine, &folder, &named);
        }
        Some("pm") | None => {}
        Some("build") if invocation.option(&["--outfile"]).is_some() => {
            machine.runs_code(invocation);
            if let Some(path) = invocation.option(&["--outfile"]) {
                let size = machine.guess(|guess| &guess.script_output);
                machine.put_file(&path, kind::of_path(&path), size);
            }
        }
        Some(_) => script::run(invocation, machine, "."),
    }
}

fn install(invocation: &Invocation, machine: &mut Machine<'_>, folder: &str, named: &[String]) {
    let folder = folder.trim_end_matches('/');
    let manifests = npm::read_manifests(
        invocation,
        machine,
        folder,
        &["package.json", "bun.lock", "bun.lockb", "bunfig.toml"],
    );
    let production = invocation.has(&["-p", "--production"])
        || machine.variable("NODE_ENV") == Some("production");
    let packages = if named.is_empty() {
        let lock = format!("{folder}/bun.lock");
        let path = machine.tree.get(&lock).is_some().then_some(lock);
        npm::read_lock(
            invocation,
            machine,
            folder,
            path,
            production,
            PackageLock::read_bun,
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
    let path = machine.variable("BUN_INSTALL_CACHE_DIR").map_or_else(
        || format!("{}/.bun/install/cache", machine.home()),
        str::to_owned,
    );
    if !packages.is_empty() && !machine.mounted(&path) {
        let (size, basis) = machine.catalog.tools().bun_cache(Size::sum(installed));
        machine.put(
            &path,
            "bun's cache, without what node_modules shares with it",
            vec![Part::main(Kind::Text, size)],
            &basis,
        );
        machine.facts.caches.push(CacheUse {
            tool: "bun",
            path,
            size,
            command: invocation.index,
        });
    }
    machine.facts.installs.push(Install {
        tool: "bun",
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
