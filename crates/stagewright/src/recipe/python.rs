//! Python with a requirements file: a builder stage that installs, a runtime stage that holds what was installed and the source.

use stagewright_syntax::write::{
    Cmd, Copy, Dockerfile, Env, Expose, From, Mount, Run, User, Workdir,
};

use super::RecipeOptions;
use crate::context::Context;
use crate::facts::Catalog;
use crate::project::{Generated, ProjectError, PythonProject};

/// The Python that is taken where no file asks for one: the newest whose slim image the catalogue has measured.
fn newest(catalog: &Catalog) -> Option<String> {
    (8..40)
        .rev()
        .map(|minor| format!("3.{minor}"))
        .find(|version| {
            catalog
                .image(&format!("python:{version}-slim"), None)
                .is_some_and(|facts| facts.stale.is_none())
        })
}

pub(crate) fn generate(
    project: &PythonProject,
    context: &Context,
    options: &RecipeOptions,
) -> Result<Generated, ProjectError> {
    let (mut found, mut questions) = (
        vec![format!(
            "`{}` lists {} packages",
            project.requirements,
            project.packages.len()
        )],
        Vec::new(),
    );
    let base = base_image(project, options, &mut found, &mut questions);
    if let (Some(framework), Some(application)) = (project.framework, &project.application) {
        found.push(format!(
            "`{}` holds the {framework} application `{}`",
            application.file, application.variable
        ));
    }
    let port = options.port.unwrap_or(project.port);
    let command = start_command(project, options, port)?;
    // A command that the caller gives for a project without a framework need not be a server.
    let serves = project.framework.is_some() || options.port.is_some();
    if options.port.is_none() && serves {
        questions.push(format!("which port? {port} is taken"));
    }
    let system = system_packages(project, &base, &mut found, &mut questions);
    let mut file = Dockerfile::new();
    file.push(From::image(base.as_str()).named("base"));
    file.push(Env::new().set("PYTHONUNBUFFERED", "1"));
    file.push(Workdir::new("/app"));
    file.blank();
    file.push(From::image("base").named("builder"));
    if !system.build.is_empty() {
        file.push(apt_get(&system.build));
    }
    let name = project.requirements.as_str();
    let mut run = Run::shell(format!("pip install --prefix=/install -r {name}"))
        .mount(Mount::cache("/root/.cache/pip"))
        .mount(Mount::bind(name, name));
    for include in includes(project, context) {
        run = run.mount(Mount::bind(include.as_str(), include.as_str()));
    }
    file.push(run);
    file.blank();
    file.push(From::image("base"));
    if !system.run.is_empty() {
        file.push(apt_get(&system.run));
    }
    file.push(Copy::files(["/install"], "/usr/local").from("builder"));
    let (files, folders): (Vec<&String>, Vec<&String>) = project
        .sources
        .iter()
        .partition(|source| !source.ends_with('/'));
    if !files.is_empty() {
        file.push(Copy::files(files.into_iter().cloned(), "./"));
    }
    for folder in folders {
        file.push(Copy::files([folder.as_str()], format!("./{folder}")));
    }
    if let Some(settings) = static_files(project, context) {
        found.push(format!(
            "`{settings}` names a folder for static files: the build collects them"
        ));
        questions.push(format!(
            "which variables does `{settings}` need when static files are collected? none are set"
        ));
        // An edit of the source runs this again: no byte code of the framework in its layer.
        file.push(Run::shell(
            "PYTHONDONTWRITEBYTECODE=1 python manage.py collectstatic --noinput",
        ));
    }
    file.push(User::new("10001:10001"));
    if serves {
        file.push(Expose::new([port]));
    }
    file.push(Cmd::exec(command));
    let dockerfile = file
        .print()
        .map_err(|source| ProjectError::Unwritable { source })?;
    Ok(Generated {
        recipe: "python",
        dockerfile,
        dockerignore: dockerignore(project),
        found,
        questions,
    })
}

/// The image that both stages are built on.
fn base_image(
    project: &PythonProject,
    options: &RecipeOptions,
    found: &mut Vec<String>,
    questions: &mut Vec<String>,
) -> String {
    match (&options.base, &project.python) {
        (Some(base), _) => base.clone(),
        (None, Some((version, file))) => {
            found.push(format!("`{file}` asks for Python {version}"));
            format!("python:{version}-slim")
        }
        (None, None) => {
            let version = newest(Catalog::builtin()).unwrap_or_else(|| "3".into());
            questions.push(format!(
                "which Python? no file says (`.python-version` would); {version} is taken"
            ));
            format!("python:{version}-slim")
        }
    }
}

/// The command that starts the application, on the port.
fn start_command(
    project: &PythonProject,
    options: &RecipeOptions,
    port: u16,
) -> Result<Vec<String>, ProjectError> {
    let mut command = match (&options.command, &project.command) {
        (Some(command), _) | (None, Some(command)) => command.clone(),
        (None, None) => {
            let why = if project.application.is_none() {
                "no file holds an application object of a known framework"
            } else {
                "no server is among the requirements"
            };
            return Err(ProjectError::NoCommand { why: why.into() });
        }
    };
    if options.command.is_none() {
        let (old, new) = (project.port.to_string(), port.to_string());
        for word in &mut command {
            if *word == old {
                word.clone_from(&new);
            } else if let Some(host) = word.strip_suffix(&format!(":{old}")) {
                *word = format!("{host}:{new}");
            }
        }
    }
    Ok(command)
}

/// The settings of a Django project that say where static files are collected.
fn static_files(project: &PythonProject, context: &Context) -> Option<String> {
    let django = project.framework == Some("django") && context.entry("manage.py").is_some();
    let mut files = context.files().filter(|entry| {
        entry.path.ends_with(".py")
            && context
                .text(&entry.path)
                .is_some_and(|text| text.lines().any(|line| line.starts_with("STATIC_ROOT")))
    });
    files.next().map(|entry| entry.path).filter(|_| django)
}

/// Debian packages for the builder stage and for the last one.
#[derive(Default)]
struct SystemPackages {
    build: Vec<&'static str>,
    run: Vec<&'static str>,
}

/// What the packages need that are compiled when they are installed.
fn system_packages(
    project: &PythonProject,
    base: &str,
    found: &mut Vec<String>,
    questions: &mut Vec<String>,
) -> SystemPackages {
    let catalog = Catalog::builtin();
    let mut all = SystemPackages::default();
    for package in &project.packages {
        let Some(needs) = catalog.tools().source_build(package) else {
            continue;
        };
        let debian = catalog
            .image(base, None)
            .is_none_or(|facts| facts.offers.command("apt-get") != Some(false));
        if !debian {
            questions.push(format!("`{package}` is compiled when it is installed: which system packages does it need on `{base}`?"));
            continue;
        }
        found.push(format!(
            "`{package}` has no wheel for Linux: {} build it",
            needs.build.join(", ")
        ));
        all.build.extend(needs.build.iter().map(String::as_str));
        all.run.extend(needs.run.iter().map(String::as_str));
    }
    for names in [&mut all.build, &mut all.run] {
        names.sort_unstable();
        names.dedup();
    }
    all
}

fn apt_get(packages: &[&str]) -> Run {
    Run::shell(format!(
        "apt-get update && apt-get install -y --no-install-recommends {} && rm -rf /var/lib/apt/lists/*",
        packages.join(" ")
    ))
}

/// Requirement and constraint files that the requirements file includes.
fn includes(project: &PythonProject, context: &Context) -> Vec<String> {
    crate::project::python::read(context, &project.requirements)
        .files
        .into_iter()
        .filter(|file| *file != project.requirements)
        .collect()
}

/// Everything is left out but what the Dockerfile takes: an edit of any other file cannot cost a rebuild.
fn dockerignore(project: &PythonProject) -> String {
    let mut text = String::from("# Everything but what the Dockerfile takes.\n*\n");
    for wanted in std::iter::once(&project.requirements).chain(&project.sources) {
        text.push('!');
        text.push_str(wanted.trim_end_matches('/'));
        text.push('\n');
    }
    text.push_str("**/__pycache__\n**/*.pyc\n");
    text
}
