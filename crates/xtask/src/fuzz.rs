//! `cargo xtask fuzz SECONDS [TARGET …]`: the fuzz targets, and the corpus they grow.
//!
//! Each target starts from `fuzz/seeds/<target>`, runs for so many seconds, and leaves there the inputs that its corpus comes down to
//! (`cargo fuzz cmin`), a few of every size up to [`KEPT`] bytes. Seeds with names were written by hand and stay.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Failure;
use crate::process::{must, root, target};

/// The targets, as `fuzz/Cargo.toml` has them.
const TARGETS: [&str; 4] = ["parse", "expand", "edit", "ignore"];

/// Bytes, and inputs, that are kept for each target at most.
const KEPT: u64 = 40_000;
const INPUTS: usize = 200;

/// Runs targets; all if none is named.
pub(crate) fn run(seconds: &str, targets: &[&str]) -> Result<(), Failure> {
    let targets = if targets.is_empty() {
        &TARGETS[..]
    } else {
        targets
    };
    for name in targets {
        let seeds = root().join("fuzz/seeds").join(name);
        let grown = target().join("fuzz-corpus").join(name);
        fs::create_dir_all(&seeds)?;
        fs::create_dir_all(&grown)?;
        must(
            &format!("fuzz {name}"),
            fuzz(&["run", name])
                .args([&grown, &seeds])
                .args(["--", "-max_len=4096", "-timeout=10"])
                .arg(format!("-max_total_time={seconds}")),
        )?;
        for (_, seed) in inputs(&seeds)? {
            if let Some(file) = seed.file_name() {
                fs::copy(&seed, grown.join(file))?;
            }
        }
        must(
            &format!("fuzz {name}: the inputs that matter"),
            fuzz(&["cmin", name]).arg(&grown),
        )?;
        keep(&grown, &seeds)?;
    }
    Ok(())
}

fn fuzz(verb: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    // The cargo that runs this task names its own tool chain to those below it.
    command
        .current_dir(root())
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("CARGO")
        .args(["+nightly", "fuzz", verb[0], "--fuzz-dir", "fuzz"])
        .args(&verb[1..]);
    command
}

/// Files with their sizes, shortest first.
fn inputs(folder: &Path) -> Result<Vec<(u64, PathBuf)>, Failure> {
    let mut inputs: Vec<(u64, PathBuf)> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        inputs.push((entry.metadata()?.len(), entry.path()));
    }
    inputs.sort();
    Ok(inputs)
}

/// Whether the fuzzer gave a file its name: the hash of what it holds.
fn is_found(path: &Path) -> bool {
    path.file_name().is_some_and(|name| {
        name.len() == 40 && name.as_encoded_bytes().iter().all(u8::is_ascii_hexdigit)
    })
}

/// Puts inputs of every size, the shortest first, in the place of those that were found before.
fn keep(from: &Path, to: &Path) -> Result<(), Failure> {
    let found = inputs(from)?;
    let step = found.len().div_ceil(INPUTS).max(1);
    for (_, old) in inputs(to)? {
        if is_found(&old) {
            fs::remove_file(old)?;
        }
    }
    let mut total = 0;
    for (size, path) in found.into_iter().step_by(step) {
        total += size;
        if total > KEPT {
            break;
        }
        if let Some(name) = path.file_name().filter(|_| is_found(&path)) {
            fs::copy(&path, to.join(name))?;
        }
    }
    Ok(())
}
