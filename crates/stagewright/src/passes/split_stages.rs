//! Builds Python packages in a stage of their own and copies only what was installed: pip's own traces, build tools and downloads stay
//! behind.
//!
//! What stands above the install becomes a stage that both others build on, so that nothing is said twice:
//!
//! ```text
//! FROM python:3.12-slim AS base        FROM base AS builder                           FROM base
//! WORKDIR /app                         RUN pip install --root=/install …              COPY --from=builder /install/usr/local /usr/local
//! ```
//!
//! pip is given another root and not another prefix: below a prefix the Python of Debian takes another folder than the one it reads.
//! Poetry and Pipenv, which have no such option, fill a virtual environment.

pub(super) mod alone;

use stagewright_syntax::edit::{EditError, EditSet};
use stagewright_syntax::shell::Script;
use stagewright_syntax::{Span, View as Typed};

use self::alone::installs_alone;
use super::{Pass, RunStep, View};
use crate::command::{Install, corepack};
use crate::project::node;
use crate::proposal::{Applicability, Proposal};
use crate::recipe;
use crate::stage::{Base, CopyOp, From, Op, Stage, is_root};

pub(super) const PASS: Pass = Pass {
    name: "split_stages",
    mends: false,
    propose,
};

/// The root below which pip puts the packages in the builder, and where they lie then.
const ROOT: &str = "/install";
const INSTALLED: &str = "/install/usr/local";

/// Where the packages of a tool go that can be told no root.
const ENVIRONMENT: &str = "/opt/venv";

/// What installs packages of Python.
const MANAGERS: [&str; 5] = ["pip", "uv", "poetry", "pdm", "pipenv"];

/// What installs packages of Node, and what it compiles them with besides compilers: node-gyp is written in Python.
const NODE_MANAGERS: [&str; 3] = ["npm", "pnpm", "yarn"];
const NODE_GYP: [&str; 3] = ["python3", "python-is-python3", "python3-minimal"];

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    Ok(split(view, false).into_iter().collect())
}

/// The install of the last stage in a stage of its own. `lone`: also where that alone leaves nothing behind, since what else stands in
/// the image is to go.
pub(super) fn split(view: &View<'_>, lone: bool) -> Option<Proposal> {
    let graph = view.analysis.graph();
    let stage = graph.target_stage();
    if !matches!(stage.base, Base::Image(_)) || takes_packages(stage) {
        return None;
    }
    let runs: Vec<RunStep<'_>> = view
        .runs()
        .into_iter()
        .filter(|step| step.stage.id == stage.id)
        .collect();
    let installs: Vec<&RunStep<'_>> = runs
        .iter()
        .filter(|step| {
            let mut installs = step.facts().installs.iter();
            installs.any(|install| MANAGERS.contains(&install.tool) || fills_modules(install))
                && brought(view, step).is_empty()
                && !is_project_alone(step)
        })
        .collect();
    let (install, project) = match installs.as_slice() {
        [install] => (install, None),
        [packages, project] if is_project_of(view, stage, packages, project) => {
            (packages, Some(*project))
        }
        _ => return None,
    };
    let way = way(view, &runs, install)?;
    let edits = edits(view, stage, &runs, (install, project), &way, lone)?;
    Some(Proposal {
        title: "install packages in a builder stage and copy only what was installed".into(),
        applicability: Applicability::Safe,
        assumptions: vec![match &way {
            Way::Root => format!(
                "packages installed under `{INSTALLED}` work under `/usr/local`, as pip's scheme promises"
            ),
            Way::Folder(folder) => {
                format!("nothing but `{folder}` is needed of what the install writes")
            }
            Way::Environment => format!(
                "everything starts Python and its programs by name: `{ENVIRONMENT}/bin` comes first in `PATH`"
            ),
        }],
        warnings: Vec::new(),
        edits,
        dockerignore: None,
    })
}

/// Whether the stage takes whole folders from another one already.
fn takes_packages(stage: &Stage) -> bool {
    stage.instructions.iter().any(|instruction| {
        matches!(
            &instruction.op,
            Op::Copy(CopyOp {
                from: From::Stage(_),
                ..
            })
        )
    })
}

/// How the packages get out of the builder.
enum Way {
    /// pip puts them below another root.
    Root,
    /// The folder that they are installed into is copied as it is.
    Folder(String),
    /// The tool fills a virtual environment instead of the interpreter's own folder.
    Environment,
}

/// Whether an install fills `node_modules` of a project.
fn fills_modules(install: &Install) -> bool {
    NODE_MANAGERS.contains(&install.tool) && !install.manifests.is_empty()
}

/// How the packages of a RUN that does nothing but install them get out of the builder.
fn way(view: &View<'_>, runs: &[RunStep<'_>], step: &RunStep<'_>) -> Option<Way> {
    let facts = step.facts();
    let first = facts.installs.first()?;
    if !installs_alone(view, step) {
        return None;
    }
    if fills_modules(first) {
        // Packages of the repository have folders of their own for what they need.
        let several = node::members(view.analysis.context()).is_some();
        return modules(view, runs, step).filter(|_| !several);
    }
    let (tool, prefix) = (first.tool, &first.prefix);
    let same = facts.installs.iter().all(|install| {
        MANAGERS.contains(&install.tool)
            && install.tool == tool
            && install.prefix == *prefix
            && !install.packages.is_empty()
    });
    // Byte code that a tool leaves beside the modules of the interpreter is needed by nobody.
    let inside = step.layer.nodes.iter().all(|(path, node)| {
        path.starts_with(prefix.as_str())
            || node.size().high == 0
            || path.ends_with("/__pycache__")
            || facts.caches.iter().any(|cache| *cache.path == **path)
    });
    if !same || !inside || !facts.unmodelled.is_empty() {
        return None;
    }
    // What is started by such a tool finds the packages where the tool looks for them.
    let started = matches!(tool, "poetry" | "pdm" | "pipenv") && view.analysis.uses(tool);
    match (tool, prefix.as_str()) {
        ("pip", "/usr/local") => Some(Way::Root),
        ("poetry" | "pipenv", "/usr/local") if !started => Some(Way::Environment),
        (_, "/usr/local") | ("pip", _) => None,
        _ if started => None,
        (_, folder) => Some(Way::Folder(folder.to_owned())),
    }
}

/// `node_modules` of a RUN that makes nothing else but what the project brings itself, its manifests, and what is spare.
fn modules(view: &View<'_>, runs: &[RunStep<'_>], step: &RunStep<'_>) -> Option<Way> {
    let facts = step.facts();
    let [install] = facts.installs.as_slice() else {
        return None;
    };
    let mut later = runs.iter().filter(|run| run.at > step.at);
    let called = later.any(|run| {
        let mut programs = run.facts().programs.iter();
        programs.any(|program| program == install.tool)
    });
    let spare = !called && !view.analysis.uses(install.tool);
    let folder = format!("{}/node_modules", install.prefix.trim_end_matches('/'));
    let mut nodes = step.layer.nodes.iter();
    let filled = nodes.any(|(path, _)| path.starts_with(&folder));
    let inside = step.layer.nodes.iter().all(|(path, _)| {
        path.starts_with(&folder)
            || install
                .manifests
                .iter()
                .any(|manifest| **manifest == **path)
            || facts.caches.iter().any(|cache| *cache.path == **path)
            // The manager itself, and its own code that yarn compiles, are for the install.
            || spare && (corepack::brings(path) || path.starts_with("/tmp/"))
    });
    // Packages of the repository itself lie elsewhere, and their scripts may write anywhere.
    let alone = facts.unmodelled.is_empty() && facts.reads.anything.is_none();
    (filled && inside && alone).then_some(Way::Folder(folder))
}

/// `pip install --no-deps .`: the project alone, which an edit of its source installs anew.
fn is_project_alone(step: &RunStep<'_>) -> bool {
    let facts = step.facts();
    facts.reads.anything.is_some() && step.instruction.text.contains("--no-deps")
}

/// Whether the second of two steps puts the project itself beside the packages of the first, with what COPY brings between them.
fn is_project_of(
    view: &View<'_>,
    stage: &Stage,
    packages: &RunStep<'_>,
    project: &RunStep<'_>,
) -> bool {
    let (first, second) = (packages.facts(), project.facts());
    let ([first], [own]) = (first.installs.as_slice(), second.installs.as_slice()) else {
        return false;
    };
    let mut between = stage.instructions[packages.at + 1..project.at].iter();
    matches!(own.tool, "uv" | "poetry" | "pdm")
        && own.tool == first.tool
        && own.prefix == first.prefix
        && own.packages.is_empty()
        && second.reads.anything.is_some()
        && installs_alone(view, project)
        && between.all(|one| {
            let from_context = |copy: &CopyOp| copy.from == From::Context;
            !one.trigger && matches!(&one.op, Op::Copy(copy) if from_context(copy))
        })
}

/// `(install, project)`: the step that installs packages, and the one that installs the project beside them, if that is another.
fn edits(
    view: &View<'_>,
    stage: &Stage,
    runs: &[RunStep<'_>],
    (install, project): (&RunStep<'_>, Option<&RunStep<'_>>),
    way: &Way,
    lone: bool,
) -> Option<EditSet> {
    let mut edits = EditSet::new();
    let newline = view.line_break();
    let from = view.file.instruction(stage.from);
    let Typed::From(from_view) = from.view() else {
        return None;
    };
    let (base, builder) = (free_name(view, "base"), free_name(view, "builder"));
    // The first FROM takes the name `base`; the stage's own name moves to the last one.
    let name = if let Some(name) = &from_view.name {
        edits.replace(name.span, base.clone()).ok()?;
        format!(" AS {}", &**name)
    } else {
        edits
            .insert(from_view.image.span.end, format!(" AS {base}"))
            .ok()?;
        String::new()
    };
    let source = view.source(install.instruction)?;
    let lines = view.whole_lines(source.span());
    let text = view.file.text();
    let mut written = text[lines.start as usize..lines.end as usize].to_owned();
    if let Some(project) = project {
        let own = view.whole_lines(view.source(project.instruction)?.span());
        written.push_str(&text[lines.end as usize..own.end as usize]);
        edits.delete(own).ok()?;
    }
    let (env, run) = (view.keyword("ENV"), view.keyword("RUN"));
    let path = format!("PATH={ENVIRONMENT}/bin:$PATH");
    let filled = runs
        .iter()
        .filter(|step| step.at < install.at && for_the_build(view, step))
        .any(|step| fills(&brought(view, step)));
    let (script, own, source, target) = match way {
        Way::Root => (
            rooted(view, install, filled)?,
            String::new(),
            INSTALLED,
            "/usr/local",
        ),
        Way::Folder(folder) => (written, String::new(), folder.as_str(), folder.as_str()),
        Way::Environment => {
            let made = format!("{run} python -m venv --without-pip {ENVIRONMENT}{newline}");
            let active = format!("{env} VIRTUAL_ENV={ENVIRONMENT} {path}{newline}");
            let own = format!("{env} {path}{newline}");
            (
                format!("{made}{active}{written}"),
                own,
                ENVIRONMENT,
                ENVIRONMENT,
            )
        }
    };
    let (tools, libraries) = for_builder(view, runs, install, &mut edits)?;
    // Packages of Node lie in a folder of their own from the start: a stage for them alone leaves nothing else behind.
    if !lone && tools.is_empty() && install.facts().installs.iter().any(fills_modules) {
        return None;
    }
    let libraries = if libraries.is_empty() {
        String::new()
    } else {
        format!(
            "{} {}{newline}",
            view.keyword("RUN"),
            recipe::python::apt_get_install(&libraries)
        )
    };
    let last = project.map_or(install.at, |project| project.at);
    for step in runs.iter().filter(|step| step.at > last) {
        without_byte_code(view, step, &mut edits)?;
    }
    let (from_word, as_word, copy_word) = (
        view.keyword("FROM"),
        view.keyword("AS"),
        view.keyword("COPY"),
    );
    // What is copied belongs to root, where what is installed belongs to who installs it.
    let user = &install.instruction.before.config.user;
    let owner = if is_root(user) {
        String::new()
    } else {
        format!(" --chown={user}")
    };
    let name = if view.lower_case() {
        name.replace(" AS ", " as ")
    } else {
        name
    };
    let mut new =
        format!("{newline}{from_word} {base} {as_word} {builder}{newline}{newline}{tools}");
    new.push_str(script.trim_end_matches(['\r', '\n']));
    new.push_str(&format!("{newline}{newline}{from_word} {base}{name}{newline}{newline}{libraries}{own}{copy_word}{owner} --from={builder} {source} {target}{newline}"));
    if text[..lines.start as usize].ends_with(&format!("{newline}{newline}")) {
        let breaks = new.len() - new.trim_start_matches(['\r', '\n']).len();
        new.drain(..breaks);
    }
    edits.replace(lines, new).ok()?;
    Some(edits)
}

/// Takes what only the install needs out of what stands before it: the lines that the builder gets, and the Debian packages that what is
/// compiled with them needs to run.
fn for_builder<'a>(
    view: &View<'a>,
    runs: &[RunStep<'_>],
    install: &RunStep<'_>,
    edits: &mut EditSet,
) -> Option<(String, Vec<&'a str>)> {
    let (text, newline) = (view.file.text(), view.line_break());
    let run = view.keyword("RUN");
    let needs = needs(view, install);
    let (mut tools, mut libraries) = (String::new(), Vec::new());
    let before: Vec<&RunStep<'_>> = runs.iter().filter(|step| step.at < install.at).collect();
    let systems: Vec<&&RunStep<'_>> = before.iter().filter(|step| is_system(step)).collect();
    // What one command lists another may install: package lists move if everything does that needs them.
    let all = systems
        .iter()
        .all(|step| lists_only(step) || build_tools_only(view, step, &needs.build));
    for step in &before {
        let lines = view.whole_lines(view.source(step.instruction)?.span());
        // Compilers and headers are for the build alone.
        let moves = for_the_build(view, step)
            || is_setting(view, step)
            || build_tools_only(view, step, &needs.build)
            || all && systems.len() > 1 && is_system(step);
        if moves {
            tools.push_str(&text[lines.start as usize..lines.end as usize]);
            edits.delete(lines).ok()?;
        } else if let Some(part) = build_part(view, step, &needs.build) {
            for gap in part.gaps {
                edits.delete(gap).ok()?;
            }
            tools.push_str(&format!("{run} {}{newline}", part.command));
        } else {
            continue;
        }
        if names(step).any(|name| needs.build.contains(&name) && !view.is_build_tool(name)) {
            libraries.clone_from(&needs.run);
        }
    }
    Some((tools, libraries))
}

/// A command of the project that an edit runs again would store the byte code of the packages in its layer each time, which the install
/// has left behind with pip.
fn without_byte_code(view: &View<'_>, step: &RunStep<'_>, edits: &mut EditSet) -> Option<()> {
    const VARIABLE: &str = "PYTHONDONTWRITEBYTECODE";
    let python = |program: &str| program.starts_with("python") || program.starts_with("pip");
    let mut programs = step.facts().programs.iter();
    if !programs.any(|program| python(program))
        || step.instruction.before.env.get(VARIABLE).is_some()
    {
        return Some(());
    }
    let Some(script) = view.script(step) else {
        return Some(());
    };
    for command in &Script::parse(&script.text).commands {
        if command.program().is_some_and(|program| python(&program)) {
            let span = script.source_span(command.span);
            edits.insert(span.start, format!("{VARIABLE}=1 ")).ok()?;
        }
    }
    Some(())
}

/// The lines of the install, with `--root` behind its `install`. What brings managers in the same RUN stays where these run. Nothing if two
/// commands install packages: pip does not see what lies below another root, and would install it again in another version.
/// `filled`: the builder has packages that the image will not have, and pip would leave out what they satisfy.
fn rooted(view: &View<'_>, step: &RunStep<'_>, filled: bool) -> Option<String> {
    let script = view.script(step)?;
    let parsed = Script::parse(&script.text);
    let lines = view.whole_lines(view.source(step.instruction)?.span());
    let installs = || step.facts().installs.iter();
    let brings = |install: &&Install| !managers(&parsed, install).is_empty();
    let filled = filled || installs().any(|one| fills(&managers(&parsed, one)));
    let mut rooted = installs().filter(|install| !brings(install) || installs().count() == 1);
    let (install, None) = (rooted.next()?, rooted.next()) else {
        return None;
    };
    let word = parsed
        .commands
        .get(install.command)?
        .words
        .iter()
        .find(|word| word.literal().as_deref() == Some("install"))?;
    let end = script.source_span(word.span).end - lines.start;
    let all = if filled { " --ignore-installed" } else { "" };
    let mut edits = EditSet::new();
    edits.insert(end, format!(" --root={ROOT}{all}")).ok()?;
    Some(edits.apply(&view.file.text()[lines.start as usize..lines.end as usize]))
}

/// The managers that a `pip install` or an `npm install -g` names, where it names nothing else.
fn managers(script: &Script, install: &Install) -> Vec<String> {
    let command = script.commands.get(install.command);
    let words = command.into_iter().flat_map(|command| &command.words);
    let words: Vec<_> = words
        .map(|word| word.literal().unwrap_or_default())
        .collect();
    let everywhere = match install.tool {
        "pip" => true,
        "npm" => words
            .iter()
            .any(|word| matches!(&**word, "-g" | "--global")),
        _ => false,
    };
    if !everywhere || !install.manifests.is_empty() {
        return Vec::new();
    }
    let is_command = |word: &str| matches!(word, "install" | "i" | "add");
    let named = words.iter().skip_while(|word| !is_command(word)).skip(1);
    let named: Vec<String> = named
        .filter(|word| !word.starts_with('-'))
        .map(|word| {
            let name = word
                .split(['=', '<', '>', '!', '~', '[', ';', '@', ' '])
                .next();
            name.unwrap_or_default().to_owned()
        })
        .collect();
    if named.iter().all(|name| is_manager(name)) {
        named
    } else {
        Vec::new()
    }
}

/// Whether managers put packages beside themselves that others may need: pip alone needs none, and every base brings it.
fn fills(managers: &[String]) -> bool {
    managers.iter().any(|name| name != "pip")
}

/// The managers that a step installs (`pip install --upgrade pip`, `npm install -g pnpm`), where it does nothing else.
fn brought(view: &View<'_>, step: &RunStep<'_>) -> Vec<String> {
    let facts = step.facts();
    let Some(script) = view.script(step).filter(|_| facts.unmodelled.is_empty()) else {
        return Vec::new();
    };
    let parsed = Script::parse(&script.text);
    let each: Vec<_> = facts
        .installs
        .iter()
        .map(|one| managers(&parsed, one))
        .collect();
    if each.iter().any(Vec::is_empty) {
        return Vec::new();
    }
    each.concat()
}

fn is_manager(name: &str) -> bool {
    matches!(name, "wheel" | "setuptools" | "virtualenv")
        || MANAGERS.contains(&name)
        || NODE_MANAGERS.contains(&name)
}

/// What brings a manager, for the install that follows and its settings, and for nothing in the image.
fn for_the_build(view: &View<'_>, step: &RunStep<'_>) -> bool {
    let runs = view.runs();
    let later = |name: &String| {
        // What a script of the project calls is not known.
        let hidden = |other: &RunStep<'_>| {
            NODE_MANAGERS.contains(&name.as_str())
                && (other.facts().reads.anything.is_some() || !other.facts().unmodelled.is_empty())
        };
        let mut others = runs.iter().filter(|other| {
            other.stage.id == step.stage.id
                && (other.facts().programs.contains(name) || hidden(other))
        });
        // pip is there without an upgrade, too.
        name != "pip"
            && others.any(|other| {
                let mut installs = other.facts().installs.iter();
                !installs.any(|install| install.tool == *name) && !is_setting(view, other)
            })
    };
    // A stage that stands on this one, of tests for example, may call it.
    let mut stages = view.analysis.graph().stages.iter();
    let below = stages.any(|stage| stage.base == Base::Stage(step.stage.id));
    let brought = brought(view, step);
    let needed = |name: &String| view.analysis.uses(name) || later(name);
    !below && !brought.is_empty() && !brought.iter().any(needed)
}

/// `poetry config …`: a setting of a manager that is for the build alone.
fn is_setting(view: &View<'_>, step: &RunStep<'_>) -> bool {
    let facts = step.facts();
    let mut programs = facts.programs.iter();
    facts.installs.is_empty()
        && facts.unmodelled.is_empty()
        && facts.reads.anything.is_none()
        && !facts.programs.is_empty()
        && programs.all(|name| name != "pip" && is_manager(name) && !view.analysis.uses(name))
}

/// Debian packages that the installed packages need when they are compiled, and when they run.
struct Needs<'a> {
    build: Vec<&'a str>,
    run: Vec<&'a str>,
}

fn needs<'a>(view: &View<'a>, install: &RunStep<'_>) -> Needs<'a> {
    let tools = view.analysis.catalog().tools();
    let packages = install
        .facts()
        .installs
        .iter()
        .flat_map(|install| &install.packages);
    let rows: Vec<_> = packages
        .filter_map(|(name, _)| tools.source_build(name))
        .collect();
    let node = install.facts().installs.iter().any(fills_modules);
    let gyp = NODE_GYP
        .into_iter()
        .filter(|name| node && !view.analysis.uses(name) && !view.analysis.uses("python"));
    Needs {
        build: rows
            .iter()
            .flat_map(|row| &row.build)
            .map(String::as_str)
            .chain(gyp)
            .collect(),
        run: rows
            .iter()
            .flat_map(|row| &row.run)
            .map(String::as_str)
            .collect(),
    }
}

/// Packages of the distribution that a step is told to install.
fn names<'s>(step: &'s RunStep<'_>) -> impl Iterator<Item = &'s str> {
    let installs = step.facts().installs.iter();
    installs
        .filter(|install| matches!(install.tool, "apt-get" | "apk"))
        .flat_map(|install| &install.packages)
        .map(|(name, _)| name.as_str())
}

/// Whether a step calls the package manager of Debian, removes what it leaves, and does nothing else.
fn is_system(step: &RunStep<'_>) -> bool {
    let facts = step.facts();
    let mut programs = facts.programs.iter();
    facts.unmodelled.is_empty()
        && !facts.programs.is_empty()
        && programs.all(|program| matches!(program.as_str(), "apt-get" | "rm"))
        && facts.programs.iter().any(|program| program == "apt-get")
}

/// `apt-get update`.
fn lists_only(step: &RunStep<'_>) -> bool {
    let mut nodes = step.layer.nodes.iter();
    step.facts().installs.is_empty()
        && nodes.all(|(path, _)| path.starts_with("/var/lib/apt/lists"))
}

/// What of a step is for the build alone.
struct BuildPart {
    /// What the step's own command loses.
    gaps: Vec<Span>,
    /// The command that installs it in the builder.
    command: String,
}

/// The packages for the build alone of a step that installs others as well.
fn build_part(view: &View<'_>, step: &RunStep<'_>, headers: &[&str]) -> Option<BuildPart> {
    let facts = step.facts();
    let [install] = facts.installs.as_slice() else {
        return None;
    };
    if !is_system(step) || install.tool != "apt-get" {
        return None;
    }
    let script = view.script(step)?;
    let parsed = Script::parse(&script.text);
    let words = &parsed.commands.get(install.command)?.words;
    let (mut gaps, mut options, mut moved) = (Vec::new(), Vec::new(), Vec::new());
    let mut kept = 0;
    let mut end = words.first()?.span.end;
    for word in &words[1..] {
        let name = word.literal()?;
        let span = script.source_span(Span::new(end, word.span.end));
        end = word.span.end;
        let bare = name.split('=').next().unwrap_or_default();
        if name.starts_with('-') {
            options.push(name.into_owned());
        } else if headers.contains(&bare) || view.is_build_tool(bare) {
            // A comment between two lines stays where it is.
            if view.file.text()[span.start as usize..span.end as usize].contains('#') {
                return None;
            }
            moved.push(name.into_owned());
            gaps.push(span);
        } else if name != "install" {
            kept += 1;
        }
    }
    let words = [options, moved.clone()].concat().join(" ");
    (kept > 0 && !moved.is_empty()).then(|| BuildPart {
        gaps,
        command: format!(
            "apt-get update && apt-get install {words} && rm -rf /var/lib/apt/lists/*"
        ),
    })
}

/// Whether a step installs only what a build needs: compilers, or with them headers whose libraries are known.
fn build_tools_only(view: &View<'_>, step: &RunStep<'_>, headers: &[&str]) -> bool {
    let facts = step.facts();
    let packages: Vec<&str> = names(step).collect();
    let only = facts
        .installs
        .iter()
        .all(|install| matches!(install.tool, "apt-get" | "apk"))
        && facts.unmodelled.is_empty();
    only && !packages.is_empty()
        && packages
            .iter()
            .all(|name| headers.contains(name) || view.is_build_tool(name))
}

/// A stage name that the file does not use.
pub(super) fn free_name(view: &View<'_>, wanted: &str) -> String {
    let graph = view.analysis.graph();
    let taken = |name: &str| graph.find(name).is_some();
    if !taken(wanted) {
        return wanted.to_owned();
    }
    let mut number = 2;
    while taken(&format!("{wanted}-{number}")) {
        number += 1;
    }
    format!("{wanted}-{number}")
}

impl View<'_> {
    /// Whether a package of the distribution is for a build alone, and nothing that runs calls it.
    fn is_build_tool(&self, name: &str) -> bool {
        self.analysis.catalog().tools().is_build_tool(name) && !self.analysis.uses(name)
    }

    /// The name of an instruction as the file writes them.
    pub(crate) fn keyword(&self, upper: &str) -> String {
        if self.lower_case() {
            upper.to_lowercase()
        } else {
            upper.to_owned()
        }
    }

    /// Whether the file writes its instructions in lower case.
    pub(crate) fn lower_case(&self) -> bool {
        self.file.instructions().next().is_some_and(|instruction| {
            instruction
                .keyword_text()
                .value
                .chars()
                .all(char::is_lowercase)
        })
    }
}
