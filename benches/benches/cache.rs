//! Predictions, with the context known: one change, and the commits of a history.

use divan::Bencher;
use stagewright::{Analysis, Change, Context, Dockerfile, Durations, History, Options};
use std::fmt::Write as _;

fn main() {
    divan::main();
}

/// A Dockerfile of 60 steps in three stages, over a context of 600 files.
fn sixty_steps() -> Analysis {
    let mut text = String::new();
    let mut context = Context::builder();
    let mut steps = 0;
    for stage in 0..3 {
        let _ = writeln!(text, "FROM debian:bookworm AS stage{stage}");
        steps += 1;
        for part in 0..9 {
            if steps + 2 > 60 {
                break;
            }
            let folder = format!("src/s{stage}/p{part}");
            for file in 0..20 {
                context = context.file(&format!("{folder}/{file}.py"), format!("{part} {file}"));
            }
            let _ = writeln!(text, "COPY {folder} /app/{folder}");
            let _ = writeln!(text, "RUN make -C /app/{folder} && echo done {part}");
            steps += 2;
        }
    }
    for stage in 0..60 - steps {
        let _ = writeln!(text, "COPY --from=stage{} /app /out{stage}", stage % 2);
    }
    let context = context.build().expect("the paths are plain");
    let file = Dockerfile::parse(&text);
    let analysis = Analysis::new(&file, &context, &Options::default()).expect("there are stages");
    assert_eq!(analysis.build().steps.len(), 60);
    analysis
}

/// What a change of one file runs again.
#[divan::bench]
fn prediction_of_60_steps(bencher: Bencher<'_, '_>) {
    let analysis = sixty_steps();
    let change = Change::files(["src/s1/p4/7.py"]);
    bencher.bench(|| analysis.after(&change));
}

/// What 1,000 commits of three files each cost.
#[divan::bench]
fn forecast_of_1000_commits(bencher: Bencher<'_, '_>) {
    let analysis = sixty_steps();
    let history = History::of((0..1000_usize).map(|commit| {
        (0..3).map(move |file| {
            let (stage, part) = ((commit + file) % 3, (commit * 7 + file) % 9);
            format!("src/s{stage}/p{part}/{}.py", commit % 20)
        })
    }));
    let durations = Durations::default();
    bencher.bench(|| analysis.forecast(&history, &durations));
}
