//! The project's own tasks: `cargo xtask TASK`.

mod bench;
mod catalog;
mod demo;
mod fuzz;
mod node;
mod oracle;
mod process;
mod python;
mod real;
mod test;

use std::error::Error;
use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask TASK

  demo             optimise the article's Flask application from the command, Rust, Python and Node, and print the ladder
  test             run every test of the three languages
  bench [FILTER]   run the benches; `parse` times BuildKit's parser too
  bench python     time the Python package beside other parsers of PyPI
  bench node       time the npm package beside other parsers of npm
  fuzz SECONDS [TARGET …]
                   run the fuzz targets, and keep what they found out in small form (needs nightly and cargo-fuzz)
  catalog FOLDER   make the compressed tables of the catalogue from the folder of source tables
  oracle [--record] [--mutants N] [--seed N] [FILE | FOLDER …]
                   hold our answers against those of BuildKit's own code (needs Go)
  real cache [--check] [NAME …]
                   ask a running BuildKit what its cache takes, for the scenarios of tests/real/cache
  real cache --random N [SEED [FIRST]] [--record]
                   make up N projects and changes, ask, and compare with the prediction; --record keeps the answers
  real legacy [--check] [NAME …]
                   the same as `real cache` for the builder before BuildKit
  real optimize [--stale] [--variant NAME] … [--write FOLDER] [--base NAME=IMAGE] … [--skip PASS] … [PROJECT …]
                   build what is written for the sample projects, start it, and compare with the prediction
  real optimize --predict
  real optimize --lint HADOLINT
                   predict again what was built
  real peers FOLDER [--stale] [--variant TOOL] … [--base NAME=IMAGE] … [PROJECT …]
                   build and start what benches/peers/run.py wrote into a folder, and compare with our own
  real peers --lint HADOLINT
  real peers --summary
                   ask that program about the recorded files; print the table
  real size [--base NAME=IMAGE] … [--host NAME=HOST] … [CASE …]
                   build the Dockerfiles of tests/real/size and record what each layer weighs";

/// What a task may fail with: a message for the person who ran it.
pub(crate) type Failure = Box<dyn Error>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["demo"] => demo::run(),
        ["test"] => test::run(),
        ["bench", filter @ ..] => bench::run(filter),
        ["fuzz", seconds, targets @ ..] => fuzz::run(seconds, targets),
        ["catalog", folder] => catalog::run(folder.as_ref()),
        ["oracle", rest @ ..] => oracle::run(rest),
        ["real", "cache", rest @ ..] => real::cache(rest),
        ["real", "optimize", rest @ ..] => real::optimize(rest),
        ["real", "legacy", rest @ ..] => real::legacy(rest),
        ["real", "peers", rest @ ..] => real::peers(rest),
        ["real", "size", rest @ ..] => real::size(rest),
        [] => Err(USAGE.into()),
        _ => Err(format!("no task `{}`\n\n{USAGE}", words.join(" ")).into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
