//! How a build of a scenario is called, besides its files, its arguments and its target.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stagewright::build::Inputs;
use stagewright::context::Context;
use stagewright::options::{Options, RunOptions, RunWords};
use stagewright::stage::{ImageConfig, StageGraph};
use stagewright_syntax::Dockerfile;

use crate::scenario::{Entry, add};

/// What a build is told, and what stands outside of its context.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Called {
    /// The builder; `BuildKit` if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub builder: Option<String>,
    /// The platform.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub platform: Option<String>,
    /// The network of commands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<String>,
    /// Names that commands find, as `NAME=IP`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub add_hosts: Vec<String>,
    /// The size of `/dev/shm`, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shm_size: Option<String>,
    /// Limits of commands.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ulimits: Vec<String>,
    /// The control group of commands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cgroup_parent: Option<String>,
    /// Values of secrets, by their id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, String>,
    /// Named contexts.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub contexts: BTreeMap<String, Named>,
    /// Files that are served at [`SERVED`].
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub served: BTreeMap<String, Served>,
    /// The files of the repository at [`REPOSITORY`], with the message of their commit under the empty name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub repository: BTreeMap<String, String>,
    /// Images that the registry has under these names, as Dockerfiles without context.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub images: BTreeMap<String, String>,
}

/// A named context.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Named {
    /// An image, as `docker-image://REFERENCE`.
    Image(String),
    /// A folder.
    Folder(BTreeMap<String, Entry>),
}

/// A file that is served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Served {
    /// Its content.
    pub text: String,
    /// The header `Last-Modified`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
}

/// Where files are served.
pub const SERVED: &str = "http://127.0.0.1:8963/";

/// Where the repository is.
pub const REPOSITORY: &str = "git://127.0.0.1:8964/repository.git";

impl Called {
    /// Whether nothing is told.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The same with what a patch (RFC 7396) changes.
    pub fn patched(&self, patch: &serde_json::Value) -> Result<Self, serde_json::Error> {
        let mut value = serde_json::to_value(self)?;
        merge(&mut value, patch);
        serde_json::from_value(value)
    }

    /// The options of the library: a checksum stands for a file that is served, the files for a commit, the layers for an image.
    pub fn options(&self) -> Result<Options, String> {
        let failed = |error| format!("{error}");
        let words = RunWords {
            network: self.network.clone(),
            add_hosts: self.add_hosts.clone(),
            shm_size: self.shm_size.clone(),
            ulimits: self.ulimits.clone(),
            cgroup_parent: self.cgroup_parent.clone(),
        };
        let mut options = Options {
            run: RunOptions::from_words(&words).map_err(failed)?,
            ..Options::default()
        };
        if let Some(platform) = &self.platform {
            options.platform = platform.parse().map_err(failed)?;
        }
        if let Some(builder) = &self.builder {
            options.builder = builder.parse().map_err(failed)?;
        }
        let named = self.contexts.iter().map(|(name, named)| match named {
            Named::Image(image) => (name.clone(), image.clone()),
            Named::Folder(_) => (name.clone(), name.clone()),
        });
        options.named_contexts = named.collect();
        let digest = |text: &str| stagewright::context::Digest::of(text).to_string();
        for (name, file) in &self.served {
            let address = format!("{SERVED}{name}");
            options.downloads.insert(address, digest(&file.text));
        }
        if !self.repository.is_empty() {
            // The message of the commit is no part of the tree.
            let files = self.repository.iter().filter(|(name, _)| !name.is_empty());
            let tree = digest(&format!("{:?}", files.collect::<Vec<_>>()));
            options.downloads.insert(REPOSITORY.to_owned(), tree);
        }
        for (name, dockerfile) in &self.images {
            options
                .bases
                .insert(name.clone(), digest(&layers(dockerfile)));
        }
        Ok(options)
    }

    /// The folders among the named contexts.
    pub fn inputs(&self, mut inputs: Inputs) -> Result<Inputs, String> {
        for (name, named) in &self.contexts {
            if let Named::Folder(files) = named {
                let context = add(Context::builder(), files).build();
                inputs = inputs.named_context(name, context.map_err(|error| error.to_string())?);
            }
        }
        Ok(inputs)
    }

    /// The configuration of an image: one of its own, or busybox with one variable.
    pub fn image(&self, reference: &str) -> ImageConfig {
        let mut config = ImageConfig::default();
        config.env.push(("PATH".to_owned(), "/bin".to_owned()));
        let Some(dockerfile) = self.images.get(reference) else {
            return config;
        };
        let file = Dockerfile::parse(dockerfile);
        let graph = StageGraph::new(&file, &Options::default(), &|_| Some(config.clone()));
        graph.map_or(config.clone(), |graph| {
            graph.target_stage().end.config.clone()
        })
    }
}

/// The instructions that make layers: images with the same ones are alike to BuildKit.
fn layers(dockerfile: &str) -> String {
    let makes = |line: &&str| {
        ["FROM ", "RUN ", "COPY ", "ADD ", "WORKDIR "]
            .iter()
            .any(|start| line.starts_with(start))
    };
    dockerfile
        .lines()
        .filter(makes)
        .collect::<Vec<_>>()
        .join("\n")
}

fn merge(value: &mut serde_json::Value, patch: &serde_json::Value) {
    let serde_json::Value::Object(patch) = patch else {
        return value.clone_from(patch);
    };
    if !value.is_object() {
        *value = serde_json::json!({});
    }
    for (key, patch) in patch {
        if patch.is_null() {
            value.as_object_mut().and_then(|map| map.remove(key));
        } else {
            merge(&mut value[key], patch);
        }
    }
}
