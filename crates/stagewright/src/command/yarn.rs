//! `yarn`, 1 and later: `node_modules` or an archive for each package, and a cache.

use super::{CacheUse, Install, Invocation, Machine, Model, corepack, npm, script};
use crate::facts::PackageLock;
use crate::ledger::Part;
use crate::size::{Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["yarn", "yarnpkg"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "--cwd",
    "--cache-folder",
    "--modules-folder",
    "--network-timeout",
    "--registry",
    "--network-concurrency",
    "--mutex",
    "--prod",
    "-W",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    if corepack::is_enabled(machine) {
        corepack::manager(machine);
    }
    let folder = invocation
        .option(&["--cwd"])
        .map_or_else(|| machine.cwd.clone(), |path| machine.absolute(&path));
    let command = invocation.command(&WITH_VALUE[..WITH_VALUE.len() - 2]);
    match command.as_deref() {
        None | Some("install" | "add") => install(invocation, machine, &folder, &[]),
        Some("global") => {
            let named: Vec<String> = invocation
                .operands_after(WITH_VALUE)
                .into_iter()
                .flatten()
                .filter(|word| word != "add")
                .collect();
            install(
                invocation,
                machine,
                "/usr/local/share/.config/yarn/global",
                &named,
            );
        }
        Some("workspaces") if invocation.args.iter().flatten().any(|arg| arg == "focus") => {
            install(invocation, machine, &folder, &[]);
        }
        Some("cache") => {
            for path in caches(invocation, machine) {
                machine.remove(&path);
            }
        }
        Some(
            "config" | "set" | "policies" | "plugin" | "version" | "why" | "list" | "info"
            | "audit" | "autoclean",
        ) => {}
        // A script of the project, with or without `run`.
        Some(_) => script::run(invocation, machine, "."),
    }
}

/// The cache folders of yarn 1 and of later ones.
fn caches(invocation: &Invocation, machine: &Machine<'_>) -> [String; 2] {
    let first = invocation
        .option(&["--cache-folder"])
        .or_else(|| machine.variable("YARN_CACHE_FOLDER").map(str::to_owned))
        .unwrap_or_else(|| {
            if machine.home() == "/root" {
                "/usr/local/share/.cache/yarn".into()
            } else {
                format!("{}/.cache/yarn", machine.home())
            }
        });
    let later = machine.variable("YARN_GLOBAL_FOLDER").map_or_else(
        || format!("{}/.yarn/berry/cache", machine.home()),
        |path| format!("{path}/cache"),
    );
    [first, later]
}

/// Yarn 1 keeps its own code compiled.
fn compiled(machine: &mut Machine<'_>) {
    if !machine.mounted("/tmp") {
        let (size, basis) = machine.catalog.tools().yarn_compiled();
        machine.put(
            "/tmp/v8-compile-cache-0",
            "yarn's own code, compiled",
            vec![Part::main(Kind::Other, size)],
            &basis,
        );
    }
}

fn install(invocation: &Invocation, machine: &mut Machine<'_>, folder: &str, named: &[String]) {
    let folder = folder.trim_end_matches('/');
    let manifests = npm::read_manifests(
        invocation,
        machine,
        folder,
        &["package.json", "yarn.lock", ".yarnrc.yml", ".yarnrc"],
    );
    let production = invocation.has(&["--production", "--prod"])
        || (machine.variable("NODE_ENV") == Some("production")
            && !invocation
                .args
                .iter()
                .flatten()
                .any(|arg| arg == "--production=false"));
    let manifest = machine
        .text(&format!("{folder}/package.json"))
        .map(str::to_owned);
    let settings = machine
        .text(&format!("{folder}/.yarnrc.yml"))
        .map(str::to_owned);
    let lock = format!("{folder}/yarn.lock");
    let later = settings.is_some()
        || machine
            .text(&lock)
            .is_some_and(|text| text.contains("__metadata:"));
    let packages = if named.is_empty() {
        let path = machine.tree.get(&lock).is_some().then(|| lock.clone());
        npm::read_lock(invocation, machine, folder, path, production, |text| {
            PackageLock::read_yarn(text, manifest.as_deref())
        })
    } else {
        npm::with_needs(
            machine,
            &format!("{folder}/node_modules"),
            invocation.index,
            named,
        )
    };
    // Without a setting later yarns keep packages in archives, and make no `node_modules`.
    let linked = !later
        || settings.as_deref().is_some_and(|text| {
            text.contains("nodeLinker: node-modules") || text.contains("nodeLinker: pnpm")
        });
    let (installed, _) = if linked {
        npm::place(machine, &format!("{folder}/node_modules"), &packages)
    } else {
        npm::sizes(machine, &packages)
    };
    if !later {
        compiled(machine);
    }
    let whole = Size::sum(installed);
    let [first, global] = caches(invocation, machine);
    let path = if !later {
        first
    } else if settings
        .as_deref()
        .is_some_and(|text| text.contains("enableGlobalCache: false"))
    {
        format!("{folder}/.yarn/cache")
    } else {
        global
    };
    if !packages.is_empty() && !machine.mounted(&path) {
        let tools = machine.catalog.tools();
        let (size, basis) = if later {
            tools.yarn_later_cache(whole)
        } else {
            tools.yarn_cache(whole)
        };
        machine.put(
            &path,
            "yarn's cache",
            vec![Part::main(
                if later { Kind::JavaScript } else { Kind::Other },
                size,
            )],
            &basis,
        );
        if linked {
            machine.facts.caches.push(CacheUse {
                tool: "yarn",
                path,
                size,
                command: invocation.index,
            });
        }
    }
    machine.facts.installs.push(Install {
        tool: "yarn",
        command: invocation.index,
        prefix: folder.to_owned(),
        packages: packages
            .into_iter()
            .map(|package| (package.name, package.version))
            .collect(),
        manifests,
        writes_manifests: !invocation.has(&["--frozen-lockfile", "--immutable"]),
    });
}
