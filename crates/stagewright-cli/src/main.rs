//! The `stagewright` command: arguments in, the library's answers out.

mod answer;
mod arguments;
mod cache;

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use clap::Parser as _;
use stagewright::report::{ErrorReport, to_json};

use crate::answer::Answer;
use crate::arguments::Arguments;

/// Something is wrong with the Dockerfile or its project.
const FINDINGS: u8 = 1;
/// Wrong use, or input that cannot be read.
const WRONG_USE: u8 = 2;

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    match answer::to(&arguments.command) {
        Ok(answer) => {
            print(&answer.text);
            eprint!("{}", answer.notes);
            answer.errors.iter().for_each(say);
            match answer {
                Answer { errors, .. } if !errors.is_empty() => ExitCode::from(WRONG_USE),
                Answer { findings: true, .. } => ExitCode::from(FINDINGS),
                Answer { .. } => ExitCode::SUCCESS,
            }
        }
        Err(report) => {
            say(&report);
            if arguments.command.json() {
                print(&to_json(&report));
            }
            ExitCode::from(WRONG_USE)
        }
    }
}

fn say(report: &ErrorReport) {
    eprintln!("error[{}]: {}", report.error.code, report.error.message);
}

/// What the argument parser says: help and version are answers, the rest is wrong use.
fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        print(&error.render().to_string());
        return ExitCode::SUCCESS;
    }
    let rendered = error.render().to_string();
    eprint!("{rendered}");
    if std::env::args_os().any(|argument| argument == "--json") {
        let first = rendered.lines().next().unwrap_or_default();
        let message = first.strip_prefix("error: ").unwrap_or(first);
        print(&to_json(&ErrorReport::of("usage", message)));
    }
    ExitCode::from(WRONG_USE)
}

/// Prints to standard output. A reader that has seen enough (`| head`) is no error.
fn print(text: &str) {
    let mut out = io::stdout().lock();
    let done = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    if let Err(error) = done
        && error.kind() != ErrorKind::BrokenPipe
    {
        eprintln!("error[output-unwritable]: the answer cannot be printed: {error}");
        std::process::exit(WRONG_USE.into());
    }
}
