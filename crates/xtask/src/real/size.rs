//! `cargo xtask real size`: builds the Dockerfiles of `tests/real/size` and records what each layer weighs.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, SystemTime};

use stagewright::facts::MeasuredImage;
use stagewright_tests::size_proof::{self, Case, Layer, Record};

use super::ask;
use super::image::Image;
use crate::Failure;
use crate::process::{capture, root};

const HOW: [&str; 6] = [
    "Made by `cargo xtask real size` with BuildKit v0.32.2 and runc on amd64. `bytes` are the sizes of the files in a layer's tar archive, `gzip` is the blob as BuildKit writes it by default.",
    "`bases` are stand-ins for the official images of these names: Debian 12 with the apt configuration, the suites and, where slim, the dpkg rule of the official images, upgraded that day; CPython 3.12.1 with pip 25.0.1, or Node.js 20.20.2 with npm 11.19.1 and yarn 1.22.22, in /usr/local.",
    "pip spoke to a proxy on the same machine that gives the public index's cache headers and gzipped pages; npm kept what its registry allows.",
    "Names that end in `.test` stand for the hosts of the package indexes; they are as long as those, so that no file changes its length.",
    "Packages that a case does not pin are those of the day it was built, 2026-11-24; node-express-mongo, py-django-rest, py-fastapi-sqlalchemy, py-sklearn-api, sys-nginx-certbot and sys-php-apache were built on 2026-11-25, without a proxy.",
    "Built on 2026-11-26, without a proxy, on stand-ins made anew: node-koa-install, node-nest-full, node-next-app, node-react-nginx, node-typescript-api, py-aiohttp-bot, py-dash-plots, py-grpc-cloud, py-llm-service, py-scripts-unpinned, sys-backup-tools, sys-jdk-maven, sys-ocr-pdf, sys-python-venv, and after those node-admin-panel, node-chat-bot and node-upload-api.",
];

fn record_path() -> PathBuf {
    root().join("tests/real/size.json")
}

/// What was said on the command line.
#[derive(Default)]
struct Arguments {
    /// Cases; none are all.
    names: Vec<String>,
    /// Images that stand in for others, by the name in the Dockerfiles.
    bases: BTreeMap<String, String>,
    /// Hosts by the names that stand for them in the files.
    hosts: BTreeMap<String, String>,
}

fn arguments(words: &[&str]) -> Result<Arguments, Failure> {
    let mut said = Arguments::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let pairs = match *word {
            "--base" => &mut said.bases,
            "--host" => &mut said.hosts,
            name => {
                said.names.push(name.to_owned());
                continue;
            }
        };
        let pair = words.next().and_then(|pair| pair.split_once('='));
        let (name, value) = pair.ok_or(format!("{word} NAME=VALUE"))?;
        if *word == "--host" && name.len() != value.len() {
            return Err(format!("`{name}` is not as long as the host it stands for").into());
        }
        pairs.insert(name.to_owned(), value.to_owned());
    }
    Ok(said)
}

/// Builds the named cases, or all, and writes the record.
pub(super) fn run(words: &[&str]) -> Result<(), Failure> {
    let said = arguments(words)?;
    let mut record: Record = super::read_record(&record_path())?;
    let all = size_proof::names()?;
    record.cases.retain(|name, _| all.contains(name));
    let scratch = std::env::temp_dir().join(format!("stagewright-size-{}", std::process::id()));
    let mut faults = Vec::new();
    for name in &all {
        if !said.names.is_empty() && !said.names.contains(name) {
            continue;
        }
        match build(name, &said, &mut record, &scratch) {
            Ok(case) => {
                super::println(&format!("{name}: {} bytes above the base", total(&case)));
                record.cases.insert(name.clone(), case);
            }
            Err(error) => faults.push(format!("{name}: {error}")),
        }
        fs::remove_dir_all(&scratch)?;
        // What took minutes is not lost where a later case fails.
        write(&mut record)?;
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults.join("\n").into())
    }
}

fn total(case: &Case) -> u64 {
    case.layers.iter().map(|layer| layer.bytes).sum()
}

fn write(record: &mut Record) -> Result<(), Failure> {
    record.schema = 1;
    record.how = HOW.map(str::to_owned).to_vec();
    record.date = super::today()?;
    super::write_record(&record_path(), record)
}

fn build(
    name: &str,
    said: &Arguments,
    record: &mut Record,
    scratch: &Path,
) -> Result<Case, Failure> {
    let context = scratch.join("context");
    lay_out(&size_proof::folder().join(name), &context, &said.hosts)?;
    let analysis = size_proof::analyze(name, &record.bases)?;
    let base = analysis
        .base_reference()
        .ok_or("the case needs a base image")?
        .to_owned();
    let mut images = BTreeSet::from([base.clone()]);
    images.extend(
        analysis
            .graph()
            .stages
            .iter()
            .filter_map(|stage| match &stage.base {
                stagewright::stage::Base::Image(image) => Some(image.clone()),
                _ => None,
            }),
    );
    for image in images {
        if let Entry::Vacant(vacant) = record.bases.entry(image) {
            let measured = measure(vacant.key(), said, &scratch.join("base"))?;
            vacant.insert(measured);
        }
    }
    let archive = scratch.join("image.tar");
    let mut command = with_bases(&context, said);
    command
        .arg("--output")
        .arg(format!("type=oci,dest={}", archive.display()));
    ask::trace(&mut command)?;
    let image = Image::read(&archive, None)?;
    let expected = analysis.layers().len() - usize::from(analysis.base().known);
    let own = image
        .layers
        .len()
        .checked_sub(expected)
        .ok_or("the image has fewer layers than estimated")?;
    let layers = image.layers.into_iter().skip(own);
    Ok(Case {
        base,
        layers: layers
            .map(|layer| Layer {
                instruction: layer.instruction,
                bytes: layer.bytes,
                files: layer.files,
                gzip: layer.gzip,
                kinds: layer
                    .kinds
                    .into_iter()
                    .filter_map(|(kind, bytes)| Some((kind, bytes.as_u64()?)))
                    .collect(),
            })
            .collect(),
    })
}

/// The command that builds a folder with the stand-ins.
fn with_bases(folder: &Path, said: &Arguments) -> Command {
    let mut command = ask::build(folder);
    for (name, image) in &said.bases {
        command
            .arg("--opt")
            .arg(format!("context:{name}=docker-image://{image}"));
    }
    command
}

/// What is to be known of a base image: its bytes, its packages, its environment.
fn measure(name: &str, said: &Arguments, scratch: &Path) -> Result<MeasuredImage, Failure> {
    let context = scratch.join("context");
    fs::create_dir_all(&context)?;
    fs::write(context.join("Dockerfile"), format!("FROM {name}\n"))?;
    let (archive, tar) = (scratch.join("image.tar"), scratch.join("root.tar"));
    let mut command = with_bases(&context, said);
    for (kind, path) in [("oci", &archive), ("tar", &tar)] {
        command
            .arg("--output")
            .arg(format!("type={kind},dest={}", path.display()));
    }
    ask::trace(&mut command)?;
    let image = Image::read(&archive, None)?;
    let file = |path: &str| {
        let mut command = Command::new("tar");
        command
            .args(["--extract", "--to-stdout", "--file"])
            .arg(&tar)
            .arg(path);
        capture(&mut command)
    };
    let release = file("usr/lib/os-release")?;
    let field = |name: &str| {
        let line = release.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim_matches('"').to_owned())
    };
    let status = file("var/lib/dpkg/status")?;
    let packages = status
        .lines()
        .filter_map(|line| line.strip_prefix("Package: "));
    Ok(MeasuredImage {
        uncompressed: image.layers.iter().map(|layer| layer.bytes).sum(),
        compressed: image.layers.iter().map(|layer| layer.gzip).sum(),
        date: Some(super::today()?),
        distro: field("ID=")
            .zip(field("VERSION_ID="))
            .map(|(id, version)| format!("{id} {version}")),
        env: image
            .words("Env")
            .into_iter()
            .filter(|variable| variable.starts_with("PATH="))
            .collect(),
        packages: packages.map(str::to_owned).collect(),
        ..MeasuredImage::default()
    })
}

/// Copies a case, with the hosts that are meant, every file of the same day.
fn lay_out(from: &Path, to: &Path, hosts: &BTreeMap<String, String>) -> Result<(), Failure> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            lay_out(&source, &target, hosts)?;
            continue;
        }
        fs::copy(&source, &target)?;
        if let Ok(mut text) = fs::read_to_string(&source) {
            for (name, host) in hosts {
                text = text.replace(name, host);
            }
            fs::write(&target, text)?;
        }
        let day = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_225_600);
        fs::File::options()
            .write(true)
            .open(&target)?
            .set_modified(day)?;
    }
    Ok(())
}
