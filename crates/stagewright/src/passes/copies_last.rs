//! Copies files of the project after the steps that need none of them: an edit then leaves those steps in the cache.

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::{Script, SimpleCommand};

use super::manifests_first::{Wanted, hoist};
use super::{Pass, RunStep, View, attempt};
use crate::proposal::{Applicability, Proposal};
use crate::stage::{From, Op};

pub(super) const PASS: Pass = Pass {
    name: "copies_last",
    mends: false,
    propose,
};

/// Programs that read nothing of a project unless it is named.
const STABLE: [&str; 16] = [
    "addgroup",
    "adduser",
    "apk",
    "apt",
    "apt-get",
    "dnf",
    "groupadd",
    "ldconfig",
    "locale-gen",
    "microdnf",
    "rm",
    "true",
    "update-ca-certificates",
    "useradd",
    "usermod",
    "yum",
];

const WANTED: Wanted = Wanted {
    passes: needs_no_project,
    counts: needs_no_project,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    let runs = view.runs();
    let stages = view.analysis.graph().stages.iter();
    for stage in stages.filter(|stage| stage.reachable) {
        for (at, instruction) in stage.instructions.iter().enumerate() {
            if let Op::Copy(copy) = &instruction.op
                && copy.from == From::Context
                && !instruction.trigger
                && holds_projects(&copy.destination)
            {
                attempt(&mut edits, |edits| {
                    hoist(view, stage, at, copy, &runs, &WANTED, edits)
                });
            }
        }
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    Ok(vec![
        Proposal::new(
            "copy the project after the steps that need nothing of it",
            Applicability::Safe,
            edits,
        )
        .assuming([
            "package managers of the system, installs of packages by name, and what adds users read nothing of the project",
        ]),
    ])
}

/// Whether no package of the system, and no user that is added, has files in a folder.
pub(super) fn holds_projects(folder: &str) -> bool {
    const SYSTEM: [&str; 16] = [
        "", "bin", "boot", "dev", "etc", "home", "lib", "lib64", "proc", "root", "run", "sbin",
        "sys", "tmp", "usr", "var",
    ];
    let mut parts = folder.trim_matches('/').split('/');
    let first = parts.next().unwrap_or_default();
    folder.starts_with("/usr/src/") || !SYSTEM.contains(&first)
}

/// Whether every command of a RUN needs no file of a project.
fn needs_no_project(step: &RunStep<'_>) -> bool {
    let Op::Run(run) = &step.instruction.op else {
        return false;
    };
    let (Some(text), true) = (&run.script, run.mounts.is_empty()) else {
        return false;
    };
    let script = Script::parse(text);
    script.complete && script.constructs.is_empty() && script.commands.iter().all(needs_no_files)
}

/// Whether a command installs packages of the system by name, adds users, or removes caches, and names no file of a project.
pub(super) fn needs_no_files(command: &SimpleCommand<'_>) -> bool {
    let nothing = |_: &str| None;
    let words: Option<Vec<String>> = command
        .words
        .iter()
        .map(|word| word.expand(&nothing))
        .collect();
    let Some((program, operands)) = words.as_deref().and_then(<[_]>::split_first) else {
        return false;
    };
    let program = program.as_str();
    let (removes, adds) = (
        program == "rm",
        matches!(program, "useradd" | "adduser" | "usermod"),
    );
    let known: &[&str] = if adds {
        &["/bin/", "/sbin/", "/usr/", "/dev/null", "/nonexistent"]
    } else {
        &["/var/", "/tmp/", "/root/.cache"]
    };
    let plain = command.redirects.is_empty() && !command.background && !command.negated;
    if plain && installs_by_name(program, operands) {
        return true;
    }
    plain
        && STABLE.contains(&program)
        && operands.iter().all(|word| {
            if word.starts_with('-') {
                return removes || word != "-c";
            }
            if word.contains('/') {
                return known.iter().any(|folder| word.starts_with(folder));
            }
            !removes && !matches!(word.as_str(), "." | "..") && !word.ends_with(".deb")
        })
}

/// `npm install -g serve`, `yarn global add serve`, `pip install gunicorn`: packages of an index by name, for all projects alike.
fn installs_by_name(program: &str, operands: &[String]) -> bool {
    let says = |word: &str| operands.iter().any(|other| other == word);
    let installs = match program {
        "npm" => (says("install") || says("i")) && (says("-g") || says("--global")),
        "yarn" => operands.len() > 2 && operands[..2] == ["global", "add"],
        "pip" | "pip3" => says("install"),
        _ => false,
    };
    let quiet = [
        "-g",
        "--global",
        "-q",
        "--quiet",
        "--no-cache-dir",
        "--upgrade",
        "-U",
    ];
    installs
        && operands.iter().all(|word| {
            let scoped = word.starts_with('@') && word.matches('/').count() == 1;
            quiet.contains(&&**word)
                || !word.starts_with(['-', '.'])
                    && !word.contains(':')
                    && (scoped || !word.contains('/'))
        })
}
