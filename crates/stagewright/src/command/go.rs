//! `go`: the module cache, the build cache and programs.

use super::{CacheUse, Install, Invocation, Machine, Model};
use crate::ledger::Part;
use crate::size::{Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["go", "gofmt"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "-o",
    "-ldflags",
    "-tags",
    "-gcflags",
    "-asmflags",
    "-mod",
    "-modfile",
    "-p",
    "-buildmode",
    "-C",
    "-pkgdir",
    "-toolexec",
    "-installsuffix",
    "-run",
    "-timeout",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let command = invocation.command(WITH_VALUE);
    match command.as_deref() {
        Some("mod") => {
            let sub = invocation
                .operands_after(WITH_VALUE)
                .into_iter()
                .next()
                .flatten();
            if matches!(sub.as_deref(), Some("download" | "tidy" | "vendor")) {
                modules(invocation, machine);
            }
        }
        Some("build" | "install" | "get" | "test" | "run" | "vet" | "generate") => {
            modules(invocation, machine);
            build(invocation, machine, command.as_deref() == Some("build"));
        }
        Some("clean") => {
            if invocation.has(&["-modcache"]) {
                let path = module_cache(machine);
                machine.remove(&path);
            }
            if invocation.has(&["-cache"]) {
                let path = build_cache(machine);
                machine.remove(&path);
            }
        }
        _ => {}
    }
}

fn module_cache(machine: &Machine<'_>) -> String {
    machine.variable("GOMODCACHE").map_or_else(
        || {
            // Official images set GOPATH; Go's own default is in the home folder.
            let path = machine
                .variable("GOPATH")
                .map_or_else(|| format!("{}/go", machine.home()), str::to_owned);
            format!("{path}/pkg/mod")
        },
        str::to_owned,
    )
}

fn build_cache(machine: &Machine<'_>) -> String {
    machine.variable("GOCACHE").map_or_else(
        || format!("{}/.cache/go-build", machine.home()),
        str::to_owned,
    )
}

/// Modules that `go.sum` lists with their sources, in the module cache.
fn modules(invocation: &Invocation, machine: &mut Machine<'_>) {
    let mut manifests = Vec::new();
    for name in ["go.mod", "go.sum", "go.work", "go.work.sum"] {
        let path = machine.absolute(name);
        if machine.tree.get(&path).is_some() {
            machine.reads(&path);
            manifests.push(path);
        }
    }
    let sum = machine.absolute("go.sum");
    let count = machine.text(&sum).map(|text| {
        text.lines()
            .filter(|line| {
                line.split_whitespace()
                    .nth(1)
                    .is_some_and(|version| !version.ends_with("/go.mod"))
            })
            .count() as u64
    });
    let named = invocation
        .operands_after(WITH_VALUE)
        .into_iter()
        .flatten()
        .filter(|name| name.contains('.') && !name.starts_with('.'))
        .count() as u64;
    let path = module_cache(machine);
    if machine.mounted(&path) || machine.tree.get(&path).is_some() {
        return;
    }
    let count = match count {
        Some(count) => count,
        None if named > 0 => 10 * named,
        // Without go.sum there is nothing to bring.
        None => return,
    };
    let (one, basis) = machine.catalog.tools().go_module();
    let size = Size::sum((0..count.min(10_000)).map(|_| one));
    machine.put(
        &path,
        format!("Go's module cache, {count} modules"),
        vec![Part::main(Kind::Text, size)],
        &basis,
    );
    machine.facts.caches.push(CacheUse {
        tool: "go",
        path: path.clone(),
        size,
        command: invocation.index,
    });
    machine.facts.installs.push(Install {
        tool: "go",
        command: invocation.index,
        prefix: path,
        packages: Vec::new(),
        manifests,
        writes_manifests: false,
    });
}

fn build(invocation: &Invocation, machine: &mut Machine<'_>, builds: bool) {
    machine.runs_code(invocation);
    let cache = build_cache(machine);
    let (size, basis) = machine.catalog.tools().go_build_cache();
    if !machine.mounted(&cache) && machine.tree.get(&cache).is_none() {
        machine.put(
            &cache,
            "Go's build cache",
            vec![Part::main(Kind::Binary, size)],
            &basis,
        );
        machine.facts.caches.push(CacheUse {
            tool: "go",
            path: cache,
            size,
            command: invocation.index,
        });
    }
    let program = machine.catalog.tools().go_program();
    match invocation.option(&["-o"]) {
        Some(path) if path.ends_with('/') || path == "." => {
            machine.scatter(&path, "program", "a program", Kind::Binary, program);
        }
        Some(path) => machine.put_file(&path, Kind::Binary, program),
        None if builds => machine.scatter(".", "program", "a program", Kind::Binary, program),
        None if invocation
            .command(WITH_VALUE)
            .is_some_and(|command| matches!(command.as_str(), "install" | "get")) =>
        {
            let folder = machine.variable("GOBIN").map_or_else(
                || {
                    let path = machine
                        .variable("GOPATH")
                        .map_or_else(|| format!("{}/go", machine.home()), str::to_owned);
                    format!("{path}/bin")
                },
                str::to_owned,
            );
            machine.scatter(
                &folder,
                &format!("program-{}", invocation.index),
                "a program",
                Kind::Binary,
                program,
            );
        }
        None => {}
    }
}
