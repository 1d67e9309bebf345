//! `Online`: whom to ask for what the catalogue does not know.

use std::collections::BTreeMap;
use std::path::PathBuf;

use pyo3::prelude::*;
use stagewright::online::{Progress, Settings};

/// Whom to ask for measured sizes, and how much may be spent on it: `Dockerfile.analyze(online=Online())`.
#[pyclass(frozen, module = "stagewright")]
pub(crate) struct Online {
    settings: Settings,
    progress: Option<Py<PyAny>>,
}

#[pymethods]
impl Online {
    /// `index` is the package index for Python, the one that pip is configured to use if absent, `extra_indexes` are more of them;
    /// `npm_registry` is the package registry for npm, the one that npm is configured to use if absent, with the `.npmrc` of the folder
    /// `project`; `mirrors` are hosts that are asked in the place of a registry of images, by its name; `plain_http` are registries of
    /// images that are asked without TLS, as those on this machine are.
    ///
    /// Answers are kept in the folder `cache`, if one is named. `timeout` is the most time for one answer, `total_timeout` for all of
    /// them, in seconds; `retries` is how often a question is asked again; `max_file` the most bytes of a file that has to be read
    /// whole. `progress` is called with the number of answers, of questions so far, and what was asked for last.
    #[new]
    #[pyo3(
        signature = (*, index=None, extra_indexes=Vec::new(), npm_registry=None, project=None, mirrors=BTreeMap::new(), plain_http=Vec::new(), cache=None, timeout=None, total_timeout=None, retries=None, max_file=None, progress=None),
        text_signature = "(*, index=None, extra_indexes=(), npm_registry=None, project=None, mirrors={}, plain_http=(), cache=None, timeout=None, total_timeout=None, retries=None, max_file=None, progress=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn new(
        index: Option<String>,
        extra_indexes: Vec<String>,
        npm_registry: Option<String>,
        project: Option<PathBuf>,
        mirrors: BTreeMap<String, String>,
        plain_http: Vec<String>,
        cache: Option<PathBuf>,
        timeout: Option<f64>,
        total_timeout: Option<f64>,
        retries: Option<u32>,
        max_file: Option<u64>,
        progress: Option<Py<PyAny>>,
    ) -> Self {
        let settings = Settings {
            index,
            extra_indexes,
            npm_registry,
            project,
            mirrors,
            plain_http,
            cache,
            ..Settings::default()
        };
        Self {
            settings: settings.limited(timeout, total_timeout, retries, max_file),
            progress,
        }
    }

    #[expect(clippy::unused_self, reason = "Python calls it on an object")]
    fn __repr__(&self) -> &'static str {
        "<Online>"
    }
}

/// What is needed of an [`Online`] while Python does something else.
pub(crate) struct Asking {
    pub(crate) settings: Settings,
    progress: Option<Py<PyAny>>,
}

impl Asking {
    pub(crate) fn of(py: Python<'_>, online: &Online) -> Self {
        Self {
            settings: online.settings.clone(),
            progress: online
                .progress
                .as_ref()
                .map(|callable| callable.clone_ref(py)),
        }
    }

    /// Tells Python; what goes wrong there is shown and stops nothing.
    pub(crate) fn tell(&self, progress: &Progress) {
        let Some(callable) = &self.progress else {
            return;
        };
        Python::attach(|py| {
            let told = callable.call1(py, (progress.done, progress.total, &*progress.what));
            if let Err(error) = told {
                error.write_unraisable(py, Some(callable.bind(py)));
            }
        });
    }
}
