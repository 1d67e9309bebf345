//! What the next build does with the cache, besides looking into it.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::Serialize;

use crate::build::{Build, Origin, Step, StepKind};
use crate::options::{Builder, OptionsError};

/// How the next build uses the cache. The default is that of `docker build .` on the builder of the build before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheOptions {
    /// The steps that run whatever the cache holds.
    pub no_cache: NoCache,
    /// A fresh builder, which has nothing but the exported cache of the build before; `None` is the builder of the build before.
    pub imported: Option<Export>,
}

/// Which steps run whatever the cache holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum NoCache {
    /// None of them.
    #[default]
    Nothing,
    /// Every RUN, COPY and ADD (`--no-cache`).
    Everything,
    /// Every RUN, COPY and ADD of the stages of these names, in any case (`--no-cache-filter`).
    Stages(Vec<String>),
}

/// How a cache was exported (`--cache-to`). Keys are exported of every step; it is the layers that differ.
///
/// Rules: `solver/exporter.go` and `cache/remotecache/inline/inline.go` at v0.32.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Export {
    /// `mode=min`: the layers of the image that is built.
    Min,
    /// `mode=max`: the layers of every step.
    Max,
    /// `type=inline`: the image itself, whose configuration holds the keys.
    Inline,
}

impl CacheOptions {
    /// The options from the words that a person writes: `--no-cache`, the stages of `--no-cache-filter`, how the imported cache was
    /// exported.
    pub fn from_words(
        no_cache: bool,
        no_cache_filter: Vec<String>,
        imported: Option<&str>,
    ) -> Result<Self, OptionsError> {
        let no_cache = if no_cache {
            NoCache::Everything
        } else if no_cache_filter.is_empty() {
            NoCache::Nothing
        } else {
            NoCache::Stages(no_cache_filter)
        };
        Ok(Self {
            no_cache,
            imported: imported.map(str::parse).transpose()?,
        })
    }

    /// The same with other steps that run whatever the cache holds.
    #[must_use]
    pub fn no_cache(mut self, no_cache: NoCache) -> Self {
        self.no_cache = no_cache;
        self
    }

    /// The same on a fresh builder that imports the cache of the build before.
    #[must_use]
    pub fn imported(mut self, export: Export) -> Self {
        self.imported = Some(export);
        self
    }
}

impl NoCache {
    /// For each step whether it runs whatever the cache holds. Equal steps on equal inputs are one to BuildKit, in the definition of a build
    /// already (`client/llb/state.go`, `mergeMetadata`): what is told of one holds for all.
    pub(super) fn covered(&self, build: &Build) -> Vec<bool> {
        let named: Vec<bool> = build
            .steps
            .iter()
            .map(|step| self.covers(step, build.builder))
            .collect();
        if build.builder == Builder::Legacy || !named.contains(&true) {
            return named;
        }
        let mut vertices = BTreeMap::new();
        let mut numbers: Vec<usize> = Vec::new();
        let mut covered = Vec::new();
        for (step, named) in build.steps.iter().zip(named) {
            let inputs = step.inputs.iter().map(|input| match &input.origin {
                Origin::Step(id) => (Some(numbers[id.0]), None, input.selector),
                other => (None, Some(other), input.selector),
            });
            let inputs: Vec<_> = inputs.collect();
            let next = vertices.len();
            let number = *vertices.entry((step.definition, inputs)).or_insert(next);
            if number == next {
                covered.push(named);
            }
            covered[number] |= named;
            numbers.push(number);
        }
        numbers.into_iter().map(|number| covered[number]).collect()
    }

    /// BuildKit does not cover base images and WORKDIR (`llb.IgnoreCache` in `dispatchRun` and `dispatchCopy`); the builder before it
    /// covers every step, and knows no stages (`newImageProber`).
    fn covers(&self, step: &Step, builder: Builder) -> bool {
        if builder == Builder::Legacy {
            return *self == Self::Everything && step.kind != StepKind::Base;
        }
        let named = match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Stages(names) => names
                .iter()
                .any(|name| name.eq_ignore_ascii_case(&step.stage_name)),
        };
        named && !matches!(step.kind, StepKind::Base | StepKind::Workdir)
    }
}

impl Export {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Min, Self::Max, Self::Inline];

    /// Its name, as in `mode=min`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Max => "max",
            Self::Inline => "inline",
        }
    }
}

impl FromStr for Export {
    type Err = OptionsError;

    fn from_str(word: &str) -> Result<Self, OptionsError> {
        let known = Self::ALL.into_iter().find(|one| one.as_str() == word);
        known.ok_or_else(|| OptionsError::Export {
            word: word.to_owned(),
        })
    }
}
