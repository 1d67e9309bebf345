//! Laws of the planner over real Dockerfiles (`STAGEWRIGHT_CORPUS`) and over the project's own samples.
//!
//! With `STAGEWRIGHT_PLANS`, the plans are written into that folder, for `cargo xtask oracle FOLDER` to read.

use std::path::{Path, PathBuf};

use stagewright::{Analysis, Applicability, Context, Dockerfile, Objective, Options};
use stagewright_tests::corpus;

/// A context with the files that installs read, so that the passes have something to do.
fn context() -> Context {
    Context::builder()
        .file("requirements.txt", "flask==3.1.3\ngunicorn==27.0.1\n")
        .file("package.json", "{\"name\":\"app\",\"version\":\"1.0.0\"}")
        .file("package-lock.json", "{\"lockfileVersion\":3,\"packages\":{\"\":{},\"node_modules/express\":{\"version\":\"5.1.0\"}}}")
        .file("main.py", "print(1)\n")
        .file("index.js", "console.log(1)\n")
        .file("src/app.py", "print(2)\n")
        .file("README.md", "# App\n")
        .file("tests/test_app.py", "assert True\n")
        .build()
        .expect("the context is well-formed")
}

fn files() -> Vec<(PathBuf, String)> {
    let samples = corpus::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("projects"));
    let dockerfiles = samples
        .into_iter()
        .filter(|(path, _)| path.to_string_lossy().contains("Dockerfile"));
    dockerfiles
        .chain(corpus::from_environment().unwrap_or_default())
        .collect()
}

/// What came of some of the files.
#[derive(Default)]
struct Outcome {
    planned: usize,
    changed: usize,
    failures: Vec<String>,
}

#[test]
fn plans_are_valid_never_larger_and_final() {
    let (context, files) = (context(), files());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let run = |thread: usize| {
            let (context, files) = (&context, &files);
            scope.spawn(move || {
                let mut outcome = Outcome::default();
                for (path, text) in files.iter().skip(thread).step_by(threads) {
                    hold(path, text, context, &mut outcome);
                }
                outcome
            })
        };
        let running: Vec<_> = (0..threads).map(run).collect();
        let ends = running.into_iter().map(std::thread::ScopedJoinHandle::join);
        ends.map(|end| end.expect("no plan panics")).collect()
    });
    let planned: usize = outcomes.iter().map(|outcome| outcome.planned).sum();
    let changed: usize = outcomes.iter().map(|outcome| outcome.changed).sum();
    let failures: Vec<&String> = outcomes
        .iter()
        .flat_map(|outcome| &outcome.failures)
        .collect();
    println!("{planned} files planned, {changed} plans with rungs");
    assert!(planned > 0, "the samples are there");
    let shown: Vec<&str> = failures
        .iter()
        .take(20)
        .map(|failure| failure.as_str())
        .collect();
    assert!(
        failures.is_empty(),
        "{} failures:\n{}",
        failures.len(),
        shown.join("\n")
    );
}

/// Holds the plans of one file against the laws.
fn hold(path: &Path, text: &str, context: &Context, outcome: &mut Outcome) {
    let Ok(start) = Analysis::new(&Dockerfile::parse(text), context, &Options::default()) else {
        return;
    };
    outcome.planned += 1;
    for applicability in [Applicability::Safe, Applicability::Suggestion] {
        let plan = start
            .plan(Objective::ColdPull, applicability)
            .expect("every plan that is asked for");
        let mut fail = |what: &str| {
            outcome.failures.push(format!(
                "{} at {}: {what}",
                path.display(),
                applicability.as_str()
            ));
        };
        if plan.rungs.is_empty() {
            if plan.dockerfile != text {
                fail("a plan without rungs changes the file");
            }
            continue;
        }
        outcome.changed += 1;
        let after = start
            .with(&plan.dockerfile, plan.dockerignore.as_deref())
            .expect("the target is still there");
        if after.has_errors() {
            fail(&format!("the new file has errors: {:?}", after.findings()));
        }
        let names = |analysis: &Analysis| -> Vec<String> {
            let stages = analysis.graph().stages.iter();
            stages.filter_map(|stage| stage.name.clone()).collect()
        };
        let kept = names(&after);
        if names(&start).iter().any(|name| !kept.contains(name)) {
            fail("a stage is gone");
        }
        if plan.until(0).dockerfile != text || plan.until(plan.rungs.len()) != plan {
            fail("the way back does not lead to the file");
        }
        if let Some(folder) = std::env::var_os("STAGEWRIGHT_PLANS") {
            let file = path.to_string_lossy().replace('/', "+");
            let name = format!("{file}-{}.Dockerfile", applicability.as_str());
            std::fs::write(Path::new(&folder).join(name), &plan.dockerfile)
                .expect("the folder can be written");
        }
        if after.size().uncompressed.expected > start.size().uncompressed.expected {
            fail("the image is larger");
        }
        let again = after
            .plan(Objective::ColdPull, applicability)
            .expect("a second plan");
        if !again.rungs.is_empty() {
            let rungs: Vec<_> = again
                .rungs
                .iter()
                .map(|rung| (rung.pass, rung.title.as_str()))
                .collect();
            fail(&format!("a second plan goes on: {rungs:?}"));
        }
        if text.contains("\r\n")
            && plan.dockerfile.replace("\r\n", "").contains('\n')
            && !text.replace("\r\n", "").contains('\n')
        {
            fail("line breaks are mixed");
        }
    }
}
