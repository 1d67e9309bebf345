//! `cargo xtask real optimize`: builds what is written for the sample projects, starts it, edits a source file and builds again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stagewright_tests::proof::{self, Built, Layer, Record, Variant};

use super::ask;
use super::image::{self, Image};
use super::start;
use crate::Failure;
use crate::process::root;

const HOW: [&str; 7] = [
    "Made by `cargo xtask real optimize` with BuildKit v0.32.2 and runc on amd64. `bytes` are file bytes, `gzip` what a host pulls.",
    "The bases are stand-ins, Debian 12 roots with CPython or Node.js in /usr/local; only the layers above the base are recorded. `stand_ins` names those that stood in under another name.",
    "`python:3.12-apt` and `python:3.12-slim-apt` are stand-ins with the apt configuration of the official images (compressed lists, no archives kept): flask-apt was built on them.",
    "`python:3.12-slim-ca` also names the certificates of the network for what does not ask the system: fastapi-poetry was built on it.",
    "The Python bases of console-pyproject, fastapi-poetry, flask-editable, flask-pdm, starlette-uv and streamlit-requirements carry pip 23.2.1, which leaves 1.7 MB more byte code behind than the pip 25.0.1 of the official images and of the other builds.",
    "What pip and npm keep in their caches depends on the headers of the index they speak to: `cache` is counted by itself, and is not to be compared.",
    "`steps` is a second build after a line was added to `edited`.",
];

fn record_path() -> PathBuf {
    root().join("tests/real/optimize.json")
}

/// What was built before.
pub(super) fn record() -> Result<Record, Failure> {
    super::read_record(&record_path())
}

/// Builds the named projects, or all, and writes the record.
pub(super) fn run(words: &[&str]) -> Result<(), Failure> {
    let mut record = record()?;
    if words == ["--predict"] {
        return renew(record);
    }
    if let ["--lint", hadolint] = words {
        return lint(record, hadolint);
    }
    if words == ["--summary"] {
        super::println(&summary(&record));
        return Ok(());
    }
    let Asked {
        names,
        variants,
        stale,
        written,
    } = arguments(words, &mut record)?;
    let folder = root().join("tests/projects");
    let mut projects = Vec::new();
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let wanted = names.is_empty() || names.contains(&name);
        if wanted && entry.path().join("check.json").is_file() {
            projects.push(name);
        }
    }
    projects.sort();
    if let Some(name) = names.iter().find(|name| !projects.contains(name)) {
        return Err(format!("no project is called `{name}`").into());
    }
    let scratch = std::env::temp_dir().join(format!("stagewright-proof-{}", std::process::id()));
    let mut faults = Vec::new();
    for name in &projects {
        let project = folder.join(name);
        let mut wanted = proof::variants(&project, &record.skip)?;
        wanted.retain(|variant| variants.is_empty() || variants.contains(&variant.name));
        if stale {
            let is_built = |variant: &Variant| {
                let mut builds = record.builds.iter();
                builds.any(|build| build.project == *name && build.variant == *variant)
            };
            wanted.retain(|variant| !is_built(variant));
        }
        if let Some(written) = &written {
            for variant in &wanted {
                let folder = Path::new(written).join(name).join(&variant.name);
                proof::lay_out(&project, variant, &folder)?;
            }
            continue;
        }
        let built = build_all(&project, name, wanted, &record, &scratch)?;
        faults.extend(built.1);
        // What could not be built stays as it was.
        record.builds.retain(|build| {
            let again = |new: &Built| new.variant.name == build.variant.name;
            build.project != *name || !built.0.iter().any(again)
        });
        record.builds.extend(built.0);
        // A stable order by project; the variants stay as they were built.
        let rank = |build: &Built| {
            let order = ["naive", "safe", "unsafe", "generated"];
            order.iter().position(|name| *name == build.variant.name)
        };
        record
            .builds
            .sort_by(|a, b| (&a.project, rank(a)).cmp(&(&b.project, rank(b))));
        record.schema = 1;
        record.date = super::today()?;
        record.how = HOW.map(str::to_owned).to_vec();
        // What took minutes is not lost where a later project fails.
        write(&record)?;
    }
    if written.is_none() {
        super::println(&table(&record.builds));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults.join("\n").into())
    }
}

fn write(record: &Record) -> Result<(), Failure> {
    super::write_record(&record_path(), record)
}

/// Predicts again what was built, where the models have changed and the files have not.
fn renew(mut record: Record) -> Result<(), Failure> {
    record.how = HOW.map(str::to_owned).to_vec();
    let scratch = std::env::temp_dir().join(format!("stagewright-proof-{}", std::process::id()));
    for build in &mut record.builds {
        let project = root().join("tests/projects").join(&build.project);
        proof::lay_out(&project, &build.variant, &scratch)?;
        let predicted = proof::predict(&scratch)?;
        fs::remove_dir_all(&scratch)?;
        for (layer, predicted) in build.layers.iter_mut().zip(predicted.layers) {
            layer.predicted = predicted;
        }
    }
    write(&record)?;
    super::println(&table(&record.builds));
    Ok(())
}

/// Asks hadolint what it finds in each file that was built.
fn lint(mut record: Record, program: &str) -> Result<(), Failure> {
    for build in &mut record.builds {
        build.hadolint = Some(hadolint(program, &build.variant.dockerfile)?);
    }
    write(&record)
}

/// The codes of what hadolint finds in a Dockerfile.
pub(super) fn hadolint(program: &str, dockerfile: &str) -> Result<Vec<String>, Failure> {
    let scratch = std::env::temp_dir().join(format!("stagewright-lint-{}", std::process::id()));
    fs::write(&scratch, dockerfile)?;
    // It fails where it finds something.
    let output = Command::new(program)
        .args(["--no-fail", "--format", "json"])
        .arg(&scratch)
        .output()?;
    fs::remove_file(&scratch)?;
    let findings: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    let codes = findings.iter().filter_map(|one| one["code"].as_str());
    let codes: BTreeSet<String> = codes.map(str::to_owned).collect();
    Ok(codes.into_iter().collect())
}

/// What the command line asks for.
#[derive(Default)]
pub(super) struct Asked {
    /// Projects; all if empty.
    pub(super) names: Vec<String>,
    /// Variants; all if empty.
    pub(super) variants: Vec<String>,
    /// Whether only what is not recorded as it is written today is built.
    pub(super) stale: bool,
    /// A folder into which the variants are written, not built: for linters and the eye.
    written: Option<String>,
}

pub(super) fn arguments(words: &[&str], record: &mut Record) -> Result<Asked, Failure> {
    let mut words = words.iter();
    let mut asked = Asked::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("`{word}` without a value"));
        match *word {
            "--base" => {
                let pair = value()?.split_once('=').ok_or("--base NAME=IMAGE")?;
                record.stand_ins.insert(pair.0.into(), pair.1.into());
            }
            "--skip" => {
                let pass = (*value()?).to_owned();
                if !record.skip.contains(&pass) {
                    record.skip.push(pass);
                }
            }
            "--variant" => asked.variants.push((*value()?).to_owned()),
            "--stale" => asked.stale = true,
            "--write" => asked.written = Some((*value()?).to_owned()),
            name => asked.names.push(name.to_owned()),
        }
    }
    Ok(asked)
}

/// The variants of a project that were built, and what went wrong.
fn build_all(
    project: &Path,
    name: &str,
    variants: Vec<Variant>,
    record: &Record,
    scratch: &Path,
) -> Result<(Vec<Built>, Vec<String>), Failure> {
    let (mut all, mut faults) = (Vec::new(), Vec::new());
    let mut naive = Seen::of(name)?;
    for variant in variants {
        let is_naive = variant.name == "naive";
        let title = format!("{name} {}", variant.name);
        eprintln!("==> {title}");
        let stand_ins = &record.stand_ins;
        match build(project, variant, stand_ins, scratch, naive.as_ref(), None) {
            Ok(done) => {
                faults.extend(done.faults.iter().map(|fault| format!("{title}: {fault}")));
                all.push(Built {
                    project: name.to_owned(),
                    ..done.built
                });
                if is_naive {
                    done.seen.keep(name)?;
                    naive = Some(done.seen);
                }
            }
            Err(error) => faults.push(format!("{title}: {error}")),
        }
        // The root file systems of full images are large.
        fs::remove_dir_all(scratch)?;
    }
    Ok((all, faults))
}

/// What the naive image is compared by.
#[derive(Serialize, Deserialize)]
pub(super) struct Seen {
    image: Image,
    packages: BTreeSet<String>,
}

impl Seen {
    fn path(project: &str) -> PathBuf {
        root().join("target/real").join(format!("{project}.json"))
    }

    /// What was kept of an earlier build of the naive image.
    fn of(project: &str) -> Result<Option<Self>, Failure> {
        match fs::read_to_string(Self::path(project)) {
            Ok(text) => Ok(Some(serde_json::from_str(&text)?)),
            Err(_) => Ok(None),
        }
    }

    fn keep(&self, project: &str) -> Result<(), Failure> {
        fs::create_dir_all(root().join("target/real"))?;
        Ok(fs::write(
            Self::path(project),
            serde_json::to_string(self)?,
        )?)
    }
}

pub(super) struct Done {
    pub(super) built: Built,
    seen: Seen,
    faults: Vec<String>,
    /// What the container and the check said where an answer was wrong.
    pub(super) said: String,
    /// Whether the application answers at the other port, and not at the one that is exposed.
    pub(super) exposes_other: bool,
}

/// Builds one variant of a project, starts it, asks it at the port that it exposes and, if it does not answer there, at another one, edits
/// a source file and builds again.
pub(super) fn build(
    project: &Path,
    variant: Variant,
    stand_ins: &BTreeMap<String, String>,
    work: &Path,
    naive: Option<&Seen>,
    other_port: Option<&str>,
) -> Result<Done, Failure> {
    let context = work.join("context");
    proof::lay_out(project, &variant, &context)?;
    let predicted = proof::predict(&context)?;
    name_hosts(&context)?;
    let (archive, tar) = (work.join("image.tar"), work.join("root.tar"));
    let mut command = ask::build(&context);
    // A line `# syntax=…` is not followed to another frontend: what would be told to that one is there already
    // (`frontend/dockerfile/builder/build.go`, v0.32.2).
    command.args(["--opt", "cmdline=dockerfile.v0"]);
    let mut stand_ins = stand_ins.clone();
    stand_ins.retain(|name, _| {
        let copied = format!("--from={name} ");
        predicted.bases().any(|base| base == name) || variant.dockerfile.contains(&copied)
    });
    for (name, image) in &stand_ins {
        // `frontend/dockerui/namedcontext.go`, v0.32.2.
        let name = name.strip_suffix(":latest").unwrap_or(name);
        command
            .arg("--opt")
            .arg(format!("context:{name}=docker-image://{image}"));
    }
    let mut first = clone(&command);
    // A layer that another build stored in another form is packed again.
    let packed = "type=oci,compression=gzip,force-compression=true";
    for (kind, path) in [(packed, &archive), ("type=tar", &tar)] {
        first
            .arg("--output")
            .arg(format!("{kind},dest={}", path.display()));
    }
    ask::trace(&mut first)?;
    let image = Image::read(&archive, Some(predicted.layers.len()))?;
    let layers: Vec<Layer> = image
        .layers
        .iter()
        .zip(&predicted.layers)
        .map(|(layer, predicted)| Layer {
            instruction: layer.instruction.clone(),
            predicted: *predicted,
            bytes: layer.bytes - layer.cache(),
            cache: layer.cache(),
            gzip: layer.gzip,
        })
        .collect();
    let mut faults = Vec::new();
    for layer in &layers {
        if layer.bytes < layer.predicted.low || layer.bytes > layer.predicted.high {
            faults.push(format!(
                "`{}` weighs {}, predicted {:?}",
                layer.instruction, layer.bytes, layer.predicted
            ));
        }
    }
    let filesystem = image::unpack(&tar, &work.join("root"))?;
    let packages = image::packages(&filesystem)?;
    let (bundle, log) = (work.join("bundle"), work.join("log"));
    let ask = |port| start::check(project, &image, port, &filesystem, &bundle, &log);
    let mut check = ask(predicted.port().unwrap_or("8000"))?;
    let said = fs::read_to_string(&log)?;
    let other_port = other_port.filter(|other| !check && predicted.port() != Some(other));
    let exposes_other = other_port.map_or(Ok(false), ask)?;
    check |= exposes_other;
    if !check {
        faults.push(format!(
            "the application does not answer as it should\n{said}"
        ));
    }
    let edited = predicted.source_file().unwrap_or_default();
    edit(&context.join(&edited))?;
    let steps = ask::trace(&mut command)?;
    let steps = steps
        .into_iter()
        .map(|(name, cached)| (name, cached == Value::Bool(true)))
        .collect();
    faults.extend(predicted.disagreements(&edited, &steps)?);
    let built = Built {
        project: String::new(),
        variant,
        check,
        layers,
        edited,
        steps,
        stand_ins,
        hadolint: None,
        packages_differ: naive
            .map_or_else(Vec::new, |naive| differences(&naive.packages, &packages)),
        config_differs: naive.map_or_else(Vec::new, |naive| naive.image.differences(&image)),
    };
    Ok(Done {
        built,
        seen: Seen { image, packages },
        faults,
        said,
        exposes_other,
    })
}

/// Lock files of the projects name hosts that do not exist, as long as the real ones. `HOSTS=NAME=HOST,…` says which those are.
fn name_hosts(context: &Path) -> Result<(), Failure> {
    let hosts = std::env::var("HOSTS").unwrap_or_default();
    for entry in fs::read_dir(context)? {
        let path = entry?.path();
        let Ok(mut text) = fs::read_to_string(&path) else {
            continue;
        };
        for (name, host) in hosts.split(',').filter_map(|pair| pair.split_once('=')) {
            text = text.replace(name, host);
        }
        fs::write(&path, text)?;
        proof::date(&path)?;
    }
    Ok(())
}

fn clone(command: &Command) -> Command {
    let mut other = Command::new(command.get_program());
    other.args(command.get_args());
    other
}

fn differences(naive: &BTreeSet<String>, other: &BTreeSet<String>) -> Vec<String> {
    let gone = naive.difference(other).map(|name| format!("-{name}"));
    let new = other.difference(naive).map(|name| format!("+{name}"));
    gone.chain(new).collect()
}

/// Adds a line that no build has seen before.
fn edit(path: &Path) -> Result<(), Failure> {
    let comment = match path.extension().and_then(|extension| extension.to_str()) {
        Some("py") => "#",
        Some("html") => "<!-- -->",
        _ => "//",
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos();
    let mut text = fs::read_to_string(path)?;
    text.push_str(&format!("{comment} {now}\n"));
    Ok(fs::write(path, text)?)
}

/// By which share each variant is smaller than its naive image: from full bases and from slim ones, median and worst.
fn summary(record: &Record) -> String {
    let mut lines = Vec::new();
    for (title, slim) in [("full", false), ("slim", true)] {
        for variant in ["safe", "unsafe", "generated"] {
            let shares = record.shares(variant, slim);
            if let (Some(worst), Some(middle)) = (shares.first(), proof::median(&shares)) {
                lines.push(format!(
                    "{title:5} {variant:10} {:2} projects, median {:.1} % smaller, least {:.1} % ({})",
                    shares.len(),
                    middle * 100.0,
                    worst.0 * 100.0,
                    worst.1
                ));
            }
        }
    }
    lines.join("\n")
}

/// One line a build.
fn table(builds: &[Built]) -> String {
    let mut lines = vec![format!(
        "{:20} {:10} {:5} {:>11} {:>11} {:>7}  {:>5}  {}",
        "project", "variant", "works", "predicted", "true", "off", "rerun", "differs from naive"
    )];
    for build in builds {
        let (predicted, bytes) = build.above_base();
        #[expect(clippy::cast_precision_loss, reason = "a share of megabytes")]
        let off = (predicted as f64 / bytes.max(1) as f64 - 1.0) * 100.0;
        let reran = build.steps.values().filter(|cached| !**cached).count();
        let mut differs = build.config_differs.clone();
        if build.packages_differ.len() > 4 {
            differs.push(format!("{} packages", build.packages_differ.len()));
        } else {
            differs.extend(build.packages_differ.iter().cloned());
        }
        lines.push(format!(
            "{:20} {:10} {:5} {predicted:>11} {bytes:>11} {off:>+6.1}%  {reran:>2}/{:<2}  {}",
            build.project,
            build.variant.name,
            if build.check { "yes" } else { "NO" },
            build.steps.len(),
            differs.join(" ")
        ));
    }
    lines.join("\n")
}
