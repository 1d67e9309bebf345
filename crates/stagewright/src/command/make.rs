//! Compilations: `make`, `cmake`, `ninja`, compilers. What they write depends on the sources.

use super::{Invocation, Machine, Model};
use crate::size::Kind;

pub(super) const MODEL: Model = Model {
    programs: &[
        "make",
        "gmake",
        "cmake",
        "ninja",
        "meson",
        "configure",
        "Configure",
        "config",
        "autogen.sh",
        "bootstrap.sh",
        "bootstrap",
        "autoreconf",
        "autoconf",
        "automake",
        "libtoolize",
        "aclocal",
        "b2",
        "qmake",
        "scons",
        "bazel",
        "gcc",
        "g++",
        "cc",
        "c++",
        "clang",
        "clang++",
        "rustc",
        "patch",
        "ld",
        "ar",
        "ranlib",
        "swift",
        "zig",
        "dub",
        "ghc",
        "stack",
        "cabal",
        "opam",
        "nim",
        "nimble",
        "crystal",
        "shards",
        "mix",
        "rebar",
        "rebar3",
        "dart",
        "raco",
        "julia",
        "qtc",
        "xx-go",
        "xx-cargo",
        "xx-clang",
    ],
    run,
};

fn run(invocation: &Invocation, machine: &mut Machine<'_>) {
    if invocation.has(&["--version", "-v"]) && invocation.args.len() == 1 {
        return;
    }
    let name = invocation.program.as_str();
    machine.runs_code(invocation);
    let words: Vec<&str> = invocation
        .args
        .iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if matches!(
        name,
        "patch"
            | "autogen.sh"
            | "autoreconf"
            | "autoconf"
            | "automake"
            | "libtoolize"
            | "aclocal"
            | "configure"
            | "Configure"
            | "config"
            | "bootstrap"
            | "bootstrap.sh"
            | "qmake"
    ) || (name == "cmake"
        && !words
            .iter()
            .any(|word| matches!(*word, "--build" | "--install")))
        || (name == "meson" && matches!(words.first(), Some(&("setup" | "configure"))))
    {
        let size = machine.guess(|guess| &guess.configuration);
        return machine.scatter(
            ".",
            &format!("{name}-{}", invocation.index),
            format!("what `{name}` writes"),
            Kind::Text,
            size,
        );
    }
    if matches!(words.as_slice(), ["clean" | "distclean" | "check" | "test"]) {
        return;
    }
    let folder = invocation
        .option(&["-C", "--directory", "--build"])
        .unwrap_or_else(|| ".".into());
    if words
        .iter()
        .any(|word| word.starts_with("install") || *word == "--install")
    {
        let size = machine.guess(|guess| &guess.installed_build);
        let prefix = words
            .iter()
            .find_map(|word| {
                word.strip_prefix("DESTDIR=")
                    .or_else(|| word.strip_prefix("PREFIX="))
            })
            .unwrap_or("/usr/local");
        machine.scatter(
            prefix,
            &format!("installed-{}-{}", machine.layer, invocation.index),
            format!("what `{}` installs", invocation.text),
            Kind::Binary,
            size,
        );
        if name != "make"
            || words.iter().any(|word| {
                !word.starts_with("install") && !word.contains('=') && !word.starts_with('-')
            })
        {
            compiled(invocation, machine, &folder);
        }
        return;
    }
    match invocation.option(&["-o"]) {
        Some(path)
            if matches!(
                name,
                "gcc" | "g++" | "cc" | "c++" | "clang" | "clang++" | "rustc"
            ) =>
        {
            let size = machine.guess(|guess| &guess.compiled);
            machine.put_file(&path, Kind::Binary, size);
        }
        _ => compiled(invocation, machine, &folder),
    }
}

fn compiled(invocation: &Invocation, machine: &mut Machine<'_>, folder: &str) {
    let size = machine.guess(|guess| &guess.compiled);
    let name = format!("compiled-{}", invocation.program);
    machine.scatter(
        folder,
        &name,
        format!("what `{}` compiles", invocation.program),
        Kind::Binary,
        size,
    );
}
