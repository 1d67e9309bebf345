//! `pdm`: the packages of `pdm.lock` in the project's environment.

use super::locked::{self, Locked};
use super::{Invocation, Machine, Model};
use crate::facts::Wanted;

pub(super) const MODEL: Model = Model {
    programs: &["pdm"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "-p",
    "--project",
    "-G",
    "--group",
    "--with",
    "--without",
    "-L",
    "--lockfile",
    "-o",
    "--output",
    "-f",
    "--format",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    locked::started(machine);
    let folder = invocation
        .option(&["-p", "--project"])
        .map_or_else(|| machine.cwd.clone(), |path| machine.absolute(&path));
    match invocation.command(WITH_VALUE).as_deref() {
        Some("install" | "sync") => {
            let active = machine.variable("VIRTUAL_ENV").map(str::to_owned);
            let site = locked::environment(
                machine,
                &active.unwrap_or_else(|| format!("{folder}/.venv")),
            );
            let wanted = Wanted {
                development: !invocation.has(&["--prod", "--production", "--no-dev"]),
                groups: invocation.options(&["-G", "--group", "--with"]),
                all: invocation
                    .options(&["-G", "--group"])
                    .iter()
                    .any(|group| group == ":all"),
            };
            locked::install(
                invocation,
                machine,
                &Locked {
                    tool: "pdm",
                    folder: &folder,
                    names: &["pdm.lock", "pylock.toml"],
                    wanted,
                    site: &site,
                    byte_code: false,
                },
            );
        }
        Some("run" | "build") => super::script::run(invocation, machine, &folder),
        _ => {}
    }
}
