//! The project's own tasks: `cargo xtask TASK`.

mod catalog;

use std::process::ExitCode;

const USAGE: &str = "usage: cargo xtask TASK

  catalog FOLDER   make the compressed tables of the catalogue from the folder of source tables";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["catalog", folder] => catalog::run(folder.as_ref()),
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
