//! The article's ladder, climbed from the naive file alone.
//!
//! Expected values are the article's own measurements, and real builds with `BuildKit` (`tests/real/flask.json`); never our own output.

#![allow(clippy::disallowed_methods, reason = "tests read the sample projects")]

use std::path::{Path, PathBuf};

use stagewright::plan::{Measure, Plan, Rung};
use stagewright::{Analysis, Applicability, Context, Dockerfile, Objective, Options};

fn project(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/projects")
        .join(name)
}

fn analysis(folder: &Path, dockerfile: &str) -> Analysis {
    let text = std::fs::read_to_string(folder.join(dockerfile)).expect("the project has it");
    let context = Context::directory(folder).expect("the folder can be read");
    Analysis::new(&Dockerfile::parse(&text), &context, &Options::default())
        .expect("the file has a stage")
}

fn plan(applicability: Applicability) -> Plan {
    analysis(&project("flask-article"), "Dockerfile")
        .plan(Objective::ColdPull, applicability)
        .expect("a plan")
}

fn rung<'p>(plan: &'p Plan, pass: &str) -> &'p Rung {
    plan.rungs
        .iter()
        .find(|rung| rung.pass == pass)
        .unwrap_or_else(|| panic!("{pass} is among {:?}", passes(plan)))
}

fn passes(plan: &Plan) -> Vec<&str> {
    plan.rungs.iter().map(|rung| rung.pass).collect()
}

#[expect(clippy::cast_precision_loss, reason = "shares of megabytes")]
fn assert_within(name: &str, megabytes: f64, measured: u64, share: f64) {
    let off = measured as f64 / (megabytes * 1e6) - 1.0;
    assert!(
        off.abs() <= share,
        "{name}: {measured} bytes are {:+.1} % from {megabytes} MB",
        off * 100.0
    );
}

fn on_disk(measure: &Measure) -> u64 {
    measure.size.uncompressed.expected
}

#[test]
fn every_rung_of_the_article_is_climbed_and_weighed() {
    let plan = plan(Applicability::Unsafe);
    assert_eq!(plan.change, "main.py");
    assert_within("naive", 958.0, on_disk(&plan.before), 0.02);
    assert_within(
        "alpine",
        139.0,
        on_disk(&rung(&plan, "slimmer_base").after),
        0.05,
    );
    assert!(
        rung(&plan, "slimmer_base")
            .warnings
            .iter()
            .any(|warning| warning.contains("markupsafe") && warning.contains("musl"))
    );
    let cache = rung(&plan, "package_cache");
    assert_within(
        "pip's cache",
        8.3,
        on_disk(&cache.before) - on_disk(&cache.after),
        0.25,
    );
    assert_within(
        "builder stage",
        125.0,
        on_disk(&rung(&plan, "split_stages").after),
        0.06,
    );
    assert!(
        on_disk(&plan.rungs.last().expect("there are rungs").after) < 70_000_000,
        "the rabbit hole ends under 70 MB"
    );
}

#[test]
fn an_edit_of_the_source_stops_reinstalling() {
    let plan = plan(Applicability::Unsafe);
    let rung = rung(&plan, "manifests_first");
    let pip = |measure: &Measure| {
        measure
            .rebuilds
            .iter()
            .any(|instruction| instruction.contains("pip install"))
    };
    assert!(pip(&plan.before) && pip(&rung.before) && !pip(&rung.after));
    assert_eq!(
        on_disk(&rung.before),
        on_disk(&rung.after),
        "the article saw no change of size"
    );
    assert!(rung.before.warm_pull > 10_000_000 && rung.after.warm_pull < 20_000);
    assert_eq!(rung.after.rebuilds, ["COPY . /app"]);
}

#[test]
fn a_safe_plan_stays_on_the_same_libc_and_is_a_fixed_point() {
    let start = analysis(&project("flask-article"), "Dockerfile");
    for applicability in [Applicability::Safe, Applicability::Unsafe] {
        let plan = start
            .plan(Objective::ColdPull, applicability)
            .expect("a plan");
        assert!(
            plan.rungs
                .iter()
                .all(|rung| rung.applicability <= applicability)
        );
        for rung in &plan.rungs {
            assert!(
                on_disk(&rung.after) <= on_disk(&rung.before),
                "{} makes the image larger",
                rung.pass
            );
            assert!(rung.after.size.compressed.expected <= rung.before.size.compressed.expected);
            assert!(rung.after.warm_pull <= rung.before.warm_pull + 100_000);
            assert!(
                Dockerfile::parse(&rung.dockerfile).errors().is_empty(),
                "{} writes a valid file",
                rung.pass
            );
        }
        let after = start
            .with(plan.dockerfile(), plan.dockerignore.as_deref())
            .expect("an analysis");
        let again = after
            .plan(Objective::ColdPull, applicability)
            .expect("a plan");
        assert_eq!(
            passes(&again),
            <[&str; 0]>::default(),
            "a plan applied twice changes nothing"
        );
    }
    assert!(!plan(Applicability::Safe).dockerfile.contains("alpine"));
}

#[test]
fn the_hand_written_rungs_weigh_what_the_planner_says() {
    let folder = project("flask-article");
    for (file, megabytes, share) in [
        ("rungs/alpine.Dockerfile", 139.0, 0.05),
        ("rungs/manifests-first.Dockerfile", 139.0, 0.05),
        ("rungs/no-cache.Dockerfile", 139.0 - 8.3, 0.05),
        ("rungs/builder.Dockerfile", 125.0, 0.06),
    ] {
        assert_within(
            file,
            megabytes,
            analysis(&folder, file).size().uncompressed.expected,
            share,
        );
    }
}

/// Layers above the base, against builds with BuildKit v0.32.2 on stand-in bases.
#[test]
fn install_layers_weigh_what_real_builds_measured() {
    let recorded = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/real/flask.json");
    let recorded: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(recorded).expect("it is recorded"))
            .expect("JSON");
    let mut compared = 0;
    for build in recorded["builds"].as_array().expect("builds") {
        let (project_name, dockerfile) = (
            build["project"].as_str().expect("a name"),
            build["dockerfile"].as_str().expect("a path"),
        );
        let analysis = analysis(&project(project_name), dockerfile);
        for layer in build["layers"]
            .as_array()
            .expect("layers")
            .iter()
            .filter(|layer| layer["base"] == false)
        {
            let instruction = layer["instruction"].as_str().expect("a text");
            let wanted = instruction.starts_with("RUN pip install")
                || instruction.ends_with("/install /usr/local");
            // `apk` is not at work on the stand-in, and the interpreter's own files are another build's.
            let measured = layer["bytes"].as_u64().expect("bytes");
            // BuildKit names a copy without its flags.
            let named = |text: &str| text.replace("--from=builder ", "");
            let ours = analysis
                .layers()
                .iter()
                .find(|ours| named(&ours.instruction) == instruction);
            let (Some(ours), true) = (ours, wanted) else {
                continue;
            };
            compared += 1;
            let size = ours.size.uncompressed;
            #[expect(clippy::cast_precision_loss, reason = "a share")]
            let off = size.expected as f64 / measured as f64 - 1.0;
            assert!(
                off.abs() < 0.06,
                "{project_name} {dockerfile} `{instruction}`: {} against {measured} ({:+.1} %)",
                size.expected,
                off * 100.0
            );
            assert!(
                size.low <= measured && measured <= size.high,
                "{dockerfile} `{instruction}`: {measured} is outside {size:?}"
            );
        }
    }
    assert!(compared >= 8, "only {compared} layers were compared");
}
