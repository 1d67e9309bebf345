//! Sizes: the first use of the catalogue, one estimate after that, many files in one call.

#![expect(clippy::print_stdout, reason = "a bench shows its figures")]

use std::time::Instant;

use divan::Bencher;
use stagewright::{Analysis, Context, Dockerfile, Options, analyze_many};

const PYTHON: &str = "FROM python:3.12-slim AS build\nWORKDIR /app\nRUN apt-get update && apt-get install -y --no-install-recommends gcc \
libpq-dev && rm -rf /var/lib/apt/lists/*\nCOPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\nFROM python:3.12-slim\n\
COPY --from=build /usr/local /usr/local\nCOPY . /app\nCMD [\"python\", \"/app/main.py\"]\n";

const NODE: &str = "FROM node:22-slim AS build\nWORKDIR /app\nCOPY package.json .\nRUN npm install\nCOPY . .\nRUN npm run build\n\
FROM node:22-slim\nCOPY --from=build /app /app\nCMD [\"node\", \"/app/main.js\"]\n";

const MANIFEST: &str = r#"{"dependencies": {"express": "^4.19.2", "pg": "^8.11.0", "pino": "^9.0.0"}, "devDependencies": {"typescript": "^5.0.0"}}"#;

fn main() {
    // Once in a process: the tables that this file asks for are unpacked and read.
    let context = context();
    let start = Instant::now();
    let first = analyze(PYTHON, &context);
    println!("first estimate of the process: {:?}", start.elapsed());
    drop(first);
    divan::main();
}

fn context() -> Context {
    Context::builder()
        .file(
            "requirements.txt",
            "flask==3.1.0\ngunicorn==23.0.0\npsycopg2-binary==2.9.10\n",
        )
        .file("main.py", "print(1)\n")
        .build()
        .expect("the paths are plain")
}

fn analyze(text: &str, context: &Context) -> Analysis {
    Analysis::new(&Dockerfile::parse(text), context, &Options::default()).expect("there are stages")
}

/// A Dockerfile with system packages, a requirements file and two stages.
#[divan::bench]
fn estimate(bencher: Bencher<'_, '_>) {
    let context = context();
    bencher.bench(|| analyze(PYTHON, &context));
}

/// Two stages that install 96 npm packages without a lock file: the table tells which they are.
#[divan::bench]
fn estimate_node(bencher: Bencher<'_, '_>) {
    let context = Context::builder()
        .file("package.json", MANIFEST)
        .file("main.js", "1\n")
        .build()
        .expect("the paths are plain");
    bencher.bench(|| analyze(NODE, &context));
}

/// 10,000 projects as the first on disk in one call.
#[divan::bench(sample_count = 3, sample_size = 1)]
fn files_10000_in_one_call(bencher: Bencher<'_, '_>) {
    let folder = std::env::temp_dir().join(format!("stagewright-bench-{}", std::process::id()));
    let paths: Vec<_> = (0..10_000)
        .map(|number| folder.join(number.to_string()))
        .collect();
    for path in &paths {
        std::fs::create_dir_all(path).expect("a folder for the bench");
        std::fs::write(path.join("Dockerfile"), PYTHON).expect("a file for the bench");
        std::fs::write(path.join("requirements.txt"), "flask==3.1.0\n")
            .expect("a file for the bench");
    }
    let options = Options::default();
    bencher.bench(|| analyze_many(&paths, &options));
    std::fs::remove_dir_all(&folder).expect("the folder of the bench");
}
