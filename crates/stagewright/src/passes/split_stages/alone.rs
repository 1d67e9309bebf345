//! Whether a RUN installs packages and does nothing else: what else it makes (folders, links, a database) would stay in the builder.

use stagewright_syntax::shell::{Script, SimpleCommand};

use crate::passes::{RunStep, View};
use crate::recipe::python::LISTS_DEPENDENCIES;

/// Where what a command removes is nobody's but the package managers'.
const SPARE: [&str; 5] = ["/tmp/", "/root/.", "~/.", "$HOME/.", "/var/lib/apt/lists"];

/// Whether every command of a step is an install, or is there for one.
pub(in crate::passes) fn installs_alone(view: &View<'_>, step: &RunStep<'_>) -> bool {
    let Some(script) = view.script(step) else {
        return false;
    };
    let parsed = Script::parse(&script.text);
    let is_install = |index: usize| {
        let mut installs = step.facts().installs.iter();
        installs.any(|install| install.command == index)
    };
    let mut commands = parsed.commands.iter().enumerate();
    commands.all(|(index, command)| {
        let text = command.text(&script.text);
        // What is written for the install alone, as `dependencies_first` does.
        let listed = text.starts_with(LISTS_DEPENDENCIES) && text.contains("> /tmp/");
        listed
            || command.redirects.is_empty()
                && (is_install(index) || is_for_install(command, &script.text))
    })
}

/// Settings, caches and environments of package managers, and what changes the shell alone.
fn is_for_install(command: &SimpleCommand<'_>, script: &str) -> bool {
    let Some(program) = command.program() else {
        return command.words.is_empty();
    };
    let text = command.text(script);
    let says = |word: &str| {
        let mut words = text.split_ascii_whitespace();
        words.any(|other| other == word)
    };
    let operands = || {
        let words = text.split_ascii_whitespace().skip(1);
        words.filter(|word| !word.starts_with('-'))
    };
    let name = program.rsplit('/').next().unwrap_or_default();
    match name {
        "cd" | "set" | "export" | "unset" | "umask" | "." | "source" | "echo" | "true" | ":"
        | "corepack" | "virtualenv" => true,
        "rm" => operands().all(|path| {
            let path = path.trim_matches(['"', '\'']);
            path.to_ascii_lowercase().contains("cache")
                || SPARE.iter().any(|start| path.starts_with(start))
        }),
        "npm" | "pnpm" | "yarn" | "pip" | "pip3" | "uv" | "poetry" | "pdm" | "pipenv" => {
            ["cache", "config", "store", "venv", "set", "--version"]
                .iter()
                .any(|word| says(word))
        }
        _ => name.starts_with("python") && (says("venv") || says("virtualenv")),
    }
}
