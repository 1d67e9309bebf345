//! A rewrite as data: its edits, what it takes for granted and how far it can be trusted.

use serde::Serialize;
use stagewright_syntax::edit::EditSet;

/// How far a rewrite can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Applicability {
    /// The image behaves as before.
    #[default]
    Safe,
    /// Likely wanted, and may change how the image behaves.
    Unsafe,
    /// A person must decide.
    Suggestion,
}

impl Applicability {
    /// Every one, from the most to the least trusted.
    pub const ALL: [Self; 3] = [Self::Safe, Self::Unsafe, Self::Suggestion];

    /// The word used in all three languages: `safe`, `unsafe`, `suggestion`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Unsafe => "unsafe",
            Self::Suggestion => "suggestion",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|applicability| applicability.as_str() == word)
    }
}

/// What a plan minimises.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Objective {
    /// Bytes of the image on disk.
    ColdSize,
    /// Bytes that a host without the image pulls.
    #[default]
    ColdPull,
    /// Bytes that a host with the previous image pulls after a source edit.
    WarmPull,
    /// Seconds of what a source edit builds again, and of what every build does since it gives arguments such as `GIT_SHA` another value.
    Rebuild,
}

impl Objective {
    /// Every one.
    pub const ALL: [Self; 4] = [
        Self::ColdSize,
        Self::ColdPull,
        Self::WarmPull,
        Self::Rebuild,
    ];

    /// The word used in all three languages: `cold-size`, `cold-pull`, `warm-pull`, `rebuild`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ColdSize => "cold-size",
            Self::ColdPull => "cold-pull",
            Self::WarmPull => "warm-pull",
            Self::Rebuild => "rebuild",
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|objective| objective.as_str() == word)
    }
}

/// One rewrite.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Proposal {
    /// What it does, in a few words.
    pub title: String,
    /// How far it can be trusted.
    pub applicability: Applicability,
    /// What it takes for granted, in sentences.
    pub assumptions: Vec<String>,
    /// What a person should know about it, in sentences.
    pub warnings: Vec<String>,
    /// The edits of the Dockerfile.
    pub edits: EditSet,
    /// The new `.dockerignore`, where the rewrite changes it.
    pub dockerignore: Option<String>,
}

impl Proposal {
    /// A rewrite that takes nothing for granted. What it does take for granted, and what to mind, are added to its fields.
    pub fn new(title: impl Into<String>, applicability: Applicability, edits: EditSet) -> Self {
        Self {
            title: title.into(),
            applicability,
            assumptions: Vec::new(),
            warnings: Vec::new(),
            edits,
            dockerignore: None,
        }
    }

    /// The same, with what it takes for granted.
    #[must_use]
    pub fn assuming(mut self, assumptions: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.assumptions
            .extend(assumptions.into_iter().map(Into::into));
        self
    }
}
