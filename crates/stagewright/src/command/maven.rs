//! Builds on the JVM: their dependencies and what they write beside the sources.

use super::{CacheUse, Invocation, Machine, Model};
use crate::size::Kind;

pub(super) const MODEL: Model = Model {
    programs: &[
        "mvn",
        "mvnw",
        "gradle",
        "gradlew",
        "sbt",
        "lein",
        "ant",
        "java",
        "javac",
        "jython",
        "native-image",
        "mill",
        "kotlinc",
        "activator",
    ],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    if invocation.has(&["-v", "--version", "-version"]) {
        return;
    }
    machine.runs_code(invocation);
    let (name, cache): (&str, Option<&str>) = match invocation.program.as_str() {
        "mvn" | "mvnw" | "lein" => ("target", Some(".m2")),
        "gradle" | "gradlew" => ("build", Some(".gradle")),
        "sbt" | "activator" | "mill" => ("target", Some(".ivy2")),
        _ => ("target", None),
    };
    let size = machine.guess(|guess| &guess.jvm_build);
    if let Some(cache) = cache {
        let path = format!("{}/{cache}", machine.home());
        if !machine.mounted(&path) {
            machine.put_guess(
                &path,
                "downloaded dependencies",
                Kind::Archive,
                size.clone(),
            );
            machine.facts.caches.push(CacheUse {
                tool: if cache == ".m2" { "mvn" } else { "gradle" },
                path,
                size: size.0,
                command: invocation.index,
            });
        }
    }
    let resolves = invocation
        .args
        .iter()
        .flatten()
        .any(|arg| arg.contains("dependency:") || arg == "dependencies" || arg == "deps");
    if !resolves {
        machine.scatter(
            name,
            "output",
            format!("what `{}` builds", invocation.program),
            Kind::Archive,
            size,
        );
    }
}
