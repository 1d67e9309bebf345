//! What is written for the sample projects, what is predicted of it, and what came of it when it was built and started: the record
//! `tests/real/optimize.json`, made by `cargo xtask real optimize`.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use stagewright::facts::{Catalog, MeasuredImage};
use stagewright::project::ProjectError;
use stagewright::stage::Base;
use stagewright::{
    Analysis, Applicability, Change, Context, Dockerfile, Objective, Options, PlanOptions, Project,
    RecipeOptions, Size, Verdict,
};

use crate::scenario;

/// The distribution of the stand-ins for Debian images.
const STAND_IN: &str = "debian 12";

/// Everything that was built.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The form of this file.
    pub schema: u32,
    /// When it was last written.
    pub date: String,
    /// How it was made, and what is not to be compared.
    pub how: Vec<String>,
    /// Images that stood in for others, by the reference in the Dockerfile.
    pub stand_ins: BTreeMap<String, String>,
    /// Passes that were left out: the stand-ins have not what they need.
    pub skip: Vec<String>,
    /// The builds: each project in the variants of [`variants`].
    pub builds: Vec<Built>,
}

/// One variant of one project.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Built {
    /// The folder under `tests/projects`.
    pub project: String,
    /// What was built.
    #[serde(flatten)]
    pub variant: Variant,
    /// Whether the application answered as its `check.json` says.
    pub check: bool,
    /// The layers above the base, bottom first.
    pub layers: Vec<Layer>,
    /// The file that was edited before the second build.
    pub edited: String,
    /// The steps of the second build as BuildKit names them, and whether each was cached.
    pub steps: BTreeMap<String, bool>,
    /// Images that stood in for its bases.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stand_ins: BTreeMap<String, String>,
    /// Installed packages that the naive image has in another version, or has not (`+`), or that it alone has (`-`).
    pub packages_differ: Vec<String>,
    /// Parts of the image's configuration that are not the naive image's.
    pub config_differs: Vec<String>,
    /// Codes of what hadolint finds in the file; nothing before it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hadolint: Option<Vec<String>>,
}

/// A Dockerfile with its `.dockerignore`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// `naive`, `safe`, `unsafe` or `generated`.
    #[serde(rename = "variant")]
    pub name: String,
    /// The passes that made it of the naive one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passes: Vec<String>,
    /// The Dockerfile.
    pub dockerfile: String,
    /// The `.dockerignore`, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dockerignore: Option<String>,
}

/// A layer above the base.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Layer {
    /// The instruction as BuildKit names it.
    pub instruction: String,
    /// Predicted file bytes, without the caches of package managers.
    pub predicted: Bytes,
    /// True file bytes, without the caches of package managers.
    pub bytes: u64,
    /// True bytes of those caches.
    pub cache: u64,
    /// True bytes of the blob.
    pub gzip: u64,
}

/// A number of bytes with its error bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bytes {
    /// The least that is likely.
    pub low: u64,
    /// The best guess.
    pub expected: u64,
    /// The most that is likely.
    pub high: u64,
}

/// What is predicted of one variant.
#[derive(Clone, Debug)]
pub struct Predicted {
    /// The layers above the base, bottom first: file bytes without the caches of package managers.
    pub layers: Vec<Bytes>,
    analysis: Analysis,
}

/// The variants of a project in a folder: as it is, planned at `Safe` and at `Unsafe`, and generated. The last is missing where no
/// recipe fits.
pub fn variants(project: &Path, skip: &[String]) -> Result<Vec<Variant>, Box<dyn Error>> {
    let text = fs::read_to_string(project.join("Dockerfile"))?;
    let context = Context::directory(project)?;
    let start = Analysis::new(&Dockerfile::parse(&text), &context, &Options::default())?;
    let mut variants = vec![Variant {
        name: "naive".into(),
        dockerfile: text,
        ..Variant::default()
    }];
    for applicability in [Applicability::Safe, Applicability::Unsafe] {
        let mut options = PlanOptions::new(Objective::ColdPull, applicability);
        options.skip = skip.to_vec();
        let plan = start.plan_with(&options)?;
        variants.push(Variant {
            name: applicability.as_str().into(),
            passes: plan.rungs.iter().map(|rung| rung.pass.into()).collect(),
            dockerfile: plan.dockerfile,
            dockerignore: plan.dockerignore,
        });
    }
    variants.extend(generated(&context, &start)?);
    Ok(variants)
}

/// What the recipe writes. The project's files leave two questions open that its Dockerfile answers: which Python, and, for what is no
/// server, with which arguments it is started.
fn generated(context: &Context, naive: &Analysis) -> Result<Option<Variant>, Box<dyn Error>> {
    let project = match Project::detect(context) {
        Ok(project) => project,
        Err(ProjectError::NoRecipe { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let base = naive.base_reference().unwrap_or_default();
    let slim = if base.ends_with("-slim") {
        base.to_owned()
    } else {
        format!("{base}-slim")
    };
    let mut options = RecipeOptions {
        base: Some(slim),
        ..RecipeOptions::default()
    };
    let config = &naive.graph().target_stage().end.config;
    let words = [&config.entrypoint, &config.cmd];
    let words = words.into_iter().flatten().flatten().cloned().collect();
    let is_command = matches!(&project, Project::Python(python) if python.framework.is_none());
    if is_command {
        options.command = Some(words);
    }
    let made = project.generate(context, &options)?;
    Ok(Some(Variant {
        name: "generated".into(),
        passes: Vec::new(),
        dockerfile: made.dockerfile,
        dockerignore: Some(made.dockerignore),
    }))
}

/// Copies a project into an empty folder, with the files of a variant in the place of its own.
pub fn lay_out(project: &Path, variant: &Variant, folder: &Path) -> std::io::Result<()> {
    copy(project, folder)?;
    fs::write(folder.join("Dockerfile"), &variant.dockerfile)?;
    if let Some(ignore) = &variant.dockerignore {
        fs::write(folder.join(".dockerignore"), ignore)?;
    }
    Ok(())
}

/// The time of every file of a context: the second day of 1970.
const DAY: Duration = Duration::from_secs(86_400);

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            // What an interpreter left behind is no part of a project.
            if entry.file_name() != "__pycache__" {
                copy(&source, &target)?;
            }
        } else {
            fs::copy(&source, &target)?;
            date(&target)?;
        }
    }
    Ok(())
}

/// Gives a file the time of all. BuildKit leaves out of a layer what is there already with the same content and time; a copy that it took
/// from its cache has the time of an earlier day.
pub fn date(path: &Path) -> std::io::Result<()> {
    let file = fs::File::options().write(true).open(path)?;
    file.set_modified(SystemTime::UNIX_EPOCH + DAY)
}

/// What is predicted of a folder that [`lay_out`] made, on the Debian that was built on.
pub fn predict(folder: &Path) -> Result<Predicted, Box<dyn Error>> {
    let text = fs::read_to_string(folder.join("Dockerfile"))?;
    let file = Dockerfile::parse(&text);
    let context = Context::directory(folder)?;
    let mut options = Options::default();
    let today = Analysis::new(&file, &context, &options)?;
    for stage in &today.graph().stages {
        // Those of Alpine had stand-ins too, which take other wheels and other builds of modules of Node.
        if let Base::Image(image) = &stage.base
            && Catalog::builtin().image(image, None).is_some()
        {
            let measured = MeasuredImage {
                distro: Some(STAND_IN.to_owned()),
                libc: Some("glibc".to_owned()),
                ..MeasuredImage::default()
            };
            options.images.insert(image.clone(), measured);
        }
    }
    let analysis = Analysis::new(&file, &context, &options)?;
    let base = usize::from(analysis.base().known);
    let layers = analysis.layers()[base..].iter().map(|layer| {
        let caches = layer
            .contents
            .iter()
            .filter(|content| is_cache(&content.path));
        let cache = Size::sum(caches.map(|content| content.size));
        let whole = layer.size.uncompressed;
        Bytes {
            // The errors of the parts add as squares: what the caches take away is their expected bytes.
            low: whole.low.saturating_sub(cache.expected),
            expected: whole.expected.saturating_sub(cache.expected),
            high: whole.high.saturating_sub(cache.expected),
        }
    });
    Ok(Predicted {
        layers: layers.collect(),
        analysis,
    })
}

/// Whether a path lies in the cache of a package manager. What pip and npm keep there depends on the headers of the index they speak to.
pub fn is_cache(path: &str) -> bool {
    let path = path.trim_start_matches('/');
    path.starts_with("root/.cache") || path.starts_with("root/.npm")
}

impl Predicted {
    /// The file whose edit stands for a day's work.
    pub fn source_file(&self) -> Option<String> {
        self.analysis.source_file()
    }

    /// The images that stages of the file stand on, as they are written once variables are expanded.
    pub fn bases(&self) -> impl Iterator<Item = &str> {
        let stages = self.analysis.graph().stages.iter();
        stages.filter_map(|stage| match &stage.base {
            Base::Image(image) => Some(image.as_str()),
            _ => None,
        })
    }

    /// The first port that the file itself exposes. Those of its base are not listened on where a setting has another (nginx).
    pub fn port(&self) -> Option<&str> {
        let ports = &self.analysis.graph().target_stage().end.config.ports;
        ports.first()?.split('/').next()
    }

    /// The steps that BuildKit treated in another way than predicted, after an edit of one file.
    pub fn disagreements(
        &self,
        edited: &str,
        steps: &BTreeMap<String, bool>,
    ) -> Result<Vec<String>, Box<dyn Error>> {
        let prediction = self.analysis.after(&Change::files([edited]))?;
        let mut wrong = Vec::new();
        for (name, cached) in steps {
            let numbered = with_base(name, steps);
            let found = scenario::find(self.analysis.graph(), self.analysis.build(), &numbered);
            let Some(step) = found else {
                wrong.push(format!("no step is `{name}`"));
                continue;
            };
            let verdict = &prediction.steps[step.id.0].verdict;
            // Whether a command writes again what it wrote before is said to be unknown.
            if matches!(verdict, Verdict::Unknown { .. }) {
                continue;
            }
            if (*verdict == Verdict::Cached) != *cached {
                wrong.push(format!("`{name}` cached: {cached}, predicted: {verdict:?}"));
            }
        }
        Ok(wrong)
    }
}

/// A step's name as it is where its stage's base is a step too. Where a named context stands in for the base, BuildKit counts it in the
/// total (`[stage-0 1/5] WORKDIR …` to `4/5`), and gives it no number.
fn with_base(name: &str, steps: &BTreeMap<String, bool>) -> String {
    let Some((stage, ordinal, total, rest)) = numbers(name) else {
        return name.to_owned();
    };
    let of_stage = steps.keys().filter_map(|other| numbers(other));
    let last = of_stage
        .filter(|other| other.0 == stage)
        .map(|other| other.1)
        .max();
    let shift = usize::from(last.is_some_and(|last| last + 1 == total));
    format!("[{stage}{}/{total}] {rest}", ordinal + shift)
}

/// `[builder 2/3] RUN …`: the stage with the space after it, the number, the total, the instruction.
fn numbers(name: &str) -> Option<(&str, usize, usize, &str)> {
    let (head, rest) = name.strip_prefix('[')?.split_once("] ")?;
    let start = head.rfind(' ').map_or(0, |space| space + 1);
    let (ordinal, total) = head[start..].split_once('/')?;
    Some((
        &head[..start],
        ordinal.parse().ok()?,
        total.parse().ok()?,
        rest,
    ))
}

impl Record {
    /// The naive build of a project.
    pub fn naive(&self, project: &str) -> Option<&Built> {
        let mut builds = self.builds.iter();
        builds.find(|build| build.project == project && build.variant.name == "naive")
    }

    /// By which share the images of a variant are smaller than the naive ones on a slim base, or on a full one, the least first.
    pub fn shares(&self, variant: &str, slim: bool) -> Vec<(f64, &str)> {
        let builds = self.builds.iter();
        let mut shares: Vec<(f64, &str)> = builds
            .filter(|build| build.variant.name == variant)
            .filter_map(|build| {
                let naive = self.naive(&build.project)?;
                let mut lines = naive.variant.dockerfile.lines();
                let from = lines.find(|line| line.starts_with("FROM"))?;
                let share = 1.0 - build.whole()? / naive.whole()?;
                (from.contains("-slim") == slim).then_some((share, build.project.as_str()))
            })
            .collect();
        shares.sort_by(|a, b| a.0.total_cmp(&b.0));
        shares
    }
}

/// The middle of shares that are in order, of two the mean; nothing where there is none.
pub fn median(shares: &[(f64, &str)]) -> Option<f64> {
    let last = shares.len().checked_sub(1)?;
    Some(f64::midpoint(
        shares[last / 2].0,
        shares[shares.len() / 2].0,
    ))
}

/// The bytes of a whole image: the true ones above its base, and what the catalogue says of the official image below them, since the
/// bases of the builds were stand-ins. Nothing where the base is not known.
#[expect(clippy::cast_precision_loss, reason = "a share of megabytes")]
pub fn whole(dockerfile: &str, above_base: u64) -> Option<f64> {
    let file = Dockerfile::parse(dockerfile);
    let analysis = Analysis::new(&file, &Context::empty(), &Options::default()).ok()?;
    let base = analysis.base().size?.uncompressed.expected;
    Some((base + above_base) as f64)
}

/// Commands that install what a project depends on.
const INSTALLS: [&str; 15] = [
    "pip install",
    "pip3 install",
    "npm install",
    "npm ci",
    "pnpm install",
    "pnpm fetch",
    "yarn install",
    "yarn workspaces",
    "uv sync",
    "poetry install",
    "pdm install",
    "pdm sync",
    "pipenv install",
    "pipenv sync",
    "bun install",
];

impl Built {
    /// The bytes of a whole image, as [`whole`] counts them.
    pub fn whole(&self) -> Option<f64> {
        whole(&self.variant.dockerfile, self.above_base().1)
    }

    /// Whether the second build installed packages again. A project that is installed without its dependencies is no package.
    pub fn installs_again(&self) -> bool {
        self.steps.iter().any(|(name, cached)| {
            !cached
                && !name.contains("--no-deps")
                && INSTALLS.iter().any(|tool| name.contains(tool))
        })
    }

    /// Predicted and true file bytes above the base.
    pub fn above_base(&self) -> (u64, u64) {
        self.sums(|_| true)
    }

    /// The same without Node itself, where a plain base gets it: elsewhere it is a part of the base, and its size is known exactly.
    pub fn above_runtime(&self) -> (u64, u64) {
        self.sums(|layer| !layer.instruction.starts_with("COPY /usr/local/bin/node "))
    }

    fn sums(&self, counts: fn(&&Layer) -> bool) -> (u64, u64) {
        let layers = || self.layers.iter().filter(counts);
        (
            layers().map(|layer| layer.predicted.expected).sum(),
            layers().map(|layer| layer.bytes).sum(),
        )
    }
}
