//! `corepack`: package managers that it downloads when they are asked for.

use super::{Invocation, Machine, Model};
use crate::size::{Basis, Kind};

pub(super) const MODEL: Model = Model {
    programs: &["corepack"],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let command = invocation.command(&[]);
    let downloads = match command.as_deref() {
        Some("prepare" | "use" | "install" | "up" | "hydrate") => true,
        // The links alone.
        _ => false,
    };
    if downloads {
        manager(machine);
    }
    if command.as_deref() == Some("enable") {
        machine.put(ENABLED, "", Vec::new(), &Basis::new("the Dockerfile"));
    }
}

/// Where it is kept in mind that `yarn` and `pnpm` are corepack's.
const ENABLED: &str = "/…/corepack";

/// Where it keeps them below the home folder, if nobody says another.
const HOME: &str = ".cache/node/corepack";

/// Whether corepack writes a path: its links, or what it downloads.
pub(crate) fn brings(path: &str) -> bool {
    path == ENABLED || path.ends_with(&format!("/{HOME}"))
}

/// Whether corepack stands behind the names of package managers.
pub(super) fn is_enabled(machine: &Machine<'_>) -> bool {
    machine.tree.get(ENABLED).is_some()
}

/// What corepack brings once: a package manager in its cache.
pub(super) fn manager(machine: &mut Machine<'_>) {
    let folder = machine
        .variable("COREPACK_HOME")
        .map_or_else(|| format!("{}/{HOME}", machine.home()), str::to_owned);
    if machine.mounted(&folder) || machine.tree.has(&folder) {
        return;
    }
    let sized = machine.catalog.tools().package_manager();
    machine.put_guess(
        &folder,
        "a package manager that corepack brings",
        Kind::JavaScript,
        sized,
    );
}
