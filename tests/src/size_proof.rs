//! Real builds of the Dockerfiles in `tests/real/size`: what each layer weighs, recorded, and what is estimated of it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use crate::proof::is_cache;
use serde::{Deserialize, Serialize};
use stagewright::facts::MeasuredImage;
use stagewright::stage::{From, Op};
use stagewright::{Analysis, Context, Dockerfile, Options, Size};

/// The whole record, `tests/real/size.json`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The version of this format.
    pub schema: u32,
    /// The day the record was written, `YYYY-MM-DD`.
    pub date: String,
    /// How it was made, in sentences.
    pub how: Vec<String>,
    /// The base images as measured, by the name that the Dockerfiles write.
    pub bases: BTreeMap<String, MeasuredImage>,
    /// The builds, by the name of their folder.
    pub cases: BTreeMap<String, Case>,
}

/// One build.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The base of the final stage, as written.
    pub base: String,
    /// The layers above the base, bottom first.
    pub layers: Vec<Layer>,
}

/// A layer above the base, as built.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// The instruction as BuildKit writes it into the history.
    pub instruction: String,
    /// Bytes of its files.
    pub bytes: u64,
    /// Its files.
    pub files: u64,
    /// Bytes of the blob as BuildKit compresses it by default.
    pub gzip: u64,
    /// The bytes by what the files are.
    pub kinds: BTreeMap<String, u64>,
}

/// What makes a layer, for the bounds that are asked of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Maker {
    /// COPY or ADD from the build context, or a text in the Dockerfile.
    Context,
    /// COPY from another stage.
    Stage,
    /// RUN of commands that all have a model.
    Run,
    /// RUN with a command that no model knows.
    Unmodelled,
    /// WORKDIR.
    Folder,
}

/// A layer with what is estimated of it.
#[derive(Clone, Debug)]
pub struct Row {
    /// The folder of the case.
    pub case: String,
    /// The instruction.
    pub instruction: String,
    /// What makes it.
    pub maker: Maker,
    /// True file bytes, without the caches of package managers: what those keep depends on the headers of the index they speak to.
    pub bytes: u64,
    /// True bytes of the blob.
    pub gzip: u64,
    /// Estimated file bytes, without such caches.
    pub estimate: Size,
    /// Whether there are such caches: then the blob is not to be compared.
    pub cache: bool,
    /// Estimated bytes of the blob.
    pub compressed: Size,
}

/// An image above its base with what is estimated of it.
#[derive(Clone, Debug)]
pub struct Image {
    /// The folder of the case.
    pub case: String,
    /// Its layers.
    pub rows: Vec<Row>,
    /// Estimated file bytes above the base, without caches.
    pub estimate: Size,
    /// Estimated bytes of the blobs above the base.
    pub compressed: Size,
}

impl Image {
    /// True file bytes above the base.
    pub fn bytes(&self) -> u64 {
        self.rows.iter().map(|row| row.bytes).sum()
    }

    /// True bytes of the blobs above the base.
    pub fn gzip(&self) -> u64 {
        self.rows.iter().map(|row| row.gzip).sum()
    }

    /// Whether the estimate calls itself one: its range is not wider than the image.
    pub fn is_known(&self) -> bool {
        self.estimate.high - self.estimate.low <= self.estimate.expected
    }

    /// Whether its blobs can be compared: a package manager's cache lies in none of them.
    pub fn is_without_cache(&self) -> bool {
        self.rows.iter().all(|row| !row.cache)
    }
}

/// The folder of the cases.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("real/size")
}

/// The names of all cases.
pub fn names() -> std::io::Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(folder())? {
        let entry = entry?;
        if entry.path().join("Dockerfile").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// What is said of a case, given its measured base images.
pub fn analyze(
    case: &str,
    bases: &BTreeMap<String, MeasuredImage>,
) -> Result<Analysis, Box<dyn Error>> {
    let folder = folder().join(case);
    let text = fs::read_to_string(folder.join("Dockerfile"))?;
    let mut options = Options::default();
    options.images.clone_from(bases);
    Ok(Analysis::new(
        &Dockerfile::parse(&text),
        &Context::directory(&folder)?,
        &options,
    )?)
}

/// What makes each layer above the base, bottom first.
pub fn makers(analysis: &Analysis) -> Vec<Maker> {
    let chain = analysis.graph().chain();
    let layers = chain
        .iter()
        .flat_map(|stage| &analysis.record().stages[stage.0].layers);
    layers
        .map(|layer| {
            let stage = &analysis.graph().stages[layer.stage.0];
            match &stage.instructions[layer.instruction].op {
                Op::Copy(copy) if matches!(copy.from, From::Context) => Maker::Context,
                Op::Copy(_) => Maker::Stage,
                Op::Run(_) if layer.facts.unmodelled.is_empty() => Maker::Run,
                Op::Run(_) => Maker::Unmodelled,
                _ => Maker::Folder,
            }
        })
        .collect()
}

/// A build beside its estimate.
pub fn compare(name: &str, record: &Record) -> Result<Image, Box<dyn Error>> {
    let case = record.cases.get(name).ok_or("not built yet")?;
    let analysis = analyze(name, &record.bases)?;
    let layers = &analysis.layers()[usize::from(analysis.base().known)..];
    if layers.len() != case.layers.len() {
        return Err(format!(
            "{} layers estimated, {} built",
            layers.len(),
            case.layers.len()
        )
        .into());
    }
    let rows: Vec<Row> = case
        .layers
        .iter()
        .zip(layers)
        .zip(makers(&analysis))
        .map(|((built, layer), maker)| {
            let sum = |keep: fn(&str) -> bool| {
                let kept = layer.contents.iter().filter(|one| keep(&one.path));
                Size::sum(kept.map(|one| one.size))
            };
            let (all, rest) = (sum(|_| true), sum(|path| !is_cache(path)));
            let estimated = all.expected - rest.expected;
            let cache = built.kinds.get("cache").copied().unwrap_or_default();
            // The error that the parts of a layer share stays as it is.
            let whole = layer.size.uncompressed;
            let (below, above) = (
                all.low.saturating_sub(whole.low),
                whole.high.saturating_sub(all.high),
            );
            Row {
                case: name.to_owned(),
                instruction: layer.instruction.clone(),
                maker,
                bytes: built.bytes - cache,
                gzip: built.gzip,
                estimate: Size::range(
                    rest.low.saturating_sub(below),
                    rest.expected,
                    rest.high.saturating_add(above),
                ),
                cache: cache.max(estimated) > built.bytes / 100,
                compressed: layer.size.compressed,
            }
        })
        .collect();
    Ok(Image {
        case: name.to_owned(),
        estimate: Size::sum(rows.iter().map(|row| row.estimate)),
        rows,
        compressed: Size::sum(layers.iter().map(|layer| layer.size.compressed)),
    })
}
