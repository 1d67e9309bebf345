//! Everything the models say about one Dockerfile in one context.

mod budget;
pub(crate) mod called;
mod findings;
mod layers;

use std::cell::RefCell;
use std::sync::{Arc, OnceLock};

use stagewright_syntax::Dockerfile;
use thiserror::Error;

use crate::build::{Build, Inputs};
use crate::cache::{self, CacheOptions, Prediction, Verdict};
use crate::change::Change;
use crate::comparison::{self, Comparison};
use crate::context::{Context, ContextError};
use crate::diff::{self, Diff};
use crate::estimate::{Estimate, LayerEstimate};
use crate::facts::{Catalog, Codec, ImageFacts, Libc, Needs, WheelPlatform};
use crate::finding::{Finding, Severity};
use crate::interpret::{self, Images, LayerRecord, Record};
use crate::measure::Image;
use crate::options::Options;
use crate::plan::{self, CustomPass, Plan, PlanOptions};
use crate::proposal::{Applicability, Objective};
use crate::report::BaseReport;
use crate::size::Size;
use crate::stage::{Base, CopySource, From, ImageConfig, Op, StageGraph, StageId, TargetError};

/// The caller asked for something that cannot be: an unknown target, a pass that does not exist, a context that cannot be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AnalysisError {
    /// The Dockerfile has no FROM.
    #[error("the Dockerfile has no stage to build: it needs a FROM{}", first(.error.as_ref()))]
    NoStages {
        /// The first error in it, with its line.
        error: Option<(u32, String)>,
    },
    /// No stage has the name that was asked for.
    #[error("no stage is called `{target}`{}", known(.names))]
    UnknownTarget {
        /// The target.
        target: String,
        /// The names there are.
        names: Vec<String>,
    },
    /// No pass has this name.
    #[error("no pass is called `{name}`")]
    UnknownPass {
        /// The name.
        name: String,
    },
    /// The context cannot be read or changed as asked.
    #[error(transparent)]
    Context(#[from] ContextError),
}

fn known(names: &[String]) -> String {
    if names.is_empty() {
        return ": no stage has a name".into();
    }
    format!(
        ": there are {}",
        names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    )
}

fn first(error: Option<&(u32, String)>) -> String {
    error
        .map(|(line, message)| format!("; line {line}: {message}"))
        .unwrap_or_default()
}

impl AnalysisError {
    fn of_target(error: TargetError, file: &Dockerfile<'_>) -> Self {
        match error {
            TargetError::NoStages => Self::NoStages {
                error: file.errors().first().map(|error| {
                    (
                        file.line_index().position(error.span().start).line,
                        error.message().to_owned(),
                    )
                }),
            },
            TargetError::Unknown { target, names } => Self::UnknownTarget { target, names },
        }
    }

    /// A stable name in kebab-case.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NoStages { .. } => "no-stages",
            Self::UnknownTarget { .. } => "unknown-target",
            Self::UnknownPass { .. } => "unknown-pass",
            Self::Context(error) => error.code(),
        }
    }
}

/// What the build of `after` runs again on a builder that has done the build of `before`, and why. Both contexts must have been read with
/// digests; the same as [`Analysis::since`].
pub fn compare(before: &Analysis, after: &Analysis) -> Prediction {
    after.since(before)
}

/// What the models say. Owned and immutable; cheap to clone.
///
/// ```
/// use stagewright::{Analysis, Context, Dockerfile, Options};
///
/// let file = Dockerfile::parse("FROM python:3.12-slim\nCOPY main.py /app/\n");
/// let context = Context::builder().file("main.py", "print(1)\n").build()?;
/// let analysis = Analysis::new(&file, &context, &Options::default())?;
/// assert_eq!(analysis.layers()[1].size.uncompressed.expected, 9);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Analysis {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    text: String,
    context: Context,
    options: Options,
    catalog: Catalog,
    graph: StageGraph,
    images: Images,
    record: Record,
    build: Build,
    size: Estimate,
    layers: Vec<LayerEstimate>,
    findings: Vec<Finding>,
    called: OnceLock<called::Called>,
}

impl Analysis {
    /// Analyses a file in a context.
    pub fn new(
        file: &Dockerfile<'_>,
        context: &Context,
        options: &Options,
    ) -> Result<Self, AnalysisError> {
        Self::with_inputs(file, &Inputs::new(context.clone()), options)
    }

    /// As [`Analysis::new`], with local folders as named contexts.
    pub fn with_inputs(
        file: &Dockerfile<'_>,
        inputs: &Inputs,
        options: &Options,
    ) -> Result<Self, AnalysisError> {
        let context = inputs.context();
        let catalog = Catalog::with_packages(Arc::clone(&options.packages));
        let images = RefCell::new(Images::new());
        let graph = StageGraph::new(file, options, &|image: &str| {
            let mut images = images.borrow_mut();
            look_up(&mut images, image, &catalog, options).map(config)
        })
        .map_err(|error| AnalysisError::of_target(error, file))?;
        let mut images = images.into_inner();
        for instruction in graph.stages.iter().flat_map(|stage| &stage.instructions) {
            if let Op::Copy(copy) = &instruction.op
                && let From::Image(image) = &copy.from
            {
                look_up(&mut images, image, &catalog, options);
            }
        }
        let record = interpret::run(
            &graph,
            context,
            &catalog,
            &images,
            options.wheel_platform(Libc::Glibc).arch,
        );
        let build = Build::new(&graph, options, inputs);
        let mut inner = Inner {
            text: file.text().to_owned(),
            context: context.clone(),
            options: options.clone(),
            catalog,
            graph,
            images,
            record,
            build,
            size: Estimate::default(),
            layers: Vec::new(),
            findings: Vec::new(),
            called: OnceLock::new(),
        };
        inner.layers = inner.layers();
        inner.size = Estimate::sum(inner.layers.iter().map(|layer| &layer.size));
        inner.findings = inner.findings(file);
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// The same context and options with another text, and another `.dockerignore` where one is given.
    pub fn with(&self, text: &str, dockerignore: Option<&str>) -> Result<Self, AnalysisError> {
        let context = match dockerignore {
            Some(ignore) => self.inner.context.with_ignore(ignore)?,
            None => self.inner.context.clone(),
        };
        Self::new(&Dockerfile::parse(text), &context, &self.inner.options)
    }

    /// The image's size: its base and its own layers. Without the base where that is unknown ([`Analysis::base`]).
    pub fn size(&self) -> &Estimate {
        &self.inner.size
    }

    /// The layers of the image, the base's first as one; not among them where the base is unknown.
    pub fn layers(&self) -> &[LayerEstimate] {
        &self.inner.layers
    }

    /// What is wrong or not known, sorted by place, then by code.
    pub fn findings(&self) -> &[Finding] {
        &self.inner.findings
    }

    /// What the next build runs again after a change, and why.
    pub fn after(&self, change: &Change) -> Result<Prediction, AnalysisError> {
        self.after_with(change, &CacheOptions::default())
    }

    /// As [`Analysis::after`], for a build that does not simply use what its builder has.
    pub fn after_with(
        &self,
        change: &Change,
        cache: &CacheOptions,
    ) -> Result<Prediction, AnalysisError> {
        let mut inputs = Inputs::new(self.inner.context.with_change(change)?);
        for (name, context) in &self.inner.build.named {
            inputs = inputs.named_context(name, context.clone());
        }
        let mut options = self.inner.options.clone();
        for (name, digest) in change.bases() {
            match digest {
                Some(digest) => options.bases.insert(name.clone(), digest.clone()),
                None => options.bases.remove(name),
            };
        }
        for (address, identity) in change.downloads() {
            options.downloads.insert(address.clone(), identity.clone());
        }
        for (name, value) in change.build_args() {
            match value {
                Some(value) => options.build_args.insert(name.clone(), value.clone()),
                None => options.build_args.remove(name),
            };
        }
        let text = change.dockerfile_text().unwrap_or(&self.inner.text);
        let after = if change.dockerfile_text().is_none() && change.build_args().is_empty() {
            Build::new(&self.inner.graph, &options, &inputs)
        } else {
            let catalog = &self.inner.catalog;
            let configs = |image: &str| match self.inner.images.get(image) {
                Some(known) => known.as_deref().map(config),
                None => options.image(image, catalog).as_deref().map(config),
            };
            let graph = {
                let file = Dockerfile::parse(text);
                StageGraph::new(&file, &options, &configs)
                    .map_err(|error| AnalysisError::of_target(error, &file))?
            };
            Build::new(&graph, &options, &inputs)
        };
        let mut prediction = cache::compare_with(&self.inner.build, &after, cache);
        let odd = findings::of_change(&self.inner.context, change);
        prediction.findings.extend(odd);
        Ok(prediction)
    }

    /// What a build of this runs again on a builder that has done `before`, and why. Both contexts must have been read with digests.
    pub fn since(&self, before: &Self) -> Prediction {
        self.since_with(before, &CacheOptions::default())
    }

    /// As [`Analysis::since`], for a build that does not simply use what its builder has.
    pub fn since_with(&self, before: &Self, cache: &CacheOptions) -> Prediction {
        cache::compare_with(&before.inner.build, &self.inner.build, cache)
    }

    /// Bytes that a host with the previous image pulls after a build that runs as predicted: every layer of the image that is made
    /// again, compressed.
    pub fn pull_after(&self, prediction: &Prediction) -> Size {
        let changed = self.own_layers().iter().filter(|layer| {
            let mut steps = prediction.steps.iter();
            steps.any(|step| layer.is_made_by(step) && step.verdict != Verdict::Cached)
        });
        Size::sum(changed.map(|layer| layer.size.compressed))
    }

    /// What `after` means differently: stages, steps, sizes, cache, pulls and the configuration of the image. `change` is the file of
    /// the context whose edit is played through in both; the application's entry point if absent.
    ///
    /// Which layers the two images share is known where both contexts were read with digests.
    ///
    /// ```
    /// use stagewright::{Analysis, Context, Dockerfile, Options, diff::Fate};
    ///
    /// let context = Context::builder().file("main.py", "print(1)\n").build()?;
    /// let read = |text| Analysis::new(&Dockerfile::parse(text), &context, &Options::default());
    /// let before = read("FROM python:3.12-slim\nCOPY . /app\nUSER root\n")?;
    /// let after = read("FROM python:3.12-slim\nCOPY --chown=app . /app\nUSER app\n")?;
    /// let diff = before.diff(&after, None)?;
    /// let copy = &diff.stages[0].steps[0];
    /// assert_eq!((copy.fate, copy.parts[0].name.as_str()), (Fate::Changed, "chown"));
    /// assert_eq!(diff.config[0].after.as_deref(), Some("app"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn diff(&self, after: &Self, change: Option<&str>) -> Result<Diff, AnalysisError> {
        diff::make(self, after, change)
    }

    /// The layer of the base; nothing where it is not known.
    pub(crate) fn base_layer(&self) -> Option<&LayerEstimate> {
        self.base_facts().and(self.inner.layers.first())
    }

    /// The layers above the base.
    pub(crate) fn own_layers(&self) -> &[LayerEstimate] {
        &self.inner.layers[usize::from(self.base_facts().is_some())..]
    }

    /// What each of them weighs, packed with a codec.
    pub(crate) fn own_packed(&self, codec: Codec) -> impl Iterator<Item = Size> {
        let inner = &self.inner;
        inner.own_layers().into_iter().map(move |layer| {
            let nodes = layer.nodes.iter().map(|(_, node)| node);
            Estimate::packed(nodes, codec, &inner.catalog)
        })
    }

    /// Lays the image that was built beside this estimate.
    pub fn compare_with(&self, image: &Image) -> Comparison {
        let known = self.base_facts();
        let base = known.map(|facts| Estimate::new(facts.uncompressed, facts.compressed));
        comparison::compare(base.as_ref(), self.own_layers(), image)
    }

    /// The way down from this file: rewrites that win, in order.
    pub fn plan(
        &self,
        objective: Objective,
        applicability: Applicability,
    ) -> Result<Plan, AnalysisError> {
        self.plan_with(&PlanOptions::new(objective, applicability))
    }

    /// [`Analysis::plan`] with every option.
    pub fn plan_with(&self, options: &PlanOptions) -> Result<Plan, AnalysisError> {
        plan::make(self, options, &[])
    }

    /// [`Analysis::plan_with`], with passes of the caller after the built-in ones.
    pub fn plan_with_passes(
        &self,
        options: &PlanOptions,
        passes: &[&dyn CustomPass],
    ) -> Result<Plan, AnalysisError> {
        plan::make(self, options, passes)
    }

    /// The text of the Dockerfile.
    pub fn text(&self) -> &str {
        &self.inner.text
    }

    /// The build context.
    pub fn context(&self) -> &Context {
        &self.inner.context
    }

    /// How the build is called.
    pub fn options(&self) -> &Options {
        &self.inner.options
    }

    /// The stages.
    pub fn graph(&self) -> &StageGraph {
        &self.inner.graph
    }

    /// The steps with their keys.
    pub fn build(&self) -> &Build {
        &self.inner.build
    }

    /// What every layer of every stage holds.
    pub fn record(&self) -> &Record {
        &self.inner.record
    }

    /// The facts behind the numbers.
    pub fn catalog(&self) -> &Catalog {
        &self.inner.catalog
    }

    /// What this estimate would be more exact with: base images and packages whose numbers are not measured ones.
    pub fn needs(&self) -> Needs {
        let inner = &*self.inner;
        let catalog = inner.catalog.listening();
        interpret::run(
            &inner.graph,
            &inner.context,
            &catalog,
            &inner.images,
            inner.options.wheel_platform(Libc::Glibc).arch,
        );
        let mut needs = catalog.into_needs();
        let reached = inner.graph.stages.iter().filter(|stage| stage.reachable);
        for stage in reached {
            if let Base::Image(image) = &stage.base {
                needs.images.insert(image.clone());
            }
            for instruction in &stage.instructions {
                if let Op::Copy(copy) = &instruction.op
                    && let From::Image(image) = &copy.from
                {
                    needs.images.insert(image.clone());
                }
            }
        }
        let measured = &inner.options.images;
        needs.images.retain(|image| !measured.contains_key(image));
        needs
    }

    /// Whether the Dockerfile has an error: then `BuildKit` would not build it.
    pub fn has_errors(&self) -> bool {
        self.inner.findings.iter().any(|finding| {
            finding.severity == Severity::Error && !crate::budget::is_budget(finding.code)
        })
    }

    /// What is known of an image by its reference as written.
    pub fn image(&self, reference: &str) -> Option<&ImageFacts> {
        self.inner.images.get(reference).and_then(Option::as_deref)
    }

    /// The reference of the image that the target is built on; `None` for `scratch`.
    pub fn base_reference(&self) -> Option<&str> {
        self.inner.record.stages[self.inner.graph.target.0]
            .image
            .as_deref()
    }

    /// What is known of the image that the target is built on.
    pub fn base_facts(&self) -> Option<&ImageFacts> {
        self.image(self.base_reference()?)
    }

    /// The image that the target is built on.
    pub fn base(&self) -> BaseReport {
        let Some(reference) = self.base_reference() else {
            return BaseReport {
                reference: "scratch".into(),
                known: true,
                size: Some(Estimate::default()),
                basis: None,
                stale: None,
            };
        };
        let facts = self.image(reference);
        BaseReport {
            reference: reference.to_owned(),
            known: facts.is_some(),
            size: facts.map(|facts| Estimate::new(facts.uncompressed, facts.compressed)),
            basis: facts.map(|facts| facts.basis.clone()),
            stale: facts.and_then(|facts| facts.stale.clone()),
        }
    }

    /// Which wheels fit an image on the platform that is built for.
    pub fn wheel_platform(&self, image: &ImageFacts) -> WheelPlatform {
        self.inner.options.wheel_platform(image.libc)
    }

    /// What a layer of any stage weighs.
    pub(crate) fn layer_size(&self, layer: &LayerRecord) -> Estimate {
        self.inner.estimate(layer)
    }

    /// What the image of a stage weighs: its base, where that is known, and all its layers.
    pub(crate) fn stage_size(&self, stage: StageId) -> Estimate {
        let chain = self.inner.graph.chain_of(stage);
        let base = match &self.inner.graph.stage(chain[0]).base {
            Base::Image(image) => self.image(image),
            _ => None,
        };
        let base = base.map(|facts| Estimate::new(facts.uncompressed, facts.compressed));
        let layers = chain
            .iter()
            .flat_map(|id| &self.inner.record.stages[id.0].layers)
            .map(|layer| self.inner.estimate(layer));
        let all: Vec<Estimate> = base.into_iter().chain(layers).collect();
        Estimate::sum(&all)
    }

    /// The sources that COPY and ADD name one by one, as paths in the context.
    pub(crate) fn named_sources(&self) -> Vec<String> {
        let instructions = self
            .inner
            .graph
            .stages
            .iter()
            .flat_map(|stage| &stage.instructions);
        let copies = instructions.filter_map(|instruction| match &instruction.op {
            Op::Copy(copy) if copy.from == From::Context => Some(&copy.sources),
            _ => None,
        });
        copies
            .flatten()
            .filter_map(|source| match source {
                CopySource::Path(path) => {
                    Some(path.trim_start_matches("./").trim_matches('/').to_owned())
                }
                _ => None,
            })
            .filter(|path| !matches!(path.as_str(), "" | "." | "*"))
            .collect()
    }

    /// The source file whose edit stands for a day's work: the application's entry point, else the first source file that is copied.
    pub fn source_file(&self) -> Option<String> {
        const ENTRIES: [&str; 16] = [
            "main.py",
            "app.py",
            "wsgi.py",
            "asgi.py",
            "application.py",
            "server.py",
            "run.py",
            "manage.py",
            "app/main.py",
            "src/main.py",
            "server.js",
            "index.js",
            "app.js",
            "src/index.js",
            "src/index.ts",
            "src/main.ts",
        ];
        let files: Vec<String> = self.inner.context.files().map(|entry| entry.path).collect();
        if let Some(entry) = ENTRIES
            .iter()
            .find(|entry| files.iter().any(|path| path == *entry))
        {
            return Some((*entry).to_owned());
        }
        let source = |path: &&String| {
            let code = [
                ".py", ".js", ".ts", ".mjs", ".cjs", ".tsx", ".jsx", ".rs", ".go", ".rb", ".java",
                ".php", ".c", ".cpp", ".html",
            ];
            let tests = path
                .split('/')
                .any(|part| matches!(part, "test" | "tests" | "docs" | "node_modules"));
            !tests
                && path.as_str() != "setup.py"
                && code.iter().any(|extension| path.ends_with(extension))
        };
        files
            .iter()
            .filter(source)
            .min_by_key(|path| (path.matches('/').count(), (*path).clone()))
            .cloned()
    }
}

/// Each image is looked up once.
fn look_up<'i>(
    images: &'i mut Images,
    reference: &str,
    catalog: &Catalog,
    options: &Options,
) -> Option<&'i ImageFacts> {
    if !images.contains_key(reference) {
        let facts = options.image(reference, catalog);
        images.insert(reference.to_owned(), facts);
    }
    images[reference].as_deref()
}

/// The configuration of a known image.
fn config(facts: &ImageFacts) -> ImageConfig {
    ImageConfig {
        env: facts.env.clone(),
        workdir: if facts.workdir == "/" {
            String::new()
        } else {
            facts.workdir.clone()
        },
        user: if facts.user == "root" {
            String::new()
        } else {
            facts.user.clone()
        },
        cmd: facts.cmd.clone(),
        entrypoint: facts.entrypoint.clone(),
        ..ImageConfig::default()
    }
}
