//! What recipes write for applications that people build beside their sources, start in ways of their own, or that write where they run.

use stagewright::project::{Generated, ProjectError};
use stagewright::{
    Analysis, Applicability, Context, Dockerfile, Objective, Options, Project, RecipeOptions,
};

fn context(files: &[(&str, &str)]) -> Context {
    let mut context = Context::builder();
    for (path, text) in files {
        context = context.file(path, *text);
    }
    context.build().expect("the paths are in order")
}

fn try_generate(
    files: &[(&str, &str)],
    options: &RecipeOptions,
) -> Result<Generated, ProjectError> {
    let context = context(files);
    let made = Project::detect(&context)?.generate(&context, options)?;
    let file = Dockerfile::parse(&made.dockerfile);
    let context = context
        .with_ignore(&made.dockerignore)
        .expect("the rules are in order");
    let analysis =
        Analysis::new(&file, &context, &Options::default()).expect("the file can be analysed");
    let plan = analysis
        .plan(Objective::ColdPull, Applicability::Safe)
        .expect("it can be planned");
    let passes: Vec<_> = plan.rungs.iter().map(|rung| rung.pass).collect();
    assert!(passes.is_empty(), "{passes:?} on\n{}", made.dockerfile);
    Ok(made)
}

fn generate_with(files: &[(&str, &str)], options: &RecipeOptions) -> Generated {
    try_generate(files, options).expect("a recipe")
}

fn generate(files: &[(&str, &str)]) -> Generated {
    generate_with(files, &RecipeOptions::default())
}

fn with_command(words: &[&str]) -> RecipeOptions {
    RecipeOptions {
        command: Some(words.iter().map(|word| (*word).to_owned()).collect()),
        ..RecipeOptions::default()
    }
}

fn asks(made: &Generated, words: &str) -> bool {
    made.questions
        .iter()
        .any(|question| question.contains(words))
}

#[track_caller]
fn holds(made: &Generated, text: &str) {
    assert!(
        made.dockerfile.contains(text),
        "{text} is not in\n{}",
        made.dockerfile
    );
}

#[track_caller]
fn lacks(made: &Generated, text: &str) {
    assert!(
        !made.dockerfile.contains(text),
        "{text} is in\n{}",
        made.dockerfile
    );
}

#[test]
fn a_build_beside_the_sources_runs_and_comes_along() {
    let made = generate(&[
        (
            "package.json",
            r#"{"name":"s","scripts":{"build":"vite build","start":"node server.js"},"dependencies":{"express":"4.19.2"},"devDependencies":{"vite":"5.3.1"}}"#,
        ),
        (
            "server.js",
            "const express = require('express');\nconst app = express();\napp.use(express.static('dist'));\napp.listen(3000);\n",
        ),
        ("index.html", "<script src=src/index.js></script>\n"),
        ("src/index.js", "console.log(1)\n"),
        ("views/index.ejs", "hello\n"),
    ]);
    holds(&made, "RUN npm run build && rm -rf node_modules");
    holds(
        &made,
        "COPY --from=dependencies /app/node_modules ./node_modules\nCOPY --from=builder /app/ ./\n",
    );
    holds(&made, "COPY views/ ./views/");
    holds(&made, "CMD [\"node\", \"server.js\"]");
}

#[test]
fn a_build_that_installs_for_itself_is_asked_about() {
    let files = [
        (
            "package.json",
            r#"{"name":"m","scripts":{"build":"cd client && npm install && npm run build","start":"node server.js"},"dependencies":{"express":"4.19.2"}}"#,
        ),
        (
            "server.js",
            "const app = require('express')();\napp.listen(3000);\n",
        ),
        (
            "client/package.json",
            r#"{"scripts":{"build":"vite build"}}"#,
        ),
        ("client/index.html", ""),
    ];
    let made = generate(&files);
    holds(&made, "RUN npm run build && rm -rf node_modules");
    assert!(asks(&made, "`build` installs"), "{:?}", made.questions);
}

#[test]
fn packages_of_the_repository_are_built_where_the_application_is_not() {
    let made = generate(&[
        (
            "package.json",
            r#"{"name":"r","private":true,"workspaces":["packages/*"]}"#,
        ),
        (
            "packages/api/package.json",
            r#"{"name":"api","scripts":{"start":"node index.js"},"dependencies":{"express":"4.19.2","units":"*"}}"#,
        ),
        (
            "packages/api/index.js",
            "require('express')().listen(3000);\n",
        ),
        (
            "packages/units/package.json",
            r#"{"name":"units","main":"dist/index.js","scripts":{"build":"tsc"},"devDependencies":{"typescript":"5.4.5"}}"#,
        ),
        ("packages/units/index.ts", "export const one = 1;\n"),
    ]);
    holds(&made, "npm run build --workspace=packages/units");
    holds(&made, "COPY --from=builder /app/ ./\n");
}

/// The files of a front end with a manifest of its own.
fn front_end(manifest: &str, more: &[(&str, &str)]) -> Result<Generated, ProjectError> {
    let mut files = vec![("package.json", manifest), ("src/index.js", "")];
    files.extend(more);
    try_generate(&files, &RecipeOptions::default())
}

#[test]
fn sveltekit_is_what_its_adapter_makes_of_it() {
    let of = |adapter: &str| {
        front_end(
            &format!(
                r#"{{"scripts":{{"build":"vite build"}},"devDependencies":{{"@sveltejs/kit":"2.5.18","@sveltejs/{adapter}":"5.2.0","vite":"5.3.3"}}}}"#
            ),
            &[],
        )
    };
    let node = of("adapter-node").expect("a recipe");
    holds(&node, "COPY --from=builder /app/build/ ./build/");
    holds(&node, "CMD [\"node\", \"build\"]");
    // Nothing is installed for production: there is no folder to copy.
    lacks(&node, "node_modules");
    let files = of("adapter-static").expect("a recipe");
    holds(
        &files,
        "COPY --from=builder /app/build/ /usr/share/nginx/html/",
    );
    let error = of("adapter-auto").expect_err("nobody can tell");
    assert_eq!(error.code(), "no-command");
}

#[test]
fn what_a_server_serves_is_no_front_end() {
    let remix = front_end(
        r#"{"scripts":{"build":"remix vite:build","start":"remix-serve ./build/server/index.js"},"dependencies":{"@remix-run/serve":"2.9.2"},"devDependencies":{"@remix-run/dev":"2.9.2","vite":"5.3.3"}}"#,
        &[],
    );
    let remix = remix.expect("a recipe");
    holds(&remix, "COPY --from=builder /app/build/ ./build/");
    holds(
        &remix,
        "CMD [\"node_modules/.bin/remix-serve\", \"./build/server/index.js\"]",
    );
    let own = front_end(
        r#"{"type":"module","scripts":{"build":"vite build","start":"node server.js"},"dependencies":{"hono":"4.4.0"},"devDependencies":{"vite":"5.3.3"}}"#,
        &[("server.js", "serve({ port: 4000 })\n")],
    );
    let own = own.expect("a recipe");
    holds(&own, "CMD [\"node\", \"server.js\"]");
    lacks(&own, "nginx");
    let other = front_end(
        r#"{"scripts":{"build":"vite build","start":"wrangler dev"},"devDependencies":{"vite":"5.3.3","wrangler":"3.0.0"}}"#,
        &[],
    );
    assert_eq!(other.expect_err("no server is known").code(), "no-command");
    for start in ["vite preview", "npm run dev", "serve -s dist"] {
        let front = front_end(
            &format!(
                r#"{{"scripts":{{"dev":"vite","build":"vite build","start":"{start}"}},"devDependencies":{{"vite":"5.3.3"}}}}"#
            ),
            &[],
        );
        holds(&front.expect("a recipe"), "nginx");
    }
}

#[test]
fn sites_are_served_as_files() {
    let eleventy = front_end(
        r#"{"scripts":{"build":"eleventy","start":"eleventy --serve"},"devDependencies":{"@11ty/eleventy":"2.0.1"}}"#,
        &[("index.md", "# Blog\n")],
    );
    let eleventy = eleventy.expect("a recipe");
    holds(&eleventy, "COPY --from=builder /app/_site/ ");
    holds(&eleventy, " index.md ");
    holds(&eleventy, "=404");
    let next = front_end(
        r#"{"scripts":{"build":"next build","start":"next start"},"dependencies":{"next":"14.2.4"}}"#,
        &[("next.config.js", "module.exports = { output: 'export' };\n")],
    );
    holds(&next.expect("a recipe"), "COPY --from=builder /app/out/ ");
    let astro = |config: &str| {
        front_end(
            r#"{"scripts":{"build":"astro build"},"dependencies":{"astro":"4.11.0","@astrojs/node":"8.3.0"}}"#,
            &[("astro.config.mjs", config)],
        )
    };
    let server =
        astro("export default { adapter: node({ mode: 'standalone' }) };\n").expect("a recipe");
    holds(&server, "CMD [\"node\", \"dist/server/entry.mjs\"]");
    holds(&server, "HOST=0.0.0.0");
    let handler = astro("export default { adapter: node({ mode: 'middleware' }) };\n");
    assert_eq!(handler.expect_err("no server").code(), "no-command");
    let files = front_end(
        r#"{"scripts":{"build":"astro build"},"dependencies":{"astro":"4.11.0"}}"#,
        &[],
    );
    holds(&files.expect("a recipe"), "COPY --from=builder /app/dist/ ");
}

#[test]
fn a_bundler_reads_the_variables_of_production() {
    let manifest = r#"{"scripts":{"build":"vite build"},"devDependencies":{"vite":"5.3.3"}}"#;
    let variables = (".env.production", "VITE_API=https://api.example.com\n");
    let made = front_end(manifest, &[variables]).expect("a recipe");
    holds(&made, ".env.production");
    assert!(made.dockerignore.contains("!.env.production"));
    let made = front_end(manifest, &[variables, (".gitignore", ".env.*\n")]);
    lacks(&made.expect("a recipe"), ".env.production");
}

const FLASK: (&str, &str) = ("app.py", "from flask import Flask\napp = Flask(__name__)\n");

#[test]
fn a_bound_takes_the_newest_python_that_the_pins_have_wheels_for() {
    let project = |bound: &str| {
        format!(
            "[project]\nname = \"a\"\nrequires-python = \"{bound}\"\ndependencies = [\"flask\"]\n"
        )
    };
    let made = generate(&[("pyproject.toml", &project(">=3.10,<3.14")), FLASK]);
    holds(&made, "FROM python:3.13-slim AS base");
    holds(&made, "import tomllib");
    // Wheels of these versions were made before Python 3.13 came out.
    let old = (
        "requirements.txt",
        "flask==3.0.3\npillow==10.4.0\nlxml==5.2.2\ngevent==24.2.1\n",
    );
    let made = generate(&[old, FLASK]);
    holds(&made, "FROM python:3.12-slim AS base");
    assert!(asks(&made, "3.12 is taken"), "{:?}", made.questions);
    let compiled = (
        "requirements.txt",
        "# This file is autogenerated by pip-compile with Python 3.11\nflask==3.0.3\n",
    );
    holds(&generate(&[compiled, FLASK]), "FROM python:3.11-slim");
}

#[test]
fn packages_that_no_standard_library_lists_are_refused() {
    let on = |manifest: &str, base: Option<&str>| {
        let options = RecipeOptions {
            base: base.map(str::to_owned),
            ..RecipeOptions::default()
        };
        try_generate(&[("pyproject.toml", manifest), FLASK], &options)
    };
    let project = "[project]\nname = \"a\"\ndependencies = [\"flask\"]\n";
    assert!(on(project, Some("python:3.11-slim")).is_ok());
    let old = on(project, Some("python:3.10-slim")).expect_err("no tomllib");
    assert!(old.to_string().contains("tomllib"), "{old}");
    let poetry = "[tool.poetry]\nname = \"a\"\n[tool.poetry.dependencies]\npython = \"^3.11\"\nflask = \"^3.0\"\n[build-system]\nrequires = [\"poetry-core\"]\n";
    let poetry = on(poetry, None).expect_err("no lock file");
    assert!(poetry.to_string().contains("poetry.lock"), "{poetry}");
}

#[test]
fn folders_that_are_written_belong_to_the_user() {
    let made = generate(&[
        ("requirements.txt", "flask==3.0.3\n"),
        (
            "app/__init__.py",
            "import os\nfrom flask import Flask\n\ndef create_app():\n    app = Flask(__name__, instance_relative_config=True)\n    os.makedirs(app.instance_path, exist_ok=True)\n    os.makedirs('uploads', exist_ok=True)\n    return app\n",
        ),
        ("logs/.gitkeep", ""),
        ("data/names.csv", "ada\n"),
        (
            "app/store.py",
            "def save(name):\n    with open('data/new.csv', 'a') as out:\n        out.write(name)\n",
        ),
    ]);
    holds(
        &made,
        "RUN mkdir -p instance logs uploads && chown 10001:10001 instance logs uploads\n",
    );
    holds(&made, "COPY --chown=10001:10001 data/ ./data/");
    let early = made.dockerfile.find("mkdir").expect("it is there");
    assert!(early < made.dockerfile.find("COPY app/").expect("it is there"));
}

#[test]
fn a_server_of_node_may_write_where_it_does() {
    let server = "const express = require('express');\nconst fs = require('fs');\nconst upload = require('multer')({ dest: 'public/uploads/' });\nconst file = 'data/accounts.jsonl';\nfs.appendFileSync(file, '');\nfs.writeFileSync(process.env.OUT, '');\nexpress().listen(3000);\n";
    let files = [
        (
            "package.json",
            r#"{"scripts":{"start":"node server.js"},"dependencies":{"express":"4.19.2"}}"#,
        ),
        ("server.js", server),
        ("data/.gitkeep", ""),
        ("public/a.css", "h1 {}\n"),
        ("public/uploads/.gitkeep", ""),
    ];
    let made = generate(&files);
    holds(&made, "COPY --chown=10001:10001 data/ ./data/");
    holds(&made, "COPY public/ ./public/\n");
    holds(
        &made,
        "RUN mkdir -p public/uploads && chown 10001:10001 public/uploads\n",
    );
    lacks(&made, "chown 10001:10001 .");
}

#[test]
fn no_name_of_a_folder_becomes_a_part_of_a_command() {
    let made = generate(&[
        ("requirements.txt", "flask==3.0.3\n"),
        (
            "app.py",
            "import os\nfrom flask import Flask\napp = Flask(__name__)\nos.makedirs('out; touch x')\n",
        ),
        ("logs $(id)/.gitkeep", ""),
        ("uploads/.gitkeep", ""),
    ]);
    holds(&made, "RUN mkdir -p uploads && chown 10001:10001 uploads\n");
    assert!(asks(&made, "logs $(id)"), "{:?}", made.questions);
    lacks(&made, "touch x");
}

#[test]
fn where_it_is_not_certain_what_is_written_it_is_asked() {
    let made = generate(&[
        ("requirements.txt", "flask==3.0.3\n"),
        (
            "app.py",
            "from flask import Flask\napp = Flask(__name__)\nBASE = find()\nopen(BASE / \"out\" / \"a.txt\", \"w\")\nopen('/var/log/shop/a.log', 'a')\nopen('/tmp/a', 'w')\n",
        ),
    ]);
    lacks(&made, "chown");
    assert!(asks(&made, "write to `out`"), "{:?}", made.questions);
    assert!(asks(&made, "write to `/var/log/shop/a.log`"));
    assert!(!asks(&made, "/tmp"));
}

#[test]
fn a_plain_start_script_is_called_and_what_is_named_comes_along() {
    let script = "#!/bin/sh\nset -e\nalembic upgrade head\nexec uvicorn ledger.main:app --host 0.0.0.0 --port ${PORT:-8080}\n";
    let files = [
        (
            "requirements.txt",
            "fastapi==0.115.0\nuvicorn==0.30.0\nalembic==1.13.2\n",
        ),
        ("start.sh", script),
        ("alembic.ini", "[alembic]\nscript_location = migrations\n"),
        ("migrations/env.py", ""),
        ("CHANGELOG.md", "# 2\n"),
        ("NEWS.md", "# 2\n"),
        ("docs/index.html", "<h1>Handbook</h1>\n"),
        (
            "ledger/main.py",
            "from fastapi import FastAPI\napp = FastAPI()\nNEWS = (ROOT / \"CHANGELOG.md\").read_text()\napp.mount(\"/docs\", StaticFiles(directory=ROOT / \"docs\"))\n",
        ),
    ];
    let made = generate(&files);
    holds(&made, "CMD [\"sh\", \"start.sh\"]");
    holds(&made, "EXPOSE 8080");
    for name in [
        "start.sh",
        "alembic.ini",
        "CHANGELOG.md",
        "docs/",
        "migrations/",
    ] {
        holds(&made, name);
    }
    lacks(&made, "NEWS.md");
    let other = generate_with(
        &files,
        &RecipeOptions {
            port: Some(9000),
            ..RecipeOptions::default()
        },
    );
    holds(&other, "PORT=9000");
}

#[test]
fn a_start_that_is_not_plain_is_asked_about() {
    let made = generate(&[
        ("requirements.txt", "flask==3.0.3\ngunicorn==22.0.0\n"),
        ("gunicorn.conf.py", "bind = \"0.0.0.0:5000\"\n"),
        (
            "entrypoint.sh",
            "#!/bin/bash\nflask init-db\ncase \"$1\" in\n  web) exec gunicorn wsgi:app ;;\nesac\n",
        ),
        (
            "wsgi.py",
            "from app import create_app\napp = create_app()\n",
        ),
    ]);
    assert!(asks(&made, "`entrypoint.sh`"), "{:?}", made.questions);
    holds(
        &made,
        "CMD [\"gunicorn\", \"--bind\", \"0.0.0.0:5000\", \"wsgi:app\"]",
    );
    holds(&made, "EXPOSE 5000");
    let made = generate(&[
        ("requirements.txt", "flask==3.0.3\n"),
        (
            "Procfile",
            "web: gunicorn app:app -b 0.0.0.0:$PORT\nworker: python worker.py\n",
        ),
        FLASK,
    ]);
    holds(
        &made,
        "CMD [\"gunicorn\", \"app:app\", \"-b\", \"0.0.0.0:8000\"]",
    );
    assert!(asks(&made, "`worker`"));
    assert!(asks(&made, "which package brings `gunicorn`"));
}

#[test]
fn settings_of_django_get_the_variables_that_they_need() {
    let made = generate(&[
        ("requirements.txt", "django==5.0.6\ngunicorn==22.0.0\n"),
        ("manage.py", ""),
        (
            "config/settings.py",
            "SECRET_KEY = env(\"SECRET_KEY\")\nSTATIC_ROOT = BASE_DIR / 'static'\n",
        ),
        ("config/wsgi.py", "application = get_wsgi_application()\n"),
    ]);
    holds(
        &made,
        "RUN PYTHONDONTWRITEBYTECODE=1 SECRET_KEY=build python manage.py collectstatic --noinput",
    );
    assert!(asks(&made, "what are `SECRET_KEY`"));
}

#[test]
fn a_command_keeps_the_package_that_it_names() {
    let files = [
        (
            "package.json",
            r#"{"type":"module","scripts":{"start":"tsx src/server.ts"},"dependencies":{"hono":"4.4.0"},"devDependencies":{"tsx":"4.15.0"}}"#,
        ),
        ("src/server.ts", "serve({ port: 8787 })\n"),
    ];
    for command in [
        ["npx", "tsx", "src/server.ts"].as_slice(),
        &["node_modules/.bin/tsx", "src/server.ts"],
    ] {
        let made = generate_with(&files, &with_command(command));
        lacks(&made, "--omit=dev");
        assert!(asks(&made, "`tsx` be among `dependencies`"));
    }
    let loaded = generate(&[
        (
            "package.json",
            r#"{"scripts":{"start":"node --import tsx src/server.ts"},"dependencies":{"hono":"4.4.0"},"devDependencies":{"tsx":"4.15.0"}}"#,
        ),
        files[1],
    ]);
    lacks(&loaded, "--omit=dev");
    let made = generate_with(&files, &with_command(&["npx", "serve", "."]));
    holds(&made, "--omit=dev");
    assert!(asks(&made, "where does `serve` come from"));
}

#[test]
fn what_runs_before_the_start_is_kept() {
    let made = generate(&[
        (
            "package.json",
            r#"{"scripts":{"prestart":"node scripts/check.js && mkdir -p uploads","start":"node ./bin/www"},"dependencies":{"express":"4.19.2"}}"#,
        ),
        (".env", "KEY=secret\n"),
        ("bin/www", "require('dotenv').config()\napp.listen(4000)\n"),
        ("app.js", "fs.readFileSync('CHANGES.txt')\n"),
        ("CHANGES.txt", "1\n"),
        ("scripts/check.js", ""),
    ]);
    holds(&made, "CMD [\"npm\", \"start\"]");
    holds(&made, "RUN mkdir -p uploads && chown 10001:10001 uploads");
    holds(&made, "CHANGES.txt");
    assert!(asks(&made, "`prestart`"));
    holds(&made, "EXPOSE 4000");
    assert!(asks(&made, "reads `.env`"));
    let made = generate(&[
        (
            "package.json",
            r#"{"scripts":{"start":"pm2-runtime ecosystem.config.js"},"dependencies":{"express":"4.19.2","pm2":"5.4.0"}}"#,
        ),
        ("ecosystem.config.js", "module.exports = {}\n"),
        ("server.js", "app.listen(3000)\n"),
    ]);
    holds(
        &made,
        "CMD [\"node_modules/.bin/pm2-runtime\", \"ecosystem.config.js\"]",
    );
    holds(&made, "COPY server.js ecosystem.config.js ./");
    holds(&made, "PM2_HOME=/tmp/.pm2");
}
