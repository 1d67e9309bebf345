//! One version for the crates, the wheel, the npm package and the changelog.

use std::fs;
use std::path::Path;

const VERSION: &str = env!("CARGO_PKG_VERSION");

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_crate_has_the_version_of_the_workspace() {
    for manifest in [
        "crates/stagewright-syntax",
        "crates/stagewright",
        "crates/stagewright-cli",
        "bindings/python",
        "bindings/node",
    ] {
        let text = read(&format!("{manifest}/Cargo.toml"));
        assert!(text.contains("\nversion.workspace = true\n"), "{manifest}");
    }
    let workspace = read("Cargo.toml");
    for line in workspace
        .lines()
        .filter(|line| line.starts_with("stagewright"))
    {
        assert!(line.contains(&format!("version = \"{VERSION}\"")), "{line}");
    }
}

#[test]
fn the_wheel_takes_its_version_from_the_crate() {
    let project = read("bindings/python/pyproject.toml");
    assert!(project.contains("\ndynamic = [\"version\"]\n"));
    assert!(!project.lines().any(|line| line.starts_with("version")));
}

#[test]
fn the_npm_package_has_the_version() {
    for file in ["package.json", "package-lock.json"] {
        let json: serde_json::Value =
            serde_json::from_str(&read(&format!("bindings/node/{file}"))).expect(file);
        assert_eq!(json["version"], VERSION, "{file}");
    }
}

#[test]
fn the_changelog_speaks_of_the_version() {
    let changelog = read("CHANGELOG.md");
    let newest = changelog.lines().find_map(|line| line.strip_prefix("## ["));
    let newest = newest.and_then(|line| line.split(']').next());
    assert_eq!(newest, Some(VERSION));
}
