//! `apk`: Alpine's packages and its index.

use std::sync::Arc;

use super::{CacheUse, Install, Invocation, Machine, Model};
use crate::ledger::Part;
use crate::size::{Basis, Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["apk"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "-t",
    "--virtual",
    "-X",
    "--repository",
    "-p",
    "--root",
    "--keys-dir",
    "--cache-dir",
    "--arch",
];
const INDEX: &str = "/var/cache/apk";

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    match invocation.command(WITH_VALUE).as_deref() {
        Some("add") => add(invocation, machine),
        Some("update") => index(invocation, machine),
        Some("del") => {
            for name in invocation.operands_after(WITH_VALUE).into_iter().flatten() {
                let members = machine.virtual_packages.remove(&name).unwrap_or_default();
                for path in members {
                    machine.remove(&path);
                }
            }
        }
        Some("cache") => machine.remove(INDEX),
        _ => {}
    }
}

fn package_path(name: &str) -> String {
    format!("/lib/apk/packages/{name}")
}

fn index(invocation: &Invocation, machine: &mut Machine<'_>) {
    if machine.mounted(INDEX) || machine.tree.get(INDEX).is_some() {
        return;
    }
    let (size, basis) = machine.catalog.tools().apk_index();
    machine.put(
        INDEX,
        "package index",
        vec![Part::main(Kind::PackageLists, size)],
        &basis,
    );
    machine.facts.caches.push(CacheUse {
        tool: "apk",
        path: INDEX.into(),
        size,
        command: invocation.index,
    });
}

fn add(invocation: &Invocation, machine: &mut Machine<'_>) {
    if !invocation.has(&["--no-cache"]) {
        index(invocation, machine);
    }
    let mut names = Vec::new();
    for operand in invocation.operands_after(WITH_VALUE) {
        match operand {
            Some(name) => names.push(
                name.split(['=', '<', '>', '~', '@'])
                    .next()
                    .unwrap_or(&name)
                    .to_owned(),
            ),
            None => machine.note(format!(
                "`{}` installs what only the build knows",
                invocation.text
            )),
        }
    }
    let mut members = Vec::new();
    let known = machine.catalog.interpreters().alpine_packages(&names);
    if let Some((size, basis)) = known {
        let path = package_path(&format!("{}-{}", machine.layer, invocation.index));
        machine.put(
            &path,
            format!("packages {}", names.join(", ")),
            vec![Part::main(Kind::SystemPackage, size)],
            &basis,
        );
        members.push(path);
    } else {
        for name in &names {
            let (size, basis) = package(machine, name);
            let path = package_path(name);
            machine.put(
                &path,
                format!("package {name}"),
                vec![Part::main(Kind::SystemPackage, size)],
                &basis,
            );
            machine
                .virtual_packages
                .insert(name.clone(), vec![path.clone()]);
            members.push(path);
        }
    }
    if let Some(group) = invocation.option(&["-t", "--virtual"]) {
        machine.virtual_packages.insert(group, members);
    }
    machine.facts.installs.push(Install {
        tool: "apk",
        command: invocation.index,
        prefix: "/".into(),
        packages: names
            .into_iter()
            .map(|name| (name, String::new()))
            .collect(),
        manifests: Vec::new(),
        writes_manifests: false,
    });
}

/// What one package adds to those that are there already.
fn package(machine: &mut Machine<'_>, name: &str) -> (Size, Basis) {
    let Some(base) = machine.base.as_mut() else {
        return machine.catalog.tools().alpine_package();
    };
    let closure = machine.catalog.alpine_packages(&[name], base);
    let offers = Arc::make_mut(base).offers.to_mut();
    Arc::make_mut(&mut offers.packages).push(name.into());
    if !closure.unknown.is_empty() {
        machine.note(format!(
            "the catalogue has no Alpine package `{name}`: its size is a guess"
        ));
    }
    (closure.installed, closure.basis)
}
