//! Python applications: requirements file, interpreter, framework, entry point, port.

use stagewright_syntax::{Dockerfile, View};

use crate::context::Context;
use crate::facts::Requirements;

/// A Python application with a requirements file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PythonProject {
    /// The requirements file, relative to the context.
    pub requirements: String,
    /// The Python that the project asks for (`3.12`), and the file that says so.
    pub python: Option<(String, String)>,
    /// The framework, as its package is called (`flask`, `fastapi`, `django`, `streamlit`).
    pub framework: Option<&'static str>,
    /// The module and the variable of the application object (`main`, `app`), and the file it is in.
    pub application: Option<Application>,
    /// The start command, where the files are certain about it.
    pub command: Option<Vec<String>>,
    /// The port that the command listens on.
    pub port: u16,
    /// Top-level files and folders of the application's source.
    pub sources: Vec<String>,
    /// Packages in the requirements file, by normalised name.
    pub packages: Vec<String>,
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

/// Reads the project; `None` without a requirements file.
pub(super) fn detect(context: &Context) -> Option<PythonProject> {
    let requirements = [
        "requirements.txt",
        "requirements/production.txt",
        "requirements/prod.txt",
        "requirements/base.txt",
    ]
    .into_iter()
    .find(|path| context.entry(path).is_some())?
    .to_owned();
    let packages: Vec<String> = read(context, &requirements)
        .entries
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    let has = |name: &str| packages.iter().any(|package| package == name);
    let framework = ["django", "fastapi", "flask", "streamlit", "starlette"]
        .into_iter()
        .find(|name| has(name));
    let application = application(context, framework);
    let (command, port) = command(framework, application.as_ref(), &has);
    Some(PythonProject {
        python: python_version(context),
        sources: sources(context),
        requirements,
        framework,
        application,
        command,
        port,
        packages,
    })
}

/// The requirements file with what it includes.
pub(crate) fn read(context: &Context, file: &str) -> Requirements {
    let text = context.text(file).unwrap_or_default();
    Requirements::read(file, text, (3, 12), &mut |path| {
        context.text(path).map(str::to_owned)
    })
}

/// `.python-version`, `runtime.txt`, the base of a Dockerfile that is there already, or the lower bound in `pyproject.toml`.
fn python_version(context: &Context) -> Option<(String, String)> {
    let short = |text: &str| {
        let digits: String = text
            .chars()
            .skip_while(|c| !c.is_ascii_digit())
            .take_while(|c| c.is_ascii_digit() || *c == '.')
            .collect();
        let mut parts = digits.split('.');
        let (major, minor) = (parts.next()?, parts.next()?);
        (!minor.is_empty()).then(|| format!("{major}.{minor}"))
    };
    for file in [".python-version", "runtime.txt"] {
        if let Some(version) = context.text(file).and_then(short) {
            return Some((version, file.into()));
        }
    }
    if let Some(version) = context.text("Dockerfile").and_then(dockerfile_python) {
        return Some((version, "Dockerfile".into()));
    }
    let pyproject: toml::Table = context.text("pyproject.toml")?.parse().ok()?;
    let requires = pyproject.get("project")?.get("requires-python")?.as_str()?;
    Some((short(requires)?, "pyproject.toml".into()))
}

/// The version of the official Python image that a Dockerfile builds on.
fn dockerfile_python(text: &str) -> Option<String> {
    let file = Dockerfile::parse(text);
    file.instructions().find_map(|instruction| {
        let View::From(from) = instruction.view() else {
            return None;
        };
        let (name, tag) = from.image.split_once(':')?;
        let mut numbers = tag.split(['.', '-']);
        let (major, minor) = (numbers.next()?, numbers.next()?);
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        (name.rsplit('/').next() == Some("python") && digits(major) && digits(minor))
            .then(|| format!("{major}.{minor}"))
    })
}

/// Python files in the order in which people look for an entry point.
fn entry_files(context: &Context) -> Vec<String> {
    let mut files: Vec<String> = context
        .files()
        .map(|entry| entry.path)
        .filter(|path| {
            path.ends_with(".py")
                && path.matches('/').count() <= 1
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
        _ => return None,
    };
    for file in entry_files(context) {
        let Some(text) = context.text(&file) else {
            continue;
        };
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
                let module = file
                    .trim_end_matches(".py")
                    .trim_end_matches("/__init__")
                    .replace('/', ".");
                return Some(Application {
                    module,
                    variable: variable.to_owned(),
                    file,
                });
            }
        }
    }
    None
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
