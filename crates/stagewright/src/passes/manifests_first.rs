//! Installs dependencies before the source is copied: an edit of the source then leaves the install in the cache.
//!
//! The COPY moves below the RUN that installs, and the RUN gets the manifests it reads as bind mounts: they are hashed by content, and
//! cost no layer. A tool that writes its manifests gets them by a COPY of their own.

use stagewright_syntax::Keyword;
use stagewright_syntax::edit::{EditError, EditSet};

use super::{Pass, RunStep, View, attempt};
use crate::command::Install;
use crate::ledger::Origin;
use crate::project::node;
use crate::proposal::{Applicability, Proposal};
use crate::stage::{CopyOp, From, Op, Stage};

pub(super) const PASS: Pass = Pass {
    name: "manifests_first",
    mends: false,
    propose,
};

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let mut edits = EditSet::new();
    let (mut tools, mut manifests) = (Vec::new(), Vec::new());
    let runs = view.runs();
    for stage in view
        .analysis
        .graph()
        .stages
        .iter()
        .filter(|stage| stage.reachable)
    {
        for (at, instruction) in stage.instructions.iter().enumerate() {
            let Op::Copy(copy) = &instruction.op else {
                continue;
            };
            if copy.from != From::Context || instruction.trigger {
                continue;
            }
            let hoisted = attempt(&mut edits, |edits| {
                hoist(view, stage, at, copy, &runs, &INSTALLS, edits)
            });
            if let Some(found) = hoisted {
                tools.extend(found.tools);
                manifests.extend(found.manifests);
            }
        }
    }
    if edits.is_empty() {
        return Ok(Vec::new());
    }
    tools.dedup();
    manifests.dedup();
    Ok(vec![Proposal {
        title: "install dependencies before the source is copied".into(),
        applicability: Applicability::Safe,
        assumptions: vec![format!(
            "{} reads nothing of the project but {}",
            tools.join(" and "),
            if manifests.is_empty() {
                "what is copied before".to_owned()
            } else {
                list(&manifests)
            }
        )],
        warnings: Vec::new(),
        edits,
        dockerignore: None,
    }])
}

/// How the variables begin that package managers read.
const SETTINGS: [&str; 7] = [
    "PIP_",
    "UV_",
    "POETRY_",
    "PDM_",
    "NPM_CONFIG_",
    "npm_config_",
    "YARN_",
];

fn list(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Which RUNs a COPY may move below.
pub(super) struct Wanted {
    /// Those that it may move below.
    pub(super) passes: fn(&RunStep<'_>) -> bool,
    /// Those that it is worth moving below.
    pub(super) counts: fn(&RunStep<'_>) -> bool,
}

const INSTALLS: Wanted = Wanted {
    passes: |_| true,
    counts: |step| {
        let mut installs = step.facts().installs.iter();
        installs.any(|install| !install.manifests.is_empty())
    },
};

pub(super) struct Hoist {
    tools: Vec<&'static str>,
    manifests: Vec<String>,
}

/// A file that a RUN reads: its path in the context and in the image.
pub(super) struct Manifest {
    pub(super) source: String,
    pub(super) target: String,
}

/// The manifests of an install among the files that a COPY brings.
pub(super) fn manifests_of(install: &Install, brought: &[(String, String)]) -> Vec<Manifest> {
    let of_install = brought
        .iter()
        .filter(|(target, _)| install.manifests.contains(target));
    of_install
        .map(|(target, source)| Manifest {
            source: source.clone(),
            target: target.clone(),
        })
        .collect()
}

/// The RUNs up to the last one that counts that follow a COPY and can do without it, each with the manifests it reads.
type Followers<'r, 'a> = Vec<(&'r RunStep<'a>, Vec<Manifest>)>;

fn followers<'r, 'a>(
    view: &View<'_>,
    stage: &Stage,
    at: usize,
    copy: &CopyOp,
    brought: &[(String, String)],
    runs: &'r [RunStep<'a>],
    wanted: &Wanted,
) -> Option<Followers<'r, 'a>> {
    let mut last = None;
    let mut followers = Vec::new();
    for (place, instruction) in stage.instructions.iter().enumerate().skip(at + 1) {
        match &instruction.op {
            Op::Config | Op::Workdir(_) => continue,
            // Another copy may lie on top of this one.
            Op::Copy(_) => break,
            Op::Run(_) => {}
        }
        let Some(step) = runs
            .iter()
            .find(|step| step.stage.id == stage.id && step.at == place)
        else {
            break;
        };
        let Some(read) = reads_only_manifests(step, brought) else {
            break;
        };
        let Some(read) = with_members(view, read, brought) else {
            break;
        };
        if !(wanted.passes)(step) {
            break;
        }
        if overlaps(step, copy, brought) {
            break;
        }
        followers.push((step, read));
        if (wanted.counts)(step) {
            last = Some(followers.len());
        }
    }
    followers.truncate(last?);
    // Where the COPY brings nothing but the manifests, they come first already.
    let needed: Vec<&str> = followers
        .iter()
        .flat_map(|(_, read)| read)
        .map(|manifest| manifest.source.as_str())
        .collect();
    let more = brought
        .iter()
        .any(|(_, source)| !needed.contains(&source.as_str()));
    more.then_some(followers)
}

/// Moves one COPY below the last RUN that counts, follows it and can do without it.
pub(super) fn hoist(
    view: &View<'_>,
    stage: &Stage,
    at: usize,
    copy: &CopyOp,
    runs: &[RunStep<'_>],
    wanted: &Wanted,
    edits: &mut EditSet,
) -> Option<Hoist> {
    let brought = brought(view, stage, at)?;
    let followers = followers(view, stage, at, copy, &brought, runs, wanted)?;
    let last = followers.last()?.0;
    let run_source = view.source(last.instruction)?;
    // A relative destination means another folder below a WORKDIR that comes in between.
    let mut between = stage.instructions[at..last.at].iter();
    if between.any(|instruction| matches!(instruction.op, Op::Workdir(_)))
        && relative_destination(&stage.instructions[at].text)
    {
        return None;
    }
    // Further down a variable may have another value.
    let mut between = stage.instructions[at..last.at].iter();
    let sets = |keyword: Keyword| matches!(keyword, Keyword::Env | Keyword::Arg);
    if stage.instructions[at].text.contains('$')
        && between.any(|instruction| sets(instruction.keyword))
    {
        return None;
    }
    let mut found = Hoist {
        tools: Vec::new(),
        manifests: Vec::new(),
    };
    for (step, read) in &followers {
        let installs = step
            .facts()
            .installs
            .iter()
            .filter(|install| !install.manifests.is_empty());
        found.tools.extend(installs.map(|install| install.tool));
        if read.is_empty() {
            continue;
        }
        let source = view.source(step.instruction)?;
        let folder = step.instruction.before.workdir().trim_end_matches('/');
        if step
            .facts()
            .installs
            .iter()
            .any(|install| install.writes_manifests)
        {
            let lines = copied(view, read, folder)?;
            let line = view.whole_lines(source.span());
            edits.insert(line.start, lines).ok()?;
        } else {
            let mounts: Vec<String> = read
                .iter()
                .map(|manifest| mount(manifest, folder))
                .collect();
            edits
                .insert(view.arguments_start(&source), view.flags(&mounts))
                .ok()?;
        }
        found
            .manifests
            .extend(read.iter().map(|manifest| manifest.source.clone()));
    }
    let lines = view.commented_lines(stage.instructions[at].index);
    let text = view.file.text();
    let moved = text[lines.start as usize..lines.end as usize].trim_end_matches(['\r', '\n']);
    edits.delete(lines).ok()?;
    let after = view.whole_lines(run_source.span());
    let newline = view.line_break();
    // The last line of a file may have no line break.
    let ends = text[..after.end as usize].ends_with('\n');
    let moved = if ends {
        format!("{moved}{newline}")
    } else {
        format!("{newline}{moved}")
    };
    edits.insert(after.end, moved).ok()?;
    Some(found)
}

/// Lines that copy manifests to where they are read, those of one folder at once.
pub(super) fn copied(view: &View<'_>, read: &[Manifest], folder: &str) -> Option<String> {
    let mut lines = String::new();
    let mut folders: Vec<&str> = Vec::new();
    for manifest in read {
        let (parent, _) = manifest.target.rsplit_once('/')?;
        let below = parent.strip_prefix(folder)?.trim_start_matches('/');
        if !folders.contains(&below) {
            folders.push(below);
        }
    }
    // Without a working directory, a relative destination is one that linters warn of.
    let here = if folder.is_empty() { "/" } else { "./" };
    for below in folders {
        let whole = format!("{folder}/{below}");
        let parent = whole.trim_end_matches('/');
        let names: Vec<&str> = read
            .iter()
            .filter(|one| {
                one.target
                    .rsplit_once('/')
                    .is_some_and(|(of, _)| of == parent)
            })
            .map(|one| one.source.as_str())
            .collect();
        let target = if below.is_empty() {
            here.to_owned()
        } else {
            format!("{here}{below}/")
        };
        let copy = view.keyword("COPY");
        let line = format!("{copy} {} {target}{}", names.join(" "), view.line_break());
        lines.push_str(&line);
    }
    Some(lines)
}

pub(super) fn relative_destination(text: &str) -> bool {
    text.split_ascii_whitespace()
        .last()
        .is_some_and(|word| !word.trim_start_matches(['"', '[']).starts_with('/'))
}

/// Path in the image and path in the context of every file that a COPY or ADD brings; `None` if it brings anything else.
pub(super) fn brought(view: &View<'_>, stage: &Stage, at: usize) -> Option<Vec<(String, String)>> {
    let layer = view.analysis.record().stages[stage.id.0].layer(at)?;
    let files = layer.nodes.iter().map(|(path, node)| match &node.origin {
        Origin::Context(source) => Some((path.to_string(), source.to_string())),
        // What ADD unpacks or downloads is known by no name.
        _ => None,
    });
    files.collect()
}

/// The files of the COPY that a RUN reads; `None` if it may read others.
fn reads_only_manifests(step: &RunStep<'_>, brought: &[(String, String)]) -> Option<Vec<Manifest>> {
    let facts = step.facts();
    if facts.reads.anything.is_some() || !facts.unmodelled.is_empty() {
        return None;
    }
    // A file of settings that a variable names (`PIP_CONFIG_FILE`).
    let settings = step.instruction.before.env.iter().any(|(name, value)| {
        let ours = SETTINGS.iter().any(|start| name.starts_with(start));
        ours && brought.iter().any(|(target, _)| target == value)
    });
    if settings {
        return None;
    }
    let manifests: Vec<&String> = facts
        .installs
        .iter()
        .flat_map(|install| &install.manifests)
        .collect();
    let mut read = Vec::new();
    for path in &facts.reads.paths {
        if let Some((target, source)) = brought.iter().find(|(target, _)| target == path) {
            if !manifests.contains(&path) {
                return None;
            }
            read.push(Manifest {
                source: source.clone(),
                target: target.clone(),
            });
        } else if brought
            .iter()
            .any(|(target, _)| target.starts_with(&format!("{}/", path.trim_end_matches('/'))))
        {
            return None;
        }
    }
    Some(read)
}

/// What an install reads, with the manifests of the packages of the repository; `None` where it needs more of their files.
pub(super) fn with_members(
    view: &View<'_>,
    mut read: Vec<Manifest>,
    brought: &[(String, String)],
) -> Option<Vec<Manifest>> {
    let context = view.analysis.context();
    let has = |manifest: &Manifest, words: &[&str]| {
        let text = context.text(&manifest.source).unwrap_or_default();
        manifest.source.ends_with("package.json") && words.iter().any(|word| text.contains(word))
    };
    if read.iter().any(|one| one.source.ends_with("package.json")) {
        let several = read.iter().any(|one| {
            one.source.ends_with("pnpm-workspace.yaml")
                || has(one, &["\"workspaces\"", "\"workspace:"])
        });
        if several {
            for source in node::members(context)? {
                let known = read.iter().any(|one| one.source == source);
                if let (false, Some((target, _))) =
                    (known, brought.iter().find(|(_, other)| *other == source))
                {
                    read.push(Manifest {
                        source,
                        target: target.clone(),
                    });
                }
            }
        }
        // Packages beside the project are copied whole.
        if read.iter().any(|one| has(one, &["\"file:", "\"link:"])) {
            return None;
        }
    }
    Some(read)
}

/// Whether the COPY, once below, would lie on top of what the RUN makes.
fn overlaps(step: &RunStep<'_>, copy: &CopyOp, brought: &[(String, String)]) -> bool {
    let folder = copy.destination.trim_end_matches('/');
    let manifests: Vec<&String> = step
        .facts()
        .installs
        .iter()
        .flat_map(|install| &install.manifests)
        .collect();
    let mut made = step.layer.nodes.iter().filter(|(made, _)| {
        // A manifest that the tool writes again is the one that it has read.
        !manifests.iter().any(|manifest| ***manifest == **made)
    });
    made.any(|(made, _)| {
        made.strip_prefix(folder).is_some_and(|rest| {
            let top = rest
                .trim_start_matches('/')
                .split('/')
                .next()
                .unwrap_or_default();
            brought.iter().any(|(target, _)| {
                target
                    .strip_prefix(folder)
                    .is_some_and(|rest| rest.trim_start_matches('/').split('/').next() == Some(top))
            })
        })
    })
}

pub(super) fn mount(manifest: &Manifest, workdir: &str) -> String {
    let workdir = workdir.trim_end_matches('/');
    let target = manifest
        .target
        .strip_prefix(workdir)
        .and_then(|rest| rest.strip_prefix('/'))
        .unwrap_or(&manifest.target);
    format!(
        "--mount=type=bind,source={},target={target}",
        manifest.source
    )
}

impl View<'_> {
    /// Flags for a RUN, each on a line of its own, with the break to what follows.
    pub(crate) fn flags(&self, flags: &[String]) -> String {
        let (escape, newline) = (self.file.escape(), self.line_break());
        flags.iter().fold(String::new(), |mut out, flag| {
            out.push_str(&format!("{flag} {escape}{newline}    "));
            out
        })
    }
}
