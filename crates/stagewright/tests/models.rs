//! What commands leave in their layers, and what they read. Expected values come from the context's own bytes, from the Dockerfile
//! reference and overlay file systems (deleting frees nothing below, a new owner stores again), and from the catalogue's rows.

use stagewright::{Analysis, Context, Dockerfile, Options, Size};

const BASE: &str = "FROM python:3.7\nWORKDIR /app\n";

fn context() -> Context {
    Context::builder()
        .file("a.bin", vec![0_u8; 1000])
        .file("dir/b.bin", vec![0_u8; 200])
        .file("dir/c.txt", vec![b'x'; 30])
        .file("requirements.txt", "flask==1.1.1\n# no more\n")
        .file(
            "package.json",
            "{\"scripts\":{\"postinstall\":\"node x.js\"}}",
        )
        .file("ci/package.json", "{\"name\":\"app\"}")
        .file("ci/package-lock.json", LOCK)
        .build()
        .expect("well-formed")
}

const LOCK: &str = r#"{"lockfileVersion":3,"packages":{"":{},"node_modules/lodash":{"version":"4.17.21"},"node_modules/jest":{"version":"29.0.0","dev":true}}}"#;

fn analysis(text: &str) -> Analysis {
    Analysis::new(&Dockerfile::parse(text), &context(), &Options::default()).expect("a stage")
}

/// The expected bytes of every layer above the base.
fn layers(instructions: &str) -> Vec<u64> {
    let analysis = analysis(&format!("{BASE}{instructions}"));
    analysis
        .layers()
        .iter()
        .skip(2)
        .map(|layer| layer.size.uncompressed.expected)
        .collect()
}

fn last(instructions: &str) -> Size {
    let analysis = analysis(&format!("{BASE}{instructions}"));
    analysis.layers().last().expect("a layer").size.uncompressed
}

#[test]
fn copies_are_exact() {
    assert_eq!(
        layers(
            "COPY a.bin x\nCOPY dir /d/\nCOPY a.bin dir/c.txt /m/\nCOPY --exclude=*.txt dir /e\n"
        ),
        [1000, 230, 1030, 200]
    );
    assert_eq!(layers("COPY <<F /f\nhello\nF\n"), [6]);
    assert!(last("COPY a.bin x\n").is_exact());
}

#[test]
fn deleting_frees_only_the_own_layer() {
    assert_eq!(layers("COPY a.bin /x/a\nRUN rm -rf /x\n"), [1000, 0]);
    let analysis = analysis(&format!("{BASE}COPY a.bin /x/a\nRUN rm /x/a\n"));
    assert_eq!(
        analysis.layers().last().expect("a layer").hidden,
        Size::exact(1000)
    );
    assert_eq!(
        layers("COPY a.bin /x/a\nRUN cp /x/a /y && rm /y\n"),
        [1000, 0]
    );
}

#[test]
fn a_new_owner_or_mode_stores_files_again() {
    assert_eq!(
        layers("COPY dir /d\nRUN chown -R 1000:1000 /d\n"),
        [230, 230]
    );
    assert_eq!(layers("COPY dir /d\nRUN chmod 755 /d/b.bin\n"), [230, 200]);
    assert_eq!(
        layers("COPY dir /d\nRUN chown 1000 /d\n"),
        [230, 0],
        "the folder alone"
    );
    assert_eq!(
        layers("COPY dir /d\nRUN mv /d/b.bin /e\nRUN cp -r /d /f\n"),
        [230, 200, 30]
    );
}

#[test]
fn the_shell_is_followed() {
    assert_eq!(
        layers("COPY dir /d\nRUN cd /d && cp b.bin /1 && (cd / ; cp d/c.txt /2) && cp c.txt /3\n"),
        [230, 260]
    );
    assert_eq!(
        layers("COPY dir /d\nENV D=/d\nRUN X=$D; cp ${X}/b.bin \"$D/copy\"\n"),
        [230, 200]
    );
    assert_eq!(
        layers("COPY dir /d\nRUN true || cp /d/b.bin /1\n"),
        [230, 0],
        "the right side of || is for failures"
    );
    assert_eq!(
        layers("COPY dir /d\nRUN cat <<F > /etc/f\nabc\nF\n"),
        [230, 4]
    );
    let tested = last("COPY dir /d\nRUN [ -f /x ] && cp /d/b.bin /1\n");
    assert_eq!(
        (tested.low, tested.high >= 200),
        (0, true),
        "it depends on the test"
    );
    let conditional = last("COPY dir /d\nRUN if [ -n \"$X\" ]; then cp /d/b.bin /1; fi\n");
    assert_eq!((conditional.low, conditional.high >= 200), (0, true));
}

#[test]
fn loops_in_loops_end() {
    let words = "a b c d e f g h i j ".repeat(20);
    let nested = (0..8).fold("touch /x".to_owned(), |body, level| {
        format!("for v{level} in {words}; do {body}; done")
    });
    assert_eq!(layers(&format!("RUN {nested}")).len(), 1);
    let calls = "f() { f; f; f; }; g() { f; g; g; }; g; touch /y";
    assert_eq!(layers(&format!("RUN {calls}")).len(), 1);
}

#[test]
fn pip_brings_packages_their_byte_code_and_a_cache() {
    let analysis = analysis(&format!(
        "{BASE}COPY requirements.txt .\nRUN pip install -r requirements.txt\n"
    ));
    let layer = analysis.layers().last().expect("a layer");
    let labels: Vec<&str> = layer
        .contents
        .iter()
        .map(|content| &*content.label)
        .collect();
    assert!(
        labels.contains(&"flask 1.1.1") && labels.contains(&"pip's cache"),
        "{labels:?}"
    );
    let read = |flags: &str| {
        last(&format!(
            "COPY requirements.txt .\nRUN pip install {flags} -r requirements.txt\n"
        ))
        .expected
    };
    let whole = read("");
    assert!(read("--no-cache-dir") < whole && read("--no-compile") < whole);
    assert!(last("COPY requirements.txt .\nENV PYTHONDONTWRITEBYTECODE=1\nRUN pip install -r requirements.txt\n").expected < whole);
    let mounted = last("COPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n").expected;
    assert_eq!(mounted, read("--no-cache-dir"));
    let bound =
        last("RUN --mount=type=bind,source=requirements.txt,target=/r.txt pip install -r /r.txt\n")
            .expected;
    assert_eq!(
        bound, whole,
        "a mounted requirements file is read and leaves no bytes"
    );
    let argument = last("RUN pip3.7 install flask==1.1.1 && python -m pip --version\n").expected;
    assert_eq!(argument, whole);
}

#[test]
fn stages_pass_on_what_they_hold() {
    let text = "FROM python:3.7 AS b\nCOPY requirements.txt /\nRUN pip install --no-cache-dir --prefix=/i -r /requirements.txt\nFROM python:3.7\nCOPY --from=b /i /usr/local\n";
    let both = analysis(text);
    let copied = both
        .layers()
        .last()
        .expect("a layer")
        .size
        .uncompressed
        .expected;
    let installed =
        last("COPY requirements.txt .\nRUN pip install --no-cache-dir -r requirements.txt\n")
            .expected;
    let left_behind = installed - copied;
    assert!(
        left_behind > 3_000_000,
        "the byte code of pip's own run stays in the builder: {left_behind}"
    );
    let environment = "FROM python:3.7\nCOPY requirements.txt /\nRUN python -m venv /v && /v/bin/pip install --no-cache-dir -r /requirements.txt\n";
    assert!(
        analysis(environment)
            .layers()
            .last()
            .expect("a layer")
            .size
            .uncompressed
            .expected
            > 14_000_000
    );
}

#[test]
fn system_packages_and_their_lists() {
    let clean = last("RUN apt-get update && apt-get install -y --no-install-recommends tini && rm -rf /var/lib/apt/lists/*\n").expected;
    let kept =
        last("RUN apt-get update && apt-get install -y --no-install-recommends tini\n").expected;
    // sizes.md measured 19.87 MB of lists for bookworm with updates and security.
    assert!(
        (kept - clean).abs_diff(19_870_000) < 1_000_000,
        "{}",
        kept - clean
    );
    assert!(
        clean > 600_000 && clean < 2_500_000,
        "tini, 0.7 MB, and the package database: {clean}"
    );
    let later =
        layers("RUN apt-get update && apt-get install -y tini\nRUN rm -rf /var/lib/apt/lists/*\n");
    assert!(later[0] > 19_000_000 && later[1] == 0);
}

#[test]
fn npm_installs_what_the_lock_file_lists() {
    // lodash 4.17.21 unpacks to 1,412,415 bytes (a committed package cache, read from its zip directory).
    let all = analysis("FROM node:22-slim\nWORKDIR /app\nCOPY ci ./\nRUN npm ci\n");
    let layer = all.layers().last().expect("a layer");
    let lodash = layer
        .contents
        .iter()
        .find(|content| &*content.label == "lodash 4.17.21")
        .expect("it is listed");
    assert!(
        lodash.size.expected.abs_diff(1_412_415) < 30_000,
        "{:?}",
        lodash.size
    );
    assert!(
        layer
            .contents
            .iter()
            .any(|content| content.label.starts_with("jest"))
    );
    let production = analysis(
        "FROM node:22-slim\nWORKDIR /app\nCOPY ci ./\nRUN npm ci --omit=dev && npm cache clean --force\n",
    );
    let labels: Vec<&str> = production
        .layers()
        .last()
        .expect("a layer")
        .contents
        .iter()
        .map(|content| &*content.label)
        .collect();
    // npm writes a list beside the packages; seen in builds (`tests/real/optimize.json`).
    let list = "npm's list of what is installed";
    assert_eq!(labels, ["lodash 4.17.21", list]);
    let pruned = analysis(
        "FROM node:22-slim\nWORKDIR /app\nCOPY ci ./\nRUN npm ci && npm prune --omit=dev && rm -rf ~/.npm\n",
    );
    let contents = &pruned.layers().last().expect("a layer").contents;
    let labels: Vec<&str> = contents.iter().map(|content| &*content.label).collect();
    assert_eq!(labels.len(), 3, "{labels:?}");
    assert!(
        ["lodash 4.17.21", list, "lock file, written again"]
            .iter()
            .all(|label| labels.contains(label))
    );
}

#[test]
fn what_is_not_known_is_said() {
    let analysis = analysis(
        "FROM no.such/image:1\nRUN ./configure && make\nADD https://example.com/x.tgz /x\n",
    );
    assert_eq!(
        analysis
            .findings()
            .iter()
            .map(|finding| finding.code)
            .collect::<Vec<_>>(),
        ["unknown-base"]
    );
    let layer = &analysis.layers()[0];
    assert_eq!(layer.size.uncompressed.low, 0);
    assert!(layer.size.uncompressed.high > 50_000_000);
    assert!(analysis.layers()[1].notes[0].contains("https://example.com/x.tgz"));
    let broken = Context::builder()
        .file("requirements.txt", "flask==1.0\n!!\n")
        .build()
        .expect("well-formed");
    let text = "FROM python:3.7\nCOPY requirements.txt /\nRUN pip install -r /requirements.txt\n";
    let analysis =
        Analysis::new(&Dockerfile::parse(text), &broken, &Options::default()).expect("a stage");
    let finding = &analysis.findings()[0];
    assert_eq!(
        (finding.code, finding.file.as_str(), finding.line),
        ("bad-requirement", "requirements.txt", 2)
    );
}

#[test]
fn reads_decide_what_may_move() {
    let facts = |instructions: &str| {
        let analysis = analysis(&format!("{BASE}{instructions}"));
        let stage = &analysis.record().stages[0];
        let facts = stage.layers.last().expect("a layer").facts.reads.clone();
        (facts.paths, facts.anything.is_some())
    };
    assert_eq!(
        facts("COPY . .\nRUN pip install -r requirements.txt\n"),
        (vec!["/app/requirements.txt".to_owned()], false)
    );
    assert!(
        facts("COPY . .\nRUN pip install .\n").1,
        "the project is built"
    );
    assert!(
        facts("COPY . .\nRUN npm install\n").1,
        "a postinstall script runs"
    );
    assert!(!facts("COPY ci .\nRUN npm ci\n").1);
    assert!(facts("COPY . .\nRUN make\n").1);
    assert!(facts("COPY . .\nRUN pip install -r requirements.txt $(cat more.txt)\n").1);
    assert_eq!(facts("COPY . .\nRUN sort < a.bin\n").0, ["/app/a.bin"]);
    assert_eq!(facts("COPY . .\nRUN apt-get update\n"), (Vec::new(), false));
}

/// Against builds with BuildKit v0.32.2 (`tests/real/optimize.json`).
#[test]
fn what_is_written_besides_packages_is_counted() {
    let bytes = |text: &str, layer: usize| {
        let all = analysis(text);
        all.layers()[layer].size.uncompressed
    };
    // A file that is copied twice unchanged is in the first layer alone.
    let twice = "FROM node:22-slim\nWORKDIR /app\nCOPY ci ./\nCOPY ci ./\n";
    assert!(bytes(twice, 2).expected > 0);
    assert_eq!(bytes(twice, 3).expected, 0);
    // `npm install` writes the lock file again, `npm ci` does not.
    let lock = |command: &str| {
        let text = format!(
            "FROM node:22-slim\nWORKDIR /app\nCOPY ci ./\nRUN {command} && rm -rf ~/.npm\n"
        );
        bytes(&text, 3).expected
    };
    assert!(lock("npm install") > lock("npm ci"));
    // Code of the project leaves byte code, most of it where no pip has run before.
    let fresh = bytes(
        "FROM python:3.12-slim\nCOPY ci /app\nRUN python -c 'import this'\n",
        2,
    );
    assert!(fresh.low == 0 && fresh.expected > 2_000_000 && fresh.high >= 7_100_000);
    let after_pip = bytes(
        "FROM python:3.12-slim\nRUN pip install flask==3.1.3\nRUN python -c 'import this'\n",
        2,
    );
    assert!(after_pip.expected < 1_000_000);
    let text = "FROM python:3.12-slim\nRUN pip install --no-compile django==6.1.3\nRUN python manage.py collectstatic\n";
    let without = bytes(text, 2);
    assert!(without.expected > after_pip.expected + 2_000_000);
    // A pip that replaces itself takes its byte code along: 15,718,206 bytes measured.
    let pip = bytes(
        "FROM python:3.12\nRUN pip install --no-cache-dir --upgrade pip\n",
        1,
    );
    assert!(pip.expected.abs_diff(15_718_206) < 200_000, "{pip:?}");
}

/// Expected bytes below `/app` of the last command.
fn written(context: &Context, command: &str) -> u64 {
    let text = format!("FROM node:20\nWORKDIR /app\nCOPY . .\nRUN {command}\n");
    let analysis =
        Analysis::new(&Dockerfile::parse(&text), context, &Options::default()).expect("a stage");
    let layers = analysis.layers();
    let contents = &layers.last().expect("a layer").contents;
    let own = contents.iter().filter(|one| one.path.starts_with("/app"));
    own.map(|one| one.size.expected).sum()
}

/// `tools.toml`: tsc writes 300 bytes and 1.4 a byte of source.
#[test]
fn a_script_runs_in_the_package_that_is_named() {
    let context = Context::builder()
        .file("package.json", r#"{"scripts": {"build": "node x.js"}}"#)
        .file(
            "apps/api/package.json",
            r#"{"name": "@a/api", "scripts": {"build": "tsc"}}"#,
        )
        .file("apps/api/main.ts", vec![b' '; 1000])
        .file(
            "packages/lib/package.json",
            r#"{"name": "lib", "scripts": {"build": "tsc"}}"#,
        )
        .file("packages/lib/lib.ts", vec![b' '; 500])
        .build()
        .expect("well-formed");
    for command in [
        "pnpm --dir apps/api run build",
        "pnpm -C apps/api build",
        "pnpm --filter @a/api build",
        "pnpm --filter './apps/*' run build",
        "npm run build --workspace=apps/api",
        "npm run build -w @a/api",
        "npm --prefix apps/api run build",
        "yarn --cwd apps/api run build",
        "yarn workspace @a/api build",
        "bun --cwd apps/api run build",
    ] {
        assert_eq!(written(&context, command), 1700, "{command}");
    }
    for command in [
        "pnpm -r build",
        "npm run build --workspaces",
        "yarn workspaces run build",
        "yarn workspaces foreach -A run build",
        "pnpm --filter @a/api... build",
    ] {
        assert_eq!(written(&context, command), 2700, "{command}");
    }
}

/// `tools.toml`: 1 kB, the project's own files, and what is kept of each package.
#[test]
fn a_bundler_keeps_some_of_what_it_needs() {
    let built = |packages: &str| {
        let manifest = format!(r#"{{"scripts": {{"build": "vite build"}}{packages}}}"#);
        let context = Context::builder().file("package.json", &manifest).build();
        let own = manifest.len() as u64;
        written(&context.expect("well-formed"), "npm run build") - own
    };
    assert_eq!(built(""), 1000);
    assert_eq!(
        built(
            r#", "dependencies": {"react": "1", "react-dom": "1"}, "devDependencies": {"svelte": "1", "vite": "1"}"#
        ),
        1000 + 6_800 + 135_000 + 30_300
    );
    assert_eq!(built(r#", "dependencies": {"nobody-knows": "1"}"#), 51_000);
}

/// Sizes of files: `catalog/node_image.toml` (Node 22.23.3 for linux-x64), and the published sizes of the images.
#[test]
fn what_is_known_of_the_inside_of_an_image_is_copied_and_counted_once() {
    let node = "COPY --from=node:22-slim /usr/local/bin/node /usr/local/bin/docker-entrypoint.sh /usr/local/bin/\n";
    assert_eq!(last(node).expected, 124_827_920 + 388);
    let removed = "RUN rm -rf /opt/yarn-v1.22.22\nFROM scratch\n";
    for (image, between, bytes) in [
        ("python:3.12-slim", "FROM scratch\n", 119_200_000),
        ("node:22-slim", "FROM scratch\n", 227_340_000),
        ("node:22-slim", removed, 227_340_000 - 5_340_487),
    ] {
        let text = format!("FROM {image} AS whole\n{between}COPY --from=whole / /\n");
        let analysis = analysis(&text);
        let layer = analysis.layers().last().expect("a layer");
        assert_eq!(layer.size.uncompressed.expected, bytes, "{image} {between}");
    }
}
