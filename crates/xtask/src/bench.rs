//! `cargo xtask bench [parse | python | node | FILTER …]`: the benches, optimised as a release is.
//!
//! `parse` also times BuildKit's own parser where Go is installed; `python` and `node` hold the packages against those of others. All three
//! read the folder that `STAGEWRIGHT_CORPUS` names.

use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};

use stagewright_syntax::Dockerfile;
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
    must(
        "benches",
        cargo()
            .args(["bench", "--package", "stagewright-benches", "--"])
            .args(filters),
    )?;
    if filters.is_empty() || filters.contains(&"parse") {
        buildkit()?;
    }
    Ok(())
}

fn folder() -> Result<std::ffi::OsString, Failure> {
    std::env::var_os(corpus::VARIABLE)
        .ok_or_else(|| format!("{} names no folder of Dockerfiles", corpus::VARIABLE).into())
}

/// BuildKit's parser on the files that the bench of ours reads.
fn buildkit() -> Result<(), Failure> {
    let Ok(oracle) = Oracle::build() else {
        eprintln!("skipped: BuildKit's parser needs Go");
        return Ok(());
    };
    let names = target().join("bench-files");
    let mut out = File::create(&names)?;
    for (path, text) in corpus::from_environment().unwrap_or_default() {
        if Dockerfile::parse(&text).errors().is_empty() {
            writeln!(out, "{}", path.display())?;
        }
    }
    must(
        "BuildKit: parser.Parse and instructions.Parse",
        Command::new(oracle.program())
            .arg("bench")
            .stdin(Stdio::from(File::open(names)?)),
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
