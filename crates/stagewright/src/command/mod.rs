//! What commands inside RUN do to the file system: one tool a file.
//!
//! A model reads one `Invocation` and changes the `Machine`: it puts, removes or copies nodes of the tree, and says what the command
//! reads, so that passes know what an install depends on. A command that no model knows gets a wide range and is named in the result.

mod apk;
mod apt_get;
mod bun;
mod cargo;
mod chmod;
mod chown;
mod composer;
mod conda;
pub(crate) mod corepack;
mod cp;
mod curl;
mod dnf;
mod dotnet;
mod dpkg;
mod find;
mod gem;
mod git;
mod go;
mod guess;
mod harmless;
mod install;
mod invocation;
mod ln;
mod locale_gen;
mod locked;
mod make;
mod maven;
mod mkdir;
mod mv;
mod node;
mod npm;
mod pdm;
mod pip;
mod pipenv;
mod pnpm;
mod poetry;
mod pyenv;
mod python;
mod rm;
mod script;
mod strip;
mod tar;
mod tee;
mod unzip;
mod useradd;
mod uv;
mod yarn;

pub(crate) mod machine;

pub use self::machine::{CacheUse, FileProblem, Install, Reads, RunFacts};
pub(crate) use self::{apt_get::AptInstall, invocation::Invocation, machine::Machine};

/// A model: the names its program goes by, and what it does.
struct Model {
    programs: &'static [&'static str],
    run: fn(&Invocation, &mut Machine<'_>),
}

/// Every model, one line a file.
const MODELS: &[Model] = &[
    apk::MODEL,
    apt_get::MODEL,
    bun::MODEL,
    cargo::MODEL,
    chmod::MODEL,
    chown::MODEL,
    composer::MODEL,
    conda::MODEL,
    corepack::MODEL,
    cp::MODEL,
    curl::MODEL,
    dnf::MODEL,
    dotnet::MODEL,
    dpkg::MODEL,
    find::MODEL,
    gem::MODEL,
    git::MODEL,
    go::MODEL,
    harmless::MODEL,
    install::MODEL,
    ln::MODEL,
    locale_gen::MODEL,
    make::MODEL,
    maven::MODEL,
    mkdir::MODEL,
    mv::MODEL,
    node::MODEL,
    npm::MODEL,
    pdm::MODEL,
    pip::MODEL,
    pipenv::MODEL,
    pnpm::MODEL,
    poetry::MODEL,
    pyenv::MODEL,
    python::MODEL,
    rm::MODEL,
    strip::MODEL,
    tar::MODEL,
    tee::MODEL,
    unzip::MODEL,
    useradd::MODEL,
    uv::MODEL,
    yarn::MODEL,
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
    // Asking a program for its version changes nothing.
    if let [Some(word)] = invocation.args.as_slice()
        && matches!(
            word.as_str(),
            "--version" | "-version" | "-V" | "--help" | "version"
        )
    {
        return;
    }
    match model {
        Some(model) => (model.run)(invocation, machine),
        None => machine.unmodelled(invocation),
    }
}
