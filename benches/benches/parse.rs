//! From text to typed instructions with spans, side by side with other parsers on the same files in one run.
//!
//! The files are those of `tests/projects`, and of the folder that `STAGEWRIGHT_CORPUS` names if it is set: those that
//! every parser here accepts. One iteration reads all of them; throughput is in bytes of Dockerfile.

use divan::Bencher;
use divan::counter::BytesCount;
use stagewright_syntax::expand::Expander;
use stagewright_syntax::{Dockerfile, Text, View};
use stagewright_tests::corpus;
use std::hint::black_box;
use std::path::Path;
use std::str::FromStr;
use std::sync::OnceLock;

fn main() {
    divan::main();
}

fn texts() -> &'static [String] {
    static TEXTS: OnceLock<Vec<String>> = OnceLock::new();
    TEXTS.get_or_init(|| {
        let projects = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/projects");
        let named = |path: &Path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().contains("Dockerfile"))
        };
        let mut files: Vec<_> = corpus::read(&projects)
            .into_iter()
            .filter(|(path, _)| named(path))
            .collect();
        files.extend(corpus::from_environment().into_iter().flatten());
        files.retain(|(_, text)| is_common_ground(text));
        // For parsers that run elsewhere, on the same files.
        if let Some(list) = std::env::var_os("STAGEWRIGHT_BENCH_FILES") {
            let names = files
                .iter()
                .map(|(path, _)| format!("{}\n", path.display()));
            std::fs::write(list, names.collect::<String>()).expect("the list can be written");
        }
        files.into_iter().map(|(_, text)| text).collect()
    })
}

/// Whether all parsers accept a file, so that none wins by giving up early.
fn is_common_ground(text: &str) -> bool {
    Dockerfile::parse(text).errors().is_empty()
        && parse_dockerfile::parse(text).is_ok()
        && dockerfile_parser::Dockerfile::parse(text).is_ok()
        && dockerfile_parser_rs::Dockerfile::from_str(text).is_ok()
}

fn over_all<T>(bencher: Bencher<'_, '_>, parse: impl Fn(&str) -> T + Sync) {
    let texts = texts();
    let bytes: usize = texts.iter().map(String::len).sum();
    bencher.counter(BytesCount::new(bytes)).bench(|| {
        for text in texts {
            black_box(parse(black_box(text)));
        }
    });
}

/// Parse, and make the typed view of every instruction.
#[divan::bench]
fn stagewright(bencher: Bencher<'_, '_>) {
    over_all(bencher, |text| {
        let file = Dockerfile::parse(text);
        for instruction in file.instructions() {
            // By reference: a move out of the loop would be the bench's own work.
            black_box(&instruction.view());
        }
    });
}

/// The first pass alone: where each instruction stands.
#[divan::bench]
fn stagewright_lines(bencher: Bencher<'_, '_>) {
    over_all(bencher, |text| Dockerfile::parse(text).len());
}

/// Every error of a file, which needs every view.
#[divan::bench]
fn stagewright_errors(bencher: Bencher<'_, '_>) {
    over_all(bencher, |text| Dockerfile::parse(text).errors().len());
}

/// Parse, views, and the expansion of everything that `BuildKit` expands.
#[divan::bench]
fn stagewright_expand(bencher: Bencher<'_, '_>) {
    let env = [
        ("VERSION", "1.2"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("HOME", "/root"),
    ];
    over_all(bencher, |text| {
        let file = Dockerfile::parse(text);
        let expander = Expander::new(file.escape());
        let word = |text: &Text<'_>| {
            let _ = black_box(expander.word(text, env.as_slice()));
        };
        for instruction in file.instructions() {
            match instruction.view() {
                View::From(from) => word(&from.image),
                View::Env(env) => env
                    .pairs
                    .iter()
                    .for_each(|pair| [&pair.key, &pair.value].into_iter().for_each(word)),
                View::Label(label) => label
                    .pairs
                    .iter()
                    .for_each(|pair| [&pair.key, &pair.value].into_iter().for_each(word)),
                View::Arg(arg) => arg
                    .args
                    .iter()
                    .filter_map(|arg| arg.value.as_ref())
                    .for_each(word),
                View::Copy(copy) => copy
                    .sources
                    .iter()
                    .map(|source| &source.text)
                    .chain([&copy.destination])
                    .for_each(word),
                View::Add(add) => add
                    .sources
                    .iter()
                    .map(|source| &source.text)
                    .chain([&add.destination])
                    .for_each(word),
                View::Workdir(workdir) => word(&workdir.value),
                View::User(user) => word(&user.value),
                View::Stopsignal(signal) => word(&signal.value),
                View::Volume(volume) => volume.paths.iter().for_each(word),
                View::Expose(expose) => {
                    for port in &expose.ports {
                        let _ = black_box(expander.words(port, env.as_slice()));
                    }
                }
                other => {
                    black_box(other);
                }
            }
        }
    });
}

#[divan::bench]
fn parse_dockerfile(bencher: Bencher<'_, '_>) {
    over_all(bencher, |text| ::parse_dockerfile::parse(text).is_ok());
}

#[divan::bench(sample_count = 10)]
fn dockerfile_parser(bencher: Bencher<'_, '_>) {
    over_all(bencher, |text| {
        ::dockerfile_parser::Dockerfile::parse(text).is_ok()
    });
}

#[divan::bench(sample_count = 10)]
fn dockerfile_parser_rs(bencher: Bencher<'_, '_>) {
    over_all(bencher, |text| {
        ::dockerfile_parser_rs::Dockerfile::from_str(text).is_ok()
    });
}

#[divan::bench(sample_count = 10)]
fn dockerfile_roast(bencher: Bencher<'_, '_>) {
    over_all(bencher, |text| {
        ::dockerfile_roast::parser::parse(text).len()
    });
}
