//! The Python package: a virtual environment under `target/`, and the package built into it.

use std::path::PathBuf;
use std::process::Command;

use crate::Failure;
use crate::process::{must, once, root, target, version};

/// A virtual environment in which the package is installed.
pub(crate) struct Python {
    environment: PathBuf,
}

impl Python {
    /// Makes what is missing of it, and builds the package.
    pub(crate) fn build() -> Result<Self, Failure> {
        Self::built_with(&[])
    }

    /// The same, optimised.
    pub(crate) fn release() -> Result<Self, Failure> {
        Self::built_with(&["--release"])
    }

    fn built_with(more: &[&str]) -> Result<Self, Failure> {
        let python = Self {
            environment: target().join("venv"),
        };
        python.install()?;
        let mut maturin = python.module("maturin");
        maturin.args(["develop", "--quiet"]).args(more);
        // A folder of its own: pyo3 is built for the interpreter of the environment, and would be built again at every turn.
        maturin
            .env("CARGO_TARGET_DIR", target().join("maturin"))
            .env("VIRTUAL_ENV", &python.environment);
        must("Python: building the package", &mut maturin)?;
        Ok(python)
    }

    fn install(&self) -> Result<(), Failure> {
        let requirements = root().join("bindings/python/requirements-dev.txt");
        let wanted = std::fs::read_to_string(&requirements)?;
        once(
            &self.environment.join("stagewright-requirements"),
            &wanted,
            || {
                let program = find()?;
                must(
                    "Python: virtual environment",
                    Command::new(program)
                        .args(["-m", "venv", "--clear"])
                        .arg(&self.environment),
                )?;
                let mut pip = self.module("pip");
                pip.args([
                    "install",
                    "--quiet",
                    "--disable-pip-version-check",
                    "--requirement",
                ])
                .arg(&requirements);
                must("Python: maturin, pytest, mypy", &mut pip)
            },
        )
    }

    /// The interpreter of the environment, in the folder of the package.
    pub(crate) fn interpreter(&self) -> Command {
        let program = if cfg!(windows) {
            "Scripts/python.exe"
        } else {
            "bin/python"
        };
        let mut command = Command::new(self.environment.join(program));
        command.current_dir(root().join("bindings/python"));
        command
    }

    /// `python -m NAME`.
    pub(crate) fn module(&self, name: &str) -> Command {
        let mut command = self.interpreter();
        command.args(["-m", name]);
        command
    }
}

fn find() -> Result<&'static str, Failure> {
    let candidates = ["python3", "python"];
    let found = candidates
        .into_iter()
        .find(|program| version(program).is_some_and(|version| version >= (3, 10)));
    found.ok_or_else(|| {
        "Python 3.10 or later is needed: no `python3` of that version was found".into()
    })
}
