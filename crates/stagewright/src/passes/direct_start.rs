//! Starts the application itself and not a package manager that starts it: the manager then need not be in the image, and the signals
//! that end a container reach the application.
//!
//! `npm start` becomes the words of the script, where that is one plain call of Node:
//!
//! ```text
//! CMD ["npm", "start"]                 CMD ["node", "src/server.js"]
//! ```
//!
//! `uv run X` is `X` with the environment's programs first in `PATH`, and with `.py` at its end a file for the environment's Python
//! (<https://docs.astral.sh/uv/reference/cli/#uv-run>); so it is with `poetry run`, `pdm run` and `pipenv run`, where the project gives
//! the word no other meaning:
//!
//! ```text
//! CMD ["uv", "run", "uvicorn", …]      ENV PATH=/app/.venv/bin:$PATH
//!                                      CMD ["uvicorn", …]
//! ```

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::Script;
use stagewright_syntax::{Command, Span, View as Typed, write};

use super::exec_form::plain_words;
use super::production_packages::unneeded;
use super::{Pass, View};
use crate::ledger::Origin;
use crate::project::{node, python};
use crate::proposal::{Applicability, Proposal};
use crate::stage::{StageInstruction, join};

pub(super) const PASS: Pass = Pass {
    name: "direct_start",
    mends: true,
    propose,
};

/// Options of `uv run` that say what it does before it starts the application, and nothing of how.
const UV_OPTIONS: [&str; 4] = ["--no-sync", "--frozen", "--locked", "--no-dev"];

/// Variables with which a manager starts something else, or elsewhere.
const VARIABLES: [&str; 6] = [
    "UV_ENV_FILE",
    "UV_ISOLATED",
    "UV_NO_PROJECT",
    "UV_PROJECT",
    "UV_WORKING_DIR",
    "PDM_USE_VENV",
];

/// What a source names that reads what npm, pnpm and yarn set for a script, or finds programs in the `PATH` that they give it.
const OF_SCRIPTS: [&str; 4] = ["npm_", "INIT_CWD", "child_process", "execa"];

/// Settings of npm, pnpm and yarn that change how a script runs, in small letters without hyphens: another Node, other options of it,
/// another shell, `NODE_ENV`.
const SCRIPT_SETTINGS: [&str; 8] = [
    "nodeoptions",
    "scriptshell",
    "shellemulator",
    "usenodeversion",
    "initscope",
    "omit",
    "production",
    "only=",
];

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let Some((manager, edits, warnings)) = edits(view) else {
        return Ok(Vec::new());
    };
    Ok(vec![Proposal {
        title: format!("start the application itself, not `{manager}`"),
        applicability: Applicability::Safe,
        assumptions: vec![if python::is_manager(&manager) {
            format!("`{manager} run` would find nothing to install or to set when it starts")
        } else {
            format!("nothing that the application loads reads the variables that `{manager}` sets")
        }],
        warnings,
        edits,
        dockerignore: None,
    }])
}

/// What takes the place of the first words of a command.
struct Direct {
    manager: String,
    skipped: usize,
    instead: Vec<String>,
    /// The folder of programs that has to come first in `PATH`.
    programs: Option<String>,
}

/// The manager, what its place is taken by, and what a person should know of it.
fn edits(view: &View<'_>) -> Option<(String, EditSet, Vec<String>)> {
    let (instruction, command) = start(view)?;
    let source = view.source(instruction)?;
    let mut edits = EditSet::new();
    let mut all = Vec::new();
    match command {
        Command::Exec(words) => {
            let words: Vec<Option<String>> =
                words.iter().map(|word| Some(word.to_string())).collect();
            let direct = direct(view, &words)?;
            let rest = words.into_iter().skip(direct.skipped).flatten();
            let started: Vec<String> = direct.instead.iter().cloned().chain(rest).collect();
            let span = Span::new(view.arguments_start(&source), source.span().end);
            edits.replace(span, write::json_array(&started)).ok()?;
            all.push((direct, started));
        }
        Command::Shell(text) => {
            let script = Script::parse(&text);
            for command in &script.commands {
                let mut words = command.words.as_slice();
                if command.program().as_deref() == Some("exec") {
                    words = &words[1..];
                }
                let literal: Vec<Option<String>> = words
                    .iter()
                    .map(|word| word.literal().map(std::borrow::Cow::into_owned))
                    .collect();
                let program = literal.first().cloned().flatten().unwrap_or_default();
                // Elsewhere, the same words mean something else.
                if !script.complete || matches!(program.as_str(), "cd" | "." | "source" | "export")
                {
                    return None;
                }
                if !is_manager(&program) {
                    continue;
                }
                let direct = direct(view, &literal)?;
                // Words that mean the same to a shell.
                let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+".contains(c);
                if !direct.instead.iter().all(|word| word.chars().all(plain)) {
                    return None;
                }
                let end = match words.get(direct.skipped) {
                    Some(next) => next.span.start,
                    None => words.last()?.span.end,
                };
                let mut instead = direct.instead.join(" ");
                if direct.skipped < words.len() && !instead.is_empty() {
                    instead.push(' ');
                }
                let span = text.part(words[0].span.start as usize..end as usize)?;
                edits.replace(span, instead).ok()?;
                let rest = literal.into_iter().skip(direct.skipped).flatten();
                let started = direct.instead.iter().cloned().chain(rest).collect();
                all.push((direct, started));
            }
        }
    }
    let (first, _) = all.first()?;
    if let Some(programs) = &first.programs {
        let at = view.commented_lines(instruction.index).start;
        let (env, newline) = (view.keyword("ENV"), view.line_break());
        edits
            .insert(at, format!("{env} PATH={programs}:$PATH{newline}"))
            .ok()?;
    }
    let mut warnings = Vec::new();
    let handled = |text: &str| text.contains("SIGTERM");
    if all.iter().any(|(_, started)| is_bare(started)) && !view.analysis.sources().any(handled) {
        let program = &all.last()?.1[0];
        warnings.push(format!(
            "as process 1 `{program}` ends at a SIGTERM only if the application handles it, which no source names: else run it with `--init`"
        ));
    }
    Some((first.manager.clone(), edits, warnings))
}

/// Whether words start an interpreter with a file of the project: servers handle the signals that end them.
fn is_bare(started: &[String]) -> bool {
    let program = started.first().map_or("", String::as_str);
    let server = started.get(1).is_some_and(|word| word == "-m");
    program == "node" || program.starts_with("python") && !server
}

fn is_manager(program: &str) -> bool {
    matches!(program, "npm" | "pnpm" | "yarn") || python::is_manager(program)
}

/// The instruction of the last stage that starts the application, with its command: ENTRYPOINT, or a CMD behind nothing that gives it
/// another meaning.
fn start<'a>(view: &View<'a>) -> Option<(&'a StageInstruction, Command<'a>)> {
    let stage = view.analysis.graph().target_stage();
    let config = &stage.end.config;
    let behind = config.entrypoint.iter().flatten().all(passes_on);
    let mut last = stage.instructions.iter().rev();
    last.find_map(|instruction| {
        let command = match view.source(instruction)?.view() {
            Typed::Cmd(cmd) if behind => cmd.command,
            Typed::Entrypoint(entrypoint) if !behind => entrypoint.command,
            _ => return None,
        };
        let shell = matches!(command, Command::Shell(_));
        // A shell of the author's own may read the words otherwise.
        (!shell || instruction.before.config.shell.is_empty()).then_some((instruction, command))
    })
}

/// Whether a word belongs to a program that starts the words behind it as they are.
pub(super) fn passes_on(word: &String) -> bool {
    let name = word.rsplit('/').next().unwrap_or_default();
    word == "docker-entrypoint.sh" || matches!(name, "tini" | "dumb-init" | "--" | "-g")
}

/// What the words of a command start behind a manager; words that only a shell knows are `None`.
fn direct(view: &View<'_>, words: &[Option<String>]) -> Option<Direct> {
    let word = |at: usize| words.get(at).and_then(Option::as_deref);
    let manager = word(0)?;
    if python::is_manager(manager) {
        return behind_run(view, manager, words);
    }
    let script = match (manager, word(1)?, word(2)) {
        ("npm" | "pnpm" | "yarn", "start", None) if words.len() == 2 => "start",
        ("npm" | "pnpm" | "yarn", "run" | "run-script", Some(name)) if words.len() == 3 => name,
        _ => return None,
    };
    // What `docker run` appends, npm takes for options of its own.
    let config = &view.analysis.graph().target_stage().end.config;
    let appended = config.cmd.as_ref().is_some_and(|cmd| !cmd.is_empty());
    if config
        .entrypoint
        .iter()
        .flatten()
        .any(|word| word == manager)
        && appended
    {
        return None;
    }
    Some(Direct {
        manager: manager.to_owned(),
        skipped: words.len(),
        instead: script_words(view, script)?,
        programs: None,
    })
}

/// The words of a script of the package that lies where the application is started, if it is one plain call of Node, and nothing runs
/// before or after it.
fn script_words(view: &View<'_>, name: &str) -> Option<Vec<String>> {
    let analysis = view.analysis;
    let stage = analysis.graph().target_stage();
    let manifest = join(stage.end.workdir(), "package.json");
    let tree = &analysis.record().stages[stage.id.0].tree;
    let Origin::Context(manifest) = &tree.get(&manifest)?.origin else {
        return None;
    };
    let context = analysis.context();
    let words = node::script(context, manifest, name).and_then(|script| plain_words(&script))?;
    let project = node::detect(context, None).ok().flatten();
    let plug_n_play = project.is_none_or(|project| project.plug_n_play);
    let settings = [".npmrc", ".yarnrc", ".yarnrc.yml", "pnpm-workspace.yaml"];
    let settings = settings.iter().filter_map(|file| context.text(file));
    let variables = stage.end.env.iter().map(|(name, _)| name);
    let variables = variables.filter(|name| name.to_lowercase().starts_with("npm_config_"));
    let told = settings.chain(variables).any(|text| {
        let text = text.to_lowercase().replace(['-', '_', ' '], "");
        SCRIPT_SETTINGS.iter().any(|setting| text.contains(setting))
    });
    let reads = |text: &str| OF_SCRIPTS.iter().any(|name| text.contains(name));
    let plain = words[0] == "node" && !plug_n_play && !told && !analysis.sources().any(reads);
    plain.then_some(words)
}

/// What stands behind `uv run` and its like.
fn behind_run(view: &View<'_>, manager: &str, words: &[Option<String>]) -> Option<Direct> {
    let word = |at: usize| words.get(at).and_then(Option::as_deref);
    if word(1)? != "run" {
        return None;
    }
    let mut at = 2;
    while manager == "uv" && word(at).is_some_and(|word| UV_OPTIONS.contains(&word)) {
        at += 1;
    }
    let options = &words[2..at];
    at += usize::from(word(at)? == "--");
    let program = word(at)?;
    let context = view.analysis.context();
    let file = program.ends_with(".py");
    // A script with a table of its own packages has an environment of its own, and a folder is a program to Python.
    let own = context
        .text(program)
        .map(|text| text.contains("# /// script"));
    let plain = if file {
        matches!(manager, "uv" | "pdm") && own == Some(false)
    } else {
        !program.starts_with('-') && !program.contains('/') && context.entry(program).is_none()
    };
    let environment = environment(view, manager, options)?;
    if !plain || python::gives_meaning(context, manager, program) {
        return None;
    }
    let stage = view.analysis.graph().target_stage();
    let programs = format!("{environment}/bin");
    let path = stage.end.env.get("PATH").unwrap_or_default();
    let first = path.split(':').next() == Some(programs.as_str()) || environment == "/usr/local";
    Some(Direct {
        manager: manager.to_owned(),
        skipped: at,
        instead: file.then(|| "python".to_owned()).into_iter().collect(),
        programs: (!first).then_some(programs),
    })
}

/// The folder of the environment in which a manager starts programs, where the build has filled it with all that the manager would install.
fn environment(view: &View<'_>, manager: &str, options: &[Option<String>]) -> Option<String> {
    let analysis = view.analysis;
    let stage = analysis.graph().target_stage();
    let env = &stage.end.env;
    let variable = if manager == "uv" {
        "UV_PROJECT_ENVIRONMENT"
    } else {
        "VIRTUAL_ENV"
    };
    if VARIABLES.iter().any(|name| env.get(name).is_some()) {
        return None;
    }
    let folder = join(stage.end.workdir(), env.get(variable).unwrap_or(".venv"));
    let runs = view.runs();
    let (step, install) = runs.iter().rev().find_map(|step| {
        let mut installs = step.facts().installs.iter();
        Some((step, installs.find(|install| install.tool == manager)?))
    })?;
    // Poetry without an environment has the interpreter's own folder.
    let system = manager == "poetry" && install.prefix == "/usr/local";
    let tree = &analysis.record().stages[stage.id.0].tree;
    let there = tree.get(&format!("{folder}/pyvenv.cfg")).is_some() || folder == "/usr/local";
    if !system && (install.prefix != folder || !there) {
        return None;
    }
    // An environment of the developer's own, copied over it.
    let context = analysis.context();
    if context.entry(".venv").is_some() {
        return None;
    }
    let syncs = manager == "uv" && !options.iter().flatten().any(|option| option == "--no-sync");
    if syncs {
        // What the build has left out `uv run` would install: the project itself, and what is for developers.
        let pyproject = context.text("pyproject.toml").unwrap_or_default();
        let command = &step.instruction.text;
        let missing = python::installs_itself(pyproject, manager, "")
            && !python::installs_itself(pyproject, manager, command);
        let left_out = command.contains("--no-dev")
            && !options.iter().flatten().any(|option| option == "--no-dev")
            && unneeded(view, manager).is_none();
        if missing || left_out {
            return None;
        }
    }
    Some(install.prefix.clone())
}
