//! What is asked of indexes and registries, and what becomes of answers that make no sense. The server runs on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use stagewright::online::{Online, OnlineError, Settings};
use stagewright::report::{SizeReport, to_json};
use stagewright::{Analysis, BuildFiles, Context, Dockerfile, Inputs, Options};
use stagewright_tests::server::{Fault, Route, Server};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("online")
}

fn site() -> BTreeMap<String, Route> {
    let text = fs::read_to_string(folder().join("site.json")).expect("the site is there");
    serde_json::from_str(&text).expect("the site can be read")
}

/// A folder of this test alone, empty.
fn scratch(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("online-{name}"));
    let _ = fs::remove_dir_all(&path);
    path
}

fn settings(server: &Server) -> Settings {
    Settings {
        index: Some(format!("{}/simple", server.base)),
        npm_registry: Some(format!("{}/npm/", server.base)),
        mirrors: [("registry.test".to_owned(), server.host().to_owned())].into(),
        timeout: Duration::from_secs(20),
        retries: 1,
        ..Settings::default()
    }
}

fn analyze(settings: Settings) -> Analysis {
    let files = BuildFiles::open(folder().join("project")).expect("the project is there");
    let file = Dockerfile::parse(&files.text);
    let inputs = Inputs::new(files.context.clone());
    let mut seen = Vec::new();
    let analysis = Online::new(settings)
        .expect("the settings are good")
        .analyze(&file, &inputs, &Options::default(), &mut |progress| {
            assert!(progress.done <= progress.total);
            seen.push(progress.what.clone());
        })
        .expect("it can be analysed");
    assert!(
        seen.contains(&"registry.test/team/base:1".to_owned()),
        "{seen:?}"
    );
    analysis
}

#[test]
fn everything_is_measured() {
    let server = Server::start(site());
    let analysis = analyze(settings(&server));
    let json = to_json(&SizeReport::new(&analysis)).replace(server.host(), "HOST");
    let expected = folder().join("expected.json");
    if std::env::var_os("UPDATE_EXPECT").is_some() {
        fs::write(&expected, &json).expect("it can be written");
    }
    assert_eq!(json, fs::read_to_string(expected).expect("it is there"));
    // By hand: what `make.py` puts into the packages.
    let content = |label: &str| {
        let all = analysis.layers().iter().flat_map(|layer| &layer.contents);
        let mut with = all.filter(|content| &*content.label == label);
        let found = with
            .next()
            .unwrap_or_else(|| panic!("`{label}` is installed"));
        assert!(with.next().is_none());
        found.size
    };
    // The parts of a package are rounded one by one.
    let about = |label: &str, bytes: u64| {
        let size = content(label);
        assert!(size.low.abs_diff(bytes) <= 4, "{label}: {size:?}, {bytes}");
    };
    let metadata = |name: &str, requires: usize| {
        let text =
            format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n\nA package of a test.\n");
        (text.len() + requires + "Wheel-Version: 1.0\n".len()) as u64
    };
    let needs = "Requires-Dist: demo-lib (<2,>=1)\nRequires-Dist: demo-extra ; extra == 'fast'\nRequires-Dist: demo-windows ; sys_platform == 'win32'\n";
    about(
        "demo-app 1.0",
        4000 * 6 + 500 * 9 + 2000 * 4 + metadata("demo_app", needs.len()),
    );
    about(
        "demo-lib 1.5",
        1000 * 10 + 300_000 + metadata("demo_lib", 0),
    );
    about("demo-extra 3.1", 1234 * 6 + metadata("demo_extra", 0));
    let tiny = r#"{"name": "demo-tiny", "version": "1.2.3"}"#.len() as u64;
    assert_eq!(content("demo-tiny 1.2.3").expected, 3000 * 19 + tiny);
    assert_eq!(content("@demo/sized 1.0.0").expected, 123_456);
    // The two layers of the base have 30,720 and 10,240 bytes of tar, and their files a little less.
    let base = analysis.layers()[0].size.uncompressed;
    assert!(
        base.low < 40_960 && base.high <= 40_960 && base.expected > 38_000,
        "{base:?}"
    );
    assert!(
        analysis
            .findings()
            .iter()
            .any(|finding| finding.code == "online-not-found")
    );
    assert!(
        analysis
            .base_facts()
            .expect("known")
            .env
            .iter()
            .any(|(name, _)| name == "NODE_VERSION")
    );
    let wheels = server
        .asked()
        .iter()
        .filter(|path| path.ends_with(".whl"))
        .count();
    assert_eq!(
        wheels, 3,
        "one question a wheel, and none for the version that is not taken"
    );
}

#[test]
fn answers_are_kept_where_the_caller_says() {
    let cache = scratch("kept");
    let kept = || Settings {
        cache: Some(cache.clone()),
        ..Settings::default()
    };
    let (first, base) = {
        let server = Server::start(site());
        let asking = settings(&server);
        let first = analyze(Settings {
            cache: kept().cache,
            ..asking.clone()
        });
        assert!(!server.asked().is_empty());
        let before = server.asked().len();
        let again = analyze(Settings {
            cache: kept().cache,
            ..asking.clone()
        });
        assert_eq!(
            to_json(&SizeReport::new(&again)),
            to_json(&SizeReport::new(&first))
        );
        let asked = server.asked().split_off(before);
        assert_eq!(
            asked,
            ["/simple/demo-missing/"],
            "only what was not answered is asked again"
        );
        (first, asking)
    };
    // Damaged answers are asked for again; nobody is there to answer now.
    for entry in fs::read_dir(&cache).expect("the cache is there") {
        let path = entry.expect("it can be listed").path();
        assert!(
            path.extension()
                .is_some_and(|extension| extension == "json"),
            "{path:?}"
        );
        fs::write(path, "nonsense").expect("it can be written");
    }
    let none = analyze(Settings {
        cache: kept().cache,
        retries: 0,
        ..base
    });
    assert!(none.size().uncompressed.expected != first.size().uncompressed.expected);
    assert!(
        none.findings()
            .iter()
            .any(|finding| finding.code == "online-unreachable")
    );
}

#[test]
fn a_cache_that_cannot_be_is_an_error() {
    let file = scratch("file");
    fs::write(&file, "here").expect("it can be written");
    let error = Online::new(Settings {
        cache: Some(file.join("below")),
        ..Settings::default()
    })
    .expect_err("a file is no folder");
    assert_eq!(error.code(), "online-cache-unwritable");
}

/// A tiny wheel, stored as Python's zipfile stores it.
fn wheel() -> Vec<u8> {
    let site = site();
    site["/files/demo_extra-3.1-py3-none-any.whl"].body("")
}

fn page(file: &str) -> Route {
    Route::text(format!(
        r#"{{"files": [{{"filename": "demo-1.0-py3-none-any.whl", "url": "{file}"}}]}}"#
    ))
}

fn routes<const N: usize>(routes: [(&str, Route); N]) -> BTreeMap<String, Route> {
    routes
        .into_iter()
        .map(|(path, route)| (path.to_owned(), route))
        .collect()
}

/// The codes of what one command could not have measured.
fn codes(
    command: &str,
    routes: BTreeMap<String, Route>,
    change: impl FnOnce(&mut Settings),
) -> (Vec<&'static str>, u64, usize) {
    let server = Server::start(routes);
    let mut settings = Settings {
        timeout: Duration::from_secs(3),
        total: Duration::from_secs(15),
        ..settings(&server)
    };
    change(&mut settings);
    let limit = settings.total + Duration::from_secs(10);
    let text = format!("FROM scratch\n{command}\n");
    let file = Dockerfile::parse(&text);
    let context = Context::builder().build().expect("nothing is in it");
    let started = Instant::now();
    let analysis = Online::new(settings)
        .expect("the settings are good")
        .analyze(
            &file,
            &Inputs::new(context),
            &Options::default(),
            &mut |_| {},
        )
        .expect("it can be analysed");
    assert!(
        started.elapsed() < limit,
        "{command}: {:?}",
        started.elapsed()
    );
    let found = analysis.findings().iter().map(|finding| finding.code);
    let found = found.filter(|code| code.starts_with("online-")).collect();
    (
        found,
        analysis.size().uncompressed.expected,
        server.asked().len(),
    )
}

fn pip(routes: BTreeMap<String, Route>) -> (Vec<&'static str>, u64, usize) {
    codes(
        "RUN pip install --no-cache-dir --no-compile demo==1.0",
        routes,
        |_| {},
    )
}

#[test]
fn pages_that_make_no_sense() {
    let of_page = |route: Route| pip(routes([("/simple/demo/", route)])).0;
    let status = |status| Route {
        status: Some(status),
        ..Route::default()
    };
    assert_eq!(of_page(Route::text("hello")), ["online-nonsense"]);
    assert_eq!(of_page(Route::text("{\"files\": 3}")), ["online-nonsense"]);
    assert_eq!(
        of_page(Route::text("[".repeat(1_000_000))),
        ["online-nonsense"]
    );
    assert_eq!(
        of_page(Route::text(
            "{\"files\": ".to_owned() + &"[".repeat(100_000)
        )),
        ["online-nonsense"]
    );
    assert_eq!(
        of_page(Route::bytes([b'{', 0xff, 0xfe])),
        ["online-nonsense"]
    );
    assert_eq!(
        of_page(Route::text("{\"files\": []}")),
        ["online-none-fits"]
    );
    assert_eq!(
        of_page(page("ftp://elsewhere.test/demo.whl")),
        ["online-none-fits"]
    );
    assert_eq!(of_page(status(403)), ["online-status"]);
    assert_eq!(
        of_page(Route::text("{").but(Fault::Endless)),
        ["online-too-large"]
    );
    let mut long = Route::text("{}");
    long.headers
        .insert("content-length".into(), "99999999999999".into());
    assert_eq!(of_page(long), ["online-too-large"]);
    let (found, _, asked) = pip(routes([("/simple/demo/", status(503))]));
    assert_eq!(
        (found, asked),
        (vec!["online-status"], 2),
        "asked once more, and no further"
    );
}

#[test]
fn servers_that_hang_or_lead_around() {
    let of_page = |route: Route| pip(routes([("/simple/demo/", route)])).0;
    let to = |place: &str| {
        let mut route = Route {
            status: Some(302),
            ..Route::default()
        };
        route.headers.insert("location".into(), place.into());
        route
    };
    assert_eq!(
        of_page(Route::default().but(Fault::Hangs)),
        ["online-timeout"]
    );
    assert_eq!(
        of_page(Route::text("{").but(Fault::Drips)),
        ["online-timeout"]
    );
    assert_eq!(
        of_page(Route::text("{\"files\": []}").but(Fault::BreaksOff)),
        ["online-unreachable"]
    );
    assert_eq!(of_page(to("/simple/demo/")), ["online-redirects"]);
    assert_eq!(of_page(to("file:///etc/passwd")), ["online-bad-address"]);
    assert_eq!(
        of_page(Route {
            status: Some(301),
            ..Route::default()
        }),
        ["online-nonsense"]
    );
    let around = routes([
        ("/simple/demo/", to("{base}/a")),
        ("/a", to("b")),
        ("/b", to("/a")),
    ]);
    assert_eq!(pip(around).0, ["online-redirects"]);
    // A host that does not answer is not asked for the next package.
    let hanging = || Route::default().but(Fault::Hangs);
    let (found, _, asked) = codes(
        "RUN pip install a==1 && pip install b==1 && pip install c==1 && pip install d==1",
        routes([
            ("/simple/a/", hanging()),
            ("/simple/b/", hanging()),
            ("/simple/c/", hanging()),
            ("/simple/d/", hanging()),
        ]),
        |settings| settings.total = Duration::from_secs(8),
    );
    assert!(!found.is_empty() && asked <= 8, "{found:?} {asked}");
    let (found, ..) = codes("RUN pip install demo==1.0", BTreeMap::new(), |settings| {
        settings.index = Some("http://127.0.0.1:1/simple".into());
    });
    assert_eq!(found, ["online-unreachable"]);
    let (found, ..) = codes("RUN pip install demo==1.0", BTreeMap::new(), |settings| {
        settings.total = Duration::ZERO;
    });
    assert_eq!(found, ["online-deadline"]);
    let (found, ..) = codes("RUN pip install demo==1.0", BTreeMap::new(), |settings| {
        settings.index = Some("nowhere".into());
    });
    assert_eq!(found, ["online-bad-address"]);
}

#[test]
fn wheels_that_lie() {
    let of_wheel = |route: Route| {
        let all = routes([("/simple/demo/", page("/f.whl")), ("/f.whl", route)]);
        let (found, bytes, _) = pip(all);
        (found, bytes)
    };
    let (none, in_parts) = of_wheel(Route::bytes(wheel()).in_parts());
    assert_eq!((none.len(), in_parts > 1234 * 6), (0, true));
    assert_eq!(
        of_wheel(Route::bytes(wheel())),
        (Vec::new(), in_parts),
        "whole where there are no parts"
    );
    let nonsense = |route: Route| assert_eq!(of_wheel(route).0, ["online-nonsense"]);
    nonsense(Route::bytes(Vec::new()));
    nonsense(Route::bytes(b"PK\x05\x06".to_vec()));
    nonsense(Route::bytes(wheel()[..wheel().len() - 9].to_vec()).in_parts());
    nonsense(Route::bytes(wheel()).in_parts().but(Fault::OtherParts));
    let mut bomb = wheel();
    let directory = bomb
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .expect("it has one");
    bomb[directory + 24..directory + 28].copy_from_slice(&0xf000_0000_u32.to_le_bytes());
    nonsense(Route::bytes(bomb).in_parts());
    assert_eq!(
        of_wheel(Route::bytes(wheel()).but(Fault::BreaksOff)).0,
        ["online-unreachable"]
    );
    let (found, ..) = codes(
        "RUN pip install --no-cache-dir demo==1.0",
        routes([
            ("/simple/demo/", page("/f.whl")),
            ("/f.whl", Route::bytes(vec![0; 5000])),
        ]),
        |settings| settings.max_bytes = 4000,
    );
    assert_eq!(found, ["online-too-large"]);
}

#[test]
fn tarballs_that_lie() {
    use std::io::Write as _;
    let document =
        r#"{"name": "demo", "version": "1.0.0", "dist": {"tarball": "{base}/demo.tgz"}}"#;
    let of_tarball = |bytes: Vec<u8>| {
        let all = routes([
            ("/npm/demo/1.0.0", Route::text(document)),
            ("/demo.tgz", Route::bytes(bytes)),
        ]);
        codes("RUN npm install demo@1.0.0", all, |settings| {
            settings.max_bytes = 1 << 20;
        })
        .0
    };
    let packed = |bytes: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(bytes).expect("memory takes everything");
        gzip.finish().expect("memory takes everything")
    };
    let header = |kind: u8, size: u64| {
        let mut block = [0_u8; 512];
        block[..1].copy_from_slice(b"a");
        block[100..107].copy_from_slice(b"0000644");
        block[124..135].copy_from_slice(format!("{size:011o}").as_bytes());
        block[148..156].fill(b' ');
        block[156] = kind;
        block[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        block
    };
    assert_eq!(of_tarball(b"hello".to_vec()), ["online-nonsense"]);
    assert_eq!(of_tarball(packed(b"hello")), ["online-nonsense"]);
    assert_eq!(
        of_tarball(packed(&header(b'0', 1000))),
        ["online-nonsense"],
        "it ends too early"
    );
    assert_eq!(
        of_tarball(packed(&header(b'0', 8_000_000_000))),
        ["online-nonsense"],
        "larger than any package"
    );
    assert_eq!(of_tarball(vec![0x1f; 2 << 20]), ["online-too-large"]);
    // Headers that hold for the whole archive, without end: 280 MB of them in 1 MB.
    let bomb = [&header(b'g', 512)[..], &[b'\n'; 512]]
        .concat()
        .repeat(280_000);
    assert_eq!(of_tarball(packed(&bomb)).len(), 1);
    for document in [
        "",
        "{}",
        "[]",
        "{\"version\": 1}",
        r#"{"versions": {"1.0.0": {}}}"#,
    ] {
        let all = routes([
            ("/npm/demo/1.0.0", Route::text(document)),
            ("/npm/demo", Route::text(document)),
        ]);
        let (found, ..) = codes("RUN npm install demo@1.0.0", all, |_| {});
        assert!(
            matches!(found[..], ["online-nonsense" | "online-none-fits"]),
            "{document}: {found:?}"
        );
    }
    let (found, _, asked) = codes(
        "RUN npm install ../../etc/passwd@1.0.0 'a b@1'",
        BTreeMap::new(),
        |_| {},
    );
    assert!(
        found.iter().all(|code| *code == "online-bad-address") && asked == 0,
        "{found:?}"
    );
}

#[test]
fn registries_that_lie() {
    let digest = |letter: &str| format!("sha256:{}", letter.repeat(64));
    let platform = r#""platform": {"os": "linux", "architecture": "amd64"}"#;
    let index = |to: &str| {
        Route::text(format!(
            r#"{{"manifests": [{{"digest": "{to}", {platform}}}]}}"#
        ))
    };
    let of = |all: Vec<(String, Route)>| {
        let server = Server::start(all.into_iter().collect());
        let settings = Settings {
            timeout: Duration::from_secs(3),
            ..settings(&server)
        };
        let file = Dockerfile::parse("FROM registry.test/a:1\n");
        let context = Context::builder().build().expect("nothing is in it");
        let analysis = Online::new(settings)
            .expect("the settings are good")
            .analyze(
                &file,
                &Inputs::new(context),
                &Options::default(),
                &mut |_| {},
            )
            .expect("it can be analysed");
        let found = analysis
            .findings()
            .iter()
            .find(|finding| finding.code.starts_with("online-"));
        let found = found.expect("the image cannot be measured");
        assert_eq!(found.line, 1);
        found.code
    };
    let tag = "/v2/a/manifests/1".to_owned();
    assert_eq!(of(vec![]), "online-not-found");
    assert_eq!(
        of(vec![(tag.clone(), Route::text("hello"))]),
        "online-nonsense"
    );
    assert_eq!(
        of(vec![(tag.clone(), Route::text("{}"))]),
        "online-nonsense"
    );
    assert_eq!(
        of(vec![(
            tag.clone(),
            Route::text(r#"{"manifests": [{"digest": "x", "platform": {"os": "windows"}}]}"#)
        )]),
        "online-none-fits"
    );
    // Something else than its digest says, and an index that leads to itself under a name that is none.
    let a = digest("a");
    let wrong = (format!("/v2/a/manifests/{a}"), index(&a));
    assert_eq!(of(vec![(tag.clone(), index(&a)), wrong]), "online-nonsense");
    assert_eq!(of(vec![(tag.clone(), index("1"))]), "online-nonsense");
    let config = format!(r#"{{"config": {{"digest": "{a}"}}, "layers": []}}"#);
    let blob = (format!("/v2/a/blobs/{a}"), Route::text("{}"));
    assert_eq!(
        of(vec![(tag.clone(), Route::text(config)), blob]),
        "online-nonsense"
    );
    let mut refused = Route {
        status: Some(401),
        ..Route::default()
    };
    assert_eq!(of(vec![(tag.clone(), refused.clone())]), "online-status");
    refused.headers.insert(
        "www-authenticate".into(),
        "Bearer realm=\"http://elsewhere.test/token\"".into(),
    );
    assert_eq!(of(vec![(tag.clone(), refused.clone())]), "online-nonsense");
    refused.headers.insert(
        "www-authenticate".into(),
        "Bearer realm=\"{base}/token\"".into(),
    );
    let token = ("/token".to_owned(), Route::text("{\"token\": \"a\\nb\"}"));
    assert_eq!(of(vec![(tag, refused), token]), "online-nonsense");
}

#[test]
fn errors_show_no_passwords() {
    let settings = Settings {
        index: Some("http://me:secret@127.0.0.1:1/simple".into()),
        retries: 0,
        ..Settings::default()
    };
    let context = Context::builder().build().expect("nothing is in it");
    let analysis = Online::new(settings)
        .expect("the settings are good")
        .analyze(
            &Dockerfile::parse("FROM scratch\nRUN pip install demo\n"),
            &Inputs::new(context),
            &Options::default(),
            &mut |_| {},
        )
        .expect("it can be analysed");
    let messages: Vec<&str> = analysis
        .findings()
        .iter()
        .map(|finding| finding.message.as_str())
        .collect();
    assert!(
        messages
            .iter()
            .any(|message| message.contains("127.0.0.1:1")),
        "{messages:?}"
    );
    assert!(
        messages.iter().all(|message| !message.contains("secret")),
        "{messages:?}"
    );
    let error = OnlineError::Timeout {
        host: "a".into(),
        seconds: 1,
    };
    assert_eq!(error.to_string(), "`a` did not answer within 1 s");
}
