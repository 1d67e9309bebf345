//! A `.dockerignore` that keeps what no image needs out of the context: less to send, and no rebuild for an edit of the README.

use stagewright_syntax::edit::{EditError, EditSet};

use super::{Pass, View};
use crate::ledger::Origin;
use crate::proposal::{Applicability, Proposal};

pub(super) const PASS: Pass = Pass {
    name: "ignore_file",
    mends: false,
    propose,
};

/// A pattern, and whether a path is one of the files it is for.
type Pattern = (&'static str, fn(&str) -> bool);

/// Patterns and how the files they are for look: a whole path component, or a suffix of the name.
const PATTERNS: &[Pattern] = &[
    ("**/.git", |path| component(path, ".git")),
    ("**/.gitignore", |path| component(path, ".gitignore")),
    ("**/.gitattributes", |path| {
        component(path, ".gitattributes")
    }),
    (".github", |path| path.starts_with(".github/")),
    (".gitlab-ci.yml", |path| path == ".gitlab-ci.yml"),
    ("**/.DS_Store", |path| component(path, ".DS_Store")),
    (".idea", |path| path.starts_with(".idea/")),
    (".vscode", |path| path.starts_with(".vscode/")),
    ("**/__pycache__", |path| component(path, "__pycache__")),
    ("**/*.pyc", |path| path.ends_with(".pyc")),
    (".pytest_cache", |path| path.starts_with(".pytest_cache/")),
    (".mypy_cache", |path| path.starts_with(".mypy_cache/")),
    (".ruff_cache", |path| path.starts_with(".ruff_cache/")),
    (".tox", |path| path.starts_with(".tox/")),
    (".venv", |path| path.starts_with(".venv/")),
    ("venv", |path| path.starts_with("venv/")),
    ("env", |path| path.starts_with("env/bin/")),
    ("**/node_modules", |path| component(path, "node_modules")),
    (".nyc_output", |path| path.starts_with(".nyc_output/")),
    ("coverage", |path| path.starts_with("coverage/lcov")),
    ("**/*.log", |path| path.ends_with(".log")),
    ("**/Dockerfile*", |path| {
        name(path).starts_with("Dockerfile")
    }),
    ("**/*.Dockerfile", |path| path.ends_with(".Dockerfile")),
    ("docker-compose*.yml", |path| {
        path.starts_with("docker-compose") && path.ends_with(".yml")
    }),
    ("compose*.yaml", |path| {
        path.starts_with("compose") && path.ends_with(".yaml")
    }),
    ("tests", |path| path.starts_with("tests/")),
    ("test", |path| path.starts_with("test/")),
    ("docs", |path| path.starts_with("docs/")),
    ("*.md", |path| {
        !path.contains('/') && has_extension(path, "md")
    }),
];

fn component(path: &str, wanted: &str) -> bool {
    path.split('/').any(|part| part == wanted)
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn has_extension(path: &str, wanted: &str) -> bool {
    path.rsplit_once('.')
        .is_some_and(|(_, extension)| extension.eq_ignore_ascii_case(wanted))
}

fn propose(view: &View<'_>) -> Result<Vec<Proposal>, EditError> {
    let record = view.analysis.record();
    // A command that may read anything may read these as well.
    if record
        .stages
        .iter()
        .flat_map(|stage| &stage.layers)
        .any(|layer| layer.facts.reads.anything.is_some())
    {
        return Ok(Vec::new());
    }
    let mut copied: Vec<&str> = record
        .stages
        .iter()
        .flat_map(|stage| &stage.layers)
        .flat_map(|layer| &layer.nodes)
        .filter_map(|(_, node)| match &node.origin {
            Origin::Context(source) => Some(&**source),
            _ => None,
        })
        .collect();
    copied.sort_unstable();
    copied.dedup();
    let named = view.analysis.named_sources();
    let installs_modules = record
        .stages
        .iter()
        .flat_map(|stage| &stage.layers)
        .flat_map(|layer| &layer.facts.installs)
        .any(|install| install.tool == "npm");
    let wanted: Vec<&str> = PATTERNS
        .iter()
        .filter(|(_, fits)| copied.iter().any(|path| fits(path)))
        // What the Dockerfile names by itself is wanted.
        .filter(|(_, fits)| {
            !named
                .iter()
                .any(|source| fits(source) || fits(&format!("{source}/")))
        })
        // Modules that no step installs are meant to be copied.
        .filter(|(pattern, _)| *pattern != "**/node_modules" || installs_modules)
        .map(|(pattern, _)| *pattern)
        .collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let mut wanted = wanted;
    // The file itself would be the next thing to leave out.
    if view.analysis.context().ignore_file().is_none() && named.is_empty() {
        wanted.push(".dockerignore");
    }
    let mut text = view
        .analysis
        .context()
        .ignore_file()
        .map(|file| file.text().to_owned())
        .unwrap_or_default();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    for pattern in &wanted {
        text.push_str(pattern);
        text.push('\n');
    }
    Ok(vec![Proposal {
        title: format!(
            "keep {} out of the build context",
            wanted
                .iter()
                .map(|pattern| format!("`{pattern}`"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        applicability: Applicability::Safe,
        assumptions: vec!["the application reads none of these files".into()],
        warnings: Vec::new(),
        edits: EditSet::new(),
        dockerignore: Some(text),
    }])
}
