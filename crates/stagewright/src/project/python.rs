//! Python applications: package manager, interpreter, framework, entry point, port.

mod development;
mod manager;
mod version;

pub(crate) use self::development::{development, named};
use self::manager::Packages;
pub(crate) use self::manager::{gives_meaning, installs_itself, lists_dependencies};
use super::ProjectError;
use super::writes::{self, Writes};
use super::{named as named_files, start};
use crate::context::Context;
use crate::facts::Requirements;
use crate::recipe;

/// A Python application.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PythonProject {
    /// What installs its packages.
    pub manager: PythonManager,
    /// The version of the manager that wrote the lock file, where it says so, or else that a Dockerfile installs which is there already.
    pub manager_version: Option<String>,
    /// The files that an install reads, the one that lists the packages first.
    pub manifests: Vec<String>,
    /// The Python that the project asks for, where a file says so.
    pub python: Option<PythonVersion>,
    /// The newest Python that every pinned package has a wheel for, as far as the catalogue knows; where no file asks for one.
    pub newest_python: Option<String>,
    /// Whether `pyproject.toml` itself lists what the project depends on, and leaves nothing of it to the build.
    pub lists_dependencies: bool,
    /// The framework, as its package is called (`flask`, `fastapi`, `django`, `streamlit`).
    pub framework: Option<&'static str>,
    /// The module and the variable of the application object (`main`, `app`), and the file it is in.
    pub application: Option<Application>,
    /// The start command, where the files are certain about it.
    pub command: Option<Vec<String>>,
    /// The file that says so, where it is no source.
    pub started_by: Option<String>,
    /// The port that the command listens on.
    pub port: u16,
    /// Whether that port is the variable `PORT` where it is set.
    pub reads_port: bool,
    /// What is left open about the start.
    pub questions: Vec<String>,
    /// What is left open about the variables that it reads.
    pub variables: Option<String>,
    /// Top-level files and folders of the application's source.
    pub sources: Vec<String>,
    /// Where the application writes when it runs.
    pub writes: Writes,
    /// Packages that are installed, as far as the files list them, by normalised name.
    pub packages: Vec<String>,
    /// Where modules are imported from besides the working directory (`src`).
    pub import_root: Option<&'static str>,
    /// The project itself is installed as a package, for the command that it brings.
    pub installs_itself: bool,
}

/// A version of Python that a project asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PythonVersion {
    /// The version (`3.12`); of a bound the newest that it takes and that every pinned package has a wheel for.
    pub version: String,
    /// The file that says so.
    pub file: String,
    /// The bound as it is written (`>=3.10`), where the file names no one version.
    pub bound: Option<String>,
}

/// What installs the packages of a Python application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PythonManager {
    /// pip, from a requirements file.
    Pip,
    /// uv, from `uv.lock`.
    Uv,
    /// Poetry, from `poetry.lock`.
    Poetry,
    /// PDM, from `pdm.lock`.
    Pdm,
    /// Pipenv, from `Pipfile.lock`.
    Pipenv,
    /// pip, from what the project itself says it depends on (`pyproject.toml`, `setup.cfg`, `setup.py`).
    Build,
}

impl PythonManager {
    /// The program that pip brings; `None` for pip itself.
    pub const fn program(self) -> Option<&'static str> {
        match self {
            Self::Pip | Self::Build => None,
            Self::Uv => Some("uv"),
            Self::Poetry => Some("poetry"),
            Self::Pdm => Some("pdm"),
            Self::Pipenv => Some("pipenv"),
        }
    }
}

/// Whether a program is a manager of a project's packages, and starts what is behind its `run` in their environment.
pub(crate) fn is_manager(program: &str) -> bool {
    matches!(program, "uv" | "poetry" | "pdm" | "pipenv")
}

/// Where the application object is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Application {
    /// The module (`main`, `shop.wsgi`).
    pub module: String,
    /// The variable in it (`app`).
    pub variable: String,
    /// The file.
    pub file: String,
}

/// The port of a framework's own examples.
const PORT: u16 = 8000;

/// The port that Streamlit takes unless told otherwise.
const STREAMLIT_PORT: u16 = 8501;

/// Reads the project; `None` where no file lists packages.
pub(super) fn detect(context: &Context) -> Result<Option<PythonProject>, ProjectError> {
    let Some(Packages {
        manager,
        version,
        manifests,
        names: packages,
        scripts,
    }) = manager::read(context)?
    else {
        return Ok(None);
    };
    let has = |name: &str| packages.iter().any(|package| package == name);
    let framework = ["django", "streamlit", "fastapi", "flask", "starlette"]
        .into_iter()
        .find(|name| has(name));
    let application = application(context, framework);
    let (mut command, mut port) = command(framework, application.as_ref(), &has);
    let start = start::read(context);
    let mut started_by = None;
    if let Some((words, file)) = start.command {
        (command, started_by) = (Some(words), Some(file));
    }
    if let Some(other) = start.port {
        if let (Some(command), None) = (&mut command, &started_by) {
            recipe::with_port(command, port, other);
        }
        port = other;
    }
    let mut installs_itself = false;
    // A project that brings one command and serves nothing is started by that.
    if let (None, None, [script]) = (framework, &command, scripts.as_slice()) {
        command = Some(vec![script.clone()]);
        installs_itself = true;
    }
    let in_src = |path: &str| path.starts_with("src/");
    let import_root = match &application {
        Some(application) if in_src(&application.file) => Some("src"),
        _ => None,
    };
    let sources = with_named(context, sources(context), command.as_deref(), &packages);
    let own = texts(context, &sources);
    let variables = start::variables(context, "", own.iter().map(|(_, text)| *text));
    let asked = version::asked(context, manager, &manifests);
    Ok(Some(PythonProject {
        newest_python: match asked {
            Some(_) => None,
            None => version::newest(context, manager, &manifests),
        },
        python: asked,
        lists_dependencies: context
            .text("pyproject.toml")
            .is_some_and(lists_dependencies),
        writes: writes::read(context, "", &own),
        sources,
        manager,
        manager_version: version,
        manifests,
        framework,
        application,
        command,
        started_by,
        port,
        reads_port: start.reads_port,
        questions: start.questions,
        variables,
        packages,
        import_root,
        installs_itself,
    }))
}

/// The requirements file with what it includes.
pub(crate) fn read(context: &Context, file: &str) -> Requirements {
    let text = context.text(file).unwrap_or_default();
    Requirements::read(file, text, (3, 12), &mut |path| {
        context.text(path).map(str::to_owned)
    })
}

/// Python files in the order in which people look for an entry point.
fn entry_files(context: &Context) -> Vec<String> {
    let mut files: Vec<String> = context
        .files()
        .map(|entry| entry.path)
        .filter(|path| {
            path.ends_with(".py")
                && path
                    .strip_prefix("src/")
                    .unwrap_or(path)
                    .matches('/')
                    .count()
                    <= 1
                && !path
                    .split('/')
                    .any(|part| matches!(part, "tests" | "test" | "docs"))
        })
        .collect();
    let rank = |path: &String| {
        let name = path.rsplit('/').next().unwrap_or(path);
        let known = [
            "main.py",
            "app.py",
            "wsgi.py",
            "asgi.py",
            "application.py",
            "server.py",
            "run.py",
            "__init__.py",
        ];
        (
            path.matches('/').count(),
            known
                .iter()
                .position(|other| *other == name)
                .unwrap_or(known.len()),
            path.clone(),
        )
    };
    files.sort_by_key(rank);
    files
}

/// The variable that holds the application: `app = Flask(__name__)` or `app = create_app()` at the start of a line.
fn application(context: &Context, framework: Option<&str>) -> Option<Application> {
    let constructors: &[&str] = match framework? {
        "flask" => &["Flask(", "create_app("],
        "fastapi" => &["FastAPI("],
        "starlette" => &["Starlette("],
        "django" => &["get_wsgi_application("],
        "streamlit" => &[],
        _ => return None,
    };
    let module = |file: &str| {
        let file = file.strip_prefix("src/").unwrap_or(file);
        let module = file.trim_end_matches(".py").trim_end_matches("/__init__");
        module.replace('/', ".")
    };
    let mut factory = None;
    for file in entry_files(context) {
        let Some(text) = context.text(&file) else {
            continue;
        };
        // Streamlit runs a file; the first that uses it.
        if framework == Some("streamlit")
            && text
                .lines()
                .any(|line| line.starts_with("import streamlit"))
        {
            return Some(Application {
                module: module(&file),
                variable: String::new(),
                file,
            });
        }
        if factory.is_none()
            && framework == Some("flask")
            && text.lines().any(|line| line.starts_with("def create_app("))
        {
            factory = Some(Application {
                module: module(&file),
                variable: "create_app()".into(),
                file: file.clone(),
            });
        }
        for line in text.lines() {
            let Some((variable, value)) = line.split_once('=') else {
                continue;
            };
            let (variable, value) = (variable.trim_end(), value.trim_start());
            let name = !variable.is_empty()
                && variable
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_');
            let called = constructors.iter().any(|constructor| {
                value.split_once(constructor).is_some_and(|(before, _)| {
                    before
                        .chars()
                        .all(|c| c.is_alphanumeric() || matches!(c, '_' | '.'))
                })
            });
            if name && called {
                return Some(Application {
                    module: module(&file),
                    variable: variable.to_owned(),
                    file,
                });
            }
        }
    }
    factory
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The command for the server that is among the requirements.
fn command(
    framework: Option<&str>,
    application: Option<&Application>,
    has: &dyn Fn(&str) -> bool,
) -> (Option<Vec<String>>, u16) {
    let object =
        application.map(|application| format!("{}:{}", application.module, application.variable));
    let bind = format!("0.0.0.0:{PORT}");
    let port = PORT.to_string();
    if let (Some("streamlit"), Some(application)) = (framework, application) {
        let port = STREAMLIT_PORT.to_string();
        let command = [
            "streamlit",
            "run",
            &application.file,
            "--server.address",
            "0.0.0.0",
            "--server.port",
            &port,
        ];
        return (Some(words(&command)), STREAMLIT_PORT);
    }
    let command = match (framework, object) {
        (Some("fastapi" | "starlette"), Some(object)) if has("gunicorn") && has("uvicorn") => {
            Some(words(&[
                "gunicorn",
                "--worker-class",
                "uvicorn.workers.UvicornWorker",
                "--bind",
                &bind,
                &object,
            ]))
        }
        (Some("fastapi" | "starlette"), Some(object)) if has("uvicorn") => Some(words(&[
            "uvicorn", &object, "--host", "0.0.0.0", "--port", &port,
        ])),
        (Some("flask" | "django"), Some(object)) if has("gunicorn") => {
            Some(words(&["gunicorn", "--bind", &bind, &object]))
        }
        (Some("flask" | "django"), Some(object)) if has("waitress") => {
            Some(words(&["waitress-serve", "--listen", &bind, &object]))
        }
        (Some("flask"), Some(object)) => Some(words(&[
            "flask", "--app", &object, "run", "--host", "0.0.0.0", "--port", &port,
        ])),
        _ => None,
    };
    (command, PORT)
}

/// What the image needs of the top level: Python files and packages, and what lies beside them but for tests, documentation and the
/// project's own files.
fn sources(context: &Context) -> Vec<String> {
    let mut top: Vec<(String, bool)> = Vec::new();
    for entry in context.files() {
        let (name, folder) = match entry.path.split_once('/') {
            Some((first, _)) => (first.to_owned(), true),
            None => (entry.path.clone(), false),
        };
        if !top.iter().any(|(other, _)| *other == name) {
            top.push((name, folder));
        }
    }
    let wanted = |(name, folder): &(String, bool)| {
        if *folder {
            let python = context.files().any(|entry| {
                entry.path.starts_with(&format!("{name}/")) && entry.path.ends_with(".py")
            });
            let data = matches!(
                name.as_str(),
                "templates" | "static" | "migrations" | "data" | "config" | "assets" | "public"
            );
            (python || data)
                && !matches!(
                    name.as_str(),
                    "tests"
                        | "test"
                        | "docs"
                        | "venv"
                        | ".venv"
                        | "env"
                        | "scripts"
                        | "node_modules"
                )
                && !name.starts_with('.')
        } else {
            name.ends_with(".py")
                && !matches!(
                    name.as_str(),
                    "setup.py" | "conftest.py" | "noxfile.py" | "tasks.py"
                )
                && !name.starts_with("test_")
        }
    };
    top.into_iter()
        .filter(wanted)
        .map(|(name, folder)| if folder { format!("{name}/") } else { name })
        .collect()
}

/// The sources with what they, or the script that starts them, name.
fn with_named(
    context: &Context,
    mut sources: Vec<String>,
    command: Option<&[String]>,
    packages: &[String],
) -> Vec<String> {
    let words: Vec<&str> = command.into_iter().flatten().map(String::as_str).collect();
    let mut texts: Vec<&str> = words.clone();
    texts.extend(words.iter().filter_map(|word| context.text(word)));
    let own = self::texts(context, &sources);
    texts.extend(own.iter().map(|(_, text)| *text));
    let more = named_files::read(context, "", &texts, &sources);
    sources.extend(more);
    // Alembic finds its settings by their name.
    let alembic = "alembic.ini".to_owned();
    let there = context.entry(&alembic).is_some() && packages.iter().any(|name| name == "alembic");
    if there && !sources.contains(&alembic) {
        sources.push(alembic);
    }
    // A script in a folder of its own.
    for word in words {
        let inside = word.contains('/') && context.text(word).is_some();
        let taken = sources.iter().any(|source| {
            source == word || source.ends_with('/') && word.starts_with(source.as_str())
        });
        if inside && !taken {
            sources.push(word.to_owned());
        }
    }
    sources
}

/// The Python files among the sources with their texts.
fn texts<'c>(context: &'c Context, sources: &[String]) -> Vec<(String, &'c str)> {
    let files = context.files().map(|entry| entry.path);
    let of_sources = files.filter(|path| {
        let taken =
            |source: &String| *source == *path || source.ends_with('/') && path.starts_with(source);
        path.ends_with(".py") && sources.iter().any(taken)
    });
    of_sources
        .filter_map(|path| Some((path.clone(), context.text(&path)?)))
        .collect()
}
