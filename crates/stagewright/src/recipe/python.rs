//! Python: a builder stage that installs, a runtime stage that holds what was installed and the source.
//!
//! pip installs below a root of its own that the last stage takes over (below a prefix of its own, the Python of Debian takes another
//! folder than the one it reads); uv, Poetry, PDM and Pipenv fill a virtual environment. Neither
//! the managers nor their caches come along.

mod settings;

use stagewright_syntax::write::{
    Cmd, Copy, Dockerfile, Env, Expose, From, Mount, Run, User, Workdir,
};

use super::owned::Owned;
use super::{
    RecipeOptions, UNPINNED_APT, UNPINNED_PIP, USER, copy_each, dockerignore, ignoring, with_port,
};
use crate::context::Context;
use crate::facts::Catalog;
use crate::project::python::{PythonManager, PythonVersion};
use crate::project::{Generated, ProjectError, PythonProject};

/// Where the virtual environment is, in both stages.
const ENVIRONMENT: &str = "/opt/venv";

pub(crate) fn generate(
    project: &PythonProject,
    context: &Context,
    options: &RecipeOptions,
) -> Result<Generated, ProjectError> {
    let (mut found, mut questions) = (
        vec![format!(
            "`{}` lists {} packages",
            project.manifests[0],
            project.packages.len()
        )],
        Vec::new(),
    );
    let base = base_image(project, options, &mut found, &mut questions);
    check_list(project, context, &base)?;
    let port = options.port.unwrap_or(project.port);
    let command = start_command(project, options, port)?;
    say_of_start(project, options, port, &command, &mut found, &mut questions);
    // A command that the caller gives for a project without a framework need not be a server.
    let started = project.started_by.is_some() && options.command.is_none();
    let serves = project.framework.is_some() || options.port.is_some() || started;
    if options.port.is_none() && serves {
        questions.push(format!("which port? {port} is taken"));
    }
    let system = system_packages(project, &base, &mut found, &mut questions);
    let mut file = Dockerfile::new();
    file.push(From::image(base.as_str()).named("base"));
    let mut env = Env::new().set("PYTHONUNBUFFERED", "1");
    if let Some(root) = project.import_root {
        env = env.set("PYTHONPATH", format!("/app/{root}"));
    }
    if project.reads_port && started && port != project.port {
        env = env.set("PORT", port.to_string());
    }
    file.push(env);
    file.push(Workdir::new("/app"));
    file.blank();
    file.push(From::image("base").named("builder"));
    if !system.build.is_empty() {
        ignoring(&mut file, &UNPINNED_APT);
        file.push(apt_get(&system.build));
    }
    let own = own_files(project, context);
    install(&mut file, project);
    if project.installs_itself {
        install_itself(&mut file, project, &own);
    }
    file.blank();
    file.push(From::image("base"));
    if !system.run.is_empty() {
        ignoring(&mut file, &UNPINNED_APT);
        file.push(apt_get(&system.run));
    }
    let owned = if project.installs_itself {
        Owned::default()
    } else {
        Owned::new(&project.writes.folders, &project.sources, false)
    };
    owned.make(&mut file);
    questions.extend(project.writes.questions.iter().cloned());
    if project.in_environment() {
        file.push(Env::new().set("PATH", format!("{ENVIRONMENT}/bin:$PATH")));
        file.push(Copy::files([ENVIRONMENT], ENVIRONMENT).from("builder"));
    } else {
        file.push(Copy::files(["/install/usr/local"], "/usr/local").from("builder"));
    }
    if project.installs_itself {
        let folder = format!("/project{}", project.prefix());
        file.push(Copy::files([folder], project.prefix()).from("builder"));
    } else {
        owned.copy(&mut file, &project.sources);
    }
    collect_static_files(&mut file, project, context, &mut found, &mut questions);
    file.push(User::new(USER));
    if serves {
        file.push(Expose::new([port]));
    }
    file.push(Cmd::exec(command));
    let dockerfile = file
        .print()
        .map_err(|source| ProjectError::Unwritable { source })?;
    let wanted = project.manifests.iter().chain(&own).chain(&project.sources);
    Ok(Generated {
        recipe: "python",
        dockerfile,
        dockerignore: dockerignore(wanted, &["**/__pycache__", "**/*.pyc"]),
        found,
        questions,
    })
}

impl PythonProject {
    /// Whether the packages are in a virtual environment, and not beside the interpreter.
    fn in_environment(&self) -> bool {
        !matches!(self.manager, PythonManager::Pip | PythonManager::Build)
    }

    /// Where the packages end up.
    fn prefix(&self) -> &'static str {
        if self.in_environment() {
            ENVIRONMENT
        } else {
            "/usr/local"
        }
    }
}

/// The instructions that install the packages. The files that list them are mounted: they are hashed by content, and cost no layer.
fn install(file: &mut Dockerfile, project: &PythonProject) {
    let pip = || Mount::cache("/root/.cache/pip");
    let manager = |name: &str| match &project.manager_version {
        Some(version) => format!("pip install {name}=={version}"),
        None => format!("pip install {name}"),
    };
    let unpinned = |file: &mut Dockerfile| {
        if project.manager_version.is_none() {
            ignoring(file, &UNPINNED_PIP);
        }
    };
    let with_manifests = |run: Run| {
        project.manifests.iter().fold(run, |run, name| {
            run.mount(Mount::bind(name.as_str(), name.as_str()))
        })
    };
    // Without pip in it: whoever fills the environment brings an installer.
    let environment = format!("python -m venv --without-pip {ENVIRONMENT}");
    match project.manager {
        PythonManager::Pip => {
            let list = &project.manifests[0];
            let run = Run::shell(format!("pip install --root=/install -r {list}")).mount(pip());
            file.push(with_manifests(run));
        }
        PythonManager::Build => {
            let run = Run::lines([
                // The project's own table: its sources are not needed to read it.
                format!(
                    "{} > /tmp/requirements.txt",
                    list_dependencies("pyproject.toml")
                ),
                "&& pip install --root=/install -r /tmp/requirements.txt".to_owned(),
            ]);
            file.push(with_manifests(run.mount(pip())));
        }
        PythonManager::Uv => {
            let env = Env::new()
                .set("UV_PROJECT_ENVIRONMENT", ENVIRONMENT)
                .set("UV_PYTHON_DOWNLOADS", "never")
                .set("UV_COMPILE_BYTECODE", "1");
            file.push(env.set("UV_LINK_MODE", "copy"));
            unpinned(file);
            file.push(Run::shell(manager("uv")).mount(pip()));
            let run = Run::shell("uv sync --locked --no-dev --no-install-project");
            file.push(with_manifests(run.mount(Mount::cache("/root/.cache/uv"))));
        }
        PythonManager::Poetry => {
            unpinned(file);
            file.push(Run::shell(format!("{} && {environment}", manager("poetry"))).mount(pip()));
            file.push(Env::new().set("VIRTUAL_ENV", ENVIRONMENT));
            let run = Run::shell("poetry install --only main --no-root --compile");
            file.push(with_manifests(
                run.mount(Mount::cache("/root/.cache/pypoetry")),
            ));
        }
        PythonManager::Pdm => {
            unpinned(file);
            file.push(Run::shell(format!("{} && {environment}", manager("pdm"))).mount(pip()));
            file.push(Env::new().set("VIRTUAL_ENV", ENVIRONMENT));
            let run = Run::shell(format!(
                "pdm sync --prod --no-self && python -m compileall -q {ENVIRONMENT}/lib"
            ));
            file.push(with_manifests(run.mount(Mount::cache("/root/.cache/pdm"))));
        }
        PythonManager::Pipenv => {
            unpinned(file);
            file.push(Run::shell(format!("{} && {environment}", manager("pipenv"))).mount(pip()));
            file.push(Env::new().set("VIRTUAL_ENV", ENVIRONMENT));
            let run = Run::shell("pipenv sync").mount(pip());
            file.push(with_manifests(
                run.mount(Mount::cache("/root/.cache/pipenv")),
            ));
        }
    }
}

/// How the command begins that prints what a manifest asks for, and does nothing else.
pub(crate) const LISTS_DEPENDENCIES: &str = "python -c 'import tomllib; print(";

/// The command that prints what a `pyproject.toml` says that the project depends on, one requirement a line.
pub(crate) fn list_dependencies(manifest: &str) -> String {
    format!(
        "{LISTS_DEPENDENCIES}*tomllib.load(open(\"{manifest}\", \"rb\"))[\"project\"][\"dependencies\"], sep=\"\\n\")'"
    )
}

/// The project as a package, in a folder of its own: an edit of its source leaves the packages that it needs as they are.
fn install_itself(file: &mut Dockerfile, project: &PythonProject, own: &[String]) {
    copy_each(file, own.iter().chain(&project.sources), None);
    let python = if project.in_environment() {
        format!("--python {ENVIRONMENT}/bin/python ")
    } else {
        String::new()
    };
    let run = Run::shell(format!("pip {python}install --no-deps --root=/project ."));
    file.push(run.mount(Mount::cache("/root/.cache/pip")));
}

/// What the build of the project itself reads besides its sources: its settings, and the files that they name.
fn own_files(project: &PythonProject, context: &Context) -> Vec<String> {
    if !project.installs_itself {
        return Vec::new();
    }
    let names = [
        "pyproject.toml",
        "setup.cfg",
        "setup.py",
        "MANIFEST.in",
        "README.md",
        "README.rst",
        "README",
        "LICENSE",
        "LICENSE.md",
        "LICENSE.txt",
    ];
    names
        .into_iter()
        .filter(|name| context.entry(name).is_some())
        .map(str::to_owned)
        .collect()
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
        (
            None,
            Some(PythonVersion {
                version,
                file,
                bound,
            }),
        ) => {
            found.push(match bound {
                None => format!("`{file}` asks for Python {version}"),
                Some(bound) => {
                    format!("`{file}` asks for Python {bound}: {version} is taken")
                }
            });
            format!("python:{version}-slim")
        }
        (None, None) => {
            let version = project.newest_python.as_deref().unwrap_or("3");
            questions.push(format!(
                "which Python? no file says (`.python-version` would); {version} is taken"
            ));
            format!("python:{version}-slim")
        }
    }
}

/// Why the packages of a project without a lock file cannot be installed apart from it, where they cannot.
fn check_list(project: &PythonProject, context: &Context, base: &str) -> Result<(), ProjectError> {
    if project.manager != PythonManager::Build {
        return Ok(());
    }
    let refused = |why: String| {
        Err(ProjectError::BadManifest {
            file: project.manifests[0].clone(),
            why,
        })
    };
    let of_poetry = context
        .text("pyproject.toml")
        .is_some_and(|text| text.contains("[tool.poetry.dependencies]"));
    if !project.lists_dependencies && of_poetry {
        return refused(
            "only Poetry reads the packages in `[tool.poetry.dependencies]`, and there is no `poetry.lock` (`poetry lock` writes it)".into(),
        );
    }
    if !project.lists_dependencies {
        return refused(
            "no list `dependencies` in `[project]` of `pyproject.toml` says which packages are needed (a `requirements.txt` would)".into(),
        );
    }
    // The standard library reads TOML since Python 3.11 (PEP 680).
    let minor = base
        .split_once("python:3.")
        .and_then(|(_, rest)| rest.split(['-', '.']).next()?.parse::<u32>().ok());
    match minor {
        Some(minor) if minor < 11 => refused(format!(
            "Python 3.{minor} of `{base}` has no `tomllib` (3.11 and later have): take a later base, or list the packages in `requirements.txt`"
        )),
        _ => Ok(()),
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
                "no file holds an application object of a known framework, and the project brings no command"
            } else {
                "no server is among the requirements"
            };
            return Err(ProjectError::NoCommand { why: why.into() });
        }
    };
    if options.command.is_none() {
        with_port(&mut command, project.port, port);
    }
    Ok(command)
}

/// Programs that a package of their name, or of the other one, brings.
const SERVERS: [(&str, &str); 9] = [
    ("gunicorn", "gunicorn"),
    ("uvicorn", "uvicorn"),
    ("hypercorn", "hypercorn"),
    ("daphne", "daphne"),
    ("waitress-serve", "waitress"),
    ("celery", "celery"),
    ("streamlit", "streamlit"),
    ("flask", "flask"),
    ("alembic", "alembic"),
];

/// What starts the application, and what that leaves open.
fn say_of_start(
    project: &PythonProject,
    options: &RecipeOptions,
    port: u16,
    command: &[String],
    found: &mut Vec<String>,
    questions: &mut Vec<String>,
) {
    if let (Some(framework), Some(application)) = (project.framework, &project.application) {
        found.push(if application.variable.is_empty() {
            format!("`{}` is the {framework} application", application.file)
        } else {
            format!(
                "`{}` holds the {framework} application `{}`",
                application.file, application.variable
            )
        });
    }
    let missing = SERVERS.iter().find(|(program, package)| {
        command.first().is_some_and(|word| word == program)
            && !project.packages.iter().any(|name| name == package)
    });
    if let Some((program, package)) = missing {
        questions.push(format!(
            "which package brings `{program}`? `{}` does not list `{package}`",
            project.manifests[0]
        ));
    }
    questions.extend(project.variables.iter().cloned());
    if options.command.is_some() {
        return;
    }
    questions.extend(project.questions.iter().cloned());
    if let Some(file) = &project.started_by {
        found.push(format!("`{file}` starts the application"));
        let shell = matches!(command[0].as_str(), "sh" | "bash");
        if shell && port != project.port && !project.reads_port {
            questions.push(format!(
                "does the application listen on {port}? `{file}` says {}",
                project.port
            ));
        }
    }
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

/// The instruction that collects static files, where the settings say that it should.
fn collect_static_files(
    file: &mut Dockerfile,
    project: &PythonProject,
    context: &Context,
    found: &mut Vec<String>,
    questions: &mut Vec<String>,
) {
    if let Some(settings) = static_files(project, context) {
        found.push(format!(
            "`{settings}` names a folder for static files: the build collects them"
        ));
        let needed = settings::needed(context, &settings);
        if needed.is_empty() {
            questions.push(format!(
                "which variables does `{settings}` need when static files are collected? none are set"
            ));
        } else {
            let names: Vec<String> = needed.iter().map(|one| format!("`{}`", one.name)).collect();
            questions.push(format!(
                "what are {} when the application runs? `{settings}` cannot be read without, and the build sets throw-away values for the collection of static files alone",
                names.join(", ")
            ));
        }
        let values = needed
            .iter()
            .map(|one| format!("{}={} ", one.name, one.value));
        let values: String = values.collect();
        // An edit of the source runs this again: no byte code of the framework in its layer.
        file.push(Run::shell(format!(
            "PYTHONDONTWRITEBYTECODE=1 {values}python manage.py collectstatic --noinput"
        )));
    }
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
    Run::shell(apt_get_install(packages))
}

/// The command that installs packages of Debian and leaves no lists behind.
pub(crate) fn apt_get_install(packages: &[&str]) -> String {
    format!(
        "apt-get update && apt-get install -y --no-install-recommends {} && rm -rf /var/lib/apt/lists/*",
        packages.join(" ")
    )
}
