//! Codes of errors are unique, in kebab-case, and documented.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The codes that the `code()` of every error gives, read from the sources: `Self::Missing { .. } => "path-missing",`.
fn codes() -> Vec<String> {
    let library = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/stagewright/src");
    let files = [
        "analysis/mod.rs",
        "config.rs",
        "measure/error.rs",
        "cache/expect.rs",
        "context/error.rs",
        "duration.rs",
        "history/mod.rs",
        "edit/mod.rs",
        "../../stagewright-syntax/src/edit/error.rs",
        "options.rs",
        "outside/files.rs",
        "outside/git/mod.rs",
        "outside/online/error.rs",
        "project/mod.rs",
        "snapshot/mod.rs",
        "trace/mod.rs",
    ];
    let mut codes = Vec::new();
    for file in files {
        let text = fs::read_to_string(library.join(file)).expect("the source is there");
        let before = codes.len();
        for line in text
            .lines()
            .map(str::trim)
            .filter(|line| line.starts_with("Self::"))
        {
            let code = line
                .split_once("=> \"")
                .and_then(|(_, rest)| rest.strip_suffix("\","));
            codes.extend(code.map(str::to_owned));
        }
        assert!(codes.len() > before, "{file} has codes");
    }
    codes
}

/// The codes in the table of `Coded`.
fn documented() -> Vec<String> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/stagewright/src/report/error.rs");
    let text = fs::read_to_string(path).expect("the source is there");
    let rows = text.lines().filter_map(|line| line.strip_prefix("/// | `"));
    rows.filter_map(|row| row.split_once('`'))
        .map(|(code, _)| code.to_owned())
        .collect()
}

#[test]
fn codes_are_unique_and_documented() {
    let codes: Vec<String> = codes()
        .into_iter()
        .filter(|code| !matches!(code.as_str(), "safe" | "unsafe" | "suggestion"))
        .collect();
    let unique: BTreeSet<&String> = codes.iter().collect();
    assert_eq!(unique.len(), codes.len(), "{codes:?}");
    for code in &unique {
        assert!(
            code.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
            "{code}"
        );
    }
    assert_eq!(documented().iter().collect::<BTreeSet<_>>(), unique);
}
