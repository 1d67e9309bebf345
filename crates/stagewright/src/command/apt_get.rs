//! `apt-get` and `apt`: packages with what they depend on, package lists, downloaded archives.

use std::sync::Arc;

use super::{CacheUse, Install, Invocation, Machine, Model};
use crate::facts::Names;
use crate::ledger::Part;
use crate::size::{Kind, Size};

pub(super) const MODEL: Model = Model {
    programs: &["apt-get", "apt", "aptitude", "apt-mark"],
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

/// What one command of this RUN installed, as far as a later one may remove it again.
#[derive(Clone, Debug)]
pub(crate) struct AptInstall {
    path: String,
    names: Vec<String>,
    /// Names that were removed again while what they need stays.
    gone: Vec<String>,
    recommends: bool,
    /// What was there before.
    before: Names,
    /// `apt-mark auto`: the next `autoremove` takes it.
    automatic: bool,
    /// `… | xargs apt-mark manual`: but for some that only the build knows.
    some_stay: bool,
    /// How many packages came.
    count: usize,
}

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    if invocation.program == "apt-mark" {
        return mark(invocation, machine);
    }
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
            let (guess, basis) = machine.catalog.tools().apt_upgrade();
            // It replaces what is there.
            let base = machine
                .base
                .as_ref()
                .map_or(u64::MAX, |base| base.uncompressed.high);
            let size = Size::range(guess.low, guess.expected.min(base), guess.high.min(base));
            machine.put(
                "/…/apt-upgrade",
                "upgraded packages",
                vec![Part::main(Kind::SystemPackage, size)],
                &basis,
            );
            machine.note("what an upgrade replaces depends on the day of the build".into());
        }
        Some(sub @ ("remove" | "purge" | "autoremove" | "autopurge")) => {
            let auto =
                sub.starts_with("auto") || invocation.has(&["--auto-remove", "--autoremove"]);
            let names: Vec<String> = invocation
                .operands_after(WITH_VALUE)
                .into_iter()
                .flatten()
                .collect();
            remove(machine, &names, auto);
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
    let path = format!("/var/lib/dpkg/{}-{}", machine.layer, invocation.index);
    let before = machine
        .base
        .as_ref()
        .map(|base| Arc::clone(&base.offers.packages));
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
    Arc::make_mut(&mut offers.packages).extend(names.iter().map(|name| Arc::from(&**name)));
    let label = match closure.packages.len().saturating_sub(names.len()) {
        0 => format!("packages {}", names.join(", ")),
        more => format!("packages {} and {more} that they need", names.join(", ")),
    };
    machine.apt.push(AptInstall {
        path: path.clone(),
        names: names.clone(),
        gone: Vec::new(),
        recommends,
        before: before.unwrap_or_default(),
        automatic: false,
        some_stay: false,
        count: closure.packages.len(),
    });
    machine.put(
        &path,
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

/// `apt-mark auto`: what is marked goes with the next `autoremove`, unless something needs it.
fn mark(invocation: &Invocation, machine: &mut Machine<'_>) {
    match invocation.args.first().cloned().flatten().as_deref() {
        Some("auto") => {}
        Some("manual") if invocation.args.len() == 1 => {
            for install in &mut machine.apt {
                install.some_stay = true;
            }
            return;
        }
        _ => return,
    }
    let all = invocation.args[1..]
        .iter()
        .flatten()
        .any(|name| name == ".*");
    for install in &mut machine.apt {
        install.automatic |= all;
    }
}

/// `apt-get purge`: what this RUN installed weighs as much as what is left of it. With `--auto-remove` what only the removed packages
/// need goes too. What a lower layer holds stays there.
fn remove(machine: &mut Machine<'_>, names: &[String], auto: bool) {
    if machine.conditional {
        return;
    }
    let mut installs = std::mem::take(&mut machine.apt);
    for install in &mut installs {
        for name in names {
            if let Some(at) = install.names.iter().position(|one| one == name) {
                install.gone.push(install.names.remove(at));
            }
        }
        if auto {
            install.gone.clear();
            if install.automatic && !install.some_stay {
                install.names.clear();
            }
        }
        let Some(base) = machine.base.as_mut() else {
            continue;
        };
        let offers = Arc::make_mut(base).offers.to_mut();
        let removed = |name: &str| install.gone.iter().chain(names).any(|one| one == name);
        Arc::make_mut(&mut offers.packages).retain(|name| !removed(name));
        let mut then = base.clone();
        Arc::make_mut(&mut then).offers.to_mut().packages = Arc::clone(&install.before);
        let wanted: Vec<&str> = install
            .names
            .iter()
            .chain(&install.gone)
            .map(String::as_str)
            .collect();
        let closure = machine
            .catalog
            .debian_packages(&wanted, install.recommends, &then);
        let own: u64 = closure
            .packages
            .iter()
            .filter(|package| install.gone.contains(&package.name))
            .map(|package| package.installed)
            .sum();
        let database = machine
            .catalog
            .debian_database(&then, install.count.saturating_sub(closure.packages.len()));
        let mut size = closure.installed;
        size = Size::range(
            size.low.saturating_sub(own).max(database.low),
            size.expected.saturating_sub(own).max(database.expected),
            size.high.saturating_sub(own).max(database.high),
        );
        if auto && install.automatic {
            // The libraries that programs built here need were marked to stay: which ones only the build knows.
            size = Size::range(database.low, size.expected / 10, size.high);
        }
        let label = match install.names.as_slice() {
            [] => "the package database, after packages were removed again".to_owned(),
            names => format!(
                "packages {}, after others were removed again",
                names.join(", ")
            ),
        };
        machine.put(
            &install.path,
            label,
            vec![Part::main(Kind::SystemPackage, size)],
            &closure.basis,
        );
    }
    machine.apt = installs;
}
