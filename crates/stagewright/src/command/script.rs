//! Scripts of a JavaScript project: which programs `package.json` names for them, and what those write.

use std::collections::BTreeSet;

use super::{Invocation, Machine};
use crate::ledger::Origin;
use crate::project::node::LIFECYCLE;
use crate::size::{Basis, Kind, Size};

/// Scripts that call each other further than this are no longer followed.
const DEPTH: usize = 4;

/// In place of a program that only the build knows.
const UNKNOWN: &str = "?";

/// What a command writes that runs code of the project in `folder`: it lies somewhere there.
pub(super) fn run(invocation: &Invocation, machine: &mut Machine<'_>, folder: &str) {
    machine.runs_code(invocation);
    let folder = machine.absolute(folder);
    let mut words = vec![invocation.program.as_str()];
    words.extend(
        invocation
            .args
            .iter()
            .map(|arg| arg.as_deref().unwrap_or(UNKNOWN)),
    );
    let mut programs = BTreeSet::new();
    command(machine, &folder, &words, 0, &mut programs);
    let installs = invocation
        .args
        .iter()
        .flatten()
        .any(|word| LIFECYCLE.contains(&word.as_str()));
    let sized = written(machine, &folder, &programs).unwrap_or_else(|| {
        machine.guess(|guess| {
            if installs {
                &guess.install_script
            } else {
                &guess.script_output
            }
        })
    });
    machine.scatter(
        &folder,
        &format!("output-{}", invocation.index),
        format!("what `{}` writes", invocation.text),
        Kind::JavaScript,
        sized,
    );
    if programs.contains("next") {
        next(machine, &folder);
    }
}

/// What the scripts of a project write that an install runs.
pub(super) fn lifecycle(invocation: &Invocation, machine: &mut Machine<'_>, folder: &str) {
    let folder = machine.absolute(folder);
    let mut programs = BTreeSet::new();
    for name in LIFECYCLE {
        if is_script(machine, &folder, name) {
            follow(machine, &folder, name, 0, &mut programs);
        }
    }
    let sized = written(machine, &folder, &programs)
        .unwrap_or_else(|| machine.guess(|guess| &guess.install_script));
    machine.scatter(
        &folder,
        &format!("scripts-{}", invocation.index),
        "what the project's own scripts write",
        Kind::JavaScript,
        sized,
    );
}

fn is_script(machine: &Machine<'_>, folder: &str, name: &str) -> bool {
    let path = format!("{}/package.json", folder.trim_end_matches('/'));
    let manifest = machine.text(&path);
    let manifest = manifest.and_then(|text| serde_json::from_str::<serde_json::Value>(text).ok());
    manifest.is_some_and(|manifest| manifest["scripts"][name].is_string())
}

/// Adds the programs that a script of `package.json` runs, with those before and after it.
fn follow(
    machine: &Machine<'_>,
    folder: &str,
    name: &str,
    depth: usize,
    programs: &mut BTreeSet<String>,
) {
    let path = format!("{}/package.json", folder.trim_end_matches('/'));
    let manifest: Option<serde_json::Value> = machine
        .text(&path)
        .and_then(|text| serde_json::from_str(text).ok());
    let scripts = manifest.as_ref().map(|manifest| &manifest["scripts"]);
    let text = |name: &str| scripts?[name].as_str();
    if depth > DEPTH || text(name).is_none() {
        programs.insert(UNKNOWN.to_owned());
        return;
    }
    for name in [format!("pre{name}"), name.to_owned(), format!("post{name}")] {
        let commands = text(&name).into_iter();
        for one in commands.flat_map(|text| text.split(['&', ';', '|', '\n'])) {
            let words: Vec<&str> = one.split_whitespace().collect();
            if !words.is_empty() {
                command(machine, folder, &words, depth, programs);
            }
        }
    }
}

/// Adds the program that a command runs.
fn command(
    machine: &Machine<'_>,
    folder: &str,
    words: &[&str],
    depth: usize,
    programs: &mut BTreeSet<String>,
) {
    let before = |word: &&str| {
        word.contains('=')
            || word.starts_with('-')
            || matches!(
                *word,
                "cross-env" | "npx" | "bunx" | "pnpx" | "env" | "dotenv"
            )
    };
    let mut words = words.iter().copied().skip_while(before);
    let program = words.next().unwrap_or(UNKNOWN);
    let tests = words.clone().any(|word| word == "--test");
    let everywhere = words
        .clone()
        .any(|word| matches!(word, "-r" | "--recursive" | "-ws" | "--ws" | "--workspaces"));
    let mut words = words.filter(|word| !word.starts_with('-'));
    let known = match program {
        "npm" | "yarn" | "pnpm" | "bun" => {
            let script = match words.next() {
                Some("run" | "run-script") => words.next(),
                Some("exec" | "dlx" | "x") => None,
                name => name,
            };
            if let (Some(name), true) = (script, everywhere) {
                for member in members(machine, folder) {
                    if is_script(machine, &member, name) {
                        follow(machine, &member, name, depth + 1, programs);
                    }
                }
                return;
            }
            if let Some(name) = script {
                return follow(machine, folder, name, depth + 1, programs);
            }
            UNKNOWN
        }
        // These have commands beside `build` that write other things.
        "next" | "vite" | "ng" | "nest" | "react-scripts" | "vue-cli-service" | "astro"
            if words.next() != Some("build") =>
        {
            UNKNOWN
        }
        // Node's own test runner writes nothing.
        "node" if tests => "true",
        program => program.rsplit('/').next().unwrap_or(program),
    };
    programs.insert(known.to_owned());
}

/// The folders of the packages of a repository.
fn members(machine: &Machine<'_>, folder: &str) -> Vec<String> {
    let root = folder.trim_end_matches('/');
    machine
        .tree
        .under(root)
        .filter(|(path, _)| !path.contains("/node_modules/"))
        .filter_map(|(path, _)| path.strip_suffix("/package.json"))
        .filter(|member| *member != root)
        .map(str::to_owned)
        .collect()
}

/// What programs write; nothing where the catalogue does not know one of them.
fn written(
    machine: &Machine<'_>,
    folder: &str,
    programs: &BTreeSet<String>,
) -> Option<(Size, Basis)> {
    let tools = machine.catalog.tools();
    let mut sizes = Vec::new();
    let mut basis = Basis::new("all that it writes has a place of its own");
    for program in programs.iter().filter(|program| *program != "next") {
        let one = tools.script(program)?;
        let sources = machine.tree.under(folder).filter_map(|(path, node)| {
            let name = path.rsplit('/').next().unwrap_or_default();
            let own = matches!(node.origin, Origin::Context(_))
                && !path.contains("/node_modules/")
                && !matches!(
                    name,
                    "package-lock.json" | "yarn.lock" | "pnpm-lock.yaml" | "bun.lock"
                );
            (own && one.reads(name)).then(|| node.size().expected)
        });
        let (size, source) = one.writes(sources.sum());
        sizes.push(size);
        basis = source;
    }
    Some((Size::sum(sizes), basis))
}

/// What `next build` leaves below `.next`.
fn next(machine: &mut Machine<'_>, folder: &str) {
    let standalone = ["js", "mjs", "ts", "cjs"].iter().any(|suffix| {
        machine
            .text(&format!(
                "{}/next.config.{suffix}",
                folder.trim_end_matches('/')
            ))
            .is_some_and(|text| text.contains("standalone"))
    });
    for (part, sized) in machine.catalog.tools().next_build(standalone) {
        let path = format!("{}/.next/{part}/built", folder.trim_end_matches('/'));
        machine.put_guess(&path, "what `next build` writes", Kind::JavaScript, sized);
    }
}
