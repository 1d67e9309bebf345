//! What a plan at `safe` leaves alone, since something would no longer build or run. Each case broke a build or an application once.

use stagewright::Applicability;

use super::{PACKAGE, only, plan};

const FLASK: &str = "flask==3.1.0\n";

fn safe(text: &str, files: &[(&str, &str)]) -> (String, String) {
    let mut files = files.to_vec();
    files.sort_unstable();
    let plan = plan(text, &files, Applicability::Safe);
    (plan.dockerfile, plan.dockerignore.unwrap_or_default())
}

#[test]
fn a_run_that_does_more_than_install_stays_in_the_image() {
    let of = |install: &str, env: &str| {
        let text = format!(
            "FROM python:3.12-slim\nWORKDIR /app\n{env}COPY requirements.txt .\nRUN {install}\nCOPY . .\nCMD [\"python\", \"app.py\"]\n"
        );
        let files = [("app.py", ""), ("requirements.txt", FLASK)];
        only("split_stages", &text, &files).is_some()
    };
    assert!(of("pip install -r requirements.txt", ""));
    assert!(of(
        "pip install -r requirements.txt && rm -rf ~/.cache/pip",
        ""
    ));
    for more in [
        "mkdir -p /var/log/shop",
        "python app.py --init",
        "ln -s /app /srv/app",
        "echo ready > /etc/ready",
        "rm -rf /app/tests",
    ] {
        assert!(
            !of(&format!("pip install -r requirements.txt && {more}"), ""),
            "{more}"
        );
    }
    let elsewhere = "ENV PIP_TARGET=/deps\n";
    let text = format!(
        "FROM python:3.12-slim\nWORKDIR /app\n{elsewhere}COPY . .\nRUN pip install -r requirements.txt\nCMD [\"python\", \"app.py\"]\n"
    );
    let (plan, _) = safe(&text, &[("app.py", ""), ("requirements.txt", FLASK)]);
    assert!(!plan.contains("--root"), "{plan}");
}

#[test]
fn settings_that_a_variable_names_are_there_when_pip_installs() {
    let text = "FROM python:3.12-slim\nENV PIP_CONFIG_FILE=/app/conf/pip.conf\nCOPY . /app\nRUN pip install -r /app/requirements.txt\n";
    let files = [("conf/pip.conf", "[global]\n"), ("requirements.txt", FLASK)];
    assert_eq!(only("manifests_first", text, &files), None);
}

const POETRY: &str = "[tool.poetry]\nname = \"shop\"\nreadme = \"README.md\"\n\n[tool.poetry.dependencies]\nflask = \"^3.1\"\n";
const POETRY_LOCK: &str = "[[package]]\nname = \"flask\"\nversion = \"3.1.0\"\nfiles = []\n\n[metadata]\nlock-version = \"2.0\"\n";

#[test]
fn poetry_installs_the_project_when_its_source_is_there() {
    let text = "FROM python:3.12-slim\nRUN pip install poetry\nWORKDIR /app\nCOPY pyproject.toml poetry.lock README.md ./\nCOPY shop ./shop\nRUN poetry config virtualenvs.create false\nRUN poetry install --only main\nCMD [\"shop\"]\n";
    let files = [
        ("README.md", ""),
        ("poetry.lock", POETRY_LOCK),
        ("pyproject.toml", POETRY),
        ("shop/__init__.py", ""),
    ];
    let new = only("dependencies_first", text, &files);
    assert_eq!(
        new.as_deref(),
        Some("RUN poetry install --no-root --only main")
    );
    let (plan, _) = safe(text, &files);
    let at = [
        "--no-root",
        "COPY shop ./shop",
        "poetry install --only main",
    ]
    .map(|line| plan.find(line).expect("the line is there"));
    assert!(at.is_sorted(), "{plan}");
    assert_eq!(only("manifests_first", text, &files), None);
}

#[test]
fn what_sources_metadata_and_other_stages_read_stays_in_the_context() {
    let text = "FROM node:22-slim\nWORKDIR /app\nCOPY . .\nCMD [\"node\", \"src/index.js\"]\n";
    let ignored = |text: &str, source: &str, more: &[(&str, &str)]| {
        let mut files = vec![
            ("README.md", "# a\n"),
            ("docs/a.yaml", "a: 1\n"),
            ("src/index.js", source),
            ("test/a.test.js", "test('docs/a.yaml')\n"),
        ];
        files.extend_from_slice(more);
        safe(text, &files).1
    };
    let all = ignored(text, "", &[]);
    for pattern in ["docs", "test", "*.md"] {
        assert!(all.lines().any(|line| line == pattern), "{all}");
    }
    let kept = |ignore: &str, pattern: &str| !ignore.lines().any(|line| line == pattern);
    let docs = ignored(text, "load(path.join(__dirname, '../docs/a.yaml'))", &[]);
    assert!(kept(&docs, "docs") && !kept(&docs, "test"), "{docs}");
    assert!(kept(&ignored(text, "glob('*.md')", &[]), "*.md"));
    let metadata = [(
        "pyproject.toml",
        "[project]\nname = \"a\"\nreadme = \"README.md\"\n",
    )];
    assert!(kept(&ignored(text, "", &metadata), "*.md"));
    let stages = "FROM node:22-slim AS test\nCOPY . .\nRUN node --test\nFROM node:22-slim\nWORKDIR /app\nCOPY . .\nCMD [\"node\", \"src/index.js\"]\n";
    assert!(kept(&ignored(stages, "", &[]), "test"));
}

#[test]
fn a_full_base_stays_where_only_it_has_what_is_called_or_loaded() {
    let of_python = |requirements: &str, source: &str| {
        let text = "FROM python:3.12\nWORKDIR /app\nCOPY . .\nRUN pip install -r requirements.txt\nCMD [\"python\", \"app.py\"]\n";
        safe(
            text,
            &[("app.py", source), ("requirements.txt", requirements)],
        )
        .0
        .contains("python:3.12-slim")
    };
    assert!(of_python(
        FLASK,
        "import subprocess\nsubprocess.run(['ls'])\n"
    ));
    assert!(of_python("psycopg[binary]==3.2.1\n", ""));
    for (requirements, source) in [
        ("psycopg==3.2.1\n", ""),
        ("cairosvg==2.7.1\n", ""),
        ("git+https://example.com/a.git\n", ""),
        (
            FLASK,
            "import subprocess\nsubprocess.run('cd a && git pull', shell=True)\n",
        ),
        (FLASK, "import os\nos.execvp('git', ['git'])\n"),
        (
            FLASK,
            "import ctypes\nctypes.CDLL('libmagickwand-6.q16.so')\n",
        ),
        (FLASK, "import sh\nsh.git('pull')\n"),
    ] {
        assert!(!of_python(requirements, source), "{requirements}{source}");
    }
    let of_node = |manifest: &str, start: &str, more: &[(&str, &str)]| {
        let text = format!("FROM node:22\nWORKDIR /app\nCOPY . .\nRUN npm install\n{start}\n");
        let mut files = vec![("index.js", ""), ("package.json", manifest)];
        files.extend_from_slice(more);
        safe(&text, &files).0.contains("node:22-slim")
    };
    let node = "CMD [\"node\", \"index.js\"]";
    assert!(of_node(PACKAGE, node, &[]));
    let start = r#"{"name": "a", "scripts": {"prestart": "./wait.sh", "start": "node index.js"}}"#;
    let wait = [("wait.sh", "#!/bin/sh\ncurl -f http://db/\n")];
    assert!(!of_node(start, "CMD [\"npm\", \"start\"]", &wait));
    for manifest in [
        r#"{"name": "a", "dependencies": {"simple-git": "^3.27.0"}}"#,
        r#"{"name": "a", "dependencies": {"b": "github:a/b"}}"#,
        r#"{"name": "a", "scripts": {"postinstall": "git --version"}}"#,
    ] {
        assert!(!of_node(manifest, node, &[]), "{manifest}");
    }
}

#[test]
fn a_copy_moves_below_an_install_by_name_alone() {
    for (install, moves) in [
        ("npm install -g serve", true),
        ("npm i --global @nestjs/cli@10", true),
        ("yarn global add serve", true),
        (
            "pip install --no-cache-dir gunicorn==23.0.0 'uvicorn[standard]'",
            true,
        ),
        ("npm install serve", false),
        ("npm install -g .", false),
        ("npm install -g ./tool", false),
        ("npm install -g file:tool", false),
        ("pip install -r requirements.txt", false),
        ("pip install -e gunicorn", false),
        ("pip install ./gunicorn", false),
    ] {
        let text = format!("FROM node:22-slim\nWORKDIR /app\nCOPY . .\nRUN {install}\n");
        let new = only("copies_last", &text, &[("index.js", "")]);
        assert_eq!(new.is_some(), moves, "{install}");
    }
}

#[test]
fn what_node_is_told_to_load_stays_installed() {
    let of = |start: &str| {
        let text = format!(
            "FROM node:22-slim\nWORKDIR /app\nCOPY package.json package-lock.json ./\nRUN npm ci\nCOPY . .\nCMD {start}\n"
        );
        let manifest = r#"{"name": "a", "dependencies": {"express": "^5.1.0"}, "devDependencies": {"tsx": "^4.19.0", "jest": "^29.7.0"}}"#;
        let lock = r#"{"name": "a", "lockfileVersion": 3, "packages": {"": {}, "node_modules/express": {"version": "5.1.0"}, "node_modules/jest": {"version": "29.7.0", "dev": true}, "node_modules/tsx": {"version": "4.19.0", "dev": true}}}"#;
        let files = [
            ("index.js", ""),
            ("package-lock.json", lock),
            ("package.json", manifest),
        ];
        only("production_packages", &text, &files).is_some()
    };
    assert!(of(r#"["node", "index.js"]"#));
    assert!(!of(r#"["node", "--import", "tsx", "index.ts"]"#));
    assert!(!of("node --import=tsx index.ts"));
}
