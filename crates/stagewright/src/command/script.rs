//! Scripts of a JavaScript project: which programs `package.json` names for them, and what those write.

use std::collections::{BTreeMap, BTreeSet};

use super::{Invocation, Machine};
use crate::ledger::Origin;
use crate::project::node::LIFECYCLE;
use crate::size::{Basis, Kind, Size};
use crate::stage::join;

/// Scripts that call each other further than this are no longer followed.
const DEPTH: usize = 4;

/// In place of a program that only the build knows.
const UNKNOWN: &str = "?";

/// Programs that run, by the folder that they run in.
type Programs = BTreeMap<String, BTreeSet<String>>;

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
    let mut programs = Programs::new();
    command(machine, &folder, &words, 0, &mut programs);
    call(machine, &programs);
    let installs = invocation
        .args
        .iter()
        .flatten()
        .any(|word| LIFECYCLE.contains(&word.as_str()));
    for (folder, programs) in &programs {
        let sized = written(machine, folder, programs).unwrap_or_else(|| {
            machine.guess(|guess| {
                if installs {
                    &guess.install_script
                } else {
                    &guess.script_output
                }
            })
        });
        machine.scatter(
            folder,
            &format!("output-{}", invocation.index),
            format!("what `{}` writes", invocation.text),
            Kind::JavaScript,
            sized,
        );
        if programs.contains("next") {
            next(machine, folder);
        }
    }
}

/// What the scripts of a project write that an install runs.
pub(super) fn lifecycle(invocation: &Invocation, machine: &mut Machine<'_>, folder: &str) {
    let folder = machine.absolute(folder);
    let mut programs = Programs::new();
    for name in LIFECYCLE {
        if is_script(machine, &folder, name) {
            follow(machine, &folder, name, 0, &mut programs);
        }
    }
    call(machine, &programs);
    for (folder, programs) in &programs {
        let sized = written(machine, folder, programs)
            .unwrap_or_else(|| machine.guess(|guess| &guess.install_script));
        machine.scatter(
            folder,
            &format!("scripts-{}", invocation.index),
            "what the project's own scripts write",
            Kind::JavaScript,
            sized,
        );
    }
}

/// Says which programs the scripts call.
fn call(machine: &mut Machine<'_>, programs: &Programs) {
    for program in programs.values().flatten() {
        machine.calls(program);
    }
}

fn is_script(machine: &Machine<'_>, folder: &str, name: &str) -> bool {
    manifest(machine, folder).is_some_and(|manifest| manifest["scripts"][name].is_string())
}

fn manifest(machine: &Machine<'_>, folder: &str) -> Option<serde_json::Value> {
    let text = machine.text(&format!("{}/package.json", folder.trim_end_matches('/')));
    serde_json::from_str(text?).ok()
}

/// Adds the programs that a script of `package.json` runs, with those before and after it.
fn follow(machine: &Machine<'_>, folder: &str, name: &str, depth: usize, programs: &mut Programs) {
    let manifest = manifest(machine, folder);
    let scripts = manifest.as_ref().map(|manifest| &manifest["scripts"]);
    let text = |name: &str| scripts?[name].as_str();
    if depth > DEPTH || text(name).is_none() {
        add(programs, folder, UNKNOWN);
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
    programs: &mut Programs,
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
    if matches!(program, "npm" | "yarn" | "pnpm" | "bun") {
        return Call::read(program, words).follow(machine, folder, depth, programs);
    }
    let tests = words.clone().any(|word| word == "--test");
    let mut words = words.filter(|word| !word.starts_with('-'));
    let known = match program {
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
    add(programs, folder, known);
}

fn add(programs: &mut Programs, folder: &str, program: &str) {
    let here = programs.entry(folder.to_owned()).or_default();
    here.insert(program.to_owned());
}

/// What a package manager is told: its words without options, and where it is to run a script.
#[derive(Default)]
struct Call<'a> {
    words: Vec<&'a str>,
    folder: Option<&'a str>,
    /// Packages of the repository, by name or folder.
    packages: Vec<&'a str>,
    everywhere: bool,
}

impl<'a> Call<'a> {
    fn read(program: &str, mut words: impl Iterator<Item = &'a str>) -> Self {
        let mut call = Self::default();
        while let Some(word) = words.next() {
            let (name, given) = match word.split_once('=') {
                Some((name, value)) if name.starts_with('-') => (name, Some(value)),
                _ => (word, None),
            };
            match (program, name) {
                ("npm", "--prefix" | "-C")
                | ("pnpm", "--dir" | "-C")
                | ("yarn" | "bun", "--cwd") => {
                    call.folder = given.or_else(|| words.next());
                }
                ("npm", "--workspace" | "-w")
                | ("pnpm", "--filter" | "-F")
                | ("bun", "--filter") => {
                    call.packages.extend(given.or_else(|| words.next()));
                }
                ("yarn", "workspace") if call.words.is_empty() => {
                    call.packages.extend(words.next());
                }
                ("yarn", "workspaces" | "foreach") if call.words.is_empty() => {
                    call.everywhere = true;
                }
                (_, "-r" | "--recursive" | "-ws" | "--ws" | "--workspaces") => {
                    call.everywhere = true;
                }
                _ if word.starts_with('-') => {}
                _ => call.words.push(word),
            }
        }
        call
    }

    /// Adds the programs of the script in each package that it is to run in.
    fn follow(self, machine: &Machine<'_>, folder: &str, depth: usize, programs: &mut Programs) {
        let folder = self
            .folder
            .map_or_else(|| folder.to_owned(), |below| join(folder, below));
        let script = match self.words[..] {
            ["run" | "run-script", name, ..] => Some(name),
            [] | ["run" | "run-script" | "exec" | "dlx" | "x", ..] => None,
            [name, ..] => Some(name),
        };
        let Some(script) = script else {
            return add(programs, &folder, UNKNOWN);
        };
        if self.packages.is_empty() && !self.everywhere {
            return follow(machine, &folder, script, depth + 1, programs);
        }
        let mut found = false;
        for member in members(machine, &folder) {
            let is_meant = |which: &&str| is_named(machine, &folder, &member, which);
            let runs = self.everywhere || self.packages.iter().any(is_meant);
            if runs && is_script(machine, &member, script) {
                found = true;
                follow(machine, &member, script, depth + 1, programs);
            }
        }
        // A package that is not there; in all packages, none has such a script.
        if !found && !self.everywhere {
            add(programs, &folder, UNKNOWN);
        }
    }
}

/// Whether a filter means a package of the repository. `...` adds those it needs or that need it: any of them may.
fn is_named(machine: &Machine<'_>, root: &str, member: &str, which: &str) -> bool {
    if which.contains("...") {
        return true;
    }
    let which = which.trim_matches(['{', '}']);
    let manifest = manifest(machine, member);
    let name = manifest
        .as_ref()
        .and_then(|manifest| manifest["name"].as_str());
    // `@scope/*`, `./packages/*`.
    let fits = |text: &str, which: &str| match which.split_once('*') {
        Some((start, end)) => {
            text.len() >= start.len() + end.len() && text.starts_with(start) && text.ends_with(end)
        }
        None => text == which,
    };
    fits(member, &join(root, which)) || name.is_some_and(|name| fits(name, which))
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
        if one.bundles {
            sizes.extend(packages(machine, folder));
        }
        basis = source;
    }
    Some((Size::sum(sizes), basis))
}

/// What a bundler keeps of the packages that the manifest of a folder names.
fn packages(machine: &Machine<'_>, folder: &str) -> Vec<Size> {
    let manifest = manifest(machine, folder).unwrap_or_default();
    let tools = machine.catalog.tools();
    let of = |key: &str, depended: bool| {
        let names = manifest[key].as_object().into_iter().flatten();
        let sizes = names.map(|(name, _)| tools.bundled(name, depended));
        sizes.collect::<Vec<Size>>()
    };
    [of("dependencies", true), of("devDependencies", false)].concat()
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
