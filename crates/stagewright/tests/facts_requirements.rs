//! Requirement files: what pip would read, and what it would refuse.

use std::collections::BTreeMap;

use stagewright::facts::{
    Catalog, Libc, PythonClosure, RequirementProblemCode, Requirements, WheelPlatform,
};

fn read(text: &str) -> Requirements {
    Requirements::read("requirements.txt", text, (3, 7), &mut |_| None)
}

fn read_with(files: &[(&str, &str)]) -> Requirements {
    let texts: BTreeMap<&str, &str> = files.iter().copied().collect();
    Requirements::read(files[0].0, files[0].1, (3, 7), &mut |path| {
        texts.get(path).map(|text| (*text).to_owned())
    })
}

fn names(requirements: &Requirements) -> Vec<&str> {
    requirements
        .applying()
        .map(|entry| entry.name.as_str())
        .collect()
}

#[test]
fn a_file_as_people_write_it() {
    let read = read(concat!(
        "# web\r\n",
        "Flask==1.1.1  # the framework\r\n",
        "\r\n",
        "gunicorn==19.9.0 \\\r\n",
        "    --hash=sha256:aa \\\r\n",
        "    --hash=sha256:bb\r\n",
        "importlib-metadata==0.23 ; python_version < '3.8'\r\n",
        "dataclasses==0.6 ; python_version < '3.7'\r\n",
        "--index-url https://packages.invalid/simple\r\n",
        "-e .\r\n",
        "url#no-comment @ https://example.invalid/a.zip#sha256=cc\r\n",
    ));
    assert_eq!(
        names(&read),
        ["flask", "gunicorn", "importlib-metadata", ""]
    );
    assert_eq!(read.entries[1].hashes, ["sha256:aa", "sha256:bb"]);
    assert_eq!(read.entries[1].line, 4);
    assert!(read.entries[4].editable);
    assert!(read.has_hashes() && read.is_pinned() && read.other_sources);
    assert_eq!(read.problems.len(), 1, "{:?}", read.problems);
    assert_eq!(read.problems[0].line, 11);
}

#[test]
fn broken_lines_are_problems_with_their_line() {
    let read = read(
        "flask==1.1.1\nthis is not a requirement\n--no-such-option x\n-r\n-r missing.txt\njinja2>=2\n",
    );
    assert_eq!(names(&read), ["flask", "jinja2"]);
    let problems: Vec<(u32, &str)> = read
        .problems
        .iter()
        .map(|problem| (problem.line, problem.code.as_str()))
        .collect();
    assert_eq!(
        problems,
        [
            (2, "bad-requirement"),
            (3, "bad-option"),
            (4, "bad-option"),
            (5, "missing-include")
        ]
    );
    assert!(
        read.problems[0]
            .to_string()
            .starts_with("requirements.txt line 2: "),
        "{}",
        read.problems[0]
    );
    assert!(!read.is_pinned());
}

#[test]
fn includes_and_constraints() {
    let read = read_with(&[
        (
            "deploy/prod.txt",
            "-r ../base.txt\n-c constraints.txt\n-r ../base.txt\ngunicorn\n",
        ),
        ("base.txt", "--requirement=requirements/web.txt\n"),
        ("requirements/web.txt", "flask>=1\n"),
        ("deploy/constraints.txt", "flask==1.1.1\ngunicorn==19.9.0\n"),
    ]);
    assert_eq!(names(&read), ["flask", "gunicorn"]);
    assert_eq!(read.constraints.len(), 2);
    assert_eq!(
        read.files,
        [
            "deploy/prod.txt",
            "base.txt",
            "requirements/web.txt",
            "deploy/constraints.txt"
        ]
    );
    assert_eq!(read.entries[0].file, "requirements/web.txt");
    assert!(read.problems.is_empty(), "{:?}", read.problems);
}

#[test]
fn files_that_include_each_other() {
    let read = read_with(&[
        ("a.txt", "-r b.txt\nflask\n"),
        ("b.txt", "-ra.txt\n-r b.txt\njinja2\n"),
    ]);
    assert_eq!(names(&read), ["jinja2", "flask"]);
    assert_eq!(read.problems.len(), 2);
    assert!(
        read.problems
            .iter()
            .all(|problem| problem.code == RequirementProblemCode::CircularInclude)
    );
    // A chain without an end: every file includes the next.
    let endless = Requirements::read("0", "-r 1", (3, 12), &mut |path| {
        Some(format!(
            "-r {}\n",
            path.parse::<u32>().expect("a number") + 1
        ))
    });
    assert_eq!(endless.problems.len(), 1);
}

#[test]
fn hostile_files_end_in_problems() {
    let wide = format!("x{}\n", "[".repeat(200_000));
    let long = "\\\n".repeat(200_000);
    let many = "=\n".repeat(50_000);
    for text in [
        "\u{0}\u{0}",
        "\\",
        "-",
        "--",
        "-\u{e9}",
        "\u{feff}",
        "-e",
        "-e -e",
        "#",
        " #\\\n",
        "a;a;a",
        wide.as_str(),
        long.as_str(),
        many.as_str(),
    ] {
        let read = read(text);
        assert!(read.entries.len() < 2, "{:?}", read.entries);
    }
    assert_eq!(read(&many).problems.len(), 50_000);
    assert_eq!(read("\u{feff}flask\n").entries.len(), 1);
}

#[test]
fn every_cut_of_a_file_is_read_without_a_panic() {
    let text = "Flask[async]==1.1.1 ; python_version >= \"3.6\" --hash=sha256:aa\n-r b.txt\nx @ https://e.invalid/é.zip ; os_name == 'nt'\n";
    let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    for end in ends {
        let read = read(&text[..end]);
        assert!(read.entries.len() + read.problems.len() <= 3);
    }
}

fn closure(text: &str, python: (u32, u32)) -> PythonClosure {
    let read = Requirements::read("requirements.txt", text, python, &mut |_| None);
    Catalog::builtin().python_closure(&read, python, WheelPlatform::x86_64(Libc::Glibc))
}

fn installed(closure: &PythonClosure) -> Vec<&str> {
    closure
        .packages
        .iter()
        .map(|package| package.facts.name.as_str())
        .collect()
}

// The five lines of the article's application; the set that pip made of them in October 2019.
#[test]
fn five_lines_bring_what_they_need() {
    let five = "Flask==1.1.1\nflask-restplus==0.13.0\nFlask-SSLify==0.1.5\nFlask-Admin==1.5.3\ngunicorn==19.9.0\n";
    let closure = closure(five, (3, 7));
    let names = installed(&closure);
    for needed in [
        "jinja2",
        "werkzeug",
        "markupsafe",
        "aniso8601",
        "jsonschema",
        "pyrsistent",
        "pytz",
        "wtforms",
        "zipp",
    ] {
        assert!(names.contains(&needed), "{needed} in {names:?}");
    }
    assert_eq!(closure.packages[0].line, Some(1));
    assert_eq!(closure.packages[5].line, None);
    // Measured: 24.9 MB in site-packages with setuptools, 5.0 MB of byte code.
    let (size, code) = (closure.installed(), closure.byte_code());
    assert!(
        (21_000_000..27_000_000).contains(&size.expected),
        "{size:?}"
    );
    assert!((4_000_000..7_000_000).contains(&code.expected), "{code:?}");
}

#[test]
fn a_complete_file_gains_nothing() {
    let all = "flask==1.1.1\nclick==7.0\nitsdangerous==1.1.0\njinja2==2.10.3\nmarkupsafe==1.1.1\nwerkzeug==0.16.0\n";
    let closure = closure(all, (3, 7));
    assert_eq!(closure.packages.len(), 6);
    assert!(closure.complete);
    // Sum of the rows measured on CPython 3.7.16.
    assert_eq!(
        closure.installed().expected,
        274_797 + 309_554 + 445_660 + 81_617 + 1_002_826 + 43_960
    );
}

#[test]
fn hashes_and_places() {
    let read = closure("flask==3.1.3 --hash=sha256:aa\n", (3, 12));
    assert_eq!(installed(&read), ["flask"]);
    let read = closure(
        "-e ./own\nown2 @ git+https://e.invalid/x.git\nflask\n",
        (3, 12),
    );
    assert_eq!(read.elsewhere.len(), 2);
    assert_eq!(read.packages[0].facts.name, "flask");
    assert!(installed(&read).contains(&"blinker"));
    let old = closure("flask<2\n", (3, 7));
    assert_eq!(old.packages[0].version.as_deref(), Some("1.1.1"));
    assert!(!closure("no-such-package-anywhere\n", (3, 12)).complete);
}

#[test]
fn a_pinned_file_that_lists_no_needs_gains_them() {
    // No table has flask 3.0.1, nor uvicorn 0.32.1 with its extras.
    let read = closure("flask==3.0.1\nuvicorn[standard]==0.32.1\n", (3, 12));
    let names = installed(&read);
    for need in [
        "werkzeug",
        "jinja2",
        "markupsafe",
        "h11",
        "uvloop",
        "httptools",
    ] {
        assert!(names.contains(&need), "{need}: {names:?}");
    }
    let plain = closure("uvicorn==0.32.1\n", (3, 12));
    assert!(!installed(&plain).contains(&"uvloop"));
    // What is pinned keeps its error; which version of a need is taken is a matter of the day.
    let width = |name: &str| {
        let package = read
            .packages
            .iter()
            .find(|package| package.facts.name == name);
        let size = package.unwrap().facts.installed;
        assert!(
            size.high - size.low >= size.expected / 4 - 1,
            "{name}: {size:?}"
        );
    };
    width("werkzeug");
    width("jinja2");
}
