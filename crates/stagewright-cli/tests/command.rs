//! The command from outside: answers, exit codes, files written, wrong calls.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

const NAIVE: &str = "FROM python:3.12-slim\nCOPY . /app\nWORKDIR /app\nRUN pip install -r requirements.txt\nCMD [\"python\", \"main.py\"]\n";

/// A folder of its own for each test, empty at its start.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn naive(name: &str) -> Self {
        let folder = Self::new(name);
        folder.write("Dockerfile", NAIVE);
        folder.write("main.py", "print(1)\n");
        folder.write("requirements.txt", "click==8.1.7\n");
        folder
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    /// Every file with its content.
    fn everything(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found: Vec<_> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read(&path).unwrap_or_default()))
            .collect();
        found.sort();
        found
    }
}

struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Said {
    fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{error}\n{}{}", self.stdout, self.stderr))
    }
}

fn run(arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> Said {
    said(Command::new(env!("CARGO_BIN_EXE_stagewright")).args(arguments))
}

fn said(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    Said {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs the command in a folder, with this on standard input.
fn stagewright(folder: &Folder, words: &[&str], input: &str) -> Said {
    let path = folder.0.with_extension("input");
    fs::write(&path, input).unwrap();
    let input = fs::File::open(path).unwrap();
    said(
        Command::new(env!("CARGO_BIN_EXE_stagewright"))
            .args(words)
            .current_dir(&folder.0)
            .stdin(input),
    )
}

/// A wrong call: one line on standard error, nothing on standard output but JSON where that is wanted, nothing written, exit code 2.
#[track_caller]
fn refused(folder: &Folder, arguments: &[&OsStr], code: &str, mentions: &str) {
    let before = folder.everything();
    let plain = run(arguments);
    assert_eq!(plain.code, Some(2), "{}", plain.stderr);
    assert_eq!(plain.stdout, "");
    assert!(
        plain.stderr.starts_with(&format!("error[{code}]: ")),
        "{}",
        plain.stderr
    );
    assert_eq!(plain.stderr.lines().count(), 1, "{}", plain.stderr);
    assert!(plain.stderr.contains(mentions), "{}", plain.stderr);
    let json = run(arguments.iter().copied().chain([OsStr::new("--json")]));
    assert_eq!(json.code, Some(2));
    let answer = json.json();
    assert_eq!(answer["schema"], 1);
    assert_eq!(answer["error"]["code"], code);
    assert_eq!(
        format!(
            "error[{code}]: {}\n",
            answer["error"]["message"].as_str().unwrap()
        ),
        plain.stderr
    );
    assert_eq!(folder.everything(), before);
}

/// The commands that read a Dockerfile with its context.
const COMMANDS: [&[&str]; 4] = [
    &["size"],
    &["cache", "--change", "main.py"],
    &["optimize"],
    &["optimize", "--write"],
];

#[track_caller]
fn refused_by_all(folder: &Folder, path: &str, options: &[&str], code: &str, mentions: &str) {
    let path = folder.0.join(path);
    for command in COMMANDS {
        let words: Vec<&OsStr> = command
            .iter()
            .map(OsStr::new)
            .chain([path.as_os_str()])
            .chain(options.iter().map(OsStr::new))
            .collect();
        refused(folder, &words, code, mentions);
    }
}

#[test]
fn no_dockerfile() {
    let folder = Folder::new("no-dockerfile");
    folder.write("main.py", "");
    refused_by_all(&folder, "", &[], "dockerfile-missing", "no-dockerfile");
    refused_by_all(&folder, "nothing", &[], "path-missing", "nothing");
    refused_by_all(
        &folder,
        "",
        &["--file", "nowhere/Dockerfile"],
        "path-missing",
        "nowhere/Dockerfile",
    );
    refused(
        &folder,
        &["parse".as_ref(), folder.0.as_os_str()],
        "dockerfile-missing",
        "no-dockerfile",
    );
}

#[test]
fn a_folder_in_the_place_of_the_dockerfile() {
    let folder = Folder::new("folder-as-dockerfile");
    folder.write("Dockerfile/main.py", "");
    refused_by_all(&folder, "", &[], "dockerfile-is-folder", "Dockerfile");
    refused(
        &folder,
        &["parse".as_ref(), folder.0.as_os_str()],
        "dockerfile-is-folder",
        "Dockerfile",
    );
}

#[test]
fn bytes_that_are_not_utf8() {
    let folder = Folder::new("not-utf8");
    folder.write("Dockerfile", b"FROM alpine\nRUN echo \xff\n");
    refused_by_all(&folder, "", &[], "not-utf8", "offset 21");
    refused(
        &folder,
        &["parse".as_ref(), folder.0.as_os_str()],
        "not-utf8",
        "offset 21",
    );
}

#[test]
fn an_unknown_target() {
    let folder = Folder::new("unknown-target");
    folder.write("Dockerfile", "FROM alpine AS build\nFROM scratch AS web\n");
    refused_by_all(
        &folder,
        "",
        &["--target", "wbe"],
        "unknown-target",
        "`build`, `web`",
    );
}

#[test]
fn no_stage() {
    let folder = Folder::new("no-stage");
    folder.write("Dockerfile", "# nothing yet\n");
    refused_by_all(&folder, "", &[], "no-stages", "FROM");
}

#[test]
fn words_that_stand_for_nothing() {
    let folder = Folder::naive("words");
    refused_by_all(
        &folder,
        "",
        &["--platform", "amiga"],
        "unknown-platform",
        "amiga",
    );
    refused_by_all(
        &folder,
        "",
        &["--as-of", "yesterday"],
        "bad-date",
        "yesterday",
    );
    let path = folder.0.as_os_str();
    refused(
        &folder,
        &[
            "optimize".as_ref(),
            path,
            "--skip".as_ref(),
            "magic".as_ref(),
        ],
        "unknown-pass",
        "magic",
    );
}

#[test]
fn without_a_change_the_entry_point_is_edited() {
    let folder = Folder::naive("entry-point");
    let path = folder.0.to_str().unwrap();
    let entry = run(["cache", path]);
    assert_eq!(entry.code, Some(0));
    assert_eq!(
        entry.stdout,
        run(["cache", path, "--change", "main.py"]).stdout
    );
}

#[test]
fn wrong_use() {
    let folder = Folder::naive("wrong-use");
    let path = folder.0.to_str().unwrap();
    for words in [
        vec!["size", path, "--colour"],
        vec!["cache", path, path, "--change", "main.py"],
        vec!["optimize", path, "--only"],
        vec!["size", path, "--build-arg", "DEBUG"],
        vec!["generate", path, "--port", "99999"],
        vec!["bake"],
        vec![],
    ] {
        let plain = run(&words);
        assert_eq!(plain.code, Some(2), "{words:?}");
        assert_eq!(plain.stdout, "", "{words:?}");
        assert!(!plain.stderr.is_empty(), "{words:?}");
        let json = run(words.iter().chain(&["--json"]));
        assert_eq!(json.code, Some(2), "{words:?}");
        assert_eq!(json.json()["error"]["code"], "usage", "{words:?}");
    }
}

#[cfg(unix)]
#[test]
fn an_unreadable_context_file() {
    use std::os::unix::fs::PermissionsExt as _;
    use std::os::unix::process::CommandExt as _;

    let folder = Folder::naive("unreadable");
    fs::set_permissions(
        folder.0.join("requirements.txt"),
        fs::Permissions::from_mode(0o000),
    )
    .unwrap();
    let copy = std::env::temp_dir().join(format!("stagewright-{}", std::process::id()));
    fs::create_dir_all(&copy).unwrap();
    fs::set_permissions(&copy, fs::Permissions::from_mode(0o755)).unwrap();
    for file in ["Dockerfile", "main.py", "requirements.txt"] {
        let from = folder.0.join(file);
        let mode = fs::metadata(&from).unwrap().permissions();
        fs::set_permissions(&from, fs::Permissions::from_mode(0o644)).unwrap();
        fs::copy(&from, copy.join(file)).unwrap();
        fs::set_permissions(copy.join(file), mode).unwrap();
    }
    // Another process writes the copy: a file that this one has open for writing, and hands to what other tests start, cannot be run.
    let copied = Command::new("cp")
        .arg(env!("CARGO_BIN_EXE_stagewright"))
        .arg(copy.join("stagewright"))
        .status();
    assert!(copied.unwrap().success());
    let mut command = Command::new(copy.join("stagewright"));
    command.arg("size").arg(&copy);
    if fs::read(copy.join("requirements.txt")).is_ok() {
        // The superuser reads everything; nobody does not.
        command.uid(65534);
    }
    let answer = said(&mut command);
    fs::remove_dir_all(&copy).unwrap();
    assert_eq!(answer.code, Some(2), "{}{}", answer.stdout, answer.stderr);
    assert!(
        answer
            .stderr
            .starts_with("error[context-unreadable]: `requirements.txt` cannot be read: "),
        "{}",
        answer.stderr
    );
    assert_eq!(answer.stdout, "");
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_that_is_not_utf8() {
    use std::os::unix::ffi::OsStrExt as _;

    let folder = Folder::naive("name-not-utf8");
    fs::write(folder.0.join(OsStr::from_bytes(b"caf\xe9.py")), "").unwrap();
    refused_by_all(&folder, "", &[], "context-name-not-utf8", "caf");
}

#[test]
fn an_ignore_pattern_that_buildkit_rejects() {
    let folder = Folder::naive("bad-ignore");
    folder.write(".dockerignore", "[a-\n");
    refused_by_all(&folder, "", &[], "ignore-bad-pattern", "[a-");
}

#[test]
fn an_unknown_base_leaves_the_layers_above_it() {
    let folder = Folder::naive("unknown-base");
    folder.write(
        "Dockerfile",
        "FROM registry.example.com/team/base:7\nCOPY main.py /app/\n",
    );
    let answer = run(["size", folder.0.to_str().unwrap(), "--json"]);
    assert_eq!(answer.code, Some(1));
    let json = answer.json();
    assert_eq!(json["findings"][0]["code"], "unknown-base");
    assert_eq!(json["base"]["known"], false);
    assert_eq!(json["image"]["uncompressed"]["expected"], 9);
    let text = run(["size", folder.0.to_str().unwrap()]);
    assert!(
        text.stdout.contains("without its base: 9 B"),
        "{}",
        text.stdout
    );
    assert!(
        text.stdout.contains("warning[unknown-base]"),
        "{}",
        text.stdout
    );
}

#[test]
fn a_broken_requirement_is_a_finding() {
    let folder = Folder::naive("broken-requirement");
    folder.write("requirements.txt", "click==8.1.7\nflask==\n");
    let answer = run(["size", folder.0.to_str().unwrap(), "--json"]);
    assert_eq!(answer.code, Some(1), "{}", answer.stderr);
    let finding = &answer.json()["findings"][0];
    assert_eq!(finding["file"], "requirements.txt");
    assert_eq!(finding["line"], 2);
}

#[test]
fn size_in_both_forms() {
    let folder = Folder::naive("size");
    let path = folder.0.to_str().unwrap();
    let answer = run(["size", path, "--json"]);
    assert_eq!(answer.code, Some(0), "{}{}", answer.stdout, answer.stderr);
    let json = answer.json();
    assert_eq!(json["schema"], 1);
    for size in [
        &json["image"]["uncompressed"],
        &json["image"]["compressed"],
        &json["layers"][0]["uncompressed"],
    ] {
        let number = |name: &str| size[name].as_u64().unwrap();
        assert!(
            number("low") <= number("expected") && number("expected") <= number("high"),
            "{size}"
        );
        assert!(number("low") > 0, "{size}");
    }
    assert_eq!(json["layers"][1]["line"], 2);
    assert_eq!(json["layers"][1]["instruction"], "COPY . /app");
    assert!(!json["layers"][1]["basis"].as_array().unwrap().is_empty());
    let files: u64 = ["Dockerfile", "main.py", "requirements.txt"]
        .map(|name| folder.read(name).len() as u64)
        .iter()
        .sum();
    assert_eq!(json["layers"][1]["uncompressed"]["expected"], files);
    let text = run(["size", path]);
    assert_eq!(text.code, Some(0));
    assert!(
        text.stdout.contains(" MB  FROM python:3.12-slim"),
        "{}",
        text.stdout
    );
}

#[test]
fn a_dockerfile_elsewhere() {
    let folder = Folder::naive("elsewhere");
    fs::rename(folder.0.join("Dockerfile"), folder.0.join("dockerfile")).unwrap();
    let path = folder.0.to_str().unwrap();
    let lower_case = run(["size", path, "--json"]);
    assert_eq!(lower_case.code, Some(0), "{}", lower_case.stderr);
    folder.write("build/web.Dockerfile", "FROM scratch\nCOPY main.py /\n");
    let file = folder.0.join("build/web.Dockerfile");
    for words in [
        vec!["size", path, "--json", "--file", file.to_str().unwrap()],
        vec!["size", file.to_str().unwrap(), "--json", "--context", path],
    ] {
        let answer = run(&words);
        assert_eq!(
            answer.json()["image"]["uncompressed"]["expected"],
            9,
            "{words:?}"
        );
    }
}

#[test]
fn cache_after_a_change_and_between_two_folders() {
    let before = Folder::naive("cache-before");
    let after = Folder::naive("cache-after");
    after.write("main.py", "print(2)\n");
    let (before, after) = (before.0.to_str().unwrap(), after.0.to_str().unwrap());
    let told = run(["cache", before, "--change", "main.py", "--json"]);
    let seen = run(["cache", before, after, "--json"]);
    for answer in [&told, &seen] {
        assert_eq!(answer.code, Some(0), "{}{}", answer.stdout, answer.stderr);
        let json = answer.json();
        let verdicts: Vec<&str> = json["steps"]
            .as_array()
            .unwrap()
            .iter()
            .map(|step| step["verdict"].as_str().unwrap())
            .collect();
        assert_eq!(verdicts, ["cached", "rerun", "rerun", "rerun"]);
        assert_eq!(json["steps"][3]["line"], 4);
        assert_eq!(json["steps"][3]["stage"], "stage-0");
        assert!(
            json["steps"][1]["cause"]
                .as_str()
                .unwrap()
                .contains("`main.py`"),
            "{json}"
        );
    }
    let same = run(["cache", before, before, "--json"]).json();
    assert!(
        same["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["verdict"] == "cached"),
        "{same}"
    );
    assert_eq!(same["warm_pull"]["expected"], 0);
    let argument = run(["cache", before, "--after-arg", "HTTP_PROXY=x", "--json"]).json();
    assert!(
        argument["steps"]
            .as_array()
            .unwrap()
            .iter()
            .all(|step| step["verdict"] == "cached"),
        "{argument}"
    );
}

#[test]
fn optimize_shows_without_writing() {
    let folder = Folder::naive("optimize");
    let path = folder.0.to_str().unwrap();
    let before = folder.everything();
    let text = run(["optimize", path]);
    assert_eq!(text.code, Some(0), "{}{}", text.stdout, text.stderr);
    assert!(
        text.stdout.contains("(manifests_first, safe)"),
        "{}",
        text.stdout
    );
    let json = run(["optimize", path, "--json"]).json();
    assert_eq!(json["applicability"], "unsafe");
    let rung = &json["rungs"][0];
    for measure in [&rung["before"], &rung["after"]] {
        assert!(
            measure["uncompressed"]["expected"].is_u64()
                && measure["compressed"]["expected"].is_u64()
                && measure["warm_pull"].is_u64()
        );
        assert!(measure["rebuilds"].is_array());
    }
    assert!(
        json["dockerfile"]
            .as_str()
            .unwrap()
            .contains("--mount=type=cache")
    );
    assert_eq!(folder.everything(), before);

    let only = run(["optimize", path, "--json", "--only", "package_cache"]).json();
    let passes: Vec<_> = only["rungs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|rung| rung["pass"].clone())
        .collect();
    assert_eq!(passes, ["package_cache"]);
}

#[test]
fn optimize_writes_what_is_safe_and_then_finds_nothing_more() {
    let folder = Folder::naive("optimize-write");
    let path = folder.0.to_str().unwrap();
    let answer = run(["optimize", path, "--write", "--json"]);
    assert_eq!(answer.code, Some(0), "{}{}", answer.stdout, answer.stderr);
    let json = answer.json();
    assert_eq!(json["applicability"], "safe");
    assert_eq!(folder.read("Dockerfile"), json["dockerfile"]);
    assert_ne!(folder.read("Dockerfile"), NAIVE);
    assert_eq!(folder.read(".dockerignore"), json["dockerignore"]);
    assert!(folder.read("Dockerfile").contains("FROM python:3.12-slim"));
    let written = folder.everything();
    assert_eq!(written.len(), 4, "no file is left behind: {written:?}");
    let again = run(["optimize", path, "--write", "--json"]).json();
    assert_eq!(again["rungs"], Value::Array(Vec::new()));
    assert_eq!(folder.everything(), written);
}

#[cfg(unix)]
#[test]
fn writing_keeps_modes_and_follows_links() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let folder = Folder::naive("write-links");
    folder.write("build/real", NAIVE);
    let real = folder.0.join("build/real");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    fs::remove_file(folder.0.join("Dockerfile")).unwrap();
    symlink("build/real", folder.0.join("Dockerfile")).unwrap();
    let answer = run(["optimize", folder.0.to_str().unwrap(), "--write"]);
    assert_eq!(answer.code, Some(0), "{}", answer.stderr);
    assert!(
        folder
            .0
            .join("Dockerfile")
            .symlink_metadata()
            .unwrap()
            .is_symlink()
    );
    assert_ne!(folder.read("build/real"), NAIVE);
    assert_eq!(
        fs::metadata(&real).unwrap().permissions().mode() & 0o7777,
        0o640
    );
}

#[cfg(unix)]
#[test]
fn what_cannot_be_written_is_left_as_it_was() {
    let folder = Folder::naive("unwritable");
    // A link that leads nowhere: there is no place for the ignore file.
    std::os::unix::fs::symlink("nowhere/ignore", folder.0.join(".dockerignore")).unwrap();
    let path = folder.0.as_os_str();
    refused(
        &folder,
        &["optimize".as_ref(), path, "--write".as_ref()],
        "file-unwritable",
        ".dockerignore",
    );
    assert_eq!(folder.read("Dockerfile"), NAIVE);
}

#[test]
fn generate_shows_and_writes() {
    let folder = Folder::new("generate");
    folder.write(
        "main.py",
        "from flask import Flask\n\napp = Flask(__name__)\n",
    );
    folder.write("requirements.txt", "flask==3.0.3\ngunicorn==22.0.0\n");
    let path = folder.0.to_str().unwrap();
    let json = run(["generate", path, "--port", "9000", "--json"]);
    assert_eq!(json.code, Some(0), "{}{}", json.stdout, json.stderr);
    let json = json.json();
    assert!(
        json["dockerfile"].as_str().unwrap().contains("EXPOSE 9000"),
        "{json}"
    );
    assert_eq!(folder.everything().len(), 2);
    let given = run(["generate", path, "--json", "--", "python", "main.py"]).json();
    assert!(
        given["dockerfile"]
            .as_str()
            .unwrap()
            .contains("CMD [\"python\", \"main.py\"]"),
        "{given}"
    );
    assert_eq!(
        run(["generate", path, "--port", "9000", "--write"]).code,
        Some(0)
    );
    assert_eq!(folder.read("Dockerfile"), json["dockerfile"]);
    assert_eq!(folder.read(".dockerignore"), json["dockerignore"]);
    refused(
        &folder,
        &["generate".as_ref(), path.as_ref(), "--write".as_ref()],
        "file-exists",
        ".dockerignore",
    );
    let nothing = Folder::new("generate-nothing");
    refused(
        &nothing,
        &["generate".as_ref(), nothing.0.as_os_str()],
        "no-recipe",
        "requirements.txt",
    );
}

#[test]
fn parse_in_all_forms() {
    let folder = Folder::new("parse");
    folder.write("good", "FROM alpine\nRUN echo hi \\\n  there\n");
    folder.write("bad", "FROM alpine\nRUNN echo\nCOPY a\n");
    let (good, bad) = (folder.0.join("good"), folder.0.join("bad"));
    let (good, bad) = (good.to_str().unwrap(), bad.to_str().unwrap());
    assert_eq!(run(["parse", good]).code, Some(0));
    let json = run(["parse", good, "--json"]).json();
    assert_eq!(json["instructions"][1]["keyword"], "RUN");
    assert_eq!(json["instructions"][1]["end_line"], 3);
    let answer = run(["parse", bad, "--json"]);
    assert_eq!(answer.code, Some(1));
    let lines: Vec<_> = answer.json()["errors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|error| error["line"].clone())
        .collect();
    assert_eq!(lines, [2, 3]);
    assert_eq!(run(["parse", bad]).code, Some(1));
    refused(
        &folder,
        &["parse".as_ref(), good.as_ref(), bad.as_ref()],
        "several-files",
        "--as",
    );
}

#[test]
fn buildkits_answers_one_a_line() {
    let folder = Folder::new("as-buildkit");
    folder.write("good", "FROM alpine\nRUN echo \"hi\"\n");
    folder.write("early", "FROM alpine\nENV a\n");
    folder.write("late", "FROM alpine\nRUNN echo\n");
    folder.write("latin1", b"FROM alpine\nRUN echo \xff\n");
    let answer = stagewright(
        &folder,
        &["parse", "--as", "buildkit", "good", "early", "late"],
        "",
    );
    let expected = [
        r#"{"file":"good","ok":true,"error":null,"line":null,"dump":"(from \"alpine\")\n(run \"echo \\\"hi\\\"\")"}"#,
        r#"{"file":"early","ok":false,"error":"ENV must have two arguments","line":2,"dump":null}"#,
        r#"{"file":"late","ok":false,"error":"dockerfile parse error on line 2: unknown instruction: RUNN (did you mean RUN?)","line":2,"dump":"(from \"alpine\")\n(runn \"\")"}"#,
    ];
    assert_eq!(answer.stdout, expected.join("\n") + "\n");
    assert_eq!((answer.code, answer.stderr.as_str()), (Some(1), ""));
    // Files that cannot be read have no line; the others keep theirs, and the error is said.
    let words = [
        "parse", "--as", "buildkit", "--json", "none", "good", "latin1",
    ];
    let answer = stagewright(&folder, &words, "");
    assert_eq!(answer.stdout, format!("{}\n", expected[0]));
    let said: Vec<&str> = answer.stderr.lines().collect();
    assert_eq!(said.len(), 2, "{said:?}");
    assert!(
        said[0].starts_with("error[path-missing]: `none`"),
        "{said:?}"
    );
    assert!(said[1].starts_with("error[not-utf8]: `latin1`"), "{said:?}");
    assert_eq!(answer.code, Some(2));
    // Standard input, and a folder.
    let answer = stagewright(&folder, &["parse", "--as", "buildkit", "-"], "FROM a\n");
    let line = r#"{"file":"-","ok":true,"error":null,"line":null,"dump":"(from \"a\")"}"#;
    assert_eq!((answer.code, answer.stdout), (Some(0), format!("{line}\n")));
    folder.write("Dockerfile", "FROM a\n");
    let answer = stagewright(&folder, &["parse", "--as", "buildkit"], "");
    assert_eq!(
        answer.stdout,
        format!("{}\n", line.replace("\"-\"", "\"./Dockerfile\""))
    );
}

#[test]
fn files_are_edited_in_place() {
    let folder = Folder::new("edit");
    folder.write("Dockerfile", "FROM alpine\nRUN a\n");
    let tag = r#"{"op": "set_tag", "index": 0, "tag": "3.20"}"#;
    let run = r#"{"op": "append", "lines": {"run": "b"}}"#;
    let answer = stagewright(&folder, &["edit", ".", tag, run], "");
    assert_eq!(
        (answer.code, answer.stdout.as_str()),
        (Some(0), "FROM alpine:3.20\nRUN a\nRUN b\n")
    );
    assert_eq!(folder.read("Dockerfile"), "FROM alpine\nRUN a\n");
    let answer = stagewright(&folder, &["edit", "--write", "Dockerfile", tag, run], "");
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), ""));
    assert_eq!(
        folder.read("Dockerfile"),
        "FROM alpine:3.20\nRUN a\nRUN b\n"
    );
    // What is left has a fault: it is written, and said.
    let remove = r#"{"op": "remove", "index": 0}"#;
    let answer = stagewright(&folder, &["edit", "-", remove], "FROM a\nRUN b\n");
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(1), "RUN b\n"));
    assert!(
        answer.stderr.starts_with("-:1:1: error[no-stage]: "),
        "{}",
        answer.stderr
    );
    let path = folder.0.join("Dockerfile");
    let refuse = |edit: &str, code: &str, mentions: &str| {
        refused(
            &folder,
            &["edit".as_ref(), path.as_os_str(), edit.as_ref()],
            code,
            mentions,
        );
    };
    refuse("set_tag", "bad-edit", "expected value");
    refuse(r#"{"op": "sets_tag"}"#, "bad-edit", "`set_tag`");
    refuse(
        r#"{"op": "set_tag", "index": 9, "tag": "1"}"#,
        "no-such-instruction",
        "9",
    );
    assert_eq!(
        stagewright(&folder, &["edit", "Dockerfile"], "").code,
        Some(2)
    );
}

#[test]
fn files_are_formatted_in_place() {
    let folder = Folder::new("format");
    folder.write("a", "from alpine\n\n\nRUN a  \n");
    folder.write("b", "FROM alpine\n");
    folder.write("c", "FROM alpine\nrunn x  \n");
    let before = folder.everything();
    // Shown: of one file only, on standard output and nothing else.
    let answer = stagewright(&folder, &["format", "a"], "");
    assert_eq!(
        (answer.code, answer.stdout.as_str()),
        (Some(0), "FROM alpine\n\nRUN a\n")
    );
    let (a, b) = (folder.0.join("a"), folder.0.join("b"));
    let both = ["format".as_ref(), a.as_os_str(), b.as_os_str()];
    refused(&folder, &both, "several-files", "--write");
    let answer = stagewright(&folder, &["format", "-"], "from a");
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), "FROM a\n"));
    let answer = stagewright(&folder, &["format", "c"], "");
    assert_eq!(
        (answer.code, answer.stdout.as_str()),
        (Some(1), "FROM alpine\nrunn x  \n")
    );
    assert!(
        answer
            .stderr
            .starts_with("c:2:1: error[unknown-instruction]: "),
        "{}",
        answer.stderr
    );
    // Checked: nothing is written.
    let answer = stagewright(&folder, &["format", "--check", "a", "b"], "");
    let said = "a:1: would change\na:3: would change\na:4: would change\n";
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(1), said));
    assert_eq!(
        stagewright(&folder, &["format", "--check", "b"], "").code,
        Some(0)
    );
    let answer = stagewright(&folder, &["format", "--check", "b", "none"], "");
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(2), ""));
    assert_eq!(folder.everything(), before);
    // Written: what can be; what cannot is said.
    let answer = stagewright(&folder, &["format", "--write", "none", "a", "b", "c"], "");
    assert_eq!(answer.code, Some(2));
    assert!(
        answer
            .stdout
            .starts_with(&said.replace("would change", "changed"))
    );
    assert!(
        answer
            .stdout
            .contains("c:2:1: error[unknown-instruction]: ")
    );
    assert!(
        answer.stderr.starts_with("error[path-missing]: `none`"),
        "{}",
        answer.stderr
    );
    assert_eq!(folder.read("a"), "FROM alpine\n\nRUN a\n");
    assert_eq!(folder.read("c"), "FROM alpine\nrunn x  \n");
    assert_eq!(folder.everything().len(), 3, "nothing is left beside them");
    let answer = stagewright(&folder, &["format", "--write", "a"], "");
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(0), ""));
    refused(
        &folder,
        &["format", "--write", "-"].map(OsStr::new),
        "usage",
        "standard input",
    );
    let answer = stagewright(&folder, &["format", "--write", "--check", "a"], "");
    assert_eq!((answer.code, answer.stdout.as_str()), (Some(2), ""));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let folder = Folder::naive("pipe");
    // More than a pipe holds, so that the command must notice.
    folder.write(
        "Dockerfile",
        format!("FROM scratch\n{}", "LABEL a=b\n".repeat(40_000)),
    );
    let mut command = Command::new(env!("CARGO_BIN_EXE_stagewright"));
    let mut child = command
        .args(["parse".as_ref(), folder.0.as_os_str()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
}

#[test]
fn help_and_version() {
    let version = run(["--version"]);
    assert_eq!(
        (version.code, version.stdout),
        (
            Some(0),
            format!("stagewright {}\n", env!("CARGO_PKG_VERSION"))
        )
    );
    let help = run(["optimize", "--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.stdout.contains("safe with --write"), "{}", help.stdout);
}
