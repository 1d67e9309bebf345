//! Programs that install compilers and interpreters: `rustup`, `pyenv`, `nvm`, `ghcup`, `sdk`.

use super::{Invocation, Machine, Model};
use crate::size::Kind;

pub(super) const MODEL: Model = Model {
    programs: &[
        "rustup",
        "rustup-init",
        "pyenv",
        "nvm",
        "ghcup",
        "sdk",
        "asdf",
        "mise",
        "rbenv",
        "n",
        "fnm",
        "volta",
    ],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let sub = invocation.command(&[]);
    let installs = match sub.as_deref() {
        Some("install" | "toolchain" | "target" | "component" | "default" | "update") => true,
        _ => matches!(invocation.program.as_str(), "n" | "rustup-init"),
    };
    if !installs {
        return;
    }
    let toolchain = matches!(
        invocation.program.as_str(),
        "rustup" | "rustup-init" | "ghcup"
    );
    let folder = match invocation.program.as_str() {
        "rustup" | "rustup-init" => machine
            .variable("RUSTUP_HOME")
            .map_or_else(|| format!("{}/.rustup", machine.home()), str::to_owned),
        "pyenv" => machine
            .variable("PYENV_ROOT")
            .map_or_else(|| format!("{}/.pyenv", machine.home()), str::to_owned),
        "nvm" => machine
            .variable("NVM_DIR")
            .map_or_else(|| format!("{}/.nvm", machine.home()), str::to_owned),
        "n" => "/usr/local".to_owned(),
        other => format!("{}/.{other}", machine.home()),
    };
    let size = if toolchain {
        machine.guess(|guess| &guess.toolchain)
    } else {
        machine.guess(|guess| &guess.interpreter)
    };
    machine.scatter(
        &folder,
        &format!("installed-{}-{}", machine.layer, invocation.index),
        format!("what `{}` installs", invocation.text),
        Kind::Binary,
        size,
    );
}
