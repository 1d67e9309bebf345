//! A `.dockerignore` that keeps what no image needs out of the context: less to send, and no rebuild for an edit of the README.

use stagewright_syntax::edit::{EditError, EditSet};

use super::{Pass, View};
use crate::analysis::called::is_source;
use crate::context::Context;
use crate::ledger::Origin;
use crate::proposal::{Applicability, Proposal};
use crate::stage::{From, Op};

pub(super) const PASS: Pass = Pass {
    name: "ignore_file",
    mends: false,
    propose,
};

/// A pattern, and whether a path is one of the files it is for.
type Pattern = (&'static str, fn(&str) -> bool);

/// Patterns of files that an application, or the tests of it, may read, each with the word that a source names them by.
const READABLE: [(&str, &str); 4] = [
    ("tests", "tests"),
    ("test", "test"),
    ("docs", "docs"),
    ("*.md", ".md"),
];

/// Files beside the sources that name what the build of the project reads.
const METADATA: [&str; 4] = ["pyproject.toml", "setup.cfg", "MANIFEST.in", "Procfile"];

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
    let mut wanted = wanted;
    if wanted.iter().any(|pattern| word_of(pattern).is_some()) {
        let read = may_be_read(view);
        wanted.retain(|pattern| !read.contains(pattern));
    }
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
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

/// The word that a source names the files of a pattern by, where it is one of those that may be read.
fn word_of(pattern: &str) -> Option<&'static str> {
    let mut all = READABLE.iter();
    all.find(|(other, _)| *other == pattern)
        .map(|(_, word)| *word)
}

/// The patterns of files that the application, the build of the project or another build with this context may read.
fn may_be_read(view: &View<'_>) -> Vec<&'static str> {
    let context = view.analysis.context();
    // A stage for tests copies them, and the file stands for every build of the folder.
    let mut stages = view.analysis.graph().stages.iter();
    let copies = |op: &Op| matches!(op, Op::Copy(copy) if copy.from == From::Context);
    let other = stages.any(|stage| {
        let mut instructions = stage.instructions.iter();
        !stage.reachable && instructions.any(|one| copies(&one.op))
    });
    if other {
        return READABLE.iter().map(|(pattern, _)| *pattern).collect();
    }
    let mut read = Vec::new();
    for file in context.files() {
        let own = |(pattern, fits): &Pattern| word_of(pattern).is_some() && fits(&file.path);
        let source = is_program(&file.path);
        if !(source || METADATA.contains(&&*file.path)) || PATTERNS.iter().any(own) {
            continue;
        }
        let text = context.text(&file.path).unwrap_or_default();
        for (pattern, word) in READABLE {
            let named = match word {
                ".md" => text.contains(word),
                folder => source && names_folder(text, folder, context),
            };
            if named && !read.contains(&pattern) {
                read.push(pattern);
            }
        }
    }
    read
}

/// Programs and scripts of the application; what only configures tools is none.
fn is_program(path: &str) -> bool {
    (is_source(path) || path.ends_with(".sh")) && !name(path).contains(".config.")
}

/// Whether a text has a folder as a part of a path or as a whole string. A string that starts with `/` is a place on a site or of the
/// image, unless it is put behind another or names a file of the context.
fn names_folder(text: &str, folder: &str, context: &Context) -> bool {
    let quote = |c: char| matches!(c, '"' | '\'' | '`');
    let edge = |c: Option<char>| c.is_some_and(|c| quote(c) || c == '/');
    text.match_indices(folder).any(|(at, _)| {
        let (before, rest) = text.split_at(at);
        let after = rest[folder.len()..].chars().next();
        if !edge(before.chars().next_back()) || !edge(after) {
            return false;
        }
        let start = before
            .rfind(|c| quote(c) || c == '\n')
            .map_or(0, |at| at + 1);
        if !before[start..].starts_with('/') {
            return true;
        }
        let joined = before[..start].trim_end_matches(quote).trim_end();
        let path = rest.split(|c| quote(c) || c == '\n').next();
        joined.ends_with('+') || path.is_some_and(|path| path != folder && context.holds(path))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_named_as_parts_of_paths() {
        let context = Context::builder().file("docs/a.yaml", "").build();
        let context = context.expect("a context of one file");
        for (text, named) in [
            ("open('docs/a')", true),
            ("join(root, \"..\", \"docs\")", true),
            ("require(`../docs/a`)", true),
            ("load(__dirname + '/docs')", true),
            ("load(here.concat('/docs/a.yaml'))", true),
            ("get('/docs')", false),
            ("doc='/api/docs'", false),
            ("docs = 1", false),
            ("'mydocs'", false),
            ("docs", false),
        ] {
            assert_eq!(names_folder(text, "docs", &context), named, "{text}");
        }
    }
}
