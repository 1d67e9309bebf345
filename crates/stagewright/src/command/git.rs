//! `git clone` and its like: a folder of a size that only the build knows.

use super::{Invocation, Machine, Model};
use crate::size::Kind;

pub(super) const MODEL: Model = Model {
    programs: &["git", "hg", "svn"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "-C",
    "-c",
    "-b",
    "--branch",
    "--depth",
    "-j",
    "--jobs",
    "--reference",
    "-o",
    "--origin",
    "--config",
    "--filter",
    "-r",
    "--rev",
    "--revision",
    "-u",
    "--username",
    "--password",
    "--git-dir",
    "--work-tree",
    "--shallow-since",
    "--template",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    match invocation.command(WITH_VALUE).as_deref() {
        Some("clone" | "checkout" | "co" | "export") if invocation.program != "git" => {
            clone(invocation, machine);
        }
        Some("clone") => clone(invocation, machine),
        // What a fetch brings goes to a folder that is there already.
        Some("submodule" | "fetch" | "pull" | "lfs") => {
            let folder = invocation.option(&["-C"]).unwrap_or_else(|| ".".into());
            let size = machine.guess(|guess| &guess.shallow_repository);
            machine.scatter(
                &folder,
                ".git-fetched",
                "what git fetches",
                Kind::Other,
                size,
            );
        }
        _ => {}
    }
}

fn clone(invocation: &Invocation, machine: &mut Machine<'_>) {
    let mut operands = invocation.operands_after(WITH_VALUE).into_iter();
    let address = operands.next().flatten();
    let folder = match operands.next() {
        Some(folder) => folder,
        None => address.as_deref().and_then(|address| {
            let name = address.trim_end_matches('/').trim_end_matches(".git");
            name.rsplit(['/', ':']).next().map(str::to_owned)
        }),
    };
    let shallow = invocation.has(&["--depth", "--shallow-since"]) || invocation.program == "svn";
    let size = if shallow {
        machine.guess(|guess| &guess.shallow_repository)
    } else {
        machine.guess(|guess| &guess.repository)
    };
    let label = address.map_or_else(
        || "a repository".to_owned(),
        |address| format!("repository {address}"),
    );
    match folder {
        Some(folder) => {
            // The files themselves have names that nobody knows.
            let inside = format!("{}/{}", folder.trim_end_matches('/'), "…repository");
            machine.put_guess(&inside, label, Kind::Other, size);
        }
        None => machine.scatter(".", "repository", label, Kind::Other, size),
    }
}
