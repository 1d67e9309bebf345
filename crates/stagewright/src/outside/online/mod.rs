//! Asks the user's own package indexes and registries for what the tables do not know. Feature `online`.
//!
//! An analysis says what it would be more exact with ([`Analysis::needs`]); here that is asked for, measured without downloading more
//! than is needed, and given to the next analysis as facts ([`Options::images`], [`Options::packages`]), which is the pure function that
//! it always is. What cannot be answered is a finding with a code ([`Options::unanswered`]). Nothing is asked unless [`Online`] is told
//! to, and nothing is written but into [`Settings::cache`].

mod address;
mod cache;
mod configured;
mod error;
mod http;
mod index;
mod npm;
mod registry;
mod wheel;
mod zip;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock, mpsc};
use std::thread;
use std::time::Duration;

use stagewright_syntax::Dockerfile;

pub use error::OnlineError;

use self::address::Address;
use self::cache::Cache;
use self::configured::Registries;
use self::http::Client;
use super::many::AnalyzeError;
use crate::analysis::Analysis;
use crate::build::Inputs;
use crate::facts::{
    MeasuredImage, MeasuredNpm, MeasuredPython, Needs, NpmNeed, PythonNeed, Unanswered,
};
use crate::options::{Options, Platform};

/// Whom to ask, and how much may be spent on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The package index for Python (the simple repository API); the one that pip is configured to use if absent.
    pub index: Option<String>,
    /// More such indexes.
    pub extra_indexes: Vec<String>,
    /// The package registry for npm; the one that npm is configured to use if absent.
    pub npm_registry: Option<String>,
    /// The folder of the project, whose `.npmrc` counts as npm has it.
    pub project: Option<PathBuf>,
    /// Hosts or addresses that are asked in the place of a registry of images, by the name that references have for it.
    pub mirrors: BTreeMap<String, String>,
    /// Registries of images (`HOST:PORT`) that are asked without TLS. Those on this machine are so anyway.
    pub plain_http: Vec<String>,
    /// The folder in which answers are kept; without one nothing is.
    pub cache: Option<PathBuf>,
    /// How long answers are good that may change: pages of an index, tags.
    pub max_age: Duration,
    /// The most time for one answer, from the first byte of the question to the last of the answer.
    pub timeout: Duration,
    /// The most time for everything.
    pub total: Duration,
    /// How often a question is asked again that was not answered, after a pause that doubles.
    pub retries: u32,
    /// The most bytes of one file, where one has to be read whole.
    pub max_bytes: u64,
    /// The most bytes of all answers together.
    pub max_total_bytes: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            index: None,
            extra_indexes: Vec::new(),
            npm_registry: None,
            project: None,
            mirrors: BTreeMap::new(),
            plain_http: Vec::new(),
            cache: None,
            max_age: Duration::from_secs(600),
            timeout: Duration::from_secs(30),
            total: Duration::from_secs(300),
            retries: 2,
            max_bytes: 256 << 20,
            max_total_bytes: 4 << 30,
        }
    }
}

impl Settings {
    /// The same with limits that are told, times in seconds; those that are not told stay.
    #[must_use]
    pub fn limited(
        self,
        timeout: Option<f64>,
        total: Option<f64>,
        retries: Option<u32>,
        max_bytes: Option<u64>,
    ) -> Self {
        let seconds = |told: Option<f64>, usual| match told {
            // What is no time at all is none.
            Some(seconds) => Duration::try_from_secs_f64(seconds.min(1e9)).unwrap_or_default(),
            None => usual,
        };
        Self {
            timeout: seconds(timeout, self.timeout),
            total: seconds(total, self.total),
            retries: retries.unwrap_or(self.retries),
            max_bytes: max_bytes.unwrap_or(self.max_bytes),
            ..self
        }
    }
}

/// How far the answering is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Questions that are answered, or will not be.
    pub done: usize,
    /// Questions so far; answers lead to more of them.
    pub total: usize,
    /// What was asked for last.
    pub what: String,
}

/// Asks indexes and registries. Time and bytes are counted from [`Online::new`] on.
pub struct Online {
    settings: Settings,
    client: Client,
    cache: Cache,
    indexes: OnceLock<Result<Vec<Address>, OnlineError>>,
    registries: OnceLock<Result<Registries, OnlineError>>,
}

/// Questions asked at the same time.
const WORKERS: usize = 8;
/// Answers lead to further needs: packages need packages. No chain of them is this long.
const ROUNDS: usize = 64;
/// Questions that one analysis may ask.
const QUESTIONS: usize = 20_000;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    Image(String),
    Python(PythonNeed),
    Npm(NpmNeed),
}

enum Answered {
    Image(Box<MeasuredImage>),
    Python(Box<MeasuredPython>),
    Npm(MeasuredNpm),
}

impl Need {
    fn what(&self) -> String {
        match self {
            Self::Image(reference) => reference.clone(),
            Self::Python(need) => index::asked(need),
            Self::Npm(need) => npm::asked(need),
        }
    }
}

impl Online {
    /// Nobody is asked yet. An error if the cache cannot be made.
    pub fn new(settings: Settings) -> Result<Self, OnlineError> {
        Ok(Self {
            client: Client::new(&settings),
            cache: Cache::open(settings.cache.as_deref())?,
            settings,
            indexes: OnceLock::new(),
            registries: OnceLock::new(),
        })
    }

    /// Analyses a build with the measured numbers of all that it needs, as far as they can be had.
    ///
    /// What cannot be answered is a finding with the code of [`OnlineError`], and the tables answer for it. An error: the cache cannot be
    /// written, or the build cannot be analysed at all.
    pub fn analyze(
        &self,
        file: &Dockerfile<'_>,
        inputs: &Inputs,
        options: &Options,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<Analysis, AnalyzeError> {
        let mut options = options.clone();
        let mut analysis = Analysis::with_inputs(file, inputs, &options)?;
        let mut asked = BTreeSet::new();
        for _ in 0..ROUNDS {
            let mut needs = all(analysis.needs());
            needs.retain(|need| !asked.contains(need));
            needs.truncate(QUESTIONS.saturating_sub(asked.len()));
            if needs.is_empty() {
                break;
            }
            asked.extend(needs.iter().cloned());
            self.answer(&needs, asked.len(), &mut options, progress)?;
            analysis = Analysis::with_inputs(file, inputs, &options)?;
        }
        Ok(analysis)
    }

    /// Asks for some needs at the same time, and puts the answers into the options, in the order of the needs.
    fn answer(
        &self,
        needs: &[Need],
        total: usize,
        options: &mut Options,
        progress: &mut dyn FnMut(&Progress),
    ) -> Result<(), OnlineError> {
        let platform = options.platform.clone();
        let next = AtomicUsize::new(0);
        let (sender, receiver) = mpsc::channel();
        let mut answers: BTreeMap<usize, Result<Answered, OnlineError>> = BTreeMap::new();
        thread::scope(|scope| {
            for _ in 0..WORKERS.min(needs.len()) {
                let (sender, next, platform) = (sender.clone(), &next, &platform);
                scope.spawn(move || {
                    while let Some((at, need)) = {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        needs.get(at).map(|need| (at, need))
                    } {
                        if sender.send((at, self.ask(need, platform))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(sender);
            for (at, answer) in receiver {
                answers.insert(at, answer);
                progress(&Progress {
                    done: total - needs.len() + answers.len(),
                    total,
                    what: needs[at].what(),
                });
            }
        });
        let packages = Arc::make_mut(&mut options.packages);
        for (need, answer) in needs.iter().zip(answers.into_values()) {
            match (need, answer) {
                (Need::Image(name), Ok(Answered::Image(image))) => {
                    options.images.insert(name.clone(), *image);
                }
                (Need::Python(need), Ok(Answered::Python(package))) => {
                    packages.python.insert(need.clone(), *package);
                }
                (Need::Npm(need), Ok(Answered::Npm(package))) => {
                    packages.npm.insert(need.clone(), package);
                }
                (_, Err(error @ OnlineError::Cache { .. })) => return Err(error),
                (need, Err(error)) => options.unanswered.push(Unanswered {
                    message: format!("`{}` was not measured: {error}", need.what()),
                    what: need.what(),
                    code: error.code(),
                }),
                (_, Ok(_)) => unreachable!("each need has its own kind of answer"),
            }
        }
        Ok(())
    }

    fn ask(&self, need: &Need, platform: &Platform) -> Result<Answered, OnlineError> {
        Ok(match need {
            Need::Image(name) => Answered::Image(Box::new(registry::answer(self, name, platform)?)),
            Need::Python(need) => Answered::Python(Box::new(index::answer(self, need)?)),
            Need::Npm(need) => Answered::Npm(npm::answer(self, need)?),
        })
    }

    fn indexes(&self) -> Result<&[Address], OnlineError> {
        let settings = &self.settings;
        let read = || configured::indexes(settings.index.as_deref(), &settings.extra_indexes);
        self.indexes
            .get_or_init(read)
            .as_deref()
            .map_err(Clone::clone)
    }

    fn registry_of(&self, package: &str) -> Result<(Address, Option<String>), OnlineError> {
        let settings = &self.settings;
        let read = || {
            Registries::read(
                settings.npm_registry.as_deref(),
                settings.project.as_deref(),
            )
        };
        self.registries
            .get_or_init(read)
            .as_ref()
            .map_err(Clone::clone)?
            .of(package)
    }
}

impl std::fmt::Debug for Online {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Online")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

fn all(needs: Needs) -> Vec<Need> {
    let images = needs.images.into_iter().map(Need::Image);
    let python = needs.python.into_iter().map(Need::Python);
    images
        .chain(python)
        .chain(needs.npm.into_iter().map(Need::Npm))
        .collect()
}
