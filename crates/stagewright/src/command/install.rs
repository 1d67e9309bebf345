//! `install` of the core utilities: `cp` with an owner and a mode, or folders with `-d`.

use super::{Invocation, Machine, Model};

pub(super) const MODEL: Model = Model {
    programs: &["install"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "-m",
    "--mode",
    "-o",
    "--owner",
    "-g",
    "--group",
    "-t",
    "--target-directory",
    "-S",
    "--suffix",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    if invocation.has(&["-d", "--directory"]) {
        return;
    }
    let mut operands: Vec<Option<String>> = std::iter::once(invocation.command(WITH_VALUE))
        .chain(invocation.operands_after(WITH_VALUE))
        .collect();
    let target = match invocation.option(&["-t", "--target-directory"]) {
        Some(folder) => Some(format!("{}/", folder.trim_end_matches('/'))),
        None => operands.pop().flatten(),
    };
    for source in operands {
        match (source, &target) {
            (Some(source), Some(target)) => machine.copy(&source, target),
            _ => machine.note(format!(
                "`{}` copies paths that only the build knows",
                invocation.text
            )),
        }
    }
}
