//! `cargo xtask bench [python | node | FILTER …]`: the benches, optimised as a release is.
//!
//! Where Go is installed, BuildKit's own parser reads the same files in the same run; `python` and `node` hold the packages against those of others. All three
//! read the folder that `STAGEWRIGHT_CORPUS` names.

use std::fs::File;
use std::process::{Command, Stdio};

use stagewright_tests::corpus;

use crate::Failure;
use crate::node::Node;
use crate::oracle::Oracle;
use crate::process::{cargo, must, once, root, target};
use crate::python::Python;

/// Runs the benches whose names hold one of the filters; all without a filter.
pub(crate) fn run(filters: &[&str]) -> Result<(), Failure> {
    match filters {
        ["python"] => return python(),
        ["node"] => return node(),
        _ => {}
    }
    let files = target().join("bench-files");
    must(
        "benches",
        cargo()
            .args(["bench", "--package", "stagewright-benches", "--"])
            .args(filters)
            .env("STAGEWRIGHT_BENCH_FILES", &files),
    )?;
    match File::open(&files) {
        Ok(files) => buildkit(files),
        // No bench read files.
        Err(_) => Ok(()),
    }
}

fn folder() -> Result<std::ffi::OsString, Failure> {
    std::env::var_os(corpus::VARIABLE)
        .ok_or_else(|| format!("{} names no folder of Dockerfiles", corpus::VARIABLE).into())
}

/// BuildKit's parser on the files that the bench of ours has read.
fn buildkit(files: File) -> Result<(), Failure> {
    let Ok(oracle) = Oracle::build() else {
        eprintln!("skipped: BuildKit's parser needs Go");
        return Ok(());
    };
    must(
        "BuildKit: parser.Parse and instructions.Parse",
        Command::new(oracle.program())
            .arg("bench")
            .stdin(Stdio::from(files)),
    )
}

fn python() -> Result<(), Failure> {
    let python = Python::release()?;
    let benches = root().join("benches/python");
    must(
        "Python: parsers of others",
        python
            .module("pip")
            .args([
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--requirement",
            ])
            .arg(benches.join("requirements.txt")),
    )?;
    must(
        "Python: from text to a list of instructions",
        python
            .interpreter()
            .arg(benches.join("parse.py"))
            .arg(folder()?),
    )
}

fn node() -> Result<(), Failure> {
    let node = Node::release()?;
    let benches = root().join("benches/node");
    let wanted = std::fs::read_to_string(benches.join("package.json"))?;
    once(
        &benches.join("node_modules/.stagewright-package"),
        &wanted,
        || {
            must(
                "Node: parsers of others",
                crate::node::npm().current_dir(&benches).args([
                    "install",
                    "--no-package-lock",
                    "--no-audit",
                    "--no-fund",
                    "--loglevel=error",
                ]),
            )
        },
    )?;
    must(
        "Node: from text to a list of instructions",
        node.command().arg(benches.join("parse.js")).arg(folder()?),
    )
}
