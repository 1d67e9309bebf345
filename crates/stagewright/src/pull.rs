//! Deploy cost: what a host pulls that has nothing, the previous image, or other images that share layers with this one.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::analysis::{Analysis, AnalysisError};
use crate::cache::{Prediction, Verdict};
use crate::change::Change;
use crate::estimate::LayerEstimate;
use crate::facts::{Codec, ImageFacts};
use crate::size::Size;

/// What a host has already.
///
/// ```
/// use stagewright::{Analysis, Context, Dockerfile, Options, pull::Host};
///
/// let file = Dockerfile::parse("FROM python:3.12-slim\nCOPY main.py /app/\n");
/// let context = Context::builder().file("main.py", "print(1)\n").build()?;
/// let analysis = Analysis::new(&file, &context, &Options::default())?;
/// let cold = analysis.pull(&Host::default());
/// let shared = analysis.pull(&Host::default().image("python:3.12-slim"));
/// assert!(cold.gzip.expected > 40_000_000 && shared.gzip.expected < 100);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Host<'h> {
    images: Vec<String>,
    builds: Vec<&'h Analysis>,
    previous: Option<&'h Prediction>,
}

impl<'h> Host<'h> {
    /// It has an image of a registry, by its reference.
    #[must_use]
    pub fn image(mut self, reference: impl Into<String>) -> Self {
        self.images.push(reference.into());
        self
    }

    /// It has the image that another build makes, on the same builder. Its context, as that of this build, must have been read with digests
    /// for layers that are copied to be recognized.
    #[must_use]
    pub fn build(mut self, analysis: &'h Analysis) -> Self {
        self.builds.push(analysis);
        self
    }

    /// It has the image as it was before a change, and the next build runs as predicted.
    #[must_use]
    pub fn previous(mut self, prediction: &'h Prediction) -> Self {
        self.previous = Some(prediction);
        self
    }
}

/// What a host pulls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Pull {
    /// Bytes with layers under gzip, what a push does unless told otherwise.
    pub gzip: Size,
    /// Bytes with the image's own layers under zstd. Layers of the base stay as its registry has them.
    pub zstd: Size,
    /// The layers, base first; the base's as one, and not among them where it is not known.
    pub layers: Vec<PulledLayer>,
}

/// What a host pulls of one layer, or of a base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct PulledLayer {
    /// The line of the instruction, 1-based.
    pub line: u32,
    /// The stage, by its name or as `stage-N`.
    pub stage: String,
    /// The instruction as one line.
    pub instruction: String,
    /// Bytes under gzip; none where the host has it.
    pub gzip: Size,
    /// Bytes under zstd; none where the host has it.
    pub zstd: Size,
    /// How much of it the host has.
    pub there: There,
}

/// How much of a layer, or of the layers of a base, a host has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum There {
    /// Nothing.
    Nothing,
    /// Some layers of the base.
    Part,
    /// Nobody can tell before it is built, or the layers of an image are not known.
    Unknown,
    /// All of it.
    All,
}

impl There {
    /// The word used in all three languages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Part => "part",
            Self::Unknown => "unknown",
            Self::All => "all",
        }
    }
}

impl Analysis {
    /// What a host pulls that has nothing ([`Host::default`]), or something.
    pub fn pull(&self, host: &Host<'_>) -> Pull {
        // Of another build's steps only those that end in its image are on the host.
        let predictions: Vec<(Option<BTreeSet<&str>>, Prediction)> = host
            .builds
            .iter()
            .map(|build| {
                let theirs = build.own_layers().iter();
                let theirs = theirs.map(|layer| &*layer.instruction).collect();
                (Some(theirs), self.since(build))
            })
            .chain(host.previous.map(|prediction| (None, prediction.clone())))
            .collect();
        let mut layers = Vec::new();
        if let Some(base) = self.base_layer() {
            let (size, there) = self.base_pull(host);
            layers.push(PulledLayer::new(base, (size, size), there));
        }
        for (own, zstd) in self.own_layers().iter().zip(self.own_packed(Codec::Zstd)) {
            let mut there = There::Nothing;
            for (theirs, prediction) in &predictions {
                if theirs
                    .as_ref()
                    .is_some_and(|theirs| !theirs.contains(&*own.instruction))
                {
                    continue;
                }
                let mut steps = prediction.steps.iter();
                let made = steps.find(|step| own.is_made_by(step));
                match made.map(|step| &step.verdict) {
                    Some(Verdict::Cached) => there = There::All,
                    Some(Verdict::Unknown { .. }) if there != There::All => there = There::Unknown,
                    _ => {}
                }
            }
            let (mut gzip, mut zstd) = (own.size.compressed, zstd);
            match there {
                There::All => (gzip, zstd) = (Size::ZERO, Size::ZERO),
                There::Unknown => (gzip.low, zstd.low) = (0, 0),
                There::Part | There::Nothing => {}
            }
            layers.push(PulledLayer::new(own, (gzip, zstd), there));
        }
        let sum = |of: fn(&PulledLayer) -> Size| Size::sum(layers.iter().map(of));
        Pull {
            gzip: sum(|layer| layer.gzip),
            zstd: sum(|layer| layer.zstd),
            layers,
        }
    }

    /// What a host pulls that has `images` of a registry, by their references, the images that other `builds` make, and, where `files` are
    /// named, this image as it was before these files, or the files in these folders, changed.
    ///
    /// # Errors
    ///
    /// As those of [`Analysis::after`].
    pub fn pull_beside<'h>(
        &self,
        images: impl IntoIterator<Item = String>,
        builds: impl IntoIterator<Item = &'h Self>,
        files: Vec<String>,
    ) -> Result<Pull, AnalysisError> {
        let host = images.into_iter().fold(Host::default(), Host::image);
        let host = builds.into_iter().fold(host, Host::build);
        if files.is_empty() {
            return Ok(self.pull(&host));
        }
        let prediction = self.after(&Change::files(files))?;
        Ok(self.pull(&host.previous(&prediction)))
    }

    /// What is pulled of the base: its layers that no image on the host has.
    fn base_pull(&self, host: &Host<'_>) -> (Size, There) {
        let Some(base) = self.base_facts() else {
            return (Size::ZERO, There::Unknown);
        };
        let reference = self.base_reference();
        let digest = |facts: &ImageFacts| facts.image_id.clone();
        if host.previous.is_some()
            || host.images.iter().any(|image| Some(&**image) == reference)
            || host
                .builds
                .iter()
                .any(|build| build.base_reference() == reference)
        {
            return (Size::ZERO, There::All);
        }
        let images = host.images.iter();
        let images: Vec<_> = images
            .map(|image| self.options().image(image, self.catalog()))
            .collect();
        let builds = host.builds.iter();
        let bases = builds
            .filter(|build| build.base_reference().is_some())
            .map(|build| build.base_facts());
        let facts: Vec<Option<&ImageFacts>> =
            images.iter().map(Option::as_deref).chain(bases).collect();
        let known = facts.iter().flatten();
        if known
            .clone()
            .any(|facts| digest(facts).is_some() && digest(facts) == digest(base))
        {
            return (Size::ZERO, There::All);
        }
        let there: BTreeSet<&str> = known
            .flat_map(|facts| &facts.layers)
            .map(|layer| &*layer.digest)
            .collect();
        let untold = |facts: Option<&ImageFacts>| facts.is_none_or(|facts| facts.layers.is_empty());
        if !facts.is_empty() && (base.layers.is_empty() || facts.iter().copied().all(untold)) {
            // Layers of one of them are not known: they may be the same.
            return (
                Size {
                    low: 0,
                    ..base.compressed
                },
                There::Unknown,
            );
        }
        let shared = base
            .layers
            .iter()
            .filter(|layer| there.contains(&*layer.digest));
        let bytes = shared
            .clone()
            .fold(0_u64, |sum, layer| sum.saturating_add(layer.compressed));
        match shared.count() {
            0 => (base.compressed, There::Nothing),
            count if count == base.layers.len() => (Size::ZERO, There::All),
            _ => {
                let size = base.compressed;
                let rest = Size::range(
                    size.low.saturating_sub(bytes),
                    size.expected.saturating_sub(bytes),
                    size.high.saturating_sub(bytes),
                );
                (rest, There::Part)
            }
        }
    }
}

impl PulledLayer {
    fn new(layer: &LayerEstimate, (gzip, zstd): (Size, Size), there: There) -> Self {
        Self {
            line: layer.line,
            stage: layer.stage.clone(),
            instruction: layer.instruction.clone(),
            gzip,
            zstd,
            there,
        }
    }
}
