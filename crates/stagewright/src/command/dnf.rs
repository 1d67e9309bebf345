//! `dnf`, `yum`, `microdnf`, `tdnf`, `zypper`: packages of rpm distributions and their metadata. No table lists their sizes.

use super::{CacheUse, Install, Invocation, Machine, Model};
use crate::ledger::Part;
use crate::size::{Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &[
        "dnf",
        "yum",
        "microdnf",
        "tdnf",
        "zypper",
        "dnf5",
        "rpm",
        "yum-config-manager",
    ],
    run,
};

const WITH_VALUE: &[&str] = &[
    "-c",
    "--config",
    "--enablerepo",
    "--disablerepo",
    "--installroot",
    "--releasever",
    "--setopt",
    "-x",
    "--exclude",
    "--repo",
    "--root",
    "--prefix",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let name = invocation.program.as_str();
    if name == "rpm" {
        if invocation.has(&["-i", "-U", "-F", "--install", "--upgrade"]) {
            let files: Vec<String> = invocation.operands().flatten().collect();
            install(invocation, machine, files);
        }
        return;
    }
    if name == "yum-config-manager" {
        return;
    }
    match invocation.command(WITH_VALUE).as_deref() {
        Some(
            "install" | "localinstall" | "in" | "groupinstall" | "reinstall" | "module" | "group",
        ) => {
            metadata(invocation, machine);
            let mut names = Vec::new();
            for operand in invocation.operands_after(WITH_VALUE) {
                match operand {
                    Some(name) => names.push(name),
                    None => machine.note(format!(
                        "`{}` installs what only the build knows",
                        invocation.text
                    )),
                }
            }
            install(invocation, machine, names);
        }
        Some("update" | "upgrade" | "distro-sync" | "dup") => {
            metadata(invocation, machine);
            let (size, basis) = machine.catalog.tools().apt_upgrade();
            machine.put(
                "/…/rpm-upgrade",
                "upgraded packages",
                vec![Part::main(Kind::SystemPackage, size)],
                &basis,
            );
            machine.note("what an upgrade replaces depends on the day of the build".into());
        }
        Some("makecache" | "refresh" | "ref" | "check-update") => metadata(invocation, machine),
        Some("clean" | "cc") => {
            for folder in [CACHE, YUM_CACHE, ZYPP_CACHE, TDNF_CACHE] {
                machine.remove(folder);
            }
        }
        Some("remove" | "erase" | "autoremove" | "rm") => {
            for name in invocation.operands_after(WITH_VALUE).into_iter().flatten() {
                let path = package(&name);
                machine.remove(&path);
            }
        }
        _ => {}
    }
}

const CACHE: &str = "/var/cache/dnf";
const YUM_CACHE: &str = "/var/cache/yum";
const TDNF_CACHE: &str = "/var/cache/tdnf";
const ZYPP_CACHE: &str = "/var/cache/zypp";

fn metadata(invocation: &Invocation, machine: &mut Machine<'_>) {
    let folder = match invocation.program.as_str() {
        "yum" => YUM_CACHE,
        "tdnf" => TDNF_CACHE,
        "zypper" => ZYPP_CACHE,
        _ => CACHE,
    };
    if machine.mounted(folder) || machine.tree.has(folder) {
        return;
    }
    let (size, basis) = machine.guess(|guess| &guess.rpm_metadata);
    machine.put(
        folder,
        "repository metadata",
        vec![Part::main(Kind::PackageLists, size)],
        &basis,
    );
    machine.facts.caches.push(CacheUse {
        tool: "dnf",
        path: folder.into(),
        size,
        command: invocation.index,
    });
}

fn package(name: &str) -> String {
    format!(
        "/usr/lib/sysimage/rpm/{}",
        name.rsplit('/')
            .next()
            .unwrap_or(name)
            .trim_start_matches('@')
    )
}

fn install(invocation: &Invocation, machine: &mut Machine<'_>, names: Vec<String>) {
    for name in &names {
        machine.touches(name);
        let path = package(name);
        if machine.tree.get(&path).is_some() {
            continue;
        }
        let known: Option<Size> = machine.matching(name).next().map(|(size, _)| size);
        let sized = match known {
            // A package file that is here: its unpacked size is a multiple of its own.
            Some(_) if name.ends_with(".rpm") => super::tar::unpacked(machine, known),
            _ => machine.guess(|guess| &guess.rpm_package),
        };
        machine.put_guess(&path, format!("package {name}"), Kind::SystemPackage, sized);
    }
    machine.facts.installs.push(Install {
        tool: "dnf",
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
