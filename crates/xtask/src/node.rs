//! The npm package: its build tool in `node_modules`, and the addon beside its `package.json`.

use std::path::PathBuf;
use std::process::Command;

use crate::Failure;
use crate::process::{must, once, root, version};

const NPM: &str = if cfg!(windows) { "npm.cmd" } else { "npm" };

/// The built package.
pub(crate) struct Node {
    /// Whether the committed `index.d.ts` is what the build made.
    pub(crate) types_are_fresh: bool,
}

impl Node {
    /// Installs what is missing, and builds the addon.
    pub(crate) fn build() -> Result<Self, Failure> {
        Self::built_with(&[])
    }

    /// The same, optimised.
    pub(crate) fn release() -> Result<Self, Failure> {
        Self::built_with(&["--", "--release"])
    }

    fn built_with(more: &[&str]) -> Result<Self, Failure> {
        if version("node").is_none_or(|version| version < (20, 0)) {
            return Err("Node 20 or later is needed: no `node` of that version was found".into());
        }
        let lock = std::fs::read_to_string(folder().join("package-lock.json"))?;
        once(
            &folder().join("node_modules/.stagewright-lock"),
            &lock,
            || {
                let mut npm = npm();
                npm.current_dir(folder()).args([
                    "ci",
                    "--no-audit",
                    "--no-fund",
                    "--loglevel=error",
                ]);
                must("Node: build tool", &mut npm)
            },
        )?;
        let types = folder().join("index.d.ts");
        let before = std::fs::read_to_string(&types).unwrap_or_default();
        let mut npm = npm();
        npm.current_dir(folder())
            .args(["run", "--silent", "build"])
            .args(more);
        must("Node: building the package", &mut npm)?;
        Ok(Self {
            types_are_fresh: before == std::fs::read_to_string(&types)?,
        })
    }

    /// `node`, in the folder of the package.
    #[expect(clippy::unused_self, reason = "the addon must be there")]
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new("node");
        command.current_dir(folder());
        command
    }
}

/// `npm`.
pub(crate) fn npm() -> Command {
    Command::new(NPM)
}

fn folder() -> PathBuf {
    root().join("bindings/node")
}
