//! `dotnet`: packages and published applications.

use super::{CacheUse, Invocation, Machine, Model};
use crate::size::Kind;

pub(super) const MODEL: Model = Model {
    programs: &["dotnet", "nuget", "msbuild"],
    run,
};

const WITH_VALUE: &[&str] = &[
    "-c",
    "--configuration",
    "-o",
    "--output",
    "-r",
    "--runtime",
    "-f",
    "--framework",
    "--source",
];

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    let size = machine.guess(|guess| &guess.dotnet);
    let command = invocation.command(WITH_VALUE);
    let Some(command @ ("restore" | "build" | "publish" | "test" | "pack" | "tool" | "workload")) =
        command.as_deref()
    else {
        return;
    };
    machine.runs_code(invocation);
    let cache = format!("{}/.nuget", machine.home());
    if !machine.mounted(&cache) && machine.tree.get(&cache).is_none() {
        machine.put_guess(&cache, "NuGet's packages", Kind::Archive, size.clone());
        machine.facts.caches.push(CacheUse {
            tool: "dotnet",
            path: cache,
            size: size.0,
            command: invocation.index,
        });
    }
    match (command, invocation.option(&["-o", "--output"])) {
        ("publish" | "build" | "pack", Some(folder)) => machine.scatter(
            &folder,
            "published",
            "the published application",
            Kind::Binary,
            size,
        ),
        ("publish" | "build" | "pack" | "test", None) => {
            machine.scatter("bin", "built", "the built application", Kind::Binary, size);
        }
        _ => {}
    }
}
