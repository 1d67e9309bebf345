//! Asking for what the catalogue does not know, beside the thread of JavaScript.

use std::collections::BTreeMap;

use napi::bindgen_prelude::JsObjectValue;
use napi::{Env, JsValue, Task};
use napi_derive::napi;
use stagewright::online::{Online, Settings};
use stagewright::report::{ErrorDetail, ErrorReport};
use stagewright::{Inputs, Options};

use crate::analysis::Analysis;

/// Whom to ask for measured sizes, and how much may be spent on it.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct OnlineOptions {
    /// The package index for Python; the one that pip is configured to use if absent.
    pub index: Option<String>,
    /// More package indexes.
    pub extra_indexes: Option<Vec<String>>,
    /// The package registry for npm; the one that npm is configured to use if absent.
    pub npm_registry: Option<String>,
    /// The folder of the project, whose `.npmrc` counts as npm has it.
    pub project: Option<String>,
    /// Hosts that are asked in the place of a registry of images, by its name.
    pub mirrors: Option<BTreeMap<String, String>>,
    /// Registries of images that are asked without TLS, as those on this machine are.
    pub plain_http: Option<Vec<String>>,
    /// The folder in which answers are kept.
    pub cache: Option<String>,
    /// The most seconds for one answer; 30 if absent.
    pub timeout: Option<f64>,
    /// The most seconds for all answers; 300 if absent.
    pub total_timeout: Option<f64>,
    /// How often a question is asked again that was not answered; 2 if absent.
    pub retries: Option<u32>,
    /// The most bytes of a file that has to be read whole; 256 MiB if absent.
    pub max_file: Option<i64>,
}

impl OnlineOptions {
    pub(crate) fn settings(self) -> Settings {
        let max_bytes = self.max_file;
        let max_bytes = max_bytes.map(|bytes| u64::try_from(bytes).unwrap_or_default());
        Settings {
            index: self.index,
            extra_indexes: self.extra_indexes.unwrap_or_default(),
            npm_registry: self.npm_registry,
            project: self.project.map(Into::into),
            mirrors: self.mirrors.unwrap_or_default(),
            plain_http: self.plain_http.unwrap_or_default(),
            cache: self.cache.map(Into::into),
            ..Settings::default()
        }
        .limited(self.timeout, self.total_timeout, self.retries, max_bytes)
    }
}

/// An analysis that asks.
pub struct Asking {
    pub(crate) text: String,
    pub(crate) inputs: Inputs,
    pub(crate) options: Options,
    pub(crate) settings: Settings,
}

impl Task for Asking {
    type Output = Result<stagewright::Analysis, ErrorDetail>;
    type JsValue = Analysis;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let file = stagewright::Dockerfile::parse(&self.text);
        let online = match Online::new(self.settings.clone()) {
            Ok(online) => online,
            Err(error) => return Ok(Err(ErrorReport::new(&error).error)),
        };
        let analysis = online.analyze(&file, &self.inputs, &self.options, &mut |_| {});
        Ok(analysis.map_err(|error| ErrorReport::new(&error).error))
    }

    fn resolve(&mut self, env: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        match output {
            Ok(analysis) => Ok(Analysis::new(analysis)),
            Err(ErrorDetail { code, message, .. }) => {
                let mut error = env.create_error(napi::Error::from_reason(message))?;
                error.set_named_property("code", code)?;
                Err(napi::Error::from(error.to_unknown()))
            }
        }
    }
}
