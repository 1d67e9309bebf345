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
use crate::analysis::called::STARTERS;
use crate::ledger::Origin;
use crate::project::{node, python};
use crate::proposal::{Applicability, Proposal};
use crate::stage::{Op, StageInstruction, join};

pub(super) const PASS: Pass = Pass {
    name: "direct_start",
    mends: true,
    propose,
};

/// Options of `uv run` that say what it does before it starts the application, and nothing of how.
const UV_OPTIONS: [&str; 4] = ["--no-sync", "--frozen", "--locked", "--no-dev"];

/// Options of `uv sync` that leave out nothing that `uv run` would install, but for `--no-dev`, which is looked at by itself.
const SYNC_OPTIONS: [&str; 10] = [
    "--frozen",
    "--locked",
    "--no-dev",
    "--no-cache",
    "--no-editable",
    "--no-install-project",
    "--compile-bytecode",
    "--no-progress",
    "--quiet",
    "-q",
];

/// Variables with which a manager starts something else, or elsewhere.
const VARIABLES: [&str; 6] = [
    "UV_ENV_FILE",
    "UV_ISOLATED",
    "UV_NO_PROJECT",
    "UV_PROJECT",
    "UV_WORKING_DIR",
    "PDM_USE_VENV",
];

/// What a source names that reads what npm, pnpm and yarn set for a script.
const OF_SCRIPTS: [&str; 2] = ["npm_", "INIT_CWD"];

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
    // What an unknown base starts everything with, and how it sets up the managers, is not known.
    view.analysis.base_facts()?;
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
                if !script.complete
                    || matches!(
                        program.as_str(),
                        "cd" | "." | "source" | "export" | "trap" | "eval"
                    )
                {
                    return None;
                }
                if !is_manager(&program) {
                    continue;
                }
                // No start needs more, and each is looked into.
                let direct = direct(view, &literal).filter(|_| all.len() < 8)?;
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
    let started = &all.last()?.1;
    if is_bare(started) && !view.analysis.sources().any(handled) {
        let program = &started[0];
        warnings.push(format!(
            "as process 1 `{program}` ends at a SIGTERM only if the application handles it, which no source names: else run it with `--init`"
        ));
    }
    Some((first.manager.clone(), edits, warnings))
}

/// Servers that handle the signal that ends them.
const SERVERS: [&str; 9] = [
    "uvicorn",
    "gunicorn",
    "hypercorn",
    "granian",
    "daphne",
    "waitress-serve",
    "celery",
    "flask",
    "streamlit",
];

/// Whether words start something that is not known to handle the signal that ends it.
fn is_bare(started: &[String]) -> bool {
    let mut words = started.iter().map(String::as_str);
    let program = match (words.next(), words.next(), words.next()) {
        (Some(python), Some("-m"), Some(module)) if python.starts_with("python") => module,
        (program, _, _) => program.unwrap_or_default(),
    };
    !SERVERS.contains(&program)
}

fn is_manager(program: &str) -> bool {
    matches!(program, "npm" | "pnpm" | "yarn") || python::is_manager(program)
}

/// The instruction of the last stage that starts the application, with its command: ENTRYPOINT, or a CMD behind nothing that gives it
/// another meaning.
fn start<'a>(view: &View<'a>) -> Option<(&'a StageInstruction, Command<'a>)> {
    let stage = view.analysis.graph().target_stage();
    let config = &stage.end.config;
    let behind = config
        .entrypoint
        .iter()
        .flatten()
        .all(|word| passes_on(view, word));
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

/// Whether a word belongs to a program that starts the words behind it as they are: the official images' own script does, and one of the
/// project that goes by its name may not.
pub(super) fn passes_on(view: &View<'_>, word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or_default();
    let mut files = view.analysis.context().files();
    matches!(name, "tini" | "dumb-init" | "--" | "-g")
        || word == "docker-entrypoint.sh" && !files.any(|file| file.path.ends_with(word))
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
    let folder = manifest.strip_suffix("package.json")?;
    let settings = [".npmrc", ".yarnrc", ".yarnrc.yml", "pnpm-workspace.yaml"];
    let beside = settings.map(|file| format!("{folder}{file}"));
    let settings = settings.into_iter().map(str::to_owned).chain(beside);
    let settings = settings.filter_map(|file| context.text(&file));
    let variables = stage.end.env.iter().map(|(name, _)| name);
    let variables = variables.filter(|name| name.to_lowercase().starts_with("npm_config_"));
    let told = settings.chain(variables).any(|text| {
        let text = text.to_lowercase().replace(['-', '_', ' '], "");
        SCRIPT_SETTINGS.iter().any(|setting| text.contains(setting))
    });
    // What starts other programs finds them in the `PATH` that the manager gives it.
    let reads = |text: &str| {
        OF_SCRIPTS
            .iter()
            .chain(&STARTERS)
            .any(|name| text.contains(name))
    };
    let plain = words[0] == "node"
        && !plug_n_play
        && !told
        && !changes_scripts(view)
        && !analysis.sources().any(reads);
    plain.then_some(words)
}

/// Whether an instruction that the image is made of changes the manifest, or how managers run scripts.
fn changes_scripts(view: &View<'_>) -> bool {
    let graph = view.analysis.graph();
    let built = graph.chain();
    let stages = built.iter().map(|stage| graph.stage(*stage));
    let mut instructions = stages.flat_map(|stage| &stage.instructions);
    instructions.any(|instruction| match &instruction.op {
        Op::Run(run) => [
            "config set",
            "set-script",
            "npmrc",
            "yarnrc",
            "npm pkg",
            "npm version",
            "package.json",
        ]
        .iter()
        .any(|text| {
            let script = run.script.iter().chain(&run.argv);
            script.into_iter().any(|words| words.contains(text))
        }),
        Op::Copy(copy) => {
            let destination = copy.destination.trim_end_matches('/');
            ["npmrc", "yarnrc", "yarnrc.yml"]
                .iter()
                .any(|end| destination.ends_with(end))
        }
        _ => false,
    })
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
    let stage = view.analysis.graph().target_stage();
    let tree = &view.analysis.record().stages[stage.id.0].tree;
    let file = program.ends_with(".py");
    // A script with a table of its own packages has an environment of its own, and a folder is a program to Python.
    let path = join(stage.end.workdir(), program);
    let text = tree.get(&path).and_then(|node| match &node.origin {
        Origin::Context(path) => context.text(path),
        _ => None,
    });
    let own = text.map(|text| text.contains("# /// script"));
    let plain = if file {
        matches!(manager, "uv" | "pdm") && own == Some(false)
    } else {
        !program.starts_with('-') && !program.contains('/') && context.entry(program).is_none()
    };
    let environment = environment(view, manager, options)?;
    if !plain || python::gives_meaning(context, manager, program) {
        return None;
    }
    let programs = format!("{environment}/bin");
    let path = stage.end.env.get("PATH").unwrap_or_default();
    let first = path.split(':').next() == Some(programs.as_str()) || environment == "/usr/local";
    // The health check would find another Python first.
    let check = stage.end.config.healthcheck.iter().flatten();
    let mut check = check.filter(|_| !first);
    if check.any(|word| word.contains("python")) {
        return None;
    }
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
        // What the build has left out `uv run` would install: the project itself, what is for developers, and what else it was told.
        let pyproject = context.text("pyproject.toml").unwrap_or_default();
        let command = &step.instruction.text;
        let missing = python::installs_itself(pyproject, manager, "")
            && !python::installs_itself(pyproject, manager, command);
        let left_out = command.contains("--no-dev")
            && !options.iter().flatten().any(|option| option == "--no-dev")
            && unneeded(view, manager).is_none();
        let told = command
            .split_whitespace()
            .skip_while(|word| *word != "sync")
            .any(|word| word.starts_with('-') && !SYNC_OPTIONS.contains(&word));
        let variables = [
            "UV_NO_DEV",
            "UV_NO_GROUP",
            "UV_NO_DEFAULT_GROUPS",
            "UV_ONLY",
        ];
        let set = variables
            .iter()
            .any(|name| command.contains(name) || step.instruction.before.env.get(name).is_some());
        if missing || left_out || told || set {
            return None;
        }
    }
    Some(install.prefix.clone())
}
