//! What the command understands. The meaning of every argument is the library's.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand, ValueEnum};
use stagewright::online::Settings;
use stagewright::options::{base, build_arg, weight};
use stagewright::{
    Applicability, CacheOptions, FilesOptions, MeasureOptions, Options, OptionsError, PlanOptions,
    RunOptions, RunWords,
};

/// Know what a container image will weigh and what the next build will redo, before building it.
///
/// Nothing is built, no daemon is needed, and no network unless `--online` asks for it.
#[derive(Debug, Parser)]
#[command(name = "stagewright", version, after_help = EXIT_CODES)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 done and something is wrong with the Dockerfile or its project, 2 wrong use or unreadable input.";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows what stands in a Dockerfile, and what BuildKit would reject
    Parse(Parse),
    /// Formats Dockerfiles, and never changes what a build runs
    Format(Format),
    /// Changes instructions, flags, values and images, and nothing else
    Edit(Edit),
    /// Estimates the size of the image and of each of its layers
    Size(Box<Size>),
    /// Says what a host pulls: everything, or what is not in the images that it has
    Pull(Box<Pull>),
    /// Measures an image that is built: its layers, what is hidden in them, what is there twice
    Measure(Measure),
    /// Predicts what the next build runs again after a change, and why
    Cache(Box<Cache>),
    /// Compares two Dockerfiles by what they mean: stages, steps, sizes, cache, pulls and the configuration of the image
    Diff(Diff),
    /// Shows the rewrites that make the image smaller or the next build cheaper
    Optimize(Optimize),
    /// Writes a Dockerfile and a .dockerignore for a project that has none
    Generate(Generate),
}

impl Command {
    /// Whether the answer is wanted as JSON.
    pub(crate) fn json(&self) -> bool {
        match self {
            // The lines of `--as` are JSON already, and errors are no part of them.
            Self::Parse(parse) => parse.json && parse.form.is_none(),
            Self::Format(format) => format.json,
            Self::Edit(edit) => edit.json,
            Self::Size(size) => size.json,
            Self::Pull(pull) => pull.json,
            Self::Measure(measure) => measure.json,
            Self::Cache(cache) => cache.json,
            Self::Diff(diff) => diff.json,
            Self::Optimize(optimize) => optimize.json,
            Self::Generate(generate) => generate.json,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Parse {
    /// A Dockerfile, a folder that holds one, or - for standard input; several with --as
    #[arg(default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// Print what BuildKit's own parser says, one line of JSON for each file
    #[arg(long = "as", value_name = "FORM")]
    pub(crate) form: Option<Form>,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// Whether BuildKit accepts the file, its message and line if not, and the tree as it dumps it
    Buildkit,
}

#[derive(Debug, Args)]
pub(crate) struct Format {
    /// A Dockerfile, a folder that holds one, or - for standard input; several with --check or --write
    #[arg(default_value = ".")]
    pub(crate) paths: Vec<PathBuf>,
    /// Change nothing: name the lines that would change, and end with 1 if there are any
    #[arg(long, conflicts_with = "write")]
    pub(crate) check: bool,
    /// Write the formatted text in the place of each file that differs
    #[arg(long)]
    pub(crate) write: bool,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    /// A Dockerfile, a folder that holds one, or - for standard input
    pub(crate) path: PathBuf,
    /// A method of the library with its arguments, as JSON: {"op": "remove", "index": 2}. Several are made one after the other
    #[arg(required = true, value_name = "EDIT")]
    pub(crate) edits: Vec<String>,
    /// Write the new text in the place of the old one
    #[arg(long)]
    pub(crate) write: bool,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a build is called.
#[derive(Clone, Debug, Args)]
pub(crate) struct BuildArguments {
    /// The Dockerfile, where it is not `Dockerfile` in the folder
    #[arg(long, short, value_name = "PATH")]
    pub(crate) file: Option<PathBuf>,
    /// The folder of the build context, where PATH is a Dockerfile that stands elsewhere
    #[arg(long, value_name = "FOLDER")]
    pub(crate) context: Option<PathBuf>,
    /// The stage to build; the last one if absent
    #[arg(long, value_name = "STAGE")]
    pub(crate) target: Option<String>,
    /// A build argument; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = build_arg)]
    pub(crate) build_arg: Vec<(String, String)>,
    /// The platform to build for, for example linux/arm64
    #[arg(long)]
    pub(crate) platform: Option<String>,
    /// A named context: a folder, or `docker-image://REFERENCE`; may be repeated
    #[arg(long, value_name = "NAME=CONTEXT", value_parser = build_arg)]
    pub(crate) build_context: Vec<(String, String)>,
    /// The builder: buildkit or legacy, the one before it (`DOCKER_BUILDKIT=0`)
    #[arg(long)]
    pub(crate) builder: Option<String>,
    /// The network of commands: default, none or host
    #[arg(long)]
    pub(crate) network: Option<String>,
    /// A name that commands find without a server; may be repeated
    #[arg(long, value_name = "NAME=IP")]
    pub(crate) add_host: Vec<String>,
    /// The size of /dev/shm, for example 64m
    #[arg(long, value_name = "SIZE")]
    pub(crate) shm_size: Option<String>,
    /// A limit of commands; may be repeated
    #[arg(long, value_name = "NAME=SOFT[:HARD]")]
    pub(crate) ulimit: Vec<String>,
    /// The control group that commands run below
    #[arg(long, value_name = "GROUP")]
    pub(crate) cgroup_parent: Option<String>,
    /// Read the catalogue as it stood on this day, for base images of another year
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) as_of: Option<String>,
    /// The project's budgets and measured images, where they are not in the context's stagewright.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

impl BuildArguments {
    pub(crate) fn files(&self, hash: bool) -> FilesOptions {
        FilesOptions {
            file: self.file.clone(),
            context: self.context.clone(),
            config: self.config.clone(),
            hash,
        }
    }

    /// The same for another build, which has files of its own, and stages of its own.
    pub(crate) fn elsewhere(&self) -> Self {
        Self {
            file: None,
            context: None,
            target: None,
            config: None,
            ..self.clone()
        }
    }

    pub(crate) fn options(&self) -> Result<Options, OptionsError> {
        let options = Options::from_words(
            self.target.as_deref(),
            self.build_arg.clone(),
            self.platform.as_deref(),
            self.as_of.as_deref(),
        )?;
        let builder = self.builder.as_deref().map(str::parse).transpose()?;
        Ok(Options {
            builder: builder.unwrap_or_default(),
            named_contexts: self.build_context.iter().cloned().collect(),
            run: RunOptions::from_words(&RunWords {
                network: self.network.clone(),
                add_hosts: self.add_host.clone(),
                shm_size: self.shm_size.clone(),
                ulimits: self.ulimit.clone(),
                cgroup_parent: self.cgroup_parent.clone(),
            })?,
            ..options
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Size {
    /// The folder that is built, or its Dockerfile
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// Lay an image that was built of it beside the estimate: an archive of `docker save` or an OCI layout
    #[arg(long, value_name = "IMAGE")]
    pub(crate) compare: Option<PathBuf>,
    /// An answer of `size --json` that was kept, for the budget of growth
    #[arg(long, value_name = "REPORT")]
    pub(crate) against: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) build: BuildArguments,
    #[command(flatten)]
    pub(crate) online: OnlineArguments,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Whom to ask for what the catalogue does not know.
#[derive(Debug, Args)]
pub(crate) struct OnlineArguments {
    /// Ask the configured package index, package registry and registries of images for measured sizes
    #[arg(long)]
    pub(crate) online: bool,
    /// The folder in which answers are kept
    #[arg(long, value_name = "FOLDER", requires = "online")]
    pub(crate) cache: Option<PathBuf>,
    /// The package index; the one that pip is configured to use if absent
    #[arg(long, value_name = "URL", requires = "online")]
    pub(crate) index: Option<String>,
    /// One more package index; may be repeated
    #[arg(long, value_name = "URL", requires = "online")]
    pub(crate) extra_index: Vec<String>,
    /// The package registry of npm; the one that npm is configured to use if absent
    #[arg(long, value_name = "URL", requires = "online")]
    pub(crate) npm_registry: Option<String>,
    /// A host that is asked in the place of a registry of images; may be repeated
    #[arg(long, value_name = "NAME=HOST", requires = "online", value_parser = build_arg)]
    pub(crate) mirror: Vec<(String, String)>,
    /// A registry of images that is asked without TLS, as those on this machine are; may be repeated
    #[arg(long, value_name = "HOST:PORT", requires = "online")]
    pub(crate) plain_http: Vec<String>,
    /// The most seconds for one answer [default: 30]
    #[arg(long, value_name = "SECONDS", requires = "online")]
    pub(crate) timeout: Option<f64>,
    /// The most seconds for all answers [default: 300]
    #[arg(long, value_name = "SECONDS", requires = "online")]
    pub(crate) total_timeout: Option<f64>,
    /// How often a question is asked again that was not answered [default: 2]
    #[arg(long, value_name = "COUNT", requires = "online")]
    pub(crate) retries: Option<u32>,
    /// The most bytes of a file that has to be read whole [default: 268435456]
    #[arg(long, value_name = "BYTES", requires = "online")]
    pub(crate) max_file: Option<u64>,
}

impl OnlineArguments {
    /// Nothing, unless it is asked for.
    pub(crate) fn settings(&self, project: &Path) -> Option<Settings> {
        let settings = || Settings {
            index: self.index.clone(),
            extra_indexes: self.extra_index.clone(),
            npm_registry: self.npm_registry.clone(),
            project: Some(project.to_owned()),
            mirrors: self.mirror.iter().cloned().collect(),
            plain_http: self.plain_http.clone(),
            cache: self.cache.clone(),
            ..Settings::default()
        };
        self.online.then(|| {
            settings().limited(
                self.timeout,
                self.total_timeout,
                self.retries,
                self.max_file,
            )
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Pull {
    /// The folder that is built, or its Dockerfile
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// What the host has: an image of a registry, by its reference; may be repeated
    #[arg(long, value_name = "IMAGE")]
    pub(crate) image: Vec<String>,
    /// What the host has: the image that is built of another folder or Dockerfile; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) build: Vec<PathBuf>,
    /// The host has the image as it was before a file of the context, or every file of a folder, changed; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) change: Vec<String>,
    #[command(flatten)]
    pub(crate) arguments: BuildArguments,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Measure {
    /// An archive of `docker save`, or an OCI layout as a tar or as a folder
    pub(crate) image: PathBuf,
    /// Which image, where the archive holds several
    #[arg(long, value_name = "NAME:TAG")]
    pub(crate) name: Option<String>,
    /// The platform, where the image is there for several [default: linux/amd64]
    #[arg(long)]
    pub(crate) platform: Option<String>,
    /// Hold layers that are not compressed against their digests too
    #[arg(long)]
    pub(crate) verify: bool,
    /// The most rows of each list
    #[arg(long, value_name = "COUNT")]
    pub(crate) rows: Option<usize>,
    /// Write the image as a measured base into a project's stagewright.toml
    #[arg(long)]
    pub(crate) learn: bool,
    /// The name that Dockerfiles write for it; the image's own if absent
    #[arg(long = "as", value_name = "NAME:TAG", requires = "learn")]
    pub(crate) learn_as: Option<String>,
    /// The day that is written down; that of the image if absent
    #[arg(long, value_name = "YYYY-MM-DD", requires = "learn")]
    pub(crate) date: Option<String>,
    /// The project's folder
    #[arg(long, value_name = "FOLDER", default_value = ".", requires = "learn")]
    pub(crate) project: PathBuf,
    /// The most entries that the layers may have together [default: 2000000]
    #[arg(long, value_name = "COUNT")]
    pub(crate) max_entries: Option<u64>,
    /// The most bytes that the layers may have together when they are decompressed [default: 100000000000]
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_bytes: Option<u64>,
    /// The most decompressed bytes for each compressed one in a layer above 256 MB [default: 250]
    #[arg(long, value_name = "RATIO")]
    pub(crate) max_ratio: Option<u64>,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Measure {
    pub(crate) fn options(&self) -> Result<MeasureOptions, OptionsError> {
        let mut options =
            MeasureOptions::from_words(self.name.as_deref(), self.platform.as_deref())?;
        options.verify = self.verify;
        options.rows = self.rows.unwrap_or(options.rows);
        let limits = &mut options.limits;
        limits.entries = self.max_entries.unwrap_or(limits.entries);
        limits.bytes = self.max_bytes.unwrap_or(limits.bytes);
        limits.ratio = self.max_ratio.unwrap_or(limits.ratio);
        Ok(options)
    }
}

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    override_usage = "stagewright cache [OPTIONS] [PATH] [--change PATH...]\n       stagewright cache [OPTIONS] BEFORE AFTER\n       stagewright cache [OPTIONS] [PATH] --git REV\n       stagewright cache [OPTIONS] [PATH] --history\n       stagewright cache save [OPTIONS] [PATH]"
)]
pub(crate) struct Cache {
    #[command(subcommand)]
    pub(crate) command: Option<CacheCommand>,
    /// The folder that is built, or its Dockerfile, as the last build saw it; or a snapshot of it, a file that ends in .json
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// The folder, its Dockerfile or a snapshot, as the next build sees it
    #[arg(conflicts_with_all = ["change", "git", "history", "history_file"])]
    pub(crate) after: Option<PathBuf>,
    /// A file of the context that changes, or a folder of which every file does; may be repeated. The application's entry point if
    /// nothing is said to change
    #[arg(long, value_name = "PATH")]
    pub(crate) change: Vec<String>,
    /// Compare with the state at a revision of git, which the last build saw; what git does not track was not there
    #[arg(long, value_name = "REV", conflicts_with_all = ["change", "history", "history_file"])]
    pub(crate) git: Option<String>,
    /// A build argument of the last build alone; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = build_arg)]
    pub(crate) before_arg: Vec<(String, String)>,
    /// A build argument of the next build alone; may be repeated
    #[arg(long, value_name = "NAME=VALUE", visible_alias = "change-build-arg", value_parser = build_arg)]
    pub(crate) after_arg: Vec<(String, String)>,
    /// The digest that a base image has, in both builds; may be repeated
    #[arg(long, value_name = "NAME=DIGEST", value_parser = base)]
    pub(crate) base: Vec<(String, String)>,
    /// The digest of a base image in the last build alone; may be repeated
    #[arg(long, value_name = "NAME=DIGEST", value_parser = base)]
    pub(crate) before_base: Vec<(String, String)>,
    /// The digest of a base image in the next build alone; may be repeated
    #[arg(long, value_name = "NAME=DIGEST", value_parser = base)]
    pub(crate) after_base: Vec<(String, String)>,
    /// The next build uses its cache for no RUN, COPY or ADD
    #[arg(long)]
    pub(crate) no_cache: bool,
    /// The next build uses its cache for no RUN, COPY or ADD of this stage; may be repeated
    #[arg(long, value_name = "STAGE", value_delimiter = ',')]
    pub(crate) no_cache_filter: Vec<String>,
    /// The next build has a fresh builder that imports the cache of the last one, exported with mode=min, mode=max or inline
    #[arg(long, value_name = "min|max|inline")]
    pub(crate) imported: Option<String>,
    /// Fail (exit code 1) if a step runs again or may; a line, a stage, STAGE/LINE, or a part of its instruction. May be repeated
    #[arg(long, value_name = "STEP")]
    pub(crate) assert_cached: Vec<String>,
    /// Fail (exit code 1) if a step does not run again for certain; may be repeated
    #[arg(long, value_name = "STEP")]
    pub(crate) assert_rerun: Vec<String>,
    /// What BuildKit did in the next build (`--progress=rawjson`): how long steps take, and whether they did what is predicted
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
    /// Seconds of steps: a JSON object of numbers, by the words that pick a step as in --assert-cached
    #[arg(long, value_name = "FILE")]
    pub(crate) durations: Option<PathBuf>,
    /// What a commit costs, by what the commits of git changed so far
    #[arg(long, conflicts_with_all = ["change", "after_arg", "after_base", "before_arg", "before_base", "assert_cached", "assert_rerun"])]
    pub(crate) history: bool,
    /// The same by a list of commits as JSON, newest first, each an object with its `paths`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["change", "after_arg", "after_base", "before_arg", "before_base", "assert_cached", "assert_rerun"])]
    pub(crate) history_file: Option<PathBuf>,
    /// How many commits to look at [default: 1000]
    #[arg(long, value_name = "N")]
    pub(crate) commits: Option<usize>,
    /// No commit before a day (YYYY-MM-DD), or before so many days or weeks before the newest (90d, 12w)
    #[arg(long, value_name = "WHEN")]
    pub(crate) since: Option<String>,
    #[command(flatten)]
    pub(crate) build: BuildArguments,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Cache {
    pub(crate) fn cache(&self) -> Result<CacheOptions, OptionsError> {
        CacheOptions::from_words(
            self.no_cache,
            self.no_cache_filter.clone(),
            self.imported.as_deref(),
        )
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum CacheCommand {
    /// Writes a snapshot of a build, with which a later one can be compared when its files are gone
    Save(Save),
}

#[derive(Debug, Args)]
pub(crate) struct Save {
    /// The folder that is built, or its Dockerfile
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// The file to write; standard output if absent
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The digest that a base image has; may be repeated
    #[arg(long, value_name = "NAME=DIGEST", value_parser = base)]
    pub(crate) base: Vec<(String, String)>,
    #[command(flatten)]
    pub(crate) build: BuildArguments,
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The Dockerfile as it was, or a folder that holds one; it is built with the folder it is in, or that of --context
    pub(crate) old: PathBuf,
    /// The Dockerfile as it is, or a folder
    pub(crate) new: PathBuf,
    /// The source file whose edit is played through in both; the application's entry point if absent
    #[arg(long, value_name = "PATH")]
    pub(crate) change: Option<String>,
    #[command(flatten)]
    pub(crate) build: BuildArguments,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Optimize {
    /// The folder that is built, or its Dockerfile
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// What to minimise: cold-size, cold-pull, warm-pull or rebuild [default: cold-pull]
    #[arg(long)]
    pub(crate) objective: Option<String>,
    /// What to minimise where it is several things, with its weight: cold-pull=2; may be repeated, in the place of --objective
    #[arg(long, value_name = "OBJECTIVE=WEIGHT", value_parser = weight, conflicts_with = "objective")]
    pub(crate) weight: Vec<(String, f64)>,
    /// Leave what wins less than this share of what the file as it is costs, and say what it would have won: 0.01 is a hundredth
    #[arg(long, value_name = "SHARE")]
    pub(crate) threshold: Option<f64>,
    /// Make the first rewrites alone, so many of them; the others are listed as left
    #[arg(long, value_name = "COUNT")]
    pub(crate) rungs: Option<usize>,
    /// The most that a rewrite may risk: safe (the image behaves as before), unsafe (it may not) or suggestion (a person must decide) [default: unsafe, but safe with --write]
    #[arg(long)]
    pub(crate) applicability: Option<String>,
    /// The source file whose edit is measured; the application's entry point if absent
    #[arg(long, value_name = "PATH")]
    pub(crate) change: Option<String>,
    /// A pass to leave out, by name; may be repeated
    #[arg(long, value_name = "PASS")]
    pub(crate) skip: Vec<String>,
    /// A pass to use, and no other; may be repeated
    #[arg(long, value_name = "PASS")]
    pub(crate) only: Vec<String>,
    /// Write the new Dockerfile in the place of the old one, and the .dockerignore
    #[arg(long)]
    pub(crate) write: bool,
    #[command(flatten)]
    pub(crate) build: BuildArguments,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

impl Optimize {
    pub(crate) fn plan(&self) -> Result<PlanOptions, OptionsError> {
        // What is shown is read by a person, who decides; what is written is not.
        let ceiling = if self.write {
            Applicability::Safe
        } else {
            Applicability::Unsafe
        };
        let objective = self.objective.as_deref().map(str::parse).transpose()?;
        let applicability = self.applicability.as_deref().map(str::parse).transpose()?;
        let mut options = PlanOptions::new(
            objective.unwrap_or_default(),
            applicability.unwrap_or(ceiling),
        );
        options.change.clone_from(&self.change);
        options.skip.clone_from(&self.skip);
        options.only.clone_from(&self.only);
        options.with_words(self.weight.iter().cloned(), self.threshold)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// The folder of the project
    #[arg(default_value = ".")]
    pub(crate) path: PathBuf,
    /// The port that the application listens on
    #[arg(long)]
    pub(crate) port: Option<u16>,
    /// The base image
    #[arg(long, value_name = "IMAGE")]
    pub(crate) base: Option<String>,
    /// The folder of the application's package, in a repository with workspaces
    #[arg(long, value_name = "FOLDER")]
    pub(crate) package: Option<String>,
    /// The command that starts the application
    #[arg(last = true, value_name = "COMMAND")]
    pub(crate) command: Vec<String>,
    /// Write both files into the folder, which must have neither
    #[arg(long)]
    pub(crate) write: bool,
    /// Print the answer as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
