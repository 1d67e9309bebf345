//! `pipenv`: the packages of `Pipfile.lock`, installed by pip.

use super::locked::{self, Locked};
use super::{CacheUse, Invocation, Machine, Model};
use crate::facts::Wanted;
use crate::ledger::Part;
use crate::size::Kind;

pub(super) const MODEL: Model = Model {
    programs: &["pipenv"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "--python",
    "-r",
    "--requirements",
    "-e",
    "--editable",
    "--categories",
    "-i",
    "--index",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    locked::started(machine);
    let folder = machine.cwd.clone();
    match invocation.command(WITH_VALUE).as_deref() {
        Some("install" | "sync") => {
            let inside = machine.variable("PIPENV_VENV_IN_PROJECT").is_some();
            let active = machine
                .variable("VIRTUAL_ENV")
                .map(str::to_owned)
                .filter(|path| machine.is_environment(path));
            let site = if invocation.has(&["--system"]) {
                machine.python_site("python")
            } else if let Some(path) = active {
                locked::environment(machine, &path)
            } else if inside {
                locked::seeded_environment(machine, &format!("{folder}/.venv"), true)
            } else {
                let path = format!("{}/.local/share/virtualenvs/project", machine.home());
                locked::seeded_environment(machine, &path, true)
            };
            let byte_code = machine.variable("PIP_NO_COMPILE").is_none();
            let wanted = Wanted {
                development: invocation.has(&["-d", "--dev"]),
                ..Wanted::default()
            };
            let packages = locked::install(
                invocation,
                machine,
                &Locked {
                    tool: "pipenv",
                    folder: &folder,
                    names: &["Pipfile.lock"],
                    wanted,
                    site: &site,
                    byte_code,
                },
            );
            let path = format!("{}/.cache", machine.home());
            if packages.is_empty()
                || machine.mounted(&path)
                || machine.variable("PIP_NO_CACHE_DIR").is_some()
            {
                return;
            }
            let (size, basis) = machine
                .catalog
                .interpreters()
                .pip_cache(site.python, &packages);
            machine.put(
                &format!("{path}/pipenv"),
                "the cache of pip and pipenv",
                vec![Part::main(Kind::Archive, size)],
                &basis,
            );
            machine.facts.caches.push(CacheUse {
                tool: "pip",
                path: format!("{path}/pipenv"),
                size,
                command: invocation.index,
            });
        }
        Some("run") => super::script::run(invocation, machine, &folder),
        Some("requirements" | "lock") => machine.touches("Pipfile.lock"),
        _ => {}
    }
}
