//! What other tools made of the sample projects, and what came of it when it was built and started: the record `tests/real/peers.json`, made
//! by `cargo xtask real peers`, beside that of [`proof`].

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::proof::{self, Built};

/// Everything that was made and built.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The form of this file.
    pub schema: u32,
    /// When it was last written.
    pub date: String,
    /// How it was made, and what is not to be compared.
    pub how: Vec<String>,
    /// The tools.
    pub tools: Vec<Tool>,
    /// What they made: each project by each tool, in this order.
    pub made: Vec<Made>,
}

/// A tool that is compared with.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tool {
    /// The name of its folder.
    pub name: String,
    /// Its release.
    pub version: String,
    /// What it does.
    pub kind: Kind,
}

/// What a tool does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It changes a Dockerfile.
    Rewrites,
    /// It writes one for a project that has none.
    Generates,
}

impl Kind {
    /// The variant of [`proof::variants`] that does the same.
    pub fn ours(self) -> &'static str {
        match self {
            Self::Rewrites => "safe",
            Self::Generates => "generated",
        }
    }
}

/// What one tool made of one project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Made {
    /// The folder under `tests/projects`.
    pub project: String,
    /// The name of the tool.
    pub tool: String,
    /// The Dockerfile; nothing where it wrote none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dockerfile: Option<String>,
    /// Images that stood in for others, by the reference in the Dockerfile.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stand_ins: BTreeMap<String, String>,
    /// The base image that could not be had, so that nothing was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<String>,
    /// Why there is no image otherwise, or none that works.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
    /// The image; nothing where none was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// Codes of what hadolint finds in the file; nothing before it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hadolint: Option<Vec<String>>,
}

/// An image that was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Image {
    /// Whether the application answered as its `check.json` says.
    pub check: bool,
    /// Whether it did so at the port of the naive image, and exposes another.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exposes_other: bool,
    /// True file bytes above the base, without the caches of package managers.
    pub bytes: u64,
    /// True bytes of those caches.
    pub cache: u64,
    /// Whether an edit of a source file ran an install again.
    pub installs_again: bool,
}

impl From<&Built> for Image {
    fn from(built: &Built) -> Self {
        Self {
            check: built.check,
            exposes_other: false,
            bytes: built.above_base().1,
            cache: built.layers.iter().map(|layer| layer.cache).sum(),
            installs_again: built.installs_again(),
        }
    }
}

impl Image {
    /// The bytes of a whole image, as [`proof::whole`] counts them, and the caches: to leave none behind is most of what some tools do.
    pub fn whole(&self, dockerfile: &str) -> Option<f64> {
        proof::whole(dockerfile, self.bytes + self.cache)
    }
}

impl Made {
    /// The image, if the application works in it.
    pub fn works(&self) -> Option<&Image> {
        self.image.as_ref().filter(|image| image.check)
    }
}

/// A tool beside stagewright on the same projects.
#[derive(Clone, Debug, Default)]
pub struct Comparison {
    /// Projects that the tool wrote a file for.
    pub written: usize,
    /// Of those, the ones whose bases could be had.
    pub built: usize,
    /// Of those that were built, the ones whose image works: the tool's, and ours.
    pub works: [usize; 2],
    /// Of those whose image works, how many of the tool's expose a port at which nothing answers.
    pub expose_other: usize,
    /// Of those whose image works, how many run an install again after an edit: the tool's, and ours.
    pub installs_again: [usize; 2],
    /// By which share the images that work are smaller than the naive ones, the median: the tool's, and ours of the same projects. Nothing
    /// where none works.
    pub smaller: [Option<f64>; 2],
    /// How many of them are larger than the naive ones: the tool's, and ours.
    pub larger: [usize; 2],
    /// Projects where the tool's image works and is smaller than ours, with both, in bytes.
    pub ahead: Vec<(String, [f64; 2])>,
    /// Kinds of what hadolint finds in all files: the naive ones, the tool's and ours.
    pub hadolint: [usize; 3],
}

/// Images whose sizes differ by no larger share are of the same size: a COPY of the whole project brings along the Dockerfile, which has a
/// few bytes more.
const SAME: f64 = 0.000_01;

impl Record {
    /// Holds a tool against what stagewright does of the same kind.
    pub fn compare(&self, tool: &Tool, ours: &proof::Record) -> Option<Comparison> {
        let mut found = Comparison::default();
        let mut shares: [Vec<(f64, &str)>; 2] = Default::default();
        for made in self.made.iter().filter(|made| made.tool == tool.name) {
            let Some(dockerfile) = &made.dockerfile else {
                continue;
            };
            let naive = ours.naive(&made.project)?;
            let mut builds = ours.builds.iter();
            let own = builds.find(|build| {
                build.project == made.project && build.variant.name == tool.kind.ours()
            })?;
            found.written += 1;
            let lints = [&naive.hadolint, &made.hadolint, &own.hadolint];
            for (sum, codes) in found.hadolint.iter_mut().zip(lints) {
                *sum += codes.as_ref().map_or(0, Vec::len);
            }
            if made.missing.is_some() {
                continue;
            }
            found.built += 1;
            found.works[1] += usize::from(own.check);
            let Some(image) = made.works() else {
                continue;
            };
            found.works[0] += 1;
            found.expose_other += usize::from(image.exposes_other);
            let again = [image.installs_again, own.installs_again()];
            let of = |built: &Built| Image::from(built).whole(&built.variant.dockerfile);
            let sizes = [image.whole(dockerfile)?, of(own)?];
            for at in 0..2 {
                let share = 1.0 - sizes[at] / of(naive)?;
                found.installs_again[at] += usize::from(again[at]);
                found.larger[at] += usize::from(share < -SAME);
                shares[at].push((share, &made.project));
            }
            if sizes[0] < sizes[1] * (1.0 - SAME) {
                found.ahead.push((made.project.clone(), sizes));
            }
        }
        for (median, shares) in found.smaller.iter_mut().zip(&mut shares) {
            shares.sort_by(|a, b| a.0.total_cmp(&b.0));
            *median = proof::median(shares);
        }
        Some(found)
    }
}
