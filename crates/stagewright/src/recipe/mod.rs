//! Dockerfiles from nothing, one ecosystem a file.

pub mod node;
mod owned;
pub mod python;

use stagewright_syntax::write::{Copy, Dockerfile};

use crate::context::Context;
use crate::project::{Generated, ProjectError};

/// What a caller decides for the recipe; what is left out is taken from the project's files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecipeOptions {
    /// The port that the application listens on.
    pub port: Option<u16>,
    /// The base image.
    pub base: Option<String>,
    /// The command that starts the application.
    pub command: Option<Vec<String>>,
}

/// A recipe of a caller, for projects that no built-in one fits, or that a team builds in its own way. The file is made with the builders
/// of [`write`](stagewright_syntax::write), and analysed, planned and edited as any other.
///
/// ```
/// use stagewright::project::{Generated, ProjectError, generate_with_recipes};
/// use stagewright::recipe::{CustomRecipe, RecipeOptions};
/// use stagewright::syntax::write::{Copy, Dockerfile, Entrypoint, From, Run, Workdir};
/// use stagewright::{Analysis, Applicability, Context, Objective, Options};
///
/// /// Programs in Go: one static binary in an empty image.
/// struct Go;
///
/// impl CustomRecipe for Go {
///     fn generate(&self, context: &Context, _: &RecipeOptions) -> Result<Option<Generated>, ProjectError> {
///         if context.text("go.mod").is_none() {
///             return Ok(None);
///         }
///         let mut file = Dockerfile::new();
///         file.push(From::image("golang:1.23").named("builder"));
///         file.push(Workdir::new("/src"));
///         file.push(Copy::files(["go.mod", "go.sum"], "./"));
///         file.push(Run::shell("go mod download"));
///         file.push(Copy::files(["."], "."));
///         file.push(Run::shell("CGO_ENABLED=0 go build -o /program ."));
///         file.blank();
///         file.push(From::image("scratch"));
///         file.push(Copy::files(["/program"], "/program").from("builder"));
///         file.push(Entrypoint::exec(["/program"]));
///         Ok(Some(Generated::new("go", file.print()?, ".git\n")))
///     }
/// }
///
/// let context = Context::builder()
///     .file("go.mod", "module example\n")
///     .file("go.sum", "")
///     .file("main.go", "package main\nfunc main() {}\n")
///     .build()?;
/// let generated = generate_with_recipes(&context, &RecipeOptions::default(), &[&Go])?;
/// assert_eq!(generated.recipe, "go");
///
/// let file = stagewright::Dockerfile::parse(&generated.dockerfile);
/// let analysis = Analysis::new(&file, &context.with_ignore(&generated.dockerignore)?, &Options::default())?;
/// assert!(analysis.plan(Objective::ColdPull, Applicability::Safe)?.rungs.is_empty());
/// // A project that it does not fit is left to the built-in recipes.
/// let python = Context::builder().file("requirements.txt", "flask==3.1.3\n").file("app.py", "from flask import Flask\napp = Flask(__name__)\n").build()?;
/// assert_eq!(generate_with_recipes(&python, &RecipeOptions::default(), &[&Go])?.recipe, "python");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait CustomRecipe {
    /// The files for a project; nothing where the recipe does not fit it. An error is the caller's answer: no other recipe is tried.
    fn generate(
        &self,
        context: &Context,
        options: &RecipeOptions,
    ) -> Result<Option<Generated>, ProjectError>;
}

/// A number above those that distributions give to their services; it needs no entry in `/etc/passwd`, hence no layer.
const USER: &str = "10001:10001";

/// Why a command names no versions, and the code by which hadolint is told so.
struct Unpinned {
    why: &'static str,
    code: &'static str,
}

const UNPINNED_APT: Unpinned = Unpinned {
    why: "Debian keeps one version of each package in a release.",
    code: "DL3008",
};

const UNPINNED_PIP: Unpinned = Unpinned {
    why: "The lock file pins what is installed; a newer manager reads it as well.",
    code: "DL3013",
};

/// Comments that belong to the next instruction.
fn ignoring(file: &mut Dockerfile, unpinned: &Unpinned) {
    file.comment(unpinned.why);
    file.comment(&format!("hadolint ignore={}", unpinned.code));
}

/// Copies files and folders to the same places below the working directory: the files at once, a folder into its own.
pub(crate) fn copy_each<'s>(
    file: &mut Dockerfile,
    sources: impl IntoIterator<Item = &'s String>,
    stage: Option<(&str, &str)>,
) {
    let (folders, files): (Vec<&String>, Vec<&String>) = sources
        .into_iter()
        .partition(|source| source.ends_with('/'));
    let mut push = |sources: Vec<String>, target: String| {
        file.push(match stage {
            None => Copy::files(sources, target),
            Some((stage, root)) => {
                let sources: Vec<String> = sources
                    .iter()
                    .map(|name| format!("{root}/{name}"))
                    .collect();
                Copy::files(sources, target).from(stage)
            }
        });
    };
    // Files of one folder go into it together.
    let mut parents: Vec<&str> = Vec::new();
    for name in &files {
        let parent = name.rfind('/').map_or("", |at| &name[..=at]);
        if !parents.contains(&parent) {
            parents.push(parent);
        }
    }
    for parent in parents {
        let of = |name: &&&String| name.rfind('/').map_or("", |at| &name[..=at]) == parent;
        let group: Vec<String> = files
            .iter()
            .filter(of)
            .map(|name| (*name).clone())
            .collect();
        push(group, format!("./{parent}"));
    }
    for folder in folders {
        push(vec![folder.clone()], format!("./{folder}"));
    }
}

/// Everything is left out but what the Dockerfile takes: an edit of any other file cannot cost a rebuild.
fn dockerignore<'w>(wanted: impl IntoIterator<Item = &'w String>, never: &[&str]) -> String {
    let mut text = String::from("# Everything but what the Dockerfile takes.\n*\n");
    let mut lines: Vec<String> = Vec::new();
    for wanted in wanted {
        let line = format!("!{}\n", wanted.trim_end_matches('/'));
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines.extend(never.iter().map(|pattern| format!("{pattern}\n")));
    text.extend(lines);
    text
}

/// Words with the port that they name in the place of another one.
pub(crate) fn with_port(command: &mut [String], old: u16, new: u16) {
    let (old, new) = (old.to_string(), new.to_string());
    for word in command {
        if *word == old {
            word.clone_from(&new);
        } else if let Some(host) = word.strip_suffix(&format!(":{old}")) {
            *word = format!("{host}:{new}");
        }
    }
}
