//! What recipes write for applications that people build beside their sources, start in ways of their own, or that write where they run.

use stagewright::project::{Generated, ProjectError};
use stagewright::{
    Analysis, Applicability, Context, Dockerfile, Objective, Options, Project, RecipeOptions,
};

fn context(files: &[(&str, &str)]) -> Context {
    let mut context = Context::builder();
    for (path, text) in files {
        context = context.file(*path, *text);
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
