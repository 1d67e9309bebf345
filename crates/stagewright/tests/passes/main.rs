//! What passes propose for small projects, and what they leave alone.

mod plain_base;
mod safe;

use stagewright::plan::{Plan, PlanOptions};
use stagewright::{
    Analysis, Applicability, Context, Dockerfile, Objective, Options, Project, RecipeOptions,
};

fn plan(text: &str, files: &[(&str, &str)], applicability: Applicability) -> Plan {
    let mut context = Context::builder();
    for (path, content) in files {
        context = context.file(path, content);
    }
    let context = context.build().expect("the paths are in order");
    Analysis::new(&Dockerfile::parse(text), &context, &Options::default())
        .expect("there is a stage")
        .plan(Objective::ColdPull, applicability)
        .expect("a plan")
}

/// What a naive file becomes, on the first FROM.
fn base(from: &str) -> String {
    let text = format!("FROM {from}\nCOPY main.py /app/\nCMD [\"true\"]\n");
    let plan = plan(&text, &[("main.py", "")], Applicability::Safe);
    let first = plan.dockerfile.lines().next().unwrap_or_default();
    first.trim_start_matches("FROM ").to_owned()
}

#[test]
fn a_slimmer_base_keeps_the_version_as_it_is_written() {
    for (from, slim) in [
        ("python:3.12", "python:3.12-slim"),
        ("python:3.12.4", "python:3.12.4-slim"),
        ("python:3.12-bookworm", "python:3.12-slim-bookworm"),
        // Not in the catalogue, which knows only other release lines.
        ("python:3.9", "python:3.9-slim"),
        ("node:20", "node:20-slim"),
        ("node:20.11.1-bookworm", "node:20.11.1-slim-bookworm"),
        ("node:20-slim", "node:20-slim"),
    ] {
        assert_eq!(base(from), slim);
    }
}

const PACKAGE: &str = r#"{"name": "a", "version": "1.0.0", "dependencies": {"express": "^5.1.0"}}"#;
const LOCK: &str = r#"{"name": "a", "version": "1.0.0", "lockfileVersion": 3, "packages": {"": {}, "node_modules/express": {"version": "5.1.0"}}}"#;

#[test]
fn packages_of_the_repository_are_there_when_npm_installs() {
    let text = "FROM node:24-slim\nWORKDIR /app\nCOPY . .\nRUN npm install\nCMD [\"node\", \"api/index.js\"]\n";
    let files = |manifest| {
        [
            ("api/index.js", ""),
            ("api/package.json", PACKAGE),
            ("package-lock.json", LOCK),
            ("package.json", manifest),
        ]
    };
    let alone = plan(text, &files(PACKAGE), Applicability::Safe);
    assert!(
        alone
            .rungs
            .iter()
            .any(|rung| rung.pass == "manifests_first")
    );
    // What an install reads of a package of the repository is its manifest, unless that runs a script, or the package is copied whole.
    let several = r#"{"name": "a", "workspaces": ["api"]}"#;
    let linked = plan(text, &files(several), Applicability::Safe);
    assert!(
        linked
            .dockerfile
            .contains("COPY package.json package-lock.json ./\nCOPY api/package.json ./api/\nRUN"),
        "{}",
        linked.dockerfile
    );
    let script = r#"{"name": "api", "scripts": {"postinstall": "node index.js"}}"#;
    let mut prepared = files(several);
    prepared[1].1 = script;
    let beside = files(r#"{"name": "a", "dependencies": {"api": "file:api"}}"#);
    for files in [prepared, beside] {
        let plan = plan(text, &files, Applicability::Safe);
        assert!(plan.rungs.iter().all(|rung| rung.pass != "manifests_first"));
    }
}

#[test]
fn npm_installs_before_the_source_is_copied() {
    let plan = plan(
        "FROM node:24-slim\nWORKDIR /app\nCOPY . .\nRUN npm install\nCMD [\"node\", \"index.js\"]\n",
        &[
            ("package.json", PACKAGE),
            ("package-lock.json", LOCK),
            ("index.js", ""),
        ],
        Applicability::Safe,
    );
    let at = [
        "COPY package.json package-lock.json ./\n",
        "npm install\n",
        "COPY . .\n",
    ]
    .map(|line| plan.dockerfile.find(line).expect("the line is there"));
    assert!(at.is_sorted(), "{}", plan.dockerfile);
    assert_eq!(
        plan.rungs.last().expect("there are rungs").after.rebuilds,
        ["COPY . ."]
    );
}

#[test]
fn an_install_goes_before_the_source_also_where_its_manifest_lies_there_already() {
    let plan = plan(
        "FROM python:3.12-slim\nWORKDIR /app\nCOPY requirements.txt .\nCOPY . .\nRUN pip install -r requirements.txt\nCMD [\"python\", \"main.py\"]\n",
        &[("requirements.txt", "flask==3.1.3\n"), ("main.py", "")],
        Applicability::Safe,
    );
    assert_eq!(
        plan.rungs.last().expect("there are rungs").after.rebuilds,
        ["COPY . ."]
    );
    let first = &plan.rungs[0];
    assert_eq!(
        (first.pass, first.assumptions[0].as_str()),
        (
            "manifests_first",
            "pip reads nothing of the project but what is copied before"
        )
    );
}

#[test]
fn a_recipe_brings_what_a_package_needs_that_is_compiled() {
    let context = Context::builder()
        .file("requirements.txt", "flask==3.1.3\npsycopg2==2.9.13\n")
        .file("app.py", "app = Flask(__name__)\n")
        .build()
        .expect("the paths are in order");
    let project = Project::detect(&context).expect("there are requirements");
    let on = |base: &str| {
        let options = RecipeOptions {
            base: Some(base.to_owned()),
            ..RecipeOptions::default()
        };
        project.generate(&context, &options).expect("a recipe")
    };
    let debian = on("python:3.12-slim").dockerfile;
    let (builder, last) = debian.split_once("\nFROM base\n").expect("a last stage");
    assert!(
        builder.contains("gcc libc6-dev libpq-dev && rm"),
        "{debian}"
    );
    assert!(
        last.contains(" libpq5 && rm") && !last.contains("gcc"),
        "{debian}"
    );
    let alpine = on("python:3.12-alpine");
    assert!(!alpine.dockerfile.contains("apt-get"));
    assert!(
        alpine
            .questions
            .iter()
            .any(|question| question.contains("psycopg2"))
    );
}

#[test]
fn an_upgrade_of_pip_goes_to_the_builder_and_add_moves_like_copy() {
    let plan = plan(
        "FROM python:3.12-slim\nADD . /app\nWORKDIR /app\nRUN pip install --upgrade pip\nRUN pip install -r requirements.txt\nCMD [\"python\", \"main.py\"]\n",
        &[("requirements.txt", "flask==3.1.3\n"), ("main.py", "")],
        Applicability::Safe,
    );
    let (builder, last) = plan
        .dockerfile
        .split_once("\nFROM base\n")
        .expect("a last stage");
    assert!(
        builder.contains("AS builder") && builder.contains("--upgrade pip"),
        "{}",
        plan.dockerfile
    );
    assert!(
        !last.contains("RUN") && last.contains("ADD . /app"),
        "{}",
        plan.dockerfile
    );
    assert_eq!(
        plan.rungs.last().expect("there are rungs").after.rebuilds,
        ["ADD . /app"]
    );
}

#[test]
fn a_django_recipe_collects_static_files_before_it_gives_up_root() {
    let context = Context::builder()
        .file("requirements.txt", "django==6.1.3\ngunicorn==27.0.1\n")
        .file("manage.py", "")
        .file("site/settings.py", "STATIC_ROOT = BASE_DIR / 'static'\n")
        .file("site/wsgi.py", "application = get_wsgi_application()\n")
        .build()
        .expect("the paths are in order");
    let project = Project::detect(&context).expect("there are requirements");
    let made = project
        .generate(&context, &RecipeOptions::default())
        .expect("a recipe");
    assert!(
        made.dockerfile.contains(
            "RUN PYTHONDONTWRITEBYTECODE=1 python manage.py collectstatic --noinput\nUSER"
        ),
        "{}",
        made.dockerfile
    );
}

#[test]
fn a_script_exposes_no_port() {
    let context = Context::builder()
        .file("requirements.txt", "tabulate==0.10.0\n")
        .file("report.py", "")
        .build()
        .expect("the paths are in order");
    let options = RecipeOptions {
        command: Some(vec!["python".into(), "report.py".into()]),
        ..RecipeOptions::default()
    };
    let project = Project::detect(&context).expect("there are requirements");
    let made = project.generate(&context, &options).expect("a recipe");
    assert!(!made.dockerfile.contains("EXPOSE"), "{}", made.dockerfile);
}

/// pip does not see what lies below another root, and leaves out what it finds installed for the builder alone.
#[test]
fn what_only_the_builder_has_satisfies_nothing_in_the_image() {
    let after = |runs: &str| {
        let text = format!(
            "FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\n{runs}CMD [\"python\", \"main.py\"]\n"
        );
        let files = [("main.py", ""), ("requirements.txt", "flask==3.0.3\n")];
        plan(&text, &files, Applicability::Safe).dockerfile
    };
    for (runs, builder) in [
        // wheel needs packaging, which many others need too.
        (
            "RUN pip install --upgrade pip wheel\nRUN pip install -r requirements.txt\n",
            "pip install --root=/install --ignore-installed -r requirements.txt",
        ),
        (
            "RUN pip install --upgrade pip\nRUN pip install -r requirements.txt\n",
            "pip install --root=/install -r requirements.txt",
        ),
        (
            "RUN pip install --upgrade pip && pip install -r requirements.txt\n",
            "pip install --upgrade pip && pip install --root=/install -r requirements.txt",
        ),
        (
            "RUN pip install -U pip setuptools && pip install -r requirements.txt\n",
            "setuptools && pip install --root=/install --ignore-installed -r requirements.txt",
        ),
    ] {
        let after = after(runs);
        assert!(after.contains(builder), "{after}");
    }
    for runs in [
        "RUN pip install numpy==1.26.4 && pip install -r requirements.txt\n",
        // What gunicorn needs is a manager, and gunicorn is none.
        "RUN pip install gunicorn==20.0.4\nRUN pip install -r requirements.txt\n",
        "RUN pip install wheel flask-cors\nRUN pip install -r requirements.txt\n",
    ] {
        let after = after(runs);
        assert!(!after.contains("--from="), "{after}");
    }
}

/// What `arguments_last` alone makes of a file; nothing where it leaves it.
fn arguments_last(text: &str) -> Option<Plan> {
    alone("arguments_last", text)
}

/// What one pass alone makes of a file, up to what a person must decide; nothing where it leaves it.
fn alone(pass: &str, text: &str) -> Option<Plan> {
    let context = Context::builder()
        .file("requirements.txt", "flask==3.1.3\n")
        .file("main.py", "")
        .build()
        .expect("the paths are in order");
    let start = Analysis::new(&Dockerfile::parse(text), &context, &Options::default())
        .expect("there is a stage");
    let mut options = PlanOptions::new(Objective::Rebuild, Applicability::Suggestion);
    options.only = vec![pass.into()];
    let plan = start.plan_with(&options).expect("a plan");
    (!plan.rungs.is_empty()).then_some(plan)
}

#[test]
fn an_argument_of_each_build_is_declared_below_what_does_not_read_it() {
    let text = "FROM python:3.12-slim\r\nARG GIT_SHA\r\nARG BUILD_DATE\r\nRUN pip install flask==3.1.3\r\nRUN python main.py\r\nRUN pip install gunicorn==27.0.1\r\nLABEL a=$GIT_SHA b=$BUILD_DATE";
    let plan = arguments_last(text).expect("it moves");
    // A program of the project may read both.
    assert_eq!(
        plan.dockerfile,
        "FROM python:3.12-slim\r\nRUN pip install flask==3.1.3\r\nARG GIT_SHA\r\nARG BUILD_DATE\r\nRUN python main.py\r\nRUN pip install gunicorn==27.0.1\r\nLABEL a=$GIT_SHA b=$BUILD_DATE"
    );
    let rung = &plan.rungs[0];
    assert_eq!(
        (rung.before.every_build.len(), rung.after.every_build.len()),
        (3, 2)
    );
    assert!(rung.gain > 0.0);
    let text = "from python:3.12-slim\nARG APP_VERSION\nRUN pip install flask==3.1.3\nCMD echo $APP_VERSION\nENV VERSION=$APP_VERSION";
    assert_eq!(
        arguments_last(text).expect("it moves").dockerfile,
        "from python:3.12-slim\nRUN pip install flask==3.1.3\nARG APP_VERSION\nCMD echo $APP_VERSION\nENV VERSION=$APP_VERSION"
    );
}

#[test]
fn an_argument_stays_where_something_may_read_it() {
    for between in [
        // It is there to run again what follows.
        "ARG GIT_SHA\nRUN pip install flask==3.1.3\nCMD [\"true\"]",
        // A script, the environment as a whole, and what a program reads by itself.
        "ARG GIT_SHA\nRUN sh ./setup.sh && pip install flask==3.1.3\nLABEL a=$GIT_SHA",
        "ARG GIT_SHA\nRUN env > /env && pip install flask==3.1.3\nLABEL a=$GIT_SHA",
        "ARG VERSION\nENV PIP_DEFAULT_TIMEOUT=$VERSION\nRUN pip install flask==3.1.3\nLABEL a=$VERSION",
        "ARG GIT_SHA\nENV REV=$GIT_SHA\nRUN pip install flask==3.1.3 && echo \"${REV}\" > /rev",
        "ARG GIT_SHA\nRUN <<END\npip install flask==3.1.3\necho $GIT_SHA\nEND\nLABEL a=$GIT_SHA",
        // Another value would show through, or it tells builds apart by name only.
        "ENV GIT_SHA=1\nARG GIT_SHA=2\nRUN pip install flask==3.1.3\nLABEL a=$GIT_SHA",
        "ARG GIT_SHA=1\nRUN pip install flask==3.1.3\nENV GIT_SHA=2\nLABEL b=$GIT_SHA",
        "ARG NODE_VERSION\nRUN pip install flask==3.1.3\nLABEL a=$NODE_VERSION",
        // Labels of one key.
        "ARG GIT_SHA\nLABEL a=$GIT_SHA\nLABEL a=1\nRUN pip install flask==3.1.3",
    ] {
        let text = format!("FROM python:3.12-slim\nWORKDIR /app\nCOPY . .\n{between}\n");
        let plan = arguments_last(&text);
        assert!(plan.is_none(), "{}", plan.expect("it was made").dockerfile);
    }
}

#[test]
fn a_folder_keeps_its_owner_by_a_run_where_a_copy_does_not_bring_all_of_it() {
    for between in [
        // Files that a command has made, or an earlier copy for which there is no such user yet.
        "WORKDIR /app\nRUN touch x\nCOPY . .\nRUN chown -R app:app /app",
        "WORKDIR /app\nRUN mkdir -p /app/logs\nCOPY . .\nRUN chown -R app:app /app",
        "COPY main.py /app/\nRUN useradd app\nCOPY requirements.txt /app/\nRUN chown -R app:app /app",
        // Without a group, folders of the base, another owner, and what an archive holds.
        "COPY . /app\nRUN chown -R app /app",
        "COPY . /var/www\nRUN chown -R app:app /var/www",
        "COPY --chown=1:1 . /app\nRUN chown -R app:app /app",
        "ADD . /app\nRUN chown -R app:app /app",
        "COPY . /app\nRUN sh setup.sh && chown -R app:app /app",
    ] {
        let plan = alone("copy_modes", &format!("FROM python:3.12-slim\n{between}\n"));
        assert!(plan.is_none(), "{}", plan.expect("it was made").dockerfile);
    }
    let text = "FROM python:3.12-slim\nRUN mkdir /app\nCOPY . /app\nRUN useradd app && chown -R app:app /app\n";
    assert_eq!(
        alone("copy_modes", text)
            .expect("it is rewritten")
            .dockerfile,
        "FROM python:3.12-slim\nRUN mkdir /app\nRUN useradd app\nCOPY --chown=app:app . /app\nRUN chown app:app /app\n"
    );
}

#[test]
fn an_index_that_something_reads_or_keeps_stays() {
    for run in [
        "RUN apk update\nRUN apk search curl && apk add curl",
        "RUN apk add curl && rm -rf /var/cache/apk/*",
        "RUN --mount=type=cache,target=/var/cache/apk apk add curl",
        "RUN apk add --no-cache curl",
    ] {
        assert!(
            alone("apk_no_cache", &format!("FROM alpine:3.20\n{run}\n")).is_none(),
            "{run}"
        );
    }
    for run in [
        "RUN dnf install -y git && dnf clean all",
        "RUN dnf makecache\nRUN dnf install -C -y git",
        "RUN rpm -i https://example.com/a.rpm",
    ] {
        assert!(
            alone("dnf_clean", &format!("FROM fedora:41\n{run}\n")).is_none(),
            "{run}"
        );
    }
}

#[test]
fn a_copy_is_linked_only_where_no_base_and_no_command_has_made_its_folder() {
    for copy in [
        "COPY main.py /etc/app/",
        "COPY main.py /",
        "COPY --chmod=755 main.py /app/",
        "COPY --chown=1000 main.py /app/",
        "COPY main.py /app/\nRUN python /app/main.py",
        "RUN mkdir -m 700 /app\nCOPY main.py /app/",
        "USER 1000\nWORKDIR /app\nCOPY main.py .",
        "WORKDIR /app\nRUN ln -s /usr data\nCOPY main.py data/",
    ] {
        assert!(
            alone("link_copies", &format!("FROM python:3.12-slim\n{copy}\n")).is_none(),
            "{copy}"
        );
    }
}

const PYPROJECT: &str = "[project]\nname = \"desk\"\nversion = \"1.0.0\"\ndependencies = [\"uvicorn\"]\n\n[dependency-groups]\ndev = [\"pytest\"]\nlint = [\"ruff\"]\n";
const UV_LOCK: &str = r#"version = 1
[[package]]
name = "desk"
version = "1.0.0"
source = { virtual = "." }
dependencies = [{ name = "uvicorn" }]
[package.dev-dependencies]
dev = [{ name = "pytest" }]
lint = [{ name = "ruff" }]
[[package]]
name = "pytest"
version = "8.3.4"
[[package]]
name = "ruff"
version = "0.8.4"
[[package]]
name = "uvicorn"
version = "0.34.0"
"#;

/// What a pass alone makes of a uv project: the lines of its files that it changed, or nothing.
fn of_uv(pass: &str, install: &str, start: &str, files: &[(&str, &str)]) -> Option<String> {
    let text = format!(
        "FROM python:3.12-slim\nRUN pip install uv\nWORKDIR /srv\nCOPY . .\n{install}\n{start}\n"
    );
    let mut all = vec![
        ("main.py", "import os\n"),
        ("pyproject.toml", PYPROJECT),
        ("uv.lock", UV_LOCK),
    ];
    all.retain(|(path, _)| files.iter().all(|(other, _)| path != other));
    only(pass, &text, &[all.as_slice(), files].concat())
}

/// The new lines of a file that a pass alone rewrites.
fn only(pass: &str, text: &str, files: &[(&str, &str)]) -> Option<String> {
    let mut context = Context::builder();
    for (path, content) in files {
        context = context.file(path, content);
    }
    let context = context.build().expect("the paths are in order");
    let mut options = PlanOptions::new(Objective::ColdPull, Applicability::Safe);
    options.only = vec![pass.to_owned()];
    let plan = Analysis::new(&Dockerfile::parse(text), &context, &Options::default())
        .expect("there is a stage")
        .plan_with(&options)
        .expect("a plan");
    let new = plan.dockerfile.lines();
    let new: Vec<&str> = new
        .filter(|line| !text.lines().any(|old| old == *line))
        .collect();
    (!plan.rungs.is_empty()).then(|| new.join("\n"))
}

const SYNC: &str = "RUN uv sync";
const UV_START: &str = "CMD [\"uv\", \"run\", \"uvicorn\", \"main:app\"]";

#[test]
fn uv_run_goes_where_it_starts_what_the_build_installed() {
    let started = |install: &str, start: &str, files: &[(&str, &str)]| {
        of_uv("direct_start", install, start, files)
    };
    let path = "ENV PATH=/srv/.venv/bin:$PATH\n";
    for (install, start, new) in [
        (
            SYNC,
            UV_START,
            format!("{path}CMD [\"uvicorn\", \"main:app\"]"),
        ),
        // A file with `.py` at its end is one for the environment's Python.
        (
            SYNC,
            "CMD [\"uv\", \"run\", \"--\", \"main.py\"]",
            format!("{path}CMD [\"python\", \"main.py\"]"),
        ),
        (
            SYNC,
            "ENTRYPOINT [\"tini\", \"--\"]\nCMD uv run uvicorn main:app",
            format!("{path}CMD uvicorn main:app"),
        ),
        (
            SYNC,
            "ENTRYPOINT [\"uv\", \"run\", \"uvicorn\"]\nCMD [\"main:app\"]",
            format!("{path}ENTRYPOINT [\"uvicorn\"]"),
        ),
        (
            "ENV UV_PROJECT_ENVIRONMENT=/opt/venv PATH=/opt/venv/bin:$PATH\nRUN uv sync --no-dev",
            UV_START,
            "CMD [\"uvicorn\", \"main:app\"]".to_owned(),
        ),
    ] {
        assert_eq!(started(install, start, &[]), Some(new), "{start}");
    }
    let package = format!("{PYPROJECT}[build-system]\nrequires = []\n");
    let own = "# /// script\n# dependencies = [\"rich\"]\n# ///\n";
    let none: &[(&str, &str)] = &[];
    for (install, start, files) in [
        // Other packages, another folder, a variable that the manager reads, an environment that nobody filled.
        (
            SYNC,
            "CMD [\"uv\", \"run\", \"--with\", \"rich\", \"uvicorn\", \"main:app\"]",
            none,
        ),
        (SYNC, "CMD cd api && uv run uvicorn main:app", none),
        (
            SYNC,
            "ENV UV_ENV_FILE=.env\nCMD [\"uv\", \"run\", \"uvicorn\", \"main:app\"]",
            none,
        ),
        (
            SYNC,
            "WORKDIR /srv/api\nCMD [\"uv\", \"run\", \"uvicorn\", \"main:app\"]",
            none,
        ),
        ("RUN true", UV_START, none),
        (
            SYNC,
            "ENTRYPOINT [\"./start.sh\"]\nCMD [\"uv\", \"run\", \"uvicorn\", \"main:app\"]",
            none,
        ),
        // What the start would install: the project, or a package that the application names.
        (
            "RUN uv sync --no-install-project",
            UV_START,
            &[("pyproject.toml", package.as_str())],
        ),
        (
            "RUN uv sync --no-dev",
            UV_START,
            &[("main.py", "import pytest\n")],
        ),
        ("RUN uv sync --no-default-groups", UV_START, none),
        ("RUN UV_NO_DEV=1 uv sync", UV_START, none),
        ("RUN uv sync --no-install-package uvicorn", UV_START, none),
        // A health check that would find another Python.
        (
            SYNC,
            "HEALTHCHECK CMD python -c 'import requests'\nCMD [\"uv\", \"run\", \"uvicorn\", \"main:app\"]",
            none,
        ),
        (
            SYNC,
            "CMD trap 'uv run bye' EXIT; uv run uvicorn main:app",
            none,
        ),
        // A script with packages of its own, and an environment of the developer's.
        (
            SYNC,
            "CMD [\"uv\", \"run\", \"main.py\"]",
            &[("main.py", own)],
        ),
        (SYNC, UV_START, &[(".venv/pyvenv.cfg", "")]),
    ] {
        assert_eq!(started(install, start, files), None, "{install} {start}");
    }
}

#[test]
fn a_manager_starts_what_the_project_gives_a_name() {
    let lock = "[metadata]\nlock_version = \"4.5.0\"\n[[package]]\nname = \"uvicorn\"\nversion = \"0.34.0\"\ngroups = [\"default\"]\n";
    let text = "FROM python:3.12-slim\nRUN pip install pdm\nWORKDIR /srv\nCOPY . .\nRUN pdm sync\nCMD [\"pdm\", \"run\", \"serve\"]\n";
    let of = |manifest: &str| {
        only(
            "direct_start",
            text,
            &[("pdm.lock", lock), ("pyproject.toml", manifest)],
        )
    };
    let new = "ENV PATH=/srv/.venv/bin:$PATH\nCMD [\"serve\"]";
    assert_eq!(of(PYPROJECT).as_deref(), Some(new));
    let scripts = format!("{PYPROJECT}[tool.pdm.scripts]\nserve = \"uvicorn main:app\"\n");
    assert_eq!(of(&scripts), None);
    // Poetry keeps an environment elsewhere unless it is told to.
    let lock = "[metadata]\nlock-version = \"2.1\"\n[[package]]\nname = \"uvicorn\"\nversion = \"0.34.0\"\ngroups = [\"main\"]\n";
    let of = |setting: &str| {
        let text = format!(
            "FROM python:3.12-slim\nRUN pip install poetry\n{setting}WORKDIR /srv\nCOPY . .\nRUN poetry install --no-root\nCMD poetry run uvicorn main:app\n"
        );
        only(
            "direct_start",
            &text,
            &[("poetry.lock", lock), ("pyproject.toml", PYPROJECT)],
        )
    };
    assert_eq!(of(""), None);
    assert_eq!(
        of("ENV POETRY_VIRTUALENVS_CREATE=false\n").as_deref(),
        Some("CMD uvicorn main:app")
    );
    assert_eq!(
        of("ENV POETRY_VIRTUALENVS_IN_PROJECT=1\n").as_deref(),
        Some("ENV PATH=/srv/.venv/bin:$PATH\nCMD uvicorn main:app")
    );
}

#[test]
fn npm_start_goes_where_it_is_one_plain_call_of_node() {
    let started = |scripts: &str, start: &str, files: &[(&str, &str)]| {
        let manifest = format!(
            r#"{{"name": "a", "scripts": {{{scripts}}}, "dependencies": {{"express": "^5.1.0"}}}}"#
        );
        let text = format!("FROM node:24-slim\nWORKDIR /app\nCOPY . .\nRUN npm ci\n{start}\n");
        let all = [
            &[("package-lock.json", LOCK), ("package.json", &manifest)],
            files,
        ]
        .concat();
        only("direct_start", &text, &all)
    };
    let script = r#""start": "node index.js""#;
    let npm = "CMD [\"npm\", \"start\"]";
    for (scripts, start) in [
        (script, npm),
        (script, "CMD [\"npm\", \"run\", \"start\"]"),
        (
            r#""serve": "node index.js""#,
            "ENTRYPOINT [\"npm\", \"run\", \"serve\"]",
        ),
    ] {
        let new = started(scripts, start, &[("index.js", "")]).expect(start);
        assert!(new.ends_with("[\"node\", \"index.js\"]"), "{new}");
    }
    for (scripts, start, source) in [
        (
            r#""start": "node index.js", "prestart": "node migrate.js""#,
            npm,
            "",
        ),
        (r#""start": "NODE_ENV=production node index.js""#, npm, ""),
        (r#""start": "node migrate.js && node index.js""#, npm, ""),
        (r#""start": "next start""#, npm, ""),
        (
            script,
            "CMD [\"npm\", \"start\", \"--\", \"--port\", \"80\"]",
            "",
        ),
        (script, "WORKDIR /\nCMD [\"npm\", \"start\"]", ""),
        (
            script,
            "ENV NPM_CONFIG_NODE_OPTIONS=--enable-source-maps\nCMD [\"npm\", \"start\"]",
            "",
        ),
        (
            script,
            "RUN npm pkg set scripts.start=\"node other.js\"\nCMD [\"npm\", \"start\"]",
            "",
        ),
        (
            script,
            "RUN npm config set node-options --max-old-space-size=4096\nCMD [\"npm\", \"start\"]",
            "",
        ),
        (
            script,
            "COPY npmrc /root/.npmrc\nCMD [\"npm\", \"start\"]",
            "",
        ),
        (script, npm, "console.log(process.env.npm_package_version)"),
        (script, npm, "require('cross-spawn')('knex')"),
        (script, npm, "require('child_process').exec('knex')"),
    ] {
        assert_eq!(
            started(scripts, start, &[("index.js", source)]),
            None,
            "{scripts} {start} {source}"
        );
    }
    let settings = [
        ("index.js", ""),
        (".npmrc", "node-options=--enable-source-maps\n"),
    ];
    assert_eq!(started(script, npm, &settings), None);
    // A script of the project's own may look at what it starts.
    let entry = [
        ("docker-entrypoint.sh", "#!/bin/sh\nexec \"$@\"\n"),
        ("index.js", ""),
    ];
    assert_eq!(started(script, npm, &entry), None);
}

#[test]
fn development_packages_of_python_stay_out_where_nothing_names_them() {
    let direct = "ENV PATH=/srv/.venv/bin:$PATH\nCMD [\"uvicorn\", \"main:app\"]";
    let production = |install: &str, start: &str, source: &str| {
        of_uv(
            "production_packages",
            install,
            start,
            &[("main.py", source)],
        )
    };
    let new = Some("RUN uv sync --no-dev".to_owned());
    assert_eq!(production(SYNC, direct, ""), new);
    assert_eq!(
        production(
            SYNC,
            "CMD [\"uv\", \"run\", \"--no-sync\", \"uvicorn\", \"main:app\"]",
            ""
        ),
        new
    );
    // Those of `lint` uv does not install of its own accord.
    assert_eq!(production(SYNC, direct, "import ruff\n"), new);
    for (install, start, source) in [
        ("RUN uv sync --group dev", direct, ""),
        ("ENV UV_NO_DEV=1\nRUN uv sync", direct, ""),
        ("RUN uv sync\nRUN uv run pytest", direct, ""),
        (
            "RUN uv sync\nRUN python manage.py collectstatic",
            direct,
            "",
        ),
        // It would install them at the start.
        (SYNC, UV_START, ""),
        (SYNC, "CMD [\"pytest\"]", ""),
        (
            SYNC,
            "HEALTHCHECK CMD pytest --version\nCMD [\"uvicorn\", \"main:app\"]",
            "",
        ),
        (
            SYNC,
            direct,
            "try:\n    import pytest\nexcept ImportError:\n    pytest = None\n",
        ),
        (SYNC, direct, "PLUGINS = ['pytest.x']\n"),
        (SYNC, direct, "if True: import pytest\n"),
        // It starts uv through a shell that is the entry point.
        (
            SYNC,
            "ENTRYPOINT [\"sh\", \"-c\"]\nCMD [\"uv run uvicorn main:app\"]",
            "",
        ),
    ] {
        assert_eq!(
            production(install, start, source),
            None,
            "{install} {start} {source}"
        );
    }
}

#[test]
fn only_groups_that_are_known_to_be_for_developers_stay_out() {
    let of = |group: &str, version: &str| {
        let lock = format!(
            "[[package]]\nname = \"flask\"\nversion = \"3.1.0\"\noptional = false\ngroups = [\"main\"]\n[[package]]\nname = \"pytest\"\nversion = \"8.3.4\"\noptional = false\ngroups = [\"test\"]\n[[package]]\nname = \"numpy\"\nversion = \"2.1.3\"\noptional = false\ngroups = [\"{group}\"]\n[metadata]\nlock-version = \"{version}\"\n"
        );
        let manifest = format!(
            "[tool.poetry.dependencies]\nflask = \"*\"\n[tool.poetry.group.test.dependencies]\npytest = \"*\"\n[tool.poetry.group.{group}.dependencies]\nnumpy = \"*\"\n"
        );
        let text = "FROM python:3.12-slim\nRUN pip install poetry\nWORKDIR /srv\nCOPY . .\nRUN poetry install --no-root\nCMD [\"python\", \"main.py\"]\n";
        let files = [
            ("main.py", ""),
            ("poetry.lock", lock.as_str()),
            ("pyproject.toml", manifest.as_str()),
        ];
        only("production_packages", text, &files)
    };
    let new = "RUN poetry install --only main --no-root".to_owned();
    assert_eq!(of("lint", "2.1"), Some(new));
    assert_eq!(of("prod", "2.1"), None);
    // Poetry 1.1 has no `--only`.
    assert_eq!(of("lint", "1.1"), None);
}

#[test]
fn a_cache_mount_belongs_to_who_installs() {
    for (from, user, mount) in [
        ("node:22-slim", "root", Some("/root/.npm")),
        ("node:22-slim", "node", Some("/home/node/.npm,uid=1000")),
        ("node:22-slim", "1001:0", Some("/home/1001/.npm,uid=1001")),
        // Its number stands nowhere, and npm fails in a cache that belongs to root.
        ("node:22-slim", "app", None),
        ("debian:bookworm-slim", "node", None),
    ] {
        let text = format!(
            "FROM {from}\nWORKDIR /app\nUSER {user}\nCOPY package.json ./\nRUN npm install\n"
        );
        let new = only("package_cache", &text, &[("package.json", PACKAGE)]);
        let expected =
            mount.map(|mount| format!("RUN --mount=type=cache,target={mount} \\\n    npm install"));
        assert_eq!(new, expected, "{user}");
    }
}

#[test]
fn what_somebody_else_installs_stays_his() {
    let text = "FROM node:22-slim\nRUN apt-get update && apt-get install -y g++ make python3\nWORKDIR /app\nRUN chown node:node .\nUSER node\nCOPY --chown=node:node package.json package-lock.json ./\nRUN npm ci\nCMD [\"node\", \"index.js\"]\n";
    let files = [
        ("index.js", ""),
        ("package-lock.json", LOCK),
        ("package.json", PACKAGE),
    ];
    let new = only("split_stages", text, &files).expect("the compiler stays in the builder");
    let copied = "COPY --chown=node --from=builder /app/node_modules /app/node_modules";
    assert!(new.contains(copied), "{new}");
}

#[test]
fn a_manager_stays_where_a_later_step_calls_it() {
    let manifest = r#"{"name": "a", "dependencies": {"express": "^5.1.0"}}"#;
    let lock = "lockfileVersion: '9.0'\n";
    let of = |rest: &str| {
        let text = format!(
            "FROM node:24-slim\nRUN npm install -g pnpm@9\nWORKDIR /app\nCOPY package.json pnpm-lock.yaml ./\nRUN pnpm install --frozen-lockfile\nCOPY . .\n{rest}CMD [\"node\", \"index.js\"]\n"
        );
        let files = [
            ("index.js", ""),
            ("package.json", manifest),
            ("pnpm-lock.yaml", lock),
        ];
        only("split_stages", &text, &files)
    };
    assert!(of("").is_some_and(|new| new.contains("AS builder")));
    // A script of the project may call it, too.
    for step in [
        "RUN pnpm run icons\n",
        "RUN npm run icons\n",
        "RUN make icons\n",
    ] {
        assert_eq!(of(step), None, "{step}");
    }
    assert_eq!(of("HEALTHCHECK CMD [\"sh\", \"-c\", \"pnpm -v\"]\n"), None);
    let lock = "[metadata]\nlock-version = \"2.1\"\n[[package]]\nname = \"uvicorn\"\nversion = \"0.34.0\"\ngroups = [\"main\"]\n";
    let of = |rest: &str| {
        let text = format!(
            "FROM python:3.12-slim\nRUN pip install poetry\nENV POETRY_VIRTUALENVS_CREATE=false\nWORKDIR /srv\nCOPY pyproject.toml poetry.lock ./\nRUN --mount=type=cache,target=/root/.cache/pypoetry poetry install --no-root\nCOPY . .\n{rest}CMD [\"uvicorn\", \"main:app\"]\n"
        );
        let files = [
            ("main.py", ""),
            ("poetry.lock", lock),
            ("pyproject.toml", PYPROJECT),
        ];
        only("split_stages", &text, &files)
    };
    let moved = |new: Option<String>| new.is_some_and(|new| new.contains("AS builder"));
    assert!(moved(of("")));
    let kept = of("RUN poetry run python manage.py collectstatic\n");
    assert_eq!(kept, None);
}

#[test]
fn a_copy_of_the_whole_project_names_what_the_application_reads() {
    let narrowed = |copied: &str| {
        let text = format!("FROM node:24-slim\nWORKDIR /app\nRUN npm install express\n{copied}\n");
        let files = [
            ("README.md", "An example.\n"),
            (
                "package.json",
                r#"{"name": "a", "main": "index.js", "dependencies": {"express": "^5.1.0"}}"#,
            ),
            ("index.js", "require('./routes')\n"),
            ("routes/index.js", ""),
            ("start.sh", "#!/bin/sh\nexec node index.js\n"),
            ("test/routes.test.js", ""),
        ];
        let mut context = Context::builder();
        for (path, content) in files {
            context = context.file(path, content);
        }
        let context = context.build().expect("the paths are in order");
        let mut options = PlanOptions::new(Objective::WarmPull, Applicability::Suggestion);
        options.only = vec!["narrow_copies".to_owned()];
        let plan = Analysis::new(&Dockerfile::parse(&text), &context, &Options::default())
            .expect("there is a stage")
            .plan_with(&options)
            .expect("a plan");
        let new = plan
            .dockerfile
            .lines()
            .filter(|line| line.starts_with("COPY"));
        (!plan.rungs.is_empty()).then(|| new.collect::<Vec<_>>().join("\n"))
    };
    let named = "COPY package.json index.js ./\nCOPY routes/ ./routes/";
    assert_eq!(
        narrowed("COPY . .\nCMD [\"node\", \"index.js\"]"),
        Some(named.to_owned())
    );
    assert_eq!(
        narrowed("COPY ./ /app/\nRUN chown -R node /app\nENTRYPOINT [\"./start.sh\"]"),
        Some("COPY package.json index.js start.sh /app/\nCOPY routes/ /app/routes/".to_owned())
    );
    for copied in [
        "COPY . .\nRUN npm run build\nCMD [\"node\", \"index.js\"]",
        "COPY [\".\", \".\"]\nCMD [\"node\", \"index.js\"]",
        "COPY --exclude=test . .\nCMD [\"node\", \"index.js\"]",
        "COPY index.js .\nCMD [\"node\", \"index.js\"]",
    ] {
        assert_eq!(narrowed(copied), None, "{copied}");
    }
}
