//! One case a pass: `tests/conformance/passes/<pass>`, with the file, its context and what the pass alone makes of it.
//!
//! `UPDATE_EXPECT=1` writes the expectations again.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use stagewright::plan::PlanOptions;
use stagewright::{Analysis, Applicability, Context, Dockerfile, Objective, Options, passes};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance/passes")
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder)
        .expect("the folder is part of the project")
        .flatten();
    let mut names: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn every_pass_has_a_file_a_line_and_a_case() {
    let mut listed: Vec<String> = passes::names().map(str::to_owned).collect();
    listed.sort();
    let files =
        names(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/stagewright/src/passes"));
    let files: Vec<String> = files
        .iter()
        .filter_map(|file| file.strip_suffix(".rs"))
        .filter(|file| *file != "mod")
        .map(str::to_owned)
        .collect();
    assert_eq!(files, listed);
    assert_eq!(names(&cases()), listed);
}

#[test]
fn each_pass_does_what_its_case_says() {
    for name in names(&cases()) {
        let case = cases().join(&name);
        let text = fs::read_to_string(case.join("Dockerfile")).expect("a case has a Dockerfile");
        let context = Context::directory(case.join("context")).expect("a case has a context");
        let bases: BTreeMap<String, String> = match fs::read_to_string(case.join("bases.json")) {
            Ok(json) => serde_json::from_str(&json).expect("digests by image"),
            Err(_) => BTreeMap::new(),
        };
        let options = Options::default().with_bases(bases).expect("digests");
        let start = Analysis::new(&Dockerfile::parse(&text), &context, &options)
            .expect("the case has a stage");
        let mut options = PlanOptions::new(Objective::ColdPull, Applicability::Suggestion);
        options.only = vec![name.clone()];
        let plan = start.plan_with(&options).expect("a plan");
        assert_eq!(
            plan.rungs.iter().map(|rung| rung.pass).collect::<Vec<_>>(),
            [name.as_str()]
        );
        let ignore = case.join("expected.dockerignore");
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            fs::write(case.join("expected.Dockerfile"), &plan.dockerfile)
                .expect("the case can be written");
            if let Some(text) = &plan.dockerignore {
                fs::write(&ignore, text).expect("the case can be written");
            }
        }
        let expected = fs::read_to_string(case.join("expected.Dockerfile"))
            .expect("a case has an expectation");
        assert_eq!(plan.dockerfile, expected, "{name}");
        assert_eq!(plan.dockerignore, fs::read_to_string(ignore).ok(), "{name}");
    }
}
