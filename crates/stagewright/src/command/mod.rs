//! What commands inside RUN do to the file system: one tool a file.
//!
//! A model reads one `Invocation` and changes the `Machine`: it puts, removes or copies nodes of the tree, and says what the command
//! reads, so that passes know what an install depends on. A command that no model knows gets a wide range and is named in the result.

mod apk;
mod apt_get;
mod chmod;
mod chown;
mod cp;
mod find;
mod harmless;
mod invocation;
mod mkdir;
mod mv;
mod npm;
mod pip;
mod python;
mod rm;

pub(crate) mod machine;

pub use self::machine::{CacheUse, FileProblem, Install, Reads, RunFacts};
pub(crate) use self::{invocation::Invocation, machine::Machine};

/// A model: the names its program goes by, and what it does.
struct Model {
    programs: &'static [&'static str],
    run: fn(&Invocation, &mut Machine<'_>),
}

/// Every model, one line a file.
const MODELS: &[Model] = &[
    apk::MODEL,
    apt_get::MODEL,
    chmod::MODEL,
    chown::MODEL,
    cp::MODEL,
    find::MODEL,
    harmless::MODEL,
    mkdir::MODEL,
    mv::MODEL,
    npm::MODEL,
    pip::MODEL,
    python::MODEL,
    rm::MODEL,
];

/// Runs one command.
pub(crate) fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let name = invocation.program.as_str();
    let versioned = |program: &str| {
        // `pip3`, `pip3.12`, `python3.11`: the same tool under a version.
        name.strip_prefix(program).is_some_and(|rest| {
            !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit() || b == b'.')
        })
    };
    let model = MODELS.iter().find(|model| {
        model
            .programs
            .iter()
            .any(|&program| program == name || versioned(program))
    });
    match model {
        Some(model) => (model.run)(invocation, machine),
        None => machine.unmodelled(invocation),
    }
}
