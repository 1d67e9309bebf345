//! `apt-get` and `apt`: packages with what they depend on, package lists, downloaded archives.

use std::sync::Arc;

use super::{CacheUse, Install, Invocation, Machine, Model};
use crate::ledger::Part;
use crate::size::Kind;

pub(super) const MODEL: Model = Model {
    programs: &["apt-get", "apt", "aptitude"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "-o",
    "--option",
    "-c",
    "--config-file",
    "-t",
    "--target-release",
    "--default-release",
    "-a",
    "--host-architecture",
];
/// Where the lists and the archives are, on Debian and its children.
const LISTS: &str = "/var/lib/apt/lists";
const ARCHIVES: &str = "/var/cache/apt/archives";

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let sub = invocation.command(WITH_VALUE);
    match sub.as_deref() {
        Some("update") => {
            let (size, basis) = machine.catalog.debian_lists();
            machine.put(
                LISTS,
                "package lists",
                vec![Part::main(Kind::PackageLists, size)],
                &basis,
            );
            if !machine.mounted(LISTS) {
                machine.facts.caches.push(CacheUse {
                    tool: "apt-get",
                    path: LISTS.into(),
                    size,
                    command: invocation.index,
                });
            }
        }
        Some("install" | "reinstall") => install(invocation, machine),
        Some("upgrade" | "dist-upgrade" | "full-upgrade") => {
            let (size, basis) = machine.catalog.tools().apt_upgrade();
            machine.put(
                "/…/apt-upgrade",
                "upgraded packages",
                vec![Part::main(Kind::SystemPackage, size)],
                &basis,
            );
            machine.note("what an upgrade replaces depends on the day of the build".into());
        }
        Some("clean" | "autoclean" | "distclean") => machine.remove(ARCHIVES),
        _ => {}
    }
}

fn install(invocation: &Invocation, machine: &mut Machine<'_>) {
    let mut names = Vec::new();
    for operand in invocation.operands_after(WITH_VALUE) {
        match operand {
            Some(name) if name.starts_with(['.', '/']) => {
                machine.reads(&name);
                machine.note(format!(
                    "`{name}` is a package of its own: its size is not known"
                ));
            }
            Some(name) => names.push(name.split(['=', '/']).next().unwrap_or(&name).to_owned()),
            None => machine.note(format!(
                "`{}` installs what only the build knows",
                invocation.text
            )),
        }
    }
    let off = |option: &String| {
        matches!(
            option
                .rsplit_once("Install-Recommends")
                .map(|(_, value)| value.trim_start_matches('=')),
            Some("0" | "false" | "no")
        )
    };
    let recommends = !invocation.has(&["--no-install-recommends"])
        && !invocation.options(&["-o", "--option"]).iter().any(off);
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let Some(base) = machine.base.as_mut() else {
        let (size, basis) = machine.catalog.tools().unmodelled();
        machine.put(
            &format!("/var/lib/dpkg/{}", invocation.index),
            format!("packages {}", names.join(", ")),
            vec![Part::main(Kind::SystemPackage, size)],
            &basis,
        );
        return machine.note("what the base has already is not known: the size of its packages is an order of magnitude".into());
    };
    let closure = machine.catalog.debian_packages(&wanted, recommends, base);
    // Later installs find these there, and later commands can call them.
    let offers = Arc::make_mut(base).offers.to_mut();
    offers.packages.extend(names.iter().cloned());
    offers.commands.extend(names.iter().cloned());
    let label = match closure.packages.len().saturating_sub(names.len()) {
        0 => format!("packages {}", names.join(", ")),
        more => format!("packages {} and {more} that they need", names.join(", ")),
    };
    machine.put(
        &format!("/var/lib/dpkg/{}-{}", machine.layer, invocation.index),
        label,
        vec![Part::main(Kind::SystemPackage, closure.installed)],
        &closure.basis,
    );
    for name in &closure.unknown {
        machine.note(format!(
            "the catalogue has no package `{name}`: its size is a guess"
        ));
    }
    let cleans = machine
        .base
        .as_ref()
        .is_some_and(|base| base.offers.docker_clean);
    if !cleans && !machine.mounted(ARCHIVES) && closure.download.expected > 0 {
        machine.put(
            ARCHIVES,
            "downloaded packages",
            vec![Part::main(Kind::Archive, closure.download)],
            &closure.basis,
        );
        machine.facts.caches.push(CacheUse {
            tool: "apt-get",
            path: ARCHIVES.into(),
            size: closure.download,
            command: invocation.index,
        });
    }
    machine.facts.installs.push(Install {
        tool: "apt-get",
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
