//! What was built and started for the sample projects (`tests/real/optimize.json`, made by `cargo xtask real optimize`), held against what
//! is predicted and written today. Needs no BuildKit.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::fs;
use std::path::{Path, PathBuf};

use stagewright::project::node::Delivery;
use stagewright::{Context, Project};
use stagewright_tests::proof::{self, Built, Predicted, Record};

fn here() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn record() -> Record {
    serde_json::from_str(&fs::read_to_string(here().join("real/optimize.json")).unwrap()).unwrap()
}

/// What is predicted of the files that were built.
fn predict(build: &Built, name: &str) -> Predicted {
    let folder = std::env::temp_dir().join(format!(
        "stagewright-{name}-{}-{}-{}",
        std::process::id(),
        build.project,
        build.variant.name
    ));
    proof::lay_out(&project(&build.project), &build.variant, &folder).unwrap();
    let predicted = proof::predict(&folder).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    predicted
}

fn project(name: &str) -> PathBuf {
    here().join("projects").join(name)
}

fn title(build: &Built) -> String {
    format!("{} {}", build.project, build.variant.name)
}

#[expect(clippy::cast_precision_loss, reason = "a share of megabytes")]
fn off(predicted: u64, measured: u64) -> f64 {
    predicted as f64 / measured.max(1) as f64 - 1.0
}

#[test]
fn every_project_was_built_as_it_is_written_today() {
    let record = record();
    let mut stale = Vec::new();
    let mut projects = 0;
    for entry in fs::read_dir(here().join("projects")).unwrap() {
        let path = entry.unwrap().path();
        if !path.join("check.json").is_file() {
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        projects += 1;
        for variant in proof::variants(&path, &record.skip).unwrap() {
            let built = record
                .builds
                .iter()
                .any(|build| build.project == name && build.variant == variant);
            if !built {
                stale.push(format!("{name} {}", variant.name));
            }
        }
    }
    assert!(projects >= 28, "{projects} projects");
    assert!(
        stale.is_empty(),
        "not built as they are written today, build them with `cargo xtask real optimize PROJECT`: {}",
        stale.join(", ")
    );
}

#[test]
fn every_application_works_as_before() {
    for build in record().builds {
        let title = title(&build);
        assert!(build.check, "{title} answers wrongly");
        // What is gone is for development, or is the package manager itself.
        let leaves_out = ["npm", "pnpm", "yarn", "uv", "poetry", "pdm", "pipenv"]
            .iter()
            .any(|tool| build.variant.dockerfile.contains(&format!("{tool} ")));
        let other = build
            .packages_differ
            .iter()
            .find(|package| !leaves_out || !package.starts_with('-'));
        assert!(other.is_none(), "{title}: {other:?} is another package");
        if build.variant.name == "generated" {
            continue;
        }
        for part in &build.config_differs {
            let declared = build.variant.passes.iter().any(|pass| {
                matches!(
                    (pass.as_str(), part.as_str()),
                    ("exec_form", "Cmd" | "Entrypoint")
                        | ("direct_start", "Cmd" | "Entrypoint" | "Env")
                        | ("non_root", "User")
                        | ("plain_base" | "split_stages", "Env")
                )
            });
            assert!(declared, "{title}: no pass says that it changes {part}");
        }
    }
}

#[test]
fn layers_weigh_what_is_predicted() {
    let (mut compared, mut outside, mut offs) = (0, Vec::new(), Vec::new());
    for build in record().builds {
        let predicted = predict(&build, "layers");
        let title = title(&build);
        assert_eq!(predicted.layers.len(), build.layers.len(), "{title}");
        for (layer, predicted) in build.layers.iter().zip(&predicted.layers) {
            if !(predicted.low..=predicted.high).contains(&layer.bytes) {
                outside.push(format!(
                    "{title} `{}`: {} is outside {predicted:?}",
                    layer.instruction, layer.bytes
                ));
            }
            assert_eq!(
                layer.predicted, *predicted,
                "{title} `{}`: the record has another prediction, `cargo xtask real optimize --predict` renews it",
                layer.instruction
            );
            compared += 1;
        }
        let (expected, measured) = build.above_runtime();
        offs.push((off(expected, measured).abs(), expected.abs_diff(measured)));
    }
    assert!(compared >= 470, "{compared} layers");
    // The error bars are those of nine packages in ten.
    assert!(outside.len() * 20 <= compared, "{}", outside.join("\n"));
    offs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let median = offs[offs.len() / 2].0;
    // A package that compiles anew what it brought along is half of a small application: nine in ten are held.
    let most = offs[offs.len() * 9 / 10].0;
    println!(
        "median {median:.4}, nine in ten {most:.4}, {} of {compared} layers outside",
        outside.len()
    );
    assert!(
        median < 0.01 && most < 0.11,
        "median {median:.3}, nine in ten {most:.3}"
    );
}

#[test]
fn a_plan_wins_above_the_base_what_it_says() {
    let record = record();
    let mut offs = Vec::new();
    for build in &record.builds {
        if build.variant.passes.is_empty() {
            continue;
        }
        let naive = record
            .builds
            .iter()
            .find(|other| other.project == build.project && other.variant.name == "naive")
            .unwrap();
        let ((said, was), (said_after, is)) = (naive.above_runtime(), build.above_runtime());
        let (gain, truth) = (said.abs_diff(said_after), was.abs_diff(is));
        assert_eq!(
            said.cmp(&said_after),
            was.cmp(&is),
            "{}: the sign of the gain",
            title(build)
        );
        offs.push((off(gain, truth).abs(), title(build), gain, truth));
    }
    offs.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (median, worst) = (offs[offs.len() / 2].0, &offs[offs.len() - 1]);
    println!("median {median:.3}, worst {worst:?}");
    assert!(median < 0.03, "median {median:.3}, worst {worst:?}");
}

/// Medians of the whole image, and nothing larger: from naive files on full bases and on slim ones.
#[test]
fn images_are_smaller() {
    let record = record();
    for slim in [false, true] {
        let aim = if slim { 0.30 } else { 0.65 };
        for variant in ["safe", "generated"] {
            let shares = record.shares(variant, slim);
            let (least, median) = (shares[0], proof::median(&shares).unwrap());
            println!(
                "slim {slim} {variant}: {} projects, median {median:?}, least {least:?}",
                shares.len()
            );
            assert!(least.0 > 0.0, "{variant}: {least:?} is no smaller");
            assert!(median >= aim, "{variant}: median {median:?}");
        }
    }
}

/// A naive file of one stage is eligible where installing or building leaves behind what the application does not need: installers and
/// byte code of Python, compilers, what a build reads.
#[test]
fn a_builder_stage_is_split_off() {
    let (mut eligible, mut split) = (Vec::new(), 0);
    for build in record().builds {
        if build.variant.name != "safe" {
            continue;
        }
        let naive = fs::read_to_string(project(&build.project).join("Dockerfile")).unwrap();
        let context = Context::directory(project(&build.project)).unwrap();
        let leaves = match Project::detect(&context).unwrap() {
            Project::Node(node) => node.delivery != Delivery::Sources || !node.compiled.is_empty(),
            _ => true,
        };
        if leaves && !naive.contains("--from=") {
            let from_builder = build.variant.dockerfile.contains("--from=");
            split += usize::from(from_builder && build.check);
            eligible.push((build.project, from_builder));
        }
    }
    println!("{split} of {}", eligible.len());
    assert!(split * 100 >= eligible.len() * 85, "{eligible:?}");
}

/// What hadolint finds in a rewritten file it finds in the author's; in a generated one it finds nothing.
#[test]
fn linters_find_nothing_new() {
    let record = record();
    for build in &record.builds {
        let found = build.hadolint.clone().unwrap_or_else(|| {
            panic!(
                "{}: `cargo xtask real optimize --lint HADOLINT` asks it",
                title(build)
            )
        });
        let before = match build.variant.name.as_str() {
            "generated" => Vec::new(),
            _ => record
                .naive(&build.project)
                .unwrap()
                .hadolint
                .clone()
                .unwrap(),
        };
        let new = found.iter().find(|code| !before.contains(code));
        assert!(new.is_none(), "{}: {new:?}", title(build));
    }
}

#[test]
fn an_edit_runs_again_what_is_predicted_and_no_install() {
    let mut steps = 0;
    for build in record().builds {
        let title = title(&build);
        let wrong = predict(&build, "edit")
            .disagreements(&build.edited, &build.steps)
            .unwrap();
        assert!(wrong.is_empty(), "{title}: {}", wrong.join("\n"));
        steps += build.steps.len();
        assert!(
            !build.installs_again() || build.variant.name == "naive",
            "{title}: an edit installs again"
        );
    }
    assert!(steps >= 650, "{steps} steps");
}
