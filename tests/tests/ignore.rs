//! `.dockerignore` against recorded answers of the code that BuildKit uses (`github.com/moby/patternmatcher` v0.6.1 and fsutil).

#![expect(clippy::unwrap_used, reason = "a test may panic")]

use serde_json::Value;
use stagewright::context::{Context, IgnoreFile, Sources};

fn recorded(name: &str) -> Value {
    let path = format!("{}/conformance/ignore/{name}", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item.as_str().unwrap())
        .collect()
}

#[test]
fn patterns_match_as_in_buildkit() {
    let rows = recorded("patterns.json");
    let rows = rows.as_array().unwrap();
    assert!(rows.len() >= 1_000, "{} rows", rows.len());
    for row in rows {
        let patterns = strings(&row["patterns"]);
        let text = patterns.join("\n");
        let ignore = IgnoreFile::parse(&text);
        let Some(expected) = row.get("matches") else {
            assert!(ignore.is_err(), "{patterns:?} must be rejected");
            continue;
        };
        let ignore = ignore.unwrap_or_else(|error| panic!("{patterns:?}: {error}"));
        for (path, expected) in expected.as_object().unwrap() {
            assert_eq!(
                ignore.ignores(path),
                expected.as_bool().unwrap(),
                "{patterns:?} {path}"
            );
        }
    }
}

#[test]
fn walks_leave_what_buildkit_sends() {
    let recorded = recorded("walks.json");
    let walks = recorded["walks"].as_array().unwrap();
    assert!(walks.len() >= 300, "{} walks", walks.len());
    let mut builder = Context::builder();
    for path in strings(&recorded["tree"]) {
        builder = match path.strip_suffix('/') {
            Some(folder) => builder.directory(folder),
            None => builder.file(path, ""),
        };
    }
    let tree = builder.clone().build().unwrap();
    for walk in walks {
        let text = walk["text"].as_str().unwrap();
        // The ignore file itself stays out of the comparison.
        let name = "ignore.Dockerfile";
        let context = builder
            .clone()
            .dockerfile_name(name)
            .file(&format!("{name}.dockerignore"), text)
            .build();
        if walk["error"] == true {
            assert!(context.is_err(), "{text:?} must be rejected");
            continue;
        }
        let context = context.unwrap_or_else(|error| panic!("{text:?}: {error}"));
        let sent: Vec<String> = context
            .entries()
            .into_iter()
            .filter(|entry| tree.entry(&entry.path).is_some())
            .map(|entry| match entry.kind {
                stagewright::context::EntryKind::Directory { .. } => format!("{}/", entry.path),
                _ => entry.path,
            })
            .collect();
        assert_eq!(sent, strings(&walk["sent"]), "{text:?}");
    }
}

#[test]
fn the_file_beside_the_dockerfile_wins() {
    let context = Context::builder()
        .file("app/prod.Dockerfile", "FROM scratch\n")
        .file("app/prod.Dockerfile.dockerignore", "*.md\n")
        .file("a.md", "")
        .file("a.txt", "")
        .ignore("*.txt\n");
    let ignored = |dockerfile: &str| {
        context
            .clone()
            .dockerfile_name(dockerfile)
            .build()
            .unwrap()
            .ignored()
    };
    assert_eq!(ignored("app/prod.Dockerfile"), ["a.md"]);
    assert_eq!(ignored("Dockerfile"), ["a.txt"]);
}

#[test]
fn sources_select_as_copy_does() {
    let context = Context::builder()
        .file("src/a.py", "1")
        .file("src/lib/b.py", "2")
        .file("src/lib/b.md", "3")
        .file("top.py", "4")
        .symlink("link.py", "src/a.py")
        .symlink("here", "src/lib")
        .build()
        .unwrap();
    let landing = |sources: Sources| -> Vec<String> {
        let matches = context.matched(&sources).unwrap();
        matches
            .into_iter()
            .filter(|one| one.entry.size() > 0)
            .map(|one| one.relative)
            .collect()
    };
    assert_eq!(
        landing(Sources::new(["."])),
        ["src/a.py", "src/lib/b.md", "src/lib/b.py", "top.py"]
    );
    assert_eq!(
        landing(Sources::new(["src/"])),
        ["a.py", "lib/b.md", "lib/b.py"]
    );
    assert_eq!(landing(Sources::new(["src/*"])), ["a.py", "b.md", "b.py"]);
    assert_eq!(
        landing(Sources::new(["top.py", "src/a.py"])),
        ["top.py", "a.py"]
    );
    assert_eq!(landing(Sources::new(["link.py"])), ["link.py"]);
    assert_eq!(landing(Sources::new(["here"])), ["b.md", "b.py"]);
    assert_eq!(
        landing(Sources::new(["src"]).exclude(["**/*.md"])),
        ["a.py", "lib/b.py"]
    );
    assert_eq!(
        landing(Sources::new(["src/lib/*.py"]).parents(true)),
        ["src/lib/b.py"]
    );
    assert_eq!(
        landing(Sources::new(["src/./lib/*.py"]).parents(true)),
        ["lib/b.py"]
    );
    assert!(landing(Sources::new(["*.txt"])).is_empty());
    assert_eq!(
        context.matched(&Sources::new(["nope"])).unwrap_err().code(),
        "source-missing"
    );
}
