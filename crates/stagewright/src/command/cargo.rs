//! `cargo`: the registry, the target folder and programs.

use super::{CacheUse, Invocation, Machine, Model};
use crate::size::{Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["cargo", "wasm-pack", "trunk"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "--target",
    "--features",
    "-F",
    "--bin",
    "-p",
    "--package",
    "--manifest-path",
    "--target-dir",
    "--profile",
    "-j",
    "--jobs",
    "--root",
    "--version",
    "--git",
    "--branch",
    "--tag",
    "--path",
    "--recipe-path",
    "--example",
    "--config",
    "-Z",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    // `cargo +nightly build`
    let command = invocation
        .args
        .iter()
        .flatten()
        .find(|arg| !arg.starts_with(['-', '+']))
        .cloned();
    match command.as_deref() {
        Some("fetch" | "vendor") => {
            registry(invocation, machine);
        }
        Some("install") => {
            let count = registry(invocation, machine);
            machine.runs_code(invocation);
            let root = invocation
                .option(&["--root"])
                .unwrap_or_else(|| home(machine));
            let program = machine.catalog.tools().cargo_program();
            let names: Vec<String> = invocation
                .operands_after(WITH_VALUE)
                .into_iter()
                .flatten()
                .collect();
            let (mut size, basis) = program;
            size = Size::sum((0..names.len().max(1)).map(|_| size));
            machine.scatter(
                &format!("{root}/bin"),
                &format!("program-{}", invocation.index),
                format!("programs {}", names.join(", ")).trim_end(),
                Kind::Binary,
                (size, basis),
            );
            let _ = count;
        }
        Some(
            "build" | "b" | "rustc" | "run" | "test" | "check" | "clippy" | "chef" | "leptos"
            | "zigbuild" | "auditable",
        ) => build(invocation, machine),
        Some("clean") => machine.remove("target"),
        _ => {}
    }
}

fn home(machine: &Machine<'_>) -> String {
    machine
        .variable("CARGO_HOME")
        .map_or_else(|| format!("{}/.cargo", machine.home()), str::to_owned)
}

/// Crates of the lock file as archives and as sources; their number.
fn registry(invocation: &Invocation, machine: &mut Machine<'_>) -> Option<u64> {
    for name in ["Cargo.toml", "Cargo.lock"] {
        machine.touches(name);
    }
    let lock = machine.absolute("Cargo.lock");
    let count = machine.text(&lock).map(|text| {
        text.lines()
            .filter(|line| line.starts_with("source = \"registry"))
            .count() as u64
    });
    let path = format!("{}/registry", home(machine));
    if machine.mounted(&path)
        || machine.mounted(&home(machine))
        || machine.tree.get(&path).is_some()
    {
        return count;
    }
    let (one, basis) = machine.catalog.tools().cargo_crate();
    // Without a lock file a middling project.
    let size = match count {
        Some(count) => Size::sum((0..count.min(10_000)).map(|_| one)),
        None => Size {
            low: 0,
            ..Size::sum((0..150).map(|_| one))
        },
    };
    if size.high > 0 {
        machine.put_guess(&path, "cargo's registry", Kind::Text, (size, basis));
        machine.facts.caches.push(CacheUse {
            tool: "cargo",
            path,
            size,
            command: invocation.index,
        });
    }
    count
}

fn build(invocation: &Invocation, machine: &mut Machine<'_>) {
    machine.runs_code(invocation);
    let count = registry(invocation, machine).unwrap_or(150);
    let folder = invocation
        .option(&["--target-dir"])
        .or_else(|| machine.variable("CARGO_TARGET_DIR").map(str::to_owned))
        .unwrap_or_else(|| "target".into());
    let folder = machine.absolute(&folder);
    if machine.mounted(&folder) {
        return;
    }
    let release =
        invocation.has(&["--release", "-r"]) || invocation.option(&["--profile"]).is_some();
    let profile = if release { "release" } else { "debug" };
    let (one, basis) = machine.catalog.tools().cargo_target();
    let size = Size::sum((0..count.clamp(1, 10_000)).map(|_| one));
    machine.put_guess(
        &format!("{folder}/{profile}/deps"),
        "what cargo compiles",
        Kind::Binary,
        (size, basis),
    );
    // Programs by the names that the manifest gives them.
    let program = machine.catalog.tools().cargo_program();
    let manifest = machine.absolute("Cargo.toml");
    let names = machine.text(&manifest).map(programs).unwrap_or_default();
    let triple = invocation
        .option(&["--target"])
        .map_or_else(String::new, |triple| format!("/{triple}"));
    for name in &names {
        machine.put_file(
            &format!("{folder}{triple}/{profile}/{name}"),
            Kind::Binary,
            program.clone(),
        );
    }
    if names.is_empty() {
        machine.scatter(
            &format!("{folder}{triple}/{profile}"),
            "program",
            "programs",
            Kind::Binary,
            program,
        );
    }
}

/// The names of the programs of a manifest.
fn programs(manifest: &str) -> Vec<String> {
    let Ok(table) = manifest.parse::<toml::Table>() else {
        return Vec::new();
    };
    let name = |table: &toml::Value| {
        table
            .get("name")
            .and_then(toml::Value::as_str)
            .map(str::to_owned)
    };
    let listed: Vec<String> = table
        .get("bin")
        .and_then(toml::Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(name)
        .collect();
    if listed.is_empty() {
        table.get("package").and_then(name).into_iter().collect()
    } else {
        listed
    }
}
